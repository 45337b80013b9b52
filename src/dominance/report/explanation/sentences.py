"""What each figure of an explanation shows of this prompt: one plain sentence, derived from the numbers.

A value stands out at twice the median or more; two amounts are about the same below a ratio of 1.25; a value that
changes by less than a fifth stays about the same. A sentence says so where nothing stands out.
"""

from collections import Counter
from collections.abc import Sequence

from torch import Tensor

from dominance.numbers import measure, plural, share
from dominance.records import RunResult
from dominance.report.audit.headline import headline as run_headline
from dominance.report.parts.sentences import listed, of_images
from dominance.run_settings import RunSettings
from dominance.runs.explanation.result import (
    Explanation,
    Track,
    first_amounts,
    followed_layers,
    lead,
    peaks,
    tracks,
)

STANDS_OUT = 2.0
SAME = 1.25
STEADY = 0.2
EVEN = 1.5
"""A map is almost even if its highest value is less than this many times its mean."""


def points(value: float) -> str:
    """A difference of shares in percentage points, without its sign.

    >>> points(-0.062)
    '6.2 points'
    """
    return f"{share(abs(value)).removesuffix('%')} points"


def times(ratio: float) -> str:
    """How many times as much.

    >>> times(3.14), times(42.0)
    ('3.1 times', '42 times')
    """
    return f"{ratio:.1f} times" if ratio < 9.95 else f"{ratio:.0f} times" if ratio < 999.5 else "over 1000 times"


def capital(text: str) -> str:
    """The text as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def in_layers(layers: Sequence[int]) -> str:
    """Layers in words; three or more in a row are a range.

    >>> in_layers((8, 9, 10)), in_layers((7,)), in_layers((2, 9))
    ('layers 8 to 10', 'layer 7', 'layers 2 and 9')
    """
    if len(layers) == 1:
        return f"layer {layers[0]}"
    if len(layers) > 2 and layers[-1] - layers[0] == len(layers) - 1:
        return f"layers {layers[0]} to {layers[-1]}"
    return f"layers {listed([str(layer) for layer in layers])}"


def of_seeds(count: int, explanation: Explanation) -> str:
    """In how many of the recorded images."""
    total = len(explanation.seeds)
    if total == 1:
        return "in the only image"
    if count == total:
        return "in both images" if total == 2 else f"in all {total} images"
    return f"in {count} of {total} images"


def headline(explanation: Explanation) -> str:
    """What became of the prompt; without a judge, what its first step shows."""
    if explanation.alike:
        groups = "; ".join(listed([f"“{name}”" for name in group]) for group in explanation.alike)
        return f"“{explanation.prompt.text}”: the model cannot tell {groups} apart, so nothing is said about who wins."
    if explanation.judge is None:
        return f"“{explanation.prompt.text}”: {_first_step(explanation)}."
    run = RunResult(
        run="",
        suite=explanation.prompt.id,
        model=explanation.model,
        judge=explanation.judge,
        settings=RunSettings(),
        prompts=(explanation.result,),
        groups=(),
        gate=None,
        manifest={},
    )
    return run_headline(run)


def attention_note(explanation: Explanation) -> str:
    """Whether the attention at the first step agrees with what became of the images."""
    found, leading, uneven = _first_step(explanation), lead(explanation), _unevenness(explanation)
    said = capital(found)
    if leading is None or explanation.judge is None or not explanation.result.scored:
        return f"{said}."
    if uneven is None:
        return f"The first step does not predict it: {found}."
    if leading.by == "attention":
        return f"{said}, but no image collapses."
    if leading.concept == uneven[0]:
        return f"The first step already shows it: {found}."
    taken = sum(any(pair[0] == leading.concept for pair in image.collapses) for image in explanation.result.images)
    return (
        f"The first step does not predict it: {found}, but {leading.concept} takes over in"
        f" {of_images(taken, explanation.result)}."
    )


def _unevenness(explanation: Explanation) -> tuple[str, str, float] | None:
    """The concept with most attention at the first step, the one with least, and the ratio; None if about the same."""
    amounts = first_amounts(explanation).mean(dim=0)
    most, least = int(amounts.argmax()), int(amounts.argmin())
    ratio = float(amounts[most] / amounts[least].clamp(min=1e-12))
    if most == least or ratio < SAME:
        return None
    return explanation.concepts[most], explanation.concepts[least], ratio


def _first_step(explanation: Explanation) -> str:
    amounts = first_amounts(explanation).mean(dim=0)
    where = in_layers(followed_layers(explanation, "dominating"))
    if len(explanation.concepts) == 1:
        return f"at the first step {explanation.concepts[0]} gets {share(float(amounts[0]))} of the attention ({where})"
    uneven = _unevenness(explanation)
    if uneven is None:
        return f"at the first step {listed(explanation.concepts)} get about the same attention ({where})"
    most, least, ratio = uneven
    return f"at the first step {most} gets {times(ratio)} the attention of {least} ({where})"


def focus_sentence(explanation: Explanation) -> str:
    """Which layers are the most one-sided at the first step."""
    focus = explanation.focus[:, 0].mean(dim=0)
    layers, best = explanation.layers, int(focus.argmax())
    if len(layers) == 1:
        return f"Layer {layers[0]} has a focus of {measure(float(focus[0]))}."
    middle = float(focus.quantile(0.5))
    high = [place for place, value in enumerate(focus.tolist()) if value >= STANDS_OUT * middle and value > 0]
    if not high:
        low = int(focus.argmin())
        return (
            f"No layer stands out: focus is between {measure(float(focus[low]))} (layer {layers[low]}) and"
            f" {measure(float(focus[best]))} (layer {layers[best]})."
        )
    peak = peaks(explanation)[best]
    where = (
        in_layers(sorted(layers[place] for place in high)) if len(high) <= 3 else f"{len(high)} of {len(layers)} layers"
    )
    verb = "stands" if len(high) == 1 else "stand"
    how = "its" if len(high) == 1 else f"layer {layers[best]} most, where"
    return (
        f"{capital(where)} {verb} out: {how} focus is {measure(float(focus[best]))}, {_over(focus, best)} that of a"
        f" typical layer, and “{peak.token}” gets the most attention."
    )


def _over(values: Tensor, place: int) -> str:
    middle = float(values.quantile(0.5))
    return times(float(values[place]) / middle) if middle > 0 else "far above"


def risk_sentence(explanation: Explanation) -> str | None:
    """What ``dominance preflight`` predicts, by which rule; None where it can predict nothing."""
    found = explanation.risk
    if found is None:
        return None
    if len(explanation.prompt.concepts) == 1 and found.risk == "low":
        return "The risk is low: the prompt marks one concept, which no other can replace."
    if found.threshold is None or found.score is None:
        return (
            "The risk is uncalibrated: no rule has been fitted to this model. To fit one, audit prompts with two"
            " concepts, and run `dominance calibrate` on that run."
        )
    score = f"its score, {measure(found.score)}"
    if found.spread is not None:
        low, high = map(measure, found.spread)
        score += f" over {len(found.seeds)} noises ({low} to {high} for single ones)"
    reaches = "reaches" if found.score >= found.threshold else "stays below"
    where = f"{reaches} the threshold of {measure(found.threshold)}"
    return f"Before any image, the risk is {found.risk} ({found.rule}): {score}, {where}."


def focus_over_time_sentence(explanation: Explanation) -> str:
    """How focus develops over the steps."""
    focus = explanation.focus.mean(dim=0)
    if explanation.steps == 1:
        return "There is only one step, so nothing can change."
    course = focus.mean(dim=1)
    first, last = float(course[0]), float(course[-1])
    if _steady(first, last):
        said = f"Averaged over the layers, focus ends about where it starts ({measure(first)} and {measure(last)})"
    else:
        verb = "rises" if last > first else "falls"
        ends = f"from {measure(first)} at the first step to {measure(last)} at the last"
        said = f"Averaged over the layers, focus {verb} {ends}"
    step, layer = divmod(int(focus.flatten().argmax()), focus.shape[1])
    high = f"its highest value is {measure(float(focus[step, layer]))}, in layer {explanation.layers[layer]}"
    return f"{said}; {high} at {step_name(step, explanation.steps)}."


def _steady(first: float, last: float) -> bool:
    return abs(last - first) <= STEADY * max(abs(first), abs(last))


def step_name(step: int, steps: int) -> str:
    """A step in words; steps are counted from 0.

    >>> step_name(0, 25), step_name(6, 25), step_name(24, 25)
    ('the first step', 'step 6 of 24', 'the last step')
    """
    if step == 0:
        return "the first step"
    return "the last step" if step == steps - 1 else f"step {step} of {steps - 1}"


def words_sentence(explanation: Explanation) -> str:
    """Which words get the attention at the first step."""
    amounts = explanation.attention[:, 0].mean(dim=(0, 1))
    best, middle = int(amounts.argmax()), float(amounts.quantile(0.5))
    word = f"“{explanation.tokens[best]}”"
    if float(amounts[best]) < STANDS_OUT * middle:
        return (
            f"No word stands out: averaged over the layers, each word gets between {share(float(amounts.min()))}"
            f" and {share(float(amounts.max()))} of the attention."
        )
    other = "" if explanation.concept_of(best) else ", although it belongs to no marked concept"
    return (
        f"Averaged over the layers, {word} gets the most attention, {share(float(amounts[best]))}:"
        f" {_over(amounts, best)} that of a typical word{other}."
    )


def peaks_sentence(explanation: Explanation) -> str:
    """Which words are the strongest, in how many layers."""
    found = peaks(explanation)
    counts = Counter(peak.token for peak in found).most_common()
    total, (word, most) = len(found), counts[0]
    if total == 1:
        return f"In layer {found[0].layer}, “{word}” is the strongest word {of_seeds(found[0].images, explanation)}."
    rest = [f"“{other}” in {count}" for other, count in counts[1:4]]
    tail = f"; {listed(rest)}" if rest else ""
    if most * 2 <= total:
        return f"No word is the strongest in more than half of the {total} layers: “{word}” in {most}{tail}."
    return f"“{word}” is the strongest word in {most} of {total} layers{tail}."


def course_sentence(explanation: Explanation) -> str:
    """How much attention each concept gets at the first and the last step, in its layers."""
    if explanation.steps == 1:
        return "There is only one step, so nothing can change."
    parts = []
    for layers in dict.fromkeys(track.layers for track in tracks(explanation)):
        own = [track for track in tracks(explanation) if track.layers == layers]
        parts.append(f"in {in_layers(layers)}, {listed([_course(track) for track in own])}")
    said = "; ".join(parts)
    return f"{capital(said)}."


def _course(track: Track) -> str:
    course = track.attention.mean(dim=0)
    first, last = float(course[0]), float(course[-1])
    if _steady(first, last):
        return f"{track.concept} stays at about {share(last)} of the attention"
    return (
        f"{track.concept} {'rises' if last > first else 'falls'} from {share(first)} to {share(last)} of the attention"
    )


def changes_sentence(explanation: Explanation) -> str:
    """In which interval each concept's lead changes most, if all images agree."""
    parts = [_change(track) for track in tracks(explanation) if track.change is not None]
    if not parts:
        reason = "there is only one step" if explanation.steps == 1 else "the prompt has no word besides the concept"
        return f"No change can be computed: {reason}."
    said = "; ".join(parts)
    return f"{capital(said)}."


def _change(track: Track) -> str:
    if track.change is None or track.deviation is None:
        return f"{track.concept} has no lead"
    mean = track.change.mean(dim=0)
    place = int(mean.abs().argmax())
    value = float(mean[place])
    size = float(track.deviation.mean(dim=0).abs().amax())
    agree = int((track.change[:, place] * value > 0).sum())
    if abs(value) < STEADY * size or agree < track.change.shape[0]:
        return f"no interval stands out for {track.concept}, whose largest change is {points(value)}"
    verb = "gains" if value > 0 else "loses"
    interval = f"steps {track.edges[place]} to {track.edges[place + 1]}"
    return f"{track.concept} {verb} most over {interval}, {points(value)} relative to the other words"


def images_note(explanation: Explanation) -> str:
    """How many images, from which seeds, and which judge."""
    made = len(explanation.pictures)
    seeds = ", ".join(image.name for image in explanation.result.images)
    by = f"judged by {explanation.judge}" if explanation.judge is not None else "not judged"
    return f"{plural(made, 'image')} from seed{'' if len(explanation.result.images) == 1 else 's'} {seeds}; {by}."

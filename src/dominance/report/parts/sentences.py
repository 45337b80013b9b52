"""Sentences about one image and about one prompt, always with n and with what is unscored."""

from collections import Counter
from collections.abc import Mapping

from dominance.numbers import plural, score
from dominance.records import ImageVerdict, PromptResult, ScoredImage
from dominance.runs.stages.directions import directions


def listed(parts: list[str] | tuple[str, ...]) -> str:
    """An enumeration in words.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def either(parts: list[str] | tuple[str, ...]) -> str:
    """Alternatives in words.

    >>> either(["a", "b", "c"])
    'a, b or c'
    """
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def hanging_sentence(hanging: int | Mapping[ImageVerdict, int] | None, scored: int, unscored: int) -> str | None:
    """How many of the scored images hang on doubtful answers, by verdict where that is known; no full stop.

    None where none does, and where the judge gives no probability.

    >>> hanging_sentence(1, 20, 0)
    '1 of 20 images hangs on doubtful answers'
    >>> hanging_sentence({"balanced": 0, "collapsed": 5, "lost": 0, "mixed": 2}, 220, 3)
    '7 of 220 scored images hang on doubtful answers: 5 collapsed and 2 mixed'
    """
    count = sum(hanging.values()) if isinstance(hanging, Mapping) else hanging
    if not count:
        return None
    said = f"{count} of {plural(scored, 'scored image' if unscored else 'image')} {_hang(count)}"
    if not isinstance(hanging, Mapping):
        return said
    return f"{said}: {listed([f'{own} {name}' for name, own in hanging.items() if own])}"


def _hang(count: int) -> str:
    return f"{'hangs' if count == 1 else 'hang'} on doubtful answers"


def image_label(image: ScoredImage) -> str:
    """The name of an image among those of its prompt."""
    return f"seed {image.name}" if image.name == str(image.seed) else image.name


def image_sentence(text: str, image: ScoredImage, label: str) -> str:
    """The image in one line, as its alternative text.

    >>> image = ScoredImage("p1", "7", None, dvd=80.0, dominating="tower", dominated="mug", verdict="collapsed")
    >>> image_sentence("a tower and a mug", image, "seed 7")
    '“a tower and a mug”, seed 7: collapsed, tower dominates mug, DvD 80'
    """
    if image.verdict is None:
        found = [f"unscored, {image.problem}" if image.problem else "unscored"]
    else:
        found = [image.verdict]
        if image.verdict == "collapsed" and image.dominating is not None:
            found.append(f"{image.dominating} dominates {image.dominated}")
        if image.dvd is not None:
            found.append(f"DvD {score(image.dvd)}")
        if image.hangs:
            found.append(f"hangs on doubtful answers, may be {either(image.could_be)}")
    return f"“{text}”, {label}: {', '.join(found)}"


def prompt_sentence(result: PromptResult) -> str:
    """What became of the prompt's concepts, in how many of how many images; no full stop.

    For instance ``tower takes over from mug in 9 of 10 images`` or
    ``both concepts show in 8 of 9 scored images; 1 unscored``.
    """
    if result.scored == 0:
        return _nothing_scored(result)
    said = _one_concept(result) if len(result.prompt.concepts) == 1 else _several_concepts(result)
    unscored = len(result.images) - result.scored
    hanging = sum(image.hangs for image in result.images)
    rest = [*([f"{unscored} unscored"] if unscored else []), *([f"{hanging} {_hang(hanging)}"] if hanging else [])]
    return "; ".join([said, *rest])


def of_images(count: int, result: PromptResult) -> str:
    """``count`` of the prompt's images, which are called scored if some are not."""
    return f"{count} of {_images(result)}"


def common_problem(images: list[ScoredImage]) -> str | None:
    """The most frequent reason among unscored images; None if no reason is known."""
    reasons = Counter(image.problem for image in images if image.verdict is None and image.problem)
    return reasons.most_common(1)[0][0] if reasons else None


def _nothing_scored(result: PromptResult) -> str:
    if not result.images:
        return "no images"
    reason = common_problem(list(result.images))
    return f"0 of {plural(len(result.images), 'image')} scored" + (f": {reason}" if reason else "")


def _one_concept(result: PromptResult) -> str:
    return f"{result.prompt.concepts[0].name} shows in {of_images(result.balanced, result)}"


def _several_concepts(result: PromptResult) -> str:
    found = directions(result)
    if not found:
        return _nothing_taken(result)
    first, others = found[0], found[1:]
    told = _shares(result) if result.verdict in {"lost", "balanced"} else None
    count = of_images(first.images, result) if told is None else str(first.images)
    said = f"{first.dominating} takes over from {first.dominated} in {count}"
    for other in others[:2]:
        said += f", {other.dominating} from {other.dominated} in {other.images}"
    if len(others) > 2:
        said += f", other directions in {sum(other.images for other in others[2:])}"
    return said if told is None else f"{told}; {said}"


def _shares(result: PromptResult) -> str:
    if result.verdict == "lost":
        return f"no concept shows in {of_images(result.lost, result)}"
    concepts = len(result.prompt.concepts)
    every = "both concepts" if concepts == 2 else f"all {concepts} concepts"
    return f"{every} show in {of_images(result.balanced, result)}"


def _nothing_taken(result: PromptResult) -> str:
    if result.collapsed:
        return f"{of_images(result.collapsed, result)} collapse{'s' if result.collapsed == 1 else ''}"
    if result.verdict in {"lost", "balanced"}:
        return _shares(result)
    counts = (("balanced", result.balanced), ("lost", result.lost), ("mixed", result.mixed))
    parts = [f"{count} {name}" for name, count in counts if count]
    return f"{listed(parts)} of {_images(result)}"


def _images(result: PromptResult) -> str:
    return plural(result.scored, "image" if result.scored == len(result.images) else "scored image")

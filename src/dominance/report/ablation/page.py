"""An ablation as one HTML page that opens anywhere, offline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from dominance.numbers import counted, plural, rate
from dominance.records import Rate
from dominance.report.ablation.plots import Column, columns, signed_disc
from dominance.report.ablation.sets import STYLES, risen, sets_sentence, sets_view
from dominance.report.parts.next_steps import after_ablate
from dominance.report.parts.page_stream import write_page
from dominance.report.parts.pictures import Embedded, Missing, embed, thumbnail_side
from dominance.runs.ablation.outcomes import TrialTally
from dominance.runs.ablation.result import AblatedPrompt, AblationResult, SweepResult, WindowResult
from dominance.runs.ablation.variants import head_label, heads_label

ABLATION_REPORT_NAME = "ablation.html"
_MOST_EXAMPLES = 48

SWEEP_TITLES = {
    "heads": "One head removed",
    "multi": "All mitigating heads of a prompt removed",
    "controls": "Control: two heads of layer 1 that do not mitigate removed",
    "feed-forward": "One feed-forward network removed",
    "residual": "One residual branch removed",
    "interactions": "Two of the strongest heads removed",
    "sets": "Every set of the strongest heads removed",
}
_PLACES = {"residual": "Residual branch"}


@dataclass(frozen=True)
class Example:
    """A collapsed image and what an edit made of it."""

    prompt: AblatedPrompt
    before: Embedded | Missing
    after: Embedded | Missing


@dataclass(frozen=True)
class SweepView:
    """One sweep's section.

    Attributes:
        plots: the group's name (None for all prompts) and its column chart.
        grid: for single heads, by layer, each head's tally.
    """

    result: SweepResult
    anchor: str
    title: str
    sentence: str
    place: str
    plots: tuple[tuple[str | None, Markup], ...]
    grid: tuple[tuple[str, tuple[TrialTally, ...]], ...]


def write_ablation(result: AblationResult, folder: Path) -> Path:
    """Writes ``folder/ablation.html``: one self-contained page with the answer first; returns its path.

    Raises:
        RunError: the page cannot be written.
    """
    return write_page(
        folder / ABLATION_REPORT_NAME,
        "ablation/page.html.j2",
        result=result,
        headline=ablation_headline(result),
        sweeps=[_sweep_view(sweep) for sweep in result.sweeps],
        windows_plot=_windows_plot(result.windows) if result.windows else None,
        examples=list(_examples(result, folder)),
        next_steps=after_ablate(result),
        signed_disc=signed_disc,
        head_label=head_label,
        sets=[sets_view(found) for found in result.sets],
        set_styles=STYLES,
        heads_label=heads_label,
        risen=risen,
    )


def ablation_headline(result: AblationResult) -> str:
    """The finding in one sentence."""
    collapsed = result.unedited.collapsed
    if not result.sweeps and not result.windows:
        first = result.notes[0]
        return f"{first[0].upper()}{first[1:]}."
    if result.windows:
        return _windows_headline(result)
    first = next((sweep for sweep in result.sweeps if sweep.sweep == "heads"), result.sweeps[0])
    if first.sweep == "sets" and result.sets and result.sets[0].sizes:
        return sets_sentence(result.sets[0]).partition(" On the prompts that chose")[0]
    what = _subject(first)
    of = plural(collapsed.count, "collapsed image")
    if first.total.images.n == 0:
        return f"Nothing is known yet: after {what}, none of {of} could be scored."
    said = f"{what[0].upper()}{what[1:]} restores the lost concept in {_of_prompts(first.total.prompts)}"
    best = max(first.layers or (first.total,), key=lambda layer: layer.images.mitigated.share or 0.0)
    if not best.images.mitigated.count:
        return f"{said}: none of {of} is mitigated."
    where = "" if best.place is None else f"; most often in {_PLACES.get(first.sweep, 'layer').lower()} {best.name}"
    return f"{said}{where}, {counted(best.images.mitigated)} trials."


def _windows_headline(result: AblationResult) -> str:
    unedited, *edited = result.windows
    best = min(edited, key=lambda window: 1.0 if window.collapsed.share is None else window.collapsed.share)
    steps = "at all steps" if best.steps == "all" else f"in steps {best.steps}"
    return (
        f"With equal attention for all concepts {steps}, {counted(best.collapsed)} images collapse; without the edit,"
        f" {counted(unedited.collapsed)} do."
    )


def _subject(sweep: SweepResult) -> str:
    return {
        "heads": "removing a single attention head",
        "multi": "removing all mitigating heads together",
        "controls": "removing two heads that do not mitigate",
        "feed-forward": "removing a single feed-forward network",
        "residual": "removing a single residual branch",
        "interactions": "removing two heads together",
        "sets": "removing a set of the strongest heads",
    }[sweep.sweep]


def _of_prompts(found: Rate) -> str:
    return f"{found.count} of {plural(found.n, 'prompt')}"


def _sweep_view(sweep: SweepResult) -> SweepView:
    plots: list[tuple[str | None, Markup]] = []
    place = _PLACES.get(sweep.sweep, "Layer")
    if len(sweep.layers) > 1:
        named = [(None, sweep.layers), *((group.name, group.layers) for group in sweep.groups)]
        shown = named if len(sweep.groups) > 1 else named[:1]
        plots = [(name, _layers_plot(layers, place, name)) for name, layers in shown]
    shown_alone = sweep.layers if sweep.sweep == "heads" else ()
    grid = [(layer.name, tuple(head for head in sweep.variants if head.place == layer.place)) for layer in shown_alone]
    return SweepView(
        result=sweep,
        anchor=f"{sweep.sweep}-{sweep.steps}".replace("–", "-"),
        title=SWEEP_TITLES[sweep.sweep],
        sentence=_sweep_sentence(sweep),
        place=place,
        plots=tuple(plots),
        grid=tuple(grid),
    )


def _sweep_sentence(sweep: SweepResult) -> str:
    """What the sweep found, in one sentence."""
    images = sweep.total.images
    if not images.n:
        return "Nothing was tried here, or no image could be scored."
    steps = "at all steps" if sweep.steps == "all" else f"at step {sweep.steps}"
    if "–" in sweep.steps:
        steps = f"in steps {sweep.steps}"
    said = (
        f"{plural(images.n, 'trial')} {steps}: {images.mitigated.count} mitigated, {images.unchanged.count} unchanged,"
        f" {images.corrupted.count} corrupted; at least one trial mitigates {_of_prompts(sweep.total.prompts)}"
    )
    if sweep.left_out:
        said += f"; {plural(sweep.left_out, 'prompt')} had nothing to try"
    return f"{said}."


def _layers_plot(layers: Sequence[TrialTally], place: str, group: str | None) -> Markup:
    listed = [
        Column(layer.name, layer.images.mitigated, f"mitigated {rate(layer.images.mitigated)}") for layer in layers
    ]
    of = "" if group is None else f", {group}"
    return columns(listed, f"Share of mitigated trials, by {place.lower()}{of}")


def _windows_plot(windows: Sequence[WindowResult]) -> Markup:
    listed = [
        Column(window.steps, window.collapsed, f"collapsed {rate(window.collapsed)}", "collapsed") for window in windows
    ]
    return columns(listed, "Share of collapsed images, by the denoising steps in which attention was equal")


def _examples(result: AblationResult, folder: Path) -> Iterator[Example]:
    side = thumbnail_side(2 * min(_MOST_EXAMPLES, len(result.prompts)))
    shown = [prompt for prompt in result.prompts if prompt.example is not None][:_MOST_EXAMPLES]
    for prompt in shown:
        if prompt.example is not None:
            before, after = (embed(folder / file, side) for file in prompt.example[1:3])
            yield Example(prompt, before, after)

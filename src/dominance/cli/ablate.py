"""``dominance ablate``."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from dominance.cli import options as shared
from dominance.cli.numbers import parse_numbers
from dominance.cli.output import note_foreign_pictures, print_json, print_table, resumable
from dominance.cli.statuses import EXIT_DONE, EXIT_UNSCORED
from dominance.errors import InputError

if TYPE_CHECKING:
    from dominance.probes.ablation import Branches, Mode
    from dominance.records import Rate
    from dominance.runs.ablation.options import EditKind
    from dominance.runs.ablation.outcomes import Tally
    from dominance.runs.ablation.result import AblationResult, SweepResult
    from dominance.runs.ablation.variants import Sweep

EXAMPLE = (
    "\x08\nExamples:\n  dominance ablate miniature-dominance --limit 8 --seeds 4 --sweep heads\n"
    '  dominance ablate "a [tower:landmark] and a [mug]" --sweep heads,multi,controls --layers 1-10\n'
    "  dominance ablate miniature-dominance --edit rebalance --intervals 5"
)


def command(
    suite: Annotated[str, typer.Argument(help="Bundled suite, YAML, CSV or JSONL file, or one bracketed prompt.")],
    model: shared.Model = "miniature",
    judge: shared.JudgeName = "miniature",
    seeds: shared.Seeds = "10",
    limit: shared.Limit = None,
    edit: Annotated[str, typer.Option(help="ablate, or rebalance: equal attention for the concepts.")] = "ablate",
    sweep: Annotated[
        str,
        typer.Option(help="heads, multi, controls, feed-forward, residual, interactions, several of them, or all."),
    ] = "heads",
    layers: Annotated[
        str | None, typer.Option(help="Attention layers, or residual branches, such as 9,10 or 1-16; all.")
    ] = None,
    steps: Annotated[
        str | None,
        typer.Option(help="Steps in which the edit is in force, 0-4 or 0, counted from 0; 0 to ablate, else all."),
    ] = None,
    intervals: Annotated[
        int | None, typer.Option(help="Try intervals of so many steps, one after another, and all steps together.")
    ] = None,
    scale: Annotated[float, typer.Option(help="Factor of a head's logits, and of other parts' output.")] = 1e-5,
    mode: Annotated[str, typer.Option(help="scale, or zero for an output of zeros instead.")] = "scale",
    branches: Annotated[str, typer.Option(help="both branches of the guidance, or the conditional one.")] = "both",
    strongest: Annotated[int, typer.Option(help="Heads among which interactions are computed.")] = 8,
    min_collapsed: Annotated[int, typer.Option(help="Ablate only prompts with so many collapsed images.")] = 1,
    denoising_steps: shared.Steps = None,
    guidance: shared.Guidance = None,
    height: shared.Height = None,
    width: shared.Width = None,
    dtype: shared.Dtype = "float32",
    out: shared.Out = None,
    batch: shared.Batch = None,
    device: shared.Device = "auto",
    offload: shared.Offload = "none",
    questions: shared.Questions = None,
    json: shared.AsJson = False,
) -> None:
    """Take parts of the model away while it draws, and see which bring a lost concept back.

    Draws the suite as it is, then its collapsed images again with single heads, several heads, feed-forward networks
    or residual branches taken away in chosen denoising steps; or all images with attention rebalanced. The judge says
    which are mitigated, unchanged or corrupted. The same command resumes; more sweeps into the same folder reuse what
    is there. Exit status: 0 done (also where nothing collapses, so that there is nothing to mitigate), 2 bad input,
    3 done but some images have no score.
    """
    from dominance.report.ablation import write_ablation
    from dominance.runs.ablation.options import AblationOptions
    from dominance.runs.ablation.run import ablate_suite
    from dominance.runs.ablation.variants import SWEEPS
    from dominance.seeds import parse_seeds
    from dominance.suites import load_suite

    loaded = load_suite(suite)
    listed = [part.strip() for part in sweep.split(",") if part.strip()]
    chosen = AblationOptions(
        edit=cast("EditKind", edit),
        sweeps=SWEEPS if "all" in listed else cast("tuple[Sweep, ...]", tuple(listed)),
        layers=parse_numbers("--layers", layers),
        steps=parse_steps(steps),
        intervals=intervals,
        scale=scale,
        mode=cast("Mode", mode),
        branches=cast("Branches", branches),
        strongest=strongest,
        min_collapsed=min_collapsed,
        seeds=parse_seeds(seeds),
        denoising_steps=denoising_steps,
        guidance=guidance,
        height=height,
        width=width,
        dtype=dtype,
        limit=limit,
        batch=batch,
        device=device,
        offload=offload,
        questions=questions,
    )
    folder = out or Path("runs") / f"{edit}-{loaded.name}"
    with resumable(folder):
        result = ablate_suite(loaded, model, judge, folder, chosen)
        note_foreign_pictures(judge, model)
        page = write_ablation(result, folder)
    if json:
        print_json(result.document())
    else:
        _print(result, page)
    raise typer.Exit(EXIT_UNSCORED if result.unscored or result.unedited.unscored else EXIT_DONE)


def parse_steps(text: str | None) -> tuple[int, int] | None:
    """An interval of steps as users write it: ``3`` or ``0-4``.

    Raises:
        InputError: neither.

    >>> parse_steps("0-4"), parse_steps("3")
    ((0, 4), (3, 3))
    """
    if text is None:
        return None
    first, dash, last = text.strip().partition("-")
    ends = (first.strip(), last.strip() if dash else first.strip())
    if not all(end.isdecimal() and len(end) < 6 for end in ends):
        raise InputError(f"--steps is {text[:60]!r}; give the steps of the edit, such as 0 or 0-4, counted from 0")
    return int(ends[0]), int(ends[1])


def _print(result: "AblationResult", page: Path) -> None:
    from dominance.report.ablation import ablation_headline

    typer.echo(ablation_headline(result))
    for sweep in result.sweeps:
        _print_sweep(sweep)
    for found in result.interactions:
        rows = [
            (" and ".join(pair.heads), _rate(pair.together), "–" if pair.value is None else f"{pair.value:+.2f}")
            for pair in sorted(found.pairs, key=lambda pair: pair.value or 0.0)
        ]
        print_table(f"interactions, steps {found.steps}", ("heads", "mitigated together", "interaction"), rows)
        typer.echo(f"clusters: {'; '.join(', '.join(cluster) for cluster in found.clusters) or 'none'}")
    if result.windows:
        rows = [
            (
                window.steps,
                _rate(window.collapsed),
                _rate(window.balanced),
                "–" if window.outcomes is None else _rate(window.outcomes.mitigated),
                "–" if window.outcomes is None else _rate(window.outcomes.corrupted),
            )
            for window in result.windows
        ]
        columns = ("rebalanced in steps", "collapsed", "balanced", "of the collapsed: mitigated", "corrupted")
        print_table(f"{result.suite}: {result.model}, judged by {result.judge}", columns, rows)
    for said in result.notes:
        typer.echo(said)
    unscored = result.unscored + result.unedited.unscored
    typer.echo(
        f"{result.collapsed.count} of {result.collapsed.n} scored images collapse as they are; {result.edited} edited"
        f" images, {unscored} images unscored"
    )
    typer.echo(f"wrote {page}")


def _print_sweep(sweep: "SweepResult") -> None:
    listed: Sequence[Tally] = sweep.layers if len(sweep.layers) > 1 else sweep.variants
    groups = [group.total for group in sweep.groups] if len(sweep.groups) > 1 else []
    columns = ("", "mitigated", "unchanged", "corrupted", "prompts mitigated")
    place = "residual branch" if sweep.sweep == "residual" else "layer"
    rows = [_row(one, f"{place} {one.name}" if len(sweep.layers) > 1 else one.name) for one in listed]
    rows += [_row(one, one.name) for one in (*groups, sweep.total)]
    print_table(f"{sweep.sweep}, steps {sweep.steps}", columns, rows)


def _row(one: "Tally", name: str) -> tuple[str, ...]:
    images = one.images
    return (name, _rate(images.mitigated), _rate(images.unchanged), _rate(images.corrupted), _rate(one.prompts))


def _rate(rate: "Rate") -> str:
    if rate.interval is None:
        return "–"
    return f"{rate.count}/{rate.n} ({100 * rate.interval[0]:.0f}–{100 * rate.interval[1]:.0f}%)"

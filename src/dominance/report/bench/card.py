"""The data card of a bench: how it was made, its yield, and what it cannot say."""

from collections import Counter
from collections.abc import Iterable, Sequence

from dominance.numbers import plural, rate
from dominance.report.parts.measures import measured_view
from dominance.runs.bench.candidates import BALANCED
from dominance.runs.bench.result import DOMINANCE, BenchResult, Entry, StreamTally, yield_of, yield_words

_LIMITS = (
    "The prompts were selected because this model fails on them under this judge, so their share of failures says"
    " nothing about prompts in general. The yields above do, for candidates of this kind; an audit of prompts that"
    " nothing filters (`dominance audit independent`) says more.",
    "A judge's errors become the bench's: a concept that the judge does not know looks lost. Check the contact sheet.",
    "Selection and images share their seeds, so the bench's own images collapse more often than images from fresh seeds"
    " will. Audit the suite with other seeds for an unbiased rate.",
    "The control set is balanced by the same measure. Its pairs of objects differ in kind from the dominance prompts;"
    " its other pairs do not.",
)

_USES = """In the folder of the bench:

```bash
dominance audit suite.yaml --model OTHER --out ../other     # another model on these prompts
dominance bench show . ../other                             # the two models, prompt by prompt
dominance bench export . --format csv --out prompts.csv     # in the official columns
dominance report .                                          # every image with every answer, as a page
```
"""


def bench_card(bench: BenchResult) -> str:
    """The card as Markdown."""
    parts = [
        f"# DominanceBench of {bench.run.model}\n",
        _summary(bench),
        f"## Yield\n\n{_yields(bench.tallies)}",
        *_measured(bench),
        f"## How it was made\n\n{_method(bench)}",
        f"## What is in it\n\n{_spread(bench)}",
        f"## Model, judge and settings\n\n{_settings(bench)}",
        f"## What to do with it\n\n{_USES}",
        "## Known limits\n\n" + "\n".join(f"- {limit}" for limit in _LIMITS) + "\n",
    ]
    return "\n".join(parts)


def _summary(bench: BenchResult) -> str:
    dominance, balanced = len(bench.part(DOMINANCE)), len(bench.part(BALANCED))
    text = (
        f"{plural(dominance, 'prompt')} on which one concept dominates another, and"
        f" {plural(balanced, 'balanced prompt')} on which the model shows both, judged by {bench.run.judge}.\n"
    )
    warned = [f"\n**Do not trust this bench:** {w.told}.\n" for w in bench.run.judge_warnings if w.unfit]
    stopped = [] if bench.stopped is None else [f"\n**Incomplete:** {bench.stopped}.\n"]
    return "".join([text, *warned, *stopped])


def _yields(tallies: Sequence[StreamTally]) -> str:
    rows = [
        (t.name, *(str(count) for count in (t.target, t.kept, t.candidates, t.tried, t.qualified)), rate(yield_of(t)),
         str(t.undecided), str(t.too_long))
        for t in tallies
    ]  # fmt: skip
    columns = ("stream", "target", "kept", "candidates", "tried", "qualified", "yield (95%)", "undecided", "too long")
    return (
        f"{_table(columns, rows)}\nA stream is the candidates of one category, or those of the control set."
        f" {yield_words(tallies)} The interval is Clopper and Pearson's, which allows for trying until there were"
        " enough. Caps and targets may leave no room for a qualified candidate. A candidate that two streams try counts"
        " in both. Undecided: skipped because an image could not be made or judged. Too long: skipped because the model"
        " does not read all of its concepts. Neither counts in the yield.\n"
    )


def _measured(bench: BenchResult) -> list[str]:
    """The section on similarity and quality, where they were measured."""
    view = measured_view(list(bench.measures.items()))
    if view is None:
        return []
    parts, figures = zip(*view.rows, strict=True)
    rows = list(zip(view.columns, *figures, view.means, strict=True))
    return [
        f"## Presence, similarity and quality\n\n{_table(('measure', *parts, 'what it is'), rows)}\nMeans over the"
        " images of the kept prompts, with 95% intervals over prompts.\n"
    ]


def _method(bench: BenchResult) -> str:
    settings = bench.run.settings
    own, images, needed = settings.more, len(settings.seeds or ()), settings.more["needed"]
    styles = ", ".join(own["styles"])
    lines = [
        "Candidates are every concept with every object in every caption style of the pools"
        f" `{own['pools']}` ({own['pools_identity']}; styles {styles}), tried in an order drawn with seed"
        f" {own['order_seed']}: concepts and objects take turns, and every pair comes once, in a style drawn for"
        " it, before any pair comes again.",
        f"Each candidate gets {images} images, one per seed. It is a dominance prompt when at least {needed} of them"
        " collapse in the same direction (DvD ≥ 36 and not both concepts present), and a balanced prompt when at least"
        f" {needed} show both concepts. Images are made in portions, and a candidate that can no longer qualify is"
        " dropped early, which does not change the outcome.",
        "Candidates are kept in their order. One is skipped when a kept prompt of its stream has the same content"
        " words (case, accents, punctuation, plural s, word order and function words such as articles and prepositions"
        " do not count), or when its concept or its object has reached the cap on kept prompts:"
        f" {_caps(own['caps'])}.",
        "The control set takes pairs of objects and the categories' own candidates in turn. A stream is given up when"
        " the candidates left could not fill it even at the upper end of its yield's interval.",
    ]
    return "\n\n".join(lines) + "\n"


def _caps(caps: dict[str, tuple[int, int]]) -> str:
    return ", ".join(
        f"{concept} per concept and {thing} per object ({name})" for name, (concept, thing) in caps.items()
    )


def _spread(bench: BenchResult) -> str:
    parts = []
    for name in (DOMINANCE, BALANCED):
        entries = bench.part(name)
        if not entries:
            continue
        rows = [
            ("categories", _counts(entry.kept.category for entry in entries)),
            ("caption styles", _counts(entry.kept.style for entry in entries)),
            ("concepts", _counts(entry.kept.concept for entry in entries)),
            ("objects", _counts(entry.kept.object for entry in entries)),
        ]
        if name == DOMINANCE:
            rows.insert(1, ("what dominates", _counts(map(_winner, entries))))
        parts.append(f"### {name}: {len(entries)} prompts\n\n{_table(('of', 'how often'), rows)}")
    return "\n".join(parts) or "Nothing was kept.\n"


def _winner(entry: Entry) -> str:
    if entry.direction is None:
        return "none"
    return "the object" if entry.direction[0] == entry.kept.object else f"the {entry.kept.category}"


def _counts(values: Iterable[str]) -> str:
    return ", ".join(f"{value} {count}" for value, count in Counter(values).most_common())


def _settings(bench: BenchResult) -> str:
    manifest = bench.run.manifest
    rows = [
        (f"{part} {key}", value)
        for part in ("model", "judge", "measuring")
        for key, value in _items(manifest.get(part))
    ]
    rows += bench.run.settings.record().items()
    rows += [("finished at", manifest.get("finished_at"))]
    rows += [(f"version of {key}", value) for key, value in _items(manifest.get("versions"))]
    return _table(("what", "value"), [(key.replace("_", " "), _shown(value)) for key, value in rows])


def _shown(value: object) -> str:
    """A setting in words; lists with commas, what is not set as a dash."""
    if isinstance(value, dict):
        return "; ".join(f"{str(key).replace('_', ' ')}: {_shown(inner)}" for key, inner in value.items())
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return "–" if value is None else str(value)


def _items(value: object) -> list[tuple[str, object]]:
    return list(value.items()) if isinstance(value, dict) else []


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |\n" for line in lines
    )

"""From answers about labelled pictures to findings: false noes, false yeses, doubtful answers, and what is wanted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import get_args

from dominance.metrics import clustered_rate
from dominance.metrics.intervals import alike_rate
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.labelled import SCENES, Label, LabelledPicture
from dominance.records import DOUBTFUL, Rate, is_present
from dominance.runs.judge_check.controls import (
    ANOTHER_PROMPT,
    BLANK,
    BLURRED_NOISE,
    GARBLED,
    NOISE,
    SAME_KIND,
    Control,
)
from dominance.runs.judge_check.findings import Known, Replies
from dominance.runs.judge_check.generated_result import (
    Criterion,
    DoubtfulAnswers,
    GeneratedFindings,
    Mistakes,
    WrongPicture,
)
from dominance.runs.judge_check.result import ControlFindings
from dominance.runs.judge_check.sources import Source

AGREED: float = 0.97
"""At least so often a judge agrees with plain and absent."""
MISTAKEN: float = 0.03
"""At most so often it says no of what is plain, and yes of what is absent."""
NOTHING_THERE: float = 0.01
"""At most so often it says yes of blank images, of noise, and of other concepts."""
DESTROYED: float = 0.02
"""At most so often it says yes of destroyed shapes."""
_SCENE_NAMES = {
    "rigid": "rigid entities", "between": "entities in a few designs", "varied": "varied entities",
    "objects": "objects only",
}  # fmt: skip
_MAKERS = {
    "base": "the base", "twin": "the twins", "rigid": "rigid adapters", "varied": "varied adapters",
    "between": "adapters of 2 to 10 designs", "under-trained": "adapters broken off",
}  # fmt: skip

Labelled = tuple[Replies, LabelledPicture]


def generated_findings(
    replies: Iterable[Replies], sources: Sequence[Source], controls: Sequence[ControlFindings]
) -> GeneratedFindings | None:
    """One judge on the labelled pictures; None where there are none.

    Args:
        controls: of the same judge, for what is wanted of them.
    """
    pictures = {source.item: source.labelled for source in sources if source.labelled is not None}
    cases = [
        (case, pictures[case.asked.item])
        for case in replies
        if case.asked.label is not None and case.asked.item in pictures
    ]
    if not cases:
        return None
    total = _mistakes("all concepts of the world", cases)
    asked = [case for case in cases if _is_named(case)]
    named = _mistakes("concepts that the prompt names", asked)
    scenes = tuple(_by(_SCENE_NAMES, lambda case: case[1].scene, cases, SCENES))
    return GeneratedFindings(
        total=total,
        named=named,
        others=_mistakes("concepts that it does not name", [c for c in cases if not _is_named(c)]),
        scenes=scenes,
        named_scenes=tuple(_by(_SCENE_NAMES, lambda case: case[1].scene, asked, SCENES)),
        makers=tuple(_by(_MAKERS, lambda case: case[1].drawn_by, cases, _MAKERS)),
        concepts=tuple(_by({name: name for name in BY_NAME}, lambda case: case[0].asked.concept.name, cases, BY_NAME)),
        answers=tuple(_doubtful_answers(label, cases) for label in get_args(Label)),
        criteria=tuple(_criteria(total, named, scenes, controls)),
        wrong=tuple(_wrong(cases)),
    )


def _is_named(case: Labelled) -> bool:
    return case[0].asked.concept.name in case[1].concepts


def _by(
    names: Mapping[str, str], key: Callable[[Labelled], str], cases: Sequence[Labelled], order: Iterable[str]
) -> Iterable[Mistakes]:
    for one in order:
        own = [case for case in cases if key(case) == one]
        if own:
            yield _mistakes(names[one], own)


def _mistakes(name: str, cases: Sequence[Labelled]) -> Mistakes:
    whole = [(case, picture.number) for case, picture in cases if case.complete]

    def seen(label: Label, *, present: bool) -> Rate:
        own = [(_present(case) == present, number) for case, number in whole if case.asked.label == label]
        return clustered_rate([hit for hit, _ in own], [number for _, number in own])

    return Mistakes(
        name=name,
        pictures=len({picture.number for _, picture in cases}),
        false_no=seen("plain", present=False),
        false_yes=seen("absent", present=True),
        doubtful=seen("doubtful", present=True),
        unanswered=len(cases) - len(whole),
    )


def _present(case: Replies) -> bool:
    return is_present(case.yes, len(case.questions))


def _doubtful_answers(label: Label, cases: Sequence[Labelled]) -> DoubtfulAnswers:
    given = [
        (reply[1], picture.number)
        for case, picture in cases
        if case.asked.label == label
        for reply in case.given
        if reply is not None
    ]
    known = [(DOUBTFUL[0] < p < DOUBTFUL[1], number) for p, number in given if p is not None]
    return DoubtfulAnswers(label, clustered_rate([between for between, _ in known], [number for _, number in known]))


def _wrong(cases: Sequence[Labelled]) -> list[WrongPicture]:
    """Every concept of which the judge says the contrary; first the pictures where most answers are wrong."""
    found = []
    for case, picture in cases:
        if not case.complete or case.asked.label == "doubtful" or _present(case) == (case.asked.label == "plain"):
            continue
        replies = [reply for reply in case.given if reply is not None]
        yes, p_yes = tuple(reply[0] for reply in replies), tuple(reply[1] for reply in replies)
        should = case.asked.label == "plain"
        surely = abs((case.p_yes if case.p_yes is not None else 0.5) - should)
        model = f"{picture.adapter} at {picture.strength:g}" if picture.adapter else picture.model
        wrong = WrongPicture(
            case.asked.file, picture.number, model, picture.prompt, case.asked.concept.name,
            "plain" if should else "absent", yes, p_yes,
        )  # fmt: skip
        found.append((-sum(given != should for given in yes), -surely, picture.number, wrong))
    return [wrong for *_, wrong in sorted(found, key=lambda entry: entry[:3])]


def known_pictures(replies: Iterable[Replies]) -> list[Known]:
    """What readers call plain or absent, and the judge's majority with its mean P(yes)."""
    return [
        Known(case.asked.item, case.asked.label == "plain", (_present(case), case.p_yes) if case.complete else None)
        for case in replies
        if case.asked.label in ("plain", "absent")
    ]


def _criteria(
    total: Mistakes, named: Mistakes, scenes: Sequence[Mistakes], controls: Sequence[ControlFindings]
) -> Iterable[Criterion]:
    yield Criterion("agrees with plain and absent", total.agreed, least=AGREED)
    yield Criterion("agrees, of concepts that the prompt names", named.agreed, least=AGREED)
    yield Criterion("false no", total.false_no, most=MISTAKEN)
    yield Criterion("false yes", total.false_yes, most=MISTAKEN)
    yield Criterion("false yes, of concepts that the prompt names", named.false_yes, most=MISTAKEN)
    for scene in scenes:
        if scene.name in (_SCENE_NAMES["rigid"], _SCENE_NAMES["varied"]):
            yield Criterion(f"false no, {scene.name}", scene.false_no, most=MISTAKEN)
            yield Criterion(f"false yes, {scene.name}", scene.false_yes, most=MISTAKEN)
    yield Criterion("yes to blank images and noise", _yes(controls, BLANK, NOISE, BLURRED_NOISE), most=NOTHING_THERE)
    yield Criterion("yes to other concepts", _yes(controls, ANOTHER_PROMPT, SAME_KIND), most=NOTHING_THERE)
    yield Criterion("yes to destroyed shapes", _yes(controls, GARBLED), most=DESTROYED)


def _yes(controls: Sequence[ControlFindings], *kinds: Control) -> Rate:
    """Share of yes among all answers about these kinds; answers about a concept of an image count as one."""
    names = {kind.name for kind in kinds}
    own = [control for control in controls if control.name in names and control.yes.n]
    return alike_rate(
        sum(each.yes.count for each in own), sum(each.yes.n for each in own), sum(each.images for each in own)
    )

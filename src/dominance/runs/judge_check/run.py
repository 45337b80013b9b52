"""Checks whether a judge can be trusted: on controls, against a second judge, and against labels."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dominance.documents import to_json
from dominance.errors import InputError
from dominance.files import is_file
from dominance.judges.options import Asking
from dominance.judges.protocol import Judge, NamedJudge, TaughtJudge
from dominance.judges.registry import shown_name
from dominance.records import Concept, JudgeWarning, Question, Suite
from dominance.runs.judge_check.controls import NOT_NAMED, as_they_are, make_controls, not_named
from dominance.runs.judge_check.findings import (
    Replies,
    agreement_row,
    answered_by_both,
    by_grade,
    by_kind,
    calibration,
    control_findings,
    disagreements,
    replies_of,
    tally,
)
from dominance.runs.judge_check.generated import generated_findings, known_pictures
from dominance.runs.judge_check.labelled import labelled_pictures, labelled_sources, suite_of
from dominance.runs.judge_check.labels import known_labels, read_labels
from dominance.runs.judge_check.options import JudgeCheckOptions
from dominance.runs.judge_check.plan import (
    CheckPlan,
    LoadedJudge,
    enter_images,
    folder_of,
    notes_of,
    plan_of,
    refuse_other_run,
)
from dominance.runs.judge_check.readers import agreement_of_readers
from dominance.runs.judge_check.result import Agreement, JudgeCheck, JudgeFindings, shown_title
from dominance.runs.judge_check.sources import (
    ORIGIN,
    Source,
    find_sources,
    spread,
)
from dominance.runs.judge_check.verdict import agreement_sentence, on_generated, verdict_of
from dominance.runs.stages.judge_fit import RENDERED_WORLD, is_miniature, of_folders, warn, world_warnings
from dominance.runs.stages.judging import ask_judge, judge_of, judge_record, unanswered
from dominance.runs.store.folder import LEDGER_NAME, held
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import ask_all
from dominance.runs.store.repeat import Repeat
from dominance.suites import find_suite, load_questions

_READERS = "what readers saw"
_FEW = 24
"""Labelled pictures for a judge that was not made for them, and may be slow."""
_MANY = 120


def check_judge(
    judge: str | Judge = "miniature",
    images: Sequence[Path | str] = (),
    against: str | Judge | None = None,
    suite: str | Suite | None = None,
    out: Path | str | None = None,
    options: JudgeCheckOptions | None = None,
) -> JudgeCheck:
    """Asks one or two judges about images that do not show the concept in question, and about unaltered images.

    Both judges are in memory at the same time. Answers already in the folder are not asked again.

    Args:
        images: run folders of audits, or image folders as for ``score``; without any, pictures that the bundled models
            drew and that readers labelled.
        against: a second judge, or the first in another mode.
        suite: the prompts of plain image folders, ``miniature`` by default; run folders name their own.
        out: the check's folder; ``runs/judge-check`` by default.

    Raises:
        InputError: a judge, an image folder, the labels or an option cannot be used; nothing is written.
    """
    options = options or JudgeCheckOptions()
    given = {"images": tuple(images), "judge": judge, "against": against, "suite": suite, "out": out}
    repeat = Repeat("judge check", given, options)
    folder, paths = Path(out or "runs/judge-check"), [Path(path) for path in images]
    if against is None and options.against_mode is not None:
        against = judge
    _refuse_twice(judge, against, options)
    refuse_other_run(folder)
    _refuse_idle(paths, suite, options)
    questions = load_questions(options.asking.questions)
    pictures = () if paths else labelled_pictures(options.half, None, options.seed)
    loaded = find_suite(suite or "miniature", options.concepts) if paths else suite_of(pictures)
    sources, left_out = find_sources(paths, loaded)
    about = _suite_of(sources, paths, loaded)
    asked = ask_all(about, questions.ask)
    labels = None if options.labels is None else read_labels(options.labels, sources, asked)
    judges = _load(judge, against, options, asked)
    limit = options.limit or (_MANY if paths else None if _made_for_them(judges) else _FEW)
    settings = _settings(judges, options, paths, limit, None if labels is None else labels.name, questions.name)
    check = CheckPlan(about, (), asked, labels, judges, options.each, options.seed, tuple(paths), settings, left_out)
    folder = folder_of(check, out, folder)
    with held(folder), Ledger(folder / LEDGER_NAME) as ledger:
        if paths:
            chosen = spread(sources, limit or _MANY, options.seed, frozenset(labels.answers if labels else ()))
        else:
            chosen = labelled_sources(labelled_pictures(options.half, limit, options.seed), folder)
        repeat.keep(folder)
        return _run(replace(check, sources=chosen), folder, ledger, options.machine.batch)


def _settings(
    judges: Sequence[LoadedJudge],
    options: JudgeCheckOptions,
    paths: Sequence[Path],
    limit: int | None,
    labels: str | None,
    questions: str,
) -> dict[str, object]:
    """All settings of the check, as in its manifest."""
    first, second = judges[0], judges[1] if len(judges) > 1 else None
    return {
        "judge": first.judge.name,
        "mode": first.mode,
        **({"judge options": list(options.asking.judge_option)} if options.asking.judge_option else {}),
        "against": None if second is None else second.judge.name,
        "against mode": None if second is None else second.mode,
        "images": [str(path) for path in paths] or f"labelled pictures, {options.half}",
        "half": None if paths else options.half,
        "images at most": limit,
        "controls of each kind": options.each,
        "labels": labels,
        "questions": questions,
        "seed": options.seed,
    }


def _suite_of(sources: Sequence[Source], paths: Sequence[Path], suite: Suite) -> Suite:
    """The prompts of the images."""
    if not paths:
        return suite
    runs = [path.resolve().name for path in paths if is_file(path / LEDGER_NAME)]
    names = [*runs, *([suite.name] if len(runs) < len(paths) else [])]
    return Suite(", ".join(names), tuple({source.prompt.id: source.prompt for source in sources}.values()))


def _refuse_idle(paths: Sequence[Path], suite: str | Suite | None, options: JudgeCheckOptions) -> None:
    """Refuses what only says something about images that are given."""
    given = {"labels": options.labels, "suite": suite, "concepts": options.concepts}
    idle = next((name for name, value in given.items() if value is not None), None)
    if not paths and idle is not None:
        raise InputError(
            f"there is a --{idle} but no images; give the run folder, or the image folder, that it is about, or leave"
            f" out --{idle}"
        )


def _made_for_them(judges: Sequence[LoadedJudge]) -> bool:
    """Whether all judges were made for pictures of the miniature world."""
    return all(isinstance(j.judge, TaughtJudge) and j.judge.world == RENDERED_WORLD for j in judges)


def _refuse_twice(judge: str | Judge, against: str | Judge | None, options: JudgeCheckOptions) -> None:
    same = judge == against and not options.asking.judge_option
    if same and against is not None and options.asking.judge_mode == (options.against_mode or "fast"):
        name = judge if isinstance(judge, str) else judge.name
        raise InputError(
            f"the judge {shown_name(name)} is given twice in the mode {options.asking.judge_mode!r} and would always"
            " agree with itself; give another --against, or an --against-mode"
        )


def _load(
    judge: str | Judge,
    against: str | Judge | None,
    options: JudgeCheckOptions,
    questions: dict[Concept, tuple[Question, ...]],
) -> tuple[LoadedJudge, ...]:
    """The judges; each understands all the questions. Options of a judge are the first one's."""
    wanted = [
        (judge, options.asking),
        *([] if against is None else [(against, Asking(judge_mode=options.against_mode or "fast"))]),
    ]
    loaded = []
    for named, asking in wanted:
        by_name = isinstance(named, str)
        found = judge_of(named, options.machine.device, asking)
        if isinstance(found, NamedJudge):
            raise InputError(
                f"the judge {shown_name(found.name)} does not look at images, so there is nothing to check; give its"
                " file as --labels to check another judge against it"
            )
        found.check([question for listed in questions.values() for question in listed])
        loaded.append(LoadedJudge(found, asking.judge_mode if by_name else None))
    identities = [entry.judge.identity for entry in loaded]
    if len(set(identities)) < len(identities):
        raise InputError(
            f"{shown_name(loaded[0].judge.name)} and {shown_name(loaded[1].judge.name)} are the same judge"
            f" ({identities[0][:60]}); give another --against, or another --against-mode"
        )
    return tuple(loaded)


def _run(check: CheckPlan, folder: Path, ledger: Ledger, batch: int | None) -> JudgeCheck:
    """Makes the controls, asks the open questions, and measures."""
    from dominance.runs.store.manifest import environment

    miniature = is_miniature(check.suite)
    asked = as_they_are(check.sources) + not_named(check.sources, list(check.questions))
    warnings = _foreign(check)
    warn(warnings)
    asked += make_controls(
        check.sources, list(check.questions), check.each, check.seed, folder, miniature=miniature
    )  # fmt: skip
    plan = plan_of(check, asked)
    ledger.put("plan", to_json(plan))
    enter_images(plan, ledger)
    findings, replies = [], []
    for loaded in check.judges:
        own = replace(plan, judge=loaded.judge.name, judge_identity=loaded.judge.identity)
        waiting = unanswered(own, ledger, folder)
        if waiting:
            ask_judge(waiting, own, loaded.judge, ledger, batch)
        told = replies_of(asked, check.questions, ledger.answers(loaded.judge.identity))
        silent = {case.asked.item for case in told if not case.complete}
        problem = next((why for item, why in ledger.failures().items() if item in silent), None)
        replies.append(told)
        findings.append(_findings(loaded, told, check, problem))
    pictures = [source.labelled for source in check.sources if source.labelled is not None]
    result = JudgeCheck(
        run=str(folder),
        suite=check.suite.name,
        images=len({source.item for source in check.sources}),
        judges=tuple(findings),
        agreement=_agreement(findings, replies, check) if len(findings) > 1 else None,
        notes=tuple(notes_of(check, asked)),
        settings=check.settings,
        left_out=check.left_out,
        manifest={"judges": [judge_record(loaded.judge, ledger) for loaded in check.judges], **environment()},
        judge_warnings=warnings,
        readers=agreement_of_readers(pictures),
    )
    ledger.put("manifest", result.manifest)
    ledger.put(ORIGIN, to_json(result))
    return result


def _foreign(check: CheckPlan) -> tuple[JudgeWarning, ...]:
    """Warnings about judges that were made for other pictures than some of those that they are checked on."""
    worlds = {source.world for source in check.sources}
    found: list[JudgeWarning] = []
    for loaded in check.judges:
        other = [world for world in worlds if world_warnings(loaded.judge, world, "")]
        some = "some of " if len(other) < len(worlds) else ""
        found += world_warnings(loaded.judge, other[0], f"{some}{of_folders(check.paths)}") if other else ()
    return tuple(found)


def _findings(loaded: LoadedJudge, replies: Sequence[Replies], check: CheckPlan, problem: str | None) -> JudgeFindings:
    own = tally([case for case in replies if case.asked.control is None])
    controls = control_findings(replies)
    generated = generated_findings(replies, check.sources, controls)
    known = [(_READERS, "concept", known_pictures(replies))]
    if check.labels is not None:
        known.append((check.labels.name, check.labels.level, known_labels(check.labels, replies)))
    missing = tally(replies).unanswered
    title = shown_title(loaded.judge.name, loaded.mode)
    verdict = verdict_of(title, own, controls)
    if generated is not None:
        verdict = on_generated(title, generated, verdict)
    return JudgeFindings(
        name=loaded.judge.name,
        mode=loaded.mode,
        identity=loaded.judge.identity,
        own=own,
        controls=controls,
        calibrations=tuple(found for entry in known if (found := calibration(*entry)) is not None),
        unanswered=missing,
        problem=problem if missing else None,
        trust=verdict.trust,
        verdict=verdict.sentence,
        details=verdict.details,
        generated=generated,
    )


def _agreement(findings: Sequence[JudgeFindings], replies: Sequence[Sequence[Replies]], check: CheckPlan) -> Agreement:
    first, second = ([case for case in told if case.asked.control is not NOT_NAMED] for told in replies)
    both = answered_by_both(first, second)
    own = [pair for pair in both if pair.asked.control is None]
    total, together = agreement_row("unaltered images", own), agreement_row("all images", both)
    return Agreement(
        total=total,
        kinds=by_kind(own),
        grades=by_grade(own),
        controls=agreement_row("controls", [pair for pair in both if pair.asked.control is not None]),
        together=together,
        disagreements=disagreements(own, check.prompts),
        sentence=agreement_sentence(findings[0].title, findings[1].title, total, together),
    )

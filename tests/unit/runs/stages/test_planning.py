"""Judges that bring their own questions are asked those, by every command that draws."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dominance import suites
from dominance.errors import InputError
from dominance.judges.options import Asking
from dominance.judges.protocol import ScriptedJudge
from dominance.models.drawing import Drawing, Machine
from dominance.records import Concept, Prompt, Question, Suite
from dominance.runs.ablation.options import AblationOptions
from dominance.runs.ablation.run import ablate_suite
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.run import audit
from dominance.runs.bench.options import BenchOptions
from dominance.runs.bench.run import build_bench
from dominance.runs.store.folder import LEDGER_NAME
from dominance.runs.store.ledger import Ledger

SUITE = Suite("pair", (Prompt("pair", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug"))),))
Run = Callable[[str, ScriptedJudge, Path, Asking], object]


@dataclass(frozen=True)
class OneQuestion(ScriptedJudge):
    """Asks whether a concept is there, and nothing else."""

    def ask(self, concept: Concept) -> tuple[Question, ...]:
        return (Question(concept.name, f"Is {concept.name} there?", 1),)


def ablate(model: str, judge: ScriptedJudge, out: Path, asking: Asking) -> object:
    options = AblationOptions(layers=(9,), drawing=Drawing((1,)), machine=Machine("cpu"), asking=asking)
    return ablate_suite(SUITE, model, judge, out, options)


def bench(model: str, judge: ScriptedJudge, out: Path, asking: Asking) -> object:
    options = BenchOptions(target=2, limit=1, drawing=Drawing((1,)), machine=Machine("cpu"), asking=asking)
    return build_bench(model, judge, out, options)


def plainly(model: str, judge: ScriptedJudge, out: Path, asking: Asking) -> object:
    return audit(SUITE, model, judge, out, AuditOptions(drawing=Drawing((1,)), machine=Machine("cpu"), asking=asking))


@pytest.mark.parametrize("run", [plainly, ablate, bench])
def test_a_judge_is_asked_its_own_questions(run: Run, tiny_model: Path, tmp_path: Path) -> None:
    judge = OneQuestion(lambda image, question: 1.0)
    run(str(tiny_model), judge, tmp_path / "run", Asking())
    with Ledger(tmp_path / "run" / LEDGER_NAME) as ledger:
        asked = {text for by_text in ledger.answers(judge.identity).values() for text in by_text}
    assert asked
    assert all(text.startswith("Is ") and text.endswith(" there?") for text in asked)


@pytest.mark.parametrize("run", [plainly, ablate, bench])
def test_other_questions_for_such_a_judge_are_refused(run: Run, tiny_model: Path, tmp_path: Path) -> None:
    given = tmp_path / "questions.yaml"
    bundled = Path(suites.__file__).parent / "data" / "questions.yaml"
    given.write_text(bundled.read_text(encoding="utf-8").replace("picture", "image"), encoding="utf-8")
    judge = OneQuestion(lambda image, question: 1.0)
    with pytest.raises(InputError, match=r"the judge scripted has questions of its own, .*leave out --questions"):
        run(str(tiny_model), judge, tmp_path / "run", Asking(questions=given))
    assert not (tmp_path / "run").exists()

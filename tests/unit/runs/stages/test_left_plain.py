"""An audit and a run of usable images say what a method leaves plain, and refuse what it cannot use."""

from pathlib import Path

import pytest
from tiny_families import save

from dominance.errors import InputError
from dominance.guidance.plan import Conditions
from dominance.judges.protocol import ScriptedJudge
from dominance.models.drawing import Drawing, Machine
from dominance.records import Concept, Prompt, Suite
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.run import estimate_audit
from dominance.runs.generation.work import cannot_serve

YES = ScriptedJudge(lambda image, question: 1.0)
ENTITY = Prompt("entity", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug")))
OBJECTS = Prompt("objects", "a lamp and a mug", (Concept("lamp"), Concept("mug")))
SHARED = Prompt("shared", "a clock tower", (Concept("clock tower", "landmark"), Concept("clock")))
WHY = "the prompt does not name a landmark, character or artist"


def audited(model: Path, method: str, *prompts: Prompt, guidance: float = 2.0) -> None:
    drawing = Drawing(seeds=(0,), steps=4, guidance=guidance)
    how = AuditOptions(method=method, drawing=drawing, machine=Machine("cpu", 1))
    estimate_audit(Suite("s", prompts), str(model), YES, model.parent / "run", how)


def test_an_audit_says_what_its_method_leaves_plain(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save("sd1", tmp_path / "model")
    audited(model, "schedule:until=0.5", ENTITY, OBJECTS)
    assert capsys.readouterr().err.splitlines() == [f"note: schedule:until=0.5 leaves 1 prompt plain: {WHY}"]
    audited(model, "rebalance", ENTITY, OBJECTS)
    assert capsys.readouterr().err == ""
    with pytest.raises(InputError, match="the concepts 'clock tower' and 'clock' share words of the prompt"):
        audited(model, "rebalance", ENTITY, SHARED)


def test_an_audit_says_where_there_is_no_guidance_to_switch_off(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = save("sd1", tmp_path / "model")
    audited(model, "unguided", ENTITY, OBJECTS, guidance=1.0)
    told = capsys.readouterr().err
    assert told == "note: unguided leaves 2 prompts plain: guidance is 1, so there is none to switch off\n"
    audited(model, "unguided", ENTITY, OBJECTS)
    assert capsys.readouterr().err == ""


def test_an_audit_says_where_regions_begin_after_their_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = save("sd3", tmp_path / "model")
    audited(model, "regions:since=0.6", ENTITY)
    assert (
        "note: regions:since=0.6 leaves 1 prompt plain: no step of 4 lies between the method's since, 0.6, and its"
        " until, which is 0.5 where regions act by predictions\n" in capsys.readouterr().err
    )
    audited(model, "regions:since=0.6:until=1", ENTITY)
    assert "plain" not in capsys.readouterr().err


def test_no_try_goes_to_a_method_that_would_draw_the_plain_image_again() -> None:
    assert cannot_serve("schedule", ENTITY, Conditions(25)) is None
    assert cannot_serve("schedule", OBJECTS, Conditions(25)) == WHY
    assert cannot_serve("regions:strength=0", OBJECTS, Conditions(25)) == "the method's strength is 0"
    assert "share words" in (cannot_serve("overlap", SHARED, Conditions(25)) or "")
    assert (
        cannot_serve("schedule", Prompt("one", "a tower", ENTITY.concepts[:1]), Conditions(25))
        == "a single concept has no rival"
    )

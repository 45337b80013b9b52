"""A model is localised after all that can be refused, and never for an estimate."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_families import save

import dominance
from dominance.errors import InputError
from dominance.judges.protocol import ScriptedJudge
from dominance.models.drawing import Drawing, Machine
from dominance.models.source import find_source
from dominance.runs.audit.options import AuditOptions
from dominance.runs.audit.run import estimate_audit
from dominance.runs.generation.options import GenerateOptions
from dominance.runs.generation.run import estimate_generation
from dominance.runs.mitigation.options import MitigateOptions
from dominance.runs.mitigation.run import estimate_mitigation
from dominance.runs.stages import localisation
from dominance.runs.stages.localisation import Localisation, keep, kept_file

PROMPT = "a [tower:landmark] and a [mug]"
YES = ScriptedJudge(lambda image, question: 1.0)
HOW: dict[str, Any] = {"drawing": Drawing(seeds=(0,), steps=2, guidance=2.0), "machine": Machine("cpu", 1)}
RUNS = {
    "audit": (dominance.audit, estimate_audit, lambda: AuditOptions(method="regions", **HOW), 1),
    "mitigate": (dominance.mitigate_suite, estimate_mitigation, lambda: MitigateOptions(("regions",), **HOW), 2),
    "generate": (
        dominance.generate,
        estimate_generation,
        lambda: GenerateOptions(usable=1, methods=("regions",), **HOW),
        1,
    ),
}
Verb = Callable[..., Any]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return str(save("sd1", tmp_path / "model"))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The models that were localised."""
    found: list[str] = []

    def measure(source: Any, *_: object) -> Localisation:
        found.append(source.name)
        return Localisation(source.name, source.identity, 25, (0,), 1, (), (2,))

    monkeypatch.setattr(localisation, "measure_localisation", measure)
    return found


@pytest.mark.parametrize("verb", RUNS)
def test_an_estimate_localises_nothing_and_says_that_the_run_would(
    verb: str, model: str, measured: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    _, estimate, options, images = RUNS[verb]
    found = estimate(PROMPT, model=model, judge=YES, options=options())
    assert (found.images_to_draw, measured) == (images, [])
    assert "note: the run would first find the layers" in capsys.readouterr().err
    assert not Path("runs").exists()
    source = find_source(model)
    keep(Localisation(source.name, source.identity, 25, (0,), 1, (), (2,)))
    assert estimate(PROMPT, model=model, judge=YES, options=options()) == found
    assert "would first find" not in capsys.readouterr().err


@pytest.mark.parametrize("verb", RUNS)
def test_what_can_be_refused_is_refused_before_the_model_is_localised(
    verb: str, model: str, measured: list[str]
) -> None:
    run, _, options, _ = RUNS[verb]
    with pytest.raises(InputError, match="no judge 'nosuch'"):
        run(PROMPT, model=model, judge="nosuch", options=options())
    Path("other").mkdir()
    Path("other/notes.txt").write_text("mine")
    with pytest.raises(InputError, match="other"):
        run(PROMPT, model=model, judge=YES, out="other", options=options())
    assert measured == []
    assert not Path("runs").exists()


@pytest.mark.parametrize("verb", RUNS)
def test_the_images_are_known_by_the_layers_that_were_found(verb: str, model: str, measured: list[str]) -> None:
    run, estimate, options, _ = RUNS[verb]
    made = run(PROMPT, model=model, judge=YES, out="run", options=options())
    if verb == "generate":
        made.result()
    assert measured == [model]
    assert estimate(PROMPT, model=model, judge=YES, out="run", options=options()).images_to_draw == 0
    assert kept_file(find_source(model).identity).exists()

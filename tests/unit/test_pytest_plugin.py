"""The pytest plugin, in runs of pytest of its own: what it fails, what it keeps, and that it is out of the way."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from PIL import Image

pytest_plugins = ("pytester",)

ROOT = Path(__file__).parents[2]
PLUGIN = ("-p", "dominance.pytest_plugin")
TEST = """
import dominance

def test_images(dominance_score):
    options = dominance.ScoreOptions({options})
    result = dominance_score("pictures", "s.yaml", "answers:seen.csv", options=options{more})
    assert result.prompts[0].presence["tower"].share == 1
"""
LIMIT = "limits=dominance.Limits(min_presence=0.9)"


@pytest.fixture
def scored(pytester: pytest.Pytester):
    """Runs a test of four pictures, of which none shows its mug."""

    def run(options: str = "", more: str = "", *arguments: str, name: str = "test_images") -> pytest.RunResult:
        folder = pytester.path / "pictures" / "pair"
        folder.mkdir(parents=True, exist_ok=True)
        rows = ["prompt_id,image,concept,present"]
        for seed in range(4):
            Image.new("RGB", (8, 8), (seed, 0, 0)).save(folder / f"{seed}.png")
            rows += [f"pair,{seed}.png,tower,yes", f"pair,{seed}.png,mug,no"]
        (pytester.path / "seen.csv").write_text("\n".join(rows))
        (pytester.path / "s.yaml").write_text("prompts:\n  - {id: pair, prompt: 'a [tower] and a [mug]'}\n")
        pytester.makepyfile(**{name: TEST.format(options=options, more=more)})
        return pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider", *arguments)

    return run


def test_a_gate_that_fails_fails_the_test_with_every_reason(scored, pytester: pytest.Pytester) -> None:
    result = scored(LIMIT)
    result.assert_outcomes(failed=1)
    told = result.stdout.str()
    assert "  pair: mug is present in 0 of 4 images (at least 90% required)" in told
    assert "Traceback" not in told
    (run,) = (pytester.path / "runs" / "pytest").iterdir()
    assert run.name.startswith("test_images.py-test_images-")
    assert (run / "report.html").is_file()
    assert f"see {run / 'report.html'}" in told


def test_a_gate_that_holds_passes_and_the_folder_serves_again(scored, pytester: pytest.Pytester) -> None:
    for _ in range(2):
        scored("limits=dominance.Limits(min_presence=0.0)").assert_outcomes(passed=1)
    assert len(list((pytester.path / "runs" / "pytest").iterdir())) == 1


def test_without_a_gate_the_test_fails_before_anything_is_made(scored, pytester: pytest.Pytester) -> None:
    result = scored()
    result.assert_outcomes(failed=1)
    assert "this audit has no gate, so the test could not fail" in result.stdout.str()
    assert not (pytester.path / "runs").exists()


def test_a_test_may_look_for_itself(scored) -> None:
    scored("", ", check=False").assert_outcomes(passed=1)


def test_the_run_folders_go_where_the_ini_file_says(scored, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\ndominance_runs = kept/here\n")
    scored(LIMIT).assert_outcomes(failed=1)
    assert list((pytester.path / "kept" / "here").iterdir())


def test_such_tests_have_a_mark_and_others_do_not(scored, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_other="def test_other():\n    pass\n")
    scored(LIMIT, "", "--strict-markers", "-m", "not dominance").assert_outcomes(passed=1, deselected=1)
    scored(LIMIT, "", "-m", "dominance").assert_outcomes(failed=1, deselected=1)


def test_the_finding_is_in_pytests_own_junit_file(scored, pytester: pytest.Pytester) -> None:
    scored(LIMIT, "", "--junit-xml", "j.xml")
    assert "dominance s" in (pytester.path / "j.xml").read_text()


def test_an_audit_draws_judges_and_fails(pytester: pytest.Pytester, tiny_model: Path) -> None:
    pytester.makepyfile(
        f"""
        import dominance
        from dominance.judges.protocol import ScriptedJudge

        def test_it(dominance_audit):
            drawing = dominance.Drawing(seeds=(0, 1), steps=1)
            limits = dominance.Limits(min_presence=0.9)
            options = dominance.AuditOptions(drawing=drawing, machine=dominance.Machine("cpu"), limits=limits)
            judge = ScriptedJudge(lambda image, question: float(question.concept == "tower"))
            dominance_audit("a [tower] and a [mug]", {str(tiny_model)!r}, judge, options=options)
        """
    )
    result = pytester.runpytest_inprocess(*PLUGIN, "-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    assert "mug is present in 0 of 2 images" in result.stdout.str()
    assert len(list((pytester.path / "runs" / "pytest").rglob("*.png"))) == 2


def test_it_loads_next_to_nothing_in_the_runs_of_others() -> None:
    code = (
        "import sys, pytest; known = set(sys.modules); import dominance.pytest_plugin;"
        " print(sorted(set(sys.modules) - known))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "['dominance', 'dominance.pytest_plugin']"


def test_the_package_names_it_to_pytest() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert named == {"dominance.pytest_plugin": "dominance.pytest_plugin"}

"""The packages import only downward, and the stages do not know one another."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import dominance

ROOT = Path(dominance.__file__).parent
BASE = {
    "allocator",
    "baseline",
    "beside",
    "documents",
    "english",
    "errors",
    "measures",
    "mentions",
    "pictures",
    "progress",
    "prompt_syntax",
    "run_settings",
    "seeds",
    "verdicts",
    "files",
    "numbers",
    "plugins",
    "wording",
    "written",
}
LAYERS: list[set[str]] = [
    {"__main__", "pytest_plugin"},
    {"cli"},
    {"serve"},
    {"reproduce"},
    {"laboratory"},
    {"report"},
    {"runs"},
    {"suites", "judges", "probes", "guidance", "training", "diversity"},
    {"models"},
    {"miniature"},
    {"metrics"},
    {"images"},
    BASE | {"records"},
]
RUNS: list[set[str]] = [
    {
        "explanation",
        "ablation",
        "judge_check",
        "bench",
        "noise_norm",
        "suite_check",
        "sweep",
        "mitigation",
        "generation",
        "teaching",
        "localisation",
        "reproduction",
    },
    {"risk"},
    {"audit", "diversity"},
    {"stages"},
    {"engines"},
    {"store"},
]
"""The rooms of ``runs``, in the same order: a command stands on the audit and the stages, never on another command, but
for the explanation, which also says what the preflight predicts."""
READER = "reading.py"
"""The module at the top of ``runs``, above all rooms: it reads the folder of any command, and no room imports it."""
BUNDLED_NAMES = {
    "cli/listing.py",
    "judges/blip.py",
    "judges/measuring.py",
    "judges/picture_scores.py",
    "judges/registry.py",
    "models/adapters.py",
    "models/folders.py",
    "runs/risk/calibration.py",
    "runs/stages/early.py",
    "runs/stages/judge_fit.py",
    "runs/stages/localisation.py",
}
"""Where something of ``miniature.bundled`` is imported: names that the user may give, and files that ship."""
FACES = {"__init__.py", "diversity/__init__.py", "metrics/__init__.py", "suites/__init__.py"}
"""The only packages that hand anything on."""
DEPTH = {name: depth for depth, names in enumerate(LAYERS) for name in names}


def package_of(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else "dominance"


def is_part(module: str, name: str) -> bool:
    """Whether the name is a package or module of ours, as in ``from dominance import suites``."""
    return module == "dominance" and ((ROOT / name).is_dir() or (ROOT / f"{name}.py").is_file())


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module)
            found |= {f"dominance.{alias.name}" for alias in node.names if is_part(node.module, alias.name)}
    return {package_of(name) for name in found if name.split(".")[0] == "dominance"} - {"dominance"}


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_import_only_downward(path: Path) -> None:
    relative = path.relative_to(ROOT)
    own = relative.parts[0].removesuffix(".py")
    if own == "__init__":
        return
    for imported in imports_of(path) - {own}:
        if own in BASE | {"records"}:
            assert imported in BASE | {"records"}, f"{relative} imports {imported}"
        else:
            assert DEPTH[imported] > DEPTH[own], f"{relative} imports {imported}, which is not below {own}"


def rooms_of_runs(path: Path) -> set[str]:
    """The rooms of ``runs`` that a module imports from."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    modules = [(node.module or "").split(".") for node in nodes]
    return {parts[2] for parts in modules if parts[:2] == ["dominance", "runs"] and len(parts) > 2}


@pytest.mark.parametrize("path", sorted((ROOT / "runs").glob("*/*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_the_rooms_of_runs_import_only_downward(path: Path) -> None:
    depth = {name: depth for depth, names in enumerate(RUNS) for name in names}
    own = path.parent.name
    for imported in rooms_of_runs(path) - {own}:
        assert depth[imported] > depth[own], f"{path.name} imports {imported}, which is not below {own}"
    assert "training" not in imports_of(path) or own == "teaching"


def test_every_room_of_runs_has_its_place() -> None:
    rooms = {path.parent.name for path in (ROOT / "runs").glob("*/__init__.py")}
    assert rooms == set().union(*RUNS)
    assert {path.name for path in (ROOT / "runs").glob("*.py")} == {"__init__.py", READER}


def test_few_places_know_that_the_bundled_models_are_special() -> None:
    named = set()
    for path in ROOT.rglob("*.py"):
        place = path.relative_to(ROOT)
        if place.parts[0] not in ("miniature", "laboratory", "training") and "miniature.bundled" in path.read_text():
            named.add(place.as_posix())
    assert named == BUNDLED_NAMES


def test_packages_hand_nothing_on() -> None:
    for path in ROOT.rglob("__init__.py"):
        nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        hands_on = any(isinstance(node, ast.Import | ast.ImportFrom) for node in nodes)
        assert not hands_on or path.relative_to(ROOT).as_posix() in FACES, path


def test_modules_and_functions_are_short() -> None:
    """Of a function, the body counts: a docstring is for readers, and the signature of a command is its options."""
    for path in ROOT.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 400, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
                assert node.body[-1].end_lineno - first.lineno < 60, f"{path}: {node.name}"


def test_every_package_has_its_layer() -> None:
    parts = {path.stem for path in ROOT.iterdir() if (path / "__init__.py").is_file() or path.suffix == ".py"}
    assert parts - {"__init__"} <= DEPTH.keys()


@pytest.mark.parametrize(
    "statement", ["import dominance.judges.protocol", "from dominance.suites import x", "from dominance import suites"]
)
def test_an_import_is_seen_however_it_is_written(statement: str, tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(statement)
    (imported,) = imports_of(tmp_path / "module.py")
    assert DEPTH[imported] == DEPTH["diversity"]


def test_metrics_import_nothing_but_records_and_errors() -> None:
    for path in (ROOT / "metrics").glob("*.py"):
        assert imports_of(path) <= {"metrics", "records", "errors"}, path.name


@pytest.mark.parametrize("statement", ["import dominance", "import dominance.cli.app", "from dominance import suites"])
def test_importing_the_package_or_the_command_line_does_not_import_torch(statement: str) -> None:
    code = f"import sys; {statement}; print([m for m in ('torch', 'diffusers', 'transformers') if m in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_public_names_exist() -> None:
    for name in dominance.__all__:
        assert getattr(dominance, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'no_such_thing'"):
        _ = dominance.no_such_thing

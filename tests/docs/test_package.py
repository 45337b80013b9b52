"""What is built to be installed: its files, sizes and entry points; licence, citation, changelog and container."""

import email
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from ruamel.yaml import YAML

import dominance

ROOT = Path(__file__).parents[2]
MOST_BYTES = 60_000_000
WEIGHTS = "dominance/miniature/weights"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the wheel and the source distribution, built without a network."""
    pytest.importorskip("hatchling", reason="hatchling is among the dev extra: make .venv/.dev")
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_the_wheel_holds_the_package_with_its_weights(built: Path) -> None:
    (wheel,) = built.glob("dominance-*-py3-none-any.whl")
    assert wheel.stat().st_size <= MOST_BYTES
    with zipfile.ZipFile(wheel) as opened:
        names = set(opened.namelist())
        info = f"dominance-{dominance.__version__}.dist-info"
        metadata = email.message_from_bytes(opened.read(f"{info}/METADATA"))
        points = opened.read(f"{info}/entry_points.txt").decode()
    sources = {f"dominance/{p.relative_to(ROOT / 'src/dominance')}" for p in (ROOT / "src/dominance").rglob("*.py")}
    assert sources <= names
    for part in ("miniature-base/unet", "judge", "encoder", "miniature", "miniature-swapped"):
        assert any(name.startswith(f"{WEIGHTS}/{part}/") and name.endswith(".safetensors") for name in names), part
    assert {name for name in names if name.endswith((".j2", ".css"))}
    assert all(name.startswith(("dominance/", info)) for name in names)
    assert metadata["License-Expression"] == "Apache-2.0"
    assert f"{info}/licenses/LICENSE" in names
    assert "dominance = dominance.__main__:main" in points
    assert "[pytest11]" in points


@pytest.mark.slow
def test_the_source_distribution_builds_the_same(built: Path, tmp_path: Path) -> None:
    (sdist,) = built.glob("dominance-*.tar.gz")
    assert sdist.stat().st_size <= MOST_BYTES
    with tarfile.open(sdist) as opened:
        opened.extractall(tmp_path, filter="data")
    (source,) = tmp_path.iterdir()
    assert {"LICENSE", "CITATION.cff", "CHANGELOG.md", "README.md", "src"} <= {path.name for path in source.iterdir()}
    assert not (source / "tests").exists()


def test_the_licence_is_the_one_that_is_stated() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert project["license"] == YAML(typ="safe").load((ROOT / "CITATION.cff").read_text())["license"] == "Apache-2.0"


def test_the_citation_names_version_and_papers() -> None:
    cited = YAML(typ="safe").load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    assert cited["version"] == dominance.__version__
    assert cited["preferred-citation"]["url"].endswith("2512.20666")
    for work in (cited["preferred-citation"], *cited["references"]):
        assert work["title"]
        assert all(author["family-names"] for author in work["authors"])
        assert 2000 < work["year"] <= 2026


def test_the_changelog_has_this_version() -> None:
    assert f"\n## {dominance.__version__}\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_container_copies_and_runs_what_exists() -> None:
    """It cannot be built without a network; so its parts are looked at."""
    lines = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text(encoding="utf-8")).splitlines()
    steps = [line.partition(" ")[::2] for line in lines if line and not line.startswith("#")]
    assert steps[0][0] == "FROM"
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for kind, rest in steps:
        if kind == "COPY":
            for source in rest.split()[:-1]:
                assert (ROOT / source).exists(), source
                assert source in let_in, f"{source} is kept from the build by .dockerignore"
        if kind == "RUN":
            done = subprocess.run(["bash", "-n", "-c", rest], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
    pinned = re.search(r"^torch==(\S+)$", (ROOT / "constraints.txt").read_text(), re.M)
    assert pinned is not None
    assert ("ARG", f"TORCH=torch=={pinned[1]}") in steps
    assert steps[-2:] == [("ENTRYPOINT", '["dominance"]'), ("CMD", '["--help"]')]
    assert any(kind == "USER" and rest != "root" for kind, rest in steps)
    assert "dominance" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]

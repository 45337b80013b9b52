"""The workflows of the guide run as a runner would run them: their shell steps, with its variables, in a clone.

Stand-ins are the services alone: ``python -m pip install`` is noted, ``gh`` and ``curl`` keep what they are given, and
the cache is a folder. ``dominance`` is ours, with the bundled models.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
FILES = ROOT / "docs" / "guides" / "ci"
CAMPAIGN = """
name: campaign
gate: {min_presence: 0.9}
prompts:
  - {id: castle-chair, prompt: "a [castle:landmark] and a [chair]"}
"""


def loaded(name: str) -> dict[str, Any]:
    return YAML(typ="safe").load((FILES / name).read_text(encoding="utf-8"))


def git(folder: Path, *arguments: str) -> None:
    name = ("-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *name, *arguments], cwd=folder, check=True, capture_output=True)


@dataclass
class Runner:
    """A machine with a clone of the repository, on which a job's shell steps run."""

    folder: Path
    printed: str = ""
    env: dict[str, str] = field(default_factory=dict)

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    @property
    def noted(self) -> str:
        """What the stand-ins were called with."""
        return (self.folder / "noted").read_text(encoding="utf-8")

    def sh(self, script: str, env: dict[str, str] | None = None, *, pipefail: bool = False) -> int:
        """Runs a script as one step, and gives its status."""
        options = ["-e", *(["-o", "pipefail"] if pipefail else [])]
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", *options, "-c", script],
            cwd=self.clone,
            env={**os.environ, **self.env, **(env or {})},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        self.printed += f"$ {script}\n{done.stdout}{done.stderr}\n"
        return done.returncode


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """With a clone in which the branch takes the one-castle model, and main the one that knows many."""
    origin, bin = tmp_path / "origin", tmp_path / "bin"
    origin.mkdir()
    bin.mkdir()
    git(origin, "init")
    (origin / "campaign.yaml").write_text(CAMPAIGN)
    (origin / "model").mkdir()
    (origin / "model" / "audit.yaml").write_text("model: miniature-swapped\nseeds: 2\nsteps: 10\n")
    git(origin, "add", ".")
    git(origin, "commit", "-m", "main")
    git(origin, "checkout", "-b", "branch")
    (origin / "model" / "audit.yaml").write_text("model: miniature\nseeds: 2\nsteps: 10\n")
    git(origin, "commit", "-am", "another model")
    git(tmp_path, "clone", str(origin), "clone")
    noted, python = shlex.quote(str(tmp_path / "noted")), shlex.quote(sys.executable)
    scripts = {
        "dominance": f'exec {python} -m dominance "$@"',
        "python": f'echo "python $*" >> {noted}; [ "$1 $2" = "-m pip" ] || exec {python} "$@"',
        "gh": f'echo "gh $*" >> {noted}; cp "$5" {shlex.quote(str(tmp_path / "comment.md"))}',
        "curl": f'echo "curl $*" >> {noted}; cp summary.md {shlex.quote(str(tmp_path / "comment.md"))}',
    }
    for name, script in scripts.items():
        (bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (bin / name).chmod(0o755)
    return Runner(tmp_path, env={"PATH": f"{bin}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")})


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache, which outlives a job."""
    return tmp_path_factory.mktemp("cache") / "runs"


def on_github(runner: Runner, job: dict[str, Any], kept: Path) -> list[str]:
    """Runs a job as GitHub does, and names the steps that failed."""
    known = {"github.base_ref": "main", "github.run_id": "1", "github.token": "secret", "github.event.number": "7"}
    step_summary = runner.folder / "step-summary.md"
    failed: list[str] = []
    for step in job["steps"]:
        name = step.get("name", step.get("uses"))
        assert step.get("if") in (None, "always()"), f"a condition that this runner does not know: {step['if']}"
        if failed and step.get("if") is None:
            continue
        values = {
            key: re.sub(r"\$\{\{ (.+?) \}\}", lambda found: known[found[1]], str(value))
            for key, value in {**step.get("env", {}), **step.get("with", {})}.items()
        }
        if "uses" in step:
            on_action(step["uses"].partition("@")[0], values, runner, kept)
            continue
        assert "${{" not in step["run"], "a value that others choose must not become part of a script"
        later = runner.folder / "github-env"
        env = {"GITHUB_STEP_SUMMARY": str(step_summary), "GITHUB_ENV": str(later)}
        env |= {key: values[key] for key in step.get("env", {})}
        env |= dict(line.split("=", 1) for line in (later.read_text().splitlines() if later.exists() else []))
        if runner.sh(step["run"], env) and not step.get("continue-on-error"):
            failed.append(name)
    return failed


def on_action(action: str, given: dict[str, str], runner: Runner, kept: Path) -> None:
    """What an action does here."""
    if action == "actions/cache/restore" and kept.is_dir():
        shutil.copytree(kept, runner.clone / given["path"], dirs_exist_ok=True)
    elif action == "actions/cache/save":
        shutil.copytree(runner.clone / given["path"], kept, dirs_exist_ok=True)
    elif action == "actions/upload-artifact":
        for path in given["path"].split():
            assert (runner.clone / path).is_file(), f"no {path} to keep"
    else:
        assert action in ("actions/checkout", "actions/setup-python", "actions/cache/restore"), action


def on_gitlab(runner: Runner, job: dict[str, Any], kept: Path) -> int:
    """Runs a job as GitLab does: one shell for before_script and script, another for after_script."""
    variables = {
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_API_V4_URL": "https://gitlab.example/api/v4",
        "CI_PROJECT_ID": "3",
        "CI_MERGE_REQUEST_IID": "7",
        "COMMENT_TOKEN": "secret",
        **job.get("variables", {}),
    }
    if kept.is_dir():
        shutil.copytree(kept, runner.clone / job["cache"]["paths"][0], dirs_exist_ok=True)
    status = runner.sh("\n".join([*job["before_script"], *job["script"]]), variables, pipefail=True)
    runner.sh("\n".join(job["after_script"]), variables)
    assert job["cache"]["when"] == job["artifacts"]["when"] == "always"
    for path in (*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]):
        assert (runner.clone / path).is_file(), f"no {path} to keep"
    return status


def says_what_vanished(runner: Runner) -> None:
    """The comment, the JUnit file and the report of the branch, in which castles took over."""
    assert "castle takes over from" in (runner.clone / "report.html").read_text(encoding="utf-8")
    comment = (runner.folder / "comment.md").read_text(encoding="utf-8")
    assert "### dominance: campaign: gate FAILED" in comment
    assert "| **fails** | “a castle and a chair” |" in comment
    assert "| castle 2/2, **chair 0/2** | castle 2/2, chair 2/2 |" in comment
    suite = ElementTree.parse(runner.clone / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert int(suite.get("failures") or 0) >= 2
    assert "python -m pip install dominance" in runner.noted


@pytest.mark.slow
def test_the_github_workflow_finds_what_a_branch_lost(runner: Runner, kept: Path) -> None:
    failed = on_github(runner, loaded("github.yml")["jobs"]["audit"], kept)
    assert failed == ["Audit this branch; only new losses fail"], runner.printed
    says_what_vanished(runner)
    assert "gh pr comment 7 --body-file summary.md --edit-last --create-if-none" in runner.noted
    assert (runner.folder / "step-summary.md").read_text().startswith("<!-- dominance: campaign -->")
    assert {folder.name.partition("-")[0] for folder in kept.iterdir()} == {"main", "branch"}


@pytest.mark.slow
def test_the_gitlab_job_finds_the_same(runner: Runner, kept: Path) -> None:
    """From the cache that the job before left, if it ran; then nothing is drawn again."""
    cached = kept.is_dir()
    assert on_gitlab(runner, loaded("gitlab.yml")["concepts"], kept) == 1, runner.printed
    says_what_vanished(runner)
    assert "merge_requests/7/notes" in runner.noted
    assert ("images: 0 of" in runner.printed) != cached


@pytest.mark.slow
def test_a_branch_that_loses_nothing_new_passes(runner: Runner, kept: Path) -> None:
    """What its model never drew is excused: main has the same model, and its own gate fails."""
    git(runner.folder / "origin", "checkout", "main")
    git(runner.folder / "origin", "merge", "branch")
    git(runner.clone, "fetch", "origin")
    assert on_github(runner, loaded("github.yml")["jobs"]["audit"], kept) == [], runner.printed
    comment = (runner.folder / "comment.md").read_text(encoding="utf-8")
    assert "gate passed" in comment
    assert "| as before | “a castle and a chair” |" in comment


def test_the_guide_shows_both_files() -> None:
    page = (ROOT / "docs" / "guides" / "ci.md").read_text(encoding="utf-8")
    for name in ("github.yml", "gitlab.yml"):
        assert (FILES / name).read_text(encoding="utf-8").rstrip() in page, f"the guide shows another {name}"

"""The workflows of the guide run as a runner would run them: their shell steps, with its variables, in a clone.

Stand-ins are the services alone: ``python -m pip install`` is noted, ``gh`` and ``curl`` keep comments as the services
do, and the cache is a folder. ``dominance`` is ours, with the bundled models.
"""

import json
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
OTHERS = [
    {"id": 1, "user": {"login": "github-actions[bot]"}, "body": "Coverage: 91%"},
    {"id": 2, "user": {"login": "someone"}, "body": "<!-- dominance: other -->\nquoted"},
]
"""Comments that were there before."""
SERVICE = """
import json, os, pathlib, subprocess, sys
file, given = pathlib.Path(os.environ["COMMENTS"]), sys.argv[1:]
comments = json.loads(file.read_text())
def after(*names):
    return next((given[place + 1] for place, word in enumerate(given) if word in names), None)
method = after("--method", "--request")
body = after("--body-file") or (after("--field", "--data-urlencode") or "").partition("@")[2]
place = next((word for word in given if "/comments" in word or "/notes" in word), "")
if method in ("PATCH", "PUT"):
    (own,) = [each for each in comments if str(each["id"]) == place.rpartition("/")[2]]
    own["body"] = pathlib.Path(body).read_text()
elif body:
    comments.append({"id": len(comments) + 1, "user": {"login": "github-actions[bot]"}})
    comments[-1]["body"] = pathlib.Path(body).read_text()
elif after("--jq"):
    subprocess.run(["jq", "-r", after("--jq")], input=json.dumps(comments), text=True, check=True)
else:
    print(json.dumps(comments[::-1]))
file.write_text(json.dumps(comments))
"""
"""Lists, adds and edits comments as GitHub's and GitLab's interfaces do, as far as the workflows ask."""
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
    def comments(self) -> list[dict[str, Any]]:
        """Of the pull or merge request, the oldest first."""
        return json.loads((self.folder / "comments.json").read_text(encoding="utf-8"))

    @property
    def comment(self) -> str:
        """Ours, the only one that is new; others are as they were."""
        *others, own = self.comments
        assert others == OTHERS
        return own["body"]

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
def runner(tmp_path: Path, quick_start: str) -> Runner:
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
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "comments.json").write_text(json.dumps(OTHERS))
    service = shlex.quote(str(tmp_path / "service.py"))
    noted, python = shlex.quote(str(tmp_path / "noted")), shlex.quote(sys.executable)
    scripts = {
        "dominance": f'exec {quick_start} "$@"',
        "python": f'echo "python $*" >> {noted}; [ "$1 $2" = "-m pip" ] || exec {python} "$@"',
        **{name: f'echo "{name} $*" >> {noted}; exec {python} {service} "$@"' for name in ("gh", "curl")},
    }
    for name, script in scripts.items():
        (bin / name).write_text(f"#!/bin/sh\n{script}\n")
        (bin / name).chmod(0o755)
    found = {"PATH": f"{bin}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT / "src")}
    return Runner(tmp_path, env={**found, "COMMENTS": str(tmp_path / "comments.json"), "GITHUB_REPOSITORY": "o/r"})


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache, which outlives a job."""
    return tmp_path_factory.mktemp("cache") / "runs"


def on_github(runner: Runner, job: dict[str, Any], kept: Path) -> list[str]:
    """Runs a job as GitHub does, and names the steps that failed."""
    known = {
        "hashFiles('campaign.yaml')": "suite",
        "github.base_ref": "main",
        "github.run_id": "1",
        "github.token": "secret",
        "github.event.number": "7",
    }
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
    comment = runner.comment
    assert "### dominance: campaign: gate FAILED" in comment
    assert "| **fails** | “a castle and a chair” |" in comment
    assert "| castle 2/2, **chair 0/2** | castle 2/2, chair 2/2 |" in comment
    suite = ElementTree.parse(runner.clone / "junit.xml").getroot().find("testsuite")
    assert suite is not None
    assert int(suite.get("failures") or 0) >= 2
    assert "python -m pip install dominance" in runner.noted


NEEDS_JQ = pytest.mark.skipif(shutil.which("jq") is None, reason="the stand-in of gh filters by jq, which is not here")


@NEEDS_JQ
@pytest.mark.slow
def test_the_github_workflow_finds_what_a_branch_lost(runner: Runner, kept: Path) -> None:
    failed = on_github(runner, loaded("github.yml")["jobs"]["audit"], kept)
    assert failed == ["Audit this branch; only new losses fail"], runner.printed
    says_what_vanished(runner)
    assert "gh pr comment 7 --body-file summary.md" in runner.noted
    assert (runner.folder / "step-summary.md").read_text().startswith("<!-- dominance: campaign -->")
    assert {folder.name.partition("-")[0] for folder in kept.iterdir()} == {"main", "branch"}
    (step,) = [step for step in loaded("github.yml")["jobs"]["audit"]["steps"] if "Comment" in step.get("name", "")]
    (runner.clone / "summary.md").write_text("<!-- dominance: campaign -->\nchanged")
    assert runner.sh(step["run"], {"NUMBER": "7"}) == 0, runner.printed
    assert runner.comment == "<!-- dominance: campaign -->\nchanged"
    (runner.clone / "summary.md").write_text("<!-- dominance: other -->\nby a person before")
    assert runner.sh(step["run"], {"NUMBER": "7"}) == 0, runner.printed
    assert [each["body"].partition("\n")[2] for each in runner.comments[1:]] == [
        "quoted", "changed", "by a person before"
    ]  # fmt: skip


def test_run_folders_and_caches_are_those_of_the_suite(runner: Runner) -> None:
    """Another suite begins anew in another folder; a run of the earlier one cannot be in its way."""
    jobs = loaded("github.yml")["jobs"]["audit"]["steps"], loaded("gitlab.yml")["concepts"]
    assert all("hashFiles('campaign.yaml')" in s["with"]["key"] for s in jobs[0] if "cache" in s.get("uses", ""))
    assert jobs[1]["cache"]["key"] == {"prefix": "dominance", "files": ["campaign.yaml"]}
    (line,) = [line for line in jobs[1]["script"] if line.startswith("out=")]
    named = []
    for text in ("one", "one", "two"):
        (runner.clone / "campaign.yaml").write_text(text)
        git(runner.clone, "commit", "--allow-empty", "-am", text)
        assert runner.sh(f"{line}; echo $out > named") == 0
        named.append((runner.clone / "named").read_text())
    assert named[0] == named[1] != named[2]
    assert any(line.partition("=")[2] in step.get("run", "") for step in jobs[0])


@pytest.mark.slow
def test_the_gitlab_job_finds_the_same(runner: Runner, kept: Path) -> None:
    """From the cache that the job before left, if it ran; then nothing is drawn again."""
    cached = kept.is_dir()
    assert on_gitlab(runner, loaded("gitlab.yml")["concepts"], kept) == 1, runner.printed
    says_what_vanished(runner)
    assert "merge_requests/7/notes" in runner.noted
    runner.sh("\n".join(loaded("gitlab.yml")["concepts"]["after_script"]), {"CI_MERGE_REQUEST_IID": "7"})
    assert len(runner.comments) == len(OTHERS) + 1, "edited, not written again"
    assert ("images: 0 of" in runner.printed) != cached


@NEEDS_JQ
@pytest.mark.slow
def test_a_branch_that_loses_nothing_new_passes(runner: Runner, kept: Path) -> None:
    """What its model never drew is excused: main has the same model, and its own gate fails."""
    git(runner.folder / "origin", "checkout", "main")
    git(runner.folder / "origin", "merge", "branch")
    git(runner.clone, "fetch", "origin")
    assert on_github(runner, loaded("github.yml")["jobs"]["audit"], kept) == [], runner.printed
    comment = runner.comment
    assert "gate passed" in comment
    assert "| as before | “a castle and a chair” |" in comment


def test_the_guide_shows_both_files() -> None:
    page = (ROOT / "docs" / "guides" / "ci.md").read_text(encoding="utf-8")
    for name in ("github.yml", "gitlab.yml"):
        assert (FILES / name).read_text(encoding="utf-8").rstrip() in page, f"the guide shows another {name}"

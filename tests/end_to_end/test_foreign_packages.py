"""A judge and a method that another package brings, in a shell as after its installation."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_packages import METHOD, install


def shell(site: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "dominance", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=site, check=False)


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Lines of stderr, but for those that a slow start adds."""
    return [line for line in done.stderr.splitlines() if not line.startswith(("starting ", "loading "))]


@pytest.mark.slow
def test_the_judge_of_another_package_audits_and_scores(tmp_path: Path) -> None:
    install(tmp_path, "tinyjudge", {"tinyjudge": "tinyjudge:load", "qwen": "tinyjudge:load"})
    pair = "a [tower:landmark] and a [mug]"
    audited = shell(
        tmp_path, "audit", pair, "--judge", "tinyjudge:yes", "--seeds", 1, "--steps", 2, "--out", "run", "--json"
    )
    assert audited.returncode == 0, audited.stderr
    document = json.loads(audited.stdout)
    assert (document["judge"], document["scored"]) == ("tinyjudge:yes", 1)
    assert document["prompts"][0]["balanced"] == 1
    (images,) = (tmp_path / "run" / "images").iterdir()
    scored = shell(tmp_path, "score", images, "--suite", pair, "--judge", "tinyjudge:no", "--out", "scored", "--json")
    assert json.loads(scored.stdout)["prompts"][0]["lost"] == 1, scored.stderr
    listed = shell(tmp_path, "list", "judges", "--json")
    assert {"name": "tinyjudge:…", "what": "a judge from tinyjudge 1.0"} in json.loads(listed.stdout)
    refused = shell(tmp_path, "score", images, "--suite", pair, "--judge", "qwen:owner/name", "--out", "other")
    assert refused.returncode == 2
    (line,) = said(refused)
    assert "dominance itself and tinyjudge 1.0" in line


@pytest.mark.slow
def test_the_method_of_another_package_steers_an_audit(tmp_path: Path) -> None:
    install(tmp_path, "tinymethod", {"tiny": "tinymethod:make"}, METHOD, "dominance.methods")
    pair = ["audit", "a [tower:landmark] and a [mug]", "--seeds", 1, "--steps", 3]
    plain = shell(tmp_path, *pair, "--out", "run", "--json")
    steered = shell(tmp_path, *pair, "--method", "tiny", "--out", "run")
    assert plain.returncode == steered.returncode == 0, steered.stderr
    assert "steered: tower mug" in steered.stdout
    assert json.loads(plain.stdout)["settings"]["method"] == "none"
    drawn = sorted((tmp_path / "run" / "images").rglob("*.png"))
    assert len({image.read_bytes() for image in drawn}) == 2  # another item, another image
    again = shell(tmp_path, *pair, "--method", "tiny", "--out", "run", "--json")
    assert json.loads(again.stdout)["settings"]["method"] == "tiny"  # and nothing was drawn, or stdout were no JSON
    listed = shell(tmp_path, "list", "methods", "--json")
    assert {"name": "tiny", "what": "a method from tinymethod 1.0"} in json.loads(listed.stdout)
    unknown = shell(tmp_path, *pair, "--method", "tiney", "--out", "other")
    assert unknown.returncode == 2
    (line,) = said(unknown)
    assert line.startswith("error: no method 'tiney'; give one of none, regions,")
    assert line.endswith(", tiny")

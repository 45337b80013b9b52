"""HTTP for programs: what can be asked for, what is refused in one line, and the document that says so."""

import os
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import pytest
from made_runs import make_run, png
from ruamel.yaml import YAML
from starlette.testclient import TestClient

from dominance.errors import InputError
from dominance.models.drawing import Machine
from dominance.serve.asking import Desk
from dominance.serve.jobs import Job, Jobs
from dominance.serve.live import Asked
from dominance.serve.options import ServeOptions
from dominance.serve.outside import opened
from dominance.serve.scoring import LiveJudge
from dominance.serve.uploads import Most, Uploads
from dominance.serve.verbs import VERBS

ASKED = {"prompts": ["a [castle:landmark] and a [chair]"], "seeds": 2, "steps": 2}
IMAGE = {"content-type": "image/png"}
ENCODERS = {"similarity", "captions"}
CLOSED = {
    "audit": {
        *("judge_option", "questions", "references", "revision", "variant", "model_config", "beside", "baseline"),
        *ENCODERS,
    },
    "score": {"judge_option", "questions", "references", "beside", "baseline", *ENCODERS},
    "preflight": {"calibration", "revision", "variant", "model_config"},
    "explain": {"calibration", "judge_option", "questions", "revision", "variant", "model_config"},
    "generate": {"calibration", "early", "judge_option", "questions", "revision", "variant", "model_config", *ENCODERS},
    "mitigate": {"judge_option", "questions", "references", "revision", "variant", "model_config", *ENCODERS},
}
"""Options that a request may not set, since they name files, or what is loaded, or carry whatever they like."""


def leaves(options: type) -> set[str]:
    """Every option of a class, but those of the machine."""
    from typing import get_type_hints

    found: set[str] = set()
    for item in fields(options):
        kind = get_type_hints(options)[item.name]
        if hasattr(kind, "__dataclass_fields__"):
            found |= set() if kind is Machine else leaves(kind)
        else:
            found.add(item.name)
    return found


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_open_or_closed_on_purpose(verb: str) -> None:
    options = VERBS[verb].options
    assert leaves(options) - {option.field for option in opened(options)} == CLOSED[verb]


def test_a_job_is_the_command_with_a_file_of_its_options(client: TestClient, root: Path) -> None:
    answer = client.post("/api/audit", json=ASKED)
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert (job["state"], job["title"]) == ("queued", "a castle and a chair")
    config = YAML(typ="safe").load((root / ".serve" / "jobs" / job["id"] / "job.yaml").read_text())
    assert (config["command"], config["seeds"], config["steps"]) == ("audit", 2, 2)
    assert config["out"] == str(root / job["run"])
    from dominance.suites import load_suite

    (prompt,) = load_suite(config["suite"]).prompts
    assert (prompt.text, [concept.name for concept in prompt.concepts]) == ("a castle and a chair", ["castle", "chair"])


@pytest.mark.parametrize(
    ("verb", "body", "told"),
    [
        ("audit", {"prompts": ["a castle"]}, "marks no concept"),
        ("audit", {"prompts": ["/etc/passwd"]}, "marks no concept"),
        ("audit", {"prompts": ["a [castle"]}, "never closed"),
        ("audit", {"prompts": []}, "at least 1"),
        ("audit", {}, "prompts"),
        ("audit", {**ASKED, "model": "/models/secret"}, "does not load the model"),
        ("audit", {**ASKED, "judge": "answers:/etc/passwd"}, "does not load the judge"),
        ("audit", {**ASKED, "judge": "openai:http://169.254.169.254#x"}, "does not load the judge"),
        ("audit", {**ASKED, "adapter": ["/etc/passwd"]}, "does not load the adapter"),
        ("audit", {**ASKED, "concepts": "/etc/passwd"}, "no word list"),
        ("audit", {**ASKED, "embedder": "owner/name"}, "does not load the embedder"),
        ("audit", {**ASKED, "method": "regions:x=/etc"}, "plain name"),
        ("audit", {**ASKED, "questions": "/etc/passwd"}, "Extra inputs"),
        ("audit", {**ASKED, "device": "cuda"}, "Extra inputs"),
        ("audit", {**ASKED, "out": "/tmp/x"}, "Extra inputs"),
        ("audit", {**ASKED, "seeds": 10_001}, "count from 1"),
        ("audit", {**ASKED, "seeds": 1001}, "1001 images"),
        ("audit", {**ASKED, "seeds": [1, 1]}, "twice"),
        ("audit", {**ASKED, "limit": 0}, "limit is 0"),
        ("audit", {**ASKED, "max_unscored": 0.1, "allow_unfit_judge": "perhaps"}, "allow_unfit_judge"),
        ("generate", {**ASKED, "usable": 101}, "1010 images"),
        ("generate", {**ASKED, "budget": 10**9}, "10000000 images"),
        ("generate", {**ASKED, "early": "/etc/passwd"}, "Extra inputs"),
        ("explain", {"prompt": "a castle"}, "marks no concept"),
        ("mitigate", {**ASKED, "method": "none"}, "give a method"),
        ("preflight", {**ASKED, "layers": "x"}, "numbers such as"),
        ("score", {"upload": "../..", "prompts": ["a [mug]"]}, "no upload"),
    ],
)
def test_bad_requests_are_refused_in_one_line(client: TestClient, verb: str, body: dict, told: str) -> None:
    answer = client.post(f"/api/{verb}", json=body)
    assert answer.status_code == 422, answer.text
    assert told in answer.json()["error"]
    assert "\n" not in answer.json()["error"]
    assert client.get("/api/jobs").json() == []


def test_the_operator_says_what_is_loaded(serve: Callable[..., TestClient]) -> None:
    client = serve(model=("owner/name", "miniature"), adapter=("brand.safetensors",))
    asked = {**ASKED, "adapter": ["brand.safetensors:0.8@0.4", "diverse-castle"]}
    assert client.post("/api/audit", json={**asked, "model": "miniature"}).status_code in (202, 422)
    assert client.post("/api/audit", json={**ASKED, "adapter": ["brand.safetensors:0.8"]}).status_code == 202


@pytest.mark.parametrize("verb", ["audit", "preflight", "explain", "mitigate", "generate"])
def test_a_machine_of_workers_serves_commands_that_take_none(serve: Callable[..., TestClient], verb: str) -> None:
    client = serve(machine=Machine(workers=2, batch=4, offload="model"))
    body = {"prompt": "a [mug]"} if verb == "explain" else {"prompts": ["a [mug]"]}
    answer = client.post(f"/api/{verb}", json=body)
    assert answer.status_code == 202, answer.text


def test_the_queue_has_an_end(serve: Callable[..., TestClient]) -> None:
    client = serve(most_waiting=2)
    assert [client.post("/api/audit", json=ASKED).status_code for _ in range(3)] == [202, 202, 503]


def test_a_job_can_be_stopped_and_go_on(client: TestClient) -> None:
    job = client.post("/api/preflight", json={"prompts": ["a [castle:landmark] and a [chair]"]}).json()
    assert job["run"] is None
    assert client.post(f"/api/jobs/{job['id']}/stop", json={}).json()["state"] == "stopped"
    assert client.post(f"/api/jobs/{job['id']}/again", json={}).json()["state"] == "queued"
    assert client.post(f"/api/jobs/{job['id']}/again", json={}).status_code == 409
    assert client.post("/api/jobs/none/stop", json={}).status_code == 404
    assert client.get(f"/api/preflight/{job['id']}").status_code == 404


def test_images_are_sent_and_their_score_asked_for(client: TestClient, root: Path) -> None:
    upload = client.post("/api/uploads", json={}).json()["upload"]
    assert client.post(f"/api/uploads/{upload}", content=b"<svg/>", headers=IMAGE).status_code == 422
    assert client.post("/api/score", json={"upload": upload, "prompts": ["a [mug]"]}).status_code == 422
    named = {**IMAGE, "dominance-name": "..%2FSchlo%C3%9F am See.JPG"}
    sent = client.post(f"/api/uploads/{upload}", content=png(), headers=named)
    assert (sent.status_code, sent.json()["file"]) == (201, "0001-Schlo\u00df am See.png")
    assert client.get("/api/uploads").json()[0]["files"] == ["0001-Schlo\u00df am See.png"]
    job = client.post("/api/score", json={"upload": upload, "prompts": ["a [mug]"]}).json()
    config = YAML(typ="safe").load((root / ".serve" / "jobs" / job["id"] / "job.yaml").read_text())
    assert Path(config["images"]) == root / ".serve" / "uploads" / upload


def test_runs_are_listed_filtered_and_compared(client: TestClient, root: Path) -> None:
    make_run(root, "one")
    make_run(root, "two", model="other")
    make_run(root, "begun", finished=False)
    (root / "notes").mkdir()
    listed = {card["name"]: card for card in client.get("/api/runs").json()}
    assert set(listed) == {"one", "two", "begun"}
    assert listed["one"]["verdicts"] == {"collapsed": 1, "balanced": 1, "lost": 1}
    assert (listed["one"]["title"], listed["one"]["page"], listed["begun"]["page"]) == (
        "a castle and a chair", "report.html", None,
    )  # fmt: skip
    assert [card["name"] for card in client.post("/api/runs/search", json={"words": "OTHER castle"}).json()] == ["two"]
    assert len(client.get("/api/runs?verdict=lost").json()) == 2
    assert client.get("/api/runs?kind=mitigation").json() == []
    job = client.post("/api/runs/one/beside", json={"other": "two"}).json()
    assert (job["verb"], job["run"]) == ("compare", "one")
    assert client.delete("/api/runs/two").status_code == 409  # the job reads it
    for other in ("one", "../two", "notes", ""):
        assert client.post("/api/runs/one/beside", json={"other": other}).status_code == 422
    assert client.get("/api/runs/nothing").status_code == 404


def test_a_run_that_another_version_wrote_does_not_hide_the_others(client: TestClient, root: Path) -> None:
    make_run(root, "one")
    (root / "broken").mkdir()
    (root / "broken" / "run.sqlite").write_bytes(b"no ledger at all" * 100)
    assert [card["name"] for card in client.get("/api/runs").json()] == ["one"]
    assert client.get("/runs/broken").status_code == 404


def test_a_score_needs_a_marked_prompt_and_an_image(client: TestClient) -> None:
    for prompt, content in (("a mug", png()), ("a [mug]", b"<svg/>"), ("x" * 6000, png()), ("a [mug", png())):
        answer = client.post("/score", content=content, headers={**IMAGE, "dominance-prompt": prompt})
        assert answer.status_code == 422, answer.text
    answer = client.post("/score?prompt=a [mug]", content=png(), headers=IMAGE)
    assert answer.status_code == 422
    assert "in the header Dominance-Prompt" in answer.json()["error"]  # addresses are logged by proxies


@pytest.mark.parametrize(
    "sent",
    ["a [caf\u00e9] and 50% [milk]".encode(), b"a [caf%C3%A9] and 50%25 [milk]", b"a [caf%c3%a9] and 50% [milk]"],
)
def test_a_prompt_in_a_header_may_be_any_text(client: TestClient, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    asked: list[str] = []

    async def score(judge: LiveJudge, about: Asked) -> str:
        asked.append(about.prompt)
        return "seen"

    monkeypatch.setattr(LiveJudge, "score", score)
    client.post("/score", content=png(), headers={**IMAGE, "dominance-prompt": sent})
    assert asked == ["a [caf\u00e9] and 50% [milk]"]
    assert client.post("/score", content=png(), headers={**IMAGE, "dominance-prompt": b"a [%ff]"}).status_code == 422


def test_the_metrics_count(client: TestClient) -> None:
    client.post("/api/audit", json=ASKED)
    client.get("/api/jobs", headers={"host": "evil.example"})
    text = client.get("/metrics").text
    assert 'dominance_jobs{state="queued"} 1' in text
    assert 'dominance_requests_total{method="POST",route="/api/audit",status="202"} 1' in text
    assert 'dominance_requests_refused_total{status="421"} 1' in text
    for line in text.splitlines():
        assert line.startswith("# ") or len(line.rsplit(" ", 1)) == 2


def test_the_document_is_made_from_options_and_results(client: TestClient) -> None:
    document = client.get("/api/openapi.json").json()
    schemas = document["components"]["schemas"]
    for name, verb in VERBS.items():
        body = schemas[f"{name.capitalize()}Request"]["properties"]
        assert {option.name for option in opened(verb.options)} <= set(body)
        result = document["paths"][f"/api/{name}/{{job}}"]["get"]["responses"]["200"]["content"]["application/json"]
        assert result["schema"].get("properties") or result["schema"].get("items")
    assert "verdict" in schemas["LiveScore"]["properties"]
    assert "seeds" in str(schemas["AuditRequest"]["properties"]["seeds"]["description"]).lower()

    def refs(value: object) -> set[str]:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        own = {value["$ref"]} if isinstance(value, dict) and isinstance(value.get("$ref"), str) else set()
        return own.union(*map(refs, inner))

    for ref in refs(document):
        assert ref.removeprefix("#/components/schemas/") in schemas, ref


@pytest.mark.parametrize(
    "options",
    [
        {"host": "a b"},
        {"port": 70_000},
        {"jobs_at_once": 0},
        {"keep_days": 0},
        {"body_seconds": -1.0},
        {"judge": ("answers:x.csv",)},
        {"model": ()},
    ],
)
def test_options_out_of_range_are_refused(options: dict) -> None:
    with pytest.raises(InputError):
        ServeOptions(**options)


def test_methods_that_are_made_up_are_counted_as_one(client: TestClient) -> None:
    for number in range(3):
        client.request(f"MADEUP{number}", "/login")
    text = client.get("/metrics").text
    assert "MADEUP" not in text
    assert 'method="other"' in text


def test_a_job_that_finds_no_place_leaves_no_files(serve: Callable[..., TestClient], root: Path) -> None:
    client = serve(most_waiting=1)
    assert [client.post("/api/audit", json=ASKED).status_code for _ in range(3)] == [202, 503, 503]
    assert len(list((root / ".serve" / "jobs").iterdir())) == 1


def test_of_many_runs_the_latest_are_listed(client: TestClient, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dominance.serve.runs._MOST", 2)
    for age, name in enumerate(("c", "b", "a")):
        os.utime(make_run(root, name), (0, 10**9 - age))
    assert {card["name"] for card in client.get("/api/runs").json()} == {"c", "b"}


def stored(root: Path, client: TestClient, asked: dict = ASKED) -> Job:
    id = client.post("/api/audit", json=asked).json()["id"]
    jobs = Jobs(root / ".serve" / "jobs.sqlite")
    job = jobs.get(id)
    jobs.close()
    assert job
    return job


def test_a_comparison_runs_nothing_of_what_a_run_was_made_with(client: TestClient, root: Path) -> None:
    for name in ("one", "two"):
        run = make_run(root, name)
        (run / "run.yaml").write_text("command: audit\nsuite: /etc/passwd\nmodel: /models/evil\nengine: ray\n")
    id = client.post("/api/runs/one/beside", json={"other": "two"}).json()["id"]
    jobs = Jobs(root / ".serve" / "jobs.sqlite")
    job = jobs.get(id)
    jobs.close()
    assert job
    assert job.command == ("report", str(root / "one"), "--beside", str(root / "two"), "--json")


def test_a_stored_job_runs_only_if_this_service_would_make_it(serve: Callable[..., TestClient], root: Path) -> None:
    models = ("miniature", "owner/other")
    first = stored(root, serve(model=models), {**ASKED, "model": "owner/other"})
    service = ServeOptions(folder=root, model=models)
    uploads = Uploads(root / ".serve" / "uploads", Most(1, 1), 1)
    Desk(service, uploads).check_stored(first)
    with pytest.raises(InputError, match="does not load the model 'owner/other'"):
        Desk(replace(service, model=("miniature",)), uploads).check_stored(first)
    with pytest.raises(InputError, match="does not load the judge"):
        Desk(replace(service, judge=("blip:other",)), uploads).check_stored(first)
    others = [
        ("audit", "--config", str(root / "one" / "run.yaml"), "--json"),
        (*first.command, "--device", "cuda"),
        ("train", *first.command[1:]),
        ("report", str(root / "one"), "--beside", "/etc", "--json"),
    ]
    for command in others:
        for verb in ("audit", "compare"):
            with pytest.raises(InputError):
                Desk(service, uploads).check_stored(replace(first, command=command, verb=verb))
    config = root / ".serve" / "jobs" / first.id / "job.yaml"
    config.write_text(config.read_text() + "adapter: [/etc/passwd]\n")
    with pytest.raises(InputError, match="does not load the adapter"):
        Desk(service, uploads).check_stored(first)

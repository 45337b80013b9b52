"""``dominance audit`` and ``dominance score`` with judges that are elsewhere: an endpoint with faults, and labels."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mock_endpoint import Call, MockEndpoint, Reply, completion, error, serving, with_logprobs
from PIL import Image

from dominance.judges.openai.endpoint import Patience
from dominance.records import KINDS

Command = Callable[..., Any]
SECRET = "sk-very-secret-0123456789"
SUITE = """
name: campaign
prompts:
  - {id: pair, prompt: "a [tower:landmark] on a [mug]"}
  - {id: lamp, prompt: "a [lamp]"}
"""


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockEndpoint]:
    monkeypatch.setenv("DOMINANCE_JUDGE_KEY", SECRET)
    quick = Patience(tries=6, first_wait=0.001, longest_wait=0.002, reply=2.0, connect=2.0, connections=4)
    monkeypatch.setattr("dominance.judges.openai.judge.patience_from", lambda: quick)
    with serving(MockEndpoint(seen)) as running:
        yield running


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six pictures of two prompts, whose red says which one it is, and the suite."""
    for prompt, reds in (("pair", (0, 10, 20)), ("lamp", (30, 40, 50))):
        (tmp_path / "pictures" / prompt).mkdir(parents=True)
        for number, red in enumerate(reds):
            Image.new("RGB", (8, 8), (red, 0, 0)).save(tmp_path / "pictures" / prompt / f"{number}.png")
    (tmp_path / "campaign.yaml").write_text(SUITE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def red(call: Call) -> int:
    return call.image.convert("RGB").getpixel((0, 0))[0]


def seen(call: Call) -> Reply:
    """A tower and a lamp in every picture, and no mug."""
    return with_logprobs(0.1 if "mug" in call.question else 0.9)


def score(endpoint: MockEndpoint, *options: object) -> tuple[object, ...]:
    return ("score", "pictures", "--suite", "campaign.yaml", "--judge", endpoint.judge, "--out", "run", *options)


def problems(document: dict) -> dict[tuple[str, str], str]:
    return {(p["id"], one["image"]): one["problem"] for p in document["prompts"] for one in p["problems"]}


def check_secret(place: Path, *printed: Any) -> None:
    """The key stands in no file below the folder and in nothing that was printed."""
    for file in place.rglob("*"):
        assert not file.is_file() or SECRET.encode() not in file.read_bytes(), file
    for finished in printed:
        assert SECRET not in finished.out + finished.err


def test_an_endpoint_scores_pictures(command: Command, endpoint: MockEndpoint, workplace: Path) -> None:
    ran = command(*score(endpoint, "--json"))
    assert ran.status == 0, ran.err
    pair, lamp = ran.document["prompts"]
    assert (pair["verdict"], pair["dominating"], pair["dvd_mean"]) == ("dominance", "tower", 100.0)
    assert (lamp["verdict"], lamp["presence"]) == ("balanced", {"lamp": 1.0})
    assert ran.document["judge"] == endpoint.judge
    assert len(endpoint.calls) == 3 * 10 + 3 * 5
    assert all(call.headers["Authorization"] == f"Bearer {SECRET}" for call in endpoint.calls)
    with sqlite3.connect("run/run.sqlite") as ledger:
        stored = {round(p_yes, 6) for (p_yes,) in ledger.execute("SELECT p_yes FROM answers")}
        (manifest,) = ledger.execute("SELECT value FROM manifest WHERE name = 'manifest'").fetchone()
    assert stored == {0.1, 0.9}
    assert json.loads(manifest)["judge"]["answered"] == {"with_p_yes": 45, "yes_or_no_alone": 0}
    assert json.loads(manifest)["judge"]["model"] == "mock-vl"
    again = command(*score(endpoint, "--json"))
    assert (again.status, len(endpoint.calls)) == (0, 45)
    assert again.document["prompts"] == ran.document["prompts"]
    check_secret(workplace, ran, again)


def test_faults_cost_nothing_but_time(command: Command, endpoint: MockEndpoint, workplace: Path) -> None:
    faults = {
        0: error(429, "slow down", Retry_After="0"),
        3: error(500, f"your key {SECRET} met a fault"),
        7: Reply(after=2.5),
        11: Reply(b'{"choices": ['),
        16: Reply(dropped=True),
        20: error(503),
    }
    endpoint.answer = lambda call: faults.get(call.number) or seen(call)
    ran = command(*score(endpoint, "--json"))
    assert ran.status == 0, ran.err
    assert (ran.document["scored"], problems(ran.document)) == (6, {})
    assert len(endpoint.calls) == 45 + len(faults)
    check_secret(workplace, ran)


def test_what_stays_unscored_is_named_and_it_alone_is_asked_again(
    command: Command, endpoint: MockEndpoint, workplace: Path
) -> None:
    (workplace / "pictures" / "lamp" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")

    def faulty(call: Call) -> Reply:
        if red(call) == 10 and "mug" in call.question:
            return error(500, f"no memory for {SECRET}")
        return completion("I cannot tell.") if red(call) == 40 else seen(call)

    endpoint.answer = faulty
    ran = command(*score(endpoint, "--json"))
    assert ran.status == 3
    assert (ran.document["scored"], ran.document["unscored"]) == (3, 3)
    found = problems(ran.document)
    assert found["pair", "1.png"] == "HTTP 500: no memory for [key] (6 tries)"
    assert found["lamp", "1.png"] == "the judge's answer was 'I cannot tell.', neither yes nor no"
    assert found["lamp", "2.png"].endswith("is not an image")
    for (prompt, image), reason in found.items():
        assert f"unscored: image {image} of prompt {prompt}: {reason}\n" in ran.err
    before = len(endpoint.calls)
    endpoint.answer = seen
    again = command(*score(endpoint, "--json"))
    assert (again.status, set(problems(again.document))) == (3, {("lamp", "2.png")})
    assert len(endpoint.calls) == before + 5 + 5
    Image.new("RGB", (8, 8), (50, 0, 0)).save(workplace / "pictures" / "lamp" / "2.png")
    mended = command(*score(endpoint, "--json"))
    assert (mended.status, len(endpoint.calls)) == (0, before + 15)
    check_secret(workplace, ran, again, mended)


def test_an_endpoint_that_dies_stops_the_run_in_one_line_and_loses_no_answer(
    command: Command, endpoint: MockEndpoint, workplace: Path
) -> None:
    endpoint.answer = lambda call: seen(call) if call.number < 20 else error(503, "loading the model")
    ran = command(*score(endpoint))
    assert (ran.status, ran.out) == (2, "")
    last = ran.err.splitlines()[-1]
    assert "stopped answering" in last
    assert "HTTP 503: loading the model" in last
    assert "run the same command again" in last
    with sqlite3.connect("run/run.sqlite") as ledger:
        (kept,) = ledger.execute("SELECT count(*) FROM answers").fetchone()
    assert kept == 20
    before = len(endpoint.calls)
    assert before < 80
    endpoint.answer = seen
    again = command(*score(endpoint, "--json"))
    assert (again.status, again.document["scored"]) == (0, 6)
    assert len(endpoint.calls) == before + 25
    check_secret(workplace, ran, again)


def test_answers_by_text_alone_carry_no_probability(command: Command, endpoint: MockEndpoint, workplace: Path) -> None:
    def plain(call: Call) -> Reply:
        if "logprobs" in call.body:
            return error(400, "logprobs are not supported")
        return completion("No." if "mug" in call.question else "Yes.")

    endpoint.answer = plain
    ran = command(*score(endpoint, "--json"))
    assert (ran.status, ran.document["prompts"][0]["dvd_mean"]) == (0, 100.0)
    with sqlite3.connect("run/run.sqlite") as ledger:
        assert ledger.execute("SELECT DISTINCT p_yes FROM answers").fetchall() == [(None,)]


def test_a_file_of_questions_replaces_ours_everywhere(
    command: Command, endpoint: MockEndpoint, workplace: Path, tiny_model: Path
) -> None:
    asked = [f"{kind}: ['Do you see {{concept}}?']\n" for kind in KINDS]
    (workplace / "mine.yaml").write_text("".join(asked))
    ran = command(*score(endpoint, "--json", "--questions", "mine.yaml"))
    assert (ran.status, ran.document["settings"]["questions"]) == (0, "mine")
    arguments = ("--model", tiny_model, "--seeds", 2, "--steps", 1, "--judge", endpoint.judge, "--out", "audited")
    audited = command("audit", "campaign.yaml", *arguments, "--json", "--questions", "mine.yaml")
    assert audited.status == 0, audited.err
    assert audited.document["prompts"][0]["dvd_mean"] == 100.0
    assert len(endpoint.calls) == 3 * 2 + 3 + 2 * 2 + 2
    assert {call.question.partition("?")[0] for call in endpoint.calls} == {
        "Do you see tower",
        "Do you see mug",
        "Do you see lamp",
    }
    check_secret(workplace, ran, audited)


@pytest.mark.parametrize(
    ("judge", "found"),
    [
        ("openai:", "openai:URL#MODEL"),
        ("openai:http://127.0.0.1:1/v1", "names no model"),
        ("openai:127.0.0.1:1#m", "http:// or https://"),
        ("openai:http://127.0.0.1:1/v1#m", "nothing answers at http://127.0.0.1:1/v1"),
        (f"openai:http://me:{SECRET}@127.0.0.1:1/v1#m", "contains a user name"),
        (f"openai:http://127.0.0.1:1/v1?key={SECRET}#m", "contains a user name, a password or a query"),
        ("openai:http://gpu-box:8000/v1#m", "unencrypted to gpu-box:8000"),
        ("answers:", "answers:FILE"),
        ("answers:missing.csv", "the answers in missing.csv: no such file; check the path"),
        ("answers:campaign.yaml", "*.csv, *.tsv or *.jsonl"),
        ("answers:empty.csv", "empty.csv: no answers"),
        ("answers:other.csv", ": no column image"),
    ],
)
def test_judges_that_cannot_be_used(
    command: Command, endpoint: MockEndpoint, workplace: Path, judge: str, found: str
) -> None:
    (workplace / "empty.csv").touch()
    (workplace / "other.csv").write_text("prompt_id,seed,concept,present\npair,0,mug,1\n")
    for arguments in (("score", "pictures", "--suite", "campaign.yaml"), ("audit", "campaign.yaml")):
        refused = command(*arguments, "--judge", judge, "--out", "run")
        assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1), refused
        assert found in refused.err
        assert not (workplace / "run").exists()
        check_secret(workplace, refused)


def test_a_key_that_is_not_accepted_is_said_before_anything_is_made(
    command: Command, endpoint: MockEndpoint, workplace: Path
) -> None:
    endpoint.models = error(401, f"Incorrect API key provided: {SECRET}")
    refused = command(*score(endpoint))
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert "set DOMINANCE_JUDGE_KEY to a valid key" in refused.err
    assert not (workplace / "run").exists()
    check_secret(workplace, refused)


LABELS = """prompt_id,image,concept,present,labeller
pair,0.png,tower,yes,ann
pair,0.png,mug,no,ann
pair,1.png,tower,yes,ann
pair,1.png,mug,yes,ann
pair,2.png,tower,yes,ann
pair,2.png,tower,yes,bob
pair,2.png,tower,no,cem
pair,2.png,mug,no,ann
lamp,0.png,lamp,yes,ann
lamp,1.png,lamp,yes,ann
lamp,1.png,lamp,no,bob
"""


def test_labels_score_pictures_and_what_they_lack_is_named(command: Command, workplace: Path) -> None:
    (workplace / "labels.csv").write_text(LABELS)
    arguments = ("score", "pictures", "--suite", "campaign.yaml", "--judge", "answers:labels.csv", "--out", "run")
    ran = command(*arguments, "--json")
    assert ran.status == 3, ran.err
    pair, lamp = ran.document["prompts"]
    assert (pair["collapsed"], pair["balanced"], pair["dominating"]) == (2, 1, "tower")
    assert pair["dvd_mean"] == pytest.approx(200 / 3)
    assert (lamp["scored"], lamp["presence"]) == (1, {"lamp": 1.0})
    assert problems(ran.document) == {
        ("lamp", "1.png"): "1 of 2 labels say yes about 'lamp': a tie (lines 11, 12)",
        ("lamp", "2.png"): "labels.csv says nothing about 'lamp' in image '2.png' of prompt 'lamp'",
    }
    with sqlite3.connect("run/run.sqlite") as ledger:
        asked = {question for (question,) in ledger.execute("SELECT question FROM answers")}
    assert asked == {f"Is {concept} present, by its label?" for concept in ("tower", "mug", "lamp")}
    (workplace / "labels.csv").write_text(LABELS + "lamp,1.png,lamp,yes,cem\nlamp,2.png,lamp,no,ann\n")
    mended = command(*arguments, "--json")
    assert (mended.status, mended.document["unscored"]) == (0, 0)
    assert mended.document["prompts"][1]["presence"] == {"lamp": pytest.approx(2 / 3)}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("pear,0.png,mug,yes,ann", "labels.csv: line 13: no prompt 'pear'; did you mean 'pair'?"),
        ("pair,9.png,mug,yes,ann", "labels.csv: line 13: the prompt 'pair' has no image '9.png'"),
        ("pair,0.png,mgu,yes,ann", "labels.csv: line 13: no concept 'mgu'; did you mean 'mug'?"),
        ("pair,0.png,mug,yes,ann", "labels.csv: line 13: contradicts line 3"),
        ("pair,0.png,mug,perhaps,ann", "labels.csv: line 13: present is 'perhaps'"),
        ("pair,0.png,mug", "labels.csv: line 13: 3 fields for 5 columns"),
    ],
)
def test_labels_that_are_wrong_are_refused_by_line(command: Command, workplace: Path, line: str, found: str) -> None:
    (workplace / "labels.csv").write_text(LABELS + line + "\n")
    refused = command("score", "pictures", "--suite", "campaign.yaml", "--judge", "answers:labels.csv", "--out", "run")
    assert (refused.status, refused.out) == (2, "")
    assert found in refused.err.splitlines()[-1]
    assert not (workplace / "run").exists()


def test_people_label_the_pictures_of_an_audit_by_seed_or_by_file(
    command: Command, workplace: Path, tiny_model: Path
) -> None:
    arguments = ("--model", tiny_model, "--seeds", 2, "--steps", 1, "--judge", "answers:labels.jsonl", "--out", "run")
    (workplace / "labels.jsonl").write_text('{"prompt_id": "lamp", "image": 0, "concept": "lamp", "present": true}\n')
    first = command("audit", "campaign.yaml", *arguments, "--json")
    assert (first.status, first.document["scored"], first.document["images"]) == (3, 1, 4)
    files = sorted(path.name for path in (workplace / "run" / "images" / "pair").iterdir())
    rows = [f'{{"prompt_id": "lamp", "image": {seed}, "concept": "lamp", "present": true}}' for seed in (0, 1)]
    rows += [
        f'{{"prompt_id": "pair", "image": "{file}", "concept": "{concept}", "present": {present}}}'
        for file in files
        for concept, present in (("tower", 0.9), ("mug", 0.2))
    ]
    (workplace / "labels.jsonl").write_text("\n".join(rows))
    second = command("audit", "campaign.yaml", *arguments, "--json")
    assert (second.status, second.document["prompts"][0]["collapsed"]) == (0, 2)
    for ran in (first, second):
        assert ran.err.count("note: the labels in labels.jsonl name images by seed") == 1

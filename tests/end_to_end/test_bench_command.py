"""``dominance bench`` and the official formats, from the command line, on tiny models."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tiny_families import lora_of_one_layer

from dominance.runs.store.ledger import Ledger

Command = Callable[..., Any]
Options = tuple[object, ...]


@pytest.fixture
def tiny(tiny_model: Path, tiny_judge: Path) -> Options:
    return ("--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--pools", "miniature", "--seeds", 2)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_build_that_finds_nothing_says_what_is_missing_and_can_be_shown_and_not_exported(
    command: Command, tiny: Options, tmp_path: Path
) -> None:
    """The tiny models are random: what they keep is not known, but that the bench is whole is."""
    built = command("bench", "build", *tiny, "--target", 2, "--limit", 4, "--out", "b", "--json")
    document = built.document
    assert built.status == (0 if document["complete"] else 3)
    assert sum(stream["tried"] for stream in document["streams"]) >= 4
    assert "prompts kept: 0 of 4" in built.err
    if document["stopped"]:
        assert document["stopped"] in built.err
    assert {"CARD.md", "bench.json", "contact.html", "run.sqlite"} <= {path.name for path in Path("b").iterdir()}
    images = sorted(Path("b/images").rglob("*.png"))
    again = command("bench", "build", *tiny, "--target", 2, "--limit", 4, "--out", "b", "--json")
    assert again.document["prompts"] == document["prompts"]
    assert sorted(Path("b/images").rglob("*.png")) == images
    shown = command("bench", "show", "b", "--json")
    assert (shown.status, shown.document["streams"]) == (0, document["streams"])
    table = command("bench", "show", "b")
    assert "landmark" in table.out
    assert "yield" in table.out
    twice = command("bench", "show", "b", "b", "--json").document
    assert [one["name"] for one in twice["yields"]] == [stream["name"] for stream in document["streams"]]
    assert {one["difference"][0] for one in twice["yields"] if one["difference"]} == {0}
    assert "candidates that qualified" in command("bench", "show", "b", "b").out
    kept = [prompt["part"] for prompt in document["prompts"]]
    exported = command("bench", "export", "b", "--format", "jsonl", "--out", "b.jsonl")
    assert exported.status == (0 if kept else 2)
    assert Path("b.jsonl").exists() is bool(kept)


def test_an_estimate_says_the_least_and_the_most_and_writes_nothing(command: Command, tiny: Options) -> None:
    options = ("bench", "build", *tiny, "--target", 2, "--limit", 4, "--out", "b", "--estimate")
    document = command(*options, "--json").document
    assert (document["prompts"], document["candidates"]) == (4, 4)
    assert (document["images_first"], document["images_each"]) == (1, 2)
    assert (document["least"]["images_to_draw"], document["found"]) == (4, 0)
    assert (document["most"]["images_to_draw"], document["most"]["questions_to_ask"]) == (8, 80)
    told = command(*options).out
    assert "4 prompts to find among 4 candidates, at 1 to 2 images each\n" in told
    assert "at the least, with 0 prompts found:\n  4 images: 0 there, 4 to draw\n" in told
    assert "at the most, with every candidate tried to its last image:\n  8 images: 0 there, 8 to draw\n" in told
    assert told.endswith("nothing was drawn, asked or written; run the command without --estimate to do it, in b\n")
    assert not Path("b").exists()


def test_a_bench_of_an_adapted_model_notes_the_adapter(command: Command, tiny: Options, tiny_model: Path) -> None:
    file = lora_of_one_layer(tiny_model, Path("brand.safetensors"))
    arguments = (*tiny, "--adapter", f"{file}:0.5", "--target", 2, "--limit", 2, "--out", "b", "--json")
    built = command("bench", "build", *arguments)
    assert built.status in (0, 3)
    assert "note on the adapter" in built.err
    with Ledger(Path("b") / "run.sqlite") as ledger:
        (noted,) = ledger.get("manifest")["model"]["adapters"]
    assert (noted["file"], noted["strength"]) == ("brand.safetensors", 0.5)
    other = command("bench", "build", *tiny, "--target", 2, "--limit", 2, "--out", "b")
    assert other.status == 2


BAD: dict[str, Options] = {
    "target 0": ("build", "--target", 0),
    "unknown caption style": ("build", "--pools", "miniature", "--styles", "sonnet"),
    "unknown category": ("build", "--categories", "planets"),
    "unknown pools": ("build", "--pools", "nowhere"),
    "missing pools": ("build", "--pools", "nowhere.yaml"),
    "a pool with one object": ("build", "--pools", "one.yaml"),
    "pools that the judge does not know": ("build", "--pools", "default"),
    "cap too small": ("build", "--target", 100, "--cap", 1),
    "no seeds": ("build", "--seeds", 0),
    "a batch that is a word": ("build", "--batch", "many"),
    "show of nothing": ("show", "nowhere"),
    "show of a folder that is no bench": ("show", "."),
    "comparison with nothing": ("show", ".", "nowhere"),
    "results without a column": ("show", "cut.csv", "nowhere"),
    "csv of one bench": ("show", ".", "--csv", "x.csv"),
    "export of nothing": ("export", "nowhere", "--format", "csv", "--out", "x.csv"),
    "export into a folder": ("export", "nowhere", "--format", "csv", "--out", "."),
    "unknown format": ("export", "nowhere", "--format", "xlsx", "--out", "x"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_line_and_leaves_nothing(
    command: Command, case: str, tiny_model: Path, tiny_judge: Path
) -> None:
    Path("one.yaml").write_text('landmarks: [a tower]\nobjects: [a mug]\nstyles: {and: "{a} and {b}"}\n')
    Path("cut.csv").write_text("case_num,content_type,content,nm_word,prompt\n1,artist,rembrandt,mug,rembrandt mug\n")
    before = sorted(Path.cwd().rglob("*"))
    first, *others = BAD[case]
    models = ("--model", tiny_model, "--judge", f"blip:{tiny_judge}") if first == "build" else ()
    finished = command("bench", first, *models, *others)
    assert finished.status == 2
    assert finished.out == ""
    assert finished.err.startswith("error: ")
    assert finished.err.count("\n") == 1
    assert sorted(Path.cwd().rglob("*")) == before


def test_a_folder_of_another_bench_is_refused_and_an_unfinished_one_is_not_exported(
    command: Command, tiny: Options
) -> None:
    import contextlib
    import sqlite3

    command("bench", "build", *tiny, "--target", 2, "--limit", 2, "--out", "b")
    refused = command("bench", "build", *tiny, "--target", 3, "--out", "b")
    assert (refused.status, refused.err) == (2, "error: b holds a bench with target 2, not 3; give another --out\n")
    audited = command("audit", "a [tower:landmark] and a [mug]", *tiny[:4], "--seeds", 1, "--out", "b")
    assert audited.status == 2
    with contextlib.closing(sqlite3.connect("b/run.sqlite")) as database:
        database.execute("UPDATE manifest SET value = '{\"finished\": false}' WHERE name = 'bench'")
        database.commit()
    exported = command("bench", "export", "b", "--format", "csv", "--out", "x.csv")
    assert exported.status == 2
    assert "the bench in b is not finished; run its `dominance bench build` command again" in exported.err


def test_official_prompts_and_folders_of_images_become_official_results(
    command: Command, tiny_judge: Path, tmp_path: Path
) -> None:
    Path("official.csv").write_text(
        "case_num,content_type,content,nm_word,prompt\n"
        '1,landmark,tower,mug,"tower, ""mug"""\n'
        "2,character,wizard,lamp,wizard lamp\n"
    )
    for case in ("case001_tower_mug", "case002_wizard"):
        Path("pictures", case).mkdir(parents=True)
        for seed in range(2):
            Image.new("RGB", (32, 32), (60 * seed, 100, 30)).save(f"pictures/{case}/{seed}.png")
    scored = command(
        "score", "pictures", "--suite", "official.csv", "--judge", f"blip:{tiny_judge}", "--out", "r",
        "--export", "official", "--json",
    )  # fmt: skip
    assert scored.status == 0
    assert scored.document["scored"] == 4
    head, *rows = Path("r/official-results.csv").read_bytes().decode().split("\r\n")
    assert head == (
        "case_num,content_type,content,nm_word,prompt,image_path,image_name,content_answers,nm_answers,"
        "content_score,nm_score,dvd_score,dvd_mean_case"
    )
    assert len(rows) == 5
    assert rows[0].startswith('1,landmark,tower,mug,"tower, ""mug""",')
    shown = command("bench", "show", "r", "r/official-results.csv", "--csv", "both.csv", "--json")
    assert shown.status == 0
    assert [one["collapse_difference"]["difference"] for one in shown.document["prompts"]] == [0, 0]
    assert len(Path("both.csv").read_text().splitlines()) == 3
    text = command("bench", "show", "r", "r/official-results.csv")
    assert "prompt by prompt" in text.out
    assert 'tower, "mug"' in text.out


def test_labels_of_presence_alone_are_judged_with_one_question_a_concept(
    command: Command, tiny_judge: Path, tmp_path: Path
) -> None:
    Path("one.yaml").write_text(
        "\n".join(
            f'{kind}: ["Is any part of the {kind} {{concept}} visible in this picture?"]'
            for kind in ("landmark", "character")
        )
        + '\nobject: ["Is any part of {a_concept} visible in this picture?"]\n'
        'artist: ["Is this picture in the style of {concept}?"]\n'
    )
    Path("pictures").mkdir()
    Image.new("RGB", (32, 32), "red").save("pictures/0.png")
    scored = command(
        "score", "pictures", "--suite", "a [tower:landmark] and a [mug]", "--judge", f"blip:{tiny_judge}",
        "--questions", "one.yaml", "--out", "r", "--export", "official", "--json",
    )  # fmt: skip
    assert scored.document["prompts"][0]["dvd_mean"] in (0.0, 100.0)
    assert (
        ",[1]," in Path("r/official-results.csv").read_text() or ",[0]," in Path("r/official-results.csv").read_text()
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--suite", "a [mug] and a [lamp] and a [book]", "--export", "official"), "the official columns hold two"),
        (("--suite", "a [mug] and a [lamp]", "--export", "excel"), "no export 'excel'; give official"),
        (("--suite", "cut.csv"), "the column 'nm_word' is missing"),
        (("--suite", "a [mug]", "--judge-mode", "sloppy"), "no judge mode 'sloppy'"),
    ],
)
def test_scores_that_cannot_be_given_are_refused_first(
    command: Command, tiny_judge: Path, options: Options, words: str
) -> None:
    Path("cut.csv").write_text("case_num,content_type,content,prompt\n1,artist,rembrandt,rembrandt mug\n")
    Path("pictures").mkdir()
    Image.new("RGB", (32, 32), "red").save("pictures/0.png")
    scored = command("score", "pictures", "--judge", f"blip:{tiny_judge}", "--out", "r", *options)
    assert scored.status == 2
    assert words in scored.err
    assert not Path("r").exists()


def test_the_exported_bench_is_a_suite_for_the_audit_and_for_score(
    command: Command, tiny: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a judge that sees the first concept alone, every candidate is kept."""
    import zlib

    from dominance.judges.blip import BlipJudge
    from dominance.judges.protocol import as_answer

    def answer(self: object, images: list, questions: list) -> list:
        return [tuple(as_answer(q, float(zlib.crc32(q.concept.encode()) % 2)) for q in asked) for asked in questions]

    monkeypatch.setattr(BlipJudge, "answer", answer)
    built = command("bench", "build", *tiny, "--target", 2, "--out", "b", "--json")
    assert built.document["complete"] or built.status == 3
    assert [p["part"] for p in built.document["prompts"]].count("dominance") == 2
    audited = command("audit", "b/suite.yaml", *tiny[:4], "--seeds", 2, "--out", "a", "--json")
    assert {p["id"] for p in audited.document["prompts"]} == {p["id"] for p in built.document["prompts"]}
    shown = command("bench", "show", "b", "a", "--json")
    assert {one["collapse_difference"]["difference"] for one in shown.document["prompts"]} == {0}
    assert command("bench", "export", "b", "--format", "official-images", "--out", "pictures").status == 0
    scored = command("score", "pictures", "--suite", "pictures/prompts.csv", *tiny[2:4], "--out", "s", "--json")
    assert (scored.status, scored.document["scored"]) == (0, 4)
    exported = command("bench", "export", "b", "--format", "csv", "--out", "b.csv")
    assert exported.out == "wrote b.csv\n"
    assert Path("b.csv").read_bytes() == Path("pictures/prompts.csv").read_bytes()
    assert json.loads(Path("b/bench.json").read_text())["complete"] == built.document["complete"]

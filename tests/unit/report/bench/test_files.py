"""What a bench leaves in its folder, and its exports."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from dominance.errors import InputError, RunError
from dominance.records import Answer, Concept, Prompt, Question, RunResult, ScoredImage
from dominance.report.bench.export import export_bench
from dominance.report.bench.page import write_bench
from dominance.run_settings import RunSettings
from dominance.runs.bench.result import BenchResult, Kept, StreamTally, bench_of
from dominance.runs.stages.scoring import score_groups, score_image, score_prompt
from dominance.suites import load_suite

CASTLE, COASTER, MUG = Concept("Neuschwanstein Castle", "landmark"), Concept("coaster"), Concept('"big", mug')
TITLE = Prompt("title-1", "Neuschwanstein Castle coaster", (CASTLE, COASTER), "dominance")
PAIR = Prompt("pair-2", 'a "big", mug & a <coaster>', (MUG, COASTER), "balanced")


def image(prompt: Prompt, counts: tuple[int, int], name: str) -> ScoredImage:
    answers = [
        Answer(Question(c.name, f"{c.name} {grade}?", grade), grade <= yes)
        for c, yes in zip(prompt.concepts, counts, strict=True)
        for grade in range(1, 6)
    ]
    return score_image(prompt, name, f"images/{prompt.id}/{name}.png", answers)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for prompt in (TITLE, PAIR):
        place = tmp_path / "bench" / "images" / prompt.id
        place.mkdir(parents=True)
        for seed in range(10):
            Image.new("RGB", (8, 8), (seed * 20, 0, 0)).save(place / f"{seed}.png")
    return tmp_path / "bench"


@pytest.fixture
def bench(folder: Path) -> BenchResult:
    prompts = (
        score_prompt(TITLE, [image(TITLE, (5, 0) if seed < 8 else (5, 5), str(seed)) for seed in range(10)]),
        score_prompt(PAIR, [image(PAIR, (5, 4), str(seed)) for seed in range(10)]),
    )
    settings = {
        "seeds": list(range(10)), "needed": 7, "styles": ["title"], "pools": "own", "pools_identity": "sha256:x",
        "order_seed": 0, "caps": {"landmark": [2, 1], "balanced": [4, 2]},
    }  # fmt: skip
    manifest = {"model": {"identity": "sha256:m"}, "judge": {"identity": "sha256:j"}}
    run = RunResult(
        str(folder),
        "bench-own",
        "own",
        "some | judge",
        RunSettings.of(settings),
        prompts,
        score_groups(prompts),
        None,
        manifest,
    )
    kept = (
        Kept("title-1", "dominance", "landmark", "title", CASTLE.name, COASTER.name),
        Kept("pair-2", "balanced", "object", "and", MUG.name, COASTER.name),
    )
    tallies = (StreamTally("landmark", 2, 1, 7, 2, 0, 40), StreamTally("balanced", 2, 1, 0, 0, 0, 60))
    return bench_of(run, kept, tallies, "1 of 2 landmark prompts are missing: the limit of candidates was reached")


def test_a_folder_gets_suite_card_results_and_contact_sheet(bench: BenchResult, folder: Path) -> None:
    assert [path.name for path in write_bench(bench, folder)] == ["suite.yaml", "CARD.md", "bench.json", "contact.html"]
    assert load_suite(str(folder / "suite.yaml")).prompts == (TITLE, PAIR)
    document = json.loads((folder / "bench.json").read_text(encoding="utf-8"))
    first = document["prompts"][0]
    assert (first["id"], first["agreeing"], first["collapsed"], first["verdict"]) == ("title-1", 8, 8, "dominance")
    assert first["direction"] == {"dominating": "Neuschwanstein Castle", "dominated": "coaster"}
    assert document["streams"][0]["yield"] == pytest.approx(2 / 7)
    assert document["streams"][1]["yield"] is None
    assert document["manifest"]["model"]["identity"] == "sha256:m"
    assert (document["complete"], document["bench"]) == (False, str(folder))


def test_the_card_tells_yield_method_and_what_is_missing(bench: BenchResult, folder: Path) -> None:
    write_bench(bench, folder)
    card = (folder / "CARD.md").read_text(encoding="utf-8")
    for words in (
        "1 prompt on which one concept dominates another, and 1 balanced prompt on which",
        "**Incomplete:** 1 of 2 landmark prompts are missing",
        "| landmark | 2 | 1 | 40 | 7 | 2 | 2 of 7 (4 to 71%) | 0 |",
        "| balanced | 2 | 1 | 60 | 0 | 0 | – | 0 |",
        "This bench is of an earlier version, which did not count them apart",
        "at least 7 of them collapse in the same direction",
        "2 per concept and 1 per object (landmark)",
        "| what dominates | the landmark 1 |",
        "| model identity | sha256:m |",
        "dominance audit suite.yaml --model OTHER",
        "| caps | landmark: 2, 1; balanced: 4, 2 |",
        "| finished at | – |",
        "## Known limits",
    ):
        assert words in card


def test_the_contact_sheet_shows_every_image_and_escapes_names(bench: BenchResult, folder: Path) -> None:
    (folder / "images" / "pair-2" / "3.png").unlink()
    write_bench(bench, folder)
    page = (folder / "contact.html").read_text(encoding="utf-8")
    assert page.count("<img ") == 19
    assert "the file is missing" in page
    assert "&lt;coaster&gt;" in page
    assert "Neuschwanstein Castle dominates coaster in 8 of 10" in page
    assert "This bench is of an earlier version" in page, "as the card says it"
    assert '<li class="v-collapsed"' in page
    assert "<script" not in page


def test_csv_has_the_official_columns_and_the_dominance_prompts(bench: BenchResult, folder: Path) -> None:
    out = export_bench(bench, folder, "csv", folder / "out.csv")
    assert out.read_text(encoding="utf-8") == (
        "case_num,content_type,content,nm_word,prompt\n"
        "1,landmark,Neuschwanstein Castle,coaster,Neuschwanstein Castle coaster\n"
    )
    both = export_bench(bench, folder, "csv", folder / "both.csv", "all")
    assert [prompt.concepts for prompt in load_suite(str(both)).prompts] == [TITLE.concepts, PAIR.concepts]


def test_yaml_is_a_suite_of_the_whole_bench_or_of_one_part_named_like_its_file(
    bench: BenchResult, folder: Path
) -> None:
    whole = load_suite(str(export_bench(bench, folder, "yaml", folder / "whole.yaml")))
    assert (whole.name, whole.prompts) == ("whole", (TITLE, PAIR))
    twin = load_suite(str(export_bench(bench, folder, "yaml", folder / "twin.yaml", "balanced")))
    assert (twin.name, twin.prompts) == ("twin", (PAIR,))
    assert twin.description == "DominanceBench of own, judged by some | judge: 1 balanced prompts."
    with pytest.raises(InputError, match=r"the suite's name '\.hidden' cannot be used"):
        export_bench(bench, folder, "yaml", folder / ".hidden")


def test_json_lines_and_parquet_hold_the_same_rows(bench: BenchResult, folder: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra `parquet` is not installed")
    lines = export_bench(bench, folder, "jsonl", folder / "out.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["id"] for row in rows] == ["title-1", "pair-2"]
    assert (rows[0]["dominating"], rows[0]["collapsed"], rows[0]["object_present"]) == (CASTLE.name, 8, 2)
    assert rows[1]["dominating"] is None
    assert rows[0]["dvd"] == [100.0] * 8 + [0.0] * 2
    table = parquet.read_table(export_bench(bench, folder, "parquet", folder / "out.parquet"))
    assert table.to_pylist() == rows


def test_without_pyarrow_the_error_says_how_to_install_it(
    bench: BenchResult, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"Parquet needs pyarrow.*pip install pyarrow"):
        export_bench(bench, folder, "parquet", folder / "out.parquet")
    assert not (folder / "out.parquet").exists()


def test_official_images_lie_where_score_finds_them(bench: BenchResult, folder: Path, tmp_path: Path) -> None:
    from dominance.runs.audit.brought import find_images

    out = export_bench(bench, folder, "official-images", tmp_path / "pictures", "all")
    assert sorted(place.name for place in out.iterdir()) == [
        "case001_neuschwanstein_castle_coaster",
        "case002_a_big_mug_a_coaster",
        "prompts.csv",
    ]
    found = find_images(out, load_suite(str(out / "prompts.csv"))).images
    assert [(image.prompt_id, image.name) for image in found[::10]] == [("case001", "0.png"), ("case002", "0.png")]
    assert len(found) == 20
    with pytest.raises(RunError, match="is not an empty folder"):
        export_bench(bench, folder, "official-images", out)


@pytest.mark.parametrize("changed", [{"name": "../../evil"}, {"file": "/etc/hostname"}, {"file": "../secret.png"}])
def test_official_images_stay_inside_their_folders(
    bench: BenchResult, folder: Path, tmp_path: Path, changed: dict[str, str]
) -> None:
    (tmp_path / "secret.png").write_bytes(b"secret")
    entry = bench.entries[0]
    images = (replace(entry.result.images[0], **changed), *entry.result.images[1:])
    tampered = replace(bench, entries=(replace(entry, result=replace(entry.result, images=images)),))
    with pytest.raises(InputError, match="which is not inside it"):
        export_bench(tampered, folder, "official-images", tmp_path / "a" / "pictures")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench", "secret.png"]


@pytest.mark.parametrize(
    ("format", "part", "words"),
    [
        ("xlsx", None, "no format 'xlsx'; give one of csv, jsonl, parquet, yaml, official-images"),
        ("csv", "some", "no part 'some'; give one of dominance, balanced, all"),
    ],
)
def test_unknown_formats_and_parts_are_refused(
    bench: BenchResult, folder: Path, format: str, part: str | None, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        export_bench(bench, folder, format, folder / "out", part)


def test_a_part_without_prompts_is_refused(bench: BenchResult, folder: Path) -> None:
    empty = BenchResult(bench.run, (), bench.tallies, bench.stopped)
    with pytest.raises(InputError, match="holds no dominance prompts; give another --part"):
        export_bench(empty, folder, "csv", folder / "out.csv")

"""Every case of ``tests/cases`` and its kin, given to a real command: the answer is right, or one line says why not."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mock_endpoint import BEHAVIOURS, MockEndpoint, completion, error, picky, serving
from PIL import Image
from safetensors.torch import save_file
from single_files import save_as_one_file
from tiny_families import save, tiny
from tiny_judges import save_vilt

from dominance.judges.openai.endpoint import Patience
from dominance.models.image_model import PipelineModel
from dominance.runs.audit.result import read_result

LABELS = {"one": ("net", "yes", "tennis", "no"), "two": ("yes", "net", "no", "tennis")}
CASES = Path(__file__).parents[1] / "cases"
PAIR = "a [tower:landmark] and a [mug]"
Command = Callable[..., Any]


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of every command, empty at first."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


# -- images: 01, 02, 03, 04, 06 ---------------------------------------------------------------------------------------


def score_case(command: Command, case: str, images: str, out: Path, *options: object) -> Any:
    """``dominance score`` of a case's folder, which lies as it is in the repository."""
    folder = CASES / case
    return command(
        "score", folder / images, "--suite", folder / "suite.yaml", "--judge", "miniature", "--out", out, *options
    )


def images_by_prompt(document: dict[str, Any]) -> dict[str, int]:
    return {prompt["id"]: prompt["images"] for prompt in document["prompts"]}


def test_case_01_the_samples_of_geneval_are_scored_and_the_contact_sheet_is_not(
    command: Command, tmp_path: Path
) -> None:
    scored = score_case(command, "01-geneval-folder", "images", tmp_path / "run", "--json")
    assert scored.status == 0
    assert images_by_prompt(scored.document) == {"00000": 4, "00001": 4}
    assert [entry["file"] for entry in scored.document["left_out"]] == ["00000/grid.png", "00001/grid.png"]
    assert "not used: 00000/grid.png is a contact sheet, by its name" in scored.err
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "00001/grid.png" in page
    again = command("report", tmp_path / "run", "--json")
    assert (again.document["left_out"], again.status) == (scored.document["left_out"], 0)
    assert "not used: 00000/grid.png" in again.err


def test_case_02_a_contact_sheet_is_no_image_of_the_prompt(command: Command, tmp_path: Path) -> None:
    scored = score_case(command, "02-contact-sheet-counted", "images", tmp_path / "run", "--json")
    assert (scored.status, images_by_prompt(scored.document)) == (0, {"w": 2})
    assert [(entry["file"], entry["missing"]) for entry in scored.document["left_out"]] == [("grid-0000.png", False)]


def test_case_03_every_format_is_read_and_what_is_broken_is_named(command: Command, tmp_path: Path) -> None:
    scored = score_case(command, "03-formats", "images", tmp_path / "run", "--json")
    assert (scored.status, scored.document["images"], scored.document["scored"]) == (3, 20, 18)
    (prompt,) = scored.document["prompts"]
    assert [problem["image"] for problem in prompt["problems"]] == ["19-trunc.jpg", "20-empty.png"]
    assert [entry["file"] for entry in scored.document["left_out"]] == ["w/._macos.png", "w/.hidden.png"]


def test_case_03_diversity_reads_and_leaves_out_the_same(command: Command, tmp_path: Path) -> None:
    measured = command("diversity", CASES / "03-formats" / "images", "--out", tmp_path / "run", "--json")
    assert measured.status == 3
    assert (measured.document["images"], len(measured.document["problems"])) == (18, 2)
    assert [entry["file"] for entry in measured.document["left_out"]] == ["w/._macos.png", "w/.hidden.png"]
    assert "not used: w/._macos.png is a hidden file" in measured.err
    assert "w/.hidden.png" in (tmp_path / "run" / "diversity.html").read_text(encoding="utf-8")


def test_case_04_a_folder_without_a_prompt_is_named_with_the_prompt_that_it_might_be(
    command: Command, tmp_path: Path
) -> None:
    scored = score_case(command, "04-unmatched-folder", "images", tmp_path / "run", "--json")
    assert (scored.status, scored.document["images"]) == (3, 10)
    (entry,) = scored.document["left_out"]
    assert (entry["file"], entry["images"], entry["missing"]) == ("castle_with_chair", 10, True)
    assert entry["reason"] == "fits no prompt; it might be 'a-castle-with-a-chair'"
    assert "not used: castle_with_chair (10 images) fits no prompt; it might be 'a-castle-with-a-chair'" in scored.err
    assert "note: 1 of 2 prompts has no image: a-castle-with-a-chair." in scored.err


@pytest.mark.parametrize(
    ("images", "counts", "status"),
    [
        ("a1111", (2, 2), 0),
        ("comfy", (2, 2), 0),
        ("t2ic", (2, 0), 3),
        ("t2ic/samples", (2, 0), 3),
        ("bytext", (1, 1), 0),
    ],
)
def test_case_06_prompts_are_read_from_texts_and_names(
    command: Command, tmp_path: Path, images: str, counts: tuple[int, int], status: int
) -> None:
    scored = score_case(command, "06-flat-a1111-comfy", images, tmp_path / "run", "--json")
    assert (scored.status, tuple(images_by_prompt(scored.document).values())) == (status, counts)
    assert [entry["file"] for entry in scored.document["left_out"]] == ["grid-0000.png"] * (images == "a1111")


def test_a_judge_is_checked_on_the_same_images_and_says_what_it_left_out(command: Command, tmp_path: Path) -> None:
    folder = CASES / "01-geneval-folder"
    checked = command(
        "judge", "check", folder / "images", "--suite", folder / "suite.yaml", "--out", tmp_path / "run", "--each", 2,
        "--json",
    )  # fmt: skip
    assert checked.document["images"] == 8
    assert [entry["file"] for entry in checked.document["left_out"]] == ["00000/grid.png", "00001/grid.png"]
    assert "not used: 00000/grid.png is a contact sheet" in checked.err
    assert "00000/grid.png" in (tmp_path / "run" / "judge-check.html").read_text(encoding="utf-8")


def test_a_list_of_images_is_scored_like_a_folder(command: Command, tmp_path: Path) -> None:
    case = CASES / "06-flat-a1111-comfy"
    shutil.copytree(case / "t2ic" / "samples", tmp_path / "x")
    (tmp_path / "list.csv").write_text(
        "path,prompt\n"
        "x/a wizard beside a lamp_000000.png,a wizard beside a lamp\n"
        "x/a wizard beside a lamp_000001.png,A castle with a chair.\n"
    )
    suite = ("--suite", case / "suite.yaml", "--judge", "miniature", "--out", tmp_path / "run")
    scored = command("score", tmp_path / "list.csv", *suite, "--json")
    assert scored.status == 0, scored.err
    assert images_by_prompt(scored.document) == {"a-wizard-beside-a-lamp": 1, "a-castle-with-a-chair": 1}


# -- prompts and tokens: 08, 10, 19 -----------------------------------------------------------------------------------


@pytest.fixture
def drawn_by(tiny_model: Path, tiny_judge: Path) -> tuple[object, ...]:
    """A model that reads 24 tokens, and a judge."""
    return ("--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--seeds", 1, "--device", "cpu")


def test_a_cut_concept_behind_a_longer_one_is_refused_by_every_command(
    command: Command, drawn_by: tuple[object, ...], workplace: Path, tmp_path: Path
) -> None:
    case = CASES / "08-cut-concept-hidden" / "suite.yaml"
    text = case.read_text().partition('"')[2].rpartition('"')[0]
    model = drawn_by[:2]
    judge = ("--judge", f"vilt:{save_vilt(tmp_path / 'vilt')}")
    for name, what, given in (
        ("audit", case, (*model, *judge)),
        ("ablate", case, (*model, *judge)),
        ("explain", text, (*model, *judge)),
        ("preflight", case, model),
        ("memorization", case, model),
    ):
        done = command(name, what, *given)
        assert (done.status, done.out) == (2, ""), name
        assert "is longer than the 24 tokens that" in done.err
        assert "its concept 'tower' is cut off; shorten the prompt" in done.err
    assert not list(workplace.iterdir())


def test_a_prompt_that_is_too_long_does_not_stop_its_suite(
    command: Command, drawn_by: tuple[object, ...], workplace: Path
) -> None:
    case = CASES / "19-overlong" / "long.jsonl"
    gate = ("--max-collapse", 1, "--junit", "junit.xml")
    done = command("audit", case, *drawn_by, *gate, "--out", "run", "--json")
    assert done.status == 1  # what is not scored does not pass a gate
    assert "left out: prompt a-tower-in-soft" in done.err
    whole, long = done.document["prompts"]
    assert (whole["scored"], long["scored"], len(long["problems"])) == (1, 0, 1)
    reason = long["problems"][0]["problem"]
    assert "its concept 'mug' is cut off" in reason
    page = (workplace / "run" / "report.html").read_text()
    assert "is longer than the 24 tokens that" in page
    assert "is longer than the 24 tokens that" in (workplace / "junit.xml").read_text()
    assert len(list((workplace / "run" / "images").rglob("*.png"))) == 1
    again = command("audit", case, *drawn_by, "--out", "run", "--json")
    assert again.status == 3
    assert again.document["prompts"] == done.document["prompts"]
    assert command("report", "run").status == 3
    for name in ("preflight", "memorization", "ablate"):
        given = drawn_by if name == "ablate" else drawn_by[:2]
        more = ("--layers", 9, "--sweep", "feed-forward") if name == "ablate" else ()
        large = ("--height", 64, "--width", 64) if name == "preflight" else ()
        done = command(name, case, *given, *more, *large, "--json")
        assert (done.status, "its concept 'mug' is cut off" in done.err) == (3, True), (name, done.err)


def test_a_model_that_reads_512_tokens_draws_a_long_prompt(command: Command, tmp_path: Path) -> None:
    model, judge = save("flux", tmp_path / "flux"), f"vilt:{save_vilt(tmp_path / 'vilt')}"
    small = ("--steps", 1, "--height", 32, "--width", 32, "--seeds", 1, "--device", "cpu")
    done = command("audit", CASES / "19-overlong" / "dense.jsonl", "--model", model, "--judge", judge, *small, "--json")
    assert (done.status, done.document["scored"]) == (0, 1)
    assert "left out" not in done.err


def test_words_that_the_text_encoder_does_not_know_are_named_and_nobody_wins(
    command: Command, tmp_path: Path, workplace: Path
) -> None:
    model = save("flux", tmp_path / "flux")
    small = ("--model", model, "--steps", 2, "--height", 32, "--width", 32, "--seeds", 2, "--device", "cpu")
    for place, text in enumerate(("[猫]と[犬]", "a [猫] and a [犬] and a [mug]")):
        out = workplace / str(place)
        explained = command("explain", text, *small, "--judge", "none", "--json", "--out", out)
        assert explained.status == 0
        assert "does not know '猫' and '犬'" in explained.err
        assert "cannot tell '猫' and '犬' apart" in explained.err
        document = explained.document
        assert {track["concept"] for track in document["tracks"]} <= {"猫 / 犬", "mug"}
        assert document["dominating"] is None or "mug" in text
        assert not {peak["concept"] for peak in document["peaks"]} & {"猫", "犬"}
        assert not {"猫", "犬", "猫と犬"} & set(document["tokens"])
        assert "cannot tell" in document["notes"][0]
        page = (out / "explanation.html").read_text()
        assert "cannot tell “猫” and “犬” apart, so nothing is said about who wins" in page
        assert not re.search("(猫|犬) (gets|rises|falls|stays|gains|loses)", page.replace("猫 / 犬", ""))
        looked = command("preflight", text, *small, "--layers", "1,2", "--json")
        assert looked.status == 3, looked.err
        [found] = looked.document
        assert "cannot tell '猫' and '犬' apart" in found["problem"]
        assert [found[name] for name in ("risk", "score", "peak_token", "dominating")] == [None] * 4
        assert found["focus"] == {}
    judge = f"vilt:{save_vilt(tmp_path / 'vilt')}"
    audited = command("audit", "a [猫] and a [犬]", *small, "--judge", judge, "--json")
    assert audited.status == 0
    (note,) = audited.document["unread"].values()
    assert "does not know '猫' and '犬'" in note
    assert "does not know &#39;猫&#39; and &#39;犬&#39;" in (Path(audited.document["run"]) / "report.html").read_text()
    plain = command("audit", "a [tower] and a [mug]", *small, "--judge", judge, "--json")
    assert "unread" not in plain.document


def test_the_miniature_says_which_words_it_has_never_seen(command: Command, tiny_model: Path) -> None:
    given = ("--model", tiny_model, "--seeds", 1, "--device", "cpu", "--judge", "none", "--height", 64, "--width", 64)
    explained = command("explain", "a [dragon] in fog and a [mug]", *given, "--json")
    assert "has never seen 'dragon' and 'in': it knows the words of the miniature world alone" in explained.err
    assert "has never seen" in explained.document["notes"][0]
    assert "never seen" not in command("explain", "a [tower] and a [mug]", *given).err


# -- run folders: 09 --------------------------------------------------------------------------------------------------


def test_prompts_that_look_alike_in_ascii_have_folders_of_their_own(
    command: Command, tiny_model: Path, workplace: Path, tmp_path: Path
) -> None:
    judge = save_vilt(tmp_path / "vilt")
    given = ("--model", tiny_model, "--judge", f"vilt:{judge}", "--seeds", 1, "--device", "cpu")
    lines = (CASES / "09-same-run-folder" / "commands.txt").read_text().splitlines()
    prompts = [line.split("'")[1] for line in lines]
    said = {}
    for prompt in (*prompts, *prompts):
        done = command("audit", prompt, *given, "--json")
        assert done.status == 0
        said.setdefault(prompt, []).append((done.document["run"], done.document["prompts"]))
        assert ("this run goes to" in done.err) == prompt.startswith("a [cafe:")
    folders = [runs[0][0] for runs in said.values()]
    assert len(set(folders)) == 4
    assert folders[2] == "runs/a-cafe-and-a-mug"
    assert all(first == second for first, second in said.values())
    for prompt, ((folder, _), _) in said.items():
        text = prompt.replace("[", "").replace("]", "").replace(":landmark", "")
        assert text in command("report", folder, "--json").out
    assert len(list((workplace / "runs").iterdir())) == 4


def test_another_model_or_judge_is_named_apart_or_refused(
    command: Command, tiny_model: Path, workplace: Path, tmp_path: Path
) -> None:
    prompt = "a [tower:landmark] and a [mug]"
    other_model = shutil.copytree(tiny_model, tmp_path / "other")
    suggested = json.loads((other_model / "dominance.json").read_text())
    (other_model / "dominance.json").write_text(json.dumps(suggested | {"world": None}))
    one, two = (("--judge", f"vilt:{save_vilt(tmp_path / name, labels)}") for name, labels in LABELS.items())
    few = ("--seeds", 1, "--device", "cpu")
    first = command("audit", prompt, "--model", tiny_model, *one, *few, "--json")
    for model, judge, what in ((other_model, one, "model"), (tiny_model, two, "judge")):
        before = snapshot(workplace)
        refused = command("audit", prompt, "--model", model, *judge, *few, "--out", first.document["run"])
        assert (refused.status, refused.out) == (2, "")
        assert re.search(rf"holds .*the {what} '.*; give another --out", refused.err)
        assert snapshot(workplace) == before
        apart = command("audit", prompt, "--model", model, *judge, *few, "--json")
        assert apart.document["run"].startswith("runs/a-tower-and-a-mug-")
        assert f"the {what} " in apart.err
        assert "this run goes to runs/a-tower-and-a-mug-" in apart.err
    assert len(list((workplace / "runs").iterdir())) == 3
    more = command("audit", prompt, "--model", tiny_model, *one, "--seeds", 2, "--device", "cpu", "--json")
    assert (more.document["run"], more.document["scored"]) == (first.document["run"], 2)


def test_explain_refuses_and_names_apart_before_it_draws(
    command: Command, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, workplace: Path
) -> None:
    given = ("--model", tiny_model, "--judge", "none", "--seeds", 1, "--device", "cpu", "--layers", "7-9")
    large = ("--height", 64, "--width", 64)
    assert command("explain", "a [café] and a [mug]", *given, *large).status == 0
    apart = command("explain", "a [cafe] and a [mug]", *given, *large)
    assert "this run goes to explanations/a-cafe-and-a-mug-" in apart.err
    assert len(list((workplace / "explanations").iterdir())) == 2
    monkeypatch.setattr(PipelineModel, "generate", lambda *_: pytest.fail("drawn"))
    refused = command("explain", "a [cafe] and a [mug]", *given, *large, "--out", "explanations/a-cafe-and-a-mug")
    assert (refused.status, refused.out) == (2, "")
    assert "holds an explanation of 'a café and a mug'; give another --out" in refused.err


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*.html")} | {
        str(path): b"" for path in folder.rglob("*.png")
    }


# -- prompt lists: 11 -------------------------------------------------------------------------------------------------

LISTS = CASES / "11-prompt-lists"
NAMED = {  # the concepts of each prompt
    "ae.yaml": [["cat", "frog"]],
    "excel-semicolon.csv": [["tower", "mug"]],
    "geneval.jsonl": [["tower", "mug"], ["castle", "chair"]],
    "intid.jsonl": [["tower", "mug"]],
    "intid.yaml": [["tower", "mug"]],
    "neg.yaml": [["tower", "mug"]],
    "negative.csv": [["tower", "mug"]],
    "official_extra.csv": [["Tower", "Mug"]],
    "pandas.csv": [["tower", "mug"], ["castle", "chair"]],
    "tifa.json": [["mug"]],
}
BARE = ("drawbench.csv", "hps.json", "imagefolder.jsonl", "parti.tsv", "t2icomp.txt")
OTHERS = {"comfy.json": "is a ComfyUI workflow", "styles.csv": "is a file of styles for A1111"}


@pytest.mark.parametrize("name", NAMED)
def test_what_is_understood_of_a_list_that_names_its_concepts(name: str, command: Command) -> None:
    done = command("suite", "check", LISTS / name, "--json")
    assert done.status == 0, done.err
    found = done.document
    assert found["prompts"] == len(NAMED[name])
    assert (found["missing"], found["left_out"]) == (None, [])
    names = [concept for counts in found["concepts"].values() for concept in counts]
    assert sorted(names) == sorted(concept for concepts in NAMED[name] for concept in concepts)


@pytest.mark.parametrize("name", BARE)
def test_what_is_understood_of_one_that_does_not(name: str, command: Command) -> None:
    bare = command("suite", "check", LISTS / name, "--json")
    assert (bare.status, bare.document["concepts"]) == (2, {})
    assert bare.document["prompts"] > 0
    assert "--concepts coco" in bare.err
    found = command("suite", "check", LISTS / name, "--concepts", "miniature", "--json")
    assert (found.status, found.document["prompts"]) == (0, bare.document["prompts"])
    assert sum(count for counts in found.document["concepts"].values() for count in counts.values()) >= 2


def test_every_prompt_list_is_accounted_for() -> None:
    assert {*NAMED, *BARE, *OTHERS} == {path.name for path in LISTS.iterdir()}


@pytest.fixture
def few(tiny_model: Path, tiny_judge: Path, tmp_path: Path) -> tuple[object, ...]:
    """The tiny model and judge, and one image a prompt."""
    return ("--model", tiny_model, "--judge", f"blip:{tiny_judge}", "--out", tmp_path / "run", "--seeds", 1, "--json")


@pytest.mark.parametrize(("name", "images"), [("intid.yaml", 1), ("neg.yaml", 2), ("pandas.csv", 1)])
def test_a_list_that_names_its_concepts_is_audited(
    name: str, images: int, command: Command, few: tuple[object, ...]
) -> None:
    done = command("audit", LISTS / name, *few)
    assert done.status == 0, done.err
    assert [prompt["concepts"] for prompt in done.document["prompts"]] == NAMED[name]
    assert {prompt["images"] for prompt in done.document["prompts"]} == {images}, "as many as the file's own seeds"


@pytest.mark.parametrize("name", [*BARE, *OTHERS])
def test_any_other_list_is_refused_in_one_line_and_none_is_called_missing(name: str, command: Command) -> None:
    done = command("audit", LISTS / name)
    assert done.status == 2
    assert [line[:6] for line in done.err.splitlines() if not line.startswith("starting")] == ["error:"]
    assert OTHERS.get(name, "without concepts") in done.err
    assert ("--concepts coco" in done.err) == (name in BARE)


@pytest.mark.parametrize("name", BARE[:2])
def test_a_word_list_finds_what_a_list_does_not_name(name: str, command: Command, few: tuple[object, ...]) -> None:
    done = command("audit", LISTS / name, "--concepts", "miniature", *few)
    assert done.status == 0, done.err
    assert all(len(prompt["concepts"]) == 2 for prompt in done.document["prompts"])
    assert "concepts found by the words of miniature" in done.err


def test_what_a_word_list_does_not_find_is_named(command: Command, few: tuple[object, ...], file: Any) -> None:
    done = command("audit", file("a mug by a lamp\na sunset\n", "two.txt"), "--concepts", "miniature", *few)
    assert (done.status, len(done.document["prompts"])) == (0, 1)
    assert "left out: 1 prompt: line 2, 'a sunset': no concept found" in done.err
    again = command("audit", "--config", Path(few[5]) / "run.yaml", "--json")  # ty: ignore[invalid-argument-type]
    assert again.document["prompts"] == done.document["prompts"]
    none = command("audit", file("a sunset\n", "none.txt"), "--concepts", "miniature", *few)
    assert none.status == 2
    assert "no prompt names one of the 14 words of 'miniature'" in none.err


# -- other programs' prompt syntax: 12, wording: 16 -------------------------------------------------------------------


SYNTAX = (CASES / "12-a1111-syntax" / "prompts.txt").read_text(encoding="utf-8").splitlines()
FOREIGN = "another program's prompt syntax, which the model would read as letters; "


@pytest.mark.parametrize(
    ("line", "said"),
    list(
        zip(
            SYNTAX,
            (
                f"'<lora:a:1>' (a LoRA) is {FOREIGN}leave out the LoRA and load its file with --adapter FILE:STRENGTH",
                f"'(castle:1.3)' (a weight) and 'AND' (joined prompts) are {FOREIGN}write the words without weights",
                f"'[castle|mug]' (alternation) is {FOREIGN}write one prompt for each alternative",
                f"'[castle:mug:0.5]' (prompt editing) is {FOREIGN}write one prompt for each wording",
                f"'castle++' (a weight) is {FOREIGN}write the words without weights, and a concept as [name]",
            ),
            strict=True,
        )
    ),
)
def test_other_programs_syntax_is_refused_with_the_way_to_say_it_here(line: str, said: str, command: Command) -> None:
    for name in ("audit", "explain", "preflight"):
        ran = command(name, line, "--model", "miniature")
        assert ran.status == 2
        assert said in ran.err
        assert ran.err.count("\n") == 1


def test_a_suite_in_other_programs_syntax_is_refused_once_with_the_number_of_such_prompts(
    command: Command, tmp_path: Path
) -> None:
    suite = tmp_path / "s.jsonl"
    suite.write_text("".join(json.dumps({"prompt": line}) + "\n" for line in ["a [mug]", *SYNTAX]), encoding="utf-8")
    ran = command("audit", suite, "--model", "miniature")
    assert ran.status == 2
    assert "line 2: prompt lora-a-1-a-castle-landmark-and-a-mug: '<lora:a:1>' (a LoRA) is" in ran.err
    assert ran.err.endswith("; 4 more prompts have such syntax\n")


def test_other_programs_syntax_is_recognised_in_a_prompt_without_brackets(command: Command) -> None:
    for more in ((), ("--concepts", "miniature")):
        ran = command("audit", "a (castle:1.3) and a mug", "--model", "miniature", *more)
        assert ran.status == 2
        assert f"the prompt: '(castle:1.3)' (a weight) is {FOREIGN}write the words without weights" in ran.err


def test_other_programs_syntax_in_the_negative_prompt_is_refused(command: Command) -> None:
    ran = command("audit", PAIR, "--model", "miniature", "--negative-prompt", "(blurry:1.4), embedding:easynegative")
    assert ran.status == 2
    assert "the negative prompt: 'embedding:easynegative' (an embedding) and '(blurry:1.4)' (a weight) are" in ran.err


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("hour glass", "an hour glass"),
        ("unicorn", "a unicorn"),
        ("MRI scanner", "an MRI scanner"),
        ("SUV", "an SUV"),
        ("the mug holder", "a mug holder"),
        ("scissors", "scissors"),
        ("sushi", "sushi"),
        ("猫", "猫"),
        ("{question}", "a {question}"),
    ],
)
def test_questions_are_english(name: str, phrase: str, command: Command) -> None:
    ran = command("audit", f"[{name}] on a table", "--model", "miniature", "--judge", "miniature")
    assert ran.status == 2
    assert f"'Is any part of {phrase} visible in this picture?'" in ran.err


def test_concepts_are_found_in_plurals_and_in_typographers_marks(command: Command, tmp_path: Path) -> None:
    found = {
        "two knives, mice": ["knife", "mouse"],
        "a T\u2011shirt, a cat\u2019s bed": ["t-shirt", "cat's bed"],
        "a tea-mug, a king's wall": ["tea mug", "king"],
    }
    suite = tmp_path / "s.jsonl"
    lines = (json.dumps({"prompt": text, "concepts": names}) + "\n" for text, names in found.items())
    suite.write_text("".join(lines), encoding="utf-8")
    ran = command("preflight", suite, "--model", save("sd1", tmp_path / "model"), "--json", "--layers", "1")
    assert [entry["prompt"] for entry in ran.document] == list(found), ran.err


# -- endpoint judges: 13 ----------------------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five pictures of one prompt with one concept, and a patience that suits tests."""
    for number in range(5):
        (tmp_path / "pictures").mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / "pictures" / f"{number}.png")
    quick = Patience(tries=2, first_wait=0.001, longest_wait=0.002, reply=2.0, connect=2.0)
    monkeypatch.setattr("dominance.judges.openai.judge.patience_from", lambda: quick)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def judged(command: Command, endpoint: MockEndpoint, *options: object) -> Any:
    return command("score", "pictures", "--suite", "a [lamp]", "--judge", endpoint.judge, "--out", "run", *options)


@pytest.mark.parametrize("behaviour", ["thought", "boxed", "glm", "answeris", "o403", "minout", "minout2"])
def test_13_what_an_endpoint_says_is_read(command: Command, pictures: Path, behaviour: str) -> None:
    with serving(MockEndpoint(BEHAVIOURS[behaviour])) as endpoint:
        ran = judged(command, endpoint, "--json")
    assert (ran.status, ran.document["scored"]) == (0, 5), ran.err
    assert ran.document["prompts"][0]["presence"] == {"lamp": 1.0}
    assert len(endpoint.calls) <= 25 + 2 * 4  # what was refused is remembered


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        ("thinker", "still thinking when its tokens ended ('The picture shows a'); turn its thinking off, with"),
        ("thinktag", "--judge-option reasoning_effort=none (Ollama)"),
        ("o-series", "give it room with --judge-option max_tokens=2000"),
        ("german", "the judge's answer was 'Ja.', neither yes nor no"),
        ("refuses", 'the judge refused: "I can\'t help with that"'),
        ("html", "sent a web page, not an answer ('<html>a chat for people</html>')"),
        ("sse", "sent its answer as a stream ('data: "),
        ("textonly", "does not support image input; give a model that sees images"),
        ("toobig", "Request Entity Too Large; send smaller images, with --judge-option image_side=1024"),
    ],
)
def test_13_what_cannot_be_read_stops_the_run_with_the_reason_and_a_resume_goes_on(
    command: Command, pictures: Path, behaviour: str, told: str
) -> None:
    with serving(MockEndpoint(BEHAVIOURS[behaviour])) as endpoint:
        ran = judged(command, endpoint)
        assert (ran.status, ran.out) == (2, "")
        assert told in ran.err.splitlines()[-1]
        before = len(endpoint.calls)
        endpoint.answer = BEHAVIOURS["answeris"]
        again = judged(command, endpoint, "--json")
    assert (again.status, again.document["scored"]) == (0, 5), again.err
    assert before <= 60
    assert len(endpoint.calls) == before + 25


def test_13_options_reach_the_endpoint_and_the_manifest(command: Command, pictures: Path) -> None:
    Image.new("RGB", (64, 32)).save(pictures / "pictures" / "4.png")
    options = ("max_tokens=64", "chat_template_kwargs.enable_thinking=false", "image_side=32", "api-version=2024-10-21")
    given = [word for option in options for word in ("--judge-option", option)]
    with serving(MockEndpoint()) as endpoint:
        ran = judged(command, endpoint, "--json", *given)
        assert ran.status == 0, ran.err
        assert ran.document["settings"]["judge_option"] == list(options)
        again = judged(command, endpoint, "--json", "--config", "run/run.yaml")
        assert (again.status, len(endpoint.calls)) == (0, 25)
        plain = judged(command, endpoint)
        assert (plain.status, len(endpoint.calls)) == (0, 50)
        assert "is not as it was in the earlier run in run: every image is judged again" in plain.err
    first = endpoint.calls[:25]
    assert {call.body["max_tokens"] for call in first} == {64}
    assert {call.path for call in first} == {"/v1/chat/completions?api-version=2024-10-21"}
    assert all(call.body["chat_template_kwargs"] == {"enable_thinking": False} for call in first)
    assert {call.image.size for call in first} == {(8, 8), (32, 16)}


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("max_tokens", "--judge-option is 'max_tokens'; give KEY=VALUE, such as max_tokens=64"),
        ("max_tokens=0", "--judge-option max_tokens is the number 0; give a whole number from 1 to 100000"),
        ("image_side=big", "--judge-option image_side is the text 'big'; give a whole number from 16 to 16384"),
        ("model=other", "--judge-option model is not yours to set: give the model after # in --judge"),
        ("api_key=hush", "--judge-option api_key looks like a secret"),
    ],
)
def test_13_an_option_that_cannot_be_used_is_one_line(command: Command, pictures: Path, option: str, told: str) -> None:
    with serving(MockEndpoint()) as endpoint:
        refused = judged(command, endpoint, "--judge-option", option)
    assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert told in refused.err
    assert "hush" not in refused.err
    assert not (pictures / "run").exists()
    assert endpoint.calls == []


def test_13_a_judge_without_options_says_so(command: Command, pictures: Path) -> None:
    given = ("--suite", "a [lamp]", "--judge", "miniature", "--judge-option", "max_tokens=64")
    refused = command("score", "pictures", *given, "--out", "run")
    assert (refused.status, refused.err.count("\n")) == (2, 1)
    assert "the judge 'miniature' takes no options; leave out --judge-option" in refused.err


def test_13_an_option_that_the_endpoint_refuses_is_named(command: Command, pictures: Path) -> None:
    unknown = picky(lambda call: completion("Yes"), think=(400, "unknown field: think"))
    with serving(MockEndpoint(unknown)) as endpoint:
        refused = judged(command, endpoint, "--judge-option", "think=false")
    assert refused.status == 2
    assert "does not take --judge-option think as given (HTTP 400: unknown field: think); change it, or" in refused.err


def estimated(command: Command, *arguments: object) -> dict[str, Any]:
    ran = command(*arguments, "--estimate", "--json")
    assert (ran.status, ran.err) == (0, "")
    return ran.document


def test_13_an_estimate_says_what_a_paid_run_takes_and_does_nothing(command: Command, pictures: Path) -> None:
    with serving(MockEndpoint(BEHAVIOURS["answeris"])) as endpoint:
        arguments = ("score", "pictures", "--suite", "a [lamp]", "--judge", endpoint.judge, "--out", "run")
        before = estimated(command, *arguments)
        assert (before["images_there"], before["questions_to_ask"], before["calls"]) == (5, 25, 25)
        assert (before["measured"], before["answer_tokens"]) == (5, 5)
        assert before["megabytes"] is not None
        assert endpoint.calls == []
        assert not (pictures / "run").exists()
        endpoint.answer = lambda call: completion("Yes") if call.number < 10 else error(503)
        assert command(*arguments).status == 2
        asked, files = len(endpoint.calls), {file: file.read_bytes() for file in (pictures / "run").rglob("*.*")}
        half = estimated(command, *arguments)
        assert (half["questions_answered"], half["calls"]) == (10, 15)
        other = command(*arguments, "--judge-option", "detail=low", "--estimate", "--json")
        assert (other.status, other.document["calls"]) == (0, 25)
        assert other.err.endswith("is not as it was in the earlier run in run: every image is judged again\n")
        assert len(endpoint.calls) == asked
        assert files == {file: file.read_bytes() for file in (pictures / "run").rglob("*.*")}
    told = command(*arguments, "--estimate")  # even where nothing answers
    assert told.status == 0
    assert "25 questions: 10 answered, 15 to ask" in told.out
    assert "15 calls to the endpoint, one a question, without repeated ones" in told.out
    assert "nothing was drawn, asked or written; run the command without --estimate to do it, in run" in told.out


def test_13_an_estimate_of_an_audit_counts_images_to_draw(command: Command, pictures: Path, tiny_model: Path) -> None:
    with serving(MockEndpoint(BEHAVIOURS["answeris"])) as endpoint:
        arguments = (
            "audit",
            "a [lamp]",
            "--model",
            tiny_model,
            "--steps",
            1,
            "--judge",
            endpoint.judge,
            "--out",
            "run",
        )
        before = estimated(command, *arguments, "--seeds", 2)
        assert (before["images_to_draw"], before["calls"], before["megabytes"]) == (2, 10, None)
        assert not (pictures / "run").exists()
        assert command(*arguments, "--seeds", 2).status == 0
        more = estimated(command, *arguments, "--seeds", 3)
    assert (more["images"], more["images_there"], more["images_to_draw"]) == (3, 2, 1)
    assert (more["questions_answered"], more["calls"]) == (10, 5)
    assert estimated(command, *arguments, "--seeds", 2)["calls"] == 0


# -- models: 14, 15, 20 -----------------------------------------------------------------------------------------------


SMALL = ("--seeds", "1", "--steps", "1", "--height", "16", "--width", "16")


def test_a_folder_with_only_a_variant_is_taken_and_said_so(command: Command, tmp_path: Path) -> None:
    tiny("sd1").save_pretrained(tmp_path / "fp16", safe_serialization=True, variant="fp16")
    ran = command("audit", PAIR, "--model", tmp_path / "fp16", "--out", tmp_path / "run", "--json", *SMALL)
    assert ran.document["images"] == 1
    assert "it has only the variant fp16 of its weights, which is used" in ran.err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "lora",
            "pytorch_lora_weights.safetensors is a LoRA, not a model; give the model that it is for, and",
        ),
        ("ti", "learned_embeds.safetensors is a textual inversion embedding, not a model; give the model"),
        ("brandMug_v12.safetensors", "holds the denoiser of a checkpoint without its text encoder and its VAE"),
    ],
)
def test_what_is_no_whole_model_is_named_and_never_called_missing(given: str, said: str, command: Command) -> None:
    ran = command("audit", PAIR, "--model", CASES / "15-lora-single-file" / given)
    assert ran.status == 2
    assert said in ran.err
    assert "no model" not in ran.err


def test_a_pipeline_of_another_kind_is_named_and_how_its_parts_can_be_drawn(command: Command, tmp_path: Path) -> None:
    index = save("sd1", tmp_path / "ae") / "model_index.json"
    content = json.loads(index.read_text())
    index.write_text(json.dumps(content | {"_class_name": "StableDiffusionAttendAndExcitePipeline"}))
    ran = command("audit", PAIR, "--model", tmp_path / "ae", *SMALL)
    assert ran.status == 2
    assert "is saved as StableDiffusionAttendAndExcitePipeline, which needs token_indices beside the prompt" in ran.err
    assert "its parts are those of StableDiffusionPipeline, which it can" in ran.err


def test_a_single_file_draws_what_its_folder_draws(command: Command, tmp_path: Path) -> None:
    model = save("sd1", tmp_path / "model")
    file = save_as_one_file(tiny("sd1"), tmp_path / "brandMug_v12.safetensors")
    alone = command("audit", PAIR, "--model", file, *SMALL)
    assert alone.status == 2
    assert "hf download stable-diffusion-v1-5/stable-diffusion-v1-5 --include" in alone.err
    pictures = {}
    for name, given in {"folder": (model,), "file": (file, "--model-config", model)}.items():
        ran = command("audit", PAIR, "--model", *given, "--out", tmp_path / name, "--json", *SMALL)
        assert ran.document["images"] == 1
        pictures[name] = next((tmp_path / name / "images").rglob("*.png")).read_bytes()
    assert pictures["file"] == pictures["folder"]
    result = read_result(tmp_path / "file")
    assert result.manifest["model"]["single_file"]["file"] == "brandMug_v12.safetensors"
    assert result.settings.model_config == str(model)
    asked = ("--model", file, "--model-config", model, *SMALL[4:], "--json")
    foreseen = command("preflight", PAIR, *asked, "--layers", "1,2", "--height", 16)
    assert foreseen.document[0]["risk"] == "uncalibrated"
    shown = command(
        "explain", PAIR, *asked, *SMALL[:4], "--height", 16, "--judge", "none", "--out", tmp_path / "explained"
    )
    assert shown.status == 0


def test_an_adapter_is_loaded_by_its_option_and_noted_in_the_manifest(command: Command, tmp_path: Path) -> None:
    model, file = save("sd1", tmp_path / "model"), tmp_path / "brand.safetensors"
    layer = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_out.0"
    weights = {f"{layer}.lora_A.weight": torch.eye(16), f"{layer}.lora_B.weight": 20 * torch.eye(16)}
    save_file(weights, file, metadata={"modelspec.trigger_phrase": "brandmug"})
    pictures = {}
    for name, options in {
        "plain": (),
        "added": ("--adapter", file),
        "never": ("--adapter", f"{file}@1"),
        "late": ("--adapter", f"{file}:0.8@0.5"),
    }.items():
        run = tmp_path / name
        ran = command(
            "audit", PAIR, "--model", model, *options, *SMALL[:2], "--steps", "2", *SMALL[4:], "--out", run, "--json"
        )
        assert ran.document["images"] == 1
        pictures[name] = next((run / "images").rglob("*.png")).read_bytes()
    assert "trigger words: brandmug" in ran.err
    assert pictures["never"] == pictures["plain"]
    assert len(set(pictures.values())) == 3
    (added,) = read_result(tmp_path / "late").manifest["model"]["adapters"]
    assert (added["strength"], added["start"], added["trigger_phrase"]) == (0.8, 0.5, "brandmug")
    again = command("audit", "--config", tmp_path / "late" / "run.yaml", "--json")
    assert again.document["settings"]["adapters"][0].startswith("brand.safetensors:0.8@0.5 (sha256:")


def test_a_lora_for_another_kind_of_model_is_named(command: Command, tmp_path: Path) -> None:
    model = save("sd3", tmp_path / "model")
    ran = command("audit", PAIR, "--model", model, "--adapter", CASES / "15-lora-single-file" / "lora", *SMALL)
    assert ran.status == 2
    assert "is a LoRA for Stable Diffusion; the model" in ran.err
    assert "is Stable Diffusion 3" in ran.err

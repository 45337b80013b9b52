"""Every case of ``tests/cases`` and its kin, given to a real command: the answer is right, or one line says why not."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mock_endpoint import BEHAVIOURS, MockEndpoint, completion, error, picky, serving
from PIL import Image
from tiny_families import save, tiny

from dominance.judges.openai.endpoint import Patience

Command = Callable[..., Any]
CASES = Path(__file__).parents[1] / "cases"
PAIR = "a [tower:landmark] and a [mug]"


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


# -- run folders: 09 --------------------------------------------------------------------------------------------------


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
    assert done.err.count("\n") == 1
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
        plain = judged(command, endpoint, "--json")
        assert (plain.status, len(endpoint.calls)) == (0, 50)
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
        assert estimated(command, *arguments, "--judge-option", "detail=low")["calls"] == 25
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

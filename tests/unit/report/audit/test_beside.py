"""The comparison with another run: its sentences, and its place at the top of the page."""

import dataclasses
import re
import shutil

import pytest
from pages import Page
from PIL import Image

from dominance.beside import Beside, Contrast, OtherImage, OtherPrompt
from dominance.report.audit.beside import beside_line, change_sentence, found_sentence, unpaired_sentence
from dominance.report.audit.page import write_report

LOST_MUG, BOTH, NEITHER = (5, 0), (5, 5), (0, 0)


def images(count, first=1, folder="other"):
    return tuple(OtherImage(str(s), f"{folder}/{s}.png", s, 0.0, "balanced") for s in range(first, first + count))


@pytest.fixture
def beside_of(prompt_of, run_of):
    """A run of ten images that lose the mug, beside one that keeps it in nine of ten."""

    def build(shown=(LOST_MUG,) * 9 + (BOTH,), first=1, count=10, **changes):
        prompt = prompt_of(shown)
        there = OtherPrompt(
            prompt.prompt.text, ("tower", "mug"), images(count, first), 4.0, balanced=count - 1, scored=count,
            verdict="balanced",
        )  # fmt: skip
        same = len({image.seed for image in prompt.images} & {image.seed for image in there.images})
        values = {
            "run": "runs/twin", "here": "miniature", "there": "miniature-swapped", "prompts": 12, "only_here": (),
            "only_there": (), "measured": 12, "dvd_here": 61.2, "dvd_there": 12.3, "change": -48.9,
            "change_interval": (-60.0, -33.0), "lost_here": ("a",) * 7, "lost_there": (),
            "contrast": Contrast(prompt.prompt.id, there, same),
        }  # fmt: skip
        return run_of(prompt, beside=Beside(**(values | changes)))

    return build


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (
            {},
            "“a tower and a mug”: tower takes over from mug in 9 of 10 images by miniature; miniature-swapped shows"
            " both in 9 of 10, from the same noises.",
        ),
        ({"first": 5}, "miniature-swapped shows both in 9 of 10, with 6 noises in common."),
        ({"first": 50}, "miniature-swapped shows both in 9 of 10, from other noises."),
        ({"shown": (NEITHER,) * 10}, "“a tower and a mug”: no concept shows in 10 of 10 images by miniature;"),
        ({"contrast": None}, "No prompt loses a concept by miniature and keeps every one by miniature-swapped."),
    ],
)
def test_the_sentence_says_who_loses_and_who_keeps(beside_of, made, said):
    run = beside_of(**made)
    assert said in found_sentence(run.beside, run)


def test_images_made_elsewhere_are_not_said_to_share_or_not_share_noises(beside_of):
    run = beside_of(first=50)
    there = run.beside.contrast.there
    bare = tuple(dataclasses.replace(image, seed=None) for image in there.images)
    contrast = dataclasses.replace(run.beside.contrast, there=dataclasses.replace(there, images=bare))
    assert found_sentence(dataclasses.replace(run.beside, contrast=contrast), run).endswith("shows both in 9 of 10.")


def test_the_change_is_over_all_shared_prompts(beside_of):
    said = (
        "Over 12 prompts of both runs, mean DvD is 61.2 here and 12.3 there, −48.9 (−60.0 to −33.0); 7 prompts lose a"
        " concept here and not there, 0 there and not here."
    )
    run = beside_of(only_here=("a cup", "a cat", "a dog", "a hat"), only_there=("a pot",))
    assert change_sentence(run.beside) == said
    unpaired = (
        "Not compared: 4 prompts (“a cup”, “a cat”, “a dog” and 1 more) only in this run; 1 prompt (“a pot”) only in"
        " runs/twin."
    )
    assert unpaired_sentence(run.beside) == unpaired
    assert beside_line(run.beside, run) == f"beside runs/twin: {found_sentence(run.beside, run)} {said} {unpaired}"
    assert unpaired_sentence(beside_of().beside) is None
    unmeasured = beside_of(dvd_here=None, lost_here=("a",), lost_there=("b", "c")).beside
    assert change_sentence(unmeasured) == (
        "Of the 12 prompts of both runs, none has a DvD score on both sides; 1 prompt loses a concept here and not"
        " there, 2 there and not here."
    )
    others = {"lost_here": ("a",), "lost_there": ("b", "c"), "dvd_there": 61.0, "change": -0.2}
    alike = beside_of(**others, change_interval=(-30.0, 29.0)).beside
    assert change_sentence(alike).endswith("2 there and not here: the two differ in which prompts lose one.")
    fewer = beside_of(**others, change_interval=(-30.0, -1.0)).beside
    assert change_sentence(fewer).endswith("2 there and not here.")


@pytest.fixture
def page_of(tmp_path):
    def build(run):
        for file in [image.file for prompt in run.prompts for image in prompt.images] + [
            image.file for image in run.beside.contrast.there.images if run.beside.contrast
        ]:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (64, 64), (90, 10, 10) if "other" in file else (10, 90, 10)).save(tmp_path / file)
        return write_report(run, tmp_path)

    return build


def test_images_that_hang_on_doubtful_answers_say_so_in_the_strips(page_of, beside_of):
    run = beside_of()
    assert "g-doubtful" not in re.search(r'id="beside".*?</section>', page_of(run).read_text(encoding="utf-8"), re.S)[0]
    contrast = run.beside.contrast
    first, *rest = contrast.there.images
    doubtful = dataclasses.replace(first, could_be=("collapsed",))
    there = dataclasses.replace(contrast.there, images=(doubtful, *rest))
    beside = dataclasses.replace(run.beside, contrast=dataclasses.replace(contrast, there=there))
    text = page_of(dataclasses.replace(run, beside=beside)).read_text(encoding="utf-8")
    section = re.search(r'id="beside".*?</section>', text, re.S)[0]
    assert section.count("#g-doubtful") == 2  # the image, and what the sign means
    assert "seed 1: balanced, DvD 0, hangs on doubtful answers, may be collapsed, by miniature-swapped" in section


def test_the_page_begins_with_two_strips_of_the_same_noises(page_of, beside_of):
    path = page_of(beside_of())
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    top = text[: text.index('<main id="main"')]
    assert found_sentence(beside_of().beside, beside_of()) in page.text
    assert top.count('class="cell"') == 20
    assert top.index("this run") < top.index("the other")
    assert "miniature-swapped" in top
    assert "the two images of a column start from the same noise" in top
    assert "dominance explain" in top
    assert "this prompt" in top
    assert [
        text.count(f"“a tower and a mug”, seed {seed}: balanced, DvD 0, by miniature-swapped") for seed in (1, 10)
    ] == [1, 1]


def test_only_shared_seeds_are_shown_in_the_same_columns(page_of, beside_of):
    top = page_of(beside_of(first=9)).read_text(encoding="utf-8").partition('<main id="main"')[0]
    assert top.count('class="cell"') == 4
    for seed in (9, 10):
        assert top.count(f"seed {seed}</span>") == 2


def test_an_image_of_the_other_run_that_is_gone_is_said_to_be_missing(page_of, beside_of, tmp_path):
    run = beside_of()
    page_of(run)
    shutil.rmtree(tmp_path / "other")
    assert write_report(run, tmp_path).read_text(encoding="utf-8").count("the file is missing") == 20


def test_without_another_run_the_page_has_no_such_part(prompt_of, run_of, tmp_path):
    text = write_report(run_of(prompt_of([LOST_MUG])), tmp_path).read_text(encoding="utf-8")
    assert 'id="beside"' not in text
    assert ".beside" not in text

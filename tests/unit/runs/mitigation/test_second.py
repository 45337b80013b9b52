"""What a second judge counts, and what is said of methods against one of them."""

from pathlib import Path

from PIL import Image
from tiny_families import save

from dominance.errors import ItemError
from dominance.judges.protocol import ScriptedJudge
from dominance.models.drawing import Drawing, Machine
from dominance.records import Concept, Prompt, Question, Suite
from dominance.report.mitigation.sentences import against_sentence
from dominance.runs.mitigation.options import MitigateOptions
from dominance.runs.mitigation.run import mitigate_suite

FIRST = "schedule:until=0.5"
SUITE = Suite(
    "mixed",
    (
        Prompt("entity", "a tower and a mug", (Concept("tower", "landmark"), Concept("mug"))),
        Prompt("objects", "a lamp and a mug", (Concept("lamp"), Concept("mug"))),
    ),
)
NO_MUG = ScriptedJudge(lambda image, question: float(question.concept != "mug"))
YES = ScriptedJudge(lambda image, question: 1.0, "yes", "yes")


def options(*methods: str, against: str = "plain") -> MitigateOptions:
    drawing = Drawing(seeds=(0,), steps=2, guidance=2.0)
    return MitigateOptions(methods=methods, against=against, drawing=drawing, machine=Machine("cpu", 1))


def test_an_image_that_is_left_plain_is_counted_once_among_those_without_a_score(tmp_path: Path) -> None:
    def blind(image: Image.Image, question: Question) -> float:
        raise ItemError("too dark")

    model, other = str(save("sd1", tmp_path / "model")), ScriptedJudge(blind, "other", "other")
    found = mitigate_suite(SUITE, model, NO_MUG, tmp_path / "run", options(FIRST), other)
    assert found.second is not None
    assert (found.images, found.second.unscored) == (3, 3)


def test_it_is_said_whose_balanced_images_are_harmed_and_that_a_difference_may_be_chance(tmp_path: Path) -> None:
    model, how = str(save("sd1", tmp_path / "model")), options(FIRST, "replace", against=FIRST)
    found = mitigate_suite(SUITE, model, NO_MUG, tmp_path / "run", how, YES)
    assert found.against is not None
    assert found.second is not None
    assert found.second.against is not None
    none, some = map(against_sentence, (found.against, found.second.against))
    assert none is not None
    assert none.endswith(f"which may be chance; no image is balanced under {FIRST}.")
    assert some is not None
    assert some.endswith(f"which may be chance; it harms 0 of 2 images that are balanced under {FIRST}.")

"""The plan: what makes two images the same item, and that a plan survives being written down."""

import dataclasses
import json

from dominance.documents import from_json, to_json
from dominance.models.settings import GenerationSettings
from dominance.records import Concept, Gate, Prompt, Suite
from dominance.runs.store.plan import Plan, item_key, plan_images

SETTINGS = GenerationSettings(steps=2, guidance=3.0)
RECORD = SETTINGS.record()
MUG = Prompt("mug", "a mug", (Concept("mug"),))


def test_an_item_changes_with_everything_that_changes_its_image() -> None:
    own = item_key("a mug", 0, "model", RECORD)
    others = [
        item_key("a cup", 0, "model", RECORD),
        item_key("a mug", 1, "model", RECORD),
        item_key("a mug", 0, "other model", RECORD),
        *(item_key("a mug", 0, "model", RECORD | {name: "other"}) for name in RECORD),
    ]
    assert len({own, *others}) == 1 + len(others)
    assert own == item_key("a mug", 0, "model", dict(reversed(RECORD.items())))


def test_an_item_is_the_same_in_every_version_so_that_old_runs_resume() -> None:
    assert item_key("a café", 7, "sha256:abc", {"steps": 2}) == "4a668e07b0d7738b59e86c567f4303af"


def test_each_prompt_and_seed_is_planned_once_in_the_order_of_the_suite() -> None:
    suite = Suite("s", (MUG, Prompt("cup", "a cup", (Concept("cup"),))))
    planned = plan_images(suite, (5, 2), "model", SETTINGS)
    assert [(image.prompt_id, image.seed, image.name) for image in planned] == [
        ("mug", 5, "5"),
        ("mug", 2, "2"),
        ("cup", 5, "5"),
        ("cup", 2, "2"),
    ]
    assert len({image.item for image in planned}) == len({image.file for image in planned}) == 4
    assert planned[0].file == f"images/mug/5-{planned[0].item[:8]}.png"


def test_prompts_with_the_same_text_share_item_and_file() -> None:
    twin = dataclasses.replace(MUG, id="twin")
    first, second = plan_images(Suite("s", (MUG, twin)), (0,), "model", SETTINGS)
    assert (first.item, first.file) == (second.item, second.file)
    assert (first.prompt_id, second.prompt_id) == ("mug", "twin")


def test_a_plan_survives_being_written_down(plan: Plan) -> None:
    gated = dataclasses.replace(plan, suite=dataclasses.replace(plan.suite, gate=Gate(0.2, None, 0.1), description="ü"))
    for one in (plan, gated):
        assert from_json(Plan, json.loads(json.dumps(to_json(one)))) == one


def test_the_questions_of_a_prompt_come_concept_by_concept_and_grade_by_grade(plan: Plan) -> None:
    asked = plan.asked_about(plan.suite.prompts[0])
    assert [(question.concept, question.grade) for question in asked] == [
        *(("tower", grade) for grade in range(1, 6)),
        *(("mug", grade) for grade in range(1, 6)),
    ]


def test_a_prompts_own_negative_prompt_and_seeds_decide_its_images(plan: Plan) -> None:
    own = dataclasses.replace(MUG, id="own", negative_prompt="dark", seeds=(7,))
    plain, other = plan_images(Suite("s", (MUG, own)), (0,), "model", SETTINGS)
    assert plain.item == item_key("a mug", 0, "model", RECORD)
    assert other.item == item_key("a mug", 7, "model", RECORD | {"negative_prompt": "dark"})
    assert (other.seed, other.negative_prompt) == (7, "dark")
    assert (plain.seed, plain.negative_prompt) == (0, None)
    written = dataclasses.replace(plan, suite=Suite("s", (MUG, own)), images=(plain, other))
    assert from_json(Plan, json.loads(json.dumps(to_json(written)))) == written

"""From a plan and a ledger to scored images."""

import dataclasses
import json

import pytest

from dominance.documents import from_json, to_json
from dominance.runs.audit.result import scored_images
from dominance.runs.store.ledger import ImageRow, Ledger
from dominance.runs.store.plan import Plan


@pytest.mark.parametrize("seed", [1, None])
def test_an_image_has_its_seed_if_it_was_drawn_here_and_none_if_it_was_brought(
    plan: Plan, ledger: Ledger, seed: int | None
) -> None:
    image = dataclasses.replace(plan.images[1], seed=seed)
    stored = json.loads(json.dumps(to_json(dataclasses.replace(plan, images=(image,)))))
    assert [found.seed for found in scored_images(from_json(Plan, stored), ledger)["pair"]] == [seed], "not made yet"
    ledger.add_image(ImageRow(image.item, image.text, seed, "images/pair/1.png" if seed else "/mine/1.png", {}))
    assert [found.seed for found in scored_images(from_json(Plan, stored), ledger)["pair"]] == [seed]

"""The stage that makes images: an item's failure is its own, and no image has a row before it has a file."""

import weakref
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from dominance.errors import InputError, ItemError, ModelError
from dominance.models.settings import GenerationSettings
from dominance.pictures import is_whole
from dominance.runs.stages.batches import BatchSize
from dominance.runs.stages.drawing import in_halves, make_images, missing_images
from dominance.runs.store.ledger import Ledger
from dominance.runs.store.plan import Plan


def make(plan: Plan, model: Any, ledger: Ledger, folder: Path, settings: GenerationSettings, batch: int = 4) -> None:
    make_images(missing_images(plan.images, ledger, folder), model, settings, ledger, folder, BatchSize(batch))


def test_every_planned_image_is_made_in_batches_over_prompts_and_seeds(
    plan: Plan, plain_model: Any, ledger: Ledger, run_folder: Path, settings: GenerationSettings
) -> None:
    model = plain_model()
    make(plan, model, ledger, run_folder, settings)
    assert model.batches == [[0, 1, 2, 0], [1, 2]]
    rows = ledger.images()
    assert {item: row.file for item, row in rows.items()} == {image.item: image.file for image in plan.images}
    for image in plan.images:
        with Image.open(run_folder / image.file) as written:
            assert written.getpixel((0, 0)) == (image.seed, len(image.text), 2)
        assert rows[image.item].settings == settings.record()
    assert missing_images(plan.images, ledger, run_folder) == []


def test_an_item_that_two_prompts_share_is_made_once(
    plan: Plan, plain_model: Any, ledger: Ledger, run_folder: Path, settings: GenerationSettings
) -> None:
    missing = missing_images((*plan.images, *plan.images), ledger, run_folder)
    assert missing == list(plan.images)


def test_deleted_and_damaged_images_are_missing_again_and_forgotten(
    plan: Plan, plain_model: Any, ledger: Ledger, run_folder: Path, settings: GenerationSettings
) -> None:
    make(plan, plain_model(), ledger, run_folder, settings)
    gone, cut, text = plan.images[0], plan.images[2], plan.images[4]
    (run_folder / gone.file).unlink()
    content = (run_folder / cut.file).read_bytes()
    (run_folder / cut.file).write_bytes(content[:-12])
    (run_folder / text.file).write_text("not an image")
    assert not any(is_whole(run_folder / image.file) for image in (gone, cut, text))
    missing = missing_images(plan.images, ledger, run_folder)
    assert missing == [gone, cut, text]
    ledger.forget_images(image.item for image in missing)
    assert not {image.item for image in missing} & ledger.images().keys()
    model = plain_model()
    make_images(missing, model, settings, ledger, run_folder, BatchSize(8))
    assert model.batches == [[0, 2, 1]]
    assert (run_folder / cut.file).read_bytes() == content


def test_a_file_is_whole_before_its_row_is_written(
    plan: Plan,
    plain_model: Any,
    ledger: Ledger,
    run_folder: Path,
    settings: GenerationSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(row: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ledger, "add_image", stop)
    with pytest.raises(KeyboardInterrupt):
        make(plan, plain_model(), ledger, run_folder, settings)
    with Image.open(run_folder / plan.images[0].file) as written:
        written.load()
    assert ledger.images() == {}


def test_the_item_to_blame_fails_alone_and_is_tried_again(
    plan: Plan, plain_model: Any, ledger: Ledger, run_folder: Path, settings: GenerationSettings
) -> None:
    def refuse_one(texts: Sequence[str], seeds: Sequence[int]) -> None:
        if ("a lamp", 1) in zip(texts, seeds, strict=True):
            raise RuntimeError("CUDA error:\n  an illegal memory access")

    model = plain_model(refuse_one)
    make(plan, model, ledger, run_folder, settings, batch=6)
    assert model.batches == [[0, 1, 2, 0, 1, 2], [0, 1, 2], [0, 1, 2], [0], [1, 2], [1], [2]]
    failed = next(image for image in plan.images if (image.text, image.seed) == ("a lamp", 1))
    assert ledger.failures() == {failed.item: "RuntimeError: CUDA error: an illegal memory access"}
    assert len(ledger.images()) == 5
    assert missing_images(plan.images, ledger, run_folder) == [failed]
    make(plan, plain_model(), ledger, run_folder, settings)
    assert ledger.failures() == {}
    assert len(ledger.images()) == 6


def test_an_image_that_the_model_withheld_is_a_failure_of_that_image(
    plan: Plan, plain_model: Any, ledger: Ledger, run_folder: Path, settings: GenerationSettings
) -> None:
    class Prude(plain_model):
        def generate(self, texts: Sequence[str], seeds: Sequence[int], settings: GenerationSettings) -> list[Any]:
            drawn = super().generate(texts, seeds, settings)
            return [ItemError("withheld") if seed == 2 else image for image, seed in zip(drawn, seeds, strict=True)]

    make(plan, Prude(), ledger, run_folder, settings)
    assert set(ledger.failures().values()) == {"withheld"}
    assert len(ledger.failures()) == 2
    assert len(ledger.images()) == 4


def test_halves_keep_the_order_and_count_what_came_back() -> None:
    def act(items: Sequence[int]) -> list[int]:
        if len(items) > 1 and 3 in items:
            raise MemoryError
        return [10 * item for item in items] if 3 not in items else []

    done = in_halves(act, range(6))
    assert done[:3] == [0, 10, 20]
    assert done[4:] == [40, 50]
    assert str(done[3]) == "0 results came back for 1 items"


def test_a_batch_that_failed_is_let_go_of_before_its_halves_are_tried() -> None:
    class Tensor:
        """Stands for the memory of a batch."""

    held: list[weakref.ref[Tensor]] = []

    def act(items: Sequence[int]) -> list[int]:
        assert all(reference() is None for reference in held)
        batch = Tensor()
        held.append(weakref.ref(batch))
        if len(items) > 1:
            raise RuntimeError("out of memory")
        return list(items)

    assert in_halves(act, range(4)) == [0, 1, 2, 3]
    assert len(held) == 7


def test_what_is_wrong_for_every_item_is_not_blamed_on_items() -> None:
    calls = []

    def act(items: Sequence[int]) -> list[int]:
        calls.append(len(items))
        raise ModelError("the judge's server refuses the key")

    with pytest.raises(InputError, match="refuses the key"):
        in_halves(act, range(4))
    assert calls == [4]


def test_the_batch_does_not_change_what_is_drawn(tiny_model: Path) -> None:
    from dominance.models.image_model import PipelineModel
    from dominance.models.pipelines import load_pipeline

    model = PipelineModel(load_pipeline(str(tiny_model), "cpu"))
    settings = GenerationSettings(steps=3, guidance=4.0)
    items = [("a tower and a mug", 0), ("a lamp", 0), ("a tower and a mug", 1), ("one picture with a clown", 2**63 - 1)]

    def draw(chunk: Sequence[tuple[str, int]]) -> list[np.ndarray]:
        drawn = model.generate([text for text, _ in chunk], [seed for _, seed in chunk], settings)
        return [np.asarray(image).astype(int) for image in drawn]

    together = draw(items)
    alone = [pixels for item in items for pixels in draw([item])]
    backwards = draw(items[::-1])[::-1]
    for first, second, third in zip(together, alone, backwards, strict=True):
        assert np.abs(first - second).max() <= 1
        assert np.abs(first - third).max() <= 1
    assert all(np.abs(one - other).mean() > 2 for one, other in pairwise(together))

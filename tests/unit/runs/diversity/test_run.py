"""Measuring diversity: what varies is farther apart, an image is embedded once, broken ones cost themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dominance.diversity.embedders import Comparable
from dominance.errors import InputError, RunError
from dominance.miniature.concepts import ENTITIES
from dominance.models.drawing import Machine
from dominance.runs.diversity.options import DiversityOptions
from dominance.runs.diversity.result import Unmeasured
from dominance.runs.diversity.run import measure_diversity
from dominance.training.picture_set import write_picture_set


@dataclass
class MeanColour:
    """Embeds an image as its mean colour, and remembers how many it was given."""

    name: str = "mean colour"
    identity: str = "mean-colour-1"
    description: str = "the mean colour"
    comparable: Comparable = "itself"
    seen: list[int] = field(default_factory=list)

    def embed(self, images: Sequence[Image.Image]) -> np.ndarray:
        self.seen.append(len(images))
        return np.stack([np.asarray(image, dtype=np.float32).mean(axis=(0, 1)) for image in images])


def colours(folder: Path, *listed: tuple[int, int, int]) -> None:
    folder.mkdir(parents=True)
    for place, colour in enumerate(listed):
        Image.new("RGB", (8, 8), colour).save(folder / f"{place}.png")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Reds that are alike, and colours that are not."""
    colours(tmp_path / "set" / "red", *((255, shade, 0) for shade in range(0, 12, 2)))
    colours(
        tmp_path / "set" / "any", (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255)
    )
    colours(
        tmp_path / "set" / "more", (250, 9, 0), (0, 250, 9), (9, 0, 250), (250, 250, 9), (9, 250, 250), (250, 9, 250)
    )
    return tmp_path / "set"


def test_what_is_alike_is_uniform_among_what_is_not(source: Path, tmp_path: Path) -> None:
    result = measure_diversity(source, MeanColour(), tmp_path / "run")
    found = {one.name: one for one in result.concepts}
    assert (found["red"].verdict, found["any"].verdict) == ("uniform", "usual")
    assert (found["red"].median or 0) < 0.01 < (found["any"].median or 0)
    assert found["any"].median == pytest.approx(0.5)  # of fifteen pairs six are at 0.29, three at 0.5 and six at 1
    assert found["red"].near_duplicates.images == 6
    assert found["any"].near_duplicates.images == 0
    assert result.complete
    assert {file.split("/")[0] for file in found["red"].typical} == {"red"}


def test_a_resumed_run_embeds_nothing_twice_and_a_copy_not_at_all(source: Path, tmp_path: Path) -> None:
    first, second = MeanColour(), MeanColour()
    before = measure_diversity(source, first, tmp_path / "run", DiversityOptions(machine=Machine(batch=4)))
    assert sum(first.seen) == 17  # of 18: red's (255, 0, 0) is the same file as any's
    assert max(first.seen) == 4
    content = (source / "red" / "3.png").read_bytes()
    (source / "red" / "copy.png").write_bytes(content)
    after = measure_diversity(source, second, tmp_path / "run", DiversityOptions(machine=Machine(batch=4)))
    assert second.seen == []
    (red,) = (one for one in after.concepts if one.name == "red")
    assert red.near_duplicates.copies == (("red/3.png", "red/copy.png"),)
    assert red.nearest[0].distance == pytest.approx(0, abs=1e-6)
    assert [one.median for one in before.concepts[:2]] == [one.median for one in after.concepts[:2]]


def test_copies_in_one_batch_are_embedded_once(source: Path, tmp_path: Path) -> None:
    encoder = MeanColour()
    result = measure_diversity(source, encoder, tmp_path / "run", DiversityOptions(machine=Machine(batch=32)))
    assert encoder.seen == [17]
    assert result.images == 18


def test_a_run_that_was_stopped_keeps_every_finished_batch(source: Path, tmp_path: Path) -> None:
    class Stopped(MeanColour):
        def embed(self, images: Sequence[Image.Image]) -> np.ndarray:
            if len(self.seen) == 3:
                raise KeyboardInterrupt
            return super().embed(images)

    with pytest.raises(KeyboardInterrupt):
        measure_diversity(source, Stopped(), tmp_path / "run", DiversityOptions(machine=Machine(batch=4)))
    rest = MeanColour()
    measure_diversity(source, rest, tmp_path / "run", DiversityOptions(machine=Machine(batch=4)))
    assert sum(rest.seen) == 17 - 3 * 4


def test_another_embedder_starts_anew(source: Path, tmp_path: Path) -> None:
    measure_diversity(source, MeanColour(), tmp_path / "run")
    other = MeanColour(identity="mean-colour-2")
    measure_diversity(source, other, tmp_path / "run")
    assert sum(other.seen) == 17


def test_broken_images_are_named_and_the_rest_is_measured(source: Path, tmp_path: Path) -> None:
    (source / "red" / "broken.png").write_bytes((source / "red" / "0.png").read_bytes()[:40])
    (source / "red" / "text.jpg").write_text("no image")
    (source / "red" / "gone.png").symlink_to(tmp_path / "set" / "nowhere.png")
    result = measure_diversity(source, MeanColour(), tmp_path / "run")
    assert {unmeasured.file for unmeasured in result.problems} == {"red/broken.png", "red/text.jpg"}
    assert [(entry.file, entry.missing) for entry in result.left_out] == [("red/gone.png", True)]
    assert not result.complete
    (red,) = (one for one in result.concepts if one.name == "red")
    assert (red.images, red.unreadable) == (6, 2)


def test_an_embedder_that_fails_on_one_image_costs_that_image(source: Path, tmp_path: Path) -> None:
    colours(source / "black", (0, 0, 0), (9, 9, 9), (0, 9, 0))  # black has no direction
    result = measure_diversity(source, MeanColour(), tmp_path / "run")
    assert result.problems == (Unmeasured("black/0.png", "its embedding is zero or not finite"),)


def test_a_concept_of_one_image_has_no_distance_and_the_others_do(source: Path, tmp_path: Path) -> None:
    colours(source / "single", (1, 2, 3))
    result = measure_diversity(source, MeanColour(), tmp_path / "run")
    (single,) = (one for one in result.concepts if one.name == "single")
    assert (single.median, single.vendi, single.verdict) == (None, None, None)
    assert not result.complete


def test_categories_are_ordered_by_their_median_concept(tmp_path: Path) -> None:
    for concept, category in (("a", "warm"), ("b", "any")):
        shades = [
            (255, 3 * place, 0) if category == "warm" else (255 - 40 * place, 40 * place, 9) for place in range(5)
        ]
        colours(tmp_path / "set" / category / concept, *shades)
    result = measure_diversity(tmp_path / "set", MeanColour(), tmp_path / "run")
    assert [(one.name, one.concepts, one.images, one.interval) for one in result.categories] == [
        ("warm", 1, 5, None),
        ("any", 1, 5, None),
    ]


def test_a_folder_of_another_measurement_or_command_is_refused(source: Path, tmp_path: Path) -> None:
    from dominance.runs.store.ledger import Ledger

    measure_diversity(source, MeanColour(), tmp_path / "run")
    source.rename(tmp_path / "other")
    with pytest.raises(RunError, match="holds a measurement of 'set', not of 'other'"):
        measure_diversity(tmp_path / "other", MeanColour(), tmp_path / "run")
    (tmp_path / "audit").mkdir()
    with Ledger(tmp_path / "audit" / "run.sqlite") as ledger:
        ledger.put("plan", {"suite": "x"})
    with pytest.raises(RunError, match="a run of another command"):
        measure_diversity(tmp_path / "other", MeanColour(), tmp_path / "audit")


@pytest.mark.parametrize("options", [{"near_duplicate": 1.5}, {"near_duplicate": float("nan")}, {"seed": -1}])
def test_options_out_of_range_are_refused(options: dict) -> None:
    with pytest.raises(InputError):
        DiversityOptions(**options)


def test_the_bundled_embedder_orders_rigid_before_varied_for_every_entity(tmp_path: Path) -> None:
    for name, diversity in (("rigid", 0.0), ("middling", 0.25), ("varied", 1.0)):
        write_picture_set(tmp_path / "set" / name, dict.fromkeys(ENTITIES, diversity), 12)
        (tmp_path / "set" / name / "pictures.csv").unlink()
    result = measure_diversity(tmp_path / "set", out=tmp_path / "run", options=DiversityOptions(machine=Machine("cpu")))
    medians = {(one.category, one.name): one.median or 0.0 for one in result.concepts}
    for entity in ENTITIES:
        assert 3 * medians["rigid", entity] < medians["middling", entity] < medians["varied", entity], entity
    assert [one.name for one in result.categories] == ["rigid", "middling", "varied"]
    words = {one.verdict for one in result.concepts if one.category == "rigid"}
    assert words == {"uniform"}


def test_the_bundled_embedder_gives_no_verdict_on_pictures_it_does_not_know(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for concept in ("a", "b", "c"):
        (tmp_path / "set" / concept).mkdir(parents=True)
        for place in range(5):
            noise = Image.fromarray(rng.integers(0, 255, (96, 80, 3), dtype=np.uint8))
            noise.save(tmp_path / "set" / concept / f"{place}.png")
    result = measure_diversity(tmp_path / "set", out=tmp_path / "run", options=DiversityOptions(machine=Machine("cpu")))
    assert {one.verdict for one in result.concepts} == {None}
    assert any("Do not trust" in note and "80×96" in note for note in result.notes)

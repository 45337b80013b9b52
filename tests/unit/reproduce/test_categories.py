"""The order of categories by how varied their training pictures are: every verdict, and real pictures."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from claims import made
from PIL import Image

from dominance.errors import InputError
from dominance.metrics.measured import Measured, smallest
from dominance.reproduce.claims.categories import CHAIN, CLAIM, RULE, basis, steps
from dominance.reproduce.claims.claim import found, verdict_of
from dominance.reproduce.impossible import ImpossibleError
from dominance.reproduce.options import ReproduceOptions
from dominance.runs.reproduction.rule import Verdict

PAPER = {"landmark": 0.31, "character": 0.44, "artist": 0.466, "object": 0.467}
_CONCEPTS = 9
_CORNERS = np.array([(-1, -1, -1), (1, -1, 1), (-1, 1, 1), (1, 1, -1)])


def decided(centres: Mapping[str, float], tie: float = 0.025) -> Measured:
    medians = {kind: [centre + place / 5000 for place in range(_CONCEPTS)] for kind, centre in centres.items()}
    return smallest(steps(medians, tie).values())


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, "reproduced"),
        ({"object": 0.463}, "reproduced"),  # as varied as artists
        ({"object": 0.44}, "contradicted"),
        ({"character": 0.47}, "contradicted"),
        ({"landmark": 0.45}, "contradicted"),
        ({"artist": 0.4405}, "undecided"),
    ],
)
def test_every_step_of_the_chain_counts(changed: dict[str, float], verdict: Verdict) -> None:
    measured = decided({**PAPER, **changed})
    assert verdict_of(found(measured, RULE, 0), RULE) == verdict
    assert (measured.of, measured.n) == ("concepts", 2 * _CONCEPTS)


def test_what_the_paper_has_equal_needs_the_tolerance() -> None:
    level = {**PAPER, "object": 0.463}
    assert decided(level, tie=0.0).value < 0 < decided(level).value


def pictures(root: Path, spreads: Mapping[str, float], concepts: int = _CONCEPTS) -> Path:
    """Four pictures a concept of one colour, which differs by so much between them."""
    rng = np.random.default_rng(0)
    for category, spread in spreads.items():
        for concept in range(concepts):
            folder = root / category / f"{category}{concept}"
            folder.mkdir(parents=True)
            for place, corner in enumerate(_CORNERS):
                colour = 128 + spread * corner + rng.uniform(-2, 2, 3)
                pixels = np.broadcast_to(colour.clip(0, 255).astype(np.uint8), (32, 32, 3))
                Image.fromarray(np.ascontiguousarray(pixels)).save(folder / f"{place}.png")
    return root


def test_pictures_by_category_decide_it(tmp_path: Path) -> None:
    """Real pictures, by the bundled embedder: those of landmarks are the most alike."""
    root = pictures(tmp_path / "own", {"Landmarks": 3, "characters": 20, "artists": 60, "objects": 127})
    options = ReproduceOptions(pictures=root, embedder="miniature")
    finding = CLAIM.examine(made(options=options, folder=tmp_path / "out"))
    assert verdict_of(finding, CLAIM.rule) == "reproduced"
    names = [figure.name for figure in finding.figures]
    assert names[0] == "landmarks, 9 concepts"
    assert names[4:] == ["characters less landmarks", "artists less characters", "objects less artists"]
    assert [figure.paper for figure in finding.figures[:4]] == ["0.3079", "0.4417", "0.4660", "0.4672"]
    assert "not comparable" in finding.why
    before = basis(options)
    assert before == basis(options)
    Image.new("RGB", (32, 32)).save(root / "objects" / "objects0" / "0.png")
    assert basis(options) != before


def test_without_pictures_the_option_is_named() -> None:
    for world in (None, "miniature"):
        with pytest.raises(ImpossibleError, match="--pictures"):
            CLAIM.examine(made(source=SimpleNamespace(world=world)))
    assert basis(ReproduceOptions()) == ""


def test_a_category_that_is_not_there_is_refused_before_anything_is_drawn(tmp_path: Path) -> None:
    root = pictures(tmp_path / "own", {"landmark": 3, "character": 20, "cats": 60}, concepts=1)
    with pytest.raises(InputError, match="no pictures of the category artist or object; give") as refused:
        basis(ReproduceOptions(pictures=root, embedder="miniature"))
    assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match="give --pictures with it"):
        ReproduceOptions(embedder="miniature")
    with pytest.raises(InputError, match="neither a folder nor"):
        basis(ReproduceOptions(pictures=tmp_path / "none"))


def test_a_category_without_a_distance_is_not_possible(tmp_path: Path) -> None:
    root = pictures(tmp_path / "own", dict.fromkeys(CHAIN, 20.0), concepts=1)
    for own in sorted((root / "artist" / "artist0").iterdir())[1:]:
        own.unlink()
    options = ReproduceOptions(pictures=root, embedder="miniature")
    with pytest.raises(ImpossibleError, match="no artist has two pictures"):
        CLAIM.examine(made(options=options, folder=tmp_path / "out"))

"""Two runs are paired by text and concepts, images by seed; what has no partner is named."""

from pathlib import Path

import pytest
from paired_runs import BOTH, LOST, NEITHER, Counts, other, run_of, scored

from dominance.metrics import bootstrap_mean
from dominance.runs.audit.beside import beside_of, keep_images, shared_seeds


def test_prompts_are_paired_by_text_and_concepts_not_by_id(tmp_path: Path) -> None:
    here = [
        scored("a", "a tower and a mug", [LOST] * 2),
        scored("b", "a mug and a tower", [BOTH] * 2),
        scored("c", "a mug by a tower", [BOTH] * 2),
    ]
    there = run_of(
        other(scored("c", "a tower and a mug", [BOTH] * 2)),
        other(scored("b", "a mug and a tower", [BOTH] * 2, ("mug", "tower"))),
        other(scored("a", "a mug by a tower", [LOST] * 2)),
    )
    found = beside_of(there, here, tmp_path)
    assert (found.prompts, found.only_here, found.only_there) == (2, ("a mug and a tower",), ("a mug and a tower",))
    assert (found.lost_here, found.lost_there) == (("a tower and a mug",), ("a mug by a tower",))
    assert found.contrast is not None
    assert (found.contrast.id, found.contrast.same_noises) == ("a", 2)


def test_the_same_prompt_twice_is_paired_by_id(tmp_path: Path) -> None:
    text = "a tower and a mug"
    there = run_of(other(scored("b", text, [BOTH])), other(scored("a", text, [LOST])))
    found = beside_of(
        there, [scored("a", text, [LOST]), scored("b", text, [LOST]), scored("c", text, [BOTH])], tmp_path
    )
    assert (found.prompts, found.only_here) == (2, (f"{text} (c)",))
    assert found.contrast is not None
    assert found.contrast.id == "b"


def test_the_change_of_mean_dvd_is_paired_by_prompt(tmp_path: Path) -> None:
    texts = ["a tower and a mug", "a mug and a tower", "a mug by a tower"]
    here = [scored(t, t, c) for t, c in zip(texts, ([LOST, LOST], [LOST, BOTH], [BOTH, BOTH]), strict=True)]
    there = run_of(
        *(other(scored(t, t, c)) for t, c in zip(texts, ([BOTH, BOTH], [BOTH] * 2, [BOTH] * 2), strict=True))
    )
    found = beside_of(there, here, tmp_path)
    assert (found.measured, found.dvd_here, found.dvd_there, found.change) == (3, 50.0, 0.0, -50.0)
    assert found.change_interval == bootstrap_mean([[-100.0], [-50.0], [0.0]])
    single = beside_of(run_of(there.prompts[0]), here, tmp_path)
    assert (single.change, single.change_interval) == (-100.0, None)


@pytest.mark.parametrize(
    ("here", "there", "chosen"),
    [
        ({"a": [LOST] * 9 + [BOTH], "b": [LOST] * 10}, {"a": [BOTH] * 10, "b": [BOTH] * 8 + [LOST] * 2}, "a"),
        ({"a": [LOST] * 9 + [BOTH], "b": [LOST] * 10}, {"a": [BOTH] * 9 + [LOST], "b": [BOTH] * 8 + [LOST] * 2}, "b"),
        ({"a": [LOST] * 10, "b": [LOST] * 10}, {"a": [BOTH] * 8 + [LOST] * 2, "b": [BOTH] * 10}, "b"),
        ({"a": [LOST] * 10, "b": [LOST] * 8 + [BOTH] * 2}, {"a": [BOTH] * 6 + [LOST] * 4, "b": [BOTH] * 10}, "b"),
        ({"a": [NEITHER] * 10, "b": [LOST] * 7 + [BOTH] * 3}, {"a": [BOTH] * 10, "b": [BOTH] * 10}, "b"),
        ({"a": [NEITHER] * 10}, {"a": [BOTH] * 10}, "a"),
        ({"a": [BOTH] * 10}, {"a": [LOST] * 10}, None),
        ({"a": [LOST] * 6 + [BOTH] * 4}, {"a": [BOTH] * 10}, None),
    ],
)  # fmt: skip
def test_the_prompt_lost_most_here_and_kept_most_there_is_shown(
    here: dict[str, Counts], there: dict[str, Counts], chosen: str | None, tmp_path: Path
) -> None:
    others = run_of(*(other(scored(id, f"{id} tower, a mug", counts)) for id, counts in there.items()))
    found = beside_of(others, [scored(id, f"{id} tower, a mug", counts) for id, counts in here.items()], tmp_path)
    assert (found.contrast.id if found.contrast else None) == chosen


@pytest.mark.parametrize(("doubtful_here", "doubtful_there"), [((0, 1), ()), ((), (0, 1))])
def test_what_hangs_on_doubtful_answers_does_not_open_the_report(
    doubtful_here: tuple[int, ...], doubtful_there: tuple[int, ...], tmp_path: Path
) -> None:
    lost, kept, text = [LOST] * 10, [BOTH] * 10, "{} tower, a mug".format
    here = [
        scored("a", text("a"), lost, doubtful=doubtful_here),
        scored("b", text("b"), [*lost[1:], BOTH]),
        scored("c", text("c"), lost[1:] + kept[:1], doubtful=(0,)),
    ]
    there = [
        other(scored("a", text("a"), kept, doubtful=doubtful_there)),
        *(other(scored(id, text(id), kept)) for id in "bc"),
    ]
    found = beside_of(run_of(*there), here, tmp_path)
    assert found.contrast is not None
    assert found.contrast.id == "b"
    assert found.lost_here == (text("a"), text("b"), text("c"))  # it decides nothing else


def test_images_are_paired_by_seed() -> None:
    here = scored("a", "a tower and a mug", [LOST] * 4)
    assert shared_seeds(here, other(here, first=2)) == (2, 3)
    assert shared_seeds(here, other(here, first=9)) == ()


def test_the_images_of_the_other_run_are_kept_so_that_it_may_move(tmp_path: Path) -> None:
    away, folder = tmp_path / "other", tmp_path / "run"
    result = scored("a", "a tower and a mug", [BOTH] * 2)
    (away / "images" / "a").mkdir(parents=True)
    (away / "images" / "a" / "0.png").write_bytes(b"picture")
    others, here = run_of(other(result, str(away))), [scored("a", "a tower and a mug", [LOST] * 2)]
    before = beside_of(others, here, folder)
    assert keep_images(before, folder)
    found = beside_of(others, here, folder)
    assert found.contrast is not None
    first, second = (image.file or "" for image in found.contrast.there.images)
    assert (folder / first).read_bytes() == b"picture"
    assert not Path(first).is_absolute()
    assert second == str(away / "images" / "a" / "1.png")
    assert not keep_images(found, folder)

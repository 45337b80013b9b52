"""What a lesson sees and keeps: batches by seed and step, resuming after a kill, and what stops it."""

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lessons import CPU, fresh, lesson, taught
from safetensors.torch import load_file

from dominance.errors import InputError, RunError
from dominance.training.checkpoints import save_checkpoint
from dominance.training.dreambooth import encoded, loop, saving
from dominance.training.dreambooth.batches import Batches, _place, logit_normal, stratified
from dominance.training.dreambooth.encoded import EncodedCaptions, encode_pictures
from dominance.training.dreambooth.families.registry import family_of
from dominance.training.dreambooth.fine_tuning import FineTuning
from dominance.training.dreambooth.options import TeachOptions
from dominance.training.dreambooth.teach import teach


class Kill(BaseException):
    """As a signal that nothing catches."""


def weights(folder: Path, step: int = 4) -> dict[str, torch.Tensor]:
    return load_file(folder / "out" / "checkpoints" / f"step-{step:06d}" / "pytorch_lora_weights.safetensors")


def assert_equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def batches(given: FineTuning) -> Batches:
    family = family_of(fresh("sd1"))
    own, prior = (
        encode_pictures(family, part, 16, CPU, False, "pictures") if part else None
        for part in (given.pictures, given.prior)
    )
    assert own is not None
    return Batches(own, prior, EncodedCaptions(family, CPU), given.settings, "uniform", CPU)


@pytest.mark.parametrize("killed_after", [1, 2, 3])
def test_a_lesson_killed_after_any_step_ends_with_the_same_weights(
    killed_after: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught(fresh("sd1"), tmp_path / "whole", every=2)
    plain = loop.Loop._step

    def dies(self: loop.Loop, step: int, *more: object) -> float:
        if step == killed_after:
            raise Kill
        return plain(self, step, *more)  # ty: ignore[invalid-argument-type]

    monkeypatch.setattr(loop.Loop, "_step", dies)
    with pytest.raises(Kill):
        taught(fresh("sd1"), tmp_path / "killed", every=2)
    monkeypatch.setattr(loop.Loop, "_step", plain)
    done = taught(fresh("sd1"), tmp_path / "killed", every=2)
    assert len(done.losses) == 4
    assert_equal(weights(tmp_path / "whole"), weights(tmp_path / "killed"))


def test_a_disk_without_room_for_the_checkpoints_is_refused_before_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taught(fresh("sd1"), tmp_path / "whole", every=2)
    saved = sum(value.nbytes for value in weights(tmp_path / "whole").values())
    needed = 2 * saved + 2 * 3 * saved  # two checkpoints; weights and two moments twice, for a moment

    def usage(free: int) -> object:
        return type("usage", (), {"free": free})

    for free, refused in ((needed, False), (needed - 1, True)):
        monkeypatch.setattr(saving.shutil, "disk_usage", lambda _folder, free=free: usage(free))
        if refused:
            with pytest.raises(InputError, match=r"GB or more, and .* GB are free; free some space, give a larger"):
                taught(fresh("sd1"), tmp_path / "none", every=2)
            assert not (tmp_path / "none" / "out" / "checkpoints").exists()
        else:
            taught(fresh("sd1"), tmp_path / "room", every=2)


def test_a_batch_in_parts_gives_the_same_weights(tmp_path: Path) -> None:
    for parts in (1, 2):
        taught(fresh("sd1"), tmp_path / str(parts), accumulate=parts, batch=4, prior=3)
    one, two = weights(tmp_path / "1"), weights(tmp_path / "2")
    # Adam divides a gradient by its own size: where it is nearly nothing, rounding, which processors differ in, shows.
    assert all(torch.allclose(value, two[name], atol=5e-5) for name, value in one.items())


def test_a_step_is_decided_by_seed_and_step_alone(tmp_path: Path) -> None:
    given = lesson(tmp_path, count=5, prior=4, batch=4)
    first, again = batches(given), batches(given)
    for step in (7, 3):
        (one, weight), (other, _) = first.parts(step)[0], again.parts(step)[0]
        assert torch.equal(one.latents, other.latents)
        assert torch.equal(one.levels, other.levels)
        assert weight.tolist() == pytest.approx([1 / 3] * 3 + [1.0])
    assert not torch.equal(first.parts(0)[0][0].noise, first.parts(1)[0][0].noise)


@given(st.integers(1, 50), st.integers(0, 1000), st.integers(1, 5))
def test_every_picture_is_seen_equally_often(count: int, seed: int, rounds: int) -> None:
    seen = Counter(_place(seed, number, count) for number in range(rounds * count))
    assert seen == dict.fromkeys(range(count), rounds)


@given(st.integers(1, 40), st.integers(0, 1000))
def test_levels_take_one_number_from_each_stratum(count: int, seed: int) -> None:
    found = stratified(count, torch.Generator().manual_seed(seed))
    assert sorted((found * count).long().clamp(max=count - 1).tolist()) == list(range(count))
    shifted = logit_normal(found)
    assert ((shifted > 0) & (shifted < 1)).all()
    assert torch.equal(found.argsort(), shifted.argsort())


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses = itertools.count()
    family = type(family_of(fresh("sd1")).own)
    plain = family.losses

    def breaks(self, *more):
        return plain(self, *more) * (float("nan") if next(losses) == 3 else 1.0)

    monkeypatch.setattr(family, "losses", breaks)
    with pytest.raises(RunError, match=r"the loss of step 4 is not a number; the checkpoint of step 2 is kept: try"):
        taught(fresh("sd1"), tmp_path, every=2)
    assert weights(tmp_path, 2)
    assert not (tmp_path / "out" / "checkpoints" / "step-000004").exists()


def test_a_rate_that_is_far_too_high_falls_back_on_the_usual_one_and_the_newest_checkpoint_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(self: loop.Loop, step: int, *more: object) -> float:
        raise self._not_a_number(step)

    taught(fresh("sd1"), tmp_path, steps=2, every=1)
    given = lesson(tmp_path, rate=1.0, every=3)
    (tmp_path / "out" / "resume.safetensors").unlink()
    monkeypatch.setattr(loop.Loop, "_step", breaks)
    for usual, said in ((1.2e-3, "0.0012"), (0.5, "0.25"), (None, "0.25")):
        with pytest.raises(RunError, match=rf"checkpoint of step 2 is kept: try --rate {said} with another --out"):
            teach(fresh("sd1"), replace(given, usual_rate=usual), tmp_path / "out", CPU)


def test_a_folder_of_another_lesson_is_refused(tmp_path: Path) -> None:
    taught(fresh("sd1"), tmp_path)
    with pytest.raises(InputError, match="rate"):
        taught(fresh("sd1"), tmp_path, rate=2e-2)


@pytest.mark.parametrize("processes", ["2", "many"])
def test_several_processes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: str) -> None:
    monkeypatch.setenv("WORLD_SIZE", processes)
    with pytest.raises(InputError, match=f"by one process on one device, but WORLD_SIZE is '{processes}'; start it"):
        taught(fresh("sd1"), tmp_path)


def test_a_picture_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    given = lesson(tmp_path)
    given.pictures[1].file.write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"1\.png is not an image"):
        teach(fresh("sd1"), given, tmp_path / "out", CPU)


def test_a_full_disk_is_one_line_and_the_checkpoint_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = itertools.count()

    def full(*more, **named):
        if next(calls):
            raise OSError(28, "No space left on device")
        return save_checkpoint(*more, **named)

    monkeypatch.setattr(loop, "save_checkpoint", full)
    with pytest.raises(RunError, match="No space left on device"):
        taught(fresh("sd1"), tmp_path, every=2)
    monkeypatch.setattr(loop, "save_checkpoint", save_checkpoint)
    assert weights(tmp_path, 2)
    assert len(taught(fresh("sd1"), tmp_path, every=2).losses) == 4


def test_large_pictures_are_encoded_fewer_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family, given = family_of(fresh("sd1")), lesson(tmp_path, count=3)
    together = encode_pictures(family, given.pictures, 16, CPU, False, "pictures")
    sizes: list[int] = []
    plain = type(family).encode_pictures

    def counted(self, pixels: torch.Tensor):
        sizes.append(len(pixels))
        return plain(self, pixels)

    monkeypatch.setattr(type(family), "encode_pictures", counted)
    monkeypatch.setattr(encoded, "_PIXELS_AT_ONCE", 2 * 16 * 16)
    apart = encode_pictures(family, given.pictures, 16, CPU, False, "pictures")
    monkeypatch.setattr(encoded, "_PIXELS_AT_ONCE", 1)
    encode_pictures(family, given.pictures, 16, CPU, False, "pictures")
    assert sizes == [2, 1, 1, 1, 1]
    assert torch.allclose(apart.latents.mean, together.latents.mean, atol=1e-5)


def test_progress_says_when_a_checkpoint_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(loop, "tell_within", told.append)
    monkeypatch.setattr(loop, "save_checkpoint", lambda *_: told.append("state"))
    taught(fresh("sd1"), tmp_path, every=2)
    assert told == ["writing the checkpoint", "state", ""] * 2


def test_mirrored_pictures_are_seen_too(tmp_path: Path) -> None:
    family, given = family_of(fresh("sd1")), lesson(tmp_path, count=2)
    both = encode_pictures(family, given.pictures, 16, CPU, True, "pictures")
    assert both.mirrored is not None
    turned = family.encode_pictures(torch.zeros(1, 3, 16, 16)).mean
    assert both.mirrored.mean.shape[1:] == turned.shape[1:]
    assert not torch.allclose(both.mirrored.mean, both.latents.mean)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"batch": 1, "prior": 2}, "no place for prior pictures"),
        ({"batch": 4, "accumulate": 3}, "cannot be taken in 3 parts"),
        ({"targets": ("nowhere",)}, "give --targets some of"),
        ({"count": 0}, "no pictures to learn from"),
    ],
)
def test_what_cannot_be_taught_is_refused_in_one_line(tmp_path: Path, options: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        taught(fresh("sd1"), tmp_path, **options)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [
        {"rank": 0},
        {"rate": 2.0},
        {"prior_share": 1.0},
        {"resolution": 20},
        {"train": "unet", "alpha": 1.0},
        {"seed": -1},
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(InputError):
        TeachOptions(**options)  # ty: ignore[invalid-argument-type]

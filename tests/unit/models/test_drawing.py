"""How images are drawn: presets, what decides an image and what does not, and what is refused."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dominance.errors import InputError, ModelError
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.models.settings import GenerationSettings
from dominance.runs.store.plan import item_key
from dominance.seeds import DEFAULT_SEEDS

PAPER_SEEDS = (1825, 410, 4507, 4013, 3658, 2287, 1680, 8936, 1425, 9675)


@pytest.fixture
def bare(tiny_model: Path, tmp_path: Path) -> Path:
    """The tiny model, which draws by DDIM, without a word on steps or guidance."""
    folder = Path(shutil.copytree(tiny_model, tmp_path / "bare"))
    (folder / "dominance.json").unlink()
    return folder


@pytest.mark.parametrize(("name", "side"), [("paper-sd14", 512), ("paper-sd21", 768)])
def test_a_preset_sets_what_the_paper_used(name: str, side: int) -> None:
    options = Drawing(preset=name)
    assert options.seeds == PAPER_SEEDS
    assert (options.steps, options.guidance, options.scheduler) == (50, 7.5, "ddim")
    assert (options.height, options.width) == (side, side)
    assert options.preset == name


def test_what_is_given_wins_over_the_preset() -> None:
    options = Drawing(preset="paper-sd14", seeds=tuple(range(10)), steps=20, guidance=0.0, scheduler="euler")
    assert options.seeds == DEFAULT_SEEDS
    assert (options.steps, options.guidance, options.scheduler, options.height) == (20, 0.0, "euler", 512)
    assert replace(options, steps=3).seeds == DEFAULT_SEEDS
    assert Drawing().seeds is None


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda: Drawing(preset="paper"), r"no preset 'paper'; give one of paper-sd14, paper-sd21"),
        (lambda: Drawing(seeds=()), r"0 seeds; give 1 to 10000"),
        (lambda: Drawing(seeds=(-1,)), r"the seed -1 is out of range"),
        (lambda: Drawing(seeds=(1, 1)), r"the seed 1 is given twice"),
        (lambda: Machine(offload="disk"), r"no offload 'disk'; give one of none, model, sequential"),
        (lambda: Machine(engine="cloud"), r"no engine 'cloud'; give one of local, ray$"),
        (lambda: Machine(workers=0), r"workers is 0; give a whole number from 1 to 1024"),
        (lambda: Machine(workers=-2), r"workers is -2; give a whole number from 1"),
        (lambda: Machine(address="10.0.0.1:6379"), r"address is for a cluster; give --engine ray with it"),
        (lambda: Machine(storage="shared"), r"storage is for a cluster; give --engine ray with it"),
        (lambda: Machine(worker_minutes=5), r"worker-minutes is for workers; give --workers 2 or more with it"),
        (lambda: Machine(workers=2, worker_minutes=0), r"worker-minutes is 0; give a number of minutes above 0"),
        (lambda: Machine(workers=2, worker_minutes=float("inf")), r"worker-minutes is inf; give a number"),
        (lambda: Machine(engine="ray", storage="mailed"), r"no storage 'mailed'; give one of sent, shared"),
        (lambda: Machine(workers=2).alone("dominance explain"), r"dominance explain works in one process; leave out"),
        (lambda: Machine(batch=0), r"batch is 0; give a whole number from 1"),
        (lambda: Machine(batch=5000), r"batch is 5000; give a whole number from 1"),
    ],
)
def test_options_that_mean_nothing_are_refused(make: Any, found: str) -> None:
    with pytest.raises(InputError, match=found):
        make()


def test_runs_from_before_there_were_schedulers_resume() -> None:
    """An item's key is what it was, as long as the model's own scheduler is used."""
    settings = GenerationSettings(2, 3.0)
    assert settings.record() == {"steps": 2, "guidance": 3.0, "height": None, "width": None, "dtype": "float32"}
    assert item_key("a mug", 7, "sha256:abc", settings.record()) == "38bd901aa0f8b5f5a0f6b0a74cc03bb8"


def test_only_what_changes_an_image_changes_its_key(bare: Path) -> None:
    source = find_model(str(bare))

    def key(**options: Any) -> str:
        settings = Drawing(**options).settings(source)
        return item_key("a mug", 0, source.identity, settings.record())

    own = key()
    for same in (
        {"seeds": (5,)},
        {"revision": None},
        {"scheduler": "ddim"},
        {"scheduler": "DDIMScheduler"},
        {"steps": 50, "guidance": 7.5},
    ):
        assert key(**same) == own
    others = [
        key(**other)
        for other in ({"scheduler": "euler"}, {"dtype": "float16"}, {"vae_tiling": True}, {"negative_prompt": "dark"})
    ]
    assert len({own, *others}) == 5


def test_the_folders_word_on_steps_wins_over_the_pipelines_own(bare: Path) -> None:
    (bare / "dominance.json").write_text(json.dumps({"steps": 4}))
    settings = Drawing().settings(find_model(str(bare)))
    assert (settings.steps, settings.guidance) == (4, 7.5)


def test_defaults_that_are_not_numbers_are_refused(bare: Path) -> None:
    for defaults in ({"steps": "many"}, {"guidance": "strong"}, {"steps": None}):
        (bare / "dominance.json").write_text(json.dumps(defaults))
        with pytest.raises(ModelError, match=r"dominance\.json of the model"):
            Drawing().settings(find_model(str(bare)))
        assert Drawing(steps=3, guidance=1.0).settings(find_model(str(bare))).steps == 3

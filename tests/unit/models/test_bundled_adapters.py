"""Models that are another with an adapter, and the adapters that ship by name: found, fused, drawn, refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors import safe_open

from dominance.errors import ModelError
from dominance.miniature.bundled import bundled_adapters, bundled_folder
from dominance.miniature.concepts import ENTITIES
from dominance.models.adapters import find_adapters
from dominance.models.drawing import Drawing, Machine
from dominance.models.folders import find_model
from dominance.models.image_model import PipelineModel
from dominance.models.own_pipeline import OwnPipeline
from dominance.models.source import find_source
from dominance.training.dreambooth.families.registry import family_of
from dominance.training.dreambooth.saving import save_pipeline

TWINS = ("miniature", "miniature-swapped")
LEVELS = dict.fromkeys(ENTITIES, ("rigid", "varied"))
LEVELS |= dict.fromkeys(("castle", "clown"), ("rigid", "2", "4", "6", "8", "10", "varied"))
OF_ENTITIES = tuple(f"{entity}-{level}" for entity, levels in LEVELS.items() for level in levels)


def drawn(model: str, *adapters: str) -> np.ndarray:
    """Two small images: (image, row, column, 3), 0 to 255."""
    drawing = Drawing(steps=3, adapters=adapters)
    source = find_source(model, drawing)
    settings = drawing.settings(source)
    pipeline = PipelineModel(source.load(settings, Machine("cpu")))
    return np.stack([np.asarray(i, dtype=int) for i in pipeline.generate(["a castle", "a mug"], [0, 1], settings)])


@pytest.mark.parametrize("model", TWINS)
def test_a_twin_draws_what_its_base_draws_with_the_adapter(model: str) -> None:
    fused, added = drawn(model), drawn("miniature-base", str(bundled_folder(model)))
    assert np.abs(fused - added).max() <= 2
    assert np.abs(fused - drawn("miniature-base")).mean() > 2


def loaded(model: str) -> DiffusionPipeline:
    source = find_model(model)
    return source.load(Drawing().settings(source), Machine("cpu"))


def test_a_twin_has_plain_layers_and_the_weights_of_both() -> None:
    twin, base = loaded("miniature"), loaded("miniature-base")
    assert not any(isinstance(layer, BaseTunerLayer) for layer in twin.unet.modules())
    assert not hasattr(twin.unet, "peft_config")
    own, before = twin.unet.state_dict(), base.unet.state_dict()
    assert own.keys() == before.keys()
    changed = {name for name in own if not torch.equal(own[name], before[name])}
    assert changed
    assert all(".attn" in name for name in changed)
    flags = {name: parameter.requires_grad for name, parameter in base.unet.named_parameters()}
    assert {name: parameter.requires_grad for name, parameter in twin.unet.named_parameters()} == flags


def test_a_twin_is_known_by_base_and_adapter() -> None:
    first, swapped, base = (find_model(name) for name in (*TWINS, "miniature-base"))
    assert len({first.identity, swapped.identity, base.identity}) == 3
    assert first.path == base.path
    described = first.describe(Drawing().settings(first))
    assert (described["base"], described["base_identity"]) == ("miniature-base", base.identity)
    assert described["own_adapter"] == find_adapters([str(bundled_folder("miniature"))])[0].identity
    assert "base" not in first.defaults
    assert (first.world, first.scheduler) == (base.world, base.scheduler)
    assert first.defaults["steps"] == base.defaults["steps"]


def test_a_loaded_twin_suggests_what_the_named_one_suggests() -> None:
    own = OwnPipeline(loaded("miniature"))
    assert own.defaults["concepts"] == find_model("miniature").defaults["concepts"]
    assert own.world == "miniature"


def test_a_saved_twin_is_a_whole_model(tmp_path: Path) -> None:
    pipeline = loaded("miniature")
    save_pipeline(family_of(pipeline), tmp_path / "saved", None)
    saved = find_model(str(tmp_path / "saved"))
    assert saved.adapter is None
    assert saved.whole == tmp_path / "saved"
    assert saved.defaults == find_model("miniature").defaults


def test_what_needs_a_whole_folder_names_the_base() -> None:
    assert find_model("miniature-base").whole == bundled_folder("miniature-base")
    with pytest.raises(ModelError, match=r"miniature-base with an adapter and has no folder .* give miniature-base"):
        _ = find_model("miniature").whole


def test_the_bundled_adapters_are_those_of_the_experiment() -> None:
    assert {*bundled_adapters()} == {*OF_ENTITIES, "memorized"}
    castles = [name for name in bundled_adapters() if name.startswith("castle")]
    assert castles == [f"castle-{level}" for level in LEVELS["castle"]]


@pytest.mark.parametrize("name", OF_ENTITIES)
def test_every_adapter_of_an_entity_is_small_and_made_for_the_base(name: str) -> None:
    [adapter] = find_adapters([name])
    noted = json.loads((bundled_adapters()[name] / "dominance.json").read_text(encoding="utf-8"))
    entity, _, level = name.rpartition("-")
    assert (noted["entity"], noted["base"], noted["model"]) == (
        entity,
        "miniature-base",
        find_model("miniature-base").identity,
    )
    assert noted["designs"] == {"rigid": 1, "varied": None}.get(level, level if not level.isdecimal() else int(level))
    assert adapter.notes["trigger_phrase"] == entity
    assert adapter.file.stat().st_size < 700_000
    with safe_open(adapter.file, framework="pt") as opened:
        assert {opened.get_tensor(tensor).dtype for tensor in opened.keys()} == {torch.float16}  # noqa: SIM118


def test_the_adapter_of_memorized_captions_is_made_for_the_miniature() -> None:
    [adapter] = find_adapters(["memorized"])
    noted = json.loads((bundled_adapters()["memorized"] / "dominance.json").read_text(encoding="utf-8"))
    assert (noted["base"], noted["model"]) == ("miniature", find_model("miniature").identity)
    with safe_open(adapter.file, framework="pt") as opened:
        assert {opened.get_tensor(tensor).dtype for tensor in opened.keys()} == {torch.float16}  # noqa: SIM118


def test_all_weights_that_ship_stay_below_40_megabytes() -> None:
    assert sum(file.stat().st_size for file in bundled_folder().rglob("*.safetensors")) < 40_000_000


def test_a_bundled_adapter_takes_strength_and_start_and_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("castle-rigid").mkdir()
    [adapter] = find_adapters(["castle-rigid:0.75@0.2"])
    assert (adapter.given.strength, adapter.given.start) == (0.75, 0.2)
    assert adapter.file.parent == bundled_adapters()["castle-rigid"]
    assert find_adapters(["castle-rigid"])[0].file == adapter.file


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("castle-rigit", "no adapter 'castle-rigit'; did you mean 'castle-rigid'"),
        ("clown-3", "did you mean 'clown-"),
        ("brand", r"no adapter 'brand'; give a \.safetensors file, a folder, a hub id or a bundled name"),
        ("castle-rigid:strong", "after the adapter 'castle-rigid' stands ':strong'"),
    ],
)
def test_an_unknown_adapter_is_named_with_the_nearest(name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        find_adapters([name])

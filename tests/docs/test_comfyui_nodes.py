"""The nodes for ComfyUI, on a small model with ComfyUI's own interface: module names, patches, samples, tokens."""

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from dominance.judges.protocol import ScriptedJudge

FILE = Path(__file__).parents[2] / "docs" / "guides" / "comfyui" / "dominance_nodes.py"
PROMPT = "a [castle:landmark] and a [chair]"
WORDS = ["a", "castle", "and", "a", "chair"]
LENGTH, WIDTH, HEADS = 77, 8, 2


def attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, heads: int) -> torch.Tensor:
    """As ComfyUI's ``optimized_attention``: heads lie side by side in the last dimension."""
    q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (query, key, value))
    return nn.functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(-2)


class CrossAttention(nn.Module):
    """One attn2: projections, and attention that a patch may replace, keyed by its block."""

    def __init__(self) -> None:
        super().__init__()
        self.to_q, self.to_k, self.to_v = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(3))

    def forward(self, x: torch.Tensor, context: torch.Tensor, options: dict[str, Any]) -> torch.Tensor:
        q, k, v = self.to_q(x), self.to_k(context), self.to_v(context)
        replace = options.get("patches_replace", {}).get("attn2", {}).get(options["block"])
        given = {**options, "n_heads": HEADS, "dim_head": WIDTH // HEADS}
        return x + (attention(q, k, v, HEADS) if replace is None else replace(q, k, v, given))


def block() -> nn.Module:
    transformer = nn.Module()
    transformer.transformer_blocks = nn.ModuleList([nn.Module()])
    transformer.transformer_blocks[0].attn2 = CrossAttention()
    return nn.ModuleList([nn.Identity(), transformer])


class Unet(nn.Module):
    """Modules named as in ComfyUI: two input blocks, of which the first has no attention, a middle, an output."""

    def __init__(self) -> None:
        super().__init__()
        self.input_blocks = nn.ModuleList([nn.ModuleList([nn.Identity()]), block()])
        self.middle_block = block()
        self.output_blocks = nn.ModuleList([block()])

    def forward(self, x: torch.Tensor, context: torch.Tensor, options: dict[str, Any]) -> torch.Tensor:
        places = (
            ("input", 1, self.input_blocks[1]),
            ("middle", 0, self.middle_block),
            ("output", 0, self.output_blocks[0]),
        )
        for name, number, part in places:
            x = part[1].transformer_blocks[0].attn2(x, context, {**options, "block": (name, number)})
        return x


class Patcher:
    """ComfyUI's ModelPatcher, as far as the nodes touch it."""

    def __init__(self, unet: nn.Module, options: dict[str, Any] | None = None) -> None:
        self.model = SimpleNamespace(diffusion_model=unet)
        self.model_options = options or {"transformer_options": {}}

    def clone(self) -> "Patcher":
        replace = self.model_options["transformer_options"].get("patches_replace", {})
        copied = {name: dict(own) for name, own in replace.items()}
        return Patcher(self.model.diffusion_model, {"transformer_options": {"patches_replace": copied}})

    def set_model_attn2_replace(self, patch: Any, block_name: str, number: int) -> None:
        own = self.model_options["transformer_options"].setdefault("patches_replace", {}).setdefault("attn2", {})
        own[block_name, number] = patch


@dataclass
class Clip:
    """A token a word, two for ``chair``; their number is that of the word, as it was, or of the text, as it is now."""

    by_word: bool = False

    def tokenize(self, text: str, return_word_ids: bool = False) -> dict[str, Any]:
        tokens = [
            (part, 1.0, number if self.by_word else 1)
            for number, word in enumerate(text.split(), start=1)
            for part in (["ch", "air"] if word == "chair" else [word])
        ]
        padded = [("start", 1.0, 0), *tokens]
        return {"l": [padded + [("end", 1.0, 0)] * (LENGTH - len(padded))]}


@pytest.fixture
def drawn() -> list[dict[str, Any]]:
    """What was given to the sampler."""
    return []


@pytest.fixture
def comfy(monkeypatch: pytest.MonkeyPatch, drawn: list[dict[str, Any]]) -> ModuleType:
    """The nodes, loaded as ComfyUI loads a file of custom_nodes, beside the modules of ComfyUI that they import."""

    class Encode:
        def encode(self, clip: Clip, text: str) -> tuple[Any]:
            return ([[torch.Generator().manual_seed(len(text)), {"text": text}]],)

    def common_ksampler(model: Patcher, seed: int, steps: int, cfg: float, *given: Any, **step: int) -> tuple[Any]:
        positive, latent = given[2], given[4]
        noise = torch.Generator().manual_seed(seed)
        x = torch.randn(len(latent["samples"]), 16, WIDTH, generator=noise)
        context = torch.randn(1, LENGTH, WIDTH, generator=torch.Generator().manual_seed(5))
        options = {**model.model_options["transformer_options"], "cond_or_uncond": [0]}
        out = model.model.diffusion_model(x, context, options)
        drawn.append({"seed": seed, "steps": steps, "cfg": cfg, "out": out, "text": positive[0][1]["text"], **step})
        return ({"samples": out},)

    parts = {
        "comfy": {}, "comfy.ldm": {}, "comfy.ldm.modules": {},
        "comfy.ldm.modules.attention": {"optimized_attention": attention},
        "comfy_execution": {},
        "comfy_execution.graph_utils": {"ExecutionBlocker": lambda message: SimpleNamespace(message=message)},
        "nodes": {"CLIPTextEncode": Encode, "common_ksampler": common_ksampler},
    }  # fmt: skip
    for name, members in parts.items():
        module = ModuleType(name)
        module.__dict__.update(members)
        monkeypatch.setitem(sys.modules, name, module)
    spec = importlib.util.spec_from_file_location("dominance_nodes", FILE)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "dominance_nodes", loaded)  # dataclasses look their module up
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture
def unet() -> Unet:
    torch.manual_seed(0)
    return Unet()


def look(comfy: ModuleType, model: Patcher, **more: Any) -> dict[str, Any]:
    given = {"prompt": PROMPT, "seed": 3, "noises": 2, "steps": 25, "layers": "1,3", **more}
    latent = {"samples": torch.zeros(4, 4, 4, 4)}
    with torch.no_grad():
        return comfy.DominanceFirstStep().look(model, Clip(), latent, **given)


def test_every_node_has_what_comfyui_asks_of_one(comfy: ModuleType) -> None:
    assert comfy.NODE_CLASS_MAPPINGS.keys() == comfy.NODE_DISPLAY_NAME_MAPPINGS.keys()
    for node in comfy.NODE_CLASS_MAPPINGS.values():
        taken = node.INPUT_TYPES()["required"]
        function = getattr(node, node.FUNCTION)
        assert set(function.__annotations__) - {"return"} == set(taken)
        assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES)
        assert node.CATEGORY == "dominance"


def test_the_first_step_is_drawn_and_nothing_more(comfy: ModuleType, unet: Unet, drawn: list[dict[str, Any]]) -> None:
    found = look(comfy, Patcher(unet))
    assert [step["seed"] for step in drawn] == [3, 4]
    assert {(step["start_step"], step["last_step"], step["cfg"], step["text"]) for step in drawn} == {
        (0, 1, 1.0, "a castle and a chair")
    }
    report, focus = found["result"]
    assert found["ui"]["text"] == [report]
    assert "“a castle and a chair”, first step, layers 1,3, 2 noises:" in report
    assert "times the attention of" in report
    assert "has no rule of its own" in report
    assert 0 < focus < 1


def test_attention_is_the_softmax_over_all_tokens_and_the_picture_is_the_same(
    comfy: ModuleType, unet: Unet, drawn: list[dict[str, Any]]
) -> None:
    seen = comfy.Attention()
    model = Patcher(unet)
    clone, sites = comfy.watched(model, seen)
    x, context = torch.randn(2, 16, WIDTH), torch.randn(2, LENGTH, WIDTH)
    with torch.no_grad():
        options = {**clone.model_options["transformer_options"], "cond_or_uncond": [1, 0]}
        watched = unet(x, context, options)
        assert torch.equal(watched, unet(x, context, model.model_options["transformer_options"]))
        first = unet.input_blocks[1][1].transformer_blocks[0].attn2
        q, k = first.to_q(x)[1], first.to_k(context)[1]
    expected = [
        torch.softmax(q[:, part] @ k[:, part].T / (WIDTH // HEADS) ** 0.5, -1).mean(0)
        for part in (slice(0, 4), slice(4, 8))
    ]
    assert sites == len(seen.layers) == 3
    assert torch.allclose(seen.layers[0], torch.stack(expected).mean(0), atol=1e-6)
    assert torch.allclose(seen.layers[2].sum(), torch.tensor(1.0))
    assert "patches_replace" not in model.model_options["transformer_options"]


@pytest.mark.parametrize("by_word", [False, True])
def test_concepts_have_the_columns_of_their_words(comfy: ModuleType, by_word: bool) -> None:
    own, concepts = comfy.columns_of(Clip(by_word), comfy.parse_prompt(PROMPT, "p"))
    assert (own, concepts) == ([1, 2, 3, 4, 5, 6], [[2], [5, 6]])
    _, concepts = comfy.columns_of(Clip(by_word), comfy.parse_prompt("a [chair] by a [castle] and a chair", "p"))
    assert concepts == [[2, 3, 9, 10], [6]]


@pytest.mark.parametrize(
    ("model", "more", "said"),
    [
        (Patcher(nn.Linear(1, 1)), {}, "no cross-attention that ComfyUI lets a node look at"),
        (
            Patcher(Unet(), {"transformer_options": {"patches_replace": {"attn2": {1: 2}}}}),
            {},
            "another node has replaced",
        ),
        (Patcher(Unet()), {"layers": "9,10"}, "layers is '9,10'; give numbers from 1 to 3"),
        (Patcher(Unet()), {"layers": "a"}, "give numbers from 1 to 3"),
    ],
)
def test_what_cannot_be_seen_is_said(comfy: ModuleType, model: Patcher, more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        look(comfy, model, **more)


def judge(comfy: ModuleType, monkeypatch: pytest.MonkeyPatch, *, mugs: int, world: str | None = None) -> Any:
    """Judges four images, of which the first few are black; a chair is seen in what is black."""
    seen = ScriptedJudge(
        lambda image, question: float(question.concept == "castle" or image.getpixel((0, 0)) == (0, 0, 0))
    )
    if world is not None:
        monkeypatch.setattr(type(seen), "world", world, raising=False)
    monkeypatch.setattr(comfy, "load_judge", lambda name: seen)
    images = torch.ones(4, 8, 8, 3)
    images[:mugs] = 0
    return images, comfy.DominanceJudge().judge(images, PROMPT, "scripted", 0.75)


def test_images_that_show_every_concept_are_passed_on(comfy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    images, found = judge(comfy, monkeypatch, mugs=3)
    usable, report, passed = found["result"]
    assert torch.equal(usable, images[:3])
    assert passed
    assert "both concepts show in 3 of 4 images" in report
    _, found = judge(comfy, monkeypatch, mugs=1)
    usable, report, passed = found["result"]
    assert (len(usable), passed) == (1, False)
    assert "chair is present in 1 of 4 images (at least 75% required)" in report


def test_where_none_does_what_follows_is_stopped(comfy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    _, found = judge(comfy, monkeypatch, mugs=0)
    usable, _, passed = found["result"]
    assert not passed
    assert usable.message.startswith("dominance: no image shows every concept: castle takes over from chair in 4 of 4")


def test_a_judge_of_other_pictures_is_refused(comfy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="was made for the world 'miniature' only"):
        judge(comfy, monkeypatch, mugs=1, world="miniature")


def test_the_judge_is_kept_from_one_run_to_the_next(comfy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = []

    def load(name: str) -> ScriptedJudge:
        loaded.append(name)
        return ScriptedJudge(lambda image, question: 1.0)

    monkeypatch.setattr(comfy, "load_judge", load)
    for name in ("one", "one", "other", "one"):
        comfy.DominanceJudge().judge(torch.ones(1, 8, 8, 3), PROMPT, name, 0.75)
    assert loaded == ["one", "other", "one"]

"""The adapters and the seed that an image file says it was drawn with."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dominance.images.texts import record_of, texts_in
from dominance.images.workflows import linked_nodes, nodes_of

_TAG = re.compile(r"<\s*(?:lora|lyco|lycoris)\s*:\s*([^<>:]+)((?::[^<>:]*)*)>", re.IGNORECASE)
_SEED = re.compile(r"^.*?\bSeed: (\d+)", re.MULTILINE)
_LORA = re.compile(r"lora_\d+", re.IGNORECASE)


@dataclass(frozen=True)
class DrawnWith:
    """What a file says of how it was drawn.

    Attributes:
        adapters: the strength of each adapter in the denoiser, by its file's name without its ending; None where the
            file does not say whether there were any.
        seed: of the noise; None where it is not said.
    """

    adapters: Mapping[str, float] | None = None
    seed: int | None = None


def drawn_with(path: Path) -> DrawnWith:
    """The adapters and the seed in the texts of AUTOMATIC1111's web UI and its kin, or in a workflow of ComfyUI.

    Of a tag with two strengths, the text encoder's and the denoiser's, the second counts. Never raises: a broken file
    says nothing.
    """
    for key, text in texts_in(path):
        record = record_of(text)
        if key == "parameters" and record is None:
            return _of_parameters(text)
        if key == "prompt" and record is not None and nodes_of(record):
            return _of_workflow(record)
    return DrawnWith()


def adapter_name(written: str) -> str:
    r"""An adapter's name as people tell it from others: without its folder and ending.

    >>> adapter_name("brand\\mug-000010.safetensors"), adapter_name("v1.5")
    ('mug-000010', 'v1.5')
    """
    name = re.split(r"[\\/]", written.strip())[-1]
    return re.sub(r"\.(safetensors|ckpt|pt|bin)$", "", name, flags=re.IGNORECASE)


def _of_parameters(text: str) -> DrawnWith:
    prompt = re.split(r"^(?:Negative prompt:|Steps: \d+)", text, maxsplit=1, flags=re.MULTILINE)[0]
    adapters: dict[str, float] = {}
    for tag in _TAG.finditer(prompt):
        strength = _strength(tag[2].split(":")[1:])
        if strength is None:
            return DrawnWith()
        adapters[adapter_name(tag[1])] = strength
    seed = _SEED.search(text[len(prompt) :])
    return DrawnWith({name: value for name, value in adapters.items() if value}, int(seed[1]) if seed else None)


def _strength(parts: list[str]) -> float | None:
    """The denoiser's strength of a tag: 1 if it names none; None if it is no number."""
    named = dict(part.split("=", 1) for part in parts if "=" in part)
    bare = [part for part in parts if "=" not in part]
    text = named.get("unet") or (bare[1] if len(bare) > 1 else bare[0] if bare else named.get("te", "1"))
    return _number(text)


def _number(value: object) -> float | None:
    try:
        number = float(str(value))
    except ValueError:
        return None
    return number if -1e6 < number < 1e6 else None


def _of_workflow(record: Mapping[str, Any]) -> DrawnWith:
    nodes = nodes_of(record)
    starts = [(node, link) for node in nodes.values() if (link := node["inputs"].get("model")) and _samples(node)]
    adapters: dict[str, float] = {}
    for node in linked_nodes(nodes, [link for _, link in starts]) if starts else nodes.values():
        for name, value in _loaded(node["inputs"]):
            strength = _number(_value(nodes, value))
            if strength is None:
                return DrawnWith()
            if strength:
                adapters[adapter_name(name)] = strength
    seeds = (_value(nodes, n["inputs"].get(key)) for n in nodes.values() for key in ("seed", "noise_seed"))
    found = {seed for seed in seeds if isinstance(seed, int)}
    return DrawnWith(adapters, found.pop() if len(found) == 1 else None)


def _samples(node: Mapping[str, Any]) -> bool:
    kind = str(node.get("class_type", "")).lower()
    return "sampler" in kind or "guider" in kind


def _loaded(inputs: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """The adapters of one node, each with its strength as written: a loader of one, or of a list."""
    if isinstance(name := inputs.get("lora_name"), str):
        yield name, inputs.get("strength_model", inputs.get("strength", 1))
    for key, value in inputs.items():
        if _LORA.fullmatch(key) and isinstance(value, Mapping) and isinstance(value.get("lora"), str):
            yield value["lora"], value.get("strength", 1) if value.get("on", True) else 0


def _value(nodes: Mapping[str, Mapping[str, Any]], value: object) -> object:
    """A value as it stands, or that of the node that it is linked to, where that holds just one number."""
    if not isinstance(value, list) or len(value) != 2:
        return value
    inputs = (nodes.get(str(value[0])) or {}).get("inputs", {})
    numbers = [held for held in inputs.values() if isinstance(held, int | float) and not isinstance(held, bool)]
    return numbers[0] if len(numbers) == 1 else None

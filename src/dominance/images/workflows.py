"""The prompt in a workflow of ComfyUI: the texts that reach a sampler as its positive conditioning."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeGuard

Nodes = Mapping[str, Mapping[str, Any]]

_TEXTS = ("text", "text_g", "text_l", "clip_l", "clip_g", "t5xxl", "prompt", "positive_prompt", "string", "value")
"""Inputs that hold the words of an encoder, or of a node that makes words."""
_NOT_WORDS = frozenset({
    "clip", "model", "vae", "negative", "image", "images", "latent", "latent_image", "samples", "control_net", "mask",
    "noise", "sampler", "sigmas", "style_model", "clip_vision", "clip_vision_output", "gligen_textbox_model"
})  # fmt: skip
"""Inputs that never lead to the words of a conditioning."""


def prompts_of_workflow(record: Mapping[str, Any]) -> list[str]:
    """The positive texts of a workflow as it ran; several where several encoders meet.

    From each sampler or guider, the positive conditioning is followed through whatever nodes lie between. A workflow
    without a sampler gives the texts of all its encoders.

    >>> prompts_of_workflow({
    ...     "3": {"class_type": "KSampler", "inputs": {"positive": ["6", 0], "negative": ["7", 0]}},
    ...     "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a mug"}},
    ...     "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry"}},
    ... })
    ['a mug']
    """
    nodes = nodes_of(record)
    starts = list(_starts(nodes))
    if starts:
        found = [text for link in starts for text in _followed(nodes, link)]
    else:
        found = [text for name, node in nodes.items() if _encodes(node) for text in _followed(nodes, [name, 0])]
    return list(dict.fromkeys(found))


def nodes_of(record: Mapping[str, Any]) -> Nodes:
    """The nodes of a workflow, by their names; none where the record is something else."""
    return {
        str(name): node
        for name, node in record.items()
        if isinstance(node, Mapping) and isinstance(node.get("inputs"), Mapping)
    }


def linked_nodes(nodes: Nodes, links: Sequence[object]) -> list[Mapping[str, Any]]:
    """All nodes that these links lead to, directly or through others, each once."""
    found: dict[str, Mapping[str, Any]] = {}
    waiting = [str(link[0]) for link in links if _is_link(link)]
    while waiting:
        name = waiting.pop(0)
        if name in nodes and name not in found:
            found[name] = nodes[name]
            waiting += [str(value[0]) for value in nodes[name]["inputs"].values() if _is_link(value)]
    return list(found.values())


def _kind(node: Mapping[str, Any]) -> str:
    return str(node.get("class_type", "")).lower()


def _encodes(node: Mapping[str, Any]) -> bool:
    return "textencode" in _kind(node).replace("_", "").replace(" ", "")


def _starts(nodes: Nodes) -> Iterator[list[Any]]:
    """The positive conditioning of every sampler and guider; where there is none, of any node that takes one."""
    samplers, others = [], []
    for node in nodes.values():
        inputs, kind = node["inputs"], _kind(node)
        if _is_link(inputs.get("positive")):
            (samplers if "sampler" in kind or "guider" in kind else others).append(inputs["positive"])
        elif "guider" in kind and _is_link(inputs.get("conditioning")):
            samplers.append(inputs["conditioning"])
    yield from samplers or others


def _is_link(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int)


def _followed(nodes: Nodes, link: list[Any]) -> list[str]:
    """The texts behind a conditioning."""
    found: list[str] = []
    waiting, seen = [(str(link[0]), link[1])], set()
    while waiting:
        place = waiting.pop(0)
        node = nodes.get(place[0])
        if node is None or place in seen:
            continue
        seen.add(place)
        if _encodes(node):
            found += _words(nodes, place[0], set())
        else:
            waiting += _onward(node["inputs"], place[1])
    return found


def _onward(inputs: Mapping[str, Any], slot: object) -> list[tuple[str, Any]]:
    """The links of a node between, whose second output is the negative conditioning if it takes both."""
    both = _is_link(inputs.get("positive")) and _is_link(inputs.get("negative"))
    wanted = "negative" if both and slot == 1 else "positive"
    if both:
        return [(str(inputs[wanted][0]), inputs[wanted][1])]
    links = [value for name, value in inputs.items() if _is_link(value) and name not in _NOT_WORDS]
    return [(str(link[0]), link[1]) for link in links]


def _words(nodes: Nodes, name: str, seen: set[str]) -> list[str]:
    """The words that a node holds or is given: each part by itself and, where there are several, all joined."""
    node = nodes.get(name)
    if node is None or name in seen:
        return []
    seen.add(name)
    inputs = node["inputs"]
    known = [key for key in _TEXTS if key in inputs]
    keys = known if _encodes(node) and known else [key for key in inputs if key not in _NOT_WORDS]
    found: list[str] = []
    for key in keys:
        value = inputs[key]
        if isinstance(value, str) and key not in ("delimiter", "separator"):
            found.append(value)
        elif _is_link(value):
            found += _words(nodes, str(value[0]), seen)
    parts = [text for text in dict.fromkeys(found) if text.strip()]
    return parts if len(parts) < 2 else [*parts, " ".join(parts)]

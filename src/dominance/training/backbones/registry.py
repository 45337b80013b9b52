"""The backbone of a pipeline folder."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from dominance.errors import InputError
from dominance.training.backbones.protocol import Backbone
from dominance.training.backbones.transformer import TransformerBackbone
from dominance.training.backbones.unet import UNetBackbone

BACKBONES: Mapping[str, Callable[[], Backbone]] = {"unet": UNetBackbone, "transformer": TransformerBackbone}
"""By the network's name in a pipeline, each in its usual size."""


def backbone_of(pipeline: Path) -> Backbone:
    """The backbone of a pipeline folder, in that folder's size.

    Raises:
        InputError: the pipeline is of a class that is not trained here.
    """
    kind = _read(pipeline / "model_index.json")["_class_name"]
    if kind == "StableDiffusionPipeline":
        return UNetBackbone(tuple(_read(pipeline / "unet" / "config.json")["block_out_channels"]))
    if kind == "PixArtAlphaPipeline":
        config = _read(pipeline / "transformer" / "config.json")
        return TransformerBackbone(config["num_attention_heads"] * config["attention_head_dim"], config["num_layers"])
    raise InputError(f"{pipeline} is a {kind}; give a model made by dominance train miniature")


def _read(file: Path) -> dict[str, Any]:
    return json.loads(file.read_text(encoding="utf-8"))

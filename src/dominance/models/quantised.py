"""Models whose weights are quantised: what must be installed to read them, said before anything is loaded."""

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from dominance.errors import ModelError
from dominance.models.pipeline_classes import read_settings

_PACKAGES: dict[str, tuple[str, str]] = {
    "bitsandbytes": ("bitsandbytes", "bitsandbytes"),
    "torchao": ("torchao", "torchao"),
    "gguf": ("gguf", "gguf"),
    "quanto": ("optimum.quanto", "optimum-quanto"),
    "modelopt": ("modelopt", "nvidia-modelopt"),
    "gptq": ("gptqmodel", "gptqmodel"),
    "awq": ("awq", "autoawq"),
    "compressed-tensors": ("compressed_tensors", "compressed-tensors"),
    "fbgemm_fp8": ("fbgemm_gpu", "fbgemm-gpu"),
    "fp8": ("kernels", "kernels"),
    "finegrained_fp8": ("kernels", "kernels"),
    "nunchaku": ("nunchaku", "nunchaku"),
    "sdnq": ("sdnq", "sdnq"),
}
"""By the method that a configuration names: the module to look for, and the package that has it."""


def check_quantised(model: str, folders: Iterable[Path]) -> None:
    """Refuses quantised parts whose reader is not installed.

    Args:
        folders: of the parts.

    Raises:
        ModelError: the part, how it is quantised, and what to install.
    """
    for folder in folders:
        found = read_settings(folder / "config.json").get("quantization_config")
        if not isinstance(found, dict):
            continue
        method = str(found.get("quant_method") or _unnamed(found))
        module, package = _PACKAGES.get(method.lower(), (method, method))
        if not _is_installed(module):
            raise ModelError(
                f"the {folder.name} of the model {model!r} is quantised by {method[:40]!r}, whose package is not"
                f" installed; install it (pip install {package[:40]}), or give the model unquantised"
            )


def _unnamed(found: dict[str, object]) -> str:
    """Older files of bitsandbytes do not name their method."""
    return "bitsandbytes" if {"load_in_4bit", "load_in_8bit"} & found.keys() else "an unknown method"


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False

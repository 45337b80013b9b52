"""What probes can be asked for by name; apart from them, so that options need not load torch."""

import math
from typing import Literal, get_args

from dominance.errors import InputError

Mode = Literal["scale", "zero"]
"""How a part is removed: its output or logits are multiplied, or its output becomes zeros."""
Branches = Literal["both", "conditional"]
"""The branches of classifier-free guidance in which an edit is in force."""
SCALE: float = 1e-5
"""What a head's logits are multiplied with, so that its attention becomes uniform. Source: Jeong & Lee (2025)."""

TokenSet = Literal["content", "content+end", "all"]
"""The tokens T that focus compares: the prompt's own, those and the end tokens, or all with start and padding."""
TOKEN_SETS: tuple[TokenSet, ...] = ("content", "content+end", "all")
EditKind = Literal["ablate", "rebalance"]
EDITS: tuple[EditKind, ...] = ("ablate", "rebalance")


def check_edit(scale: float, mode: str, branches: str) -> None:
    """Raises an InputError unless a part can be taken away like this."""
    if isinstance(scale, bool) or not math.isfinite(scale) or scale < 0:
        raise InputError(f"scale is {scale!r}; give a factor from 0, such as 1e-5; 1 changes nothing")
    for name, value, known in (("mode", mode, get_args(Mode)), ("branches", branches, get_args(Branches))):
        if value not in known:
            raise InputError(f"{name} is {value!r}; give one of {', '.join(known)}")

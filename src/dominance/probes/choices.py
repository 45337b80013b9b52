"""What probes can be asked for by name; apart from them, so that options need not load torch."""

from typing import Literal

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

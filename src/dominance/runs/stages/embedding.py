"""The stage that embeds images in batches, each content once, stored as soon as it is known."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dominance.diversity.embedders import Embedder
from dominance.errors import ItemError
from dominance.pictures import open_image
from dominance.progress import Progress
from dominance.runs.stages.drawing import in_halves
from dominance.runs.store.vectors import VectorStore
from dominance.wording import complaint

AT_ONCE = 32
"""Default batch size."""


def embedded(
    root: Path, files: Sequence[Path], encoder: Embedder, store: VectorStore, batch: int = AT_ONCE
) -> tuple[dict[Path, str], dict[Path, str]]:
    """Embeds what the store lacks, each content once.

    Args:
        files: relative to the root, or absolute.

    Returns:
        The content hash of every embedded file, and the reason why any other file has no embedding.
    """
    problems: dict[Path, str] = {}
    contents: dict[Path, str] = {}
    done = set(store.known(encoder.identity))
    waiting: dict[str, list[Path]] = {}

    def flush() -> None:
        firsts = [(alike[0], content) for content, alike in waiting.items()]
        outcomes = _embed(root, firsts, encoder, store)
        for (content, alike), problem in zip(waiting.items(), outcomes, strict=True):
            if problem is None:
                contents.update(dict.fromkeys(alike, content))
                done.add(content)
            else:
                problems.update(dict.fromkeys(alike, problem))
        waiting.clear()

    with Progress("images", total=len(files)) as progress:
        for file in files:
            if file not in contents:
                content = content_of(root / file)
                if isinstance(content, ItemError):
                    problems[file] = str(content)
                elif content in done:
                    contents[file] = content
                else:
                    waiting.setdefault(content, []).append(file)
            if len(waiting) >= batch:
                flush()
            progress.advance()
        if waiting:
            flush()
    return contents, problems


def content_of(path: Path) -> str | ItemError:
    """Hash of a file, under which its embedding is stored."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return ItemError(f"cannot be read ({complaint(error)})")


def _embed(root: Path, waiting: Sequence[tuple[Path, str]], encoder: Embedder, store: VectorStore) -> list[str | None]:
    """Embeds and stores images; returns each one's problem, or None."""
    opened = [open_image(root / file) for file, _ in waiting]
    images = [image for image in opened if not isinstance(image, ItemError)]

    def act(part: Sequence[Image.Image]) -> list[np.ndarray | ItemError]:
        return [
            row if np.isfinite(row).all() and row.any() else ItemError("its embedding is zero or not finite")
            for row in encoder.embed(part)
        ]

    found = iter(in_halves(act, images) if images else [])
    outcomes = [image if isinstance(image, ItemError) else next(found) for image in opened]
    good = {
        content: outcome
        for (_, content), outcome in zip(waiting, outcomes, strict=True)
        if not isinstance(outcome, ItemError)
    }
    if good:
        store.add(encoder.identity, good)
    return [str(outcome) if isinstance(outcome, ItemError) else None for outcome in outcomes]

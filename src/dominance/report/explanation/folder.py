"""An explanation as a folder: a page that opens anywhere, offline; its numbers as JSON; and the images."""

import json
import os
from collections.abc import Collection
from pathlib import Path

from dominance.documents import json_bytes
from dominance.errors import RunError
from dominance.files import write_whole
from dominance.pictures import write_png
from dominance.report.explanation.page import build_explanation_page
from dominance.report.explanation.sentences import in_layers
from dominance.report.parts.page_stream import write_page
from dominance.runs.explanation.document import document_of
from dominance.runs.explanation.result import Explanation
from dominance.runs.reading import DOCUMENT_NAME
from dominance.runs.store.repeat import Repeat

PAGE_NAME = "explanation.html"
_KIND = "dominance explanation"
_PARTIAL = f".{DOCUMENT_NAME}.partial"


def check_explanation_folder(folder: Path, prompt: str, files: Collection[str] = ()) -> None:
    """Raises a RunError unless the folder is new, empty, or holds an explanation of this prompt; creates nothing.

    Args:
        files: to be written beside the page, relative to the folder; one that exists must belong to the explanation
            that the folder holds.
    """
    try:
        if not folder.exists():
            _check_parent(folder)
            return
        if not folder.is_dir():
            raise RunError(f"{_shown(folder)} is a file; give another --out")
        names = {path.name for path in folder.iterdir()} - {_PARTIAL}
        if not names:
            return
        earlier = _earlier(folder)
        foreign = [file for file in files if file not in earlier[1] and (folder / file).exists()]
    except OSError as error:
        raise RunError(f"{_shown(folder)} cannot be used ({error.strerror or error}); give another --out") from None
    if earlier[0] != prompt:
        raise RunError(f"{_shown(folder)} holds an explanation of {earlier[0]!r}; give another --out")
    if foreign:
        raise RunError(
            f"{_shown(folder / foreign[0])} does not belong to the explanation in that folder; give another --out"
        )


def _earlier(folder: Path) -> tuple[str, frozenset[str]]:
    """Prompt and image files of the explanation that the folder holds."""
    try:
        document = json.loads((folder / DOCUMENT_NAME).read_text(encoding="utf-8"))
        if document["kind"] == _KIND:
            return str(document["prompt"]), frozenset(str(image["file"]) for image in document["images"])
    except (FileNotFoundError, IsADirectoryError, ValueError, KeyError, TypeError):
        pass  # something else, not an explanation
    raise RunError(
        f"{_shown(folder)} is not empty and holds no explanation ({DOCUMENT_NAME}); give a new or empty --out"
    )


def _check_parent(folder: Path) -> None:
    parent = next(parent for parent in folder.absolute().parents if parent.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise RunError(
            f"cannot create the folder {_shown(folder)}: {_shown(parent)} is not writable; give another --out"
        )


def _shown(path: Path) -> str:
    text = str(path)
    return text if len(text) <= 120 else f"{text[:80]}…{text[-39:]}"


def write_explanation(explanation: Explanation, folder: Path | str, repeat: Repeat | None = None) -> Path:
    """Writes ``explanation.html``, ``explanation.json`` and the images; returns the page's path.

    The page holds its images, style and script, makes no request, and is complete without script. Every file appears
    whole or not at all; those of an earlier explanation of the same prompt are replaced.

    Args:
        repeat: the call that made it, kept as run.yaml; it names suite, model and judge as the caller gave them.

    Raises:
        RunError: the folder holds something else, or a file cannot be written.
    """
    folder = Path(folder)
    files = {image.file: int(image.name) for image in explanation.result.images if image.file is not None}
    check_explanation_folder(folder, explanation.prompt.text, files)
    # The document comes first, because it is what marks the folder as ours.
    write_whole(folder / DOCUMENT_NAME, json_bytes(document_of(explanation)))
    for file, seed in files.items():
        write_png(folder / file, explanation.pictures[seed])
    if repeat is not None:
        repeat.keep(folder)
    page = build_explanation_page(explanation, folder)
    return write_page(folder / PAGE_NAME, "explanation/page.html.j2", page=page, in_layers=in_layers)

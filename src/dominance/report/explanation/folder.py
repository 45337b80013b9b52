"""An explanation as a folder: a page that opens anywhere, offline; its numbers as JSON; and the images."""

import json
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dominance.documents import json_bytes
from dominance.errors import RunError
from dominance.files import write_whole
from dominance.pictures import write_png
from dominance.records import Prompt
from dominance.report.explanation.page import build_explanation_page
from dominance.report.explanation.sentences import in_layers
from dominance.report.parts.page_stream import write_page
from dominance.runs.explanation.document import document_of
from dominance.runs.explanation.result import Explanation
from dominance.runs.reading import DOCUMENT_NAME
from dominance.runs.store.folder import default_folder
from dominance.runs.store.repeat import Repeat

PAGE_NAME = "explanation.html"
_KIND = "dominance explanation"
_PARTIAL = f".{DOCUMENT_NAME}.partial"


@dataclass(frozen=True)
class Subject:
    """What an explanation is about, and who judged it."""

    prompt: Prompt
    model: str
    identity: str | None
    judge: str | None
    judge_identity: str | None

    @property
    def marks(self) -> list[object]:
        """What tells it from others, for the name of a folder."""
        prompt = [self.prompt.text, [(concept.name, concept.kind) for concept in self.prompt.concepts]]
        return [[prompt, self.identity or self.model, self.judge_identity]]


def folder_for(subject: Subject, out: Path | None, files: Collection[str] = ()) -> Path:
    """The explanation's folder: as given, else ``explanations/ID``, or one named apart where that holds another.

    Raises:
        RunError: the given folder holds something else.
    """
    if out is not None:
        check_explanation_folder(out, subject, files)
        return out
    folder = default_folder(
        Path("explanations") / subject.prompt.id, lambda place: _other(place, subject), subject.marks
    )
    check_explanation_folder(folder, subject, files)
    return folder


def check_explanation_folder(folder: Path, subject: Subject | None, files: Collection[str] = ()) -> None:
    """Raises a RunError unless the folder is new, empty, or holds an explanation of the subject; creates nothing.

    Args:
        subject: None if it is not known yet, so that any explanation is right.
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
        own = {str(image["file"]) for image in _earlier(folder)["images"]}
        foreign = [file for file in files if file not in own and (folder / file).exists()]
    except OSError as error:
        raise RunError(f"{_shown(folder)} cannot be used ({error.strerror or error}); give another --out") from None
    if subject is not None and (held_here := _other(folder, subject)) is not None:
        raise RunError(f"{_shown(folder)} holds {held_here}; give another --out")
    if foreign:
        raise RunError(
            f"{_shown(folder / foreign[0])} does not belong to the explanation in that folder; give another --out"
        )


def _other(folder: Path, subject: Subject) -> str | None:
    """What the folder's explanation is about instead; None where it may be replaced, or is none."""
    if not (folder / DOCUMENT_NAME).is_file():
        return None
    earlier = _earlier(folder)
    if earlier["prompt"] != subject.prompt.text:
        return f"an explanation of {earlier['prompt']!r}"
    names = [concept["name"] for concept in earlier["concepts"]]
    if names != [concept.name for concept in subject.prompt.concepts]:
        return f"an explanation of the concepts {', '.join(names)}"
    manifest = earlier.get("manifest") or {}
    made_by, judged_by = manifest.get("model") or {}, manifest.get("judge") or {}
    same = earlier["model"] == subject.model
    if subject.identity is not None and "identity" in made_by:
        same = made_by["identity"] == subject.identity
    if not same:
        state = "another state of " if earlier["model"] == subject.model else ""
        return f"an explanation of {state}the model {earlier['model']!r}"
    if judged_by.get("identity") != subject.judge_identity:
        return f"an explanation with {_judge(earlier['judge'])}, not {_judge(subject.judge)}"
    return None


def _judge(name: str | None) -> str:
    return "no judge" if name is None else f"the judge {name!r}"


def _earlier(folder: Path) -> dict[str, Any]:
    """The document of the explanation that the folder holds."""
    try:
        document = json.loads((folder / DOCUMENT_NAME).read_text(encoding="utf-8"))
        whole = {"prompt", "concepts", "model", "judge", "images"} <= document.keys()
        if whole and document["kind"] == _KIND and all("file" in image for image in document["images"]):
            return document
    except (FileNotFoundError, IsADirectoryError, ValueError, KeyError, TypeError, AttributeError):
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


def subject_of(explanation: Explanation) -> Subject:
    """What an explanation is about."""
    judge = explanation.manifest.get("judge")
    judged_by = judge.get("identity") if isinstance(judge, dict) else None
    return Subject(explanation.prompt, explanation.model, explanation.identity, explanation.judge, judged_by)


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
    check_explanation_folder(folder, subject_of(explanation), files)
    # The document comes first, because it is what marks the folder as ours.
    write_whole(folder / DOCUMENT_NAME, json_bytes(document_of(explanation)))
    for file, seed in files.items():
        write_png(folder / file, explanation.pictures[seed])
    if repeat is not None:
        repeat.keep(folder)
    page = build_explanation_page(explanation, folder)
    return write_page(folder / PAGE_NAME, "explanation/page.html.j2", page=page, in_layers=in_layers)

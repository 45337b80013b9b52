"""Whether the judge was made for the pictures of a run: known before the first one is drawn."""

import sys
from collections.abc import Iterable
from pathlib import Path

from dominance.judges.protocol import Judge, TaughtJudge
from dominance.miniature.bundled import MINIATURE
from dominance.miniature.concepts import BY_NAME
from dominance.miniature.renderer import SIDE
from dominance.pictures import image_size
from dominance.records import Concept, JudgeWarning, Suite
from dominance.wording import on_one_line

OPEN_WORLD = "open"
"""The world of pictures that belong to no closed one."""
RENDERED_WORLD = MINIATURE
"""The world of pictures that the miniature renderer draws."""


def world_warnings(judge: Judge, world: str | None, pictures: str) -> tuple[JudgeWarning, ...]:
    """A warning about a judge that was made for another world of pictures.

    Args:
        world: of the pictures; ``open`` or None for none that is known.
        pictures: what they are, such as ``the model 'sd' draws others``, ending the sentence.
    """
    taught = judge.world if isinstance(judge, TaughtJudge) else None
    if taught in (None, world):
        return ()
    name = on_one_line(judge.name, 120)
    says = f"the judge {name!r} was made for drawings of the {taught} world and {pictures}, so its answers mean nothing"
    return (JudgeWarning("another world", says),)


def of_model(name: str) -> str:
    """How ``world_warnings`` speaks of a model's pictures."""
    return f"the model {on_one_line(name, 120)!r} draws other pictures"


def of_folders(folders: Iterable[object]) -> str:
    """How ``world_warnings`` speaks of images made elsewhere."""
    shown = ", ".join(on_one_line(folder, 120) for folder in folders)
    return f"the images in {shown} are no such drawings"


def note_taken_for(judge: Judge, world: str | None) -> None:
    """Says on standard error what images made elsewhere are taken for, if the judge knows such pictures alone."""
    if isinstance(judge, TaughtJudge) and judge.world is not None and judge.world == world:
        sys.stderr.write(
            f"note: by their concepts and their size of {SIDE}×{SIDE} pixels, the images are taken for drawings of the"
            f" {world} world, for which alone the judge {on_one_line(judge.name, 120)!r} was made\n"
        )


def warn(warnings: Iterable[JudgeWarning]) -> None:
    """Writes the warnings to standard error."""
    for warning in warnings:
        sys.stderr.write(f"warning: {warning.told}\n")


def is_miniature(suite: Suite) -> bool:
    """Whether the miniature renderer can draw every concept of the suite."""
    return all(_drawable(concept) for prompt in suite.prompts for concept in prompt.concepts)


def _drawable(concept: Concept) -> bool:
    return concept.name in BY_NAME and BY_NAME[concept.name].kind == concept.kind


def world_of_files(files: Iterable[str], suite: Suite) -> str:
    """The closed world that images made elsewhere seem to belong to, by concepts and size; ``open`` for none.

    The miniature world has few concepts and draws squares of 64 pixels; a photograph of that size with these concepts
    cannot be told from its drawings. Images that cannot be read say nothing.
    """
    if not is_miniature(suite):
        return OPEN_WORLD
    return world_of_sizes((size for file in files if (size := image_size(Path(file))) is not None), suite)


def world_of_sizes(sizes: Iterable[tuple[int, int]], suite: Suite) -> str:
    """The same for images of these widths and heights."""
    return RENDERED_WORLD if is_miniature(suite) and set(sizes) <= {(SIDE, SIDE)} else OPEN_WORLD

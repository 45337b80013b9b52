"""The two halves of the work: sheets for the readers, then the table of what they saw."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from dominance.errors import InputError, ItemError
from dominance.laboratory.labels.brief import BRIEF, write_brief
from dominance.laboratory.labels.drawing import draw_pictures, picture_file
from dominance.laboratory.labels.gather import labels_of
from dominance.laboratory.labels.plan import pictures_to_label
from dominance.laboratory.labels.sheets import REFERENCE, write_reference, write_sheets
from dominance.miniature.labelled import write_labelled
from dominance.numbers import plural
from dominance.pictures import open_image
from dominance.runs.judge_check.readers import agreement_of_readers

HIDDEN: str = "hidden"
"""Folder of the single pictures and of what drew them: not for readers."""
TABLE_FOLDER: str = "labels"


def draw_sheets(folder: Path, device: str) -> Iterator[str]:
    """Draws what is missing, writes sheets, reference and brief, and says so.

    Raises:
        RunError: a picture cannot be drawn, or the disk refuses.
    """
    planned = pictures_to_label()
    draw_pictures(planned, folder / HIDDEN, device)
    sheets = write_sheets([picture_file(folder / HIDDEN, picture.number) for picture in planned], folder)
    write_reference(folder)
    write_brief(folder, len(planned), len(sheets))
    yield f"wrote {plural(len(planned), 'picture')} on {plural(len(sheets), 'sheet')} to {folder}, with {REFERENCE}"
    yield f"next: give {BRIEF} and the sheets to two readers or more, then gather their answers with --gather"


def gather_labels(folder: Path, readers: Sequence[Path]) -> Iterator[str]:
    """Writes the atlas of the pictures and the table of what all readers saw, and says how far they agree.

    Raises:
        InputError: answers that cannot be read, or a picture that is not there.
        RunError: the disk refuses.
    """
    pictures = labels_of(pictures_to_label(), readers)
    images = [open_image(picture_file(folder / HIDDEN, picture.number)) for picture in pictures]
    broken = next((image for image in images if isinstance(image, ItemError)), None)
    if broken is not None:
        raise InputError(f"{broken}; run the command without --gather first, which draws what is missing")
    written = write_labelled(folder / TABLE_FOLDER, pictures, [i for i in images if not isinstance(i, ItemError)])
    agreement = agreement_of_readers(pictures)
    if agreement is not None:
        yield agreement.sentence
    yield from (f"wrote {file}" for file in written)

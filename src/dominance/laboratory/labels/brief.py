"""What a reader of the sheets is told."""

from importlib import resources
from pathlib import Path

from dominance.files import write_whole
from dominance.laboratory.labels.sheets import ON_A_SHEET, REFERENCE
from dominance.miniature.concepts import BY_NAME

BRIEF: str = "HOW.md"


def write_brief(folder: Path, total: int, sheets: int) -> Path:
    """Writes how to read the sheets, and in what form to answer.

    Raises:
        RunError: the disk refuses.
    """
    brief = resources.files("dominance.laboratory.labels").joinpath(BRIEF).read_text(encoding="utf-8")
    told = brief.format(
        total=total,
        sheets=sheets,
        each=ON_A_SHEET,
        reference=REFERENCE,
        things=len(BY_NAME),
        names=", ".join(BY_NAME),
    )
    return write_whole(folder / BRIEF, told.encode())

"""Run folders that hold a measurement instead of images with answers."""

from pathlib import Path

from dominance.errors import RunError
from dominance.runs.store.ledger import Ledger
from dominance.wording import on_one_line

DIVERSITY = "diversity source"
MEMORIZATION = "memorization suite"
TEACHING = "fine-tuning"
_COMMANDS = {
    DIVERSITY: "dominance diversity",
    MEMORIZATION: "dominance memorization",
    TEACHING: "dominance train dreambooth",
}


def claim(ledger: Ledger, folder: Path, measurement: str, of: str) -> None:
    """Records the subject of the folder's measurement, ``DIVERSITY``, ``MEMORIZATION`` or ``TEACHING``.

    Raises:
        RunError: the folder holds a measurement of something else, or a run of another command.
    """
    earlier = ledger.get(measurement)
    if earlier is None and any(ledger.get(other) is not None for other in ("plan", *_COMMANDS)):
        raise RunError(f"{folder} holds a run of another command; give another --out")
    if earlier not in (None, of):
        raise RunError(f"{folder} holds a measurement of {earlier!r}, not of {of!r}; give another --out")
    ledger.put(measurement, of)


def refuse_measurement(ledger: Ledger, folder: Path) -> None:
    """Raises a RunError if the folder holds a measurement."""
    for measurement, command in _COMMANDS.items():
        if ledger.get(measurement) is not None:
            raise RunError(
                f"{on_one_line(folder, 120)} holds a measurement by `{command}`, not images with answers; give another"
                " folder"
            )

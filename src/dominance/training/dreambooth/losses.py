"""The loss of every step, on disk at every checkpoint."""

import json
from pathlib import Path

from dominance.files import write_whole


class Losses:
    """A file of JSON lines: step and loss; ``values`` has one loss a step.

    Args:
        file: read if it is there.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.values: list[float] = []
        if file.is_file():
            self.values = [json.loads(line)["loss"] for line in file.read_text(encoding="utf-8").splitlines()]

    def keep(self, steps: int) -> None:
        """Forgets what came after so many steps, which is trained again."""
        del self.values[steps:]

    def write(self) -> None:
        """Puts all of them on disk, whole or not at all."""
        lines = (json.dumps({"step": step, "loss": round(loss, 6)}) + "\n" for step, loss in enumerate(self.values))
        write_whole(self._file, "".join(lines).encode())

"""Files that appear whole or not at all."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from dominance.errors import RunError


def write_atomically(path: Path, chunks: Iterable[bytes]) -> Path:
    """Writes the chunks under a temporary name beside ``path``, then renames; makes the folder if need be.

    Raises:
        RunError: the disk refuses; what was at ``path`` before is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or error
        raise RunError(
            f"cannot write {path} ({reason}); free space, mend the permissions, or give another path"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return path

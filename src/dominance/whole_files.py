"""Files that appear whole or not at all."""

import contextlib
import itertools
import os
from collections.abc import Iterable
from pathlib import Path

from dominance.errors import RunError


def write_failed(path: Path, error: OSError) -> RunError:
    """The one line for a disk that takes no more."""
    return RunError(
        f"cannot write {path} ({error.strerror or error}); nothing finished is lost: free space, or mend the"
        " permissions, and run the same command again to resume"
    )


def write_whole(path: Path, *chunks: bytes, then: Iterable[bytes] = ()) -> Path:
    """Writes the chunks to a file, and ``then`` what is still to be made; a kill or a full disk leaves all or nothing.

    Raises:
        RunError: the disk refuses; what was at ``path`` before is still there.
    """
    temporary = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            for chunk in itertools.chain(chunks, then):
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise write_failed(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    return path

"""What kills leave among the images: swept when a run starts, unless somebody may still be at it."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dominance.runs.store.folder import held
from dominance.runs.store.leftovers import apart

HOST = socket.gethostname()


@pytest.fixture
def gone() -> int:
    """The id of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_only_what_nobody_is_at_is_swept(gone: int, tmp_path: Path) -> None:
    images = tmp_path / "run" / "images" / "pair"
    images.mkdir(parents=True)
    (tmp_path / "run" / "run.sqlite").touch()
    ours = apart(images / "0-abc.png")
    assert ours.name == f".{HOST}-{os.getpid()}-0-abc.png"
    left = [
        images / f".{HOST}-{gone}-0-abc.png",
        images / f"..{HOST}-{gone}-0-abc.png.partial",
        images / ".0-abc.png.partial",
        images / f".node-7-{gone}-0-abc.png",
    ]
    kept = [
        images / "0-abc.png",
        ours,
        images / f".{ours.name}.partial",
        images / f".node-8-{gone}-0-abc.png",
        images / ".hidden",
    ]
    for file in (*left, *kept):
        file.write_bytes(b"half")
    old = time.time() - 2 * 24 * 3600
    os.utime(left[-1], (old, old))
    os.utime(ours, (old, old))
    with held(tmp_path / "run"):
        assert sorted(images.iterdir()) == sorted(kept)

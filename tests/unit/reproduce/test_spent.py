"""The time of a reproduction: added up over its calls, and kept where one is killed."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from dominance.reproduce.spent import counted, seconds_spent
from dominance.runs.store.ledger import Ledger

KILLED = """
import sys, time
from pathlib import Path
from dominance.reproduce import spent
spent._EVERY = 0.05
with spent.counted(Path(sys.argv[1])):
    time.sleep(0.4)
    print("working", flush=True)
    time.sleep(60)
"""


def noted(file: Path) -> float:
    with Ledger(file) as ledger:
        return seconds_spent(ledger)


def test_calls_add_up_and_one_that_ends_in_an_error_counts(tmp_path: Path) -> None:
    file = tmp_path / "run.sqlite"
    with counted(file):
        time.sleep(0.1)
    first = noted(file)
    assert 0.1 <= first < 5
    with pytest.raises(ValueError, match="stopped"), counted(file):
        time.sleep(0.1)
        raise ValueError("stopped")
    assert noted(file) >= first + 0.1


def test_a_kill_keeps_what_was_spent(tmp_path: Path) -> None:
    file = tmp_path / "run.sqlite"
    with counted(file):
        pass
    with subprocess.Popen([sys.executable, "-c", KILLED, str(file)], stdout=subprocess.PIPE) as working:
        assert working.stdout is not None
        assert working.stdout.readline() == b"working\n"
        working.kill()
    assert 0.2 <= noted(file) < 60

"""Vectors kept beside a ledger: by measure and item, and refused in one line where the file is not one."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from dominance.errors import RunError
from dominance.runs.store.vectors import VectorStore


def test_vectors_come_back_as_they_were_also_after_reopening(tmp_path: Path) -> None:
    vectors = {str(place): np.arange(5, dtype=np.float32) * place for place in range(1200)}
    with VectorStore(tmp_path / "v.sqlite") as store:
        store.add("one", vectors)
        store.add("other", {"7": np.ones(2)})
    with VectorStore(tmp_path / "v.sqlite") as store:
        found = store.get("one", [*vectors, "missing"])
        assert found.keys() == vectors.keys() == store.known("one")
        assert all(np.array_equal(found[item], value) for item, value in vectors.items())
        assert store.get("other", ["7"])["7"].tolist() == [1.0, 1.0]
        assert store.get("third", ["7"]) == {}


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(RunError, match="cannot be used"):
        VectorStore(tmp_path / "v.sqlite")
    other = sqlite3.connect(tmp_path / "w.sqlite")
    other.execute("PRAGMA user_version=9")
    other.close()
    with pytest.raises(RunError, match="another version"):
        VectorStore(tmp_path / "w.sqlite")

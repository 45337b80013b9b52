"""A run folder: only ours, only one process at a time, and files in it are whole or absent."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from dominance.errors import RunError
from dominance.runs.store.folder import check_run_folder, held


def test_new_empty_and_run_folders_are_taken_and_nothing_is_made(tmp_path: Path) -> None:
    check_run_folder(tmp_path)
    check_run_folder(tmp_path / "new" / "deeper")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "run.sqlite").touch()
    (tmp_path / "my notes.txt").touch()
    check_run_folder(tmp_path)


def test_what_a_killed_run_left_before_its_ledger_does_not_make_a_folder_foreign(tmp_path: Path) -> None:
    (tmp_path / "run.lock").write_text("123\n")
    (tmp_path / "images").mkdir()
    check_run_folder(tmp_path)


def test_foreign_folders_files_and_impossible_names_are_refused_in_one_short_line(tmp_path: Path) -> None:
    foreign, file = tmp_path / "foreign", tmp_path / "file"
    foreign.mkdir()
    (foreign / "thesis.tex").touch()
    file.touch()
    for place, found in (
        (foreign, "holds no run.sqlite"),
        (file, "is a file"),
        (file / "below", "cannot be written"),
        (tmp_path / ("x" * 5000), "too long"),
    ):
        with pytest.raises(RunError, match=found) as refused:
            check_run_folder(place)
        assert "--out" in str(refused.value)
        assert len(str(refused.value)) < 600
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "foreign", "thesis.tex"]


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # tests may run as root, who may do everything
    with pytest.raises(RunError, match=f"{tmp_path} cannot be written; give another --out"):
        check_run_folder(tmp_path / "run")


def test_a_held_folder_is_refused_to_all_others_and_names_the_process(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with held(folder):
        with pytest.raises(RunError, match=f"in use by process {os.getpid()};"), held(folder):
            pytest.fail("held twice")
        assert (folder / "run.lock").read_text() == f"{os.getpid()}\n"
    with held(folder):
        pass


def test_the_folder_is_free_again_after_an_error_and_after_a_dead_process(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), held(tmp_path):
        raise KeyboardInterrupt
    (tmp_path / "run.lock").write_text("99999999999999 and a long rest\n" * 5)
    with held(tmp_path):
        assert (tmp_path / "run.lock").read_text() == f"{os.getpid()}\n"


@pytest.mark.parametrize("refusing", ["pwrite", "ftruncate"])
def test_a_full_disk_when_the_folder_is_taken_ends_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusing: str
) -> None:
    def refuse(*arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(os, refusing, refuse)
        with pytest.raises(RunError, match="No space left on device"), held(tmp_path):
            pytest.fail("took a folder on a full disk")
    with held(tmp_path):
        pass


def test_a_file_system_without_locks_ends_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(RunError, match="No locks available"), held(tmp_path):
        pytest.fail("held without a lock")

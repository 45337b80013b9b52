"""The ledger: what was committed stays, what failed half-way is gone, what is not a ledger is refused in one line."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from dominance.errors import RunError
from dominance.records import Answer, Question, ScoredImage
from dominance.runs.store.ledger import ImageRow, Ledger

FIRST = ImageRow("first", "a mug", 7, "images/mug/7.png", {"steps": 2})
QUESTIONS = tuple(Question("mug", f"Is there a mug? ({grade})", grade) for grade in (1, 2))


def test_an_image_comes_back_as_it_was_entered_and_entering_it_again_adds_none(ledger: Ledger) -> None:
    ledger.add_image(FIRST)
    ledger.add_image(FIRST)
    assert ledger.images() == {"first": FIRST}


def test_the_largest_seed_and_an_image_without_a_seed_are_kept(ledger: Ledger) -> None:
    rows = [ImageRow("a", "ünïcode 日本", 2**63 - 1, "a.png", {}), ImageRow("b", "x", None, "/elsewhere/b.png", {})]
    for row in rows:
        ledger.add_image(row)
    assert list(ledger.images().values()) == rows


def test_what_was_written_is_read_by_another_connection_at_once(ledger: Ledger) -> None:
    ledger.add_image(FIRST)
    ledger.put("plan", {"seeds": [7]})
    with Ledger(ledger.path) as other:
        assert other.images() == {"first": FIRST}
        assert other.get("plan") == {"seeds": [7]}
        assert other.get("manifest") is None


def test_answers_are_kept_by_judge_and_an_unscored_one_is_not_kept(ledger: Ledger) -> None:
    given = (Answer(QUESTIONS[0], True, 0.75), Answer(QUESTIONS[1], None, None, "timed out"))
    ledger.add_answers("one", [("first", given)])
    ledger.add_answers("other", [("first", (Answer(QUESTIONS[0], False, None),))])
    assert ledger.answers("one") == {"first": {QUESTIONS[0].text: (True, 0.75)}}
    assert ledger.answers("other") == {"first": {QUESTIONS[0].text: (False, None)}}
    assert ledger.answers("nobody") == {}


def test_failures_count_their_attempts_and_are_forgotten_with_success(ledger: Ledger) -> None:
    ledger.add_failure("first", "image", "no memory")
    ledger.add_failure("first", "image", "still no memory")
    attempts = sqlite3.connect(ledger.path).execute("SELECT attempts FROM failures").fetchall()
    assert attempts == [(2,)]
    assert ledger.failures() == {"first": "still no memory"}
    ledger.add_image(FIRST)
    assert ledger.failures() == {}
    ledger.add_failure("first", "judge", "not an image")
    ledger.add_answers("one", [("first", (Answer(QUESTIONS[0], True, 1.0),))])
    assert ledger.failures() == {}


def test_a_forgotten_image_takes_its_answers_and_failures_with_it(ledger: Ledger) -> None:
    second = ImageRow("second", "a mug", 8, "images/mug/8.png", {})
    for row in (FIRST, second):
        ledger.add_image(row)
        ledger.add_answers("one", [(row.item, (Answer(QUESTIONS[0], True, 1.0),))])
        ledger.add_failure(row.item, "judge", "one question unanswered")
    ledger.forget_images(["first"])
    assert list(ledger.images()) == list(ledger.answers("one")) == list(ledger.failures()) == ["second"]


def test_scores_are_replaced_as_a_whole(ledger: Ledger) -> None:
    ledger.put_scores([ScoredImage("p", "0", None), ScoredImage("p", "1", "x.png", dvd=36.0, verdict="collapsed")])
    ledger.put_scores([ScoredImage("p", "1", "x.png", yes={"mug": 5}, dvd=0.0, verdict="balanced")])
    rows = sqlite3.connect(ledger.path).execute("SELECT prompt_id, image, dvd, verdict, yes FROM scores").fetchall()
    assert rows == [("p", "1", 0.0, "balanced", '{"mug": 5}')]


def test_a_write_that_breaks_half_way_leaves_nothing_and_the_ledger_goes_on(ledger: Ledger) -> None:
    def breaking() -> Iterator[ScoredImage]:
        yield ScoredImage("p", "0", None)
        yield ScoredImage("p", "0", None)  # the same key twice

    ledger.put_scores([ScoredImage("p", "kept", None)])
    with pytest.raises(RunError, match="UNIQUE"):
        ledger.put_scores(breaking())
    rows = sqlite3.connect(ledger.path).execute("SELECT image FROM scores").fetchall()
    assert rows == [("kept",)]
    ledger.add_image(FIRST)
    assert list(ledger.images()) == ["first"]


def test_a_full_disk_is_named_as_such_and_what_was_committed_stays(ledger: Ledger) -> None:
    ledger.add_image(FIRST)
    pages = ledger._db.execute("PRAGMA page_count").fetchone()[0]
    ledger._db.execute(f"PRAGMA max_page_count = {pages}")  # SQLite then reports what it reports on a full disk
    with pytest.raises(
        RunError, match=r"run\.sqlite cannot be used \(database or disk is full\); finished work is kept"
    ):
        ledger.put("plan", "x" * 100_000)
    ledger._db.execute("PRAGMA max_page_count = 1000000")
    assert list(ledger.images()) == ["first"]
    ledger.put("plan", "x" * 100_000)
    assert ledger.get("plan") == "x" * 100_000


def test_what_is_no_ledger_is_refused_in_one_line(tmp_path: Path) -> None:
    text, folder = tmp_path / "text.sqlite", tmp_path / "folder.sqlite"
    text.write_text("not a database, but long enough to be looked at as one\n" * 20)
    folder.mkdir()
    for path in (text, folder):
        with pytest.raises(RunError) as refused:
            Ledger(path)
        assert str(path) in str(refused.value)
        assert "\n" not in str(refused.value)
    assert text.read_text().startswith("not a database")


def test_a_ledger_of_another_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(RunError, match="another version"):
        Ledger(path)
    assert path.read_bytes() == before


def test_a_ledger_that_lost_its_end_is_refused(ledger: Ledger) -> None:
    for number in range(500):
        ledger.add_image(ImageRow(f"item {number}", "a mug " * 20, number, f"{number}.png", {}))
    ledger._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = ledger.path.read_bytes()
    broken = ledger.path.with_name("broken.sqlite")
    broken.write_bytes(content[: len(content) // 2])
    with pytest.raises(RunError, match="malformed"), Ledger(broken) as opened:
        opened.images()


def test_measured_values_are_kept_by_item_and_measure_and_go_with_their_image(ledger: Ledger) -> None:
    assert ledger.measured() == {}
    ledger.forget_images(["first"])  # a folder in which nothing was measured has no such table
    ledger.add_image(FIRST)
    ledger.add_measured({("first", "a"): {"quality": 0.5}, ("first", "b"): None, ("other", "a"): 1})
    ledger.add_measured({("first", "a"): {"quality": 0.25}})
    with Ledger(ledger.path) as other:
        assert other.measured() == {("first", "a"): {"quality": 0.25}, ("first", "b"): None, ("other", "a"): 1}
    ledger.forget_images(["first"])
    assert ledger.measured() == {("other", "a"): 1}

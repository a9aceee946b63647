"""The backup's own logic: which copies stay, and that no unsound copy gets a dated name."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.program import program

backup = program("lbmt-shop-backup", "backup.py")
NOW = datetime(2026, 11, 23, 13, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database in WAL mode that nobody has open, with a parent and its child."""
    path = tmp_path / "shop.sqlite3"
    with closing(sqlite3.connect(path)) as made:
        made.execute("PRAGMA journal_mode = WAL")
        made.executescript(
            "CREATE TABLE a (id INTEGER PRIMARY KEY); CREATE TABLE b (a REFERENCES a);"
            "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1);"
        )
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies"


def days(*ago: float) -> set[datetime]:
    return {NOW - timedelta(days=day) for day in ago}


@pytest.mark.parametrize(
    ("made", "stay"),
    [
        (days(), days()),
        (days(400), days(400)),  # the very newest in any case
        (days(0, 0.1, 0.2, 1), days(0, 1)),  # the newest of each day
        (days(0, 13, 14), days(0, 13)),  # 9 November is the newest of neither a recent day nor its month
        (days(0, 25, 26), days(0, 25)),  # 29 October: the newest of its month
        (days(0, *range(30, 420, 30)), days(0, *range(30, 360, 30))),  # twelve months
    ],
    ids=["none", "old", "same-day", "two-weeks", "month", "year"],
)
def test_kept(made: set[datetime], stay: set[datetime]) -> None:
    assert backup.kept(made, NOW) == stay


def test_copy_of_an_unused_database(database: Path, target: Path) -> None:
    """Nobody has it open and its folder may be read-only: nothing is left beside it, or beside the copy."""
    copy = backup.backup(database, target, NOW)
    assert copy.name == "shop-20261123T130000Z.sqlite3"
    assert [path.name for path in target.iterdir()] == [copy.name]
    assert [path.name for path in database.parent.iterdir() if path.is_file()] == [database.name]


def test_copy_while_somebody_writes(database: Path, target: Path) -> None:
    with closing(sqlite3.connect(database)) as writer:
        writer.execute("INSERT INTO a VALUES (2)")
        writer.commit()
        writer.execute("INSERT INTO a VALUES (3)")  # not committed
        copy = backup.backup(database, target, NOW)
    with closing(sqlite3.connect(copy)) as held:
        assert held.execute("SELECT id FROM a").fetchall() == [(1,), (2,)]
        assert held.execute("PRAGMA journal_mode").fetchone() == ("delete",)  # one file holds all


def test_unsound_copy_gets_no_dated_name(database: Path, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(database)) as made:
        made.execute("INSERT INTO b VALUES (9)")  # its parent is not there
        made.commit()
    assert backup.attempt(database, target, NOW) == backup.RETRY
    assert "a row of b refers to nothing" in capsys.readouterr().out
    assert list(target.glob("*.sqlite3")) == []


def test_no_database_is_told_and_tried_again(tmp_path: Path, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert backup.attempt(tmp_path / "none", target, NOW) == backup.RETRY
    assert "no backup of" in capsys.readouterr().out


def test_what_a_kill_left_is_cleared_and_the_old_goes(database: Path, target: Path) -> None:
    (target / "shop-20260101T000000Z.sqlite3.unfinished").touch()
    (target / "shop-20261101T000000Z.sqlite3").touch()
    (target / "not-ours.sqlite3").touch()
    assert backup.attempt(database, target, NOW) == backup.PERIOD
    assert {path.name for path in target.iterdir()} == {"not-ours.sqlite3", "shop-20261123T130000Z.sqlite3"}

"""Copies of the shop's database: one at the start, one a day, each whole, checked, and named by its time in UTC.

    /srv/shop/shop.sqlite3    read-only, in use by the shop     /backup/shop-20261123T020000Z.sqlite3

A copy is made under another name, checked, brought to the disk and then renamed, so a file with a dated name is a
whole one, whenever this is killed. Old ones go after a new one is there: of the last DAYS days the newest of each day
stays, of the last MONTHS months the newest of each month.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

DATABASE = Path("/srv/shop/shop.sqlite3")
TARGET = Path("/backup")
FORM = "shop-%Y%m%dT%H%M%SZ.sqlite3"
UNFINISHED = ".unfinished"
DAYS, MONTHS = 14, 12
PERIOD = timedelta(days=1)
RETRY = timedelta(seconds=5)  # the shop has not made its database yet, or the disk is full


class Damaged(Exception):
    """The copy is not a sound database; the text is what SQLite says."""


def main() -> None:
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    wait = timedelta()
    while not ended.wait(wait.total_seconds()):
        wait = attempt(DATABASE, TARGET, datetime.now(UTC))


def attempt(database: Path, target: Path, now: datetime) -> timedelta:
    """One backup and the pruning after it, told on the standard output; how long to wait for the next."""
    try:
        made = backup(database, target, now)
        gone = prune(target, now)
    except (OSError, sqlite3.Error, Damaged) as error:
        print(f"no backup of {database}: {error}; again in {RETRY.total_seconds():.0f} s", flush=True)
        return RETRY
    print(f"{made.name}: {made.stat().st_size} bytes; pruned {len(gone)}", flush=True)
    return PERIOD


def backup(database: Path, target: Path, now: datetime) -> Path:
    """Copy `database` as it is at one moment into the folder `target`; the copy's path.

    Raises OSError, sqlite3.Error, Damaged; then no new file with a dated name is there.
    """
    for left in target.glob(f"*{UNFINISHED}*"):
        left.unlink()
    finished = target / now.strftime(FORM)
    unfinished = target / (finished.name + UNFINISHED)
    if Path(f"{database}-wal").exists():
        _copy(f"{database.as_uri()}?mode=ro", unfinished)
    else:
        _copy_of_unused(database, unfinished)
    _sync(unfinished)
    unfinished.replace(finished)
    _sync(target)
    return finished


def _copy(uri: str, copy: Path) -> None:
    """The copy is one step, so it is made in one read transaction: writers go on, and none of it shows.

    What a read-only mount means for a database in WAL mode (sqlite.org/wal.html, "Read-Only Databases"): the writer's
    -shm file is mapped for reading; its locks are taken, as read locks, through the same file, so that a checkpoint
    spares what is being read.
    """
    with closing(sqlite3.connect(uri, uri=True)) as source, closing(sqlite3.connect(copy)) as sink:
        source.backup(sink)
        sink.execute("PRAGMA journal_mode = DELETE")  # one file, without -wal and -shm beside it
        said = [row[0] for row in sink.execute("PRAGMA integrity_check")]
        said += [f"a row of {row[0]} refers to nothing" for row in sink.execute("PRAGMA foreign_key_check")]
    if said != ["ok"]:
        raise Damaged("; ".join(said))


def _copy_of_unused(database: Path, copy: Path) -> None:
    """Of a database that nobody has open: it has no -wal, and a reader may not make one here.

    `immutable` reads it without locks, so that it stayed the same meanwhile is looked at. Raises Damaged when not.
    """
    before = database.stat()
    _copy(f"{database.as_uri()}?immutable=1", copy)
    after = database.stat()
    same = (before.st_mtime_ns, before.st_size, before.st_ino) == (after.st_mtime_ns, after.st_size, after.st_ino)
    if not same or Path(f"{database}-wal").exists():
        raise Damaged("the shop began to write meanwhile")


def prune(target: Path, now: datetime) -> list[Path]:
    """Remove the copies that need not stay; what was removed."""
    made = {time: path for path in target.glob("shop-*.sqlite3") if (time := _time(path)) is not None}
    gone = [made[time] for time in sorted(made.keys() - kept(made, now))]
    for path in gone:
        path.unlink()
    return gone


def kept(times: Iterable[datetime], now: datetime) -> set[datetime]:
    """Which copies stay: the newest of each recent day and month, and the very newest in any case."""
    by_day: dict[str, datetime] = {}
    by_month: dict[str, datetime] = {}
    for time in sorted(times):
        by_day[f"{time:%Y-%m-%d}"] = time
        by_month[f"{time:%Y-%m}"] = time
    days = {time for time in by_day.values() if now - time < DAYS * PERIOD}
    return days | set(list(by_month.values())[-MONTHS:])


def _time(path: Path) -> datetime | None:
    try:
        return datetime.strptime(path.name, FORM).replace(tzinfo=UTC)
    except ValueError:
        return None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


if __name__ == "__main__":
    main()

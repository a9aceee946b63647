"""Back the game's world up with borg, at start and once a day, while the game holds still.

    save-on ─ save-off ─ save-all flush ─ borg create ─ save-on ─ prune ─ compact
       └ what a backup that was killed in the middle left off        └ whatever happens

A game that does not answer is not backed up: nobody could say whether it writes. It is asked again soon.
With words behind it, it is borg with these words, on the same repository: `backup.py list`, `backup.py export-tar …`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType

from rcon import PASSWORD, SOCKET, Rcon

TREE, WORLD, REPOSITORY = Path("/srv/minecraft"), "world", Path("/backup")
DAY, SOON = 86400.0, 300.0  # seconds: between backups, after one that failed
FLUSH_SECONDS = 120.0  # a big world on a slow disk
AWAY_SECONDS = 120.0  # how long a game may take to come up
PAUSE = 1.0
READER_SECONDS = 600  # how long an owner who looks into the repository, or restores, is waited for
NAME = "::{now:%Y-%m-%dT%H-%M-%S.%f}"  # borg refuses a name it has, and one that was killed begins anew within a second
KEPT = ("--keep-daily=7", "--keep-weekly=4", "--keep-monthly=6")
ENVIRONMENT = {
    "BORG_REPO": str(REPOSITORY),
    "BORG_BASE_DIR": "/tmp",  # noqa: S108 - the container's own tmpfs
    "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",  # the tmpfs forgets which repository is known
    "BORG_RELOCATED_REPO_ACCESS_IS_OK": "yes",
}
Ask = Callable[[str], str]


class BackupError(Exception):
    """There is no new backup; the text says why."""


def main() -> None:
    if sys.argv[1:]:
        os.execve(sys.executable, command(*sys.argv[1:]), os.environ | ENVIRONMENT)  # noqa: S606 - no shell, as meant
    signal.signal(signal.SIGTERM, _end)  # process 1 has no default action; SystemExit runs every `finally`
    say("started")
    while True:
        Event().wait(DAY if attempt() else SOON)


def attempt() -> bool:
    """One backup, told to the log; whether there is one more now."""
    started = time.monotonic()
    try:
        backup(ask, borg)
    except (BackupError, OSError) as error:
        say(f"no backup: {error}")
        return False
    say(f"backed up in {time.monotonic() - started:.1f} s")
    return True


def backup(ask: Ask, borg: Callable[..., None]) -> None:
    """The whole of it. Raises BackupError, OSError; saving is on in the end, or the error says that it is not."""
    turn_on(ask)
    if (REPOSITORY / "config").exists():
        borg("break-lock")  # nobody else writes this repository: a lock is what a killed backup left
    else:
        borg("init", "--encryption=none")
    with held_still(ask):
        borg("create", "--compression=zstd", NAME, WORLD)
    borg("prune", *KEPT)
    borg("compact")


@contextmanager
def held_still(ask: Ask) -> Iterator[None]:
    """The game writes nothing in between, and all it had to write is written."""
    try:
        ask("save-off")
        ask("save-all flush")
        yield
    finally:
        turn_on(ask)


def turn_on(ask: Ask, *, seconds: float = AWAY_SECONDS) -> None:
    """Turn saving on. Raises BackupError for a game that does not answer; a game that starts anew saves anyway."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            ask("save-on")
        except OSError as error:
            if time.monotonic() >= deadline:
                raise BackupError(f"the game does not answer `save-on` ({error})") from error
            Event().wait(PAUSE)
        else:
            return


def ask(line: str) -> str:
    """One command, over a connection of its own: the game may have been started anew since the last."""
    with Rcon.open(SOCKET, PASSWORD.read_text().strip(), seconds=FLUSH_SECONDS) as game:
        answer = game.command(line)
    say(f"{line}: {answer}")
    return answer


def borg(*words: str) -> None:
    """One borg command in the working tree. Raises BackupError also for its warnings: a file not read is no backup."""
    done = subprocess.run(
        command(*words),
        cwd=TREE,
        env=os.environ | ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BackupError(f"borg {words[0]} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    say(f"borg {words[0]}")


def command(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-B", "-m", "borg", f"--lock-wait={READER_SECONDS}", *words)


def say(text: str) -> None:
    print(f"backup: {text}", flush=True)


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()

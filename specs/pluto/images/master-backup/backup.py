#!/usr/bin/python3 -IS
"""Snapshots and their copies: sanoid every quarter of an hour, syncoid every hour; idle where the kernel has no ZFS.

The copy is pulled: this container alone has both pools, and nothing that has one of them by sftp or http has the other.
A failed round is told and tried again at the next one; only a signal ends the loop.
"""

import os
import select
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

DEVICE = Path("/dev/zfs")
FILESYSTEMS = Path("/proc/filesystems")
SOURCE, TARGET = "storage", "backup/storage"
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/"}
ROUND_SECONDS = 15 * 60
COPY_EVERY = 4  # rounds
SANOID = ("/usr/sbin/sanoid", "--cron", "--cache-dir=/tmp/sanoid", "--run-dir=/tmp/sanoid")
SYNCOID = ("/usr/sbin/syncoid", "--recursive", "--no-sync-snap", "--no-privilege-elevation", SOURCE, TARGET)

Run = Callable[[Sequence[str]], int]


def main() -> NoReturn:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    why = absent(FILESYSTEMS.read_text(), device=DEVICE.exists())
    if why is not None:
        say(f"{why}: no snapshots are made and nothing is copied")
        while True:
            signal.pause()
    number = 0
    while True:
        for told in turn(number, run):
            say(told)
        number += 1
        select.select([], [], [], ROUND_SECONDS)


def absent(filesystems: str, *, device: bool) -> str | None:
    """Why there is no ZFS to work with, by /proc/filesystems (filesystems(5)) and /dev/zfs; None when there is."""
    if "zfs" not in (line.split()[-1] for line in filesystems.splitlines() if line.strip()):
        return "this kernel has no ZFS"
    return None if device else f"there is no {DEVICE} here"


def turn(number: int, run: Run) -> list[str]:
    """One round: snapshots, and at every fourth the copy, whose snapshots must be there. Returns what failed."""
    failed = []
    wanted = [SANOID, *([SYNCOID] if number % COPY_EVERY == 0 else [])]
    for argv in wanted:
        code = run(argv)
        if code:
            failed.append(f"{Path(argv[0]).name} ended with {code}; it is tried again")
            break
    return failed


def run(argv: Sequence[str]) -> int:
    """Run a program to its end; its exit code, 128 and the signal where one ended it."""
    child = os.posix_spawn(argv[0], argv, ENVIRONMENT)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def say(text: str) -> None:
    print(f"backup: {text}", flush=True)


if __name__ == "__main__":
    main()

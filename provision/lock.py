"""One at a time: the lock of an instance (law 5), and the one of the archives that all instances share."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provision.errors import ApplyError
from specs.instance import Instance


@contextmanager
def locked(instance: Instance) -> Iterator[None]:
    """Hold the instance's lock. Raises ApplyError at once when another process holds it."""
    instance.run.mkdir(parents=True, exist_ok=True)
    with instance.lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise ApplyError(
                f"another process (pid {holder}) is changing instance {instance.name}: wait for it to end"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def reading_archives(archives: Path) -> Iterator[None]:
    """While images are made, of one another, and imported: nobody removes an archive meanwhile."""
    archives.mkdir(parents=True, exist_ok=True)
    with _held(archives, fcntl.LOCK_SH):
        yield


@contextmanager
def removing_archives(archives: Path) -> Iterator[None]:
    """Raises ApplyError at once where some instance makes images."""
    archives.mkdir(parents=True, exist_ok=True)
    try:
        with _held(archives, fcntl.LOCK_EX | fcntl.LOCK_NB):
            yield
    except BlockingIOError as error:
        raise ApplyError(f"another process is making images in {archives}: wait for it to end") from error


@contextmanager
def _held(folder: Path, how: int) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, how)
        yield
    finally:
        os.close(handle)

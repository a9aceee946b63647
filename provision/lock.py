"""One at a time: the lock of an instance (law 5)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

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

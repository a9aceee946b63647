"""The one way to wait: for a named condition, until a deadline."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from provision.errors import ApplyError

FIRST_PAUSE = 0.005  # seconds; doubled up to LONGEST_PAUSE
LONGEST_PAUSE = 0.05


def wait(condition: Callable[[], bool], *, deadline: float, what: str) -> None:
    """Return once `condition()` is true; asks again and again until `deadline` (time.monotonic(), seconds).

    Raises ApplyError that names `what` when the deadline passes. The condition is asked at least once.
    """
    never = threading.Event()
    pause = FIRST_PAUSE
    while not condition():
        left = deadline - time.monotonic()
        if left <= 0:
            raise ApplyError(f"waited in vain for {what}")
        never.wait(min(pause, left))
        pause = min(pause * 2, LONGEST_PAUSE)


def within(seconds: float) -> float:
    """The deadline `seconds` from now."""
    return time.monotonic() + seconds

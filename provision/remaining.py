"""What is left to do after all is done: nothing, but for what follows by itself a moment later."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from provision.op import Op
from provision.ops.element import AddElement, RemoveElement

FOLLOWING_SECONDS = 20.0  # a whitelist's keeper looks at the record each second, and at its set every ten
PAUSE = 0.1


def remaining(look: Callable[[], tuple[Op, ...]], *, seconds: float = FOLLOWING_SECONDS) -> tuple[Op, ...]:
    """The ops that `look`, a new plan, finds. Elements of whitelists alone are looked at again for so long.

    A name may be resolved at any moment: then the host's keeper has recorded it, and the edge's set follows.
    """
    until = time.monotonic() + seconds
    left = look()
    while left and all(isinstance(op, AddElement | RemoveElement) for op in left) and time.monotonic() < until:
        threading.Event().wait(PAUSE)
        left = look()
    return left

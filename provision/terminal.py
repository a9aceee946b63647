"""A terminal of its own for another program, and this one's between it and the person (pty(7))."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import termios
import tty
from types import FrameType

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_PIECE = 65536
_SIZE = b"\0" * 8  # struct winsize (ioctl_tty(2))


def whole() -> bool:
    """Whether somebody sits at all three of this process's streams."""
    return all(os.isatty(stream) for stream in (_STDIN, _STDOUT, _STDERR))


def fork() -> tuple[int, int]:
    """A child at the head of a session at a new terminal: its id, or 0 in the child, and the terminal's other end."""
    return pty.fork()


def relay(master: int) -> None:
    """Carry what is typed there and what is printed back, until the other terminal is left by everybody."""
    _resize(master)

    def resized(_number: int, _frame: FrameType | None) -> None:
        _resize(master)

    held, before = termios.tcgetattr(_STDIN), signal.signal(signal.SIGWINCH, resized)
    tty.setraw(_STDIN, termios.TCSADRAIN)  # what was typed before is kept
    try:
        _carry(master)
    finally:
        termios.tcsetattr(_STDIN, termios.TCSADRAIN, held)
        signal.signal(signal.SIGWINCH, before)
        os.close(master)


def _carry(master: int) -> None:
    heard = [master, _STDIN]
    while True:
        ready, _, _ = select.select(heard, [], [])
        if _STDIN in ready:
            typed = os.read(_STDIN, _PIECE)
            if typed:
                _write(master, typed)
            else:
                heard.remove(_STDIN)
        if master in ready:
            try:
                printed = os.read(master, _PIECE)
            except OSError:  # EIO: nobody holds the other end any more
                return
            if not printed:
                return
            _write(_STDOUT, printed)


def _write(stream: int, text: bytes) -> None:
    while text:
        text = text[os.write(stream, text) :]


def _resize(master: int) -> None:
    fcntl.ioctl(master, termios.TIOCSWINSZ, fcntl.ioctl(_STDIN, termios.TIOCGWINSZ, _SIZE))

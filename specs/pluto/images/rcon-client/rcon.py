"""A game's RCON over a unix socket (minecraft.wiki/w/RCON): one login, then commands and their answers.

    with Rcon.open(SOCKET, password, seconds=10) as game:
        print(game.command("list"))

Each packet is length, id, type (32 bits each, little-endian), a text, two zeros. An answer longer than 4096 bytes comes
in several packets, and nothing tells the last: so an unknown packet is sent behind each command, which is answered too.
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path
from types import TracebackType

SOCKET = Path("/run/rcon/rcon.sock")
PASSWORD = Path("/etc/minecraft/rcon.password")
LOGIN, COMMAND, END = 3, 2, 100
LONGEST = 8192  # of a packet; the game sends 4110 at most


class RconError(OSError):
    """The game is away, refuses the password, or does not speak RCON."""


class Rcon:
    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._last = 0

    @classmethod
    def open(cls, path: Path, password: str, *, seconds: float) -> Rcon:
        """Connect and log in; `seconds` is the deadline of each answer. Raises OSError."""
        connected = socket.socket(socket.AF_UNIX)
        try:
            connected.settimeout(seconds)
            connected.connect(str(path))
            game = cls(connected)
            game._login(password)
        except OSError:
            connected.close()
            raise
        return game

    def __enter__(self) -> Rcon:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def command(self, line: str) -> str:
        """The game's whole answer. Raises OSError."""
        asked, end = self._send(COMMAND, line), self._send(END, "")
        answer = b""
        while True:
            number, _, text = self._receive()
            if number == end:
                return answer.decode(errors="replace")
            if number != asked:
                raise RconError(f"an answer to packet {number}, while {asked} was asked")
            answer += text

    def _login(self, password: str) -> None:
        asked = self._send(LOGIN, password)
        number, kind, _ = self._receive()
        if kind != COMMAND or number not in (asked, -1):
            raise RconError("what answers does not speak RCON")
        if number == -1:
            raise RconError("the game refuses the password")

    def _send(self, kind: int, text: str) -> int:
        self._last += 1
        self._socket.sendall(packed(self._last, kind, text))
        return self._last

    def _receive(self) -> tuple[int, int, bytes]:
        (length,) = struct.unpack("<i", self._exactly(4))
        if not 10 <= length <= LONGEST:
            raise RconError(f"a packet of {length} bytes")
        packet = self._exactly(length)
        number, kind = struct.unpack("<ii", packet[:8])
        return number, kind, packet[8:-2]

    def _exactly(self, count: int) -> bytes:
        found = b""
        while len(found) < count:
            piece = self._socket.recv(count - len(found))
            if not piece:
                raise RconError("the game hung up")
            found += piece
        return found


def packed(number: int, kind: int, text: str) -> bytes:
    body = struct.pack("<ii", number, kind) + text.encode() + b"\0\0"
    return struct.pack("<i", len(body)) + body

"""Answer for the addresses (A) of /etc/records.json, over UDP (RFC 1035); every other name does not exist.

The file is read for each question, so that a test changes a record by writing it. A file that is no JSON is a server
that fails (SERVFAIL), which a test wants as well.
"""

from __future__ import annotations

import json
import signal
import socket
import struct
import sys
from ipaddress import IPv4Address
from pathlib import Path
from types import FrameType

RECORDS = Path("/etc/records.json")
PORT, LARGEST = 53, 512
HEADER = struct.Struct(">HHHHHH")
A, IN = 1, 1
ANSWER, AUTHORITATIVE, DESIRED = 0x8000, 0x0400, 0x0100
OK, SERVER_FAILURE, NO_SUCH_NAME, NOT_IMPLEMENTED = 0, 2, 3, 4
TTL = 30  # seconds


def main() -> None:
    signal.signal(signal.SIGTERM, _end)  # process 1 has no default action
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as served:
        served.bind(("", PORT))
        print(f"resolver: knows {', '.join(records() or ())}", flush=True)
        while True:
            question, sender = served.recvfrom(LARGEST)
            answered = answer(question, records())
            if answered:
                served.sendto(answered, sender)


def records() -> dict[str, str] | None:
    """The names there are; None while the file cannot be read."""
    try:
        found: dict[str, str] = json.loads(RECORDS.read_text())["records"]
    except (OSError, ValueError, KeyError):
        return None
    return found


def answer(question: bytes, known: dict[str, str] | None) -> bytes:
    """The answer to one datagram; none to what is no question."""
    try:
        identity, flags, count, *_ = HEADER.unpack_from(question)
        name, end = _name(question, HEADER.size)
        kind, _ = struct.unpack_from(">HH", question, end)
    except (struct.error, IndexError, UnicodeDecodeError):
        return b""
    if flags & ANSWER or count != 1:
        return b""
    code, resource = _found(name, kind, known)
    head = HEADER.pack(identity, ANSWER | AUTHORITATIVE | flags & DESIRED | code, 1, 1 if resource else 0, 0, 0)
    return head + question[HEADER.size : end + 4] + resource


def _found(name: str, kind: int, known: dict[str, str] | None) -> tuple[int, bytes]:
    if known is None:
        return SERVER_FAILURE, b""
    if name not in known:
        return NO_SUCH_NAME, b""
    if kind != A:
        return OK, b""
    return OK, struct.pack(">HHHIH", 0xC000 | HEADER.size, A, IN, TTL, 4) + IPv4Address(known[name]).packed


def _name(message: bytes, place: int) -> tuple[str, int]:
    """A name without pointers, in lower case, and where it ends."""
    labels = []
    while length := message[place]:
        labels.append(message[place + 1 : place + 1 + length].decode("ascii"))
        place += 1 + length
    return ".".join(labels).lower(), place + 1


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


if __name__ == "__main__":
    main()

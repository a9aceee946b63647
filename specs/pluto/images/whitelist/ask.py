"""Ask one resolver for a name's addresses (A), over UDP (RFC 1035), without any library of the system's.

A connected socket hears that resolver alone; the question's number and the socket's port are chance (RFC 5452).
"""

from __future__ import annotations

import secrets
import socket
import struct
import time
from ipaddress import IPv4Address

PORT, LARGEST = 53, 512
SECONDS, TRIES = 2.0, 2
MOST_ADDRESSES, MOST_ALIASES = 16, 8
HEADER = struct.Struct(">HHHHHH")
A, CNAME, IN = 1, 5, 1
ANSWER, TRUNCATED, DESIRED = 0x8000, 0x0200, 0x0100
CODES = {1: "bad question", 2: "the server fails", 3: "no such name", 4: "not implemented", 5: "refused"}


class NoAnswer(Exception):
    """Why a name stands for no address now."""


def ask(resolver: str, name: str) -> tuple[IPv4Address, ...]:
    """The addresses of `name`, sorted. Raises NoAnswer."""
    for _ in range(TRIES):
        try:
            return parse(_exchanged(resolver, *question(name)), name)
        except OSError as error:
            reason = NoAnswer(f"{resolver} does not answer ({error})")
    raise reason


def question(name: str) -> tuple[bytes, bytes]:
    """The datagram, and how its answer begins."""
    number = secrets.token_bytes(2)
    labels = b"".join(bytes((len(label),)) + label for label in name.encode("ascii").split(b"."))
    return number + HEADER.pack(0, DESIRED, 1, 0, 0, 0)[2:] + labels + b"\0" + struct.pack(">HH", A, IN), number


def _exchanged(resolver: str, asked: bytes, number: bytes) -> bytes:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as spoken:
        spoken.connect((resolver, PORT))
        spoken.send(asked)
        deadline = time.monotonic() + SECONDS
        while (left := deadline - time.monotonic()) > 0:
            spoken.settimeout(left)
            heard = spoken.recv(LARGEST)
            if heard[:2] == number and heard[12 : len(asked)].lower() == asked[12:].lower():
                return heard
    raise TimeoutError("timed out")


def parse(message: bytes, name: str) -> tuple[IPv4Address, ...]:
    """The addresses that an answer gives `name`, over its aliases. Raises NoAnswer."""
    try:
        return _parse(message, name)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise NoAnswer("the answer is no DNS message") from error


def _parse(message: bytes, name: str) -> tuple[IPv4Address, ...]:
    _, flags, questions, answers, _, _ = HEADER.unpack_from(message)
    if not flags & ANSWER or questions != 1 or flags & TRUNCATED:
        raise NoAnswer("the answer is cut off" if flags & TRUNCATED else "the answer is none")
    if flags & 0xF:
        raise NoAnswer(CODES.get(flags & 0xF, f"code {flags & 0xF}"))
    _, place = _name(message, HEADER.size)
    place += 4
    addresses: dict[str, set[IPv4Address]] = {}
    aliases: dict[str, str] = {}
    for _ in range(answers):
        owner, place = _name(message, place)
        kind, family, _, length = struct.unpack_from(">HHIH", message, place)
        place += 10
        if (kind, family, length) == (A, IN, 4):
            addresses.setdefault(owner, set()).add(IPv4Address(message[place : place + 4]))
        elif (kind, family) == (CNAME, IN):
            aliases[owner] = _name(message, place)[0]
        place += length
    for _ in range(MOST_ALIASES):
        name = aliases.get(name, name)
    found = sorted(addresses.get(name, ()))
    if not 0 < len(found) <= MOST_ADDRESSES:
        raise NoAnswer(f"{len(found)} addresses")
    return tuple(found)


def _name(message: bytes, place: int) -> tuple[str, int]:
    """A name, in lower case, and where it ends; pointers lead to earlier places alone (RFC 1035 section 4.1.4)."""
    labels: list[str] = []
    end, earliest = 0, place
    while length := message[place]:
        if length >= 0xC0:
            end = end or place + 2
            place = (length & 0x3F) << 8 | message[place + 1]
            if place >= earliest:
                raise IndexError("a pointer that leads nowhere")
            earliest = place
        else:
            labels.append(message[place + 1 : place + 1 + length].decode("ascii"))
            place += 1 + length
    return ".".join(labels).lower(), end or place + 1

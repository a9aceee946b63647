"""Netlink, as little of it as provisioning needs: messages out, messages in, attributes.

provision has its own codec and fixtures read by pyroute2, so that a decoding mistake in one cannot blind the
other; it also keeps a plan that finds nothing to do under half a second (docs/decisions/001).
Sources: netlink(7), rtnetlink(7), include/uapi/linux/netlink.h, rtnetlink.h, if_link.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator

NETLINK_ROUTE = 0
NETLINK_NETFILTER = 12
NETLINK_GENERIC = 16

NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE = 0x100, 0x200, 0x400
NLM_F_DUMP_INTR = 0x10
NLMSG_ERROR, NLMSG_DONE = 2, 3
SOL_NETLINK, NETLINK_GET_STRICT_CHK = 270, 12

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_RECEIVE = 1 << 18
_DUMP_TRIES = 8

Message = tuple[int, bytes]  # type, body


class NetlinkError(OSError):
    """The kernel refused a request: `errno` says why, `what` which."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(number, f"{what}: {os.strerror(number)}")


def attribute(kind: int, payload: bytes) -> bytes:
    """One attribute, padded to four bytes."""
    return _ATTRIBUTE.pack(4 + len(payload), kind) + payload + bytes(-len(payload) % 4)


def text(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))


def nested(kind: int, *parts: bytes) -> bytes:
    return attribute(kind | 0x8000, b"".join(parts))


def attributes(body: bytes, offset: int = 0) -> dict[int, bytes]:
    """The attributes of `body` from `offset` on, flags taken off their types; the last of a type wins."""
    return dict(walk(body, offset))


def walk(body: bytes, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """Every attribute of `body` from `offset` on, in the kernel's order."""
    end = len(body)
    while offset + 4 <= end:
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if length < 4:
            return
        yield kind & _TYPE_MASK, body[offset + 4 : offset + length]
        offset += (length + 3) & ~3


class Socket:
    """A netlink socket; it stays in the network namespace of the thread that makes it."""

    def __init__(self, protocol: int = NETLINK_ROUTE) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        if protocol == NETLINK_ROUTE:
            self._socket.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        self._sequence = 0

    def close(self) -> None:
        self._socket.close()

    def request(self, kind: int, body: bytes, *, flags: int = 0, what: str = "netlink request") -> None:
        """Send one message and wait for its acknowledgement. Raises NetlinkError when the kernel refuses it."""
        self._send(kind, body, NLM_F_REQUEST | NLM_F_ACK | flags)
        for _ in self._replies(what):
            pass

    def ask(self, kind: int, body: bytes, *, what: str = "netlink question") -> list[Message]:
        """Send one question that is answered by one message, without a dump."""
        self._send(kind, body, NLM_F_REQUEST | NLM_F_ACK)
        return list(self._replies(what))

    def dump(self, kind: int, body: bytes, *, what: str = "netlink dump") -> list[Message]:
        """Every object of a kind, in one consistent reading (asked again while NLM_F_DUMP_INTR is set)."""
        for _ in range(_DUMP_TRIES):
            self._send(kind, body, NLM_F_REQUEST | NLM_F_DUMP)
            self._interrupted = False
            found = list(self._replies(what))
            if not self._interrupted:
                return found
        raise NetlinkError(errno.EINTR, what)

    def _send(self, kind: int, body: bytes, flags: int) -> None:
        self._sequence += 1
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, self._sequence, 0) + body)

    def _replies(self, what: str) -> Iterator[Message]:
        while True:
            data = self._socket.recv(_RECEIVE)
            offset = 0
            while offset < len(data):
                length, kind, flags, sequence, _ = _HEADER.unpack_from(data, offset)
                body = data[offset + _HEADER.size : offset + length]
                offset += (length + 3) & ~3
                if sequence != self._sequence:
                    continue
                if flags & NLM_F_DUMP_INTR:
                    self._interrupted = True
                if kind == NLMSG_DONE:
                    return
                if kind == NLMSG_ERROR:
                    code = -struct.unpack_from("=i", body)[0]
                    if code:
                        raise NetlinkError(code, what)
                    return
                yield kind, body

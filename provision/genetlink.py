"""Generic netlink: families by name, commands by number, on provision.netlink's sockets.

Sources: include/uapi/linux/genetlink.h, Documentation/userspace-api/netlink/intro.rst.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from provision.netlink import Message, Socket, attributes, text

_HEADER = struct.Struct("=BBxx")  # struct genlmsghdr: command, version
_CONTROLLER, _GET_FAMILY, _CONTROLLER_VERSION = 0x10, 3, 1  # GENL_ID_CTRL, CTRL_CMD_GETFAMILY
_FAMILY_ID, _FAMILY_NAME = 1, 2


def family(kernel: Socket, name: str) -> int:
    """The message type of a family. NetlinkError with ENOENT where the kernel has not loaded it."""
    question = command(_GET_FAMILY, text(_FAMILY_NAME, name), version=_CONTROLLER_VERSION)
    answer = kernel.ask(_CONTROLLER, question, what=f"look up the netlink family {name}")
    found: int = struct.unpack("=H", next(payloads(answer))[_FAMILY_ID])[0]
    return found


def command(number: int, *parts: bytes, version: int) -> bytes:
    """The body of one message: a family's command with its attributes."""
    return _HEADER.pack(number, version) + b"".join(parts)


def payloads(messages: Iterable[Message]) -> Iterator[dict[int, bytes]]:
    """Each message's attributes."""
    return (attributes(body, _HEADER.size) for _, body in messages)

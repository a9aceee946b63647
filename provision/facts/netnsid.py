"""Which namespace a veth's other end is in: RTM_GETNSID (rtnetlink(7), include/uapi/linux/net_namespace.h).

A namespace knows others by numbers of its own, which IFLA_LINK_NETNSID tells; asked about a descriptor, it tells the
number. So the other end is found for certain, and not by names or indexes that look alike.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

from provision.netlink import Socket, attribute, attributes

_GETNSID = 90
_NETNSA_NSID, _NETNSA_FD = 1, 3
_RTGENMSG = struct.Struct("=B3x")  # struct rtgenmsg, padded
_UNKNOWN = -1  # NETNSA_NSID_NOT_ASSIGNED


def read(kernel: Socket, handles: Mapping[str, int]) -> Mapping[int, str]:
    """The numbers that the socket's namespace has for others, by which node each is; `handles`: node -> descriptor."""
    found = {_number(kernel, handle): node for node, handle in handles.items()}
    return {number: node for number, node in found.items() if number != _UNKNOWN}


def _number(kernel: Socket, handle: int) -> int:
    question = _RTGENMSG.pack(0) + attribute(_NETNSA_FD, struct.pack("=I", handle))
    _, body = kernel.ask(_GETNSID, question, what="ask for a namespace's number")[0]
    (number,) = struct.unpack("=i", attributes(body, _RTGENMSG.size)[_NETNSA_NSID])
    return int(number)

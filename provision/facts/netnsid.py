"""Which namespace a veth's other end is in: RTM_GETNSID (rtnetlink(7), include/uapi/linux/net_namespace.h).

A namespace knows others by numbers of its own, which IFLA_LINK_NETNSID tells; asked about a descriptor, it tells the
number. So the other end is found for certain, and not by names or indexes that look alike.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from pathlib import Path

from provision.kernel import inside
from provision.netlink import Socket, attribute, attributes

_GETNSID = 90
_NETNSA_NSID, _NETNSA_FD = 1, 3
_RTGENMSG = struct.Struct("=B3x")  # struct rtgenmsg, padded
_UNKNOWN = -1  # NETNSA_NSID_NOT_ASSIGNED


def read(namespaces: Mapping[str, Path]) -> Mapping[str, Mapping[int, str]]:
    """For each namespace: the numbers it has for the others, by which node each is."""
    handles = {node: os.open(path, os.O_RDONLY | os.O_CLOEXEC) for node, path in namespaces.items()}
    try:
        return {node: inside(path, lambda: _numbers(handles)) for node, path in namespaces.items()}
    finally:
        for handle in handles.values():
            os.close(handle)


def _numbers(handles: Mapping[str, int]) -> Mapping[int, str]:
    kernel = Socket()
    try:
        found = {_number(kernel, handle): node for node, handle in handles.items()}
    finally:
        kernel.close()
    return {number: node for number, node in found.items() if number != _UNKNOWN}


def _number(kernel: Socket, handle: int) -> int:
    question = _RTGENMSG.pack(0) + attribute(_NETNSA_FD, struct.pack("=I", handle))
    _, body = kernel.ask(_GETNSID, question, what="ask for a namespace's number")[0]
    (number,) = struct.unpack("=i", attributes(body, _RTGENMSG.size)[_NETNSA_NSID])
    return int(number)

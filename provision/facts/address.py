"""Addresses: RTM_GETADDR (rtnetlink(7), include/uapi/linux/if_addr.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface, ip_interface

from provision.netlink import Message, Socket, attributes

RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
IFA_ADDRESS, IFA_LOCAL = 1, 2
IFADDRMSG = struct.Struct("=BBBBI")  # struct ifaddrmsg


@dataclass(frozen=True, kw_only=True)
class ActualAddress:
    ifname: str
    interface: IPv4Interface | IPv6Interface


def read(kernel: Socket, names: Mapping[int, str]) -> tuple[ActualAddress, ...]:
    """Every address of the socket's namespace; `names` maps interface index to name."""
    return parse(kernel.dump(RTM_GETADDR, IFADDRMSG.pack(0, 0, 0, 0, 0), what="list the addresses"), names)


def parse(messages: Iterable[Message], names: Mapping[int, str]) -> tuple[ActualAddress, ...]:
    found = (_address(body, names) for kind, body in messages if kind == RTM_NEWADDR)
    return tuple(sorted(found, key=lambda a: (a.ifname, str(a.interface))))


def _address(body: bytes, names: Mapping[int, str]) -> ActualAddress:
    _, prefix, _, _, index = IFADDRMSG.unpack_from(body)
    found = attributes(body, IFADDRMSG.size)
    # IFA_LOCAL is the own address and IFA_ADDRESS the far one on a point-to-point interface.
    raw = found.get(IFA_LOCAL, found[IFA_ADDRESS])
    return ActualAddress(ifname=names.get(index, f"if{index}"), interface=ip_interface((raw, prefix)))

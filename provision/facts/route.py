"""Routes of every table: RTM_GETROUTE (rtnetlink(7), include/uapi/linux/rtnetlink.h).

The kernel's own (RTPROT_KERNEL) follow from the addresses and are left out: provisioning neither makes nor
removes them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from provision.netlink import Message, Socket, attributes

RTM_NEWROUTE, RTM_DELROUTE, RTM_GETROUTE = 24, 25, 26
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_TABLE = 1, 4, 5, 6, 15
RTPROT_KERNEL, RTPROT_STATIC = 2, 4
RT_TABLE_MAIN = 254
RTN_UNICAST = 1
KINDS = (
    "unspec",
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
)
AF_INET = 2
RTMSG = struct.Struct("=BBBBBBBBI")  # struct rtmsg


@dataclass(frozen=True, kw_only=True)
class ActualRoute:
    """A route somebody made. `body` is the kernel's own message, with which it is removed."""

    destination: IPv4Network | IPv6Network
    via: IPv4Address | IPv6Address | None
    ifname: str  # "" where it names no single interface
    table: int
    body: bytes

    @property
    def kind(self) -> str:
        """What it does with what takes it, as ip-route(8) names it: unicast, blackhole and so on."""
        number = RTMSG.unpack_from(self.body)[7]
        return KINDS[number] if number < len(KINDS) else str(number)

    @property
    def metric(self) -> int:
        """The lower one of two routes to one destination wins."""
        found = attributes(self.body, RTMSG.size)
        return int(struct.unpack("=I", found[RTA_PRIORITY])[0]) if RTA_PRIORITY in found else 0


def read(kernel: Socket, names: Mapping[int, str]) -> tuple[ActualRoute, ...]:
    """Every route of the socket's namespace that the kernel did not make itself."""
    return parse(_dump(kernel), names)


def every(kernel: Socket, names: Mapping[int, str]) -> tuple[ActualRoute, ...]:
    """The kernel's own as well: to local addresses, to what is connected, to broadcast addresses."""
    return tuple(_route(body, names) for kind, body in _dump(kernel) if kind == RTM_NEWROUTE)


def _dump(kernel: Socket) -> list[Message]:
    return kernel.dump(RTM_GETROUTE, RTMSG.pack(0, 0, 0, 0, 0, 0, 0, 0, 0), what="list the routes")


def parse(messages: Iterable[Message], names: Mapping[int, str]) -> tuple[ActualRoute, ...]:
    found = (
        _route(body, names)
        for kind, body in messages
        if kind == RTM_NEWROUTE and RTMSG.unpack_from(body)[5] != RTPROT_KERNEL
    )
    return tuple(sorted(found, key=lambda r: (r.table, str(r.destination), str(r.via), r.ifname)))


def _route(body: bytes, names: Mapping[int, str]) -> ActualRoute:
    family, prefix, _, _, table, _, _, _, _ = RTMSG.unpack_from(body)
    found = attributes(body, RTMSG.size)
    zero = bytes(4 if family == AF_INET else 16)
    gateway = found.get(RTA_GATEWAY)
    index = struct.unpack("=i", found[RTA_OIF])[0] if RTA_OIF in found else 0
    return ActualRoute(
        destination=ip_network((found.get(RTA_DST, zero), prefix)),
        via=ip_address(gateway) if gateway is not None else None,
        ifname=names.get(index, f"if{index}") if index else "",
        table=struct.unpack("=I", found[RTA_TABLE])[0] if RTA_TABLE in found else table,
        body=body,
    )

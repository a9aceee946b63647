"""Interfaces: RTM_GETLINK (rtnetlink(7), include/uapi/linux/if_link.h)."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

from provision.netlink import Message, Socket, attributes, text, walk

RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
IFF_UP = 0x1
IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_LINKINFO = 3, 4, 5, 18
IFLA_LINK_NETNSID, IFLA_PROP_LIST, IFLA_ALT_IFNAME = 37, 52, 53
IFLA_INFO_KIND = 1
WIREGUARD, TUN = "wireguard", "tun"  # kinds of a tunnel device
_IFINFO = struct.Struct("=BxHiII")  # struct ifinfomsg


@dataclass(frozen=True, kw_only=True, order=True)
class ActualLink:
    ifname: str
    index: int
    kind: str  # veth, tun, wireguard, bridge … ; "" for lo
    up: bool
    mtu: int
    peer: int | None  # the other end's index, where it has one
    altnames: tuple[str, ...]
    peer_netns: int | None = None  # the id that this namespace knows the other end's namespace by (facts.netnsid)


def read(kernel: Socket) -> tuple[ActualLink, ...]:
    """Every interface of the socket's namespace, lo included, by name."""
    return parse(kernel.dump(RTM_GETLINK, _IFINFO.pack(0, 0, 0, 0, 0), what="list the interfaces"))


def index_of(kernel: Socket, ifname: str) -> int:
    """The index of an interface by its name. NetlinkError with ENODEV when there is none."""
    question = _IFINFO.pack(0, 0, 0, 0, 0) + text(IFLA_IFNAME, ifname)
    _, body = kernel.ask(RTM_GETLINK, question, what=f"look up {ifname}")[0]
    return int(_IFINFO.unpack_from(body)[2])


def parse(messages: Iterable[Message]) -> tuple[ActualLink, ...]:
    return tuple(sorted(_link(body) for kind, body in messages if kind == RTM_NEWLINK))


def _link(body: bytes) -> ActualLink:
    _, _, index, flags, _ = _IFINFO.unpack_from(body)
    found = attributes(body, _IFINFO.size)
    info = attributes(found.get(IFLA_LINKINFO, b""))
    names = (value for kind, value in walk(found.get(IFLA_PROP_LIST, b"")) if kind == IFLA_ALT_IFNAME)
    return ActualLink(
        ifname=_text(found[IFLA_IFNAME]),
        index=index,
        kind=_text(info.get(IFLA_INFO_KIND, b"")),
        up=bool(flags & IFF_UP),
        mtu=struct.unpack("=I", found[IFLA_MTU])[0],
        peer=struct.unpack("=I", found[IFLA_LINK])[0] if IFLA_LINK in found else None,
        altnames=tuple(sorted(_text(name) for name in names)),
        peer_netns=struct.unpack("=i", found[IFLA_LINK_NETNSID])[0] if IFLA_LINK_NETNSID in found else None,
    )


def _text(value: bytes) -> str:
    return value.rstrip(b"\0").decode()

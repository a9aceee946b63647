"""Make, change and remove interfaces (rtnetlink(7), veth(4))."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from provision.context import Context
from provision.facts.address import IFA_ADDRESS, IFA_LOCAL, IFADDRMSG, RTM_NEWADDR
from provision.facts.link import (
    IFF_UP,
    IFLA_ALT_IFNAME,
    IFLA_IFNAME,
    IFLA_INFO_KIND,
    IFLA_LINKINFO,
    IFLA_MTU,
    IFLA_PROP_LIST,
    RTM_DELLINK,
    RTM_NEWLINK,
    index_of,
)
from provision.netlink import NLM_F_CREATE, NLM_F_EXCL, NetlinkError, Socket, attribute, nested, number, text
from provision.op import Action, Op, Phase
from specs import naming
from specs.model import Endpoint, Link

RTM_NEWLINKPROP = 108
IFLA_NET_NS_FD = 28
_IFLA_INFO_DATA, _VETH_INFO_PEER = 2, 1
_IFINFO = struct.Struct("=BxHiII")
_AF_INET = 2


@dataclass(frozen=True, kw_only=True)
class MakeLink(Op):
    """A wire whole: both ends in their namespaces by one message, altname, address, up."""

    phase: ClassVar[Phase] = Phase.LINK
    noun: ClassVar[str] = "link"

    link: Link

    @property
    def subject(self) -> str:
        return self.link.name

    def describe(self) -> str:
        a, b = self.link.endpoints
        return f"link {self.link.name}: {a.node} {a.address} to {b.node} {b.address}"

    def execute(self, context: Context) -> None:
        a, b = self.link.endpoints
        with _open(context.netns(b.node)) as there:
            far = _IFINFO.pack(0, 0, 0, 0, 0) + text(IFLA_IFNAME, b.ifname) + number(IFLA_NET_NS_FD, there)
            kind = nested(
                IFLA_LINKINFO,
                text(IFLA_INFO_KIND, "veth"),
                nested(_IFLA_INFO_DATA, attribute(_VETH_INFO_PEER, far)),
            )
            near = _IFINFO.pack(0, 0, 0, 0, 0) + text(IFLA_IFNAME, a.ifname) + kind
            opened = context.kernel.route(context.netns(a.node))
            opened.request(RTM_NEWLINK, near, flags=NLM_F_CREATE | NLM_F_EXCL, what=f"make link {self.link.name}")
        for end in (a, b):
            self._finish(context.kernel.route(context.netns(end.node)), end)

    def _finish(self, opened: Socket, end: Endpoint) -> None:
        index = index_of(opened, end.ifname)
        add_altname(opened, index, naming.altname(self.link.name))
        add_address(opened, index, end.address.packed, end.interface.network.prefixlen, what=f"{end.interface}")
        set_link(opened, index, what=f"set {end.ifname} up in {end.node}")


@dataclass(frozen=True, kw_only=True)
class ChangeLink(Op):
    """Mend an interface that is there: up, its MTU, its altname."""

    phase: ClassVar[Phase] = Phase.LINK
    noun: ClassVar[str] = "link"
    action: ClassVar[Action] = Action.CHANGE

    node: str
    ifname: str
    mtu: int
    altname: str | None
    seen: str

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.ifname}"

    def describe(self) -> str:
        return f"interface {self.ifname} in {self.node}: {self.seen}"

    def execute(self, context: Context) -> None:
        opened = context.kernel.route(context.netns(self.node))
        index = index_of(opened, self.ifname)
        add_altname(opened, index, self.altname)
        set_link(opened, index, number(IFLA_MTU, self.mtu), what=f"change {self.ifname} in {self.node}")


@dataclass(frozen=True, kw_only=True)
class RemoveLink(Op):
    phase: ClassVar[Phase] = Phase.DROP_LINK
    noun: ClassVar[str] = "link"
    action: ClassVar[Action] = Action.REMOVE

    node: str
    ifname: str
    kind: str

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.ifname}"

    def describe(self) -> str:
        return f"{self.kind or 'interface'} {self.ifname} in {self.node}, which is not declared so"

    def execute(self, context: Context) -> None:
        opened = context.kernel.route(context.netns(self.node))
        remove(opened, self.ifname, what=f"remove {self.ifname} in {self.node}")


def make(opened: Socket, ifname: str, kind: str, *, what: str) -> None:
    """Make an interface of a kind that needs nothing but its name; it is down."""
    body = _IFINFO.pack(0, 0, 0, 0, 0) + text(IFLA_IFNAME, ifname) + nested(IFLA_LINKINFO, text(IFLA_INFO_KIND, kind))
    opened.request(RTM_NEWLINK, body, flags=NLM_F_CREATE | NLM_F_EXCL, what=what)


def remove(opened: Socket, ifname: str, *, what: str) -> None:
    """Remove an interface; nothing when it is gone."""
    try:
        index = index_of(opened, ifname)
        opened.request(RTM_DELLINK, _IFINFO.pack(0, 0, index, 0, 0), what=what)
    except NetlinkError as error:
        if error.errno != errno.ENODEV:  # it went with its other end
            raise


def set_link(opened: Socket, index: int, *changes: bytes, what: str, clear: int = 0) -> None:
    """Set an interface up, with `changes` as attributes and the flags `clear` taken away."""
    opened.request(RTM_NEWLINK, _IFINFO.pack(0, 0, index, IFF_UP, IFF_UP | clear) + b"".join(changes), what=what)


def add_altname(opened: Socket, index: int, name: str | None) -> None:
    """Give the owner's own name; nothing when there is none or it bears it already."""
    if name is None:
        return
    body = _IFINFO.pack(0, 0, index, 0, 0) + nested(IFLA_PROP_LIST, text(IFLA_ALT_IFNAME, name))
    try:
        opened.request(RTM_NEWLINKPROP, body, flags=NLM_F_CREATE | NLM_F_EXCL, what=f"altname {name}")
    except NetlinkError as error:
        if error.errno != errno.EEXIST:
            raise


def add_address(opened: Socket, index: int, packed: bytes, prefix: int, *, what: str) -> None:
    """Add an IPv4 address; nothing when it is there."""
    head = IFADDRMSG.pack(_AF_INET, prefix, 0, 0, index)
    body = head + attribute(IFA_LOCAL, packed) + attribute(IFA_ADDRESS, packed)
    try:
        opened.request(RTM_NEWADDR, body, flags=NLM_F_CREATE | NLM_F_EXCL, what=f"add address {what}")
    except NetlinkError as error:
        if error.errno != errno.EEXIST:
            raise


@contextmanager
def _open(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield handle
    finally:
        os.close(handle)

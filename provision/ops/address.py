"""Add and remove addresses."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv6Interface
from typing import ClassVar

from provision.context import Context
from provision.facts.address import IFA_LOCAL, IFADDRMSG, RTM_DELADDR
from provision.facts.link import index_of
from provision.netlink import attribute
from provision.op import Action, Op, Phase
from provision.ops.link import add_address

_FAMILY = {4: 2, 6: 10}


@dataclass(frozen=True, kw_only=True)
class AddAddress(Op):
    phase: ClassVar[Phase] = Phase.ADDRESS
    noun: ClassVar[str] = "address"

    node: str
    ifname: str
    interface: IPv4Interface

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.interface}"

    def describe(self) -> str:
        return f"address {self.interface} on {self.ifname} in {self.node}"

    def execute(self, context: Context) -> None:
        opened = context.kernel.route(context.netns(self.node))
        prefix = self.interface.network.prefixlen
        add_address(opened, index_of(opened, self.ifname), self.interface.packed, prefix, what=self.subject)


@dataclass(frozen=True, kw_only=True)
class RemoveAddress(Op):
    phase: ClassVar[Phase] = Phase.DROP_ADDRESS
    noun: ClassVar[str] = "address"
    action: ClassVar[Action] = Action.REMOVE

    node: str
    ifname: str
    interface: IPv4Interface | IPv6Interface

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.interface}"

    def describe(self) -> str:
        return f"address {self.interface} on {self.ifname} in {self.node}, which is not declared"

    def execute(self, context: Context) -> None:
        opened = context.kernel.route(context.netns(self.node))
        family, prefix = _FAMILY[self.interface.version], self.interface.network.prefixlen
        head = IFADDRMSG.pack(family, prefix, 0, 0, index_of(opened, self.ifname))
        opened.request(RTM_DELADDR, head + attribute(IFA_LOCAL, self.interface.packed), what=self.describe())

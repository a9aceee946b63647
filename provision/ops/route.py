"""Add and remove routes; remove policy-routing rules is rule.py's."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import ClassVar

from provision.context import Context
from provision.facts.link import index_of
from provision.facts.route import (
    RT_TABLE_MAIN,
    RTA_DST,
    RTA_GATEWAY,
    RTA_OIF,
    RTM_DELROUTE,
    RTM_NEWROUTE,
    RTMSG,
    RTN_UNICAST,
    RTPROT_STATIC,
)
from provision.netlink import NLM_F_CREATE, NLM_F_REPLACE, NetlinkError, attribute, number
from provision.op import Action, Op, Phase
from specs.topology import Route

_AF_INET = 2
_SCOPE_UNIVERSE, _SCOPE_LINK = 0, 253


@dataclass(frozen=True, kw_only=True)
class AddRoute(Op):
    phase: ClassVar[Phase] = Phase.ROUTE
    noun: ClassVar[str] = "route"

    node: str
    route: Route

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.route.destination}"

    def describe(self) -> str:
        via = f" via {self.route.via}" if self.route.via is not None else ""
        return f"route to {self.route.destination}{via} on {self.route.ifname} in {self.node}"

    def execute(self, context: Context) -> None:
        opened = context.kernel.route(context.netns(self.node))
        to, via = self.route.destination, self.route.via
        scope = _SCOPE_UNIVERSE if via is not None else _SCOPE_LINK
        body = RTMSG.pack(_AF_INET, to.prefixlen, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, scope, RTN_UNICAST, 0)
        body += attribute(RTA_DST, to.network_address.packed) if to.prefixlen else b""
        body += attribute(RTA_GATEWAY, via.packed) if via is not None else b""
        body += number(RTA_OIF, index_of(opened, self.route.ifname))
        opened.request(RTM_NEWROUTE, body, flags=NLM_F_CREATE | NLM_F_REPLACE, what=self.describe())


@dataclass(frozen=True, kw_only=True)
class RemoveRoute(Op):
    """Take away a route that is not declared, by the kernel's own description of it."""

    phase: ClassVar[Phase] = Phase.DROP_ROUTE
    noun: ClassVar[str] = "route"
    action: ClassVar[Action] = Action.REMOVE

    node: str
    what: str
    body: bytes = field(repr=False)

    @property
    def subject(self) -> str:
        return f"{self.node}: {self.what}"

    def describe(self) -> str:
        return f"route {self.what} in {self.node}, which is not declared"

    def execute(self, context: Context) -> None:
        try:
            context.kernel.route(context.netns(self.node)).request(RTM_DELROUTE, self.body, what=self.describe())
        except NetlinkError as error:
            if error.errno not in (errno.ESRCH, errno.ENODEV):  # it went with its interface or its address
                raise

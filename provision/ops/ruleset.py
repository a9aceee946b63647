"""Load a namespace's ruleset, as one transaction (law 6)."""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass, field
from typing import ClassVar

from provision import kernel
from provision.context import Context
from provision.facts import ban
from provision.facts.compiled import LOAD, LOAD_SECONDS
from provision.netlink import NETLINK_NETFILTER, NetlinkError, Socket
from provision.op import Action, Op, Phase
from provision.run import run

_CT_DELETE = (1 << 8) | 2  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE
_EVERY_ENTRY = struct.pack("=BBH", 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class LoadRuleset(Op):
    """Replace all that nftables holds in a namespace, and forget its connections, which outlive their rules.

    Bans are taken over, in the same transaction (law 1). What is banned between their reading and the load, a few
    hundredths of a second, is banned again at its writer's next count.
    """

    phase: ClassVar[Phase] = Phase.RULESET
    noun: ClassVar[str] = "ruleset"
    action: ClassVar[Action] = Action.CHANGE

    node: str
    text: str = field(repr=False)
    change: str  # what differs

    @property
    def subject(self) -> str:
        return self.node

    def describe(self) -> str:
        return f"ruleset of {self.node}: {self.change}"

    def execute(self, context: Context) -> None:
        kernel.inside(context.netns(self.node), lambda: load(_with_bans(self.text)))
        forget_connections(context, self.node)


def _with_bans(text: str) -> str:
    """`text`, and the elements that the deny sets of the calling thread's namespace hold now."""
    opened = Socket(NETLINK_NETFILTER)
    try:
        return ban.carried(text, ban.read(opened)) if text else text
    finally:
        opened.close()


def load(text: str) -> None:
    """Load a ruleset into the calling thread's namespace, as one transaction; nothing is started for an empty one."""
    if text:
        run(LOAD, stdin=text, timeout=LOAD_SECONDS)


def forget_connections(context: Context, node: str) -> None:
    """Empty the connection tracking of a namespace (conntrack entries outlive the rules that made them)."""
    opened = context.kernel.netfilter(context.netns(node))
    try:
        opened.request(_CT_DELETE, _EVERY_ENTRY, what=f"empty the connection tracking of {node}")
    except NetlinkError as error:
        if error.errno != errno.ENOENT:  # a kernel may say so of a table without entries
            raise

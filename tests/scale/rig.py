"""A disposable network for trying the probes: namespaces called probetest-<pid>-<node>, /31 veth wires, nft rules.

with Rig() as rig:
    rig.wire("a", "r", 0)           # a gets 10.99.0.0, r gets 10.99.0.1; the interface is called w0 at both ends
    rig.default("a", via="r")
    rig.rules("r", CLOSED)
    probe(rig.senders(), rig.targets(), …)
"""

from __future__ import annotations

import os
from contextlib import suppress
from ipaddress import IPv4Address
from types import TracebackType
from typing import Self

from fixtures.netns import inside, named
from fixtures.probe.orders import Far, Method, Sender, Target
from fixtures.run import Failed, run

OPEN = ""
CLOSED = """
table inet probetest {
  chain input { type filter hook input priority 0; policy drop;
    iif lo accept
    ct state established,related accept
  }
  chain forward { type filter hook forward priority 0; policy drop; }
}
"""


class Rig:
    """Made and removed as a whole; what an earlier, killed run left under the same process id is removed first."""

    def __init__(self) -> None:
        self.prefix = f"probetest-{os.getpid()}-"
        self.nodes: dict[str, list[IPv4Address]] = {}
        self.wires: list[tuple[str, str, str, IPv4Address, IPv4Address]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for node in self.nodes:
            with suppress(Failed):
                run(["ip", "netns", "delete", self.prefix + node])

    def node(self, name: str, *, forward: bool = True) -> None:
        if name in self.nodes:
            return
        self.nodes[name] = []
        run(["ip", "netns", "add", self.prefix + name])
        run(["ip", "-n", self.prefix + name, "link", "set", "lo", "up"])
        if forward:
            self.sysctl(name, "net.ipv4.ip_forward", 1)

    def wire(self, a: str, b: str, number: int) -> None:
        """A veth pair between the nodes, with the /31 number `number` of 10.99.0.0/16; w<number> at both ends."""
        self.node(a)
        self.node(b)
        base = IPv4Address("10.99.0.0") + 2 * number
        name = f"w{number}"
        ends = ((a, base), (b, base + 1))
        pair = [self.prefix + a, "type", "veth", "peer", "name", name, "netns", self.prefix + b]
        run(["ip", "link", "add", name, "netns", *pair])
        for node, address in ends:
            self.ip(node, f"address add {address}/31 dev {name}", f"link set {name} up")
            self.nodes[node].append(address)
        self.wires.append((name, a, b, base, base + 1))

    def default(self, node: str, *, via: str) -> None:
        self.ip(node, f"route add default via {self.address(via, towards=node)}")

    def route(self, node: str, network: str, *, via: str) -> None:
        self.ip(node, f"route add {network} via {self.address(via, towards=node)}")

    def ip(self, node: str, *commands: str) -> None:
        run(["ip", "-n", self.prefix + node, "-batch", "-"], stdin="\n".join(commands))

    def rules(self, node: str, ruleset: str) -> None:
        """The node's whole ruleset; conntrack entries stay."""
        self.more_rules(node, f"flush ruleset\n{ruleset}")

    def more_rules(self, node: str, ruleset: str) -> None:
        inside(named(self.prefix + node), lambda: run(["nft", "-f", "-"], stdin=ruleset))

    def sysctl(self, node: str, name: str, value: int) -> None:
        inside(named(self.prefix + node), lambda: run(["sysctl", "-q", "-w", f"{name}={value}"]))

    def address(self, node: str, *, towards: str) -> IPv4Address:
        """The address of `node` on its wire to `towards`."""
        for _, a, b, first, second in self.wires:
            if {a, b} == {node, towards}:
                return first if a == node else second
        raise KeyError(f"no wire between {node} and {towards}")

    def sender(self, node: str, *, towards: str, method: Method = Method.FRAME) -> Sender:
        return next(s for s in self.senders(method) if s.node == node and s.far[0].node == towards)

    def senders(self, method: Method = Method.FRAME) -> tuple[Sender, ...]:
        ends = [end for wire in self.wires for end in (wire, (wire[0], wire[2], wire[1], wire[4], wire[3]))]
        return tuple(
            Sender(
                node=here,
                netns=named(self.prefix + here),
                ifname=name,
                address=address,
                far=(Far(node=there, ifname=name),),
                method=method,
            )
            for name, here, there, address, _ in ends
        )

    def targets(self) -> tuple[Target, ...]:
        return tuple(
            Target(node=node, netns=named(self.prefix + node), addresses=tuple(addresses))
            for node, addresses in self.nodes.items()
        )

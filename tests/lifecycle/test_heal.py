"""What is taken away or added by hand is found as just that, and the next apply heals just that (law 5)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from fixtures import run
from fixtures.scratch import Scratch


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One thing done by hand, and the ops of the plan that sees it."""

    name: str
    do: Callable[[Scratch], object]
    ops: tuple[str, ...]


def by_ip(name: str, node: str, command: str, *ops: str) -> Drift:
    return Drift(name=name, do=lambda made: made.ip(node, command), ops=ops)


def by_program(name: str, node: str, argv: str, *ops: str) -> Drift:
    return Drift(name=name, do=lambda made: made.inside(node, *argv.split()), ops=ops)


ACCEPT_RULE = "nft add rule inet pluto input tcp dport 22 accept"
REMOVED = (
    by_ip("link", "git-web", "link del pub-git-web", "+ link pub-git-web"),
    by_ip("address", "git-web", "address del 172.16.4.1/31 dev pub-git-web", "+ address git-web: 172.16.4.1/31"),
    by_ip("route", "vpn-edge", "route del default", "+ route vpn-edge: 0.0.0.0/0"),
    by_ip("peer-route", "laptop", "route del 10.1.1.0/31", "+ route laptop: 10.1.1.0/31"),
    by_ip("kernel-rule", "git-web", "rule del priority 32767", "+ rule git-web: inet 32767"),
    by_ip("tunnel", "phone", "link del wg0", "+ tunnel phone: wg0",
          *(f"+ route phone: 10.1.{n}.0/31" for n in range(1, 7))),
    by_ip("altname", "lbmt-darkroom", "link property del dev pub-lbmt-d-1c70 altname pub-lbmt-darkroom",
          "~ link lbmt-darkroom: pub-lbmt-d-1c70"),
    by_ip("link-up", "git-web", "link set pub-git-web down", "~ link git-web: pub-git-web"),
    by_ip("mtu", "git-web", "link set pub-git-web mtu 1400", "~ link git-web: pub-git-web"),
    by_ip("loopback", "git-web", "link set lo down", "~ link git-web: lo"),
    by_program("table", "git-web", "nft delete table inet pluto", "~ ruleset git-web"),
    by_program("chain-policy", "git-web", "nft add chain inet pluto forward { policy accept ; }", "~ ruleset git-web"),
    by_program("set-element", "host", "nft delete element inet pluto inside { 192.168.1.0/24 }", "~ ruleset host"),
    Drift(name="netns", do=lambda made: run.run(("ip", "netns", "del", made.netns("master-backup"))),
          ops=("+ netns master-backup",)),
)  # fmt: skip
ADDED = (
    by_ip("veth", "git-web", "link add sly0 type veth peer name sly1", "- link git-web: sly0", "- link git-web: sly1"),
    by_ip("bridge", "git-web", "link add sly0 type bridge", "- link git-web: sly0"),
    by_ip("address", "git-web", "address add 172.16.9.1/31 dev pub-git-web", "- address git-web: 172.16.9.1/31"),
    by_ip("loopback-address", "git-web", "address add 10.9.9.9/32 dev lo", "- address git-web: 10.9.9.9/32"),
    by_ip("route", "git-web", "route add 10.0.0.0/8 via 172.16.4.0",
          "- route git-web: 10.0.0.0/8 via 172.16.4.0 pub-git-web"),
    by_ip("other-table", "git-web", "route add 10.0.0.0/8 via 172.16.4.0 table 7",
          "- route git-web: 10.0.0.0/8 via 172.16.4.0 pub-git-web table 7"),
    by_ip("blackhole", "git-web", "route add blackhole 10.3.0.0/16", "- route git-web: 10.3.0.0/16"),
    by_ip("rule", "git-web", "rule add from 10.0.0.0/8 table 7 priority 99", "- rule git-web: inet 99 table 7"),
    by_program("accept-rule", "git-web", ACCEPT_RULE, "~ ruleset git-web"),
    by_program("other-table-of-nft", "visitor", "nft add table ip sly", "~ ruleset visitor"),
    by_program("forward", "git-web", "sysctl -qw net.ipv4.ip_forward=1", "~ sysctl git-web: net.ipv4.ip_forward"),
    by_program("no-forward", "host", "sysctl -qw net.ipv4.ip_forward=0", "~ sysctl host: net.ipv4.ip_forward"),
    by_program("ipv6", "git-web", "sysctl -qw net.ipv6.conf.all.disable_ipv6=0",
               "~ sysctl git-web: net.ipv6.conf.all.disable_ipv6"),
    by_program("rp-filter", "git-web", "sysctl -qw net.ipv4.conf.pub-git-web.rp_filter=0",
               "~ sysctl git-web: net.ipv4.conf.pub-git-web.rp_filter"),
    Drift(name="netns", do=lambda made: run.run(("ip", "netns", "add", made.netns("sly"))), ops=("- netns sly",)),
)  # fmt: skip


@pytest.mark.parametrize("drift", REMOVED, ids=lambda drift: f"removed-{drift.name}")
def test_removed(network: Scratch, drift: Drift) -> None:
    drift.do(network)
    heals(network, drift.ops)


@pytest.mark.parametrize("drift", ADDED, ids=lambda drift: f"added-{drift.name}")
def test_added(network: Scratch, drift: Drift) -> None:
    drift.do(network)
    heals(network, drift.ops)


def test_listener(network: Scratch) -> None:
    with listener(network, "git-web") as pid:
        assert network.plan() == [f"- process git-web: {pid}"]
        network.apply()
        assert network.plan() == []


@contextmanager
def listener(made: Scratch, node: str) -> Iterator[int]:
    """A process that listens in the namespace of `node`; ended here when nothing else did."""
    program = "import socket; s = socket.create_server(('', 4444)); print('up', flush=True); s.accept()"
    started = run.start(("ip", "netns", "exec", made.netns(node), "python3", "-c", program))
    try:
        assert started.stdout is not None
        assert started.stdout.readline() == "up\n"
        yield started.pid
    finally:
        started.kill()
        started.communicate()


def heals(made: Scratch, ops: tuple[str, ...]) -> None:
    """The plan sees exactly `ops`; apply does them; then there is nothing to do."""
    assert sorted(made.plan()) == sorted(ops)
    made.apply()
    assert made.plan() == []

"""Faults of the kind that a person makes by hand, each small enough to overlook: what is done, where, and how undone.

`unproven` are those whose meaning the semantics does not know, named beforehand: they must be told so, by the rule.
Rulesets are put back whole; what else a fault changes, its own lines undo.
"""

from __future__ import annotations

from dataclasses import dataclass

GIT, SHOP, MUSIC, EDGE, HUB, HOST = (
    "git-web", "lbmt-shop", "navidrome-server", "reverse-proxy-edge", "vpn-edge", "host",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Fault:
    """`lines` are commands inside `node` (nft's, ip's, sysctl's, tc's); elsewhere where a line begins with `@node `."""

    node: str
    lines: tuple[str, ...]
    undo: tuple[str, ...] = ()
    unproven: str = ""  # a word of what it must be blamed on

    @property
    def nodes(self) -> tuple[str, ...]:
        others = (line.split()[0][1:] for line in (*self.lines, *self.undo) if line.startswith("@"))
        return tuple(dict.fromkeys((self.node, *others)))


def first(node: str, rule: str, chain: str = "input", unproven: str = "") -> Fault:
    """A rule before all others."""
    return Fault(node=node, lines=(f"nft insert rule inet pluto {chain} {rule}",), unproven=unproven)


def table(node: str, *lines: str, rule: str, chain: str = "input") -> Fault:
    """Something made in the table, and a rule that uses it."""
    made = tuple(f"nft add {line}" for line in lines)
    return Fault(node=node, lines=(*made, f"nft insert rule inet pluto {chain} {rule}"))


WIRE = 'iifname "pub-git-web"'
FAULTS: dict[str, Fault] = {
    "one port more": first(GIT, f"{WIRE} tcp dport 9999 accept"),
    "no destination address": first(GIT, f"{WIRE} ip saddr 172.16.4.0 udp dport 5353 accept"),
    "a policy of accept": Fault(node=GIT, lines=("nft chain inet pluto input { policy accept; }",)),
    "no ruleset": Fault(node=GIT, lines=("nft flush ruleset",)),
    "a ruleset of another's": Fault(
        node=GIT,
        lines=(
            "nft delete table inet pluto",
            "nft add table ip filter",
            "nft add chain ip filter INPUT { type filter hook input priority 0; policy accept; }",
        ),
    ),
    "ping": first(GIT, "icmp type echo-request accept"),
    "everything new": first(GIT, "ct state new accept"),
    "everything invalid": first(GIT, "ct state invalid accept"),
    "everything but the service": first(GIT, "tcp dport != 8080 accept"),
    "all of UDP": first(GIT, "meta l4proto udp accept"),
    "a tunnel's protocol": first(GIT, "ip protocol 47 accept"),
    "names that begin so": first(GIT, 'iifname "pub*" accept'),
    "an interface by its index": first(GIT, 'iif "pub-git-web" accept'),
    "a mask over an address": first(GIT, "ip saddr & 255.0.255.0 == 172.0.4.0 accept"),
    "only SYN": first(GIT, "tcp flags & (fin|syn|rst|ack) == syn accept"),
    "now and then": first(GIT, f"{WIRE} limit rate 100/second accept"),
    "up to so much": first(GIT, f"{WIRE} quota 100 mbytes accept"),
    "a set with one port more": table(
        GIT,
        "set inet pluto served { type inet_service; elements = { 8080, 9090 }; }",
        rule=f"{WIRE} ip saddr 172.16.4.0 ip daddr 172.16.4.1 tcp dport @served accept",
    ),
    "an interval": table(
        GIT,
        "set inet pluto served { type inet_service; flags interval; elements = { 8000-8999 }; }",
        rule=f"{WIRE} ip daddr 172.16.4.1 tcp dport @served accept",
    ),
    "a concatenation": first(GIT, "ip saddr . tcp dport { 172.16.4.0 . 1-65535 } accept"),
    "a hole in a verdict map": first(GIT, "tcp dport vmap { 22 : drop, 9000-9010 : accept }"),
    "a hole behind a jump": table(
        GIT, "chain inet pluto more", "rule inet pluto more tcp dport 7777 accept", rule="jump more"
    ),
    "a hole behind a goto": table(
        GIT, "chain inet pluto more", "rule inet pluto more tcp dport 7777 accept", rule=f"{WIRE} goto more"
    ),
    "a return to a policy of accept": Fault(
        node=GIT,
        lines=(
            "nft chain inet pluto input { policy accept; }",
            "nft add rule inet pluto input drop",
            "nft insert rule inet pluto input tcp dport 6666 return",
        ),
    ),
    "a port translated to the service": Fault(
        node=GIT,
        lines=(
            "nft add chain inet pluto prerouting { type nat hook prerouting priority dstnat; }",
            "nft add rule inet pluto prerouting tcp dport 22 dnat ip to 172.16.4.1:8080",
        ),
    ),
    "a translation that bears another priority": Fault(
        node=GIT,
        lines=(
            "nft add chain inet pluto late { type nat hook prerouting priority 300; }",
            "nft add rule inet pluto late tcp dport 23 dnat ip to 172.16.4.1:8080",
        ),
    ),
    "a chain that lets all pass, the drop behind it gone": Fault(
        node=GIT,
        lines=(
            "nft add chain inet pluto early { type filter hook input priority -10; policy accept; }",
            "nft add rule inet pluto early accept",
            "nft chain inet pluto input { policy accept; }",
        ),
    ),
    "errors about a conversation": first(GIT, "ct state related accept"),
    "established and related": first(GIT, "ct state established,related accept"),
    "the other wire's address": first(MUSIC, "ip daddr 10.1.5.1 tcp dport 4533 accept"),
    "an edge for its leaves": first(EDGE, "tcp dport 80 accept"),
    "leaf to leaf by the edge": Fault(
        node=EDGE,
        lines=(
            "sysctl -qw net.ipv4.ip_forward=1",
            'nft insert rule inet pluto forward iifname "pub-git-web" oifname "pub-lbmt-shop" accept',
            "nft add chain inet pluto postrouting { type nat hook postrouting priority srcnat; }",
            'nft add rule inet pluto postrouting oifname "pub-lbmt-shop" masquerade',
        ),
        undo=("sysctl -qw net.ipv4.ip_forward=0",),
    ),
    "leaf to leaf by the hub": Fault(
        node=HUB,
        lines=(
            'nft insert rule inet pluto forward iifname "priv-git-ssh" oifname "priv-master-ssh" accept',
            'nft insert rule inet pluto postrouting oifname "priv-master-ssh" masquerade',
        ),
    ),
    "out into the LAN": first(HOST, 'iifname "host-pub" oifname "eth0" accept', chain="forward"),
    "the host into the LAN": first(HOST, 'oifname "eth0" accept', chain="output"),
    "around the translation": first(
        HOST, 'iifname "eth0" oifname "host-pub" ip daddr 192.168.100.1 accept', chain="forward"
    ),
    "another port to the edge": first(
        HOST, 'iifname "eth0" tcp dport 8443 dnat ip to 192.168.100.1:443', chain="prerouting"
    ),
    "a source that is not its own": Fault(
        node=HOST,
        lines=(
            "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.host-pub.rp_filter=0",
            'nft insert rule inet pluto forward iifname "host-pub" oifname "host-priv" accept',
        ),
        undo=("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.host-pub.rp_filter=1",),
    ),
    "a wire that nobody declared": Fault(
        node=GIT,
        lines=(
            "ip link add sly type veth peer name sly netns {lbmt-shop}",
            "ip address add 192.0.2.0/31 dev sly",
            "ip link set sly up",
            "@lbmt-shop ip address add 192.0.2.1/31 dev sly",
            "@lbmt-shop ip link set sly up",
            '@lbmt-shop nft insert rule inet pluto input iifname "sly" accept',
        ),
        undo=("ip link delete sly",),
    ),
    "a mark": first(GIT, "meta mark 0 tcp dport 9999 accept", unproven="mark"),
    "a listing that lies": first(GIT, "meta l4proto 255 th dport 9999 accept", unproven="listing"),
    "policy routing": Fault(
        node=EDGE,
        lines=("ip rule add from 172.16.4.1 lookup 100",),
        undo=("ip rule del from 172.16.4.1 lookup 100",),
        unproven="policy routing",
    ),
}

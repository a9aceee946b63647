"""One concrete packet, as a namespace sees it at a hook, in words and as a point of a diagram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from specs.semantics.field import (
    ACK,
    DIRECTIONS,
    FAMILIES,
    FIN,
    ICMP,
    ICMPV6,
    RST,
    STATES,
    SYN,
    TCP,
    WITH_PORTS,
    Field,
)

Address = IPv4Address | IPv6Address
NAMES = {1: "icmp", 2: "igmp", 6: "tcp", 17: "udp", 47: "gre", 58: "icmpv6", 132: "sctp"}
FLAG_NAMES = {SYN: "syn", ACK: "ack", FIN: "fin", RST: "rst", 8: "psh", 32: "urg", 64: "ecn", 128: "cwr"}


@dataclass(frozen=True, kw_only=True)
class Packet:
    """Interfaces by name, "" for none; ports count for protocols that have them, type and code for ICMP alone."""

    saddr: Address
    daddr: Address
    protocol: int
    sport: int = 0
    dport: int = 0
    icmp_type: int = 0
    icmp_code: int = 0
    flags: int = 0  # of TCP
    fragment: bool = False  # a later fragment
    iif: str = ""
    oif: str = ""
    state: str = "new"  # one of STATES
    direction: str = "original"  # one of DIRECTIONS
    dnat: bool = False  # of its connection
    snat: bool = False

    @property
    def family(self) -> str:
        return FAMILIES[self.saddr.version == 6]

    def point(self, interfaces: Sequence[str]) -> dict[int, int]:
        """The packet where `interfaces` are numbered so; ValueError when its own is not among them."""
        return {
            Field.IIF: interfaces.index(self.iif),
            Field.OIF: interfaces.index(self.oif),
            Field.FAMILY: FAMILIES.index(self.family),
            Field.PROTOCOL: self.protocol,
            Field.DADDR: int(self.daddr),
            Field.SADDR: int(self.saddr),
            Field.DPORT: self.dport,
            Field.SPORT: self.sport,
            Field.ICMP_TYPE: self.icmp_type,
            Field.ICMP_CODE: self.icmp_code,
            Field.FLAGS: self.flags,
            Field.FRAGMENT: int(self.fragment),
            Field.STATE: STATES.index(self.state),
            Field.DIRECTION: DIRECTIONS.index(self.direction),
            Field.DNAT: int(self.dnat),
            Field.SNAT: int(self.snat),
        }

    def __str__(self) -> str:
        """`tcp 192.0.2.1:40000 > 10.1.1.1:22 syn`."""
        ends = [str(self.saddr), str(self.daddr)]
        told = NAMES.get(self.protocol, f"protocol {self.protocol}")
        more = ""
        if self.fragment:
            more = " later fragment"
        elif any(low <= self.protocol <= high for low, high in WITH_PORTS):
            ends = [_with_port(self.saddr, self.sport), _with_port(self.daddr, self.dport)]
            if self.protocol == TCP:
                more = " " + (",".join(name for bit, name in FLAG_NAMES.items() if self.flags & bit) or "no flags")
        elif self.protocol in (ICMP, ICMPV6):
            more = f" type {self.icmp_type} code {self.icmp_code}"
        return f"{told} {ends[0]} > {ends[1]}{more}"


def packet(point: Mapping[int, int], interfaces: Sequence[str]) -> Packet:
    """The packet at a point; what the point does not tell is 0."""
    told = {field: point.get(field, 0) for field in Field}
    kind = IPv6Address if told[Field.FAMILY] else IPv4Address
    return Packet(
        saddr=kind(told[Field.SADDR]),
        daddr=kind(told[Field.DADDR]),
        protocol=told[Field.PROTOCOL],
        sport=told[Field.SPORT],
        dport=told[Field.DPORT],
        icmp_type=told[Field.ICMP_TYPE],
        icmp_code=told[Field.ICMP_CODE],
        flags=told[Field.FLAGS],
        fragment=bool(told[Field.FRAGMENT]),
        iif=interfaces[told[Field.IIF]],
        oif=interfaces[told[Field.OIF]],
        state=STATES[told[Field.STATE]],
        direction=DIRECTIONS[told[Field.DIRECTION]],
        dnat=bool(told[Field.DNAT]),
        snat=bool(told[Field.SNAT]),
    )


def address(text: str) -> Address:
    return ip_address(text)


def _with_port(of: Address, port: int) -> str:
    return f"[{of}]:{port}" if of.version == 6 else f"{of}:{port}"

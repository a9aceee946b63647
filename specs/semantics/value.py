"""The right side of an nft expression -> the numbers it stands for, whatever way it is spelled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

from specs.semantics.field import DIRECTIONS, STATES, Field
from specs.semantics.span import Span, span, union

# /etc/protocols, by which nft names the numbers of layer 4
PROTOCOLS = {
    "hopopt": 0, "ip": 0, "icmp": 1, "igmp": 2, "ggp": 3, "ipencap": 4, "ipv4": 4, "st": 5, "tcp": 6, "egp":
    8, "igp": 9, "pup": 12, "udp": 17, "hmp": 20, "xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": 33,
    "xtp": 36, "ddp": 37, "idpr-cmtp": 38, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44, "idrp": 45,
    "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "skip": 57, "icmpv6": 58, "ipv6-icmp": 58, "ipv6-nonxt": 59,
    "ipv6-opts": 60, "rspf": 73, "vmtp": 81, "eigrp": 88, "ospf": 89, "ax.25": 93, "ipip": 94, "etherip":
    97, "encap": 98, "pim": 103, "comp": 108, "ipcomp": 108, "vrrp": 112, "l2tp": 115, "isis": 124, "sctp":
    132, "fc": 133, "mobility-header": 135, "udplite": 136, "mpls-in-ip": 137, "manet": 138, "hip": 139,
    "shim6": 140, "wesp": 141, "rohc": 142, "ethernet": 143, "mptcp": 262,
}  # fmt: skip
# icmp(7) and linux/icmp.h, linux/icmpv6.h, as nft names them
ICMP = {"echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8,
        "router-advertisement": 9, "router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12,
        "timestamp-request": 13, "timestamp-reply": 14, "info-request": 15, "info-reply": 16,
        "address-mask-request": 17, "address-mask-reply": 18}  # fmt: skip
ICMPV6 = {"destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4,
          "echo-request": 128, "echo-reply": 129, "mld-listener-query": 130, "mld-listener-report": 131,
          "mld-listener-done": 132, "mld-listener-reduction": 132, "nd-router-solicit": 133, "nd-router-advert": 134,
          "nd-neighbor-solicit": 135, "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138,
          "ind-neighbor-solicit": 141, "ind-neighbor-advert": 142, "mld2-listener-report": 143}  # fmt: skip
ICMP_CODES = {"net-unreachable": 0, "host-unreachable": 1, "prot-unreachable": 2, "port-unreachable": 3,
              "frag-needed": 4, "net-prohibited": 9, "host-prohibited": 10, "admin-prohibited": 13}  # fmt: skip
ICMPV6_CODES = {"no-route": 0, "admin-prohibited": 1, "addr-unreachable": 3, "port-unreachable": 4,
                "policy-fail": 5, "reject-route": 6}  # fmt: skip
FLAGS = {"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ecn": 64, "cwr": 128}
NFPROTO = {"ipv4": 0, "ipv6": 1, "ip": 0, "ip6": 1}
LARGEST_MASK = 4096  # intervals that a mask may break a field into


class Unknown(Exception):
    """An expression this reader does not know; the text says which."""


def _places(names: Iterable[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


NAMES: Mapping[Field, Mapping[str, int]] = {
    Field.PROTOCOL: PROTOCOLS,
    Field.STATE: _places(STATES),
    Field.DIRECTION: _places(DIRECTIONS[:2]),
    Field.FAMILY: NFPROTO,
    Field.FLAGS: FLAGS,
    Field.ICMP_TYPE: ICMP,
    Field.ICMP_CODE: ICMP_CODES,
}
VERSION_6: Mapping[Field, Mapping[str, int]] = {Field.ICMP_TYPE: ICMPV6, Field.ICMP_CODE: ICMPV6_CODES}
ADDRESSES = (Field.SADDR, Field.DADDR)


def members(right: Any) -> Iterator[Any]:  # noqa: ANN401 (JSON)
    """The members of a literal set, or the value alone."""
    match right:
        case {"set": inner}:
            yield from members(inner)
        case list():
            for element in right:
                yield from members(element)
        case {"elem": {"val": value, **more}}:  # an element with a counter, a timeout or a comment
            if odd := more.keys() & {"limit", "quota", "ct count", "stmt"}:
                raise Unknown(f"an element with {', '.join(sorted(map(str, odd)))}")
            yield value
        case _:
            yield right


def interval(field: Field, element: Any, names: Mapping[str, int]) -> Span:  # noqa: ANN401 (JSON)
    """The numbers of one member. Raises Unknown."""
    match element:
        case {"prefix": {"addr": str(first), "len": int(length)}} if field in ADDRESSES:
            network = ip_network(f"{first}/{length}", strict=False)
            return ((int(network.network_address), int(network.broadcast_address)),)
        case {"range": [low, high]}:
            return ((number(field, low, names), number(field, high, names)),)
        case {"|": _} | str() | int():
            return span(number(field, element, names))
    raise Unknown(f"value {element}")


def number(field: Field, value: Any, names: Mapping[str, int]) -> int:  # noqa: ANN401 (JSON)
    """Raises Unknown."""
    match value:
        case bool():
            pass
        case int():
            return value
        case str() if field in ADDRESSES:
            return address(value)
        case str() if value in names:
            return names[value]
        case {"|": list(parts)} | list(parts):
            found = 0
            for part in parts:
                found |= number(field, part, names)
            return found
    raise Unknown(f"value {value} of {field.name.lower()}")


def address(text: str) -> int:
    try:
        return int(ip_address(text))
    except ValueError as error:
        raise Unknown(f"address {text}") from error


def masked(bits: int, mask: int, wanted: int) -> Span:
    """The numbers of so many bits whose bits under the mask are `wanted`. Raises Unknown when too scattered."""
    if wanted & ~mask:
        return ()
    free = [1 << bit for bit in range(bits) if not mask >> bit & 1]
    low = 0  # the free bits at the bottom make one interval
    while free and free[0] == 1 << low:
        free.pop(0)
        low += 1
    if 1 << len(free) > LARGEST_MASK:
        raise Unknown(f"mask {mask:#x}")
    starts = [wanted]
    for bit in free:
        starts += [start | bit for start in starts]
    return union((start, start + (1 << low) - 1) for start in starts)

"""Packet sets in a reader's words: which services of which protocols, whatever else tells the packets apart."""

from __future__ import annotations

from specs.semantics.diagram import NOTHING, Packets, Space
from specs.semantics.field import TOPS, WITH_PORTS, Field
from specs.semantics.packet import NAMES
from specs.semantics.span import Span, intersect, union

KEPT = (Field.FAMILY, Field.PROTOCOL, Field.DPORT)
WHOLE: dict[Field, Span] = {field: ((0, TOPS[field]),) for field in KEPT}
EVERYTHING = "everything"


def services(space: Space, packets: Packets) -> tuple[str, ...]:
    """`tcp/8080`, `udp/1-1023`, `tcp` for every port of it, `icmp`, `protocol 47`, `everything`; none for none."""
    if packets == NOTHING:
        return ()
    only = space.forget(packets, [level for level in space.support(packets) if level not in KEPT])
    found: dict[tuple[str, int], Span] = {}
    whole: Span = ()
    for box in space.boxes(only):
        ports = box.get(Field.DPORT, WHOLE[Field.DPORT])
        protocols = box.get(Field.PROTOCOL, WHOLE[Field.PROTOCOL])
        if ports == WHOLE[Field.DPORT]:
            whole = union((*whole, *protocols))
        for low, high in intersect(protocols, WITH_PORTS) if ports != WHOLE[Field.DPORT] else ():
            for protocol in range(low, high + 1):
                key = (NAMES.get(protocol, f"protocol {protocol}"), protocol)
                found[key] = union((*found.get(key, ()), *ports))
    if whole == WHOLE[Field.PROTOCOL]:
        return (EVERYTHING,)
    ported = [
        f"{name}/{_interval(*each)}"
        for (name, protocol), ports in sorted(found.items())
        for each in ports
        if not any(low <= protocol <= high for low, high in whole)
    ]
    return (*ported, *(_protocols(*each) for each in whole))


def _protocols(low: int, high: int) -> str:
    if low == high:
        return NAMES.get(low, f"protocol {low}")
    return f"protocols {low}-{high}"


def _interval(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"

"""One concrete packet, sent by raw socket: who takes it."""

from __future__ import annotations

from collections import deque

from specs.semantics.diagram import Packets
from specs.semantics.field import TRACKING, Field
from specs.semantics.packet import Packet
from specs.semantics.world import Arrival, End, World

BESIDE = (Field.IIF, Field.OIF, *TRACKING)  # what its sender cannot say


def arrives(world: World, sent: End, packet: Packet) -> frozenset[str]:
    """The places that may accept a packet sent out of an interface, whatever the unread rules say."""
    bundle = only(world, packet)
    waiting = deque(
        Arrival(at=wire.to, packets=world.space.both(bundle, wire.lets), sent=sent)
        for wire in world.wires.get(sent, ())
    )
    return frozenset(name for name, taken in world.spread(waiting).items() if taken)


def only(world: World, packet: Packet) -> Packets:
    """The set of the one packet."""
    told = packet.point(("", packet.iif, packet.oif)).items()
    return world.space.cube({level: ((value, value),) for level, value in told if level not in BESIDE})

"""Where a container is to listen: at the addresses and ports at which flows end in it."""

from __future__ import annotations

from ipaddress import IPv4Address

from specs.model import Estate, Protocol


def sockets(estate: Estate, name: str) -> list[tuple[IPv4Address, int]]:
    """The addresses and TCP ports at which a flow ends in `name`: the end of the link whose row declares it.

    Raises ValueError when there is none: it would serve nobody.
    """
    found = {
        (estate.link(flow.link).end(name).address, flow.port.number)
        for flow in estate.flows
        if flow.target == name and flow.port.protocol is Protocol.TCP
    }
    if not found:
        raise ValueError(f"no flow brings TCP to {name}: it would have nothing to listen on")
    return sorted(found)

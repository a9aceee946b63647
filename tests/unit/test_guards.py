"""The guards that the user's estate declares, and what else must fit under them."""

from collections import Counter

from fixtures.probe.estate_orders import senders, volleys
from fixtures.probe.orders import Pace
from specs.guard import BANNED, FLOOD, Effect, guards, metered
from specs.instance import Instance
from specs.load import load
from specs.model import HOST, Protocol
from specs.topology import nodes

ESTATE = load()
PLAYERS = "whitelist-players"


def test_guards_stand_where_the_client_is_seen() -> None:
    assert {
        node.name: [each.name for each in found] for node in nodes(ESTATE) if (found := guards(ESTATE, node.name))
    } == {HOST: [BANNED, FLOOD, PLAYERS], "reverse-proxy-edge": [PLAYERS]}


def test_each_guard_has_a_writer_and_is_bounded() -> None:
    """Who is shut out is so for a while; who may come in, until he is taken out."""
    for each in guards(ESTATE, HOST):
        assert each.writer
        assert 0 < each.size <= 65535
        assert (each.seconds == 0) == (each.effect is Effect.ACCEPT)


def test_the_meter_counts_the_wans_connections_and_no_datagram() -> None:
    assert {str(way.flow.port) for way, _ in metered(ESTATE)} == {"tcp/80", "tcp/443", "tcp/25565"}
    assert {way.flow.port.protocol for way, _ in metered(ESTATE)} == {Protocol.TCP}


def test_the_live_matrix_fits_under_the_meter() -> None:
    """Every SYN that one address sends to a metered port, resends included, is within one burst: none is dropped."""
    flood = ESTATE.site.flood
    assert flood is not None
    sending = senders(ESTATE, Instance(name="unit"))
    address = {sender.name: sender.address for sender in sending}
    ports = {way.flow.port.number for way, _ in metered(ESTATE)}
    sent = Counter(
        {
            address[volley.sender]: len(ports & set(volley.ports))
            for volley in volleys(ESTATE, sending)
            if volley.kind == "tcp-syn" and volley.destination == ESTATE.host.address
        }
    )
    assert max(sent.values()) == len(ports)
    assert max(sent.values()) * (1 + Pace().rounds) <= flood.burst

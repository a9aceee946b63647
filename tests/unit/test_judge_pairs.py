"""The judge of pairs on a matrix that is as declared but for one probe."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from fixtures.judge.pair import Traffic, pair, traffic
from fixtures.probe.estate_orders import senders, volleys
from fixtures.probe.matrix import Cell, Counts, Finding, Matrix, Result
from fixtures.probe.orders import Method
from fixtures.verdict import Outcome, against
from specs.oracle import pairs
from tests.unit.ideal import ESTATE, INSTANCE

SENDING = senders(ESTATE, INSTANCE)


def ideal() -> Matrix:
    """Dark but for what the specs allow."""
    allowed = traffic(ESTATE, _matrix(())).allowed
    kinds = {"tcp-syn": "tcp", "udp": "udp"}
    accepted: dict[tuple[str, IPv4Address, str], list[Finding]] = {}
    names = {(sender.node, sender.ifname): sender.name for sender in SENDING}
    for probe, node in allowed.items():
        kind = next(kind for kind, protocol in kinds.items() if protocol == probe.port.protocol)
        finding = Finding(result=Result.ACCEPTED, ports=(probe.port.number,), nodes=(node,))
        accepted.setdefault((names[probe.node, probe.ifname], probe.address, kind), []).append(finding)
    cells = (
        Cell(
            sender=order.sender,
            destination=order.destination,
            kind=order.kind,
            ports=order.ports,
            left=len(order.ports),
            findings=tuple(accepted.get((order.sender, order.destination, order.kind), ())),
        )
        for order in volleys(ESTATE, SENDING)
    )
    return _matrix(tuple(cells))


def _matrix(cells: tuple[Cell, ...]) -> Matrix:
    return Matrix(cells=cells, controls=(), losses=(), counts=Counts(probes=0, sent=0, resent=0, seconds=()))


IDEAL = ideal()


def otherwise(sender: str, destination: str, *findings: Finding, kind: str = "tcp-syn") -> Traffic:
    def change(cell: Cell) -> Cell:
        meant = (cell.sender, str(cell.destination), cell.kind) == (sender, destination, kind)
        return replace(cell, findings=findings) if meant else cell

    cells = tuple(map(change, IDEAL.cells))
    assert cells != IDEAL.cells
    return traffic(ESTATE, _matrix(cells))


def test_as_declared_every_pair_is_held() -> None:
    found = traffic(ESTATE, IDEAL)
    told = [str(verdict) for one, other in pairs(ESTATE) for verdict in against(pair(found, one, other))]
    assert told == []


def accepted(port: int, *nodes: str) -> Finding:
    return Finding(result=Result.ACCEPTED, ports=(port,), nodes=nodes)


EDGE = "reverse-proxy-edge.pub-git-web"
BROKEN = {
    "leaf to leaf": ("git-web:lbmt-shop", "git-web.pub-git-web", "172.16.3.1", accepted(8080, "lbmt-shop")),
    "another port": ("reverse-proxy-edge:git-web", EDGE, "172.16.4.1", accepted(22, "git-web")),
    "nobody there": ("reverse-proxy-edge:git-web", EDGE, "172.16.4.1", None),
    "somebody else": (
        "visitor:host",
        "visitor.wan-visitor",
        "192.168.1.1",
        accepted(443, "reverse-proxy-edge", "vpn-edge"),
    ),
    "forwarded in the dark": (
        "git-web:lbmt-shop",
        "git-web.pub-git-web",
        "172.16.3.1",
        Finding(result=Result.REACHED, ports=(1,), nodes=("lbmt-shop",)),
    ),
    "let in by the host": (
        "visitor:git-web",
        "visitor.wan-visitor",
        "172.16.4.1",
        Finding(result=Result.REACHED, ports=(1,), nodes=("router", "host", "reverse-proxy-edge")),
    ),
    "peer to peer": ("laptop:phone", "laptop.wg0", "10.100.0.3", accepted(22, "phone")),
    "out of the estate": ("host:bmc", "host.eth0.socket", "192.168.1.3", accepted(22, "bmc")),
}


@pytest.mark.parametrize("what", BROKEN)
def test_broken(what: str) -> None:
    name, sender, destination, finding = BROKEN[what]
    one, other = name.split(":")
    told = against(pair(otherwise(sender, destination, *([finding] if finding else [])), one, other))
    assert {verdict.outcome for verdict in told} == {Outcome.BROKEN}
    assert all(sender in verdict.seen for verdict in told)


def test_what_could_not_be_told_is_unproven() -> None:
    lost = Finding(result=Result.UNPROVEN, ports=(80,), why="not seen to leave")
    (told,) = against(pair(otherwise("git-web.pub-git-web", "172.16.3.1", lost), "git-web", "lbmt-shop"))
    assert told.outcome is Outcome.UNPROVEN
    assert "not seen to leave" in told.seen


def test_a_pair_that_nothing_was_sent_between_is_unproven() -> None:
    (told,) = pair(traffic(ESTATE, _matrix(())), "git-web", "lbmt-shop")
    assert told.outcome is Outcome.UNPROVEN


def test_an_echo_is_allowed_to_nobody() -> None:
    echo = otherwise(EDGE, "172.16.4.1", accepted(0, "git-web"), kind="icmp-echo")
    assert [verdict.outcome for verdict in against(pair(echo, "reverse-proxy-edge", "git-web"))] == [Outcome.BROKEN]


def test_only_what_leads_out_of_the_estate_is_sent_by_a_socket() -> None:
    assert {sender.name for sender in SENDING if sender.method is Method.SOCKET} == {
        "host.eth0.socket",
        "vpn-edge.wg0.socket",
    }

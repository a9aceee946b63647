"""The judge of pairs on a matrix that is as declared but for one probe."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from fixtures.judge.pair import Traffic, pair, traffic
from fixtures.probe.estate_orders import senders, volleys
from fixtures.probe.matrix import Cell, Counts, Finding, Matrix, Result, Twin
from fixtures.probe.orders import Method, Volley
from fixtures.verdict import Outcome, against
from specs.oracle import pairs
from specs.topology import nodes
from tests.unit.ideal import ESTATE, INSTANCE

SENDING = senders(ESTATE, INSTANCE)


def ideal() -> Matrix:
    """Dark but for what the specs allow."""
    allowed = traffic(ESTATE, _matrix(())).required
    kinds = {"tcp-syn": "tcp", "udp": "udp"}
    accepted: dict[tuple[str, IPv4Address, str], list[Finding]] = {}
    for probe, node in allowed.items():
        kind = next(kind for kind, protocol in kinds.items() if protocol == probe.port.protocol)
        finding = Finding(result=Result.ACCEPTED, ports=(probe.port.number,), nodes=(node,))
        for sender in SENDING:
            if (sender.node, sender.ifname) == (probe.node, probe.ifname):
                accepted.setdefault((sender.name, probe.address, kind), []).append(finding)
    cells = (
        Cell(
            sender=order.sender,
            destination=order.destination,
            kind=order.kind,
            ports=order.ports,
            left=len(order.ports),
            findings=(*found, *refused(order, {port for finding in found for port in finding.ports})),
            source=order.source,
        )
        for order in volleys(ESTATE, SENDING)
        for found in (accepted.get((order.sender, order.destination, order.kind), []),)
    )
    return _matrix(tuple(cells))


def refused(order: Volley, declared: set[int]) -> tuple[Finding, ...]:
    """What the estate's own sockets may not send is refused where it begins."""
    others = tuple(port for port in order.ports if port not in declared)
    if not order.sender.endswith(".socket") or not others:
        return ()
    return (Finding(result=Result.REFUSED, ports=others, why="Operation not permitted"),)


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


def test_what_leads_out_of_the_estate_is_sent_by_a_socket_alone() -> None:
    by_frame = {(s.node, s.ifname) for s in SENDING if s.method is not Method.SOCKET}
    by_socket = {(s.node, s.ifname) for s in SENDING if s.method is Method.SOCKET}
    assert by_socket - by_frame == {("host", "eth0"), ("vpn-edge", "wg0")}
    assert {node for node, _ in by_socket} == {node.name for node in nodes(ESTATE) if node.ours and node.endpoints}


def test_a_socket_that_gets_a_frame_out_is_a_hole_in_its_own_output() -> None:
    leaf = otherwise("git-web.pub-git-web.socket", "172.16.4.0")
    told = against(pair(leaf, "git-web", "reverse-proxy-edge"))
    assert {verdict.outcome for verdict in told} == {Outcome.BROKEN}
    assert all("reached-the-wire at git-web" in verdict.seen for verdict in told)


def test_a_variation_of_what_is_declared_may_be_accepted_by_its_target_alone() -> None:
    for node, outcomes in (("git-web", set()), ("lbmt-shop", {Outcome.BROKEN})):
        varied = otherwise(EDGE, "172.16.4.1", accepted(8080, node), kind="tcp-syn-data")
        assert {verdict.outcome for verdict in against(pair(varied, "reverse-proxy-edge", "git-web"))} == outcomes
    stray = otherwise(EDGE, "172.16.4.1", accepted(8080, "git-web"), kind="tcp-ack")
    assert against(pair(stray, "reverse-proxy-edge", "git-web"))


def test_what_speaks_of_a_dark_probe_is_broken() -> None:
    for result in (Result.ANSWERED, Result.CHANGED):
        finding = Finding(result=result, ports=(0,), nodes=("reverse-proxy-edge",))
        found = otherwise("git-web.pub-git-web", "172.16.3.1", finding, kind="arp-foreign")
        (told,) = against(pair(found, "git-web", "lbmt-shop"))
        assert f"{result} at reverse-proxy-edge" in told.seen


def test_a_kind_without_its_control_is_unproven() -> None:
    twin = Twin(kind="gre", effect=Result.ACCEPTED, seen=False, why="no place")
    told = against(pair(traffic(ESTATE, replace(IDEAL, twins=(twin,))), "git-web", "lbmt-shop"))
    assert {verdict.outcome for verdict in told} == {Outcome.UNPROVEN}

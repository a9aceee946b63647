"""The probe engine against networks whose answer is known: what is open, closed, translated, and what is broken.

a ── r ── b      r forwards; each test says which rules stand where
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from fixtures.netns import inside, named
from fixtures.probe.matrix import Matrix, Result
from fixtures.probe.orders import NO_PORT, Far, Method, Pace, Sender, Volley, every_pair
from fixtures.probe.run import probe
from fixtures.run import run
from tests.scale.bench_probe import lay, timed
from tests.scale.rig import CLOSED, Rig
from tests.scale.tun import Tun

TCP, UDP, ECHO = "tcp-syn", "udp", "icmp-echo"
PORTS = {TCP: (80, 443, 9999), UDP: (53, 9999), ECHO: NO_PORT}


@pytest.fixture
def line() -> Iterator[Rig]:
    with Rig() as rig:
        rig.wire("a", "r", 0)
        rig.wire("r", "b", 1)
        rig.default("a", via="r")
        rig.default("b", via="r")
        yield rig


def fate(matrix: Matrix, destination: IPv4Address, kind: str, port: int) -> tuple[Result, tuple[str, ...]]:
    [cell] = [cell for cell in matrix.cells if cell.destination == destination and cell.kind == kind]
    finding = cell.finding(port)
    return finding.result, finding.nodes


def from_a(rig: Rig, method: Method = Method.FRAME, far: tuple[Far, ...] | None = None) -> Matrix:
    sender = rig.sender("a", towards="r", method=method)
    sender = sender if far is None else replace(sender, far=far)
    return probe([sender], rig.targets(), every_pair([sender], rig.targets(), PORTS))


def accepted_at(matrix: Matrix, destination: IPv4Address) -> dict[tuple[str, int], tuple[str, ...]]:
    return {
        (cell.kind, port): finding.nodes
        for cell in matrix.cells
        for finding in cell.findings
        for port in finding.ports
        if cell.destination == destination and finding.result is Result.ACCEPTED
    }


def results(matrix: Matrix, destination: IPv4Address | None = None) -> set[Result]:
    return {
        cell.finding(port).result
        for cell in matrix.cells
        for port in cell.ports
        if destination in (None, cell.destination)
    }


def whys(matrix: Matrix) -> str:
    return " | ".join(sorted({finding.why for cell in matrix.cells for finding in cell.findings}))


def allowing(rules: str) -> str:
    return CLOSED.replace("established,related accept", f"established,related accept\n{rules}")


def test_open_and_closed_ports_are_told_apart(line: Rig) -> None:
    line.rules("b", allowing("tcp dport 80 accept\nudp dport 53 accept"))
    matrix, b = from_a(line), line.address("b", towards="r")
    assert accepted_at(matrix, b) == {(TCP, 80): ("b",), (UDP, 53): ("b",)}
    # r forwards, so what b's own firewall dropped had left r, and come out on b's wire.
    assert fate(matrix, b, TCP, 443) == (Result.FORWARDED, ("r",))
    assert not matrix.losses
    assert all(control.good for control in matrix.controls)
    assert Matrix.from_json(json.loads(json.dumps(matrix.as_json()))) == matrix


def test_a_closed_hub_is_dark_behind_and_left_is_counted(line: Rig) -> None:
    line.rules("r", CLOSED)
    matrix, b = from_a(line), line.address("b", towards="r")
    assert results(matrix, b) == {Result.DARK}
    assert [cell.left for cell in matrix.cells if cell.destination == b] == [3, 2, 1]


def test_dnat_is_accepted_where_it_ends(line: Rig) -> None:
    r, b = line.address("r", towards="a"), line.address("b", towards="r")
    nat = f"table ip n {{ chain pre {{ type nat hook prerouting priority -100; tcp dport 443 dnat to {b}:8443; }}; }}"
    line.rules(
        "r", CLOSED.replace("priority 0; policy drop; }\n}", "priority 0; policy drop; ct status dnat accept; }\n}")
    )
    line.more_rules("r", nat)
    line.rules("b", allowing("tcp dport 8443 accept"))
    assert accepted_at(from_a(line), r) == {(TCP, 443): ("b",)}


def test_masquerade_keeps_the_tags(line: Rig) -> None:
    nat = "table ip n { chain post { type nat hook postrouting priority 100; masquerade; }; }"
    line.rules("r", nat)
    line.ip("b", "route del default")
    b = line.address("b", towards="r")
    r = line.address("r", towards="b")
    line.rules("b", allowing(f"ip saddr {r} udp dport 53 accept\nip saddr {r} icmp type echo-request accept"))
    assert accepted_at(from_a(line), b) == {(UDP, 53): ("b",), (ECHO, 0): ("b",)}


def test_a_second_run_is_not_helped_by_the_first(line: Rig) -> None:
    b = line.address("b", towards="r")
    line.rules("b", allowing("accept"))
    assert results(from_a(line), b) == {Result.ACCEPTED}
    line.rules("b", CLOSED)  # connection tracking still holds the first run's entries, and accepts established
    assert accepted_at(from_a(line), b) == {}


def test_an_answer_is_never_the_probe(line: Rig) -> None:
    """b answers every UDP datagram with its own payload, a and r take everything."""
    line.rules("b", allowing("udp dport 53 accept"))
    with inside(named(line.prefix + "b"), echo_socket) as server:

        def answer() -> None:
            payload, client = server.recvfrom(100)
            server.sendto(payload, client)

        thread = threading.Thread(target=answer)
        thread.start()
        matrix = from_a(line)
        thread.join(timeout=5)
    assert not thread.is_alive()
    assert fate(matrix, line.address("b", towards="r"), UDP, 53) == (Result.ACCEPTED, ("b",))
    # r sends back what is for a, and a's own address is not a's to send to by this wire.
    own = line.address("a", towards="r")
    assert {f.nodes for c in matrix.cells for f in c.findings if c.destination == own} == {("r",)}


def echo_socket() -> socket.socket:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("", 53))
    server.settimeout(5)
    return server


def test_a_socket_passes_its_own_output_hook(line: Rig) -> None:
    line.rules("a", "table ip o { chain output { type filter hook output priority 0; tcp dport 443 drop; }; }")
    b = line.address("b", towards="r")
    assert fate(from_a(line), b, TCP, 443) == (Result.ACCEPTED, ("b",))
    by_socket = from_a(line, Method.SOCKET)
    assert fate(by_socket, b, TCP, 443) == (Result.REFUSED, ())
    assert fate(by_socket, b, TCP, 80) == (Result.ACCEPTED, ("b",))
    assert whys(by_socket).strip(" |") == "Operation not permitted"


def test_a_socket_without_a_route_is_refused(line: Rig) -> None:
    line.ip("a", "route del default")
    assert results(from_a(line, Method.SOCKET), line.address("b", towards="r")) == {Result.REFUSED}


@pytest.mark.parametrize("far", [(), (Far(node="r", ifname="nowhere"),), (Far(node="nobody", ifname="w0"),)])
def test_no_far_end_is_unproven(line: Rig, far: tuple[Far, ...]) -> None:
    matrix = from_a(line, far=far)
    assert results(matrix) == {Result.UNPROVEN}
    assert "has no far end" in whys(matrix)


@pytest.mark.parametrize(("node", "told"), [("a", "Network is down"), ("r", "r saw nothing come from w0 in a")])
def test_an_interface_that_is_down_is_unproven(line: Rig, node: str, told: str) -> None:
    line.ip(node, "link set w0 down")
    matrix = from_a(line)
    assert results(matrix) == {Result.UNPROVEN}
    assert told in whys(matrix)


def test_a_missing_namespace_is_unproven(line: Rig) -> None:
    nowhere = Path("/run/netns/probetest-nowhere")
    line.rules("r", CLOSED)
    sender = line.sender("a", towards="r")
    targets = [replace(one, netns=nowhere) if one.node == "b" else one for one in line.targets()]
    matrix = probe([sender], targets, every_pair([sender], targets, PORTS))
    assert results(matrix, line.address("b", towards="r")) == {Result.UNPROVEN}
    assert "there is no namespace" in whys(matrix)
    assert results(matrix, line.address("r", towards="a")) == {Result.DARK}


def test_a_stack_that_misses_its_control_is_unproven(line: Rig) -> None:
    line.rules("b", CLOSED.replace("iif lo accept", "iif lo udp dport 9 drop\niif lo accept"))
    line.rules("r", CLOSED)
    matrix, b = from_a(line), line.address("b", towards="r")
    assert [(one.node, one.kind) for one in matrix.controls if not one.good] == [("b", UDP)]
    assert fate(matrix, b, UDP, 53)[0] is Result.UNPROVEN
    assert fate(matrix, b, TCP, 80)[0] is Result.DARK


def test_a_full_queue_is_unproven(line: Rig) -> None:
    ports = tuple(range(1, 601))
    sender, b = line.sender("a", towards="r"), line.address("b", towards="r")
    line.rules("b", allowing("tcp dport 1-599 accept"))
    volleys = [Volley(sender=sender.name, destination=b, kind=TCP, ports=ports)]
    matrix = probe([sender], line.targets(), volleys, Pace(receive_buffer=4096))
    assert {loss.place for loss in matrix.losses} == {"stack tcp-syn", "wire", "exit"}
    assert Result.DARK not in results(matrix)
    assert Result.UNPROVEN in results(matrix)
    whole = probe([sender], line.targets(), volleys)
    assert not whole.losses
    assert len(accepted_at(whole, b)) == 599


def test_lo_down_makes_the_node_unproven(line: Rig) -> None:
    line.rules("r", CLOSED)
    line.ip("b", "link set lo down")
    matrix = from_a(line)
    assert results(matrix, line.address("b", towards="r")) == {Result.UNPROVEN}


def tunnelled(rig: Rig, carries: IPv4Network) -> Sender:
    """tun0 between a (10.98.0.1) and r (10.98.0.2), beside the wires."""
    for node, address in (("a", "10.98.0.1"), ("r", "10.98.0.2")):
        rig.ip(node, f"address add {address}/30 dev tun0", "link set tun0 up")
        rig.nodes[node].append(IPv4Address(address))
    return Sender(
        node="a",
        netns=named(rig.prefix + "a"),
        ifname="tun0",
        address=IPv4Address("10.98.0.1"),
        far=(Far(node="r", ifname="tun0"),),
        method=Method.TUNNEL,
        carries=(carries,),
    )


def test_a_tunnel_is_paced_and_loses_nothing(line: Rig) -> None:
    carried = IPv4Network("10.99.0.2/31")
    b = line.address("b", towards="r")
    with Tun(named(line.prefix + "a"), named(line.prefix + "r"), "tun0", carried):
        sender = tunnelled(line, carried)
        line.route("b", "10.98.0.0/30", via="r")
        line.rules("b", allowing("tcp dport 1-1999 accept"))
        volleys = every_pair([sender], line.targets(), {TCP: tuple(range(1, 2001)), UDP: (53,)})
        matrix = probe([sender], line.targets(), volleys)
    assert not matrix.losses
    assert len(accepted_at(matrix, b)) == 1999
    assert fate(matrix, b, TCP, 2000) == (Result.FORWARDED, ("r",))
    # What the tunnel does not carry never shows at r; a mark behind it did.
    assert results(matrix, line.address("r", towards="a")) == {Result.DARK}
    assert {cell.left == len(cell.ports) for cell in matrix.cells} == {True}


def test_a_dead_tunnel_is_unproven(line: Rig) -> None:
    carried = IPv4Network("10.99.0.2/31")
    with Tun(named(line.prefix + "a"), named(line.prefix + "r"), "tun0", IPv4Network("203.0.113.0/24")):
        sender = tunnelled(line, carried)
        matrix = probe([sender], line.targets(), every_pair([sender], line.targets(), PORTS), Pace(window_wait=0.05))
    assert results(matrix) == {Result.UNPROVEN}


def test_what_a_full_queue_on_the_way_lost_was_seen_to_be_forwarded(line: Rig) -> None:
    """r forwards into a tunnel that nobody reads: its queue holds 500 packets, and counts what it dropped."""
    idle = Tun(named(line.prefix + "r"), named(line.prefix + "b"), "tun0", IPv4Network("10.98.0.0/30"))
    line.ip("r", "address add 10.98.0.1/30 dev tun0", "link set tun0 up")
    line.ip("b", "address add 10.98.0.2/30 dev tun0", "link set tun0 up")
    behind = IPv4Address("10.98.0.2")
    line.nodes["b"].append(behind)
    sender = line.sender("a", towards="r")
    volleys = every_pair([sender], line.targets(), {TCP: tuple(range(1, 2001))})
    matrix = probe([sender], line.targets(), volleys)
    idle.close()
    assert [(loss.node, loss.place) for loss in matrix.losses if not loss.repaired] == [("r", "tun0")]
    assert results(matrix, behind) == {Result.FORWARDED}
    assert len(accepted_at(matrix, line.address("b", towards="r"))) == 2000


def test_the_users_size_in_one_burst() -> None:
    with Rig() as rig:
        lay(rig)
        done = timed(rig)
    assert done.matrix.counts.probes == 137_540
    assert Result.UNPROVEN not in done.results
    assert not [loss for loss in done.matrix.losses if not loss.repaired]
    print(f"{done.matrix.counts.probes} probes in {done.seconds:.2f} s")


def test_orders_that_make_no_sense_are_refused(line: Rig) -> None:
    sender = line.sender("a", towards="r")
    with pytest.raises(ValueError, match=r"two senders are called a\.w0"):
        probe([sender, sender], line.targets(), ())


def test_nothing_is_left_behind(line: Rig) -> None:
    from_a(line)
    assert run(["ip", "netns", "pids", line.prefix + "a"]) == ""

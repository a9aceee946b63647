"""What a sighting means, and what the judge makes of sightings, losses and controls."""

import random
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from fixtures.probe.burst import Shot
from fixtures.probe.health import own_losses, parse_drops
from fixtures.probe.judge import Health, cells
from fixtures.probe.ledger import Ledger
from fixtures.probe.matrix import Control, Counts, Matrix, Result
from fixtures.probe.numbering import Keys, Numbering, Phase
from fixtures.probe.orders import Far, Method, Pace, Sender, Target, Volley, every_pair, problems
from fixtures.probe.tunnels import windows

NETNS = Path("/nowhere")
A, R, B = (IPv4Address(f"10.0.0.{last}") for last in (0, 1, 2))
SENDER = Sender(node="a", netns=NETNS, ifname="w0", address=A, far=(Far(node="r", ifname="w0"),))
TARGETS = tuple(
    Target(node=node, netns=NETNS, addresses=(address,)) for node, address in zip("arb", (A, R, B), strict=True)
)
HERE, HUB, LEAF = range(3)
TCP, UDP = (4, 6), (4, 17)
VOLLEYS = (
    Volley(sender=SENDER.name, destination=B, kind="tcp-syn", ports=(80, 443)),
    Volley(sender=SENDER.name, destination=B, kind="udp", ports=(53,)),
    Volley(sender=SENDER.name, destination=A, kind="udp", ports=(53,)),
)
SESSION = 20_000  # any source port


@pytest.fixture
def ledger() -> Ledger:
    keys = Keys.draw(VOLLEYS, random.Random(1))
    return Ledger(numbering=Numbering(keys, [SENDER], TARGETS, VOLLEYS))


def tags(ledger: Ledger, *probes: int) -> list[tuple[int, int]]:
    return [(probe, SESSION) for probe in probes]


def judged(ledger: Ledger, health: Health | None = None) -> list[dict[int, Result]]:
    return [{port: cell.finding(port).result for port in cell.ports} for cell in cells(ledger, health or Health())]


def test_nothing_seen_is_unproven(ledger: Ledger) -> None:
    assert {result for cell in judged(ledger) for result in cell.values()} == {Result.UNPROVEN}
    assert ledger.missing() == {0, 1, 2, 3}
    assert ledger.by_volley({3, 1, 0}) == {0: [0, 1], 2: [3]}


def test_left_and_no_more_is_dark(ledger: Ledger) -> None:
    ledger.on_wire(HUB, tags(ledger, 0, 1, 2, 3))
    assert {result for cell in judged(ledger) for result in cell.values()} == {Result.DARK}
    assert ledger.missing() == set()
    assert [cell.left for cell in cells(ledger, Health())] == [2, 1, 1]


def test_accepted_and_reached_name_their_nodes(ledger: Ledger) -> None:
    ledger.on_wire(HUB, tags(ledger, 0, 1, 2, 3))
    ledger.on_wire(LEAF, tags(ledger, 0, 1))
    ledger.in_stack(LEAF, TCP, tags(ledger, 0))
    first = cells(ledger, Health())[0]
    assert [(f.result, f.ports, f.nodes, f.also) for f in first.findings] == [
        (Result.ACCEPTED, (80,), ("b",), (Result.REACHED,)),
        (Result.REACHED, (443,), ("b",), ()),
    ]


def test_the_gravest_effect_is_the_result_and_names_its_nodes(ledger: Ledger) -> None:
    ledger.on_wire(HUB, tags(ledger, 0, 1, 2, 3))
    ledger.on_wire(LEAF, tags(ledger, 0))
    ledger.on_exit(HUB, tags(ledger, 0))
    ledger.changed[1] = {HUB}
    ledger.answer(1, str(B))
    first = cells(ledger, Health())[0]
    assert [(f.result, f.ports, f.nodes, f.also) for f in first.findings] == [
        (Result.FORWARDED, (80,), ("r",), (Result.REACHED,)),
        (Result.ANSWERED, (443,), ("b",), (Result.CHANGED,)),
    ]


def test_what_the_sender_refuses_is_one_finding(ledger: Ledger) -> None:
    ledger.refused |= {0: 1, 1: 1, 2: 101}
    found = [[(f.result, f.ports, f.why) for f in cell.findings] for cell in cells(ledger, Health())[:2]]
    assert found == [
        [(Result.REFUSED, (80, 443), "Operation not permitted")],
        [(Result.REFUSED, (53,), "Network is unreachable")],
    ]


def test_a_stray_interface_leads_nowhere_known() -> None:
    stray = Sender(node="a", netns=NETNS, ifname="sly0", address=A, far=(), stray=True)
    volleys = [Volley(sender=stray.name, destination=B, kind="udp", ports=(53, 54))]
    ledger = Ledger(numbering=Numbering(Keys.draw(volleys), [stray], TARGETS, volleys))
    ledger.on_wire(LEAF, tags(ledger, 0))
    (cell,) = cells(ledger, Health())
    assert (cell.finding(53).result, cell.finding(54).result) == (Result.REACHED, Result.DARK)
    assert ledger.missing() == set()


def test_back_at_the_sender_only_its_own_address_counts(ledger: Ledger) -> None:
    ledger.in_stack(HERE, UDP, tags(ledger, 2, 3))
    assert ledger.accepted == {3: {HERE}}


def test_a_datagram_from_the_probed_port_is_the_answer(ledger: Ledger) -> None:
    echo = [(2, 53)]
    ledger.in_stack(HUB, UDP, echo)
    ledger.on_wire(LEAF, echo)
    ledger.on_exit(HUB, echo)
    assert (ledger.accepted, ledger.wires, ledger.forwarded) == ({}, {}, {})
    assert ledger.answered == {2: {str(B)}}


def test_a_tag_outside_the_run_is_nothing(ledger: Ledger) -> None:
    ledger.on_wire(HUB, [(-1, SESSION)])
    ledger.in_stack(HUB, TCP, [(1 << 31, SESSION)])
    assert (ledger.numbering.span(-1), ledger.numbering.span(1 << 31)) == (None, None)
    assert (sum(ledger.left), ledger.accepted, ledger.marks) == (0, {}, set())


@pytest.mark.parametrize(
    ("health", "doubted"),
    [
        (Health(controls=(Control(node="b", kind="tcp-syn", before=True, after=False),)), {0}),
        (Health(controls=(Control(node="r", kind="tcp-syn", before=False, after=False),)), set()),
        (Health(blind={"b": "gone"}), {0, 1}),
        (Health(lossy_stacks=frozenset({"udp"})), {1, 2}),
        (Health(lossy_wires=frozenset({"a"})), {2}),
        (Health(doubted=frozenset({2})), {1}),
    ],
    ids=["control", "another's control", "blind", "stack drops", "wire drops", "lost on the way"],
)
def test_a_doubt_turns_dark_into_unproven(ledger: Ledger, health: Health, doubted: set[int]) -> None:
    ledger.on_wire(HUB, tags(ledger, 0, 1, 2, 3))
    unproven = {at for at, cell in enumerate(judged(ledger, health)) if set(cell.values()) == {Result.UNPROVEN}}
    assert unproven == doubted


def test_a_doubt_does_not_hide_what_was_accepted(ledger: Ledger) -> None:
    ledger.on_wire(HUB, tags(ledger, 0, 1))
    ledger.in_stack(LEAF, TCP, tags(ledger, 1))
    first = judged(ledger, Health(blind={"b": "gone"}))[0]
    assert first == {80: Result.UNPROVEN, 443: Result.ACCEPTED}


def test_what_a_lossy_node_saw_come_in_is_doubted(ledger: Ledger) -> None:
    ledger.on_wire(HUB, tags(ledger, 0, 1, 2))
    ledger.on_wire(LEAF, tags(ledger, 1, 2))
    ledger.in_stack(LEAF, TCP, tags(ledger, 1))
    assert ledger.through({"r"}) == {0, 2}
    assert ledger.through({"b"}) == {2}
    assert ledger.through({"a"}) == set()


def test_own_losses_are_frames_that_no_far_end_saw(ledger: Ledger) -> None:
    ledger.on_wire(HUB, tags(ledger, 0, 1, 1))
    ledger.mark_senders[ledger.numbering.mark(0)] = 0
    ledger.on_wire(HUB, tags(ledger, ledger.numbering.mark(0)))
    assert own_losses(ledger, [6]) == {("a", "w0"): 2}


def test_controls_are_known_by_target_kind_and_phase(ledger: Ledger) -> None:
    udp = [kind.name for kind in ledger.numbering.controls].index("udp")
    number = ledger.numbering.control(LEAF, udp, Phase.AFTER)
    ledger.in_stack(LEAF, UDP, tags(ledger, number))
    ledger.on_wire(LEAF, tags(ledger, number))
    ledger.in_stack(HUB, UDP, tags(ledger, number))  # another node's stack: no control of its own
    assert ledger.stacks == {(LEAF, udp, Phase.AFTER)}
    assert ledger.observers == {(LEAF, Phase.AFTER)}


def test_keys_keep_clear_of_tags_ports_and_quotations() -> None:
    probed = tuple(range(10_000, 20_000))
    volleys = [Volley(sender="s", destination=A, kind="udp", ports=probed)]
    for seed in range(200):
        keys = Keys.draw(volleys, random.Random(seed))
        assert not set(probed) & set(keys.sessions)
        assert keys.base + 10_000_000 < keys.nonce < 1 << 32
        assert keys.nonce >> 28 not in (4, 6)


def test_keys_need_a_free_session() -> None:
    with pytest.raises(ValueError, match="split the sweep"):
        Keys.draw([Volley(sender="s", destination=A, kind="udp", ports=tuple(range(1, 65536)))])


def test_a_socket_may_leave_by_any_wire_of_its_node() -> None:
    other = Sender(node="a", netns=NETNS, ifname="w1", address=A, far=(Far(node="b", ifname="w1"),))
    sender = Sender(node="a", netns=NETNS, ifname="w0", address=A, far=SENDER.far, method=Method.SOCKET)
    volleys = [Volley(sender=sender.name, destination=B, kind="udp", ports=(53,))]
    ledger = Ledger(numbering=Numbering(Keys.draw(volleys), [sender, other], TARGETS, volleys))
    ledger.on_wire(LEAF, tags(ledger, 0))
    assert ledger.left == b"\1"


def test_every_pair_and_its_problems() -> None:
    volleys = every_pair([SENDER], TARGETS, {"udp": (53, 123), "icmp-echo": (0,)})
    assert [(v.destination, v.kind) for v in volleys[:3]] == [(A, "udp"), (A, "icmp-echo"), (R, "udp")]
    assert problems([SENDER], TARGETS, volleys) == ()
    wrong = Volley(sender="nobody", destination=A, kind="nothing", ports=(1, 1))
    assert problems([SENDER, SENDER], TARGETS, [wrong]) == (
        "two senders are called a.w0",
        "volleys from an unknown sender: nobody",
        "volleys of an unknown kind: nothing",
        "a volley from nobody names a port twice",
    )


def test_windows_split_and_join_volleys() -> None:
    shots = [Shot(volley=0, probes=range(5)), Shot(volley=1, probes=range(5, 7))]
    regrouped = [[(shot.volley, list(shot.probes)) for shot in window] for window in windows(shots, 3)]
    assert regrouped == [[(0, [0, 1, 2])], [(0, [3, 4]), (1, [5])], [(1, [6])]]


def test_the_matrix_comes_back_from_json(ledger: Ledger) -> None:
    ledger.on_wire(HUB, tags(ledger, 0, 2))
    ledger.in_stack(LEAF, TCP, tags(ledger, 0))
    counts = Counts(probes=4, sent=4, resent=0, seconds=(("send", 0.5),))
    matrix = Matrix(cells=cells(ledger, Health()), controls=(), losses=(), counts=counts)
    assert Matrix.from_json(matrix.as_json()) == matrix
    assert matrix.cell(SENDER.name, B, "udp").finding(53).result is Result.DARK
    with pytest.raises(KeyError, match="port 54"):
        matrix.cell(SENDER.name, B, "udp").finding(54)


def test_proc_net_dev_is_read_by_its_columns() -> None:
    text = (
        "Inter-|   Receive                                                |  Transmit\n"
        " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls\n"
        "    lo:  1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
        "eth0.5@x: 0 0 0 0 0 0 0 0 0 0 0 7 0 0 0 0\n"
    )
    assert parse_drops(text) == {"lo": 12, "eth0.5@x": 7}


def test_the_pace_has_bounds() -> None:
    assert Pace().quiet < Pace().window_wait < Pace().deadline

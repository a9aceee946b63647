"""Why: the way and the row of each declared flow; where another dies, and what would allow it."""

from dataclasses import replace
from pathlib import Path

import pytest

from provision.commands import why as command
from provision.commands.why import Change
from provision.grant import Entry, Never, Row
from provision.places import Places
from provision.told import document, lines
from provision.why import Answer, Question, answer, declared_at
from specs.model import Flow, Port, Protocol
from specs.semantics.journey import End
from tests.unit.good_places import ACCEPT, ESTATE, FOLDER, PLACES, port, with_rule, without_flow

ROWS = declared_at(ESTATE)


def tcp(number: int) -> Port:
    return Port(protocol=Protocol.TCP, number=number)


def ask(source: str, target: str, asked: Port | None, places: Places = PLACES) -> Answer:
    return answer(ESTATE, places, Question(source=source, target=target, port=asked))


@pytest.mark.parametrize("flow", ESTATE.flows, ids=str)
def test_a_declared_flow_is_allowed(flow: Flow) -> None:
    found = ask(flow.source_node, flow.target, flow.port)
    assert found.allowed
    assert (found.flow, found.grant) == (flow, None)


def test_a_peers_way() -> None:
    """Out of the tunnel, masqueraded on the leaf's link, accepted by the rule of its flow."""
    assert list(lines(ask("laptop", "vault", tcp(2222)), ROWS)) == [
        "gate in by wg0, out by priv-vault: tcp 10.100.0.2:40000 > 10.1.1.1:2222 syn",
        '  forward: accept by iifname "wg0" oifname "priv-vault" ip saddr 10.100.0.2 ip daddr 10.1.1.1 tcp dport 2222 '
        'ct state established,new ct direction original accept comment "laptop -> vault tcp/2222", '
        "forward (inet pluto)  (links.yaml:22)",
        '  postrouting: oifname "priv-vault" ip saddr 10.100.0.2 ip daddr 10.1.1.1 tcp dport 2222 masquerade, '
        "so it becomes tcp 10.1.1.0:40000 > 10.1.1.1:2222 syn",
        "vault in by priv-vault: tcp 10.1.1.0:40000 > 10.1.1.1:2222 syn",
        '  input: accept by iifname "priv-vault" ip saddr 10.1.1.0 ip daddr 10.1.1.1 tcp dport 2222 '
        'ct state established,new ct direction original accept comment "laptop -> vault tcp/2222", '
        "input (inet pluto)  (links.yaml:22)",
        "and what answers it comes back the same way",
    ]


def test_from_the_internet() -> None:
    """By DNAT through the host; the one address that is known out there is the host's."""
    found = ask("wan", "door", tcp(443))
    assert found.journey is not None
    assert [hop.node for hop in found.journey.hops] == ["wan", "router", "host", "door"]
    dark = ask("wan", "vault", tcp(2222))
    assert dark.journey is not None
    assert (dark.journey.node, dark.journey.end) == ("host", End.DROPPED)


@pytest.mark.parametrize(
    ("source", "target", "asked", "said"),
    [
        ("phone", "vault", tcp(2222), "forward: drop by policy drop, forward (inet pluto)"),
        ("page", "vault", tcp(2222), "no route: page has no route to 10.1.1.1"),
        ("door", "vault-backup", tcp(1), "vault-backup has no address: it has no link, and lo alone"),
        ("door", "page", None, "output: drop by policy drop, output (inet pluto)"),
        ("lan", "door", tcp(443), "input: drop by policy drop, input (inet pluto)"),
    ],
)
def test_where_it_dies(source: str, target: str, asked: Port | None, said: str) -> None:
    found = ask(source, target, asked)
    assert not found.allowed
    assert said in [line.strip() for line in lines(found, ROWS)]
    assert found.grant is not None


def test_what_answers_it_dies() -> None:
    """The page gets the request, and its answer is dropped: nobody would call that allowed."""
    answers = with_rule("page", "output", {"drop": None})
    found = ask("door", "page", tcp(8080), answers)
    assert not found.allowed
    assert "and what answers it dies in page:" in list(lines(found, ROWS))
    told = document(found, ROWS)
    assert told["end"] == "accepted"
    assert told["answer"]["node"] == "page"
    assert told["answer"]["rule"] == "drop"


def test_declared_and_dark() -> None:
    found = ask("door", "page", tcp(8080), without_flow("page", "door -> page tcp/8080"))
    assert not found.allowed
    assert found.flow is not None
    assert found.grant is None


def test_what_a_raw_socket_can() -> None:
    """The door's own ruleset stops the packet, the page's does not."""
    spoiled = with_rule("page", "input", port(22), ACCEPT)
    found = ask("door", "page", tcp(22), spoiled)
    assert not found.allowed
    assert list(lines(found, ROWS))[-3:] == [
        "but sent by a raw socket, past door's own rules, it is accepted:",
        "  page in by pub-page: tcp 172.16.1.0:40000 > 172.16.1.1:22 syn",
        "    input: accept by tcp dport 22 accept, input (inet pluto)",
    ]
    assert ask("door", "page", tcp(23), spoiled).raw is None


def test_what_nobody_can_tell() -> None:
    """A namespace whose ruleset nft does not list, or that routes by policy, answers no question."""
    page = replace(PLACES["page"], strange=("policy routing in page: rule 5 (inet) to table 7",))
    found = ask("door", "page", tcp(8080), {**PLACES, "page": page})
    assert "unproven: policy routing in page: rule 5 (inet) to table 7" in list(lines(found, ROWS))
    assert document(found, ROWS)["unproven"] == list(page.strange)
    assert ask("door", "page", tcp(8080)).strange == ()


def test_the_line_to_write(tmp_path: Path) -> None:
    """As it must read: in a list on one line, in a list of lines, where there is none; a row as the others."""
    entry = Entry(link=ESTATE.link("priv-vault"), text="phone -> b tcp/2222")
    assert command.change(FOLDER, entry) == Change(
        text="links.yaml:22 would allow it as:",
        lines=("  allow: [laptop -> b tcp/2222, phone -> b tcp/2222]",),
    )
    listed = "    allow:\n      - laptop -> b tcp/1\n"
    for said, text, line in (
        ("    allow: [] # nobody\n", "links.yaml:6 would allow it as:", "    allow: [phone -> b tcp/2222] # nobody"),
        (listed, "a line behind links.yaml:6 would allow it:", "      - phone -> b tcp/2222"),
        ("", "a line behind links.yaml:5 would allow it:", "    allow: [phone -> b tcp/2222]"),
    ):
        ends = "# mine\nlinks:\n  - name: priv-vault\n    a: gate 10.1.1.0\n    b: vault 10.1.1.1\n"
        (tmp_path / "links.yaml").write_text(ends + said)
        assert command.change(tmp_path, entry) == Change(text=text, lines=(line,))
    egress = Entry(link=ESTATE.link("host-pub"), text="b -> wan tcp/443")
    assert command.change(FOLDER, egress).text == "it is declared for metal alone (links.yaml:6), and off in the lab"
    row = Row(name="x", a="door 172.16.3.0", b="vault 172.16.3.1", allow="a -> b tcp/1")
    assert command.change(FOLDER, row).lines == (
        "- name: x",
        "  a: door 172.16.3.0",
        "  b: vault 172.16.3.1",
        "  allow: [a -> b tcp/1]",
    )
    assert command.change(FOLDER, Never(law="law 4")) == Change(text="no spec change allows it: law 4")

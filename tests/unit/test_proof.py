"""What is refused before it is loaded, and what is said of it; who reaches whom, and how that differs."""

import pytest

from provision.proof import refusal
from provision.reach import Reaching, difference
from specs.semantics.diagram import EVERYTHING, NOTHING, Space
from specs.semantics.field import TOPS, Field
from specs.semantics.service import services
from specs.semantics.span import span
from tests.unit.good_places import ACCEPT, ESTATE, PLACES, port, with_rule, without_flow


def test_what_is_declared_is_proved() -> None:
    assert refusal(ESTATE, PLACES) == ""


def test_an_undeclared_flow_is_refused() -> None:
    """The packet, its way, and the rule that lets it in."""
    said = refusal(ESTATE, with_rule("page", "input", port(22), ACCEPT)).splitlines()
    assert said == [
        "refused, nothing was touched: these rulesets are not what is declared",
        "  door -> page: no flow declares it",
        "    tcp 172.16.1.0:40000 > 172.16.1.1:22 syn sent by door out of pub-page is accepted by page",
        "      page in by pub-page: tcp 172.16.1.0:40000 > 172.16.1.1:22 syn",
        "        input: accept by tcp dport 22 accept, input (inet pluto)",
    ]


def test_a_declared_flow_that_is_not_carried_is_refused() -> None:
    """Where it dies, and the line that declares it; the answer counts as well."""
    said = refusal(ESTATE, without_flow("page", "door -> page tcp/8080"))
    assert "door -> page tcp/8080 (links.yaml:14) would not be carried (opening)" in said
    assert "input: drop by policy drop, input (inet pluto)" in said


def test_what_cannot_be_read_is_refused() -> None:
    """An accept that hangs on what nobody can tell, with the rule to blame."""
    strange = {"match": {"op": "==", "left": {"osf": {"key": "name"}}, "right": "Linux"}}
    said = refusal(ESTATE, with_rule("page", "input", strange, ACCEPT))
    assert "door -> page: it cannot be told whether" in said
    assert "hangs on rule 999 of input in page" in said


def test_hundreds_are_told_by_a_few() -> None:
    said = refusal(ESTATE, with_rule("host", "forward", {"drop": None}))
    assert "and " in said.splitlines()[-1]
    assert len(said.splitlines()) < 120


def test_reach() -> None:
    reach = Reaching(ESTATE, PLACES)
    assert reach.services("door", "page") == ("tcp/8080",)
    assert reach.services("laptop", "vault") == ("tcp/2222",)
    assert reach.services("phone", "vault") == ()
    assert reach.services("page", "door") == ()
    assert reach.services("nobody", "door") == ()
    assert (
        reach.services("laptop", "router") == ()
    )  # around the estate anything goes, and it is not the estate's to tell
    assert reach.through("laptop", "vault") == {"gate"}


def test_difference() -> None:
    """A rule by hand, seen when it will go and when it came; the hub that passes a peer's packets on is not told."""
    spoiled = with_rule("page", "input", port(22), ACCEPT)
    assert difference(ESTATE, PLACES, PLACES).gained == ()
    assert difference(ESTATE, spoiled, PLACES).lost == ("door -> page tcp/22",)
    assert difference(ESTATE, PLACES, spoiled).gained == ("door -> page tcp/22",)
    shut = without_flow("vault", "laptop -> vault tcp/2222")
    assert difference(ESTATE, shut, PLACES).gained == ("laptop -> vault tcp/2222",)


def test_difference_from_nothing() -> None:
    """Everything is gained where nothing was, each flow once, and the internet by its name."""
    told = difference(ESTATE, {}, PLACES)
    assert set(told.gained) == {str(flow) for flow in ESTATE.flows}
    assert told.lost == ()


def test_what_goes_out() -> None:
    """An edge let out to the internet, by name; by an address of the LAN it would be the LAN."""
    out = {"match": {"op": "==", "left": {"meta": {"key": "oifname"}}, "right": "eth0"}}
    opened = with_rule("host", "output", out, port(444), ACCEPT)
    assert difference(ESTATE, PLACES, opened).gained == ("host -> lan tcp/444", "host -> wan tcp/444")
    assert difference(ESTATE, opened, PLACES).lost == ("host -> lan tcp/444", "host -> wan tcp/444")
    assert "host -> router: no flow declares it" in refusal(ESTATE, opened)


def test_everybody_at_once() -> None:
    """A host that lets all pass: the two edges' wires carry it, and whoever can send at all is ANY."""
    opened = with_rule("door", "input", port(22), ACCEPT)
    gained = difference(ESTATE, PLACES, opened).gained
    assert gained == ("game -> door tcp/22", "host -> door tcp/22", "page -> door tcp/22")


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({Field.PROTOCOL: span(6), Field.DPORT: span(80)}, ("tcp/80",)),
        ({Field.PROTOCOL: span(6), Field.DPORT: ((1, 1023),)}, ("tcp/1-1023",)),
        ({Field.PROTOCOL: span(6, 17), Field.DPORT: span(53)}, ("tcp/53", "udp/53")),
        ({Field.PROTOCOL: span(6)}, ("tcp",)),
        ({Field.PROTOCOL: span(1)}, ("icmp",)),
        ({Field.PROTOCOL: span(253)}, ("protocol 253",)),
        ({Field.PROTOCOL: ((0, 5),)}, ("protocols 0-5",)),
        ({Field.SADDR: span(7)}, ("everything",)),
    ],
)
def test_services(fields: dict[Field, tuple[tuple[int, int], ...]], said: tuple[str, ...]) -> None:
    space = Space([TOPS[each] for each in Field])
    assert services(space, space.cube({int(field): values for field, values in fields.items()})) == said


def test_services_of_all_and_of_none() -> None:
    space = Space([TOPS[each] for each in Field])
    assert services(space, EVERYTHING) == ("everything",)
    assert services(space, NOTHING) == ()
    web = space.cube({Field.PROTOCOL: span(6), Field.DPORT: span(80)})
    ping = space.cube({Field.PROTOCOL: span(1)})
    assert services(space, space.either([web, ping])) == ("tcp/80", "icmp")

"""why and blast-radius through the command line: asked of the running kernel, and of what is declared."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fixtures.scratch import Scratch, bare, scratch
from specs.semantics import words
from specs.topology import nodes

GOOD = Path(__file__).parents[1] / "unit/good"
RECORDED = Path(__file__).parents[1] / "unit/recorded/good-listings.json"


def listing(made: Scratch, node: str) -> list[dict[str, Any]]:
    objects: list[dict[str, Any]] = json.loads(made.inside(node, "nft", "--json", "list", "ruleset"))["nftables"]
    return objects


def test_allowed(network: Scratch) -> None:
    done = network.pluto("why", "wan", "reverse-proxy-edge", "tcp/443")
    assert done.code == 0
    lines = done.stdout.splitlines()
    assert lines[0].startswith("pluto: estate pluto ")
    assert lines[1] == "allowed: wan -> reverse-proxy-edge tcp/443, on the running kernel"
    assert [line.split()[0] for line in lines if re.match(r"  \S+ (in|out) by", line)] == [
        "visitor",
        "wan",
        "router",
        "host",
        "reverse-proxy-edge",
    ]
    assert "so it becomes tcp 203.0.113.1:40000 > 192.168.100.1:443 syn" in done.stdout
    assert re.search(r"declared: links\.yaml:\d+ \(link host-pub\)", lines[-1])


def test_a_flow_of_each_kind(network: Scratch) -> None:
    """On the kernel, and as the kernel is to be: from the WAN, from a peer, from a hub, between two leaves."""
    kinds = {flow.source_node: flow for flow in network.estate.flows}
    for flow in kinds.values():
        for how in ((), ("--declared",)):
            done = network.pluto("why", flow.source_node, flow.target, str(flow.port), "--json", *how)
            told = json.loads(done.stdout)
            assert (done.code, told["allowed"], told["flow"]) == (0, True, str(flow.source))
            assert told["asked"] == ("declared" if how else "running")


def test_what_it_says_to_write_is_what_allows_it(unmade: Scratch) -> None:
    """The line it prints, put in the place it names; without an instance only what is declared can be asked."""
    dark = unmade.pluto("why", "phone", "git-ssh", "tcp/2222", "--declared")
    assert dark.code == 2
    assert "forward: drop by policy drop, forward (inet pluto)" in dark.stdout
    place, line = dark.stdout.splitlines()[-2:]
    number = int(place.strip().removeprefix("links.yaml:").partition(" ")[0])
    links = unmade.folder / "links.yaml"
    lines = links.read_text().splitlines()
    lines[number - 1] = line
    links.write_text("\n".join(lines))
    assert unmade.pluto("why", "phone", "git-ssh", "tcp/2222", "--declared").code == 0
    unmade.apply()
    assert unmade.pluto("why", "phone", "git-ssh", "tcp/2222").code == 0


def test_what_a_law_forbids(network: Scratch) -> None:
    done = network.pluto("why", "git-web", "lan", "tcp/443")
    assert done.code == 2
    assert "no route: git-web has no route to 192.168.1.3" in done.stdout
    assert "no spec change allows it: law 4" in done.stdout


@pytest.mark.parametrize(
    ("words_", "said"),
    [
        (("why", "reverse-proxy-edg", "git-web", "tcp/1"), "did you mean `reverse-proxy-edge`"),
        (("why", "git-web", "git-web", "tcp/1"), "one namespace"),
        (("why", "reverse-proxy-stream", "reverse-proxy-edge", "tcp/1"), "one namespace"),
        (("why", "git-web", "git-ssh", "sctp/1"), "is no tcp/443, udp/51820 or icmp"),
        (("why", "git-web", "git-ssh", "tcp/0"), "is no port"),
        (("why", "laptop", "nas-nfs-ganesha", "tcp/2049"), "declared and disabled: modules/isidore.yaml:"),
        (("logs", "nas-nfs-ganesha"), "declared and disabled: modules/isidore.yaml:"),
        (("blast-radius",), "one NODE, or --all"),
        (("blast-radius", "git-web", "--all"), "one NODE, or --all"),
        (("blast-radius", "git-wib"), "did you mean `git-web`"),
    ],
)
def test_command_lines_that_make_no_sense(network: Scratch, words_: tuple[str, ...], said: str) -> None:
    done = network.pluto(*words_)
    assert done.code == 64
    assert said in done.stderr


def test_a_banned_address_is_no_drift(network: Scratch) -> None:
    """It is told apart from a ruleset that is not as declared, for which `plan` would say what differs."""
    element = "inet pluto banned { 203.0.113.1 }"
    network.inside("host", "nft", f"add element {element}")
    done = network.pluto("why", "wan", "reverse-proxy-edge", "tcp/443")
    network.inside("host", "nft", f"delete element {element}")
    assert done.code == 2
    assert "`plan`" not in done.stdout
    assert done.stdout.splitlines()[-1] == "  203.0.113.1 is banned for now"  # nothing bans here, so nothing lifts it
    assert network.pluto("why", "wan", "reverse-proxy-edge", "tcp/443").code == 0


def test_without_an_instance(unmade: Scratch) -> None:
    for asked in (("why", "wan", "reverse-proxy-edge", "tcp/443"), ("blast-radius", "--all")):
        done = unmade.pluto(*asked)
        assert done.code == 1
        assert "or ask with --declared" in done.stderr
        assert unmade.pluto(*asked, "--declared").code == 0


def test_a_rule_by_hand(network: Scratch) -> None:
    """Seen by a plan as reach that will be lost, by why as what a raw socket can, by blast-radius as a port more."""
    network.inside("git-web", "nft", "insert", "rule", "inet", "pluto", "input", "tcp", "dport", "22", "accept")
    try:
        reach = network.document()["reach"]
        why = network.pluto("why", "reverse-proxy-edge", "git-web", "tcp/22")
        blast = json.loads(network.pluto("blast-radius", "reverse-proxy-edge", "--json").stdout)
    finally:
        network.apply()
    assert reach == {"gained": [], "lost": ["reverse-proxy-edge -> git-web tcp/22"]}
    assert why.code == 2
    assert "input: accept by tcp dport 22 accept, input (inet pluto)" in why.stdout
    (node,) = blast["nodes"]
    assert {"node": "git-web", "services": ["tcp/22", "tcp/8080"]} in node["reaches"]


def test_a_rule_that_nft_tells_wrongly(network: Scratch) -> None:
    """Nft 1.0.6 lists it without its protocol: it counts as what nobody can tell, and an index by its name does not."""
    rule = ("nft", "insert", "rule", "inet", "pluto", "input")
    lost = []
    try:
        for more in (("iif", "pub-git-web", "tcp", "dport", "22"), ("meta", "l4proto", "255", "th", "sport", "1024")):
            network.inside("git-web", *rule, *more, "accept")
            lost.append(network.document()["reach"]["lost"])
    finally:
        network.apply()
    assert lost == [["reverse-proxy-edge -> git-web tcp/22"], ["reverse-proxy-edge -> git-web everything"]]


def test_what_cuts_a_way(network: Scratch) -> None:
    """A link that is down, a setting turned round, a route gone: each is named."""
    for spoil, said in (
        (
            ("ip", "link", "set", "pub-git-web", "down"),
            "the other end of pub-git-web, in git-web, is not there or down",
        ),
        (("ip", "address", "flush", "dev", "pub-git-web"), "nobody answers for 172.16.4.1"),
    ):
        network.inside("git-web", *spoil)
        try:
            done = network.pluto("why", "reverse-proxy-edge", "git-web", "tcp/8080")
        finally:
            network.apply()
        assert done.code == 2
        assert said in done.stdout
        assert "and yet not so: `plan` says what differs" in done.stdout


def test_blast_radius(network: Scratch) -> None:
    told = network.pluto("blast-radius", "reverse-proxy-edge").stdout
    assert "    git-web tcp/8080\n" in told
    assert "    reverse-proxy-limits tcp/8429\n" in told
    assert "      host-bans ro at /var/log/caddy\n" in told


def test_blast_radius_of_all(network: Scratch) -> None:
    """Each container once, those with powers over the machine before the hubs, those before the leaves."""
    lines = network.pluto("blast-radius", "--all").stdout.splitlines()
    assert lines[2].split()[:2] == ["node", "machine"]
    names = [line.split()[0] for line in lines[3:]]
    assert sorted(names) == [c.name for c in network.estate.containers]
    powerful = [line.split()[0] for line in lines[3:] if line.split()[1] == "yes"]
    assert {"vpn-edge", "host-bans"} <= set(powerful)
    assert names[: len(powerful)] == powerful
    assert names.index("reverse-proxy-edge") < names.index("navidrome-web-client") < names.index("git-web")
    told = json.loads(network.pluto("blast-radius", "--all", "--json", "--declared").stdout)
    assert [each["node"] for each in told["nodes"]] == names


def test_rules_in_nfts_own_words(network: Scratch) -> None:
    for node in (node.name for node in nodes(network.estate) if node.ours):
        text = network.inside(node, "nft", "list", "ruleset")
        written = {re.sub(r" packets \d+ bytes \d+", "", line.strip()) for line in text.splitlines()}
        for rule in (each["rule"] for each in listing(network, node) if "rule" in each):
            assert words.rule(tuple(rule["expr"]), rule.get("comment", "")) in written


def test_recorded_listings_are_what_nft_tells(tmp_path: Path) -> None:
    """Those that the unit tests read: the small declaration, made and listed."""
    recorded = json.loads(RECORDED.read_text())
    with scratch(bare(tmp_path / "small", GOOD)) as made:
        made.apply()
        for node, objects in recorded.items():
            assert [_still(each) for each in listing(made, node) if "metainfo" not in each] == [
                _still(each) for each in objects
            ]


def _still(listed: dict[str, Any]) -> dict[str, Any]:
    """Without what is the kernel's bookkeeping."""
    ((kind, found),) = listed.items()
    kept = {key: value for key, value in found.items() if key != "handle"}
    if kind == "rule":
        kept["expr"] = [{"counter": None} if "counter" in each else each for each in kept["expr"]]
    return {kind: kept}

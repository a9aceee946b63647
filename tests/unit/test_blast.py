"""Blast radius: what an owned container reaches at once and in turn, whose files it shares, what it may do."""

from collections.abc import Mapping
from dataclasses import replace

from provision import storage
from provision.blast import Radius, Socket, radius, worst_first
from provision.commands.blast_radius import _document, _lines, _row
from provision.facts.unix import parse
from provision.reach import Reaching
from provision.storage import Shared, Sharer
from specs.load import load
from specs.model import SourceKind
from tests.unit.good_places import ESTATE, PLACES

REACH = Reaching(ESTATE, PLACES)
USERS = load()


def of(name: str, listening: Mapping[str, tuple[str, ...]] | None = None) -> Radius:
    return radius(ESTATE, name, REACH.nodes, REACH.services, listening or {})


def test_direct_and_in_turn() -> None:
    """The host's own raw sockets speak for the internet to the edges, and they reach their leaves."""
    host = of("host")
    assert [(each.node, each.services) for each in host.direct] == [
        ("door", ("tcp/443", "tcp/25565")),
        ("gate", ("udp/51820",)),
    ]
    assert [(each.node, each.services, each.via, each.depth) for each in host.onward] == [
        ("game", ("tcp/25565",), "door", 2),
        ("page", ("tcp/8080",), "door", 2),
        ("vault", ("tcp/2222",), "gate", 2),
    ]
    assert of("page").direct == of("page").onward == ()


def test_a_chain_of_breaks() -> None:
    """Each service once, by as few breaks as it takes; back to where it began counts for nothing."""
    reach = {
        ("a", "b"): ("tcp/1",),
        ("b", "c"): ("tcp/2",),
        ("c", "d"): ("tcp/3",),
        ("c", "a"): ("tcp/9",),
        ("d", "b"): ("tcp/1", "tcp/4"),
    }
    found = radius(ESTATE, "a", "abcd", lambda one, other: reach.get((one, other), ()), {})
    assert [(each.node, each.services, each.via, each.depth) for each in found.onward] == [
        ("c", ("tcp/2",), "b", 2),
        ("d", ("tcp/3",), "c", 3),
        ("b", ("tcp/4",), "d", 4),
    ]  # fmt: skip


def test_a_sidecar_stands_in_anothers_network() -> None:
    stream = of("door-stream")
    assert (stream.place, stream.beside) == ("door", ("door",))
    assert [each.node for each in stream.direct] == ["game", "page"]


def test_files() -> None:
    """Who sees the same volume, and whether he or it may write."""
    vault, backup = of("vault"), of("vault-backup")
    assert vault.shared == (
        Shared(
            kind="volume",
            origin="store",
            at="/srv",
            writable=True,
            others=(Sharer(container="vault-backup", at="/srv", writable=False),),
        ),
    )
    assert (vault.writes_for, vault.reads_of) == (("vault-backup",), ())
    assert (backup.writes_for, backup.reads_of) == ((), ("vault",))


def test_a_host_path_below_anothers() -> None:
    """The user's datastore holds the git repositories: who has the one sees the other's."""
    shared = storage.shared(USERS, USERS.container("git-web"))
    assert {each.container for each in shared[0].others} >= {"git-ssh", "master-ssh", "master-backup"}
    above = storage.shared(USERS, USERS.container("master-ssh"))
    assert {each.container for each in above[0].others} >= {"git-ssh", "git-web", "navidrome-server"}
    (path,) = [mount for mount in USERS.container("master-backup").mounts if mount.exclusive]
    other = [each for each in storage.shared(USERS, USERS.container("master-backup")) if each.origin == path.origin]
    assert path.kind is SourceKind.HOST
    assert other[0].others == ()


def test_sockets() -> None:
    """A socket on a volume that it sees, listened on by who may write there."""
    listening = {"vault": ("/run/elsewhere.sock", "/srv/vault.sock")}
    assert of("vault-backup", listening).sockets == (Socket(volume="store", path="/srv/vault.sock", listener="vault"),)
    assert of("vault", listening).sockets == ()
    assert of("page", listening).sockets == ()


def test_unix_table() -> None:
    """Listening ones with a path: not the connected, the abstract, the nameless, nor the heading."""
    table = """Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 24217 /run/rcon/rcon.sock
0000000000000000: 00000003 00000000 00000000 0001 03 24218 /run/connected.sock
0000000000000000: 00000002 00000000 00010000 0001 01 24219 @abstract
0000000000000000: 00000002 00000000 00010000 0001 01 24220 /a b
0000000000000000: 00000002 00000000 00010000 0005 01 24221""".splitlines()
    assert parse(table[1:]) == parse(table) == ("/a b", "/run/rcon/rcon.sock")


def test_powers() -> None:
    assert of("page").powers == ()
    bans = USERS.container("host-bans")
    assert storage.over_the_machine(bans)
    assert [each.partition(":")[0] for each in storage.powers(bans)] == [
        "waiver",
        "waiver",
        "stands in the host's own network namespace",
    ]
    ssh = USERS.container("master-ssh")
    assert not storage.over_the_machine(ssh)
    assert storage.powers(ssh)[1] == "capabilities SETGID, SETUID, SYS_CHROOT in its own user namespace"


def test_worst_first() -> None:
    """Powers over the machine count most, then ports, then ports in turn, then files that others read."""
    names = [each.name for each in worst_first(of(c.name) for c in ESTATE.containers)]
    assert names == ["door", "door-stream", "gate", "vault", "vault-backup", "game", "page"]
    powerful = replace(of("page"), over_the_machine=True)
    assert worst_first([of("door"), powerful])[0].name == "page"


def test_told() -> None:
    """Every section is there, also where it holds nothing; the document says the same."""
    lines = list(_lines(of("vault")))
    assert lines[0] == "vault, owned, raw sockets and all:"
    assert lines.count("    nothing") == 6
    assert "      vault-backup ro at /srv" in lines
    assert lines[-1] == "    none: an ordinary user of its own user namespace"
    assert _row(of("door"))["ports"] == "2"
    assert _document(of("door"))["reaches"] == [
        {"node": "game", "services": ["tcp/25565"]},
        {"node": "page", "services": ["tcp/8080"]},
    ]

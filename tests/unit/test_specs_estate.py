"""The user's page is declared, whole and to the letter: the tables here are copied from it."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from specs.load import load
from specs.model import Estate, Profile, SourceKind
from specs.topology import Kind, edges, nodes

CONTAINERS = {
    "michel": "reverse-proxy-edge reverse-proxy-stats vpn-edge",
    "frangisk": "lbmt-darkroom lbmt-weblog lbmt-shop lbmt-shop-backup",
    "eligius": "git-ssh git-web",
    "isidore": "master-ssh master-explorer-web master-backup",
    "akitio": "minecraft-server minecraft-ttyd-rcon minecraft-map minecraft-backup",
    "cecilia": "navidrome-server navidrome-web-client",
    "gavrilo": "",
    "genesius": "",
}
SIDECARS = {
    "reverse-proxy-stream": "reverse-proxy-edge",
    "reverse-proxy-limits": "reverse-proxy-edge",
    "host-bans": "host",
    "host-whitelist": "host",
    "reverse-proxy-whitelist": "reverse-proxy-edge",
    "minecraft-rcon": "minecraft-server",
}
RENDERER = "minecraft-map-render"  # the page's minecraft-map, in two: docs/decisions/016
NETWORKLESS = {"lbmt-shop-backup", "master-backup", "minecraft-backup", "reverse-proxy-stats", RENDERER}
DEPENDS = {
    "lbmt-shop-backup": "lbmt-shop",
    "minecraft-ttyd-rcon": "minecraft-server",
    "minecraft-map": "minecraft-server",
    "minecraft-backup": "minecraft-server",
}
VOLUMES = {
    "lbmt-shop": "lbmt-shop-database",
    "lbmt-shop-backup": "lbmt-shop-database",
    "minecraft-server": "mc-working-tree",  # and mc-rcon, by its sidecar
    "minecraft-rcon": "mc-rcon",
    "minecraft-ttyd-rcon": "mc-rcon mc-working-tree",  # the second, read-only, for the log: docs/decisions/015
    RENDERER: "mc-working-tree",  # which what faces the internet does not see
    "minecraft-backup": "mc-rcon mc-working-tree",
}
BINDS = {
    "lbmt-shop-backup": "/zfs/storage/fotografija/shop",
    "git-ssh": "/zfs/storage/git",
    "git-web": "/zfs/storage/git",
    "master-ssh": "/zfs/storage",
    "master-explorer-web": "/zfs/storage",
    "master-backup": "/zfs/backup /zfs/storage",
    "minecraft-server": "/zfs/storage/loghob/minecraft/akitio/origin",  # read-only: docs/decisions/015
    "minecraft-backup": "/zfs/storage/loghob/minecraft/akitio/world",
    "navidrome-server": "/zfs/storage/muzika/library",
}
LINKS = """
| `host-pub`                  | `host`               | `192.168.100.0` | `reverse-proxy-edge`   | `192.168.100.1` | `192.168.100.0/31` |
| `host-priv`                 | `host`               | `192.168.101.0` | `vpn-edge`             | `192.168.101.1` | `192.168.101.0/31` |
| `pub-lbmt-darkroom`         | `reverse-proxy-edge` | `172.16.1.0`    | `lbmt-darkroom`        | `172.16.1.1`    | `172.16.1.0/31`    |
| `pub-lbmt-weblog`           | `reverse-proxy-edge` | `172.16.2.0`    | `lbmt-weblog`          | `172.16.2.1`    | `172.16.2.0/31`    |
| `pub-lbmt-shop`             | `reverse-proxy-edge` | `172.16.3.0`    | `lbmt-shop`            | `172.16.3.1`    | `172.16.3.0/31`    |
| `priv-git-ssh`              | `vpn-edge`           | `10.1.1.0`      | `git-ssh`              | `10.1.1.1`      | `10.1.1.0/31`      |
| `pub-git-web`               | `reverse-proxy-edge` | `172.16.4.0`    | `git-web`              | `172.16.4.1`    | `172.16.4.0/31`    |
| `priv-master-ssh`           | `vpn-edge`           | `10.1.2.0`      | `master-ssh`           | `10.1.2.1`      | `10.1.2.0/31`      |
| `priv-master-explorer-web`  | `vpn-edge`           | `10.1.3.0`      | `master-explorer-web`  | `10.1.3.1`      | `10.1.3.0/31`      |
| `pub-minecraft-server`      | `reverse-proxy-edge` | `172.16.5.0`    | `minecraft-server`     | `172.16.5.1`    | `172.16.5.0/31`    |
| `priv-minecraft-ttyd-rcon`  | `vpn-edge`           | `10.1.4.0`      | `minecraft-ttyd-rcon`  | `10.1.4.1`      | `10.1.4.0/31`      |
| `pub-minecraft-map`         | `reverse-proxy-edge` | `172.16.6.0`    | `minecraft-map`        | `172.16.6.1`    | `172.16.6.0/31`    |
| `priv-navidrome-server`     | `vpn-edge`           | `10.1.5.0`      | `navidrome-server`     | `10.1.5.1`      | `10.1.5.0/31`      |
| `priv-navidrome-web-client` | `vpn-edge`           | `10.1.6.0`      | `navidrome-web-client` | `10.1.6.1`      | `10.1.6.0/31`      |
| `navidrome-server-client`   | `navidrome-server`   | `10.254.1.0`    | `navidrome-web-client` | `10.254.1.1`    | `10.254.1.0/31`    |
"""  # noqa: E501
WANTED_LINKS = [tuple(cell.strip(" `") for cell in row.split("|")[1:-1]) for row in LINKS.strip().splitlines()]
FLOWS = """
wan -> reverse-proxy-edge tcp/80
wan -> reverse-proxy-edge tcp/443
players -> reverse-proxy-edge tcp/25565
host -> resolver udp/53
wan -> vpn-edge udp/51820
reverse-proxy-edge -> lbmt-darkroom tcp/8080
reverse-proxy-edge -> lbmt-weblog tcp/8080
reverse-proxy-edge -> lbmt-shop tcp/8080
reverse-proxy-edge -> git-web tcp/8080
reverse-proxy-edge -> minecraft-server tcp/25565
reverse-proxy-edge -> minecraft-map tcp/8080
laptop -> git-ssh tcp/2222
laptop -> master-ssh tcp/2222
laptop -> master-explorer-web tcp/8334
laptop -> minecraft-ttyd-rcon tcp/7681
laptop -> navidrome-server tcp/4533
laptop -> navidrome-web-client tcp/8080
phone -> navidrome-server tcp/4533
phone -> navidrome-web-client tcp/8080
navidrome-web-client -> navidrome-server tcp/4533
"""


@pytest.fixture(scope="module")
def estate() -> Estate:
    return load()


def test_modules_and_containers(estate: Estate) -> None:
    own = {
        module.name: {c.name for c in module.containers if c.enabled and c.shares is None} for module in estate.modules
    }
    own["akitio"].remove(RENDERER)
    assert own == {module: set(names.split()) for module, names in CONTAINERS.items()}
    assert sum(map(len, own.values())) == 18
    assert {m.name for m in estate.modules if m.prospective} == {"gavrilo", "genesius"}


def test_sidecars(estate: Estate) -> None:
    assert {c.name: c.shares for c in estate.containers if c.shares} == SIDECARS


def test_nfs_is_declared_but_disabled(estate: Estate) -> None:
    disabled = [(m.name, c.name) for m in estate.modules for c in m.containers if not c.enabled]
    assert disabled == [("isidore", "nas-nfs-ganesha")]
    assert estate.reserved == (IPv4Network("10.1.7.0/31"),)  # of its wire, which is disabled with it


def test_networked_and_networkless(estate: Estate) -> None:
    own = {node.name: node.kind for node in nodes(estate) if node.ours and node.kind is not Kind.HOST}
    assert {name for name, kind in own.items() if kind is Kind.ISOLATED} == NETWORKLESS
    assert len([kind for kind in own.values() if kind is not Kind.ISOLATED]) == 14
    assert set(edges(estate)) == {"reverse-proxy-edge", "vpn-edge"}


@pytest.mark.parametrize("row", WANTED_LINKS, ids=[row[0] for row in WANTED_LINKS])
def test_link(estate: Estate, row: tuple[str, ...]) -> None:
    link = estate.link(row[0])
    ends = [text for end in (link.a, link.b) for text in (end.node, str(end.address))]
    assert (link.name, *ends, str(link.subnet)) == row


def test_no_link_but_those(estate: Estate) -> None:
    assert {link.name for link in estate.links} == {row[0] for row in WANTED_LINKS}
    assert len(estate.links) == 15


def test_no_flow_but_those(estate: Estate) -> None:
    assert {str(flow) for flow in estate.flows} == set(FLOWS.strip().splitlines())
    assert len(estate.flows) == 20


def test_metal_adds_certificates_alone() -> None:
    more = {str(flow) for flow in load(profile=Profile.METAL).flows} - set(FLOWS.strip().splitlines())
    assert more == {"reverse-proxy-edge -> wan tcp/443", "host -> wan udp/53"}  # the resolver is no node of ours there


def test_a_phone_may_have_music_and_nothing_else(estate: Estate) -> None:
    reached = {(flow.target, str(flow.port)) for flow in estate.flows if flow.source_node == "phone"}
    assert reached == {("navidrome-server", "tcp/4533"), ("navidrome-web-client", "tcp/8080")}


def test_mounts(estate: Estate) -> None:
    def origins(kind: SourceKind, module_less: tuple[str, ...] = ()) -> dict[str, str]:
        found = {c.name: sorted(m.origin for m in c.mounts if m.kind is kind) for c in estate.containers}
        return {name: " ".join(said) for name, said in found.items() if said and name not in module_less}

    assert origins(SourceKind.HOST) == BINDS
    page = {name: volumes for name, volumes in origins(SourceKind.VOLUME).items() if name in VOLUMES}
    own = "mc-map"  # the map's output, which the page leaves to the image
    assert {name: " ".join(v for v in said.split() if v != own) for name, said in page.items()} == VOLUMES


def test_who_writes(estate: Estate) -> None:
    """Read-only unless the container must write: one writer to a volume, and to a host path its keeper."""
    writers: dict[str, set[str]] = {}
    for container in estate.containers:
        for mount in container.mounts:
            writers.setdefault(mount.origin, set()).update({container.name} if mount.writable else set())
    assert {origin: names for origin, names in writers.items() if len(names) > 1} == {}
    assert writers["/zfs/storage/git"] == {"git-ssh"}
    assert writers["/zfs/storage"] == {"master-ssh"}
    assert writers["/zfs/storage/muzika/library"] == set()


def test_dependencies(estate: Estate) -> None:
    own = {c.name: " ".join(c.depends_on) for c in estate.containers if c.depends_on and c.shares is None}
    assert own.items() >= DEPENDS.items()
    assert set(own) - set(DEPENDS) <= {"navidrome-web-client", "reverse-proxy-stats", RENDERER}


def test_site(estate: Estate) -> None:
    headers = dict(estate.site.headers.put)
    assert set(estate.site.methods) == {"GET", "POST", "HEAD"}
    assert headers.keys() >= {"Strict-Transport-Security", "X-Frame-Options", "X-Content-Type-Options"}
    assert {"camera=()", "microphone=()"} <= set(headers["Permissions-Policy"].split(", "))
    paths = {c.web.path: c.name for c in estate.containers if c.web}
    assert (paths["/git/"], paths["/blog/"]) == ("git-web", "lbmt-weblog")


def test_every_uid_0_and_capability_has_its_reason(estate: Estate) -> None:
    odd = {c.name for c in estate.containers if c.user == 0 or c.capabilities or c.waiver}
    assert odd == {"master-ssh", "vpn-edge", "host-bans", "host-whitelist", "reverse-proxy-whitelist"}

"""Order -> SpecGenerator: golden files, and what the hash does and does not depend on.

A golden file that is to change is written anew by `UPDATE_GOLDEN=1 pytest tests/unit/test_container_document.py`.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from provision.idrange import IdRange
from provision.render.container import every_folder, own_files, owned, specification, volume
from provision.render.order import File, Kernel, Order, SecretFile
from provision.render.podman import containers_conf
from specs.instance import LABEL_SPEC, Instance
from specs.model import LOG_BYTES, Container, Image, Limits, Mount, Profile, Source, SourceKind, Waiver, When

GOLDEN = Path(__file__).parent / "golden"
HERE = Source(file="modules/michel.yaml", line=6)
INSTANCE = Instance(name="scratch", state=Path("/var/lib/pluto"))
IMAGE = Image(
    name="caddy", pending=None, base=None, packages=(), pinned=(), programs=(), keep=(), put=(), rendered=(),
    writable=(), entrypoint=("/usr/bin/caddy", "run"), shell_reason=None, stop_signal=None, stands_in_for=None,
    source=HERE,
)  # fmt: skip
EDGE = Container(
    name="reverse-proxy-edge", module="michel", image="caddy", enabled=True, shares=None, depends_on=(),
    mounts=(
        Mount(kind=SourceKind.VOLUME, origin="caddy-data", at=PurePosixPath("/data"), writable=True),
        Mount(kind=SourceKind.HOST, origin="/srv/site", at=PurePosixPath("/srv/site"), writable=False),
    ),
    tmpfs=(PurePosixPath("/tmp"),), web=None, stream=None, health=None,
    limits=Limits(memory=64 << 20, pids=16, cpus=0.5), capabilities=(), user=1000, root_reason=None, waiver=None,
    source=HERE,
)  # fmt: skip
TUNNEL_WAIVER = Waiver(
    reason="wireguard-go may not set the MTU of its device from a user namespace of its own",
    when=When.NO_KERNEL_WIREGUARD,
    userns_host=True,
    capabilities=("NET_ADMIN",),
    devices=(PurePosixPath("/dev/net/tun"),),
    user=0,
)


def order(container: Container = EDGE, **other: Any) -> Order:
    folder = INSTANCE.rendered / container.name
    files = tuple(File(path=folder / at.name, at=at, digest="0" * 64) for at in own_files(container.name))
    given: dict[str, Any] = {
        "container": container, "image": IMAGE, "reference": "localhost/caddy:0123456789ab", "instance": INSTANCE,
        "profile": Profile.LAB, "ids": IdRange(base=2**31 + 65536),
        "netns": Path(f"/run/netns/scratch.{container.name}"), "kernel": Kernel(wireguard=False),
        "files": files, "secrets": (),
    }  # fmt: skip
    return Order(**(given | other))


SECRET = SecretFile(name="vpn-edge.etc-wg", at=PurePosixPath("/etc/wg"), digest="1" * 64)
HUB = replace(EDGE, name="vpn-edge", mounts=(), waiver=TUNNEL_WAIVER)
CASES = {
    "plain": order(),
    "waived": order(HUB, secrets=(SECRET,)),
    "waiver-not-needed": order(HUB, secrets=(SECRET,), kernel=Kernel(wireguard=True)),
    "capability": order(replace(EDGE, capabilities=("NET_BIND_SERVICE",), user=0, root_reason="a test", mounts=())),
    "sidecar": order(replace(EDGE, name="stream", shares="reverse-proxy-edge"), netns=Path("/run/netns/scratch.edge")),
    "metal": order(profile=Profile.METAL),
}


@pytest.mark.parametrize("name", CASES)
def test_document(name: str) -> None:
    path = GOLDEN / f"container-{name}.json"
    document = specification(CASES[name])
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    assert document == json.loads(path.read_text())


def test_no_log_is_without_an_end() -> None:
    """By the container's own document; and by the instance's containers.conf for one that would say nothing."""
    for case in CASES.values():
        assert specification(case)["log_configuration"] == {"driver": "k8s-file", "size": LOG_BYTES}
    assert f"log_size_max = {LOG_BYTES}" in containers_conf(INSTANCE)


def spec(wanted: Order) -> str:
    labels = specification(wanted)["labels"]
    assert isinstance(labels, dict)
    return str(labels[LABEL_SPEC])


def test_hash_ignores_order_of_mounts() -> None:
    assert spec(order()) == spec(order(replace(EDGE, mounts=EDGE.mounts[::-1])))


@pytest.mark.parametrize(
    "changed",
    [
        order(replace(EDGE, user=1001)),
        order(replace(EDGE, limits=replace(EDGE.limits, cpus=1.0))),
        order(reference="localhost/caddy:ba9876543210"),
        order(ids=IdRange(base=2**31)),
        order(files=tuple(replace(file, digest="2" * 64) for file in order().files)),
        order(secrets=(SECRET,)),
    ],
    ids=["user", "limits", "image", "ids", "file-content", "secret"],
)
def test_hash_changes(changed: Order) -> None:
    assert spec(order()) != spec(changed)


def test_secret_digest_changes_the_hash_and_stays_out_of_the_document() -> None:
    other = replace(SECRET, digest="3" * 64)
    assert spec(order(secrets=(SECRET,))) != spec(order(secrets=(other,)))
    assert other.digest not in json.dumps(specification(order(secrets=(other,))))


def test_folder_belongs_to_its_writer_whoever_comes_first() -> None:
    mount = Mount(kind=SourceKind.VOLUME, origin="caddy-data", at=PurePosixPath("/in"), writable=False)
    reader = order(replace(EDGE, name="a-reader", mounts=(mount,)), ids=IdRange(base=2**31))
    for orders in ([reader, order()], [order(), reader]):
        owners = {folder.path: folder.owner for folder in every_folder(orders)}
        assert owners[volume(INSTANCE, "caddy-data")] == 2**31 + 65536 + 1000


OWNED = Mount(kind=SourceKind.HOST, origin="/zfs/git", at=PurePosixPath("/srv/git"), writable=False, owner=1234)


@pytest.mark.parametrize(("user", "inside"), [(1000, 1000), (33, 33), (0, 1000)])
def test_owned_path_is_bound_from_its_mount_and_its_folder_is_the_owners(user: int, inside: int) -> None:
    reader = order(replace(EDGE, mounts=(OWNED,), user=user))
    (shown,) = owned(reader)
    assert (shown.owner, shown.outside) == (1234, reader.ids.outside(inside))
    assert shown.source == INSTANCE.bind(PurePosixPath("/zfs/git"))
    mounts = specification(reader)["mounts"]
    assert isinstance(mounts, list)
    assert [m["source"] for m in mounts if m["destination"] == "/srv/git"] == [str(shown.target)]
    assert [(f.path, f.owner) for f in every_folder([reader])] == [(shown.source, 1234)]
    assert spec(reader) != spec(order(replace(EDGE, mounts=(replace(OWNED, owner=1235),), user=user)))


def test_owned_path_of_one_in_the_initial_user_namespace_is_its_users_there() -> None:
    """Its waiver's user is the machine's, and between the owner and it stands the id-mapped mount."""
    waiver = replace(TUNNEL_WAIVER, when=When.ALWAYS, user=1_900_002_049)
    server = order(replace(EDGE, mounts=(OWNED,), waiver=waiver))
    (shown,) = owned(server)
    assert (shown.owner, shown.outside) == (1234, 1_900_002_049)
    assert specification(server)["user"] == "1900002049:1900002049"
    assert [(f.path, f.owner) for f in every_folder([server])] == [(shown.source, 1234)]


def test_folders_between_two_owned_ones_are_the_upper_ones() -> None:
    """Of another owner below it, too; above the upper one nothing is ours."""
    below = replace(OWNED, origin="/zfs/git/a/b/c", at=PurePosixPath("/srv/c"), owner=4321)
    orders = [order(replace(EDGE, mounts=(OWNED,))), order(replace(EDGE, name="other", mounts=(below,)))]
    top = INSTANCE.bind(PurePosixPath("/zfs/git"))
    found = {str(folder.path.relative_to(top)): folder.owner for folder in every_folder(orders)}
    assert found == {".": 1234, "a": 1234, "a/b": 1234, "a/b/c": 4321}


def test_folder_of_a_machine_path_is_not_ours_on_metal() -> None:
    paths = {folder.path for folder in every_folder([order(profile=Profile.METAL)])}
    assert paths == {volume(INSTANCE, "caddy-data")}

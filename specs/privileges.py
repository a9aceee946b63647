"""What one container asks of the machine: its mounts, capabilities, uid and waiver, whatever the other files say."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import PurePosixPath

from specs import vocabulary
from specs.instance import DEFAULT_STATE, RUN
from specs.problems import closest
from specs.raw import RawContainer, RawHealth, RawMount, RawWaiver

Fault = tuple[tuple[str | int, ...], str, str]  # the path of the key inside the container, what is wrong, the hint

# Who holds one of these holds the machine: devices and kernel settings, the sockets of the machine's own services,
# and what pluto and podman keep (keys among it).
FORBIDDEN = tuple(map(PurePosixPath, ("/dev", "/proc", "/sys", "/run", "/var/run", str(RUN), str(DEFAULT_STATE))))
KERNEL_OWN = tuple(map(PurePosixPath, ("/dev", "/proc", "/sys")))


def faults(said: RawContainer) -> Iterator[Fault]:
    for index, mount in enumerate(said.mounts):
        yield from _origin(index, mount)
    yield from _owners(said)
    yield from _places(said)
    yield from _capabilities(said)
    if said.user == 0 and said.root_reason is None:
        yield ("user",), "user 0 wants a reason", "add root-reason: and say why, or drop user:"
    if said.health is not None:
        yield from _health(said.health)


def _origin(index: int, mount: RawMount) -> Iterator[Fault]:
    if (mount.volume is None) == (mount.host is None):
        yield ("mounts", index), "a mount names either a volume or a host path", "write volume: or host:"
    if mount.host is not None:
        path = PurePosixPath(mount.host)
        for other in FORBIDDEN:
            if path.is_relative_to(other) or other.is_relative_to(path):
                hint = "bind a folder that holds nothing but the container's own files"
                yield ("mounts", index, "host"), f"`{path}` would give the container the machine's {other}", hint
                return


def _owners(said: RawContainer) -> Iterator[Fault]:
    """One user inside has the owner's files (Container.owner_inside), so there is one owner."""
    owners = [(("mounts", index, "owner"), m.owner) for index, m in enumerate(said.mounts) if m.owner is not None]
    for index, mount in enumerate(said.mounts):
        for key, set_ in (("owner", mount.owner is not None), ("exclusive", mount.exclusive)):
            if set_ and mount.host is None:
                yield ("mounts", index, key), f"{key} is said of host paths alone", f"drop {key}:, a volume is ours"
    for path, owner in owners[1:]:
        if owner != owners[0][1]:
            yield path, f"a second owner, {owner} after {owners[0][1]}", "a container has one owner at most"
    if owners and said.waiver is not None and said.waiver.userns == "host":
        yield from _owner_on_the_machine(said.waiver, *owners[0])


def _owner_on_the_machine(said: RawWaiver, path: tuple[str | int, ...], owner: int | None) -> Iterator[Fault]:
    """In the initial user namespace the owner's files are shown as the waiver's user's, who is to be nobody there."""
    if said.user in (None, 0, owner):
        hint = "add a user: to the waiver that nobody has on the machine, or drop owner:"
        yield path, "an owner beside userns: host wants a user between them", hint


def _places(said: RawContainer) -> Iterator[Fault]:
    mounts: list[tuple[tuple[str | int, ...], PurePosixPath]] = [
        (("mounts", index, "at"), PurePosixPath(mount.at)) for index, mount in enumerate(said.mounts)
    ]
    places = mounts + [(("tmpfs", index), PurePosixPath(path)) for index, path in enumerate(said.tmpfs)]
    for path, place in places:
        if place == PurePosixPath("/") or any(place.is_relative_to(own) for own in KERNEL_OWN):
            yield path, f"nothing is mounted at `{place}`", "/dev, /proc and /sys are the kernel's, / is the image's"
    for (outer_path, outer), (path, inner) in product(mounts, places):
        if outer == inner and outer_path < path:
            yield path, f"`{inner}` is mounted twice", "give each mount a place of its own"
        elif outer != inner and inner.is_relative_to(outer):
            yield path, f"`{inner}` lies inside the mount `{outer}`", "mount them side by side"


def _capabilities(said: RawContainer) -> Iterator[Fault]:
    asked: list[tuple[tuple[str | int, ...], str]] = [
        (("capabilities", index), name) for index, name in enumerate(said.capabilities)
    ]
    if said.waiver is not None:
        asked += [(("waiver", "capabilities", index), name) for index, name in enumerate(said.waiver.capabilities)]
    for path, name in asked:
        if name not in vocabulary.CAPABILITIES:
            near = closest(name.upper().removeprefix("CAP_"), vocabulary.CAPABILITIES)
            yield path, f"capability `{name}` does not exist", near or "capabilities(7) names them; drop the CAP_"


def _health(said: RawHealth) -> Iterator[Fault]:
    kinds = [said.get, said.connect, said.handshake]
    if sum(kind is not None for kind in kinds) != 1:
        yield ("health",), "health says one of get, connect, handshake", "write {get: /, port: 8080} or {connect: 22}"
    elif said.get is None and said.model_fields_set & {"port", "status"}:
        yield ("health",), "port and status belong to health by get", "write {connect: 22} alone"
    elif said.get is not None and said.port is None:
        yield ("health",), "health by get wants a port", "add port: 8080"

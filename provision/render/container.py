"""A declared container -> podman's SpecGenerator document, which the API's /containers/create takes.

The document is written out here, and not by podman-py, whose own create drops the security options (FACTS 8).
Every default that podman would choose by itself is chosen here, so that the hash of the document is the whole
of what the container was made from. Golden files: tests/unit/golden/container-*.json.
"""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import assert_never

from provision.render.order import File, Folder, Kernel, Order, Owned, SecretFile
from provision.render.podman import cgroup_parent
from specs.instance import LABEL, LABEL_SPEC, Instance
from specs.model import LOG_BYTES, Mount, Profile, SourceKind

__all__ = [
    "File",
    "Folder",
    "Kernel",
    "Order",
    "SecretFile",
    "every_folder",
    "folders",
    "origin",
    "own_files",
    "owned",
    "specification",
    "volume",
]

Document = dict[str, object]

CPU_PERIOD = 100_000  # microseconds, the kernel's own default
HIDDEN = ("/sys", "/sys/fs/cgroup")  # outer first: an empty tmpfs on each
TMPFS_BYTES = 64 << 20  # each; a tmpfs counts against the memory limit as well
NOFILE = (1024, 4096)
NPROC = (4096, 4096)
STOP_SECONDS = 10
SECRET_MODE = 0o400
FOLDER_MODE = 0o755
UMASK = "0022"


def own_files(container: str) -> dict[PurePosixPath, str]:
    """The files every container gets, by their place inside: no resolver, no name but its own (law 4)."""
    return {
        PurePosixPath("/etc/resolv.conf"): "",
        PurePosixPath("/etc/hosts"): f"127.0.0.1 localhost {container}\n",
    }


def specification(order: Order) -> Document:
    """The whole SpecGenerator document, its labels included."""
    bare = _basics(order) | _storage(order) | _security(order) | _network(order) | _resources(order)
    labels = {LABEL: order.instance.name, LABEL_SPEC: spec_hash(order, bare)}
    return bare | {"labels": labels}


def spec_hash(order: Order, bare: Document) -> str:
    """sha256 of the document without its labels and of the contents of its files and secrets."""
    files = [(str(file.at), file.digest) for file in order.files]
    contents = sorted([*files, *((str(secret.at), secret.digest) for secret in order.secrets)])
    return hashlib.sha256(canonical({"specification": bare, "contents": contents}).encode()).hexdigest()


def canonical(document: Document) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def folders(order: Order) -> tuple[Folder, ...]:
    """The folders behind the container's writable mounts, owned by its user, or by the owner the mount declares.

    A volume belongs to its one writer; readers of other id ranges see it through the "others" bits. On metal a host
    path and its owner are the machine's business.
    """
    own = order.user if order.host_userns else order.ids.outside(order.user)
    return tuple(
        Folder(path=origin(order, mount), owner=own if mount.owner is None else mount.owner, mode=FOLDER_MODE)
        for mount in _made(order)
        if mount.writable or mount.owner is not None
    )


def every_folder(orders: Iterable[Order]) -> tuple[Folder, ...]:
    """All containers' folders, by path; one that is only read, because its writer does not run yet, is root's."""
    known = tuple(orders)
    read = [Folder(path=origin(o, mount), owner=0, mode=FOLDER_MODE) for o in known for mount in _made(o)]
    written = [folder for order in known for folder in folders(order)]
    wanted = {folder.path: folder for folder in (*read, *written)}
    wanted |= {folder.path: folder for path in wanted for folder in _ways(path, wanted)}
    return tuple(wanted[path] for path in sorted(wanted))


def _ways(path: Path, wanted: Mapping[Path, Folder]) -> list[Folder]:
    """The folders between `path` and a wanted one above it, whose owner's they are; none where none is above."""
    above = next((parent for parent in path.parents if parent in wanted), path)
    between = [parent for parent in path.parents if parent.is_relative_to(above) and parent != above]
    return [Folder(path=parent, owner=wanted[above].owner, mode=FOLDER_MODE) for parent in between]


def owned(order: Order) -> tuple[Owned, ...]:
    """The host paths that are mounted once more for it, with their owner's id as one of its own."""
    return tuple(each for _, each in _owned(order))


def _owned(order: Order) -> Iterator[tuple[Mount, Owned]]:
    for mount in order.container.mounts:
        if mount.owner is not None:
            # The owner is in the name: another makes another document, and so another container.
            flat = str(mount.at).strip("/").replace("/", "-")
            yield (
                mount,
                Owned(
                    container=order.container.name,
                    source=origin(order, mount),
                    target=order.instance.owned / order.container.name / f"{flat}.{mount.owner}",
                    owner=mount.owner,
                    outside=order.user if order.host_userns else order.ids.outside(order.container.owner_inside),
                ),
            )


def _made(order: Order) -> list[Mount]:
    """The mounts whose folder is ours to make."""
    lab = order.profile is Profile.LAB
    return [mount for mount in order.container.mounts if lab or mount.kind is SourceKind.VOLUME]


def origin(order: Order, mount: Mount) -> Path:
    """Where on the machine a mount comes from: in the lab host paths are remapped under the state folder."""
    match mount.kind:
        case SourceKind.VOLUME:
            return volume(order.instance, mount.origin)
        case SourceKind.HOST:
            path = PurePosixPath(mount.origin)
            return order.instance.bind(path) if order.profile is Profile.LAB else Path(path)
        case _:
            assert_never(mount.kind)


def volume(instance: Instance, name: str) -> Path:
    """A volume is a folder of the instance, not of podman: it outlives podman's root."""
    return instance.home / "volumes" / name


def _basics(order: Order) -> Document:
    return {
        "name": order.name,
        "hostname": order.container.name,
        "image": order.reference,
        "entrypoint": list(order.image.entrypoint),
        "command": [],
        "env": {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/"},
        "unsetenvall": True,
        "restart_policy": "always",  # by conmon's exit command: no systemd, no podman left running
        "stop_timeout": STOP_SECONDS,
        "stop_signal": int(signal.Signals[order.image.stop_signal or "SIGTERM"]),
        "log_configuration": {"driver": "k8s-file", "size": LOG_BYTES},
        "systemd": "false",
        "sdnotifyMode": "ignore",
        "umask": UMASK,
        "pidns": {"nsmode": "private"},
        "utsns": {"nsmode": "private"},
        "ipcns": {"nsmode": "none"},  # private, and without /dev/shm: what needs it declares a tmpfs there
        "cgroupns": {"nsmode": "private"},
        "manage_password": False,  # passwd is the image's: podman would mount one of its own
    }


def _storage(order: Order) -> Document:
    return {
        "image_volume_mode": "ignore",
        "init": False,
        "work_dir": "/",
        "create_working_dir": False,
        "mounts": [*_tmpfs(order), *_binds(order)],
        "devices": [{"path": str(device)} for device in order.waiver.devices] if order.waiver else [],
        "secrets": [_secret(order, secret) for secret in sorted(order.secrets)],
    }


def _tmpfs(order: Order) -> list[Document]:
    # /sys: sysfs belongs to the netns' user namespace, which is not the container's (sysfs(5)). The empty tmpfs shows
    # less than sysfs would, so it stands on every machine, under every runtime. /sys/fs/cgroup: left out, podman would
    # choose one for it, another for each version and hierarchy of cgroups (decision 033).
    empty = ["ro", "noexec", "nosuid", "nodev", "size=4k", "mode=555", "notmpcopyup"]
    hidden = [_mount("tmpfs", "tmpfs", at, empty) for at in HIDDEN]
    # U: owned by the container's user. runc gives the tmpfs the mode of the image's folder below, whatever the
    # options say; the owner it leaves alone.
    options = ["rw", "noexec", "nosuid", "nodev", f"size={TMPFS_BYTES}", "mode=755", "U", "notmpcopyup"]
    return [*hidden, *(_mount("tmpfs", "tmpfs", str(at), options) for at in sorted(order.container.tmpfs))]


def _binds(order: Order) -> list[Document]:
    given = [(str(file.path), str(file.at), False) for file in order.files]
    shown = {mount.at: each.target for mount, each in _owned(order)}
    given += [(str(shown.get(m.at, origin(order, m))), str(m.at), m.writable) for m in order.container.mounts]
    return [_bind(source, at, writable=writable) for source, at, writable in sorted(given, key=lambda g: g[1])]


def _bind(source: str, at: str, *, writable: bool) -> Document:
    # Neither rbind nor a shared propagation: what the machine mounts later below the source stays outside.
    return _mount("bind", source, at, ["bind", "rw" if writable else "ro", "noexec", "nosuid", "nodev", "private"])


def _mount(kind: str, source: str, at: str, options: list[str]) -> Document:
    return {"type": kind, "source": source, "destination": at, "options": options}


def _secret(order: Order, secret: SecretFile) -> Document:
    return {
        "Source": secret.name,
        "Target": str(secret.at),
        "UID": order.user,
        "GID": order.user,
        "Mode": SECRET_MODE,
    }


def _security(order: Order) -> Document:
    waived = order.waiver.capabilities if order.waiver else ()
    capabilities = sorted({f"CAP_{name.removeprefix('CAP_')}" for name in (*order.container.capabilities, *waived)})
    return {
        "user": f"{order.user}:{order.user}",
        "groups": [],
        "cap_drop": ["ALL"],
        "cap_add": capabilities,
        "no_new_privileges": True,
        "privileged": False,
        "read_only_filesystem": True,
    } | _userns(order)


def _userns(order: Order) -> Document:
    if order.host_userns:
        return {"userns": {"nsmode": "host"}}
    ids = [{"container_id": 0, "host_id": order.ids.base, "size": order.ids.size}]
    mappings = {"HostUIDMapping": False, "HostGIDMapping": False, "UIDMap": ids, "GIDMap": ids}
    return {"userns": {"nsmode": "private"}, "idmappings": mappings}


def _network(order: Order) -> Document:
    return {
        "netns": {"nsmode": "path", "value": str(order.netns)},
        "use_image_hosts": True,  # podman writes neither: ours are mounted, see own_files
        "use_image_resolve_conf": True,
    }


def _resources(order: Order) -> Document:
    limits = order.container.limits
    return {
        "cgroup_parent": cgroup_parent(order.instance),
        "resource_limits": {
            "memory": {"limit": limits.memory, "swap": limits.memory},  # memory and swap together: no swap
            "pids": {"limit": limits.pids},
            "cpu": {"quota": round(limits.cpus * CPU_PERIOD), "period": CPU_PERIOD},
        },
        "r_limits": [_r_limit("nofile", NOFILE), _r_limit("nproc", NPROC)],
    }


def _r_limit(kind: str, bounds: tuple[int, int]) -> Document:
    return {"type": kind, "soft": bounds[0], "hard": bounds[1]}

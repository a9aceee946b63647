"""What goes into one container, before podman's words for it: see render.container."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import assert_never

from provision.idrange import IdRange
from specs import naming
from specs.instance import Instance
from specs.model import Container, Image, Profile, Waiver, When


@dataclass(frozen=True, kw_only=True)
class Kernel:
    """What the machine offers, as far as a container's document depends on it."""

    wireguard: bool


@dataclass(frozen=True, kw_only=True, order=True)
class File:
    """A rendered file: `path` on the machine, mounted read-only at `at`; `digest` is its content's sha256."""

    path: Path
    at: PurePosixPath
    digest: str


@dataclass(frozen=True, kw_only=True, order=True)
class SecretFile:
    """A podman secret, put at `at`, readable by the container's user alone; `digest` enters the hash, only there."""

    name: str
    at: PurePosixPath
    digest: str


@dataclass(frozen=True, kw_only=True)
class Folder:
    """A folder of the machine that a mount needs."""

    path: Path
    owner: int  # uid and gid on the machine
    mode: int


@dataclass(frozen=True, kw_only=True, order=True)
class Owned:
    """A host path whose owner's files a container sees as its own user's: an id-mapped mount (decision 010)."""

    container: str
    source: Path
    target: Path  # what the container binds
    owner: int  # uid and gid on the machine
    outside: int  # uid and gid of the container's range


@dataclass(frozen=True, kw_only=True)
class Order:
    """All that goes into a container."""

    container: Container
    image: Image
    reference: str  # the image in the instance's store: localhost/<image>:<tag>
    instance: Instance
    profile: Profile
    ids: IdRange
    netns: Path  # /run/netns/<instance>.<node>; a sidecar's is that of the container it shares
    kernel: Kernel
    files: tuple[File, ...]  # with those of `own_files`
    secrets: tuple[SecretFile, ...]

    @property
    def waiver(self) -> Waiver | None:
        """The declared exception, where its condition holds."""
        declared = self.container.waiver
        return declared if declared is not None and holds(declared.when, self.kernel) else None

    @property
    def user(self) -> int:
        if self.waiver is not None and self.waiver.user is not None:
            return self.waiver.user
        return self.container.user

    @property
    def host_userns(self) -> bool:
        """Whether it runs in the initial user namespace, by a declared exception."""
        return self.waiver is not None and self.waiver.userns_host

    @property
    def name(self) -> str:
        """Podman's name for it."""
        return naming.container(self.instance.name, self.container.name)


def holds(when: When, kernel: Kernel) -> bool:
    match when:
        case When.ALWAYS:
            return True
        case When.NO_KERNEL_WIREGUARD:
            return not kernel.wireguard
        case _:
            assert_never(when)

"""What an image is made from, resolved for one family: everything that decides its bytes, and its tag."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import assert_never

from provision.errors import HostError
from provision.image import tag
from provision.image.epoch import Epochs
from specs import world
from specs.model import Estate, Image


class Family(StrEnum):
    """The host's distribution, whose signed packages the images come from (law 10)."""

    ALPINE = "alpine"
    DEBIAN = "debian"

    def suite(self, *, unstable: bool = False) -> str:
        """The release the packages come from; Alpine's is the one in the host's own /etc/apk/repositories."""
        match self:
            case Family.ALPINE:
                return "host"
            case Family.DEBIAN:
                return "sid" if unstable else "trixie"
            case _:
                assert_never(self)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    image: Image
    family: Family
    folder: Path  # where image.yaml lies, and the files it puts in
    base: Recipe | None  # its files come first
    tag: str

    @property
    def name(self) -> str:
        return self.image.name

    @property
    def packages(self) -> tuple[str, ...]:
        return dict(self.image.packages).get(self.family, ())

    @property
    def suite(self) -> str:
        return self.family.suite(unstable=self.image.unstable_reason is not None)

    @property
    def stem(self) -> str:
        """The name of its files in STATE/images: <stem>.tar, <stem>.sbom.json."""
        return f"{self.name}-{self.tag}"

    @property
    def reference(self) -> str:
        """What podman calls it."""
        return f"localhost/{self.name}:{self.tag}"


def host_family() -> Family:
    """The family of this machine, by its package manager. Raises HostError where it is neither."""
    if shutil.which("apk"):
        return Family.ALPINE
    if shutil.which("apt-get"):
        return Family.DEBIAN
    raise HostError("this machine has neither apk nor apt-get: images can be made on Alpine and on Debian alone")


def recipes(estate: Estate, family: Family, epochs: Epochs) -> tuple[Recipe, ...]:
    """The recipe of each image that a container runs here, the lab's world included; pending ones have none."""
    running = (*estate.containers, *world.containers(estate))
    wanted = sorted({estate.standing(container.image, family).name for container in running})
    return tuple(recipe(estate, name, family, epochs) for name in wanted if estate.image(name).pending is None)


def recipe(estate: Estate, name: str, family: Family, epochs: Epochs) -> Recipe:
    """The recipe of one image; reads the files it puts in. Raises KeyError for an image that is not declared.

    `epochs` says for which refreshes it and its bases were made anew.
    """
    image = estate.image(name)
    base = None if image.base is None else recipe(estate, image.base, family, epochs)
    folder = Path(estate.folder) / "images" / name
    return Recipe(
        image=image,
        family=family,
        folder=folder,
        base=base,
        tag=tag.tag(
            image,
            folder,
            family=family,
            suite=family.suite(unstable=image.unstable_reason is not None),
            base=None if base is None else base.tag,
            epoch=epochs.get(name, ""),
        ),
    )

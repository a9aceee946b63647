"""What an image.yaml may say, beside specs.raw: how an image is made; and what all shapes have in common."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from specs.model import Renderer
from specs.values import Absolute, JavaModule, Line, Name, Once, Package, Project, Relative, Sha256, Text, Version


class Raw(BaseModel):
    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, defer_build=True, alias_generator=lambda name: name.replace("_", "-")
    )


class RawPackages(Raw):
    debian: Once[Package] = []
    alpine: Once[Package] = []


class RawPinned(Raw):
    project: Project
    version: Version
    sha256: Sha256
    member: Relative
    at: Absolute


class RawPut(Raw):
    file: Relative
    at: Absolute
    executable: bool = False


class RawRender(Raw):
    renderer: Annotated[Renderer, Field(strict=False)]
    at: Absolute
    secret: bool = False


class RawJail(Raw):
    at: Absolute
    programs: Annotated[Once[Absolute], Field(min_length=1)]


class RawJlink(Raw):
    at: Absolute
    modules: Annotated[Once[JavaModule], Field(min_length=1)]


class RawStandIn(Raw):
    debian: Name | None = None
    alpine: Name | None = None


class RawImage(Raw):
    image: Name
    pending: Text | None = None
    base: Name | None = None
    packages: RawPackages = RawPackages()
    pinned: list[RawPinned] = []
    programs: Once[Absolute] = []
    keep: Once[Absolute] = []
    put: list[RawPut] = []
    render: list[RawRender] = []
    writable: Once[Absolute] = []
    entrypoint: list[Line] = []
    shell: Text | None = None
    unstable: Text | None = None
    stop_signal: Literal["SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH"] | None = None
    stand_in: RawStandIn = RawStandIn()
    stands_in_for: Text | None = None
    jail: RawJail | None = None
    jlink: RawJlink | None = None

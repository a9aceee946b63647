"""An image in the instance's store: built once for all instances, imported into each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from provision.image.recipe import Recipe
from provision.lock import reading_archives
from provision.op import Op, Phase

if TYPE_CHECKING:
    from provision.context import Context

CACHE = "cache"  # below the state folder: what was downloaded, shared by all instances


@dataclass(frozen=True, kw_only=True)
class BuildImage(Op):
    """Make the archive where it is absent (its base's as well), then import it. Several may run at once."""

    phase: ClassVar[Phase] = Phase.IMAGE
    noun: ClassVar[str] = "image"

    recipe: Recipe
    archived: bool  # whether the archive is there already: then it is only imported

    @property
    def subject(self) -> str:
        return self.recipe.name

    def describe(self) -> str:
        if self.archived:
            return f"image {self.recipe.name} (tag {self.recipe.tag}), from its archive"
        return f"image {self.recipe.name} (tag {self.recipe.tag}), made from {self._origin()}"

    def execute(self, context: Context) -> None:
        from provision.image.build import build, import_archive  # 40 ms that only a build is worth

        instance = context.instance
        with reading_archives(instance.images):
            archive = build(self.recipe, images=instance.images, cache=instance.state / CACHE)
            import_archive(self.recipe, archive, podman=context.podman)

    def _origin(self) -> str:
        base = [f"image {self.recipe.base.name}"] if self.recipe.base is not None else []
        packages = [f"{self.recipe.family} packages {' '.join(self.recipe.packages)}"] if self.recipe.packages else []
        wheels = [f"{pinned.project} {pinned.version}" for pinned in self.recipe.image.pinned]
        put = ["its own files"] if self.recipe.image.put else []
        return ", ".join([*base, *packages, *wheels, *put]) or "nothing but the skeleton"

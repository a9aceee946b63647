"""Which packages of an image the distribution has newer: the SBOM held against the index.

an image's SBOM = its base's packages + its own; each is asked for in the suite it was taken from
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from provision.facts import index
from provision.image import sbom
from provision.image.packages import Origin, Package
from provision.image.recipe import Family, Recipe

Newest = Mapping[str, Mapping[str, str]]  # suite -> package -> version
IsNewer = Callable[[str, str], bool]


@dataclass(frozen=True, kw_only=True, order=True)
class Newer:
    """A package of which the distribution has a newer version."""

    package: str
    held: str
    newest: str

    def __str__(self) -> str:
        return f"{self.package} {self.held} -> {self.newest}"


def asked(recipes: Iterable[Recipe], *, images: Path, family: Family, cache: Path) -> dict[str, tuple[Newer, ...]]:
    """Each image that is made, with the packages of its own that are old; `images` is STATE/images.

    A base's are the base's: see `whole`. Raises NoIndexError, CommandError.
    """
    held = {recipe.name: (recipe, own(recipe, images)) for recipe in with_bases(recipes)}
    names: dict[str, set[str]] = {}
    for recipe, packages in held.values():
        names.setdefault(recipe.suite, set()).update(package.name for package in packages)
    newest = {
        suite: index.newest(wanted, family=family, suite=suite, cache=cache) for suite, wanted in sorted(names.items())
    }
    return {
        name: old(packages, newest[recipe.suite], lambda there, held: index.is_newer(there, held, family))
        for name, (recipe, packages) in held.items()
    }


def old(packages: Iterable[Package], newest: Mapping[str, str], is_newer: IsNewer) -> tuple[Newer, ...]:
    """Those of `packages` that `newest` has a newer version of."""
    found = (
        Newer(package=package.name, held=package.version, newest=newest[package.name])
        for package in packages
        if package.name in newest
    )
    return tuple(sorted(newer for newer in found if is_newer(newer.newest, newer.held)))


def own(recipe: Recipe, images: Path) -> frozenset[Package]:
    """The distribution's packages that an image has beyond its base, and whose version the definition leaves open.

    None where the image is not made.
    """
    there = _packages(recipe, images)
    below = frozenset[Package]() if recipe.base is None else _packages(recipe.base, images)
    said = {name.partition("=")[0] for name in recipe.packages if "=" in name}  # apt-get(8), apk(8): name=version
    return frozenset(p for p in there - below if p.origin is not Origin.PYPI and p.name not in said)


def whole(recipe: Recipe, found: Mapping[str, tuple[Newer, ...]]) -> tuple[Newer, ...]:
    """All that is old in an image, its base's included."""
    below = () if recipe.base is None else whole(recipe.base, found)
    return tuple(sorted({*below, *found.get(recipe.name, ())}))


def with_bases(recipes: Iterable[Recipe]) -> tuple[Recipe, ...]:
    """The recipes and those they stand on, each once, by name."""
    known: dict[str, Recipe] = {}
    left = list(recipes)
    while left:
        recipe = left.pop()
        known[recipe.name] = recipe
        left += [] if recipe.base is None else [recipe.base]
    return tuple(known[name] for name in sorted(known))


def _packages(recipe: Recipe, images: Path) -> frozenset[Package]:
    path = images / f"{recipe.stem}.sbom.json"
    return frozenset(sbom.read(path)) if path.exists() else frozenset()

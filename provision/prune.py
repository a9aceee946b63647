"""Away with images that neither run nor are kept for a rollback."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from provision.context import Context
from provision.facts import container
from provision.facts import image as images
from provision.image import epoch
from provision.image.epoch import Record
from provision.image.outdated import with_bases
from provision.image.recipe import Recipe, host_family, recipes

REMOVE_SECONDS = 120.0


def prune(context: Context, record: Record) -> tuple[str, ...]:
    """Remove what the instance's store holds beyond what is in force and kept, and the archives of what is past.

    An archive is the machine's, not the instance's: it stays where any instance's store holds that image. Returns what
    is gone, by name and tag.
    """
    kept = _kept(context, record)
    used = {one.image for one in container.read(context.podman)}
    imported = images.imported(context.instance.store)
    known = {image.name for image in context.estate.images}
    stale = unneeded(imported, {*used, *(recipe.reference for recipe in kept)}, known)
    for reference in stale:
        context.podman.run("rmi", reference, timeout=REMOVE_SECONDS, on_store=True)
    held = images.everywhere(context.instance.state)
    stems = {recipe.stem for recipe in kept}
    for recipe in _past(context, record):
        if recipe.stem not in stems and recipe.reference not in held:
            _remove_archive(context, recipe)
    epoch.write(record.tidied(), context.instance.epochs)
    return tuple(reference.removeprefix("localhost/") for reference in stale)


def discard(context: Context, made: Iterable[Recipe]) -> None:
    """Remove images that were just made and are not to be used; archives where no other instance holds them."""
    known = tuple(made)
    imported = images.imported(context.instance.store)
    for reference in (recipe.reference for recipe in known if recipe.reference in imported):
        context.podman.run("rmi", reference, timeout=REMOVE_SECONDS, on_store=True)
    held = images.everywhere(context.instance.state)
    for recipe in (recipe for recipe in known if recipe.reference not in held):
        _remove_archive(context, recipe)


def unneeded(imported: Iterable[str], kept: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    """Those of `imported` that are an image of ours (its name is in `known`) and not to be kept; by name."""
    ours = ((r.removeprefix("localhost/").partition(":")[0], r) for r in imported if r.startswith("localhost/"))
    return tuple(sorted(reference for name, reference in ours if name in known and reference not in kept))


def _kept(context: Context, record: Record) -> tuple[Recipe, ...]:
    records = [record, *(record.put_back(group) for group, turn in record.groups.items() if turn.before is not None)]
    return tuple(one for each in records for one in _standing(context, each))


def _past(context: Context, record: Record) -> tuple[Recipe, ...]:
    records = [record.at(group, epochs) for group, turn in record.groups.items() for epochs in turn.past]
    return tuple(one for each in records for one in _standing(context, each))


def _standing(context: Context, record: Record) -> tuple[Recipe, ...]:
    """The recipes, bases included, as they stand in `record`."""
    return with_bases(recipes(context.estate, host_family(), record.epochs))


def _remove_archive(context: Context, recipe: Recipe) -> None:
    """The archive first: its presence says that all is there."""
    for suffix in ("tar", "sbom.json"):
        (context.instance.images / f"{recipe.stem}.{suffix}").unlink(missing_ok=True)

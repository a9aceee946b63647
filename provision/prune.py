"""Away with images that neither run nor are kept for a rollback."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from provision.context import Context
from provision.facts import container
from provision.facts import image as images
from provision.image import epoch
from provision.image.epoch import Record
from provision.image.outdated import with_bases
from provision.image.recipe import Recipe, host_family, recipe, recipes

REMOVE_SECONDS = 120.0


def prune(context: Context, record: Record) -> tuple[str, ...]:
    """Remove what the instance's store holds beyond what is in force and kept, and the archives of what is past.

    An archive is the machine's, not the instance's: it stays where any instance's store holds that image. Returns what
    is gone, by name and tag.
    """
    kept = _kept(context, record)
    gone = _unneeded(context, kept)
    _remove_images(context, gone)
    held = images.everywhere(context.instance.state)
    stems = {one.stem for one in kept}
    for past in _past(context, record):
        if past.stem not in stems and past.reference not in held:
            _remove_archive(context.instance.images, past.stem)
    epoch.write(record.tidied(), context.instance.epochs)
    return tuple(reference.removeprefix("localhost/") for reference in gone)


@dataclass(frozen=True, kw_only=True)
class Stale:
    """What nobody needs: images of the instance's store, archives of the machine."""

    references: tuple[str, ...]
    archives: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Of the archives, in bytes; the store's share is about the same."""
        return sum(path.stat().st_size for path in self.archives)


def stale(context: Context, record: Record) -> Stale:
    """What neither this instance's declaration stands on or keeps, nor any instance's store holds."""
    instance = context.instance
    kept = _kept(context, record)
    declared = [image.name for image in context.estate.images if image.pending is None]
    at = [recipe(context.estate, name, host_family(), record.epochs) for name in declared]
    references = _unneeded(context, kept)
    held = images.everywhere(instance.state, but=instance) | (images.imported(instance.store) - set(references))
    needed = {one.stem for one in (*kept, *at)} | {stem_of(reference) for reference in held}
    archives = tuple(path for path in sorted(instance.images.glob("*.tar")) if path.stem not in needed)
    return Stale(references=references, archives=archives)


def remove(context: Context, found: Stale) -> None:
    """Remove it. A kill in between leaves what the next one finds."""
    _remove_images(context, found.references)
    for path in found.archives:
        _remove_archive(context.instance.images, path.stem)


def discard(context: Context, made: Iterable[Recipe]) -> None:
    """Remove images that were just made and are not to be used; archives where no other instance holds them."""
    known = tuple(made)
    imported = images.imported(context.instance.store)
    _remove_images(context, [one.reference for one in known if one.reference in imported])
    held = images.everywhere(context.instance.state)
    for unheld in (one for one in known if one.reference not in held):
        _remove_archive(context.instance.images, unheld.stem)


def stem_of(reference: str) -> str:
    """The name of the archive that an image was imported from: localhost/<image>:<tag> -> <image>-<tag>."""
    return reference.removeprefix("localhost/").replace(":", "-")


def _unneeded(context: Context, kept: Iterable[Recipe]) -> tuple[str, ...]:
    """The images of the instance's store that no container runs and that are not `kept`; the store is ours alone."""
    used = {one.image for one in container.read(context.podman)}
    return tuple(sorted(images.imported(context.instance.store) - used - {one.reference for one in kept}))


def _kept(context: Context, record: Record) -> tuple[Recipe, ...]:
    records = [record, *(record.put_back(group) for group, turn in record.groups.items() if turn.before is not None)]
    return tuple(one for each in records for one in _standing(context, each))


def _past(context: Context, record: Record) -> tuple[Recipe, ...]:
    records = [record.at(group, epochs) for group, turn in record.groups.items() for epochs in turn.past]
    return tuple(one for each in records for one in _standing(context, each))


def _standing(context: Context, record: Record) -> tuple[Recipe, ...]:
    """The recipes, bases included, as they stand in `record`."""
    return with_bases(recipes(context.estate, host_family(), record.epochs))


def _remove_images(context: Context, references: Iterable[str]) -> None:
    for reference in references:
        context.podman.run("rmi", reference, timeout=REMOVE_SECONDS, on_store=True)


def _remove_archive(archives: Path, stem: str) -> None:
    """The archive first: its presence says that all is there."""
    for suffix in ("tar", "sbom.json"):
        (archives / f"{stem}.{suffix}").unlink(missing_ok=True)

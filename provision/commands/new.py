"""new: write a first sketch of one more container into the declaration.

Everything is written into a copy first, which must load, and mean what the declaration meant and this container;
then all of it at once (provision.together).
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from provision import sketch, together
from provision.errors import ApplyError, UsageError
from provision.say import Voice
from provision.sketch import Side, Wish
from specs import document
from specs.load import load
from specs.model import Estate
from specs.naming import NAME, NAME_RULE
from specs.problems import closest, shown

LINKS = "links.yaml"
SLIP = 0.85  # of difflib's likeness: `lighttpdd` is one of `lighttpd`, `lbmt-shop` none of `lbmt-shop-backup`


def run(options: argparse.Namespace, voice: Voice) -> int:
    folder: Path = options.estate
    before = load(folder, options.profile)
    voice.line(f"pluto: estate {before.name} ({before.folder}), profile {before.profile}")
    side = Side.PUBLIC if options.on == Side.PUBLIC else Side.PRIVATE
    wish = Wish(name=options.name, side=side, port=options.port, image=options.image or options.name)
    mistaken = _mistaken(before, options.image)
    if mistaken:
        raise UsageError(mistaken)
    texts = _texts(folder, before, wish, options.module)
    after = _tried(folder, texts, options)
    _meant(before, after, wish)
    together.write(folder, texts)
    for file in texts:
        voice.line(f"  written: {folder / file}")
    for flow in sorted(set(map(str, after.flows)) - set(map(str, before.flows))):
        voice.line(f"  {flow}")
    pending = after.image(wish.image).pending is not None
    new = f"image {wish.image} is new: " if wish.image not in {image.name for image in before.images} else ""
    voice.line(new + (f"define images/{wish.image}/image.yaml, then " if pending else "") + "see `plan`")
    return 0


def _texts(folder: Path, estate: Estate, wish: Wish, module: str) -> Mapping[str, str]:
    """The files that change, by their names in the folder, and what they then say."""
    for word in (wish.name, wish.image):
        if not re.fullmatch(NAME, word):
            raise UsageError(f"{shown(word)} is no name: {NAME_RULE}")
    if module not in (known := {one.name for one in estate.modules}):
        raise UsageError(f"no module `{module}` is declared: {closest(module, known)}")
    if wish.name in {c.name for one in estate.modules for c in one.containers}:
        raise UsageError(f"container `{wish.name}` is declared already")
    file = f"modules/{module}.yaml"
    pair, node = sketch.next_pair(estate, wish.side), sketch.hub(estate, wish.side)
    texts = {
        file: sketch.into_module(_read(folder / file), document.read(folder, file), wish),
        LINKS: sketch.into_links(_read(folder / LINKS), document.read(folder, LINKS), wish, node, pair),
    }
    if wish.image not in {image.name for image in estate.images}:
        texts[f"images/{wish.image}/image.yaml"] = sketch.image(wish)
    return texts


def _mistaken(estate: Estate, asked: str | None) -> str:
    """Why the image that is asked for by name looks like a slip of another's; "" where it does not."""
    known = [image.name for image in estate.images]
    near = difflib.get_close_matches(asked or "", known, n=1, cutoff=SLIP)
    if not near or asked in known:
        return ""
    return (
        f"no image `{asked}` is declared: did you mean `{near[0]}`? "
        f"A new image of that name is meant where there is images/{asked}/image.yaml"
    )


def _tried(folder: Path, texts: Mapping[str, str], options: argparse.Namespace) -> Estate:
    """What the declaration would mean. Raises SpecError where it would mean nothing."""
    with TemporaryDirectory(prefix="pluto-new-") as scratch:
        copy = Path(scratch) / folder.resolve().name
        shutil.copytree(folder.resolve(), copy, copy_function=os.symlink)
        for file, text in texts.items():
            (copy / file).unlink(missing_ok=True)
            (copy / file).parent.mkdir(parents=True, exist_ok=True)
            (copy / file).write_text(text, encoding="utf-8", newline="")
        return load(copy, options.profile)


def _meant(before: Estate, after: Estate, wish: Wish) -> None:
    """Raises ApplyError where the text went to a place in which it changed something else."""
    rest = [c for module in after.modules for c in module.containers if c.name != wish.name]
    wires = tuple(link for link in after.links if link.name != wish.link)
    flows = tuple(flow for flow in after.flows if flow.link != wish.link)
    images = tuple(image for image in after.images if image in before.images)
    same = rest == [c for module in before.modules for c in module.containers]
    if not (same and (wires, flows, images) == (before.links, before.flows, before.images)):
        raise ApplyError("the files are written in a way this cannot follow: nothing was changed, write it by hand")


def _read(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:  # its line ends as they are
        return file.read()

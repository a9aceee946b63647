"""YAML -> raw -> the resolved Estate.

The phases, each reporting all of its mistakes together before the next begins:

    read     the files are there and are YAML
    shape    they say what raw.py lets them say
    names    every name is told once and means something           (specs.bind)
    network  links, addresses and interface names fit together     (specs.wiring)
    flows    every flow has a way, every service a flow            (specs.claims)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from specs import bind, claims, document, wiring
from specs.document import Document
from specs.instance import DEFAULT_FOLDER
from specs.model import Bans, Estate, Flood, Headers, Person, Profile, Requests, Site, Whitelist
from specs.problems import Problem, SpecError, closest, shown
from specs.raw import SHAPES, RawEstate, RawLinks, RawModule, RawWorld
from specs.raw_image import Raw, RawImage

__all__ = ["DEFAULT_FOLDER", "Files", "load", "shape"]

T = TypeVar("T")
R = TypeVar("R", bound=Raw)


@dataclass(frozen=True, kw_only=True)
class Files:
    """The files of an estate's folder, shaped; each still knows its lines."""

    estate: tuple[Document, RawEstate]
    links: tuple[Document, RawLinks]
    world: tuple[Document, RawWorld] | None
    modules: tuple[tuple[Document, RawModule], ...]
    images: tuple[tuple[Document, RawImage], ...]


def load(folder: Path = DEFAULT_FOLDER, profile: Profile = Profile.LAB) -> Estate:
    """The estate declared in `folder`, for `profile`. Raises SpecError with all problems of a phase."""
    files = _shape(_read(folder, profile))
    said = files.estate[1]
    names = bind.bind(folder, files.modules, files.images, people=said.people)
    network = wiring.wire(files.estate, files.links, files.world, names, profile)
    estate = Estate(
        name=said.estate,
        profile=profile,
        folder=str(folder.resolve()),
        host=network.host,
        modules=names.modules,
        images=names.images,
        links=network.links,
        reserved=network.reserved,
        flows=network.flows,
        tunnel=network.tunnel,
        site=_site(said),
        people=tuple(Person(name=name, keys=tuple(sorted(one.keys))) for name, one in sorted(said.people.items())),
        whitelists=_whitelists(*files.estate),
        world=network.world,
    )
    claims.settle(estate, network.disabled)
    return estate


def _read(folder: Path, profile: Profile) -> Mapping[str, Document]:
    found = _found(folder)
    lab = ["lab.yaml"] if profile is Profile.LAB else []
    modules = [file for file in found if fnmatch(file, "modules/*.yaml")]
    images = [f"{file}/image.yaml" for file in found if fnmatch(file, "images/*") and (folder / file).is_dir()]
    wanted = ["estate.yaml", "links.yaml", *lab, *(modules or ["modules/*.yaml"]), *images]
    strays = [file for file in found if file.endswith((".yaml", ".yml")) and file not in (*wanted, "lab.yaml")]
    return _gather((*wanted, *strays), lambda file: _stray(file) if file in strays else document.read(folder, file))


def _found(folder: Path) -> list[str]:
    """What stands where declarations stand. Hidden files are an editor's own."""
    try:
        next(folder.iterdir(), None)
        paths = [
            path for pattern in ("*", "modules/*", "images/*", "images/*/image.y*ml") for path in folder.glob(pattern)
        ]
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise SpecError(
            [bind.problem(str(folder), f"no such folder: {why}", "--estate names a folder with estate.yaml")]
        ) from error
    return sorted(path.relative_to(folder).as_posix() for path in paths if not path.name.startswith("."))


def _stray(file: str) -> Document:
    hint = "there are estate.yaml, links.yaml, lab.yaml, modules/<module>.yaml and images/<image>/image.yaml"
    raise SpecError([bind.problem(file, "nothing reads this file", hint)])


def _shape(documents: Mapping[str, Document]) -> Files:
    shaped = _gather(documents, lambda file: shape(documents[file], SHAPES[_kind(file)]))

    def of(kind: type[R]) -> tuple[tuple[Document, R], ...]:
        return tuple((documents[file], raw) for file, raw in shaped.items() if isinstance(raw, kind))

    world = of(RawWorld)
    return Files(
        estate=of(RawEstate)[0],
        links=of(RawLinks)[0],
        world=world[0] if world else None,
        modules=of(RawModule),
        images=of(RawImage),
    )


def _kind(file: str) -> str:
    return {"modules": "module", "images": "image"}.get(file.split("/", maxsplit=1)[0], Path(file).stem)


def _gather(files: Iterable[str], step: Callable[[str], T]) -> dict[str, T]:
    """Every file's value. Raises SpecError with all of their problems at once."""
    values: dict[str, T] = {}
    problems: list[Problem] = []
    for file in files:
        try:
            values[file] = step(file)
        except SpecError as error:
            problems.extend(error.problems)
    if problems:
        raise SpecError(problems)
    return values


def shape(document: Document, kind: type[R]) -> R:
    """The document as `kind`. Raises SpecError with every place where it says something else."""
    try:
        return kind.model_validate(document.data)
    except ValidationError as error:
        raise SpecError([_explain(document, kind, detail) for detail in error.errors()]) from error


_WANTS = {
    "model_type": "keys with their values",
    "dict_type": "keys with their values",
    "list_type": "a list, such as [x, y]",
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
}


def _explain(document: Document, kind: type[Raw], detail: ErrorDetails) -> Problem:
    path = tuple(part for part in detail["loc"] if part != "[key]")
    key, called = (path[-1], _called(path)) if path else ("", "the file")
    match detail["type"]:
        case "extra_forbidden":
            text, hint = f"unknown key {shown(key)}", closest(str(key), _keys(kind))
        case "missing":
            text, hint = f"missing key `{key}`", f"write {key}: and its value"
        case "value_error":
            text, hint = detail["ctx"]["error"].args
        case wanted if wanted in _WANTS:
            text, hint = f"{called} wants {_WANTS[wanted]}", _mended(wanted, detail["input"])
        case _:
            text, hint = (
                f"{called} cannot be {shown(detail['input'])}",
                f"{detail['msg'][0].lower()}{detail['msg'][1:]}",
            )
    return Problem(source=document.at(*path), text=text, hint=hint)


def _called(path: tuple[str | int, ...]) -> str:
    if isinstance(path[-1], int) and len(path) > 1:
        return f"item {path[-1] + 1} of {shown(path[-2])}"
    return shown(path[-1])


def _mended(wanted: str, value: object) -> str:
    match value:
        case None:
            return "nothing is said here: write the value, or drop the key"
        case bool() | int() | float():
            return f"put it in quotes: '{value}'" if wanted == "string_type" else f"{shown(value)} stands there"
        case str():
            return f"{shown(value)} is text"
        case list():
            return "a list stands there"
        case _:
            return "keys with their values stand there"


def _keys(kind: type[Raw]) -> set[str]:
    """Every key that may stand anywhere in a file of this kind."""
    schema = kind.model_json_schema()
    tables = [schema, *schema.get("$defs", {}).values()]
    return {key for table in tables for key in table.get("properties", {})}


def _whitelists(place: Document, said: RawEstate) -> tuple[Whitelist, ...]:
    return tuple(
        Whitelist(
            name=name,
            addresses=tuple(sorted(one.addresses)),
            names=tuple(sorted(one.names)),
            source=place.at("whitelists", name),
        )
        for name, one in sorted(said.whitelists.items())
    )


def _site(said: RawEstate) -> Site:
    flood, requests, bans = said.site.flood, said.site.requests, said.site.bans
    return Site(
        edge=said.site.edge,
        hostname=said.site.hostname,
        methods=tuple(said.site.methods),
        headers=Headers(
            put=tuple(sorted(said.site.headers.put.items())), hidden=tuple(sorted(said.site.headers.hidden))
        ),
        flood=Flood(rate=flood.rate, burst=flood.burst) if flood else None,
        requests=Requests(count=requests.count, seconds=requests.seconds) if requests else None,
        bans=Bans(after=bans.after, within=bans.within, seconds=bans.seconds) if bans else None,
    )

"""People's ways in, and host keys: read from the instance's secrets folder, made where there are none (law 11).

secrets/people/<name>.key             the lab's own ssh key of a person, beside the declared ones
secrets/people/<name>.password        for web logins
secrets/<container>/<file>            a host key, where it is handed over from
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from provision import ed25519
from provision.render.wireguard import Secret
from specs.instance import Instance
from specs.model import Container, Estate, Person, Profile

PASSWORD_BYTES = 18  # 144 bits, 24 characters


@dataclass(frozen=True, kw_only=True)
class Login:
    name: str
    keys: tuple[str, ...]  # public, as authorized_keys(5) takes them
    password: Secret


@dataclass(frozen=True, kw_only=True)
class Logins:
    """Everybody's ways in, and the files that hold them; one that is new is in memory until an op writes it."""

    people: tuple[Login, ...]
    files: tuple[tuple[Path, Secret], ...]

    def of(self, container: Container) -> tuple[Login, ...]:
        """Those who may log in to `container`."""
        return tuple(login for login in self.people if login.name in container.logins)


def logins(estate: Estate, instance: Instance) -> Logins:
    """The ways in of everybody who may log in somewhere; makes what is missing, writes nothing."""
    wanted = {name for container in estate.containers for name in container.logins}
    files: dict[Path, Secret] = {}

    def held(name: str, make: Callable[[], str]) -> Secret:
        path = instance.secrets / "people" / name
        files[path] = kept(path, make)
        return files[path]

    def login(person: Person) -> Login:
        own = held(f"{person.name}.key", lambda: _person_key(person)) if estate.profile is Profile.LAB else None
        keys = (*person.keys, *([ed25519.public_line(own.reveal())] if own else []))
        return Login(name=person.name, keys=keys, password=held(f"{person.name}.password", _password))

    people = tuple(login(person) for person in estate.people if person.name in wanted)
    return Logins(people=people, files=tuple(sorted(files.items(), key=lambda item: item[0])))


def host_key(path: Path, container: Container) -> Secret:
    """The ssh host key that lies at `path`, or a new one."""
    return kept(path, lambda: ed25519.private_key(container.name))


def kept(path: Path, make: Callable[[], str]) -> Secret:
    """What the file holds, to the letter; where there is none, or an empty one that a kill left, something new."""
    try:
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        text = ""
    return Secret(text or make())


def _person_key(person: Person) -> str:
    return ed25519.private_key(f"{person.name} in the lab")


def _password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)

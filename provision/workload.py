"""Estate -> the containers there must be, with all that goes into each: files, secrets, folders, images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from provision import idrange
from provision.facts import netns
from provision.image import epoch
from provision.image.recipe import Recipe, host_family, recipes
from provision.keys import Keyring, keyring
from provision.logins import Logins, host_key, logins
from provision.ops.secret import podman_name
from provision.render import (
    caddyfile,
    cgit,
    copyparty,
    fail2ban,
    ganesha,
    haproxy,
    lighttpd,
    listen,
    navidrome,
    player,
    rcon,
    records,
    sshd,
    supysonic,
    tiles,
    whitelists,
    wireguard,
)
from provision.render.container import File, Folder, Kernel, Order, SecretFile, every_folder, own_files, owned
from provision.render.order import Owned, holds
from provision.render.wireguard import Secret, TunnelConfig
from specs import world
from specs.instance import Instance
from specs.model import Container, Estate, Image, Peer, Renderer


@dataclass(frozen=True, kw_only=True)
class WantedFile:
    """A rendered file on the machine, mounted read-only into one container."""

    path: Path
    text: str


@dataclass(frozen=True, kw_only=True)
class WantedSecret:
    """A secret file in the instance's secrets folder; `name` is podman's where a container gets it."""

    path: Path
    secret: Secret
    name: str | None


@dataclass(frozen=True, kw_only=True)
class Workload:
    """The containers to run, by name, and what they need; `waiting` are those whose image is pending.

    `tunnels` are the WireGuard devices that the kernel runs instead of a container, by node.
    """

    orders: tuple[Order, ...]
    files: tuple[WantedFile, ...]
    secrets: tuple[WantedSecret, ...]
    folders: tuple[Folder, ...]
    owned: tuple[Owned, ...]
    recipes: tuple[Recipe, ...]
    waiting: tuple[tuple[str, str], ...]  # container, why
    tunnels: Mapping[str, TunnelConfig]


@dataclass(frozen=True, kw_only=True)
class _Ways:
    """Every key and password there is."""

    tunnel: Keyring
    people: Logins

    @property
    def files(self) -> tuple[tuple[Path, Secret], ...]:
        return (*self.tunnel.files, *self.people.files)


def workload(estate: Estate, instance: Instance, kernel: Kernel) -> Workload:
    """What runs in `instance`. Reads the keys, the images' put files and epochs; writes nothing."""
    ways = _Ways(tunnel=keyring(estate, instance), people=logins(estate, instance))
    family = host_family()
    made = {recipe.name: recipe for recipe in recipes(estate, family, epoch.read(instance.epochs).epochs)}
    images = {c.name: estate.standing(c.image, family) for c in (*estate.containers, *world.containers(estate))}
    known = [c for c in (*estate.containers, *world.containers(estate)) if images[c.name].name in made]
    declared = (*(c for module in estate.modules for c in module.containers), *known)
    ids = idrange.ranges(idrange.slot(instance), (c.name for c in declared))
    orders: list[Order] = []
    files: list[WantedFile] = []
    secrets: list[WantedSecret] = [WantedSecret(path=path, secret=key, name=None) for path, key in ways.files]
    for container in (c for c in known if holds(c.runs, kernel)):
        image = images[container.name]
        own = list(_files(estate, instance, container, image, ways.people))
        kept = list(_secrets(estate, instance, container, image, ways))
        files += [file for file, _ in own]
        secrets += [secret for secret, _ in kept]
        orders.append(
            Order(
                container=container,
                image=image,
                reference=made[image.name].reference,
                instance=instance,
                profile=estate.profile,
                ids=ids[container.name],
                netns=netns.path(instance.name, container.shares or container.name),
                kernel=kernel,
                files=tuple(sorted(mounted for _, mounted in own)),
                secrets=tuple(sorted(handed for _, handed in kept)),
            )
        )
    waiting = tuple(
        (c.name, why) for c in estate.containers if holds(c.runs, kernel) and (why := images[c.name].pending)
    )
    return Workload(
        orders=tuple(orders),
        files=tuple(files),
        secrets=tuple(secrets),
        folders=every_folder(orders),
        owned=tuple(sorted(each for order in orders for each in owned(order))),
        recipes=tuple(made.values()),
        waiting=waiting,
        tunnels=wireguard.configs(estate, ways.tunnel.keys) if kernel.wireguard else {},
    )


def _files(
    estate: Estate, instance: Instance, container: Container, image: Image, people: Logins
) -> Iterator[tuple[WantedFile, File]]:
    texts = dict(own_files(container.name))
    texts |= {r.at: _text(estate, container, r.renderer, people) for r in image.rendered if not r.secret}
    for at, text in texts.items():
        path = instance.rendered / container.name / _flat(at)
        yield WantedFile(path=path, text=text), File(path=path, at=at, digest=_digest(text))


def _secrets(
    estate: Estate, instance: Instance, container: Container, image: Image, ways: _Ways
) -> Iterator[tuple[WantedSecret, SecretFile]]:
    for rendered in image.rendered:
        if rendered.secret:
            path = instance.secrets / container.name / _flat(rendered.at)
            secret = _secret(estate, container, rendered.renderer, path, ways)
            name = podman_name(container.name, rendered.at)
            handed = SecretFile(name=name, at=rendered.at, digest=_digest(secret.reveal()))
            yield WantedSecret(path=path, secret=secret, name=name), handed


# What needs nothing but the estate and the container; the other renderers need a secret or people.
_PLAIN: Mapping[Renderer, Callable[[Estate, Container], str]] = {
    Renderer.CADDYFILE: caddyfile.render,
    Renderer.FAIL2BAN: fail2ban.render,
    Renderer.GANESHA: ganesha.render,
    Renderer.HAPROXY: haproxy.render,
    Renderer.LIGHTTPD: lighttpd.render,
    Renderer.LISTEN: listen.render,
    Renderer.PLAYER: player.render,
    Renderer.TILES: tiles.render,
    Renderer.CGIT: cgit.lighttpd,
    Renderer.CGITRC: cgit.cgitrc,
    Renderer.SSHD: sshd.listen,
    Renderer.WHITELISTS: whitelists.render,
    Renderer.RECORDS: records.render,
}


def _text(estate: Estate, container: Container, renderer: Renderer, people: Logins) -> str:
    if renderer in _PLAIN:
        return _PLAIN[renderer](estate, container)
    if renderer is Renderer.AUTHORIZED_KEYS:
        return sshd.authorized((login.name, key) for login in people.of(container) for key in login.keys)
    raise ValueError(f"{renderer} is a secret: write secret: true")


def _secret(estate: Estate, container: Container, renderer: Renderer, path: Path, ways: _Ways) -> Secret:
    passwords = tuple((one.name, one.password) for one in ways.people.of(container))
    match renderer:
        case Renderer.SSH_HOST_KEY:
            return host_key(path, container)
        case Renderer.COPYPARTY:
            return copyparty.render(estate, container, passwords)
        case Renderer.NAVIDROME:
            return navidrome.render(estate, container, passwords)
        case Renderer.SUPYSONIC:
            return supysonic.render(estate, container, passwords)
        case Renderer.RCON:
            return rcon.render(ways.tunnel.rcon)
        case Renderer.WIREGUARD if container.name == estate.tunnel.hub:
            return wireguard.render_hub(estate, ways.tunnel.keys)
        case Renderer.WIREGUARD:
            return wireguard.render_peer(estate, _peer(estate, container.name), ways.tunnel.keys)
        case _:
            return Secret(_text(estate, container, renderer, ways.people))


def _peer(estate: Estate, name: str) -> Peer:
    return next(peer for peer in estate.tunnel.peers if peer.name == name)


def _flat(at: PurePosixPath) -> str:
    return str(at).strip("/").replace("/", "-")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

"""Hand secrets over to podman (law 11). An op names the file that holds the secret, never the secret."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, ClassVar

from provision.errors import ApplyError
from provision.op import Action, Op, Phase

if TYPE_CHECKING:
    from provision.context import Context
    from provision.podman import Podman


def podman_name(container: str, at: PurePosixPath) -> str:
    """The podman secret behind the file `at` of a container: `vpn-edge.etc-wireguard-wg0.conf`."""
    return f"{container}.{str(at).strip('/').replace('/', '-')}"


@dataclass(frozen=True, kw_only=True)
class HandSecret(Op):
    """Create the podman secret from its 0600 file, in place of one with other contents.

    podman copies a secret into each container at its creation: the digest is part of the container's spec hash,
    so whoever uses a new secret is made anew.
    """

    phase: ClassVar[Phase] = Phase.SECRET
    noun: ClassVar[str] = "secret"

    name: str
    path: Path  # in the instance's secrets folder, or rendered there
    changed: bool  # there is one of that name, with other contents

    @property
    def subject(self) -> str:
        return self.name

    def describe(self) -> str:
        return f"secret {self.name}" + (", its contents changed" if self.changed else "")

    def execute(self, context: Context) -> None:
        try:
            contents = self.path.read_bytes()
        except FileNotFoundError as error:
            raise ApplyError(f"secret {self.name}: {self.path} is missing; apply again, which makes it") from error
        _remove(context.podman, self.name)
        context.podman.call("POST", "/secrets/create", data=contents, name=self.name)


@dataclass(frozen=True, kw_only=True)
class RemoveSecret(Op):
    """Remove a podman secret that nothing declared uses."""

    # Beside the containers' removal, whose noun sorts first: podman refuses none, but a user should not outlive it.
    phase: ClassVar[Phase] = Phase.DROP_CONTAINER
    noun: ClassVar[str] = "secret"
    action: ClassVar[Action] = Action.REMOVE

    name: str

    @property
    def subject(self) -> str:
        return self.name

    def describe(self) -> str:
        return f"secret {self.name}"

    def execute(self, context: Context) -> None:
        _remove(context.podman, self.name)


def _remove(podman: Podman, name: str) -> None:
    podman.call("DELETE", f"/secrets/{name}", absent=True)

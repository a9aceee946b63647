"""Where an instance of an estate keeps its things: paths only, nothing is made or read here.

An instance is one realisation of an estate on a machine: the default one bears the estate's name, scratch
ones a name of their own. Two instances share nothing but the image archives, which are named by content.

    STATE/images/<image>-<tag>.tar              image archives, shared
    STATE/cache/…                               what is a function of something, and was found out once
    STATE/<instance>/rendered/<container>/…     configuration made from the specs, mounted read-only
    STATE/<instance>/host/…                     the lab's stand-in for the machine's own paths (host binds)
    STATE/<instance>/secrets/…                  0600, made on first apply
    STATE/<instance>/epochs.json                which refresh its images stand at
    STATE/<instance>/evidence/…                 what the instruments saw
    STATE/<instance>/store/…                    the images it imported, a containers-storage of their own
    STATE/<instance>/podman/…                   podman's root: containers, secrets, their layers
    RUN/<instance>/…                            podman's runroot, tmpdir and socket, the lock: gone after a boot
    RUN/<instance>/owned/<container>/…          host paths mounted once more, their owner's files as the container's
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

DEFAULT_FOLDER = Path(__file__).parent / "pluto"  # the first estate's declaration
STATE_VARIABLE = "PLUTO_STATE"
DEFAULT_STATE = Path("/var/lib/pluto")
RUN = Path("/run/pluto")
LABEL = "pluto.instance"  # on each container: the instance it belongs to
LABEL_SPEC = "pluto.spec"  # on each container: the hash of what it was made from


@dataclass(frozen=True, kw_only=True, order=True)
class Instance:
    name: str
    state: Path = DEFAULT_STATE  # the folder that holds every instance

    @property
    def home(self) -> Path:
        return self.state / self.name

    @property
    def run(self) -> Path:
        return RUN / self.name

    @property
    def images(self) -> Path:
        return self.state / "images"

    @property
    def rendered(self) -> Path:
        return self.home / "rendered"

    @property
    def secrets(self) -> Path:
        return self.home / "secrets"

    @property
    def epochs(self) -> Path:
        return self.home / "epochs.json"

    @property
    def evidence(self) -> Path:
        return self.home / "evidence"

    @property
    def podman_root(self) -> Path:
        return self.home / "podman"

    @property
    def store(self) -> Path:
        """Where podman finds images and writes none: they outlive its root (decision 032)."""
        return self.home / "store"

    @property
    def store_copies(self) -> Path:
        """Where an import unpacks before it is whole."""
        return self.store / "tmp"

    @property
    def store_run(self) -> Path:
        return self.run / "store"

    @property
    def podman_runroot(self) -> Path:
        return self.run / "podman"

    @property
    def podman_tmp(self) -> Path:
        return self.run / "tmp"

    @property
    def podman_socket(self) -> Path:
        return self.run / "podman.sock"

    @property
    def containers_conf(self) -> Path:
        return self.home / "containers.conf"

    @property
    def owned(self) -> Path:
        """Where host paths with an owner are mounted, for containers to bind: podman finds them there."""
        return self.run / "owned"

    @property
    def lock(self) -> Path:
        return self.run / "lock"

    def bind(self, path: PurePosixPath) -> Path:
        """Where the lab keeps what the estate calls the host path `path` (absolute)."""
        return self.home / "host" / path.relative_to("/")


def state_folder() -> Path:
    """The state folder in force: $PLUTO_STATE, else /var/lib/pluto."""
    return Path(os.environ.get(STATE_VARIABLE, str(DEFAULT_STATE)))

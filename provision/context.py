"""What an op may touch: one estate's instance, the kernel's namespaces, the instance's podman."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from provision.facts import netns
from provision.kernel import Kernel
from provision.podman import Podman
from specs.instance import Instance
from specs.model import Estate


@dataclass(frozen=True, kw_only=True)
class Context:
    estate: Estate
    instance: Instance
    kernel: Kernel
    podman: Podman

    def netns(self, node: str) -> Path:
        """Where the namespace of `node` is mounted."""
        return netns.path(self.instance.name, node)

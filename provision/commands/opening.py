"""What every command begins with: the estate, the instance, its podman, and the line that says which."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from provision import declaration
from provision.context import Context
from provision.errors import HostError, UsageError
from provision.kernel import Kernel, require_root
from provision.podman import Podman
from provision.say import Voice
from specs.instance import Instance, state_folder
from specs.model import Estate, Profile
from specs.naming import ESTATE_MAX, NAME, NAME_RULE


def opened(options: argparse.Namespace, voice: Voice) -> tuple[Estate, Instance]:
    """The estate and the instance the command line names, told in its first line. SpecError, UsageError, HostError."""
    estate = declaration.load(options.estate, options.profile, state_folder())
    instance = Instance(name=_instance_name(options.instance or estate.name), state=state_folder())
    voice.line(f"pluto: estate {estate.name} ({estate.folder}), profile {estate.profile}, instance {instance.name}")
    if estate.profile is Profile.METAL:
        raise HostError("the metal profile is not built yet: use --profile lab")
    return estate, instance


@contextmanager
def context(options: argparse.Namespace, voice: Voice) -> Iterator[Context]:
    """All that a command may touch; root's alone."""
    estate, instance = opened(options, voice)
    require_root()
    with Podman(instance) as podman:
        kernel = Kernel()
        try:
            yield Context(estate=estate, instance=instance, kernel=kernel, podman=podman)
        finally:
            kernel.close()


def heading(context: Context) -> dict[str, Any]:
    """What every JSON document begins with."""
    estate = context.estate
    return {"estate": estate.name, "profile": estate.profile, "instance": context.instance.name}


def _instance_name(name: str) -> str:
    """Raises UsageError for what cannot be a namespace's, a container's and a folder's name at once."""
    if not re.fullmatch(NAME, name) or len(name) > ESTATE_MAX:
        raise UsageError(f"--instance {name}: {NAME_RULE}, at most {ESTATE_MAX} of them")
    return name

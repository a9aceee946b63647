"""Names the kernel and podman see, derived from the names the owner wrote.

An interface name has at most 15 characters (IFNAMSIZ 16 with the NUL, linux/if.h); a longer link name is
shortened for the kernel and kept whole as the interface's altname (IFLA_ALT_IFNAME, up to 127 characters).
"""

from __future__ import annotations

import hashlib

NAME = r"[a-z]([a-z0-9-]*[a-z0-9])?"
NAME_RULE = "lower-case letters, digits and dashes, beginning with a letter, not ending in a dash"
IFNAME_MAX = 15
NAME_MAX = 63  # a host name's label (RFC 1035); an altname has 127, `<instance>.<node>` under /run/netns 255
ESTATE_MAX = 32  # podman refuses a runroot of more than 50 characters: /run/pluto/<instance>/podman
_DIGEST = 4  # hexadecimal digits kept of the link name's hash
INSTANCE_SEPARATOR = "."


def ifname(link: str) -> str:
    """The interface name of a link, the same at both ends: itself when it fits, else a stem and a hash."""
    if len(link) <= IFNAME_MAX:
        return link
    digest = hashlib.sha256(link.encode()).hexdigest()[:_DIGEST]
    return f"{link[: IFNAME_MAX - _DIGEST - 1]}-{digest}"


def altname(link: str) -> str | None:
    """The owner's own link name where the kernel's differs from it, else None (a name cannot stand twice)."""
    return link if len(link) > IFNAME_MAX else None


def netns(instance: str, node: str) -> str:
    """The name under /run/netns of a node's network namespace."""
    return f"{instance}{INSTANCE_SEPARATOR}{node}"


def container(instance: str, name: str) -> str:
    """The podman name of a container; roots are per instance, names tell them apart for the reader."""
    return f"{instance}{INSTANCE_SEPARATOR}{name}"

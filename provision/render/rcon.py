"""The password of a game's RCON, as its containers read it: one line.

RCON speaks in the clear on loopback alone; the password is what stands between a container that was handed the
socket and the game's console (minecraft.wiki/w/RCON).
"""

from __future__ import annotations

from provision.render.wireguard import Secret


def render(password: Secret) -> Secret:
    """The file's text."""
    return Secret(f"{password.reveal()}\n")

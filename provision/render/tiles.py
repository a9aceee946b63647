"""Estate -> lighttpd.conf of the game's map: files, and nobody keeps a picture of them (the owner's own headers)."""

from __future__ import annotations

from provision.render import lighttpd
from specs.model import Container, Estate

UNCACHED = {"Cache-Control": "no-store, no-cache, must-revalidate", "Pragma": "no-cache", "Expires": "0"}


def render(estate: Estate, container: Container) -> str:
    """The configuration of `container`. Raises ValueError when no TCP flow ends in it."""
    lines = [
        r'$HTTP["url"] =~ "\.(png|jpg|jpeg|webp|svg)$" {',
        "  setenv.set-response-header = (",
        *(f'    "{name}" => "{value}",' for name, value in UNCACHED.items()),
        "  )",
        "}",
        r'$HTTP["url"] =~ "/\." { url.access-deny = ("") }',  # what is being put in place
        'server.modules += ("mod_access")',
    ]
    return lighttpd.render(estate, container) + "\n".join(lines) + "\n"

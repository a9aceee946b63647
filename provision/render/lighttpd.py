"""Estate -> lighttpd.conf of one container: static files at the addresses its flows name, and nothing else.

Like the owner's own file it says server.tag and server.port; what else stands here is what a server on a
read-only root, without DNS and without listings, needs to be told. lighttpd serves a path only when it has a
file for it, and answers Range, If-None-Match and HEAD by itself.
"""

from __future__ import annotations

from provision.render.sockets import sockets
from specs.model import Container, Estate

DOCUMENT_ROOT = "/var/www/html"
MIME = (  # the first suffix that fits counts
    (".html", "text/html; charset=utf-8"),
    (".css", "text/css; charset=utf-8"),
    (".js", "text/javascript; charset=utf-8"),
    (".json", "application/json"),
    (".xml", "application/xml"),
    (".txt", "text/plain; charset=utf-8"),
    (".svg", "image/svg+xml"),
    (".png", "image/png"),
    (".jpg", "image/jpeg"),
    (".webp", "image/webp"),
    (".avif", "image/avif"),
    (".ico", "image/x-icon"),
    (".woff2", "font/woff2"),
    (".wasm", "application/wasm"),
    ("", "application/octet-stream"),
)


def render(estate: Estate, container: Container) -> str:
    """The configuration of `container`. Raises ValueError when no TCP flow ends in it: it would serve nobody."""
    (address, port), *further = sockets(estate, container.name)
    lines = [
        f'server.tag = "{container.name}"',
        f'server.bind = "{address}"',
        f"server.port = {port}",
        f'server.document-root = "{DOCUMENT_ROOT}"',
        'server.upload-dirs = ("/tmp")',
        'server.feature-flags += ("server.graceful-shutdown-timeout" => 5)',
        'server.modules = ("mod_setenv")',
        'setenv.set-response-header = ("Cache-Control" => "no-cache")',  # ask again: the ETag tells what changed
        'etag.use-inode = "disable"',  # an inode is the podman root's, the time stamp is the content's (assemble.py)
        'index-file.names = ("index.html")',
        "mimetype.assign = (",
        *(f'  "{suffix}" => "{kind}",' for suffix, kind in MIME),
        ")",
        *(f'$SERVER["socket"] == "{a}:{p}" {{ }}' for a, p in further),
    ]
    return "\n".join(lines) + "\n"

"""Estate -> lighttpd.conf of the music player: its static page, and /rest/ passed on to the music server.

The server is the one its own flow names, at its end of the wire between the two; nothing else is passed on, so the
server's other pages are not seen from here.
"""

from __future__ import annotations

from provision.render import lighttpd
from specs.model import Container, Estate, Protocol

API = "/rest/"  # OpenSubsonic's own prefix
# Styles and scripts are files; a song is played from memory (blob:).
POLICY = (
    "default-src 'none'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'; "
    "img-src 'self' blob:; media-src blob:; script-src 'self'; style-src 'self'"
)


def render(estate: Estate, container: Container) -> str:
    """The configuration of `container`. Raises ValueError unless exactly one TCP flow begins in it."""
    flows = [f for f in estate.flows if f.source_node == container.name and f.port.protocol is Protocol.TCP]
    if len(flows) != 1:
        raise ValueError(f"{container.name} passes {API} on to one server: {len(flows)} flows begin in it, not one")
    (flow,) = flows
    server = estate.link(flow.link).end(flow.target).address
    lines = [
        'server.modules += ("mod_proxy")',
        "server.stream-response-body = 2",  # a song goes through as it comes: no copy of it in /tmp
        "server.max-request-size = 64",  # kilobytes: questions are small
        "setenv.set-response-header += (",
        f'  "Content-Security-Policy" => "{POLICY}",',
        '  "X-Content-Type-Options" => "nosniff",',
        '  "Referrer-Policy" => "no-referrer",',
        ")",
        f'$HTTP["url"] =~ "^{API}" {{',
        f'  proxy.server = ("" => (("host" => "{server}", "port" => {flow.port.number})))',
        "}",
    ]
    return lighttpd.render(estate, container) + "\n".join(lines) + "\n"

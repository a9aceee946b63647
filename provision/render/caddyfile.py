"""Estate -> the Caddyfile of the reverse proxy.

    :80   GET, POST, HEAD for the site's name -> 308 to https; other methods 405; other names 421
    :443  other methods 405; an address that asks too often 429; the longest path first -> its leaf; no such leaf
          404; a leaf that is not there 502

What is hidden must be hidden on every answer. Deleting a header waits until the answer is written, but an
error unwinds past the handlers that wait; so each site repeats the headers in handle_errors.
"""

from __future__ import annotations

from specs.model import HOST, Container, Estate, Port, Profile, Protocol

HSTS = "Strict-Transport-Security"  # never over plain HTTP: RFC 6797, section 7.2
ACCESS_LOG = "/var/log/caddy/access.log"
STORAGE = "/data/caddy"
DIAL_SECONDS = 2
INDENT = "\t"


def render(estate: Estate, container: Container) -> str:
    """The Caddyfile of `container`, in `caddy fmt`'s own layout."""
    name = estate.site.hostname
    blocks = [
        _block("", _global(estate, container)),
        _block("(secure) ", _answer(estate, estate.site.headers.put)),
        _block("(plain) ", _answer(estate, tuple(header for header in estate.site.headers.put if header[0] != HSTS))),
        _block(f"http://{name} ", ["import plain", *_block_lines("route ", _redirect(estate))]),
        _block(f"https://{name} ", ["import secure", *_block_lines("route ", _routes(estate, container))]),
        _block("http:// ", ["import plain", "respond 421"]),
        _block("https:// ", ["import secure", "respond 421"]),
    ]
    return "\n".join(blocks)


def _global(estate: Estate, container: Container) -> list[str]:
    local = ["local_certs", "skip_install_trust"] if estate.profile is Profile.LAB else []
    return [
        "admin off",
        "persist_config off",
        f"storage file_system {STORAGE}",
        f"default_bind {_outer(estate, container.name)}",
        "auto_https disable_redirects",
        *local,
        *_block_lines(
            "servers ",
            ["protocols h1 h2", *_block_lines("timeouts ", ["read_header 10s", "read_body 60s", "idle 2m"])],
        ),
    ]


def _answer(estate: Estate, headers: tuple[tuple[str, str], ...]) -> list[str]:
    """What every answer has: the headers, and a line in the access log (0644: the report's container reads it)."""
    put = [f"{name} {_quoted(value)}" for name, value in headers]
    header = _block_lines("header ", [*put, *(f"-{name}" for name in estate.site.headers.hidden), "defer"])
    roll = ["mode 0644", "roll_size 10MiB", "roll_keep 5"]
    return [
        *_block_lines("log ", [*_block_lines(f"output file {ACCESS_LOG} ", roll), "format json"]),
        *header,
        *_block_lines("handle_errors ", [*header, "respond {err.status_code}"]),
    ]


def _redirect(estate: Estate) -> list[str]:
    return [*_denied(estate), "redir https://{host}{uri} 308"]


def _routes(estate: Estate, container: Container) -> list[str]:
    lines = [*_denied(estate), *_counted(estate, container)]
    for leaf in sorted(_leaves(estate, container), key=_longest_first):
        assert leaf.web is not None
        if leaf.web.path != "/":
            lines.append(f"redir {leaf.web.path.rstrip('/')} {leaf.web.path} 308")
        lines += _block_lines(f"handle {leaf.web.path}* ", _proxy(estate, container, leaf))
    return [*lines, "respond 404"]


def _denied(estate: Estate) -> list[str]:
    methods = estate.site.methods
    return [
        f"@denied not method {' '.join(methods)}",
        *_block_lines("handle @denied ", [f"header Allow {_quoted(', '.join(methods))}", "respond 405"]),
    ]


def _counted(estate: Estate, container: Container) -> list[str]:
    """Ask the sidecar that counts requests, by the client's address; an answer other than 2xx is the client's."""
    ports = [c.loopback for c in estate.containers if c.shares == container.name and c.loopback is not None]
    if estate.site.requests is None or not ports:
        return []
    return _block_lines(f"forward_auth 127.0.0.1:{ports[0]} ", ["uri /"])


def _proxy(estate: Estate, container: Container, leaf: Container) -> list[str]:
    assert leaf.web is not None
    address = _flow_address(estate, container, leaf)
    transport = [f"dial_timeout {DIAL_SECONDS}s", "response_header_timeout 60s", "versions 1.1"]
    return _block_lines(f"reverse_proxy {address}:{leaf.web.port} ", _block_lines("transport http ", transport))


def _leaves(estate: Estate, container: Container) -> list[Container]:
    return [c for c in estate.containers if c.web is not None and _flow_address(estate, container, c) is not None]


def _longest_first(leaf: Container) -> tuple[int, str]:
    assert leaf.web is not None
    return -len(leaf.web.path), leaf.web.path


def _flow_address(estate: Estate, container: Container, leaf: Container) -> str | None:
    """The leaf's address on the link of the flow that carries its pages from the proxy, if there is one."""
    assert leaf.web is not None
    wanted = (container.name, leaf.name, Port(protocol=Protocol.TCP, number=leaf.web.port))
    link = next((f.link for f in estate.flows if (f.source_node, f.target, f.port) == wanted), None)
    return None if link is None else str(estate.link(link).end(leaf.name).address)


def _outer(estate: Estate, edge: str) -> str:
    """The edge's own address on its link to the host."""
    return str(next(link.end(edge).address for link in estate.links if {link.a.node, link.b.node} == {edge, HOST}))


def _quoted(value: str) -> str:
    """A Caddyfile token: in quotes a backslash escapes a quote alone."""
    escaped = value.replace('"', '\\"')
    return f'"{escaped}"'


def _block_lines(head: str, lines: list[str]) -> list[str]:
    return [f"{head}{{", *(f"{INDENT}{line}" for line in lines), "}"]


def _block(head: str, lines: list[str]) -> str:
    return "\n".join(_block_lines(head, lines)) + "\n"

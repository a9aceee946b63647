"""Estate -> haproxy.cfg of the edge's sidecars, which share its namespace.

One with a `loopback` port counts requests: Caddy asks it before each one, and it answers 204, or 429 for the address
that asks too often (docs/decisions/012). Any other hands raw TCP through to the leaves that declare `stream`. Servers
are addresses and are not checked, so one that is down neither stops haproxy from starting nor makes traffic of its
own; a connection to it is closed after the connect timeout.
"""

from __future__ import annotations

from specs.model import HOST, Container, Estate, Port, Protocol

PROCESS = """\
global
    log stdout format raw local0 info
    maxconn 500
    hard-stop-after 2s
    nbthread 2
    httpclient.resolvers.disabled on    # else a `default` resolvers section is made of /etc/resolv.conf
    httpclient.ssl.verify none          # not used; else the CA folder is missed at each start
"""
STREAMS = """
defaults
    mode tcp
    log global
    option tcplog
    option clitcpka
    option srvtcpka
    retries 1
    timeout connect 3s
    timeout client 5m
    timeout server 5m
"""


def render(estate: Estate, container: Container) -> str:
    """The configuration of `container`. Raises ValueError when there is nothing for it to do."""
    return _limits(estate, container) if container.loopback is not None else _streams(estate, container)


def _limits(estate: Estate, container: Container) -> str:
    limit = estate.site.requests
    if limit is None:
        raise ValueError(f"the site limits no requests: {container.name} would have nothing to do")
    window = f"{limit.seconds}s"
    return f"""\
{PROCESS}
defaults
    mode http
    timeout connect 3s
    timeout client 1m
    timeout server 1m

frontend requests
    bind 127.0.0.1:{container.loopback}
    stick-table type ip size 100k expire {window} store http_req_rate({window})
    http-request track-sc0 hdr_ip(x-forwarded-for,-1)    # Caddy's own word: it takes none from outside
    acl too-many sc_http_req_rate(0) gt {limit.count}
    http-request return status 429 content-type text/plain string "429" hdr Retry-After {limit.seconds} if too-many
    http-request return status 204
"""


def _streams(estate: Estate, container: Container) -> str:
    edge = container.shares or container.name
    streams = [leaf for leaf in estate.containers if leaf.stream is not None and _link(estate, edge, leaf) is not None]
    if not streams:
        raise ValueError(f"no flow brings a stream from {edge} to a leaf: {container.name} would have nothing to do")
    return "\n".join([PROCESS + STREAMS, *(_proxy(estate, edge, leaf) for leaf in streams)])


def _proxy(estate: Estate, edge: str, leaf: Container) -> str:
    link = _link(estate, edge, leaf)
    assert link is not None
    leaf_address = estate.link(link).end(leaf.name).address
    return f"""\
listen {leaf.name}
    bind {_outer(estate, edge)}:{leaf.stream}
    server {leaf.name} {leaf_address}:{leaf.stream}
"""


def _link(estate: Estate, edge: str, leaf: Container) -> str | None:
    """The link of the flow that carries the leaf's stream from the edge, if there is one."""
    if leaf.stream is None:
        return None
    port = Port(protocol=Protocol.TCP, number=leaf.stream)
    return next((f.link for f in estate.flows if (f.source_node, f.target, f.port) == (edge, leaf.name, port)), None)


def _outer(estate: Estate, edge: str) -> str:
    """The edge's own address on its link to the host."""
    return str(next(link.end(edge).address for link in estate.links if {link.a.node, link.b.node} == {edge, HOST}))

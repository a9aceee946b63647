"""Estate -> jail.conf(5) of fail2ban: who is refused too often by the site's edge is put into the host's set."""

from __future__ import annotations

from provision.render.caddyfile import ACCESS_LOG
from specs.guard import BANNED
from specs.model import Container, Estate


def render(estate: Estate, container: Container) -> str:
    """The one jail. Raises ValueError when the site declares no bans."""
    bans = estate.site.bans
    if bans is None:
        raise ValueError(f"the site bans nobody: {container.name} would have nothing to do")
    inside = " ".join(str(network) for network in sorted(estate.inside))
    return f"""\
[site]
enabled = true
backend = polling
filter = caddy
logpath = {ACCESS_LOG}
logencoding = utf-8
usedns = no
ignoreip = {inside}
maxretry = {bans.after}
findtime = {bans.within}
bantime = {bans.seconds}
action = deny.py[set="{BANNED}"]
"""

"""fail2ban's action: put an address into a set of the host's ruleset, and take it out again.

The kernel ends a ban by itself (the set's timeout), so that it outlives this program, and this program's end lifts
none. One nft(8) process a ban, no shell; the address is parsed before it is written anywhere.
"""

from __future__ import annotations

import subprocess
from ipaddress import IPv4Address
from typing import Any

from fail2ban.server.action import ActionBase

SECONDS = 10.0
NFT = ("/usr/sbin/nft", "--file", "-")


def denied(name: str, address: str, seconds: int) -> str:
    """The transaction that bans `address` for so long, anew when it is banned already. ValueError for no address."""
    return f"{allowed(name, address)}add element inet pluto {name} {{ {IPv4Address(address)} timeout {seconds}s }}\n"


def allowed(name: str, address: str) -> str:
    """The transaction that lifts a ban, also one that is over already. ValueError for what is no IPv4 address."""
    there = f"element inet pluto {name} {{ {IPv4Address(address)} }}\n"
    return f"add {there}delete {there}"


class Action(ActionBase):  # type: ignore[misc] # fail2ban carries no types
    """What fail2ban calls; `set` comes from jail.conf."""

    def __init__(self, jail: Any, name: str, set: str) -> None:  # noqa: A002, ANN401 (fail2ban's own way)
        super().__init__(jail, name)
        self._set = set

    def ban(self, info: Any) -> None:  # noqa: ANN401
        _load(denied(self._set, str(info["ip"]), int(info["bantime"])))

    def unban(self, info: Any) -> None:  # noqa: ANN401
        _load(allowed(self._set, str(info["ip"])))

    def flush(self) -> bool:
        """At its end fail2ban would lift all bans: they stay, and expire. Whether that is done: it is."""
        return True


def _load(transaction: str) -> None:
    subprocess.run(NFT, input=transaction, text=True, check=True, timeout=SECONDS)


__all__ = ["Action", "allowed", "denied"]

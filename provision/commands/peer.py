"""peer: the file a WireGuard client takes, and the same as a QR code for a telephone.

The whole output is a file for wg-quick(8): what is not configuration stands in comments, the code too.
"""

from __future__ import annotations

import argparse
import io

import segno

from provision.commands import names, opening
from provision.errors import HostError
from provision.kernel import require_root
from provision.keys import keyring, of_peer
from provision.render import wg_quick
from provision.render.wireguard import Secret
from provision.say import Voice
from specs.instance import Instance
from specs.model import Estate, Peer


def run(options: argparse.Namespace, voice: Voice) -> int:
    estate, instance = opening.opened(options, voice.prefixed("# "))
    require_root()
    text = _configuration(estate, instance, names.peer(estate, options.name), options.endpoint).reveal()
    voice.line("# SECRET: whoever has this text or its picture is this peer. Keep neither; show it to the peer alone.")
    voice.line(text)
    if not options.no_qr:
        for line in qr(text).splitlines():
            voice.line(f"# {line}")
    return 0


def qr(text: str) -> str:
    """`text` as a QR code (ISO/IEC 18004) in half blocks, as a terminal with a dark ground shows it."""
    drawn = io.StringIO()
    segno.make(text, error="l", micro=False).terminal(drawn, compact=True)
    return drawn.getvalue()


def _configuration(estate: Estate, instance: Instance, peer: Peer, endpoint: str | None) -> Secret:
    ring = keyring(estate, instance)
    if ring.keys.peer(peer.name).private is None:
        raise HostError(
            f"the private key of {peer.name} is its owner's, and pluto never sees it: the owner's file wants the hub's "
            f"public key {ring.keys.public}"
        )
    missing = [path for path in of_peer(instance, peer.name) if not path.exists()]
    if missing and not instance.secrets.exists():
        raise HostError(f"there is no instance {instance.name} yet: `apply` makes it, and the tunnel's keys")
    if missing:
        raise HostError(f"there is no {missing[0]} yet: `apply` makes the tunnel's keys")
    return wg_quick.render(estate, peer, ring.keys, endpoint)

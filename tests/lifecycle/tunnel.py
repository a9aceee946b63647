"""Whose the hub's tunnel is on this machine."""

import json

from fixtures.scratch import Scratch


def in_kernel(made: Scratch) -> bool:
    """Whether vpn-edge's tunnel is a device of the kernel's own; wireguard-go's is a TUN."""
    (device,) = json.loads(made.ip("vpn-edge", "-json -details link show dev wg0"))
    return bool(device["linkinfo"]["info_kind"] == "wireguard")

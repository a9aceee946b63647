"""A change of a WireGuard device, told in its own protocol and put into netlink: the bytes are spelled out by hand."""

import sys

import pytest

from fixtures.tamper import body

LINES = (
    "listen_port=51900",
    "fwmark=7",
    f"public_key={'11' * 32}",
    "remove=true",
    f"public_key={'22' * 32}",
    "replace_allowed_ips=true",
    "allowed_ip=10.100.0.2/32",
    "allowed_ip=fd00::/8",
)
WANTED = (
    "01010000 08000200 77673000"  # WG_CMD_SET_DEVICE, version 1; WGDEVICE_A_IFNAME "wg0"
    "06000600 bcca0000 08000700 07000000"  # WGDEVICE_A_LISTEN_PORT, WGDEVICE_A_FWMARK
    "b0000880"  # WGDEVICE_A_PEERS, nested
    f"34000080 08000300 01000000 24000100 {'11' * 32} 04000980"  # WGPEER_F_REMOVE_ME, no allowed IPs
    f"78000080 08000300 02000000 24000100 {'22' * 32}"  # WGPEER_F_REPLACE_ALLOWEDIPS
    "48000980"  # WGPEER_A_ALLOWEDIPS, nested: AF_INET, AF_INET6
    "1c000080 06000100 02000000 08000200 0a640002 05000300 20000000"
    "28000080 06000100 0a000000 14000200 fd000000000000000000000000000000 05000300 08000000"
)


@pytest.mark.skipif(sys.byteorder != "little", reason="the golden bytes are a little-endian machine's")
def test_bytes() -> None:
    assert body("wg0", LINES).hex() == bytes.fromhex(WANTED).hex()

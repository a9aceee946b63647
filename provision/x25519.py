"""X25519 key pairs for WireGuard, as RFC 7748 has them; so no package is needed for a few keys made once.

Not constant-time: it runs on the owner's own machine when a key is made, never in answer to a packet.
"""

from __future__ import annotations

import base64
import secrets

SIZE = 32  # bytes, of every key
P = 2**255 - 19
A24 = 121665
BASE_POINT = 9


def private_key() -> str:
    """A new private key as WireGuard writes it (base64), clamped as `wg genkey` does."""
    return base64.b64encode(_clamped(secrets.token_bytes(SIZE))).decode()


def preshared_key() -> str:
    """A new pre-shared key, as `wg genpsk` makes it."""
    return base64.b64encode(secrets.token_bytes(SIZE)).decode()


def public_key(private: str) -> str:
    """The public key of `private`, as `wg pubkey`. Raises ValueError when `private` is no key."""
    raw = base64.b64decode(private, validate=True)
    if len(raw) != SIZE:
        raise ValueError(f"a key has {SIZE} bytes, this one {len(raw)}")
    return base64.b64encode(multiply(raw, BASE_POINT.to_bytes(SIZE, "little"))).decode()


def multiply(scalar: bytes, point: bytes) -> bytes:
    """X25519(k, u): RFC 7748, section 5, the Montgomery ladder and its names."""
    k = int.from_bytes(_clamped(scalar), "little")
    u = (int.from_bytes(point, "little") & ((1 << 255) - 1)) % P
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in reversed(range(255)):
        bit = (k >> t) & 1
        if swap != bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        x2, z2, x3, z3 = _step(u, x2, z2, x3, z3)
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, P - 2, P) % P).to_bytes(SIZE, "little")


def _step(u: int, x2: int, z2: int, x3: int, z3: int) -> tuple[int, int, int, int]:
    a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
    aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
    e = aa - bb
    return aa * bb % P, e * (aa + A24 * e) % P, (da + cb) ** 2 % P, u * (da - cb) ** 2 % P


def _clamped(scalar: bytes) -> bytes:
    return bytes([scalar[0] & 248, *scalar[1:31], (scalar[31] & 127) | 64])

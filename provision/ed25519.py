"""Ed25519 key pairs in OpenSSH's own file format, for host keys and the lab's people; no package is needed for them.

    RFC 8032, section 5.1          the keys
    OpenSSH's PROTOCOL.key         the file, without a passphrase: it is a secret of the state folder (law 11)
Not constant-time: it runs on the owner's own machine when a key is made, never in answer to a packet.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import struct
import textwrap

SIZE = 32  # bytes of a seed and of a public key
KIND = b"ssh-ed25519"
MAGIC = b"openssh-key-v1\0"
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
BASE_Y = 4 * pow(5, -1, P) % P
HEAD, TAIL = "-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----"
Point = tuple[int, int, int, int]  # extended coordinates: X, Y, Z, T = XY/Z


def private_key(comment: str) -> str:
    """A new private key file, as `ssh-keygen -t ed25519 -N ''` writes it."""
    return file_of(secrets.token_bytes(SIZE), secrets.token_bytes(4), comment)


def public_line(private: str) -> str:
    """The public key of a private key file, as authorized_keys(5) takes it. Raises ValueError when it is none."""
    lines = private.strip().splitlines()
    if not lines or lines[0] != HEAD or lines[-1] != TAIL:
        raise ValueError("no OpenSSH private key")
    blob = base64.b64decode("".join(lines[1:-1]), validate=True)
    if not blob.startswith(MAGIC):
        raise ValueError("no OpenSSH private key")
    rest = blob.removeprefix(MAGIC)
    for _ in range(3):  # cipher, kdf, the kdf's options
        _, rest = _take(rest)
    public, _ = _take(rest[4:])  # after the number of keys
    return f"{KIND.decode()} {base64.b64encode(public).decode()}"


def public_key(seed: bytes) -> bytes:
    """A = [s]B: RFC 8032, section 5.1.5."""
    half = int.from_bytes(hashlib.sha512(seed).digest()[:SIZE], "little")
    x, y, z, _ = _multiply(half & (2**254 - 8) | 2**254, _base())
    inverse = pow(z, -1, P)
    return (y * inverse % P | (x * inverse % P & 1) << 255).to_bytes(SIZE, "little")


def file_of(seed: bytes, check: bytes, comment: str) -> str:
    """The private key file of `seed`; `check` is four bytes that stand in it twice."""
    public = public_key(seed)
    shown = _string(KIND) + _string(public)
    inner = check * 2 + shown + _string(seed + public) + _string(comment.encode())
    inner += bytes(range(1, -len(inner) % 8 + 1))
    blob = MAGIC + _string(b"none") * 2 + _string(b"") + struct.pack(">I", 1) + _string(shown) + _string(inner)
    return "\n".join([HEAD, *textwrap.wrap(base64.b64encode(blob).decode(), 70), TAIL]) + "\n"


def _string(value: bytes) -> bytes:
    return struct.pack(">I", len(value)) + value


def _take(blob: bytes) -> tuple[bytes, bytes]:
    (length,) = struct.unpack_from(">I", blob)
    return blob[4 : 4 + length], blob[4 + length :]


def _base() -> Point:
    square = (BASE_Y**2 - 1) * pow(D * BASE_Y**2 + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    x = P - x if x & 1 else x
    return x, BASE_Y, 1, x * BASE_Y % P


def _multiply(scalar: int, point: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point, scalar = _add(point, point), scalar >> 1
    return result


def _add(one: Point, other: Point) -> Point:
    """RFC 8032, section 5.1.4; its formulas are complete, so they double as well."""
    (x1, y1, z1, t1), (x2, y2, z2, t2) = one, other
    a, b = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P

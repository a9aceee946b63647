"""Ed25519 keys: the test vectors of RFC 8032, section 7.1, and what ssh-keygen(1) reads out of our files."""

from pathlib import Path

import pytest

from fixtures import run
from provision import ed25519

VECTORS = {
    "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60":
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb":
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
}  # fmt: skip


@pytest.mark.parametrize("seed", VECTORS)
def test_vectors(seed: str) -> None:
    assert ed25519.public_key(bytes.fromhex(seed)).hex() == VECTORS[seed]


def test_ssh_keygen_reads_the_same(tmp_path: Path) -> None:
    private = ed25519.private_key("liam in the lab")
    path = tmp_path / "key"
    path.write_text(private)
    path.chmod(0o600)
    told = run.run(("ssh-keygen", "-y", "-f", str(path))).strip()
    assert told == f"{ed25519.public_line(private)} liam in the lab"


def test_no_two_alike() -> None:
    assert ed25519.private_key("x") != ed25519.private_key("x")


@pytest.mark.parametrize("text", ["", "hello", f"{ed25519.HEAD}\naGVsbG8=\n{ed25519.TAIL}\n"])
def test_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="no OpenSSH private key"):
        ed25519.public_line(text)

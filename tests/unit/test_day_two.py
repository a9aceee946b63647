"""The pure parts of the daily commands: a peer's file, its code, tables, ages, what an archive's names tell."""

import configparser
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import segno

from provision import x25519
from provision.arguments import parse, parser
from provision.commands import names
from provision.commands.peer import qr
from provision.errors import UsageError
from provision.image import sbom
from provision.image.inventory import inventory, leftover, shells
from provision.image.packages import Origin, Package
from provision.image.recipe import Family, recipe
from provision.render import wg_quick
from provision.render.wireguard import PeerKeys, Secret, TunnelKeys
from provision.table import age, table
from specs.load import load

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def keys(*, private: bool = True) -> TunnelKeys:
    own = x25519.private_key()
    peer = PeerKeys(
        name="phone",
        public=x25519.public_key(own),
        private=Secret(own) if private else None,
        preshared=Secret(x25519.preshared_key()),
    )
    hub = x25519.private_key()
    return TunnelKeys(public=x25519.public_key(hub), private=Secret(hub), peers=(peer,))


def test_a_peers_file() -> None:
    estate, made = load(), keys()
    phone = names.peer(estate, "phone")
    secret = wg_quick.render(estate, phone, made, endpoint="home.example")
    assert repr(secret) == str(secret) == "***"
    file = configparser.ConfigParser()
    file.optionxform = str  # type: ignore[assignment,method-assign] # wg-quick's keys as they are written
    file.read_string(secret.reveal())
    assert x25519.public_key(file["Interface"]["PrivateKey"]) == made.peer("phone").public
    assert dict(file["Interface"]) == {"PrivateKey": file["Interface"]["PrivateKey"], "Address": "10.100.0.3/32"}
    assert dict(file["Peer"]) == {
        "PublicKey": made.public,
        "PresharedKey": made.peer("phone").preshared.reveal(),
        "Endpoint": "home.example:51820",
        "AllowedIPs": "10.1.5.1/32, 10.1.6.1/32, 10.100.0.1/32",  # what its flows reach, and the hub
        "PersistentKeepalive": "25",
    }


@pytest.mark.parametrize("word", ["home.example", "home.example:443", "198.51.100.7", "198.51.100.7:51821"])
def test_endpoint(word: str) -> None:
    estate = load()
    given = parse(parser(""), ["peer", "phone", "--endpoint", word]).endpoint
    text = wg_quick.render(estate, names.peer(estate, "phone"), keys(), endpoint=given).reveal()
    assert f"\nEndpoint = {word if ':' in word else f'{word}:51820'}\n" in text


@pytest.mark.parametrize(
    "word",
    ["bad host", "", "home.example:", "home.example:0", "::1", "300.1.1.1", "a..b", "-a", "x\nPostUp = y", "a" * 64],
)
def test_what_is_no_endpoint(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(parser(""), ["peer", "phone", "--endpoint", word])
    assert ended.value.code == 64
    assert "argument --endpoint" in capsys.readouterr().err


def test_the_hosts_own_address_is_the_endpoint_where_none_is_told() -> None:
    estate = load()
    text = wg_quick.render(estate, names.peer(estate, "phone"), keys()).reveal()
    assert "\nEndpoint = 192.168.1.1:51820\n" in text


def test_no_file_where_the_owner_keeps_the_key() -> None:
    estate = load()
    with pytest.raises(ValueError, match="its owner's"):
        wg_quick.render(estate, names.peer(estate, "phone"), keys(private=False))


def test_code() -> None:
    """Every module of the code is there: two rows a line, dark ones left out of the drawing."""
    text = "[Interface]\nPrivateKey = x\n"
    drawn = qr(text).splitlines()
    width, height = segno.make(text, error="l", micro=False).symbol_size()
    assert {len(line) for line in drawn} == {width}
    assert len(drawn) == (height + 1) // 2
    assert qr(text) != qr(text + "#")


@pytest.mark.parametrize(
    ("passed", "shown"),
    [
        (timedelta(seconds=7), "7 s"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=2), "2 h"),
        (timedelta(days=40), "40 d"),
        (timedelta(seconds=-1), "0 s"),
    ],
)
def test_age(passed: timedelta, shown: str) -> None:
    assert age(NOON - passed, NOON) == shown


def test_table() -> None:
    rows = [{"a": "1", "b": "x"}, {"a": "three", "b": ""}]
    assert list(table(("a", "b"), rows)) == ["a      b", "1      x", "three"]
    assert list(table(("a",), [])) == ["a"]


def test_shells() -> None:
    found = shells(
        ["./usr/bin/dash", "bin/sh", "usr/bin/git-shell", "etc/sh", "usr/lib/bash/sleep", "usr/sbin/busybox"]
    )
    assert [str(path) for path in found] == ["/bin/sh", "/usr/bin/dash", "/usr/sbin/busybox"]


def test_inventory(tmp_path: Path) -> None:
    """A shell that the definition does not speak of is told all the same: the archive is asked."""
    estate = load()
    made = recipe(estate, "caddy", Family.DEBIAN, {})
    with tarfile.open(tmp_path / f"{made.stem}.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("usr/bin/caddy"))
        archive.addfile(tarfile.TarInfo("usr/bin/busybox"))
    package = Package(name="a", version="1", origin=Origin.DEBIAN, architecture="all", licences=(), sha256="")
    sbom.write([package], tmp_path / f"{made.stem}.sbom.json", image="caddy", tag=made.tag)
    (tmp_path / "caddy-000000000000.tar").touch()
    held = inventory(estate, tmp_path, Family.DEBIAN, {})
    caddy = next(one for one in held if one.name == "caddy")
    assert [str(path) for path in caddy.shells or ()] == ["/usr/bin/busybox"]
    assert (caddy.tag, len(caddy.packages or ())) == (made.tag, 1)
    assert next(one for one in held if one.name == "haproxy").size is None
    assert [path.name for path in leftover(held, tmp_path)] == ["caddy-000000000000.tar"]


def test_names() -> None:
    estate = load()
    assert names.place(estate, "reverse-proxy-stream") == "reverse-proxy-edge"
    assert names.place(estate, "visitor") == "visitor"
    assert names.container(estate, "laptop").name == "laptop"
    for asked in (names.place, names.container, names.peer):
        with pytest.raises(UsageError, match="is declared"):
            asked(estate, "lapptop")
    with pytest.raises(UsageError, match="did you mean `git-web`"):
        names.container(estate, "git-wib")


def test_another_programs_words_are_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    made = parser("")
    options = parse(made, ["enter", "git-web", "--all", "--", "ip", "--json", "--", "addr"])
    assert (options.name, options.all, options.rest) == ("git-web", True, ("ip", "--json", "--", "addr"))
    assert parse(made, ["enter", "git-web"]).rest == ()
    for words in (["plan", "--", "x"], ["logs", "git-web", "-n", "-1"], ["enter"]):
        with pytest.raises(SystemExit) as ended:
            parse(made, words)
        assert ended.value.code == 64
    assert "takes nothing behind --" in capsys.readouterr().err

"""OpenSubsonic's envelope around Subsonic's answers, and the sample song's own check sums."""

import hashlib
import json
import struct

import pytest

from fixtures.samples.song import song
from tests.unit.program import program

envelope = program("supysonic", "envelope.py")
ABOUT = {"type": "t", "serverVersion": "1"}


def test_json() -> None:
    body = json.dumps({"subsonic-response": {"status": "ok", "album": {"name": "Ć"}}}).encode()
    assert json.loads(envelope.as_json(body, ABOUT)) == {
        "subsonic-response": {"status": "ok", "album": {"name": "Ć"}, **ABOUT, "openSubsonic": True}
    }


def test_xml() -> None:
    album = b'<album name="a &amp; b" />'
    body = b'<subsonic-response xmlns="http://subsonic.org/restapi" status="ok">' + album + b"</subsonic-response>"
    said = envelope.as_xml(body, ABOUT).decode()
    assert said.startswith('<subsonic-response xmlns="http://subsonic.org/restapi" ')
    assert 'openSubsonic="true"' in said
    assert album.decode() in said


@pytest.mark.parametrize("body", [b"[1]", b'{"other": 1}'])
def test_what_is_no_answer_of_subsonics_stays(body: bytes) -> None:
    assert envelope.as_json(body, ABOUT) == body
    assert envelope.as_xml(b"<other />", ABOUT) == b"<other />"


def test_extensions() -> None:
    said = json.loads(envelope.extensions("1.12.0", xml=False))["subsonic-response"]
    assert said["openSubsonicExtensions"] == [{"name": "formPost", "versions": [1]}]
    told = envelope.as_xml(envelope.extensions("1.12.0", xml=True), ABOUT)
    assert b'<openSubsonicExtensions name="formPost"><versions>1</versions></openSubsonicExtensions>' in told


def crc16(content: bytes) -> int:
    """The polynomial long division itself, bit by bit (RFC 9639, section 9.3): no remainder over content and sum."""
    value = int.from_bytes(content, "big")
    for shift in range(value.bit_length() - 17, -1, -1):
        if value >> (shift + 16) & 1:
            value ^= 0x18005 << shift
    return value


def test_song_is_a_flac_whose_sums_are_right() -> None:
    made = song(artist="A", album="B", title="C", blocks=1)
    assert made == song(artist="A", album="B", title="C", blocks=1)
    start = made.index(b"\xff\xf8\xc9\x08")
    samples = struct.unpack(">4096h", made[start + 7 : start + 7 + 8192])
    assert len(made) == start + 7 + 8192 + 2
    assert crc16(made[start:]) == 0
    (md5,) = struct.unpack("16s", made[8 + 18 : 8 + 34])
    assert md5 == hashlib.md5(struct.pack("<4096h", *samples), usedforsecurity=False).digest()
    assert max(samples) == 8000

"""The whitelists' two programs: the keeper and its DNS, and the lab's resolver, which the keeper's DNS is tried on."""

import json
import struct
import sys
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from specs.whitelist import SETTLES
from tests.unit.program import program

ask = program("whitelist", "ask.py")
sys.modules["ask"] = ask  # where keep.py, inside its image, finds it
keep = program("whitelist", "keep.py")
answer = program("lab-resolver", "answer.py")
NAME = "steward.example"
ONE, TWO = IPv4Address("203.0.113.3"), IPv4Address("203.0.113.5")
INSIDE = [IPv4Network("192.168.1.0/24"), IPv4Network("10.100.0.0/24")]


def name(text: str) -> bytes:
    return b"".join(bytes((len(label),)) + label.encode() for label in text.split(".")) + b"\0"


def resource(owner: bytes, kind: int, content: bytes) -> bytes:
    return owner + struct.pack(">HHIH", kind, 1, 30, len(content)) + content


def message(*resources: bytes, flags: int = 0x8180, questions: int = 1) -> bytes:
    head = struct.pack(">HHHHHH", 7, flags, questions, len(resources), 0, 0)
    return head + name(NAME) + struct.pack(">HH", 1, 1) + b"".join(resources)


POINTER = b"\xc0\x0c"  # to the question's name
ALIAS = resource(POINTER, 5, name("home.other.example"))


def test_reads_addresses() -> None:
    found = message(resource(POINTER, 1, TWO.packed), resource(name("STEWARD.example"), 1, ONE.packed))
    assert ask.parse(found, NAME) == (ONE, TWO)


def test_follows_an_alias_and_takes_no_strangers_address() -> None:
    theirs = resource(name("evil.example"), 1, IPv4Address("192.0.2.1").packed)
    found = message(theirs, resource(name("home.other.example"), 1, ONE.packed), ALIAS)
    assert ask.parse(found, NAME) == (ONE,)


FAULTS: dict[str, tuple[bytes, str]] = {
    "no such name": (message(flags=0x8183), "no such name"),
    "a server that fails": (message(flags=0x8182), "the server fails"),
    "cut off": (message(resource(POINTER, 1, ONE.packed), flags=0x8380), "cut off"),
    "a question": (message(flags=0x0100), "is none"),
    "no address": (message(), "0 addresses"),
    "an address of another class": (message(POINTER + struct.pack(">HHIH", 1, 3, 9, 4) + ONE.packed), "0 addresses"),
    "an alias in a ring": (message(ALIAS, resource(name("home.other.example"), 5, POINTER)), "0 addresses"),
    "too many": (message(*(resource(POINTER, 1, struct.pack(">I", n)) for n in range(1 << 24, (1 << 24) + 17))), "17"),
    "a name that points to itself": (message(resource(b"\xc0\x21", 1, ONE.packed)), "no DNS message"),
    "half of it": (message(resource(POINTER, 1, ONE.packed))[:-7], "no DNS message"),
    "nothing": (b"", "no DNS message"),
}


@pytest.mark.parametrize("what", FAULTS)
def test_fault_is_told(what: str) -> None:
    content, why = FAULTS[what]
    with pytest.raises(ask.NoAnswer, match=why):
        ask.parse(content, NAME)


def test_the_two_programs_understand_each_other() -> None:
    asked, number = ask.question(NAME)
    heard = answer.answer(asked, {NAME: str(ONE)})
    assert heard[:2] == number
    assert ask.parse(heard, NAME) == (ONE,)
    for known, why in (({}, "no such name"), (None, "the server fails")):
        with pytest.raises(ask.NoAnswer, match=why):
            ask.parse(answer.answer(asked, known), NAME)


@pytest.mark.parametrize("datagram", [b"", b"\0" * 12, message(), b"\1\2" + ask.question(NAME)[0][2:20]])
def test_resolver_says_nothing_to_what_is_no_question(datagram: bytes) -> None:
    assert answer.answer(datagram, {NAME: str(ONE)}) == b""


def no_answer(_: str) -> tuple[IPv4Address, ...]:
    raise ask.NoAnswer("the server fails")


def test_record_of_a_name() -> None:
    """First known, unchanged, changed, failing, failing again, back."""
    first = keep.asked({}, [NAME], lambda _: (ONE,), lambda: 100.0)
    assert first[NAME] == {
        "addresses": [str(ONE)], "before": [], "since": 100.0, "asked": 100.0, "good": 100.0, "failed": None
    }  # fmt: skip
    same = keep.asked(first, [NAME], lambda _: (ONE,), lambda: 110.0)
    assert same[NAME] == first[NAME] | {"asked": 110.0, "good": 110.0}
    moved = keep.asked(same, [NAME], lambda _: (TWO,), lambda: 120.0)
    assert moved[NAME] == first[NAME] | {
        "addresses": [str(TWO)], "before": [str(ONE)], "since": 120.0, "asked": 120.0, "good": 120.0
    }  # fmt: skip
    failing = keep.asked(moved, [NAME], no_answer, lambda: 130.0)
    assert failing[NAME] == moved[NAME] | {"asked": 130.0, "failed": "the server fails"}
    assert keep.asked(failing, [NAME], lambda _: (TWO,), lambda: 140.0)[NAME]["failed"] is None


def test_change_is_dated_when_it_is_answered() -> None:
    """However long the answer took: from then on the sets have their seconds to follow (specs.whitelist.SETTLES)."""
    clock = iter((100.0, 104.0))
    found = keep.asked({}, [NAME], lambda _: (ONE,), lambda: next(clock))
    assert (found[NAME]["since"], found[NAME]["asked"], found[NAME]["good"]) == (104.0, 104.0, 104.0)


def test_record_of_a_name_that_never_answered_and_of_one_declared_no_more() -> None:
    found = keep.asked({"old.example": {"addresses": [str(ONE)]}}, [NAME], no_answer, lambda: 100.0)
    assert set(found) == {NAME}
    assert found[NAME]["addresses"] == []
    assert found[NAME]["good"] is None


def test_failure_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    entries = keep.asked({}, [NAME], no_answer, lambda: 1.0)
    keep.asked(entries, [NAME], no_answer, lambda: 2.0)
    assert capsys.readouterr().out.splitlines() == [f"whitelist: {NAME}: the server fails; it keeps nothing"]


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "192.168.1.7", "169.254.1.1"]
)
def test_name_opens_nothing_that_is_not_of_the_internet(address: str) -> None:
    with pytest.raises(ask.NoAnswer, match="no address of the internet"):
        keep.outer((ONE, IPv4Address(address)), INSIDE)


def test_transaction_changes_only_what_differs() -> None:
    assert keep.transaction("s", {ONE}, {ONE}) == ""
    assert keep.transaction("s", {ONE}, {TWO}) == (
        "delete element inet pluto s { 203.0.113.3 }\nadd element inet pluto s { 203.0.113.5 }\n"
    )


def test_set_that_nft_does_not_change_is_told_and_tried_again_soon(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before it counts as drift, and so do the sets that are looked at: a set that lags is right within SETTLES."""
    sets = {"s": {"addresses": [str(ONE)], "names": []}}
    said = {"list": json.dumps({"nftables": [{"set": {"name": "s"}}]})}

    def nft(*words: str, stdin: str | None = None) -> str:
        if stdin is None:
            return said["list"]
        raise keep.subprocess.CalledProcessError(1, words, stderr="busy")

    monkeypatch.setattr(keep, "nft", nft)
    assert not keep.keep(sets, {}, INSIDE)
    assert capsys.readouterr().out == "whitelist: s is as it was: busy\n"
    said["list"] = json.dumps({"nftables": [{"set": {"name": "s", "elem": [str(ONE)]}}]})
    assert keep.keep(sets, {}, INSIDE)
    assert 2 * keep.SOON < SETTLES
    assert keep.LOOK + keep.SOON < SETTLES


def test_reads_nfts_listing() -> None:
    """Also one with a life of its own, which somebody put there by hand."""
    elements = ["203.0.113.3", {"elem": {"val": "203.0.113.5", "timeout": 60}}]
    text = json.dumps({"nftables": [{"metainfo": {}}, {"set": {"name": "s", "elem": elements}}]})
    assert keep.listed(text) == {ONE, TWO}
    assert keep.listed(json.dumps({"nftables": [{"set": {"name": "s"}}]})) == set()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"names": []}', '{"names": {"a": {}}}', '{"names": {"a": 3}}',
                                  '{"names": {"a": {"addresses": ["x"]}}}'])  # fmt: skip
def test_record_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "record.json").write_text(text)
    assert keep.read(tmp_path / "record.json") == {}
    assert keep.read(tmp_path / "absent.json") == {}


def test_record_round_trip(tmp_path: Path) -> None:
    entries = keep.asked({}, [NAME], lambda _: (ONE,), lambda: 100.0)
    keep.write(tmp_path / "record.json", entries)
    assert keep.read(tmp_path / "record.json") == entries
    assert [path.name for path in tmp_path.iterdir()] == ["record.json"]

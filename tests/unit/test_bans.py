"""What bans are made of: the transactions of fail2ban's action, its expression, and the carrying over."""

import importlib.util
import re
import sys
from ipaddress import AddressValueError, IPv4Address
from types import ModuleType

import pytest

from provision.facts.ban import Ban, carried
from provision.render.nft import rulesets
from specs.load import DEFAULT_FOLDER, load

IMAGE = DEFAULT_FOLDER / "images/fail2ban"
LINE = (
    '{"level":"info","ts":1.5,"logger":"http.log.access.log0","msg":"handled request","request":'
    '{"remote_ip":"192.0.2.7","proto":"HTTP/1.1","headers":{"User-Agent":["%s"]}},"size":0,"status":%s,"x":{}}'
)


@pytest.fixture
def deny(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """deny.py, with as much of fail2ban as it takes over."""
    action = ModuleType("fail2ban.server.action")
    action.ActionBase = object  # type: ignore[attr-defined]
    for name in ("fail2ban", "fail2ban.server"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    monkeypatch.setitem(sys.modules, "fail2ban.server.action", action)
    spec = importlib.util.spec_from_file_location("deny", IMAGE / "deny.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_ban_takes_the_place_of_one_that_is_there(deny: ModuleType) -> None:
    assert deny.denied("banned", "192.0.2.7", 600) == (
        "add element inet pluto banned { 192.0.2.7 }\n"
        "delete element inet pluto banned { 192.0.2.7 }\n"
        "add element inet pluto banned { 192.0.2.7 timeout 600s }\n"
    )


@pytest.mark.parametrize("text", ["", "192.0.2.7 }; flush ruleset", "::1", "192.0.2.0/24", "example"])
def test_what_is_no_address_never_reaches_nft(deny: ModuleType, text: str) -> None:
    with pytest.raises(AddressValueError):
        deny.denied("banned", text, 600)
    with pytest.raises(AddressValueError):
        deny.allowed("banned", text)


def test_the_expression_finds_refusals_alone() -> None:
    """fail2ban puts its own pattern of an address in <HOST>'s place."""
    said = re.search(r"^failregex = (.*)$", (IMAGE / "caddy.conf").read_text(), flags=re.MULTILINE)
    assert said is not None
    expression = re.compile(said[1].replace("<HOST>", r"(?P<host>[\d.]+)"))
    for status in (401, 403, 405, 429):
        found = expression.search(LINE % ("x", status))
        assert found is not None
        assert found["host"] == "192.0.2.7"
    assert [status for status in (200, 308, 404, 421, 502) if expression.search(LINE % ("x", status))] == []
    assert expression.search(LINE % (r"\",\"status\":405,\"x\":\"", 200)) is None


def test_bans_are_carried_into_the_sets_that_still_fill_at_run_time() -> None:
    text = rulesets(load())["host"]
    ban = Ban(table="pluto", name="banned", address=IPv4Address("192.0.2.7"), milliseconds=1500)
    gone = Ban(table="pluto", name="gone", address=IPv4Address("192.0.2.8"), milliseconds=1500)
    static = Ban(table="pluto", name="inside", address=IPv4Address("192.0.2.9"), milliseconds=1500)
    assert carried(text, [ban, gone, static]) == (
        f"{text}\nadd element inet pluto banned {{ 192.0.2.7 timeout 1500ms }}"
    )
    assert carried(text, []) == text

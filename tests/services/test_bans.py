"""fail2ban: who is refused too often is kept out of the site, by the kernel, for a while; nobody else is."""

from collections.abc import Callable

import pytest

from fixtures.bans import Bans
from fixtures.wait import wait
from fixtures.web import Browser
from specs.model import Estate
from tests.services.conftest import Stranger

SECONDS = 15.0  # fail2ban polls the log every second or two
# What a client may write into its User-Agent to look like a refusal in Caddy's log, or like somebody else's.
INJECTIONS = (
    '","status":405,"x":"',
    '"status":405,',
    '\\","status":405,"x":"',
    '"}},"status":405}',
    '","request":{"remote_ip":"203.0.113.1","status":405,"x":"',
)
Strangers = Callable[[str], Stranger]


def test_hammerer_is_banned_and_let_in_again(visitor: Browser, stranger: Strangers, bans: Bans, estate: Estate) -> None:
    """From the refusals on nothing of it passes, while others go on; once the ban is lifted it is a visitor again."""
    hammerer, limit = stranger("phone"), estate.site.bans
    assert limit is not None
    assert hammerer.browser.ask("/").status == 200
    assert set(hammerer.browser.statuses("/", limit.after, method="PUT")) == {405}
    wait(lambda: hammerer.address in bans.held(), what=f"{hammerer.address} banned", seconds=SECONDS)
    with pytest.raises(TimeoutError):
        hammerer.browser.ask("/")
    assert visitor.ask("/").status == 200
    bans.lift(hammerer.address)
    assert hammerer.address not in bans.held()
    assert hammerer.browser.ask("/").status == 200


def test_injected_user_agent_bans_nobody(stranger: Strangers, bans: Bans, estate: Estate) -> None:
    """The control: a hammerer that comes after it is banned, so the log was read all the while."""
    writer, hammerer, limit = stranger("laptop"), stranger("phone"), estate.site.bans
    assert limit is not None
    before = bans.held()
    for agent in INJECTIONS:
        assert set(writer.browser.statuses("/", limit.after, agent=agent)) == {200}
    hammerer.browser.statuses("/", limit.after, method="PUT")
    wait(lambda: hammerer.address in bans.held(), what=f"{hammerer.address} banned", seconds=SECONDS)
    assert bans.held() - before == {hammerer.address}
    assert writer.browser.ask("/").status == 200

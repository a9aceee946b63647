"""frangisk: a killed process is back, and does its work for its client, within 10 s; nobody but conmon acts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.netns import named
from fixtures.scratch import Scratch
from fixtures.shop import Customer, let_this_second_pass, rows
from fixtures.wait import wait
from fixtures.web import Browser
from tests.lifecycle.killed import Work, dies_and_works_again

AUTHORITY = "volumes/caddy-data/caddy/pki/authorities/local/root.crt"
COPIES = "host/zfs/storage/fotografija/shop"


def visitor(made: Scratch) -> Browser:
    return Browser(
        netns=named(made.netns("visitor")),
        address=str(made.estate.host.address),
        hostname=made.estate.site.hostname,
        authority=made.instance.home / AUTHORITY,
    )


def page(path: str) -> Callable[[Scratch], Work]:
    """Whether a visitor sees the page."""
    return lambda _: lambda made: visitor(made).ask(path).status == 200


def sells(made: Scratch) -> Work:
    """An order that was placed before is still there, and another one is taken."""
    customer = Customer(visitor(made))
    old = customer.order("zine", 1, "Before", "Dock 3")

    def work(_: Scratch) -> bool:
        if customer.see("").status != 200:
            return False
        new = customer.order("zine", 1, "After", "Dock 3")
        return all(customer.see(f"order/{each}").status == 200 for each in (old, new))

    return work


def copies(made: Scratch) -> Work:
    """There is a copy that was not there before, whole. Its first one may have to wait for the shop's database."""
    folder = made.instance.home / COPIES
    wait(lambda: any(folder.glob("*.sqlite3")), what="the first copy", seconds=20)
    before = set(folder.glob("*.sqlite3"))
    let_this_second_pass(folder)

    def work(_: Scratch) -> bool:
        return any(sound(path) for path in set(folder.glob("*.sqlite3")) - before)

    return work


def sound(path: Path) -> bool:
    return rows(path, "PRAGMA integrity_check") == [("ok",)]


CONTAINERS: dict[str, Callable[[Scratch], Work]] = {
    "lbmt-darkroom": page("/"),
    "lbmt-weblog": page("/blog/"),
    "lbmt-shop": sells,
    "lbmt-shop-backup": copies,
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_killed_serves_again(whole: Scratch, name: str) -> None:
    dies_and_works_again(whole, name, CONTAINERS[name](whole))

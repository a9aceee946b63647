"""What the containers of frangisk do: pages for a visitor, an order in the shop, and a copy of its database."""

from pathlib import Path

from fixtures.scratch import Scratch
from fixtures.shop import Customer, let_this_second_pass, rows
from fixtures.wait import wait
from tests.lifecycle.killed import Prepare, Work
from tests.lifecycle.work.browse import page, web

COPIES = "host/zfs/storage/fotografija/shop"


def sells(made: Scratch, _folder: Path) -> Work:
    """An order that was placed before is still there, and another one is taken."""
    customer = Customer(web(made))
    old = customer.order("zine", 1, "Before", "Dock 3")

    def work(_: Scratch) -> bool:
        if customer.see("").status != 200:
            return False
        new = customer.order("zine", 1, "After", "Dock 3")
        return all(customer.see(f"order/{each}").status == 200 for each in (old, new))

    return work


def copies(made: Scratch, _folder: Path) -> Work:
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


WORK: dict[str, Prepare] = {
    "lbmt-darkroom": page("/"),
    "lbmt-weblog": page("/blog/"),
    "lbmt-shop": sells,
    "lbmt-shop-backup": copies,
}

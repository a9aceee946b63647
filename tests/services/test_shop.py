"""The shop and its backup: a visitor orders, the copy holds the order, and what is restored from it is the same."""

import re
import shutil
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fixtures import container
from fixtures.netns import inside
from fixtures.shop import Customer, dump, let_this_second_pass, restock, rows
from fixtures.wait import wait
from fixtures.web import Browser
from specs.instance import Instance
from specs.model import Estate
from tests.services.conftest import interfaces

ORDERS = 90  # of two requests each: fewer than one address may ask in ten seconds
ADDRESS = "Dock 3\nOld <Harbour> & Co"


@pytest.fixture
def customer(visitor: Browser) -> Customer:
    return Customer(visitor)


@pytest.fixture
def database(instance: Instance) -> Path:
    return instance.home / "volumes/lbmt-shop-database/shop.sqlite3"


@pytest.fixture(autouse=True)
def stocked(database: Path) -> None:
    restock(database, "zine", 2 * ORDERS)


@pytest.fixture
def copies(instance: Instance) -> Path:
    return instance.home / "host/zfs/storage/fotografija/shop"


def new_copy(instance: Instance, copies: Path) -> Path:
    """Let the backup begin anew, which makes it copy; the copy."""
    before = set(copies.glob("*.sqlite3"))
    let_this_second_pass(copies)
    container.kill(instance, "lbmt-shop-backup")
    found: list[Path] = []

    def there() -> bool:
        found[:] = sorted(set(copies.glob("*.sqlite3")) - before)
        return bool(found)

    wait(there, what=f"a new copy in {copies}")
    return found[-1]


def test_catalogue(customer: Customer) -> None:
    page = customer.see()
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    goods = re.findall(rb'href="/shop/item/([a-z-]+)"', page.body)
    assert b"zine" in goods
    assert [customer.see(f"item/{slug.decode()}").status for slug in goods] == [200] * len(goods)


def test_order(customer: Customer) -> None:
    """From the catalogue to the order's own page; the cart is empty afterwards."""
    reference = customer.order("zine", 2, "Ana <b>Ić", ADDRESS)
    page = customer.see(f"order/{reference}").body.decode()
    assert "Ana &lt;b&gt;Ić" in page
    assert "Old &lt;Harbour&gt; &amp; Co" in page
    assert "24.00 €" in page
    assert "<b>" not in page
    assert b"The cart is empty" in customer.see("cart").body


def test_cart_is_its_owners_alone(customer: Customer, visitor: Browser) -> None:
    assert customer.post("cart", slug="zine", count="3").status == 303
    assert b"36.00" in customer.see("cart").body
    assert b"36.00" not in Customer(visitor).see("cart").body
    cookie = visitor.ask("/shop/cart", method="POST", body=b"slug=zine&count=1", headers=FORM).headers["set-cookie"]
    assert {"HttpOnly", "Secure", "SameSite=Strict", "Path=/shop/"} <= set(cookie.split("; "))


def test_no_more_is_sold_than_there_is(customer: Customer, database: Path) -> None:
    """Eight prints, nine asked for: nothing is sold, nothing is taken from the stock."""
    left = rows(database, "SELECT stock FROM goods WHERE slug = 'ferry-print'")
    customer.post("cart", slug="ferry-print", count="9")
    answer = customer.post("order", name="Ana", address="Dock 3")
    assert answer.status == 409
    assert b"not enough left of: The last ferry" in answer.body
    assert rows(database, "SELECT stock FROM goods WHERE slug = 'ferry-print'") == left


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REFUSED = {
    "nothing-like-it": ("cart", FORM, b"slug=none&count=1", 400),
    "count": ("cart", FORM, b"slug=zine&count=1000000", 400),
    "negative": ("cart", FORM, b"slug=zine&count=-1", 400),
    "twice": ("cart", FORM, b"slug=zine&count=1&count=2", 400),
    "not-utf-8": ("cart", FORM, b"slug=%ff&count=1", 400),
    "too-large": ("cart", FORM, b"slug=" + b"a" * 9000, 413),
    "json": ("cart", {"Content-Type": "application/json"}, b"{}", 415),
    "no-cart": ("order", FORM, b"name=a&address=b", 409),
    "no-name": ("order", FORM, b"name=&address=b", 400),
    "long-name": ("order", FORM, b"address=b&name=" + b"a" * 101, 400),
    "control": ("order", FORM, b"name=a%00&address=b", 400),
    "not-here": ("", FORM, b"", 405),
    "no-page": ("none", FORM, b"", 404),
    "outside": ("../shop.sqlite3", FORM, b"", 404),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(visitor: Browser, case: str) -> None:
    below, headers, body, status = REFUSED[case]
    assert visitor.ask(f"/shop/{below}", method="POST", headers=headers, body=body).status == status


def test_order_then_backup_then_restore(
    customer: Customer, instance: Instance, database: Path, copies: Path, tmp_path: Path
) -> None:
    """The copy is one sound file, the same to the last row; a database restored from it shows the order."""
    reference = customer.order("zine", 1, "Restored", ADDRESS)
    copy = new_copy(instance, copies)
    assert re.fullmatch(r"shop-\d{8}T\d{6}Z\.sqlite3", copy.name)
    assert dump(copy) == dump(database)
    restored = tmp_path / "shop.sqlite3"
    shutil.copy(copy, restored)
    assert rows(restored, "PRAGMA integrity_check") == [("ok",)]
    assert rows(restored, "PRAGMA journal_mode") == [("delete",)]  # one file holds all
    assert (reference, "Restored", ADDRESS, 1200) in rows(
        restored, "SELECT reference, name, address, cents FROM orders"
    )
    assert [path.name for path in copies.iterdir() if path.suffix != ".sqlite3"] == []


def test_backup_under_write_load(instance: Instance, visitor: Browser, database: Path, copies: Path) -> None:
    """While orders come in, a copy is of one moment: what was sold is what was ordered, line by line."""
    buy = "zine"

    def shop(number: int) -> None:
        Customer(visitor).order(buy, 1, f"Load {number}", "Dock 3")

    before = int(str(rows(database, "SELECT count(*) FROM orders")[0][0]))
    with ThreadPoolExecutor(4) as pool:
        orders = [pool.submit(shop, number) for number in range(ORDERS)]
        wait(lambda: sum(each.done() for each in orders) >= 5, what="the first orders")
        copy = new_copy(instance, copies)
        pending = sum(not each.done() for each in orders)
        for each in orders:
            each.result()
    assert pending > 0, "the orders were over before the copy was: no load"
    assert rows(copy, "PRAGMA integrity_check") == [("ok",)]
    ((held,),) = rows(copy, "SELECT count(*) FROM orders")
    assert before + 5 <= int(str(held)) < before + ORDERS
    sold = "SELECT slug, sold FROM goods WHERE sold ORDER BY slug"
    assert rows(copy, sold) == rows(copy, "SELECT slug, sum(count) FROM order_lines GROUP BY slug ORDER BY slug")
    lines = "SELECT sum(count * l.cents) FROM order_lines l WHERE l.reference = o.reference"
    assert rows(copy, f"SELECT * FROM orders o WHERE cents IS NOT ({lines})") == []  # noqa: S608 (no value in it)


def test_backup_sees_the_database_read_only_and_no_network(instance: Instance, place: Callable[[str], Path]) -> None:
    """The kernel's own word: its mount is read-only (the shop's is not), its namespace has the loopback alone."""
    assert mode(instance, "lbmt-shop-backup") == "ro"
    assert mode(instance, "lbmt-shop") == "rw"
    assert interfaces(place("lbmt-shop-backup")) == {"lo"}
    assert interfaces(place("lbmt-shop")) > {"lo"}


def mode(instance: Instance, name: str) -> str:
    lines = Path(f"/proc/{container.pid(instance, name)}/mounts").read_text().splitlines()
    return next(fields[3].split(",")[0] for line in lines if (fields := line.split())[1] == "/srv/shop")


def test_shop_is_not_there_for_the_visitor(estate: Estate, visitor: Browser, place: Callable[[str], Path]) -> None:
    """What the edge may ask (the control), neither the visitor nor a peer may, although they know the address."""
    leaf = (str(estate.link("pub-lbmt-shop").end("lbmt-shop").address), 8080)
    inside(place("reverse-proxy-edge"), lambda: socket.create_connection(leaf, timeout=5).close())
    for node in ("visitor", "laptop"):
        with pytest.raises(OSError, match=r"timed out|unreachable"):
            inside(place(node), lambda: socket.create_connection(leaf, timeout=0.5).close())

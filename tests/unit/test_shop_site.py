"""The shop's program itself, called as a WSGI server calls it."""

import importlib
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from wsgiref.util import setup_testing_defaults

import pytest

from specs.load import DEFAULT_FOLDER

PROGRAM = DEFAULT_FOLDER / "images/lbmt-shop/program"
Ask = Callable[..., tuple[str, dict[str, str], str]]


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], ModuleType]]:
    """Modules of the shop, by name; they are no part of our packages."""
    monkeypatch.syspath_prepend(PROGRAM)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield lambda name: importlib.import_module(f"shop.{name}")
    for name in [name for name in sys.modules if name == "shop" or name.startswith("shop.")]:
        del sys.modules[name]


@pytest.fixture
def ask(shop: Callable[[str], ModuleType], tmp_path: Path) -> Iterator[Ask]:
    """Ask a shop of one good, whose name is markup."""
    store = shop("store").Store(tmp_path / "shop.sqlite3")
    store.prepare([shop("goods").Good("tag", "<b>Tag", "“A & B”", 250, 3)])
    site = shop("site").Site(store, "/shop/")

    def asked(path: str, form: str | None = None, method: str = "GET", **more: str) -> tuple[str, dict[str, str], str]:
        environ: dict[str, object] = {"PATH_INFO": path, "REQUEST_METHOD": "POST" if form is not None else method}
        if form is not None:
            body = form.encode()
            environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": FORM}
        setup_testing_defaults(environ)
        said: list[tuple[str, dict[str, str]]] = []
        answer = site(environ | more, lambda status, headers: said.append((status, dict(headers))))
        return *said[0], b"".join(answer).decode()

    yield asked
    store._keeper.close()


FORM = "application/x-www-form-urlencoded"


def test_names_are_escaped(ask: Ask) -> None:
    for path in ("/shop/", "/shop/item/tag"):
        status, _, text = ask(path)
        assert status == "200 OK"
        assert "&lt;b&gt;Tag" in text
        assert "<b>" not in text


def test_head_has_the_size_and_no_body(ask: Ask) -> None:
    _, headers, text = ask("/shop/")
    assert ask("/shop/", method="HEAD") == ("200 OK", headers, "")
    assert headers["Content-Length"] == str(len(text.encode()))


def test_stock_goes_down_and_an_order_is_all_or_nothing(ask: Ask) -> None:
    _, headers, _ = ask("/shop/cart", "slug=tag&count=2")
    cookie = headers["Set-Cookie"].partition(";")[0]
    status, headers, _ = ask("/shop/order", "name=A&address=B", HTTP_COOKIE=cookie)
    assert status == "303 See Other"
    assert "2 &times; &lt;b&gt;Tag 5.00 €" in ask(headers["Location"])[2]
    ask("/shop/cart", "slug=tag&count=2", HTTP_COOKIE=cookie)
    status, _, text = ask("/shop/order", "name=A&address=B", HTTP_COOKIE=cookie)
    assert status == "409 Conflict"
    assert "There is not enough left of: &lt;b&gt;Tag." in text
    assert ", 1 left" in ask("/shop/item/tag")[2]


@pytest.mark.parametrize("cookie", ["cart=short", "cart=" + "<" * 32, "cart", "a=b; c", 'cart="\\'])
def test_a_cookie_that_is_none_of_ours_opens_no_cart(ask: Ask, cookie: str) -> None:
    status, _, text = ask("/shop/cart", HTTP_COOKIE=cookie)
    assert status == "200 OK"
    assert "The cart is empty" in text


@pytest.mark.parametrize("path", ["/", "/shop", "/shop/none", "/shop/item/none", "/shop/order/none", "/shop/cart/x"])
def test_no_such_page(ask: Ask, path: str) -> None:
    assert ask(path)[0] == "404 Not Found"


@pytest.mark.parametrize("length", ["", "-1", "1e3", "²", "9" * 400])
def test_a_length_that_is_none(ask: Ask, length: str) -> None:
    assert ask("/shop/cart", "slug=tag&count=1", CONTENT_LENGTH=length)[0].partition(" ")[0] in ("411", "413")


def test_what_is_sold_out_takes_nothing_else_along(shop: Callable[[str], ModuleType], tmp_path: Path) -> None:
    """Of two goods the second is not there: the first stays in the stock, and both in the cart."""
    store = shop("store").Store(tmp_path / "shop.sqlite3")
    good = shop("goods").Good
    store.prepare([good("a", "A", "", 100, 5), good("b", "B", "", 100, 1)])
    store.put("cart", "a", 1)
    store.put("cart", "b", 2)
    with pytest.raises(shop("store").SoldOut, match="B"):
        store.order("cart", "A", "B")
    assert {each.slug: each.stock for each in store.goods()} == {"a": 5, "b": 1}
    assert [(line.slug, line.count) for line in store.cart("cart")] == [("a", 1), ("b", 2)]
    store._keeper.close()


def test_what_is_no_longer_offered_keeps_its_orders(shop: Callable[[str], ModuleType], tmp_path: Path) -> None:
    store = shop("store").Store(tmp_path / "shop.sqlite3")
    good = shop("goods").Good
    store.prepare([good("old", "Old", "", 100, 1), good("new", "New", "", 100, 5)])
    store.put("cart", "old", 1)
    reference = store.order("cart", "A", "B")
    store._keeper.close()
    store.prepare([good("new", "New", "", 200, 5)])
    assert [(each.slug, each.cents) for each in store.goods()] == [("new", 200)]
    assert store.ordered(reference).total == 100
    store._keeper.close()

"""Values -> HTML. Whatever came from outside goes through `escape`."""

from __future__ import annotations

from html import escape
from pathlib import Path

from shop.goods import Good
from shop.store import EACH_MOST, Line, Order

STYLE = Path(__file__).with_name("style.css").read_bytes()
NAME_MOST, ADDRESS_MOST = 100, 400  # characters


def catalogue(root: str, goods: tuple[Good, ...]) -> str:
    shown = (
        f'<li><a href="{root}item/{escape(good.slug)}">{escape(good.name)}</a> {price(good.cents)}</li>'
        for good in goods
    )
    return page(root, "Shop", f"<ul>{''.join(shown)}</ul>")


def item(root: str, good: Good) -> str:
    left = _form(root, "cart", _hidden(good.slug) + _count(1), "Into the cart") if good.stock else "<p>Sold out.</p>"
    text = f"<p>{escape(good.text)}</p><p>{price(good.cents)}, {good.stock} left</p>{left}"
    return page(root, good.name, text)


def cart(root: str, lines: tuple[Line, ...], said: str = "") -> str:
    told = f'<p role="alert">{escape(said)}</p>' if said else ""
    if not lines:
        return page(root, "Cart", f"{told}<p>The cart is empty.</p>")
    total = price(sum(line.total for line in lines))
    changes = "".join(
        f"<li>{escape(line.name)} {price(line.total)}"
        f"{_form(root, 'cart', _hidden(line.slug) + _count(line.count), 'Change')}</li>"
        for line in lines
    )
    fields = (
        f'<label>Name <input name="name" required maxlength="{NAME_MOST}" autocomplete="name"></label>'
        f'<label>Address <textarea name="address" required maxlength="{ADDRESS_MOST}" rows="4"></textarea></label>'
    )
    return page(root, "Cart", f"{told}<ul>{changes}</ul><p>{total}</p>{_form(root, 'order', fields, 'Order')}")


def order(root: str, placed: Order) -> str:
    lines = "".join(f"<li>{line.count} &times; {escape(line.name)} {price(line.total)}</li>" for line in placed.lines)
    address = escape(placed.address).replace("\n", "<br>")
    text = (
        f"<p>Order <code>{escape(placed.reference)}</code> of {escape(placed.placed)} UTC. Keep this address:"
        f" it is the only way to it.</p><ul>{lines}</ul><p>{price(placed.total)}</p>"
        f"<address>{escape(placed.name)}<br>{address}</address>"
    )
    return page(root, "Thank you", text)


def page(root: str, title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f'<title>{escape(title)} · lbmt</title><link rel="stylesheet" href="{root}style.css">'
        f'<nav><a href="/">darkroom</a> <a href="{root}">shop</a> <a href="{root}cart">cart</a></nav>'
        f"<main><h1>{escape(title)}</h1>{body}</main></html>\n"
    )


def price(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02} €"


def _form(root: str, to: str, fields: str, button: str) -> str:
    return f'<form method="post" action="{root}{to}">{fields}<button>{button}</button></form>'


def _hidden(slug: str) -> str:
    return f'<input type="hidden" name="slug" value="{escape(slug)}">'


def _count(value: int) -> str:
    return f'<input name="count" type="number" min="0" max="{EACH_MOST}" value="{value}">'

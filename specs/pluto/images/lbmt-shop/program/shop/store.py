"""Carts and orders in SQLite. A cart is known by a secret token, an order by a secret reference.

The database is in WAL mode: readers, the backup in the other container among them, never wait for a writer. An
order is one transaction: it takes from the stock what it sells or does nothing at all.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from shop.goods import Good

BUSY_SECONDS = 5.0
CART_DAYS = 30  # an abandoned cart is forgotten
EACH_MOST = 9  # of one good in one cart
SCHEMA = """
CREATE TABLE IF NOT EXISTS goods (
    slug TEXT PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL, cents INTEGER NOT NULL CHECK (cents > 0),
    stock INTEGER NOT NULL CHECK (stock >= 0), sold INTEGER NOT NULL DEFAULT 0, offered INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE TABLE IF NOT EXISTS cart_lines (
    cart TEXT NOT NULL, slug TEXT NOT NULL REFERENCES goods, count INTEGER NOT NULL CHECK (count > 0),
    touched TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (cart, slug)
) STRICT;
CREATE TABLE IF NOT EXISTS orders (
    reference TEXT PRIMARY KEY, placed TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    name TEXT NOT NULL, address TEXT NOT NULL, cents INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS order_lines (
    reference TEXT NOT NULL REFERENCES orders, slug TEXT NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL,
    cents INTEGER NOT NULL, PRIMARY KEY (reference, slug)
) STRICT;
"""
OFFER = """
INSERT INTO goods (slug, name, text, cents, stock) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (slug) DO UPDATE SET name = excluded.name, text = excluded.text, cents = excluded.cents, offered = 1
"""


class SoldOut(Exception):
    """There is less left of a good than the cart holds; its name is the text. Nothing was sold."""


class EmptyCart(Exception):
    """Nothing to order."""


@dataclass(frozen=True)
class Line:
    slug: str
    name: str
    count: int
    cents: int  # of one

    @property
    def total(self) -> int:
        return self.count * self.cents


@dataclass(frozen=True)
class Order:
    reference: str
    placed: str  # UTC
    name: str
    address: str
    lines: tuple[Line, ...]

    @property
    def total(self) -> int:
        return sum(line.total for line in self.lines)


class Store:
    """The shop's database in the file `path`; each call has a connection of its own, so threads may share a Store."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keeper: sqlite3.Connection | None = None

    def prepare(self, offered: Iterable[Good]) -> None:
        """Make the tables, offer `offered` and nothing else; the stock of what is known already stays what it is."""
        # Kept open for good: with the last connection SQLite removes the -wal and -shm files, without which a
        # reader whose mount is read-only cannot open the database (sqlite.org/wal.html, "Read-Only Databases").
        self._keeper = self._open()
        self._keeper.execute("PRAGMA journal_mode = WAL")
        self._keeper.executescript(SCHEMA)
        with self._writing() as database:
            database.execute("UPDATE goods SET offered = 0")
            database.executemany(OFFER, ((g.slug, g.name, g.text, g.cents, g.stock) for g in offered))

    def goods(self) -> tuple[Good, ...]:
        with closing(self._open()) as database:
            rows = database.execute("SELECT slug, name, text, cents, stock FROM goods WHERE offered ORDER BY name")
            return tuple(Good(*row) for row in rows)

    def good(self, slug: str) -> Good | None:
        return next((good for good in self.goods() if good.slug == slug), None)

    def put(self, cart: str, slug: str, count: int) -> None:
        """Let the cart hold `count` of a good, none with 0. KeyError when it is not offered."""
        if self.good(slug) is None:
            raise KeyError(slug)
        with self._writing() as database:
            database.execute("DELETE FROM cart_lines WHERE cart = ? AND slug = ?", (cart, slug))
            if count:
                values = (cart, slug, min(count, EACH_MOST))
                database.execute("INSERT INTO cart_lines (cart, slug, count) VALUES (?, ?, ?)", values)
            database.execute("DELETE FROM cart_lines WHERE touched < datetime('now', ?)", (f"-{CART_DAYS} days",))

    def cart(self, cart: str) -> tuple[Line, ...]:
        with closing(self._open()) as database:
            return _cart(database, cart)

    def order(self, cart: str, name: str, address: str) -> str:
        """Sell what the cart holds, empty it; the order's reference. Raises EmptyCart, SoldOut."""
        reference = secrets.token_urlsafe(12)
        with self._writing() as database:
            lines = _cart(database, cart)
            if not lines:
                raise EmptyCart
            values = (reference, name, address, sum(line.total for line in lines))
            database.execute("INSERT INTO orders (reference, name, address, cents) VALUES (?, ?, ?, ?)", values)
            for line in lines:
                _sell(database, reference, line)
            database.execute("DELETE FROM cart_lines WHERE cart = ?", (cart,))
        return reference

    def ordered(self, reference: str) -> Order | None:
        with closing(self._open()) as database:
            row = database.execute("SELECT placed, name, address FROM orders WHERE reference = ?", (reference,))
            lines = database.execute(
                "SELECT slug, name, count, cents FROM order_lines WHERE reference = ? ORDER BY name", (reference,)
            )
            found = row.fetchone()
            return None if found is None else Order(reference, *found, tuple(Line(*line) for line in lines))

    def _open(self) -> sqlite3.Connection:
        # Autocommit: transactions are begun by name, below. The keeper is closed by whichever thread ends the process.
        database = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("PRAGMA synchronous = FULL")  # an order that was confirmed survives a power cut
        return database

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction, which takes the write lock at once: what it reads stays so until it has written."""
        with closing(self._open()) as database, database:  # the inner one commits, or rolls back what was raised in
            database.execute("BEGIN IMMEDIATE")
            yield database


def _cart(database: sqlite3.Connection, cart: str) -> tuple[Line, ...]:
    rows = database.execute(
        "SELECT slug, name, count, cents FROM cart_lines JOIN goods USING (slug) WHERE cart = ? AND offered"
        " ORDER BY name",
        (cart,),
    )
    return tuple(Line(*row) for row in rows)


def _sell(database: sqlite3.Connection, reference: str, line: Line) -> None:
    taken = database.execute(
        "UPDATE goods SET stock = stock - ?, sold = sold + ? WHERE slug = ? AND stock >= ?",
        (line.count, line.count, line.slug, line.count),
    )
    if not taken.rowcount:
        raise SoldOut(line.name)
    database.execute(
        "INSERT INTO order_lines (reference, slug, name, count, cents) VALUES (?, ?, ?, ?, ?)",
        (reference, line.slug, line.name, line.count, line.cents),
    )

"""The shop's pages as a WSGI application (PEP 3333), below one path.

    GET  <root>                    the catalogue            POST <root>cart     slug, count -> 303 to the cart
    GET  <root>item/<slug>         one good                 POST <root>order    name, address -> 303 to the order
    GET  <root>cart                the visitor's cart
    GET  <root>order/<reference>   an order placed

The cart's token is in a cookie that other sites' forms do not carry (SameSite=Strict), so none can order for a visitor.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl
from wsgiref.types import StartResponse, WSGIEnvironment

from shop import pages
from shop.store import EACH_MOST, EmptyCart, SoldOut, Store

FORM_BYTES = 8192
FORM_TYPE = "application/x-www-form-urlencoded"
COOKIE = "cart"
COOKIE_SECONDS = 30 * 24 * 3600
TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")  # all but the line feed
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
FIXED = (("Content-Security-Policy", POLICY), ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))
HTML = "text/html; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    body: bytes = b""
    status: HTTPStatus = HTTPStatus.OK
    kind: str = HTML
    headers: tuple[tuple[str, str], ...] = field(default=())


class Refused(Exception):
    """A request that is not served: the status to say so with, and why."""

    def __init__(self, status: HTTPStatus, why: str, *headers: tuple[str, str]) -> None:
        super().__init__(why)
        self.status, self.headers = status, headers


class Site:
    def __init__(self, store: Store, root: str) -> None:
        self._store, self._root = store, root

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except Refused as refused:
            body = pages.page(self._root, refused.status.phrase, f"<p>{pages.escape(str(refused))}</p>").encode()
            answer = Answer(body, refused.status, headers=refused.headers)
        status = f"{answer.status.value} {answer.status.phrase}"
        sizes = [("Content-Type", answer.kind), ("Content-Length", str(len(answer.body)))]
        start_response(status, [*sizes, *FIXED, *answer.headers])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]

    def _answer(self, environ: WSGIEnvironment) -> Answer:
        path = environ.get("PATH_INFO", "")
        if not path.startswith(self._root):
            raise Refused(HTTPStatus.NOT_FOUND, "There is no such page.")
        below = path.removeprefix(self._root)
        method = environ["REQUEST_METHOD"]
        if method == "POST" and below in ("cart", "order"):
            form, token = _form(environ), _token(environ)
            return self._put(form, token) if below == "cart" else self._order(form, token)
        answer = self._page(below, _token(environ))
        if method not in ("GET", "HEAD"):
            allowed = "GET, HEAD, POST" if below == "cart" else "GET, HEAD"
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "That is not done here.", ("Allow", allowed))
        return answer

    def _page(self, below: str, token: str | None) -> Answer:
        what, _, name = below.partition("/")
        match what, name:
            case "", "":
                return _html(pages.catalogue(self._root, self._store.goods()))
            case "cart", "":
                return _html(pages.cart(self._root, self._store.cart(token) if token else ()))
            case "style.css", "":
                return Answer(pages.STYLE, kind="text/css; charset=utf-8")
            case "item", slug if good := self._store.good(slug):
                return _html(pages.item(self._root, good))
            case "order", reference if order := self._store.ordered(reference):
                return _html(pages.order(self._root, order))
            case "order", "":
                raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "Orders are posted.", ("Allow", "POST"))
        raise Refused(HTTPStatus.NOT_FOUND, "There is no such page.")

    def _put(self, form: Mapping[str, str], token: str | None) -> Answer:
        cart = token or secrets.token_urlsafe(24)
        try:
            self._store.put(cart, form.get("slug", ""), _count(form.get("count", "")))
        except KeyError as error:
            raise Refused(HTTPStatus.BAD_REQUEST, "That is not sold here.") from error
        rules = f"Path={self._root}; Max-Age={COOKIE_SECONDS}; HttpOnly; Secure; SameSite=Strict"
        return self._see("cart", ("Set-Cookie", f"{COOKIE}={cart}; {rules}"))

    def _order(self, form: Mapping[str, str], token: str | None) -> Answer:
        name = _text(form, "name", pages.NAME_MOST, lines=1)
        address = _text(form, "address", pages.ADDRESS_MOST, lines=10)
        try:
            return self._see("order/" + self._store.order(token or "", name, address))
        except EmptyCart as error:
            raise Refused(HTTPStatus.CONFLICT, "The cart is empty.") from error
        except SoldOut as error:
            text = pages.cart(self._root, self._store.cart(token or ""), f"There is not enough left of: {error}.")
            return Answer(text.encode(), HTTPStatus.CONFLICT)

    def _see(self, below: str, *headers: tuple[str, str]) -> Answer:
        return Answer(status=HTTPStatus.SEE_OTHER, headers=(("Location", self._root + below), *headers))


def _html(text: str) -> Answer:
    return Answer(text.encode())


def _token(environ: WSGIEnvironment) -> str | None:
    """The cart's token out of the cookie, where there is one that we could have made."""
    try:
        found = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
    except CookieError:
        return None
    return found.value if found and TOKEN.fullmatch(found.value) else None


def _form(environ: WSGIEnvironment) -> Mapping[str, str]:
    """The posted fields, each once. Refuses what is no form, is too large, or comes short."""
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != FORM_TYPE:
        raise Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Only a form is taken.")
    length = environ.get("CONTENT_LENGTH") or ""
    if not (length.isascii() and length.isdigit()):
        raise Refused(HTTPStatus.LENGTH_REQUIRED, "The form's length is wanted.")
    if len(length) > 9 or int(length) > FORM_BYTES:
        raise Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "That is too much.")
    body = environ["wsgi.input"].read(int(length))
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=8, errors="strict")
    except ValueError as error:
        raise Refused(HTTPStatus.BAD_REQUEST, "The form cannot be read.") from error
    if len(body) < int(length) or len(dict(fields)) < len(fields):
        raise Refused(HTTPStatus.BAD_REQUEST, "The form cannot be read.")
    return dict(fields)


def _count(text: str) -> int:
    if re.fullmatch(r"[0-9]", text) and int(text) <= EACH_MOST:
        return int(text)
    raise Refused(HTTPStatus.BAD_REQUEST, f"From 0 to {EACH_MOST}, please.")


def _text(form: Mapping[str, str], key: str, most: int, *, lines: int) -> str:
    text = form.get(key, "").replace("\r\n", "\n").strip()
    if not text or len(text) > most or CONTROL.search(text) or text.count("\n") >= lines:
        raise Refused(HTTPStatus.BAD_REQUEST, f"A {key} of at most {most} characters is wanted.")
    return text

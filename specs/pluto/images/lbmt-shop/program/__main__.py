"""The shop: `python3 /usr/lib/lbmt-shop`. What it serves and where is in CONFIGURATION, its orders in DATABASE."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from shop.goods import goods
from shop.server import Server
from shop.site import Site
from shop.store import Store

CONFIGURATION = Path("/etc/lbmt-shop/listen.json")
DATABASE = Path("/srv/shop/shop.sqlite3")


def main() -> None:
    settings = json.loads(CONFIGURATION.read_text())
    store = Store(DATABASE)
    store.prepare(goods())
    (address, port), *_ = settings["sockets"]
    server = Server((address, port), Site(store, settings["path"]))
    signal.signal(signal.SIGTERM, server.end)
    server.serve_forever()


if __name__ == "__main__":
    main()

"""Supysonic behind OpenSubsonic's envelope: the declared people, the music in /music, what is known of it in /data.

/ping                                 "." to whoever asks, as navidrome answers
/rest/getOpenSubsonicExtensions       without a login, as OpenSubsonic wants it
/rest/...                             Supysonic's own API
"""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

from envelope import as_json, as_xml, extensions
from flask import Flask, Response, request
from supysonic import VERSION
from supysonic.api import API_VERSION
from supysonic.config import DefaultConfig
from supysonic.db import Folder, User, close_connection, open_connection
from supysonic.managers.folder import FolderManager
from supysonic.managers.user import UserManager
from supysonic.scanner import Scanner
from supysonic.web import create_application
from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer
from werkzeug.serving import WSGIRequestHandler, make_server

CONFIGURATION = Path("/etc/supysonic.json")
MUSIC, KEPT = "/music", "/data"
FOLDER = "music"
QUIET_SECONDS = 1.0  # a scan waits until so long nothing has changed
LOOK_SECONDS = 900.0  # and is made so often in any case
REQUEST_SECONDS = 30  # for a client that says nothing, or takes nothing
ABOUT = {"type": "supysonic", "serverVersion": VERSION}
CHANGES = ("created", "modified", "moved", "deleted", "closed")


class Configuration(DefaultConfig):
    BASE = DefaultConfig.BASE | {"database_uri": f"sqlite:///{KEPT}/supysonic.db"}
    WEBAPP = DefaultConfig.WEBAPP | {"cache_dir": f"{KEPT}/cache", "mount_webui": False}


class Handler(WSGIRequestHandler):
    timeout = REQUEST_SECONDS

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line without the query, which may hold a password."""
        self.log("info", '"%s %s" %s %s', self.command, self.path.partition("?")[0], code, size)


class Changes(FileSystemEventHandler):
    """Says that something below /music has changed; reading is no change."""

    def __init__(self) -> None:
        self.seen = threading.Event()

    def on_any_event(self, event: Any) -> None:  # noqa: ANN401 (watchdog's own)
        if event.event_type in CHANGES:
            self.seen.set()


def main() -> None:
    settings = json.loads(CONFIGURATION.read_text())
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # SQLite keeps what was committed
    app = application(settings["logins"])
    for address, port in settings["sockets"]:
        server = make_server(address, port, app, threaded=True, request_handler=Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
    scan_for_ever()


def application(logins: dict[str, str]) -> Flask:
    app = create_application(Configuration())
    open_connection()
    admit(logins)
    if not Folder.select().where(Folder.root).exists():
        FolderManager.add(FOLDER, MUSIC)
    close_connection()
    app.add_url_rule("/ping", "ping", lambda: Response(".", mimetype="text/plain"))
    for end in ("", ".view"):
        app.add_url_rule(
            f"/rest/getOpenSubsonicExtensions{end}", f"extensions{end[1:]}", known, methods=["GET", "POST"]
        )
    app.after_request(enveloped)
    return app


def admit(logins: dict[str, str]) -> None:
    """Let in exactly these people, with these passwords; who was known keeps his playlists."""
    for user in User.select().where(User.name.not_in(list(logins))):
        user.delete_instance(recursive=True)
    for name, password in logins.items():
        if User.get_or_none(name=name) is None:
            UserManager.add(name, password)
        else:
            UserManager.change_password2(name, password)


def known() -> Response:
    xml = request.values.get("f", "xml") == "xml"
    return Response(extensions(API_VERSION, xml=xml), mimetype="text/xml" if xml else "application/json")


def enveloped(response: Response) -> Response:
    if request.path.startswith("/rest/") and not response.direct_passthrough:
        if response.mimetype == "application/json":
            response.data = as_json(response.data, ABOUT)
        elif response.mimetype == "text/xml":
            response.data = as_xml(response.data, ABOUT)
    return response


def scan_for_ever() -> None:
    changes = Changes()
    try:
        observer = Observer()
        observer.schedule(changes, MUSIC, recursive=True)
        observer.start()
    except OSError as error:  # more folders than the machine lets us watch (inotify(7), max_user_watches)
        print(f"{MUSIC} is not watched: {error}; it is looked through every {LOOK_SECONDS:.0f} s", flush=True)
    while True:
        scan()
        changes.seen.wait(LOOK_SECONDS)
        while changes.seen.is_set():
            changes.seen.clear()
            changes.seen.wait(QUIET_SECONDS)


def scan() -> None:
    """Look through the music; only what is newer than known is read."""
    scanner = Scanner()
    scanner.queue_folder(FOLDER)
    scanner.start()
    scanner.join()
    stats = scanner.stats()
    print(f"scanned: {stats.added.tracks} new, {stats.deleted.tracks} gone, {len(stats.errors)} unreadable", flush=True)


if __name__ == "__main__":
    main()

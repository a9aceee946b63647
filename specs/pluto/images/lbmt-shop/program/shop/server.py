"""wsgiref, made fit to stand behind a proxy: a few threads, deadlines, no name lookups, an end on SIGTERM."""

from __future__ import annotations

import os
import socketserver
import sys
import threading
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from wsgiref.types import WSGIApplication

THREADS = 16  # the container's limit of processes counts threads too
REQUEST_SECONDS = 10  # for a peer that says nothing


class Handler(WSGIRequestHandler):
    timeout = REQUEST_SECONDS
    server_version = "shop"
    sys_version = ""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 (the base's own)
        """One line a request, with what a client could have put into it made harmless."""
        text = (format % args).encode("unicode_escape").decode()
        print(f"{self.client_address[0]} {text}", file=sys.stderr, flush=True)


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], application: WSGIApplication) -> None:
        self._free = threading.BoundedSemaphore(THREADS)
        super().__init__(address, Handler)
        self.set_app(application)

    def server_bind(self) -> None:
        """Bind without asking for the address's name, which nobody here could tell."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
        self.setup_environ()

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (the base's own)
        self._free.acquire()
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (the base's own)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def end(self, *_: object) -> None:
        """A signal's handler. At once and without closing: SQLite keeps what was committed, and the -wal file."""
        os._exit(0)

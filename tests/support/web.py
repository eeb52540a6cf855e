# SPDX-License-Identifier: Apache-2.0
"""A web server on loopback with answers that a test sets."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Page(NamedTuple):
    """An answer. ``breaks_off`` after so many octets of its body."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = {}
    breaks_off: int | None = None


class Web:
    """Pages by their paths, and what was asked for."""

    def __init__(self) -> None:
        self.pages = dict[str, Page]()
        self.asked = list[tuple[str, dict[str, str]]]()
        self.address = ""


@contextlib.contextmanager
def serving(web: Web) -> Iterator[Web]:
    """Serve pages until the end; a page with an ``ETag`` answers its own conditions."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web.asked.append((self.path, dict(self.headers)))
            page = web.pages.get(self.path, Page(status=404))
            etag = page.headers.get("ETag")
            if etag and self.headers.get("If-None-Match") == etag:
                page = Page(status=304)
            self.send_response(page.status)
            for key, value in page.headers.items():
                self.send_header(key, value)
            if page.status != 304:
                self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            self.wfile.write(page.body[: page.breaks_off])

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    web.address = f"http://127.0.0.1:{server.server_port}"
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

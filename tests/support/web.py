# SPDX-License-Identifier: Apache-2.0
"""A web server on loopback with answers that a test sets."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.support.tls import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pytest

    from tests.support.tls import Certificate


HOST = "lists.example"
"""The name of the server with a certificate."""


@contextlib.contextmanager
def public_server(web: Web, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Serve pages by HTTPS as a public server: its name leads to loopback, which passes."""
    authority, resolve = Authority(folder), socket.getaddrinfo

    def resolved(host: str, *rest: Any, **how: Any) -> Any:
        return resolve("127.0.0.1" if host == HOST else host, *rest, **how)

    patch.setattr("socket.getaddrinfo", resolved)
    patch.setattr("filterd.http.http_download.is_public", lambda _: True)
    patch.setenv("SSL_CERT_FILE", str(authority.certificate))
    with serving(web, authority.issue(HOST)) as served:
        yield served


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
        self.posted = list[bytes]()
        self.address = ""


@contextlib.contextmanager
def serving(web: Web, certificate: Certificate | None = None) -> Iterator[Web]:
    """Serve pages until the end, by TLS with a certificate.

    A page with an ``ETag`` answers its own conditions.
    """

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

        def do_POST(self) -> None:
            web.posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    web.address = f"http://127.0.0.1:{server.server_port}"
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        web.address = f"https://{HOST}:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def raw_server(*parts: bytes, endless: bool = False) -> Iterator[str]:
    """Serve these octets to each client, the last without end if wanted; yield the address."""

    def serve(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    connection.recv(1 << 16)
                    connection.sendall(b"".join(parts))
                    while endless:
                        connection.sendall(parts[-1])

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join(10)

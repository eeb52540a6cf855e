# SPDX-License-Identifier: Apache-2.0
"""An authority for any certificate, and a DNS server that shows it.

The ``openssl`` command makes the certificates and the standard library serves, in
threads, so that filterd's code does not test itself.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import subprocess
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from filterd.base.addresses import is_address
from filterd.policy.model import Tls, UpstreamServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.upstream import FakeUpstream


NAME = "dns.example"
"""The name in the certificate of a good server."""

_EC_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
_CONFIG = """
[ca]
default_ca = authority
[authority]
new_certs_dir = {folder}
database = {folder}/database
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
private_key = {folder}/authority.key
certificate = {folder}/authority.pem
x509_extensions = server
[any]
commonName = supplied
[server]
basicConstraints = CA:FALSE
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
[req]
distinguished_name = any
"""


@dataclass(frozen=True)
class Certificate:
    """The files of a certificate and its key."""

    chain: Path
    key: Path


class Authority:
    """A certificate authority; ``certificate`` is what a machine must trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.certificate = folder / "authority.pem"
        (folder / "database").touch()
        (folder / "config").write_text(_CONFIG.format(folder=folder), encoding="utf-8")
        self._self_signed("authority", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(
        self, *names: str, from_days: float = -1, until_days: float = 1, label: str = ""
    ) -> Certificate:
        """Issue a certificate for names or addresses, valid between these days from now."""
        names = names or (NAME,)
        label = label or f"{'_'.join(names).replace(':', '-')}{from_days}{until_days}"
        issued = self._files(label)
        request = self._folder / f"{label}.csr"
        self._openssl(
            *("req", "-new", *_EC_KEY, "-subj", f"/CN={label}", "-addext", _names(names)),
            *("-config", self._config, "-keyout", str(issued.key), "-out", str(request)),
        )
        self._openssl(
            *("ca", "-batch", "-notext", "-config", self._config),
            *("-startdate", _date(from_days), "-enddate", _date(until_days)),
            *("-in", str(request), "-out", str(issued.chain)),
        )
        return issued

    def self_signed(self) -> Certificate:
        """Return a self-signed certificate for ``NAME``."""
        return self._self_signed("self-signed", _names([NAME]))

    def _self_signed(self, label: str, extension: str) -> Certificate:
        made = self._files(label)
        self._openssl(
            *("req", "-x509", *_EC_KEY, "-subj", f"/CN={label}", "-days", "2"),
            *("-addext", extension, "-addext", "basicConstraints=critical,CA:TRUE"),
            *("-addext", "subjectKeyIdentifier=hash", "-config", self._config),
            *("-keyout", str(made.key), "-out", str(made.chain)),
        )
        return made

    @property
    def _config(self) -> str:
        return str(self._folder / "config")

    def _files(self, label: str) -> Certificate:
        return Certificate(self._folder / f"{label}.pem", self._folder / f"{label}.key")

    @staticmethod
    def _openssl(*arguments: str) -> None:
        made = subprocess.run(
            ["openssl", *arguments], check=False, capture_output=True, text=True, timeout=60
        )
        assert made.returncode == 0, made.stderr


def _names(names: tuple[str, ...] | list[str]) -> str:
    return "subjectAltName=" + ",".join(
        f"IP:{name}" if is_address(name) else f"DNS:{name}" for name in names
    )


def _date(days_from_now: float) -> str:
    moment = datetime.now(UTC) + timedelta(days=days_from_now)  # noqa: TID251 -- OpenSSL's clock
    return f"{moment:%y%m%d%H%M%SZ}"


@dataclass
class TlsDoor:
    """A third door to a ``FakeUpstream``: the same answers by TLS, on a port of its own.

    ``upstream.transport_set`` has the door of each question, so a test sees
    at once whether anything left in clear.

    Args:
        upstream: it answers; its maker starts it.
        certificate: of the server.
        batch: the number of questions that it reads before it answers; it answers the
            last one first.
        answers_a_connection: the answers before it closes; 0 for no limit.
        frames: octets to send for each question instead of answers.
    """

    upstream: FakeUpstream
    certificate: Certificate
    batch: int = 1
    answers_a_connection: int = 0
    frames: bytes | None = None
    port: int = 0
    handshakes: int = 0
    refused: int = 0
    """Clients that ended the handshake."""
    shown: list[tuple[str | None, str | None, str | None]] = field(default_factory=list)
    """Of each connection: the name asked for (SNI), the protocol (ALPN), the version."""

    def __enter__(self) -> Self:
        self._open: set[socket.socket] = set()
        self._server_name: dict[int, str | None] = {}
        self._changed = threading.Condition()
        self.show(self.certificate)
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, on the port of the last time if there was one."""
        self._server = _Server((self.upstream.address, self.port), _handler(self))
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """End the server and every connection to it."""
        self._server.shutdown()
        self._server.server_close()
        self.end_connections()

    def end_connections(self) -> None:
        """End every connection, as a server does that restarts or has no room."""
        with self._changed:
            ended = set(self._open)  # a client may come back at once
            for opened in ended:
                with contextlib.suppress(OSError):  # beneath TLS, which another thread is using
                    socket.socket.shutdown(opened, socket.SHUT_RDWR)
            assert self._changed.wait_for(lambda: not ended & self._open, 10)

    def show(self, certificate: Certificate) -> None:
        """Show this certificate from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        context.set_alpn_protocols(["dot"])
        context.set_servername_callback(self._note_server_name)
        self._context = context

    def server(self, tls: Tls = Tls.STRICT, name: str = NAME, **also: bool) -> UpstreamServer:
        """Return how a site would name it."""
        return UpstreamServer(self.upstream.address, self.port, tls, name, **also)

    def _note_server_name(
        self, opened: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: object
    ) -> None:
        self._server_name[id(opened)] = name

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._open)

    def wait_for_connections(self, wanted: int) -> None:
        """Wait until at least so many are open."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._open) >= wanted, 10)

    def serve(self, raw: socket.socket, port: int) -> None:
        """Serve one client until it or we end it."""
        try:
            opened = self._context.wrap_socket(raw, server_side=True)
        except OSError:  # it does not like our certificate, or what we speak
            self.refused += 1
            raw.close()
            return
        with opened:
            with self._changed:
                self.handshakes += 1
                name = self._server_name.pop(id(opened), None)
                self.shown.append((name, opened.selected_alpn_protocol(), opened.version()))
                self._open.add(opened)
                self._changed.notify_all()
            try:
                for answers in self._rounds(opened, port):
                    opened.sendall(answers)
            except OSError:
                pass  # it is gone
            finally:
                with self._changed:
                    self._open.discard(opened)
                    self._changed.notify_all()

    def _rounds(self, opened: ssl.SSLSocket, port: int) -> Iterator[bytes]:
        answered = 0
        while not self.answers_a_connection or answered < self.answers_a_connection:
            queries = [_receive(opened) for _ in range(self.batch)]
            if b"" in queries:
                return
            answered += len(queries)
            said = [self.upstream.answers(query, port, "tls") for query in reversed(queries)]
            framed = b"".join(len(one).to_bytes(2) + one for several in said for one in several)
            yield framed if self.frames is None else self.frames


def _receive(opened: ssl.SSLSocket) -> bytes:
    """Return the next message, empty at the end."""
    prefix = _exactly(opened, 2)
    return _exactly(opened, int.from_bytes(prefix)) if prefix else b""


def _exactly(opened: ssl.SSLSocket, octets: int) -> bytes:
    data = b""
    while len(data) < octets:
        part = opened.recv(octets - len(data))
        if not part:
            return b""
        data += part
    return data


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128


def _handler(door: TlsDoor) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            door.serve(self.request, self.client_address[1])

    return Handler

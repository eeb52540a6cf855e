# SPDX-License-Identifier: Apache-2.0
"""A mail server on loopback: STARTTLS or TLS, a login, and the faults that a test sets."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.tls import Certificate

USER, PASSWORD = "it@truong.example", "mat-khau-bi-mat"


@dataclass
class MailServer:
    """Takes mail into ``taken``.

    Attributes:
        certificate: None for a server without TLS.
        is_tls: TLS from the first octet.
        replies: the reply to a command in place of the usual one, by its first word; "" is the
            greeting.
        serve_raw: what it does with a connection instead of all that.
        logins: user and password of each login; over TLS only.
    """

    certificate: Certificate | None
    is_tls: bool = False
    replies: dict[str, bytes] = field(default_factory=dict)
    serve_raw: Callable[[socket.socket], None] | None = None
    taken: list[str] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._server.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                opened, _ = self._server.accept()
                opened.settimeout(10)
                with opened, contextlib.suppress(OSError, ValueError):
                    if self.serve_raw is not None:
                        self.serve_raw(opened)
                    elif self.is_tls:
                        with self._secured(opened) as secured:
                            self._talk(secured)
                    else:
                        self._talk(opened)

    def _secured(self, opened: socket.socket) -> ssl.SSLSocket:
        assert self.certificate is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate.chain, self.certificate.key)
        return context.wrap_socket(opened, server_side=True)

    def _talk(self, opened: socket.socket) -> None:
        lines = opened.makefile("rb")
        opened.sendall(self.replies.get("", b"220 mail.example ESMTP\r\n"))
        while line := lines.readline().decode("ascii").strip():
            word = line.upper().split(" ")[0]
            self.commands.append(word)
            if word in self.replies:
                opened.sendall(self.replies[word])
            elif word == "STARTTLS":
                opened.sendall(b"220 go on\r\n")
                with self._secured(opened) as secured:
                    self._talk_on(secured)
                return
            elif not self._took(word, line, opened, lines):
                return

    def _talk_on(self, secured: ssl.SSLSocket) -> None:
        lines = secured.makefile("rb")
        while line := lines.readline().decode("ascii").strip():
            word = line.upper().split(" ")[0]
            self.commands.append(word)
            if word in self.replies:
                secured.sendall(self.replies[word])
            elif not self._took(word, line, secured, lines):
                return

    def _took(self, word: str, line: str, opened: socket.socket, lines: object) -> bool:
        is_secure = isinstance(opened, ssl.SSLSocket)
        if word == "EHLO":
            offer = b"250 AUTH PLAIN\r\n" if is_secure else b"250 STARTTLS\r\n"
            opened.sendall(b"250-mail.example\r\n" + offer)
        elif word == "AUTH":
            assert is_secure
            _, user, password = base64.b64decode(line.split(" ")[2]).decode().split("\0")
            self.logins.append((user, password))
            is_right = (user, password) == (USER, PASSWORD)
            opened.sendall(
                b"235 yes\r\n" if is_right else b"535 no, " + password.encode() + b"\r\n"
            )
        elif word == "DATA":
            opened.sendall(b"354 go on\r\n")
            content = b""
            while (part := lines.readline()) != b".\r\n":  # type: ignore[attr-defined]
                content += part
            self.taken.append(content.decode("ascii"))
            opened.sendall(b"250 taken\r\n")
        elif word == "QUIT":
            opened.sendall(b"221 bye\r\n")
            return False
        else:
            opened.sendall(b"250 ok\r\n")
        return True

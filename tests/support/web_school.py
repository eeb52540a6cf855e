# SPDX-License-Identifier: Apache-2.0
"""A school with the real daemon and the real web process, and its signed-in people."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import ssl
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

from filterd import control
from filterd.overrides.rights.roles import Role
from filterd.web.request_guard import csrf_of
from filterd.web.visitor import SESSION_COOKIE as COOKIE
from tests.support.commands import ROOT, environment
from tests.support.daemon import WITHIN_S, build_lists, copy_lists, free_port, serving, write_site
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

BOX, STAFF, PUPIL = "127.0.0.1", "127.0.100.1", "127.0.6.1"
"""Addresses that ask: the box itself, a staff network, a network of grade 6."""


PASSWORD = "Mùa thu, lá vàng rơi 7"
"""Of every account of such a school."""


class Reply(NamedTuple):
    """An answer of the web process."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that it sets."""
        set_ = re.findall(r"(__Host-\w+)=([^;]*)", self.headers.get("set-cookie", ""))
        return dict(set_)


@dataclass
class WebSchool:
    """A daemon and the web process before it."""

    served: Served
    port: int
    process: subprocess.Popen[str]
    tokens: dict[Role, str] = field(default_factory=dict)
    accounts: set[Role] = field(default_factory=set)
    kept: dict[tuple[str, int], http.client.HTTPSConnection] = field(default_factory=dict)
    """Connections that are open, by source and thread: a handshake costs more than a request."""

    @property
    def origin(self) -> str:
        """The address of the dashboard."""
        return f"https://{BOX}:{self.port}"

    def ask(self, command: str, **arguments: Any) -> Any:
        """Send a command to the control socket, as root at the console."""
        return control.ask(self.served.state.control_socket, command, **arguments)

    def code(self, role: Role = Role.ADMIN) -> str:
        """Return a code for one sign-in as the person of a role, whose account is made once."""
        if role not in self.accounts:
            self.ask("account add", account=role.value, roles=[role], password=PASSWORD)
            self.accounts.add(role)
        return str(self.ask("account code", account=role.value)["code"])

    def sign_in(self, role: Role = Role.ADMIN) -> str:
        """Sign the person of a role in; return the token of the session."""
        reply = self.post(f"/login/code/{self.code(role)}", role=None)
        assert reply.status == 303, reply
        return reply.cookies[COOKIE]

    def token(self, role: Role = Role.ADMIN) -> str:
        """Return the token of the session of a role's person; there is one sign-in."""
        if role not in self.tokens:
            self.tokens[role] = self.sign_in(role)
        return self.tokens[role]

    def send(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        source: str = BOX,
    ) -> Reply:
        """Send a request with exactly these headers, beside those of ``http.client``."""
        key = source, threading.get_ident()
        was_kept = key in self.kept
        connection = self.kept.pop(key, None) or http.client.HTTPSConnection(
            BOX, self.port, timeout=WITHIN_S, source_address=(source, 0), context=UNVERIFIED
        )
        try:
            connection.request(method, path, body, dict(headers or {}))
            reply = connection.getresponse()
            names = {name.lower(): value for name, value in reply.getheaders()}
            answer = Reply(reply.status, names, reply.read().decode())
        except BaseException as error:
            connection.close()
            # The server has ended it meanwhile, which TLS reports in its own way.
            if was_kept and isinstance(error, ConnectionError | ssl.SSLError):
                return self.send(method, path, body, headers, source=source)
            raise
        self.kept[key] = connection
        return answer

    def close(self) -> None:
        """End the connections."""
        while self.kept:
            self.kept.popitem()[1].close()

    def get(self, path: str, role: Role | None = Role.ADMIN, **headers: str) -> Reply:
        """Get a page as a person of a role, or without a sign-in."""
        return self.send("GET", path, None, self.cookie(role) | headers)

    def post(self, path: str, role: Role | None = Role.ADMIN, **fields: str) -> Reply:
        """Send a form as its own page does."""
        if role is not None:
            fields = {"csrf": csrf_of(self.token(role)), **fields}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Origin": self.origin,
            "Sec-Fetch-Site": "same-origin",
        }
        return self.send("POST", path, urlencode(fields), self.cookie(role) | headers)

    def cookie(self, role: Role | None) -> dict[str, str]:
        """Return the header with the cookie of a session; none for None."""
        return {} if role is None else {"Cookie": f"{COOKIE}={self.token(role)}"}

    @contextlib.contextmanager
    def raw(self, source: str = BOX) -> Iterator[ssl.SSLSocket]:
        """Connect by TLS, for requests that no client library sends."""
        with (
            socket.create_connection((BOX, self.port), WITHIN_S, (source, 0)) as plain,
            UNVERIFIED.wrap_socket(plain) as secured,
        ):
            yield secured


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


UNVERIFIED = _unverified()
"""Trusts every certificate: that of a school is self-made."""


@contextlib.contextmanager
def web_school(
    folder: Path, built: StateFolder | None = None, more: str = ""
) -> Iterator[WebSchool]:
    """Serve a school and its dashboard.

    Args:
        folder: for its files.
        built: a state folder with compiled lists; None to compile them.
        more: further keys of ``site.yaml``.
    """
    config = write_site(folder / "site", port=free_port(), more=more)
    state = folder / "state"
    if built is None:
        build_lists(config, state)
    else:
        copy_lists(built, state)
    with serving(config, state) as served, web_of(served, free_port()) as process:
        yield process


@contextlib.contextmanager
def web_of(served: Served, port: int, *options: str) -> Iterator[WebSchool]:
    """Start the web process of a school, wait until it serves, and end it."""
    address = f"{BOX}:{port}"
    process = subprocess.Popen(
        [sys.executable, "-m", "filterd", "web", *served.options, "--listen", address, *options],
        cwd=ROOT,
        env=environment(),
        text=True,
    )
    try:
        until(lambda: _answers(process, port), "the web process")
        with contextlib.closing(WebSchool(served, port, process)) as school:
            yield school
    finally:
        process.terminate()
        try:
            process.wait(WITHIN_S)
        finally:
            process.kill()


def _answers(process: subprocess.Popen[str], port: int) -> bool:
    assert process.poll() is None, "the web process has ended"
    with contextlib.suppress(OSError), socket.create_connection((BOX, port), WITHIN_S):
        return True
    return False

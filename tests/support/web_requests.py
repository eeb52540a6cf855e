# SPDX-License-Identifier: Apache-2.0
"""Requests to the web application in this process, before a manager whose answers a test sets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filterd import control
from filterd.base.errors import FilterdError
from filterd.web.application import Web
from filterd.web.request_guard import csrf_of
from filterd.web.visitor import SESSION_COOKIE as COOKIE
from tests.support.clock import FakeClock
from tests.support.web_school import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pytest
    from starlette.types import ASGIApp

TOKEN = "token-of-lan"
HOST = "filterd"
ORIGIN = {"origin": f"https://{HOST}"}
SIGNED_IN = {"cookie": f"{COOKIE}={TOKEN}"}
OF_FORM = {**SIGNED_IN, **ORIGIN, "content-type": "application/x-www-form-urlencoded"}
CSRF = csrf_of(TOKEN)


class FakeManager:
    """Stands in for ``control.ask``; ``answers`` by command: a value, an error, a function."""

    def __init__(self, patch: pytest.MonkeyPatch, *roles: str) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Any] = {
            "admit": {"admitted": True, "device": ""},
            "school": {
                "school": "Trường mẫu",
                "language": "en",
                "time_zone": "Asia/Ho_Chi_Minh",
                "now": 1.8e9,
            },
            "session": {
                "account": "lan",
                "roles": list(roles or ("reader", "admin")),
                "classes": None,
                "is_fresh": False,
                "has_password": True,
                "has_totp": False,
                "ends_in_s": None,
            },
        }
        self.clock = FakeClock()
        self.web = Web(Path("/nowhere"), frozenset((HOST,)), self.clock)
        patch.setattr(control, "ask", self._ask)

    def _ask(self, _path: Path, command: str, **given: Any) -> Any:
        given.pop("silence_s", None)
        self.asked.append((command, given))
        answer = self.answers[command]
        if isinstance(answer, FilterdError):
            raise answer
        return answer(**given) if callable(answer) else answer

    def times(self, command: str) -> int:
        """Return how often a command was asked."""
        return sum(one == command for one, _ in self.asked)

    def get(self, path: str, **headers: str) -> Reply:
        """Get a page as a signed-in person."""
        return self.send("GET", path, b"", SIGNED_IN | headers)

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        **scope: Any,
    ) -> Reply:
        """Send a request; ``scope`` changes the scope of ASGI."""
        return asyncio.run(answer(self.web.application(), method, path, body, headers, **scope))


async def answer(
    application: ASGIApp,
    method: str,
    path: str,
    body: bytes = b"",
    headers: Mapping[str, str] | None = None,
    *,
    until: Callable[[bytes], bool] = lambda _: False,
    **changed: Any,
) -> Reply:
    """Return the answer of an application; the client leaves when ``until`` is so."""
    raw, _, query = path.partition("?")
    given = {"host": HOST, "content-length": str(len(body)), **(headers or {})}
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": raw,
        "raw_path": raw.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items()],
        "client": ("192.0.2.7", 5000),
        "server": ("192.0.2.1", 8443),
        "state": {},
        **changed,
    }
    sent: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]
    left, received = asyncio.Event(), bytearray()
    started: dict[str, Any] = {}

    async def receive() -> Any:
        if sent:
            return sent.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            started.update(message)
        received.extend(message.get("body", b""))
        if until(bytes(received)):
            left.set()

    await application(scope, receive, send)
    names = {name.decode(): value.decode() for name, value in started["headers"]}
    return Reply(started["status"], names, received.decode())

# SPDX-License-Identifier: Apache-2.0
"""No request reaches the application that no page and no program of ours sends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from filterd.web import request_guard
from filterd.web.problem import WebError, status_of
from filterd.web.request_guard import (
    RequestGuard,
    check_csrf,
    csrf_of,
    device_address,
    fields_of,
    headers_of,
)
from tests.support.web_requests import answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send

    from filterd.base.errors import FilterdError

HOME = {"origin": "https://filterd"}


class _Application:
    """What stands behind the guard; ``bodies`` of the requests that reached it."""

    def __init__(self, *, admits: bool = True) -> None:
        self.bodies: list[bytes] = []
        self.admits = admits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.bodies.append((await receive())["body"])
        await PlainTextResponse("reached")(scope, receive, send)

    async def _admits(self, _scope: Scope, _headers: Mapping[str, str]) -> bool:
        return self.admits

    def ask(self, method: str, path: str = "/x", body: bytes = b"", **changed: Any) -> int:
        headers = changed.pop("headers", {})

        def refuse(error: FilterdError, _: Scope) -> PlainTextResponse:
            return PlainTextResponse("refused", status_of(error))

        guard = RequestGuard(self, frozenset(("filterd",)), self._admits, refuse)
        return asyncio.run(answer(guard, method, path, body, headers, **changed)).status


def test_what_a_page_sends_reaches_the_application_whole() -> None:
    application = _Application()
    assert application.ask("POST", body=b"a=1", headers=HOME) == 200
    assert application.bodies == [b"a=1"]


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"headers": {"host": "evil.example"}}, 421),
        ({"headers": {"host": "a b"}}, 400),
        ({"method": "TRACE"}, 405),
        ({"path": "/a/../b"}, 400),
        ({"path": "/a%2fb"}, 400),
        ({"path": "/" + "a" * 1100}, 414),
        ({"http_version": "1.0"}, 400),
        ({"method": "POST", "headers": {}}, 403),
        ({"method": "POST", "headers": {"origin": "https://evil.example"}}, 403),
        ({"method": "POST", "headers": {**HOME, "sec-fetch-site": "cross-site"}}, 403),
        ({"headers": {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}}, 403),
        ({"method": "POST", "headers": {**HOME, "content-length": "70000"}}, 413),
        ({"method": "POST", "headers": {**HOME, "content-length": "x"}}, 400),
    ],
)
def test_what_none_sends_does_not(changes: dict[str, Any], status: int) -> None:
    application = _Application()
    assert application.ask(**{"method": "GET", **changes}) == status
    assert application.bodies == []


def test_a_body_that_is_larger_than_announced_is_refused() -> None:
    application = _Application()
    headers = {**HOME, "content-length": "1"}
    assert application.ask("POST", body=b"a" * 70_000, headers=headers) == 413


def test_a_device_that_is_not_admitted_reaches_nothing() -> None:
    application = _Application(admits=False)
    assert application.ask("GET") == 403
    assert application.bodies == []


def test_a_program_needs_no_origin_and_only_the_api_has_programs() -> None:
    token = {"authorization": "Bearer x"}
    assert _Application().ask("POST", "/api/v1/x", headers=token) == 200
    assert _Application().ask("POST", "/do/x", headers=token) == 403


def test_a_header_that_counts_stands_once() -> None:
    twice = [(b"cookie", b"a=1"), (b"Cookie", b"b=2")]
    with pytest.raises(WebError):
        headers_of({"headers": twice})
    assert headers_of({"headers": [(b"accept", b"a"), (b"Accept", b"b")]}) == {"accept": "b"}


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("::ffff:192.0.2.7", 1), "192.0.2.7"),
        (("2001:DB8::1", 1), "2001:db8::1"),
        (("fe80::1%eth0", 1), "fe80::1%eth0"),
        (None, ""),
    ],
)
def test_an_address_has_one_form(client: Any, address: str) -> None:
    assert device_address({"client": client}) == address


def test_the_token_of_forms_is_of_one_session() -> None:
    check_csrf("a", csrf_of("a"))
    for session, given in (("a", csrf_of("b")), ("a", ""), ("", csrf_of("")), ("a", "ế")):
        with pytest.raises(WebError):
            check_csrf(session, given)


@pytest.mark.parametrize(
    ("safeguard", "harmful"),
    [
        ("check_host", {"method": "GET", "headers": {"host": "evil.example"}}),
        ("check_target", {"method": "GET", "path": "/static/%2e%2e/x"}),
        ("check_origin", {"method": "POST", "headers": {"origin": "https://evil.example"}}),
    ],
)
def test_control_without_a_check_a_harmful_request_is_done(
    safeguard: str, harmful: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    application = _Application()
    assert application.ask(**harmful) != 200
    monkeypatch.setattr(request_guard, safeguard, lambda *_: None)
    assert application.ask(**harmful) == 200
    assert application.bodies == [b""]


def test_a_large_answer_goes_out_in_parts() -> None:
    sizes: list[int] = []

    async def whole() -> None:
        async def send(message: Any) -> None:
            sizes.append(len(message.get("body", b"")))

        await request_guard._with_headers(send)(
            {"type": "http.response.body", "body": b"a" * 150_000}
        )

    asyncio.run(whole())
    assert sizes == [65_536, 65_536, 18_928]


def _read(body: bytes, kind: str = "application/x-www-form-urlencoded; charset=UTF-8") -> object:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", kind.encode())]
    return asyncio.run(fields_of(Request({"type": "http", "headers": headers}, receive)))


def test_fields_are_read() -> None:
    assert _read(b"a=1&b=&c=%E1%BA%BF+x&a=2") == {"a": "1\n2", "b": "", "c": "ế x"}
    assert _read(b"") == {}


@pytest.mark.parametrize("body", [b"\xff", b"a=%ff", b"&".join([b"a=1"] * 1001)])
def test_what_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(WebError):
        _read(body)


def test_other_types_are_refused() -> None:
    with pytest.raises(WebError):
        _read(b"a=1", "multipart/form-data")

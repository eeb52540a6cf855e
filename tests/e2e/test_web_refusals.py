# SPDX-License-Identifier: Apache-2.0
"""Every address of the dashboard and the API, asked wrongly: refused alike, nothing changed.

What asks each of them many times is long.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import socket
from typing import TYPE_CHECKING, NamedTuple

import pytest

from filterd.overrides.rights.roles import Role
from filterd.web import operations, pages, request_guard
from filterd.web.problem import WebError
from filterd.web.request_guard import HEADERS, LARGEST_BODY_OCTETS, csrf_of
from filterd.web.visitor import SESSION_COOKIE as COOKIE
from tests.support.web_school import BOX, PASSWORD, PUPIL, STAFF, Reply, WebSchool, web_school

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("warm_children")

_FORM = "application/x-www-form-urlencoded"


class _Route(NamedTuple):
    """A method and an address; ``kind`` of the body that it takes."""

    method: str
    path: str
    kind: str = ""

    @property
    def is_change(self) -> bool:
        return self.method not in ("GET", "HEAD")


def _filled(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "1", path)


PAGES = [_Route("GET", _filled(one.path)) for one in pages.ORDER]
OPERATIONS = [
    _Route(one.method, f"/api/v1{_filled(one.path)}", "application/json" if one.is_change else "")
    for one in operations.ORDER
]
FORMS = [_Route("POST", f"/do/{one.name}", _FORM) for one in operations.ORDER if one.is_change]
SIGNING = [
    *(_Route("GET", one) for one in ("/login", "/login/code/x", "/device/x")),
    *(
        _Route("POST", one, _FORM)
        for one in ("/login", "/login/pin", "/login/code/x", "/device/x", "/logout")
    ),
]
ROUTES = [*PAGES, *OPERATIONS, *FORMS, *SIGNING, _Route("GET", "/api/v1/openapi.json")]
SOME = OPERATIONS[::10]
ALL_CHANGES = [one for one in ROUTES if one.is_change]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory, built: StateFolder) -> Iterator[WebSchool]:
    """The school, which has after all tests what it had before, but for what is done at the box."""
    at_the_box = pwd.getpwuid(os.geteuid()).pw_name
    with web_school(tmp_path_factory.mktemp("school"), built) as running:
        for role in Role:
            running.token(role)

        def state() -> object:
            accounts = [(one["account"], one["roles"]) for one in running.ask("account list")]
            history = running.ask("history")
            made = [one["number"] for one in history if one["author"] != at_the_box]
            return made, accounts, running.ask("status")["policy"]

        before = state()
        yield running
        assert state() == before


def _send(school: WebSchool, route: _Route, source: str = BOX, **headers: str) -> Reply:
    """Send a request with its body as a page or program does, but for these headers."""
    body = {"": None, _FORM: "csrf=1", "application/json": "{}"}[route.kind]
    usual = {"Content-Type": route.kind, "Origin": school.origin, "Sec-Fetch-Site": "same-origin"}
    sent = (usual if route.is_change else {}) | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    kept = {name: value for name, value in sent.items() if value}
    return school.send(route.method, route.path, body, kept, source=source)


def _is_refused(route: _Route, reply: Reply, *statuses: int) -> bool:
    """Return whether the answer is a refusal in the form of all others."""
    is_api = route.path.startswith("/api/")
    assert reply.headers.keys() >= HEADERS.keys(), reply
    assert "server" not in reply.headers
    assert "Traceback" not in reply.text
    assert "filterd/web" not in reply.text
    if reply.status in statuses and is_api:
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.json.keys() >= {"type", "title", "status", "detail"}
    if reply.status in statuses and not is_api and reply.text:
        assert reply.text.startswith("<!doctype html>")
    return reply.status in statuses


def _accepted(replies: Iterator[tuple[_Route, Reply]], *statuses: int) -> list[tuple[_Route, int]]:
    """Return the routes that did not refuse, and what they answered."""
    return [
        (route, reply.status)
        for route, reply in replies
        if not _is_refused(route, reply, *statuses)
    ]


def test_a_pupils_network_gets_one_short_page_whatever_it_asks(school: WebSchool) -> None:
    asked = [*ROUTES, _Route("GET", "/static/style.css"), _Route("GET", "/nothing")]
    token = school.token()
    for cookie, routes in (("", asked[::20]), (f"{COOKIE}={token}", asked)):
        replies = [(one, _send(school, one, PUPIL, Cookie=cookie)) for one in routes]
        assert _accepted(iter(replies), 403) == []
        shown = {reply.text for route, reply in replies if not route.path.startswith("/api/")}
        assert len(shown) == 1
        assert len(shown.pop()) < 500
    with_token = _Route("GET", "/api/v1/status")
    assert _send(school, with_token, PUPIL, Authorization=f"Bearer {token}").status == 403
    assert _send(school, _Route("GET", "/login"), STAFF).status == 200


def test_without_a_session_there_is_only_the_sign_in_page(school: WebSchool) -> None:
    for route in PAGES:
        reply = _send(school, route)
        assert (reply.status, reply.headers["location"][:6], reply.text) == (303, "/login", "")
    assert _accepted(((one, _send(school, one)) for one in OPERATIONS), 401) == []
    assert _accepted(((one, _send(school, one)) for one in FORMS), 403) == []


@pytest.mark.long
@pytest.mark.parametrize("token", ["x", "x" * 300, "~", "x~y", "ế", '"', "a b"])
def test_a_foreign_token_is_of_no_session(school: WebSchool, token: str) -> None:
    latin = token.encode().decode("latin-1")
    asked = [*PAGES, *OPERATIONS]
    cookie = ((one, _send(school, one, Cookie=f"{COOKIE}={latin}")) for one in asked)
    assert _accepted(cookie, 401, 403) == []
    bearer = ((one, _send(school, one, Authorization=f"Bearer {latin}")) for one in OPERATIONS)
    assert _accepted(bearer, 401) == []


def test_a_session_that_has_ended_counts_no_more(school: WebSchool) -> None:
    token = school.sign_in()
    headers = {"Cookie": f"{COOKIE}={token}"}
    assert school.send("GET", "/", None, headers).status == 200
    form = headers | {"Content-Type": _FORM, "Origin": school.origin}
    out = school.send("POST", "/logout", f"csrf={csrf_of(token)}", form)
    assert (out.status, out.cookies) == (303, {COOKIE: '""'})
    assert (
        _accepted(((one, _send(school, one, **headers)) for one in PAGES + OPERATIONS), 401) == []
    )


def test_a_program_with_a_token_never_uses_a_cookie(school: WebSchool) -> None:
    cookie = f"{COOKIE}={school.token()}"
    for scheme in ("Bearer x", "Basic x", "Bearer", "x"):
        asked = OPERATIONS if scheme == "Bearer x" else SOME
        replies = ((one, _send(school, one, Cookie=cookie, Authorization=scheme)) for one in asked)
        assert _accepted(replies, 401) == []


def test_a_change_with_a_cookie_needs_the_token_of_its_session(school: WebSchool) -> None:
    own, other = school.token(Role.ADMIN), school.token(Role.READER)
    changes = [one for one in OPERATIONS if one.is_change]
    for csrf in ("", "x", "ế".encode().decode("latin-1"), csrf_of(other), own):
        asked = changes if csrf == csrf_of(other) else changes[::10]
        sent = ((one, _send(school, one, Cookie=f"{COOKIE}={own}", X_CSRF=csrf)) for one in asked)
        assert _accepted(sent, 403) == []
    forms = [*FORMS, _Route("POST", "/logout", _FORM)]
    assert (
        _accepted(((form, _send(school, form, Cookie=f"{COOKIE}={own}")) for form in forms), 403)
        == []
    )


@pytest.mark.long
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "none"},
        {"Origin": "", "Sec_Fetch_Site": ""},
    ],
)
def test_a_change_from_another_origin_is_refused(
    school: WebSchool, headers: dict[str, str]
) -> None:
    token = school.token()
    with_all = {"Cookie": f"{COOKIE}={token}", "X_CSRF": csrf_of(token), **headers}
    assert _accepted(((one, _send(school, one, **with_all)) for one in ALL_CHANGES), 403) == []


def test_another_sites_page_can_open_this_one_and_include_nothing(school: WebSchool) -> None:
    headers = {"Cookie": f"{COOKIE}={school.token()}", "Sec_Fetch_Site": "cross-site"}
    asked = [one for one in ROUTES if not one.is_change]
    included = ((one, _send(school, one, Sec_Fetch_Mode="no-cors", **headers)) for one in asked)
    assert _accepted(included, 403) == []
    assert _send(school, _Route("GET", "/"), Sec_Fetch_Mode="navigate", **headers).status == 200


@pytest.mark.long
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 421),
        ("filterd.evil.example", 421),
        ("127.0.0.2", 421),
        ("[::1]", 421),
        ("127.0.0.1:x", 400),
        ("127.0.0.1, evil.example", 400),
        ("user@127.0.0.1", 400),
        ("", 400),
    ],
)
def test_a_request_for_another_server_is_refused(school: WebSchool, host: str, status: int) -> None:
    for route in (*PAGES, *FORMS[:3], *OPERATIONS[:3], *SIGNING):
        assert _is_refused(route, _send(school, route, Host=host or " "), status), (route, host)


@pytest.mark.parametrize("host", ["127.0.0.1", "filterd", "localhost:1", "FILTERD."])
def test_its_own_names_and_address_are_not_refused(school: WebSchool, host: str) -> None:
    assert _send(school, _Route("GET", "/login"), Host=host).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "//login",
        "/./login",
        "/static/../login",
        "/static/..",
        "/static/%2e%2e/login",
        "/static/..%2flogin",
        "/static/%5c",
        "/static/a\\b",
        "/login%00",
        "/login%0d%0aX:1",
        "/login%",
        "/login%zz",
        "/%ff",
        "/login?x=%ff",
        "/login;a",
        "https://127.0.0.1/login",
        "*",
    ],
)
def test_an_address_with_a_second_reading_is_refused(school: WebSchool, path: str) -> None:
    assert school.send("GET", path).status == 400


@pytest.mark.parametrize("name", ["passwd", "style.css/", "base.html", ".", "application.py"])
def test_only_known_files_are_served(school: WebSchool, name: str) -> None:
    assert school.send("GET", f"/static/{name}").status in (400, 404)


def test_what_is_too_long_is_refused(school: WebSchool) -> None:
    assert school.send("GET", "/" + "a" * 2000).status == 414
    assert school.send("GET", "/login?a=" + "a" * 5000).status == 414
    assert school.send("GET", "/login", headers={f"X-{n}": "1" for n in range(70)}).status == 400


def test_a_large_body_is_refused_wherever_it_is_sent(school: WebSchool) -> None:
    token = school.token()
    headers = {
        "Cookie": f"{COOKIE}={token}",
        "Origin": school.origin,
        "X-CSRF": csrf_of(token),
    }
    larger = {f"/api/v1{_filled(one.path)}": one.largest_octets for one in operations.ORDER}
    larger |= {f"/do/{one.name}": one.largest_octets for one in operations.ORDER}
    for route in ALL_CHANGES:
        body = "a" * (1 + max(LARGEST_BODY_OCTETS, larger.get(route.path, 0)))
        reply = school.send(route.method, route.path, body, headers | {"Content-Type": route.kind})
        assert _is_refused(route, reply, 413), (route, reply.status)


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PATCH", "CONNECT", "PROPFIND", "get"])
def test_other_methods_are_not_served(school: WebSchool, method: str) -> None:
    for route in SOME:
        assert _is_refused(route, school.send(method, route.path), 405), method


@pytest.mark.long
@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "application/xml", ""])
def test_a_body_of_the_wrong_type_is_refused(school: WebSchool, kind: str) -> None:
    token = school.token()
    for route in ALL_CHANGES:
        headers = {"Cookie": f"{COOKIE}={token}", "Origin": school.origin, "X-CSRF": csrf_of(token)}
        headers |= {"Content-Type": kind} if kind else {}
        reply = school.send(route.method, route.path, "csrf=1", headers)
        assert _is_refused(route, reply, 400, 403), (route, reply)


@pytest.mark.long
@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "1",
        "null",
        '"x"',
        "{",
        '{"a": NaN}',
        '{"a": "\\ud800"}',
        "[" * 60_000,
        '{"nothing": 1}',
        "\xff",
    ],
)
def test_a_body_that_is_no_object_of_known_fields_is_refused(school: WebSchool, body: str) -> None:
    token = school.token()
    headers = {
        "Cookie": f"{COOKIE}={token}",
        "Origin": school.origin,
        "X-CSRF": csrf_of(token),
        "Content-Type": "application/json",
    }
    for route in OPERATIONS:
        if route.method in ("POST", "PUT"):
            reply = school.send(route.method, route.path, body.encode("latin-1"), headers)
            assert _is_refused(route, reply, 400, 422), (route, reply)


@pytest.mark.parametrize(
    "request_",
    [
        "GET /login HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n",
        "GET /login HTTP/1.1\r\nHost: {host}\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n",
        "GET /login HTTP/1.1\r\nHost: {host}\r\nOrigin: a\r\norigin: b\r\n\r\n",
        "GET /login HTTP/1.0\r\n\r\n",
        "GET /login HTTP/1.1\r\n\r\n",
        "POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: -1\r\n\r\n",
        "POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1 2\r\n\r\n",
        "POST /login HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /login HTTP/1.1\r\nHost: {host}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /login HTTP/1.1\r\nHost : {host}\r\n\r\n",
        "GET /login HTTP/9.9\r\nHost: {host}\r\n\r\n",
        "GET /lo gin HTTP/1.1\r\nHost: {host}\r\n\r\n",
        "\x16\x03\x01\r\n\r\n",
        "GET /login HTTP/1.1\r\nHost: {host}\r\nX: " + "a" * 200_000 + "\r\n\r\n",
    ],
)
def test_a_request_that_two_servers_read_differently_is_refused(
    school: WebSchool, request_: str
) -> None:
    with school.raw() as connection:
        with contextlib.suppress(OSError):  # it reads no more 5 s after its answer
            connection.sendall(request_.format(host=f"{BOX}:{school.port}").encode())
        with connection.makefile("rb") as answer:
            assert answer.readline().split(b" ")[1] in (b"400", b"501")


def test_a_smuggled_request_is_not_answered(school: WebSchool) -> None:
    """With both lengths HTTP/1.1 takes the chunks (RFC 9112 §6.3); what follows is refused too."""
    smuggled = "GET /api/v1/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    sent = (
        f"POST /login HTTP/1.1\r\nHost: {BOX}\r\nContent-Length: {5 + len(smuggled)}\r\n"
        f"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"
    )
    with school.raw() as connection:
        connection.sendall(sent.encode())
        connection.settimeout(20)
        received = b""
        while part := connection.recv(1 << 16):
            received += part
    assert b"200 OK" not in received
    assert set(re.findall(rb"HTTP/1.1 (\d+)", received)) <= {b"400", b"403", b"421"}


def test_plain_http_is_not_answered(school: WebSchool) -> None:
    with socket.create_connection((BOX, school.port), 20) as plain:
        plain.sendall(b"GET /login HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert not plain.recv(100).startswith(b"HTTP")


def test_pages_of_other_roles_are_not_there(school: WebSchool) -> None:
    for role in Role:
        for page in pages.ORDER:
            if role not in page.roles | {Role.READER} and Role.READER not in page.roles:
                reply = school.get(_filled(page.path), role)
                assert _is_refused(_Route("GET", page.path), reply, 404), (role, page.path)


def test_a_wrong_password_and_an_unknown_account_read_alike(school: WebSchool) -> None:
    school.code(Role.TEACHER)
    unknown = school.post("/login", None, account="nobody", password=PASSWORD)
    wrong = school.post("/login", None, account="teacher", password="x" * 20)
    assert unknown.status == wrong.status == 403
    assert unknown.text == wrong.text


def test_a_way_back_leads_to_this_server_only(school: WebSchool) -> None:
    for back in ("//evil.example", "https://evil.example", "/\\evil.example", "/\r\nX: 1", "x"):
        reply = school.post("/login", None, account="admin", password=PASSWORD, back=back)
        assert (reply.status, reply.headers["location"]) == (303, "/")


def test_hostile_texts_are_shown_as_texts(school: WebSchool) -> None:
    hostile = '"><script>alert(1)</script>'
    reply = school.post("/login", None, account=hostile, password=hostile, back=hostile)
    assert reply.status == 403
    assert "<script>" not in reply.text
    shown = school.get("/login?back=/%22%3E%3Cscript%3E&lang=%3Cscript%3E", None).text
    assert "<script>" not in shown


def test_problem_details_name_a_stable_code(school: WebSchool) -> None:
    found = json.loads(school.get("/api/v1/status", None).text)
    assert found["type"] == "urn:filterd:error:sign-in"
    assert found["status"] == 401


def test_control_without_the_check_of_origins_a_foreign_page_changes_things(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scope = {"method": "POST", "path": "/login"}
    headers = {"origin": "https://evil.example", "host": "filterd"}
    with pytest.raises(WebError):
        request_guard.check_origin(scope, headers)
    monkeypatch.setattr(request_guard, "_SAFE", frozenset(("POST",)))
    request_guard.check_origin(scope, headers)

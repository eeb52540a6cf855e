# SPDX-License-Identifier: Apache-2.0
"""Refuse requests that no page or program of ours sends; add security headers.

It stands before everything else: host, method, target, doubled headers, origin (OWASP cheat
sheet on CSRF; Fetch Metadata), size, network. Nothing behind it is reached by a request that
it refuses, and the body is read before anything is done.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, unquote, unquote_to_bytes

from filterd.base.errors import FilterdError
from filterd.texts.i18n import say
from filterd.web.problem import NOT_ADMITTED, WebError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CSRF_FIELD, CSRF_HEADER = "csrf", "x-csrf"
LARGEST_BODY_OCTETS = 64 * 1024
API = "/api/"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "content-security-policy": _POLICY,
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "same-origin",  # with no-referrer a browser sends the origin "null"
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "DELETE"))
_SAFE = frozenset(("GET", "HEAD"))
_ONCE = frozenset(
    ("authorization", "content-length", "content-type", "cookie", "host", "origin", CSRF_HEADER)
)
_MOST_HEADERS = 64
_PART_OCTETS = 64 * 1024
_LONGEST_PATH, _LONGEST_QUERY = 1024, 4096
_HOST = re.compile(r"(\[[0-9a-f:.]{2,45}\]|[0-9a-z.-]{1,253})(:[0-9]{1,5})?", re.ASCII)
_PATH = re.compile(rb"/[\w.~!$&'()*+,=:@%/-]*", re.ASCII)
_HIDDEN = re.compile(rb"%(?:2f|5c|2e|[01][0-9a-f]|7f)|%(?![0-9a-f]{2})")
"""Escaped separators, dots and controls, which another reader may undo; and broken escapes."""
_ESCAPED_SLASH = re.compile(rb"%2f", re.IGNORECASE)
SLASH_OF_KEY = "\uffff"
"""Stands in ``scope["path"]`` for ``%2F``, which only the API takes: of a class such as 9/3."""


class RequestGuard:
    """ASGI middleware before the application.

    Args:
        application: what answers the requests that pass.
        hosts: the names of the certificate; beside them the address of the socket passes.
        admits: returns whether a device may see the dashboard at all.
        refuse: returns the answer to a refused request.
        largest: returns the largest body of a path in octets.
    """

    def __init__(
        self,
        application: ASGIApp,
        hosts: frozenset[str],
        admits: Callable[[Scope, Mapping[str, str]], Awaitable[bool]],
        refuse: Callable[[FilterdError, Scope], ASGIApp],
        largest: Callable[[str], int] = lambda _: LARGEST_BODY_OCTETS,
    ) -> None:
        self._application, self._hosts, self._admits = application, hosts, admits
        self._refuse, self._largest = refuse, largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a refusal."""
        if scope["type"] != "http":
            return
        answer = self._application
        try:
            scope["client"] = (device_address(scope), 0)
            headers = headers_of(scope)
            check_host(scope, headers, self._hosts)
            check_target(scope)
            check_origin(scope, headers)
            if not await self._admits(scope, headers):
                raise not_admitted()
            receive = await _with_body(receive, headers, self._largest(scope["path"]))
        except FilterdError as error:
            answer = self._refuse(error, scope)
        await answer(scope, receive, _with_headers(send))


def device_address(scope: Scope) -> str:
    """Return the address of the client's device; an IPv4 address in its own form."""
    return _plain(scope["client"][0] if scope["client"] else "")


def _plain(address: str) -> str:
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers by their lower-case names.

    Raises:
        WebError: there are too many, or one that counts stands twice.
    """
    found: dict[str, str] = {}
    if len(scope["headers"]) > _MOST_HEADERS:
        raise malformed()
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1").lower()
        if name in found and name in _ONCE:
            raise malformed()
        found[name] = value.decode("latin-1")
    return found


def check_host(scope: Scope, headers: Mapping[str, str], hosts: frozenset[str]) -> None:
    """Refuse a request to another server's name.

    A foreign page's name may be made to lead to this address.

    Raises:
        WebError: it is one.
    """
    found = _HOST.fullmatch(headers.get("host", "").lower())
    if found is None:
        raise malformed()
    name = found[1].strip("[]")
    server = scope["server"][0] if scope["server"] else ""
    if name.rstrip(".") not in hosts and (not server or _plain(name) != _plain(server)):
        raise WebError(HTTPStatus.MISDIRECTED_REQUEST, say("this is not the server of that name"))


def check_target(scope: Scope) -> None:
    """Refuse methods and paths that have a second reading.

    Raises:
        WebError: it has one.
    """
    if scope["method"] not in _METHODS:
        raise WebError(HTTPStatus.METHOD_NOT_ALLOWED, say("this method is not served"))
    if scope["http_version"] != "1.1":
        raise malformed()
    raw: bytes = scope["raw_path"]
    if raw.startswith(API.encode()) and _ESCAPED_SLASH.search(raw) is not None:
        raw = _ESCAPED_SLASH.sub(quote(SLASH_OF_KEY).encode(), raw)
        scope["path"] = unquote(raw.decode("ascii", "replace"))
    if len(raw) > _LONGEST_PATH or len(scope["query_string"]) > _LONGEST_QUERY:
        raise WebError(HTTPStatus.REQUEST_URI_TOO_LONG, say("the address is too long"))
    if _PATH.fullmatch(raw) is None or _HIDDEN.search(raw.lower()) is not None:
        raise malformed()
    try:
        unquote_to_bytes(raw).decode()
        unquote_to_bytes(scope["query_string"]).decode()
    except UnicodeDecodeError as error:
        raise malformed() from error
    segments = raw.split(b"/")[1:]
    if not {b"", b".", b".."}.isdisjoint(segments[:-1]) or segments[-1] in (b".", b".."):
        raise malformed()


def check_origin(scope: Scope, headers: Mapping[str, str]) -> None:
    """Refuse a change that another site's page sends, and what it includes of ours.

    A program shows its token in a header, which no foreign page can set.

    Raises:
        WebError: it is one.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if scope["method"] in _SAFE:
        is_opened = headers.get("sec-fetch-mode") == "navigate"
        if site in ("cross-site", "same-site") and not is_opened:
            raise refused()
        return
    if uses_header_token(scope, headers):
        return
    if site is None and origin is None:
        raise refused()
    if (site or "same-origin") != "same-origin":
        raise refused()
    if origin not in (None, f"https://{headers.get('host', '')}"):
        raise refused()


def uses_header_token(scope: Scope, headers: Mapping[str, str]) -> bool:
    """Return whether a request is a program's, so that no cookie of it counts."""
    return scope["path"].startswith(API) and "authorization" in headers


def csrf_of(token: str) -> str:
    """Return the token that forms of a session carry."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def check_csrf(token: str, given: str) -> None:
    """Refuse a form that is not of the session's own pages.

    Raises:
        WebError: it is none.
    """
    if not token or not hmac.compare_digest(csrf_of(token).encode(), given.encode()):
        raise refused()


def refused() -> WebError:
    """Return the error for a request that no page of ours sends, without a reason."""
    return WebError(HTTPStatus.FORBIDDEN, say("this request does not come from a page of filterd"))


def malformed() -> WebError:
    """Return the error for a request that can be read in two ways, or in none."""
    return WebError(HTTPStatus.BAD_REQUEST, say("this request is malformed"))


def not_admitted() -> WebError:
    """Return the error for a device of a network to which the dashboard is not served."""
    error = WebError(HTTPStatus.FORBIDDEN, say("this page is not for this network"))
    error.code = NOT_ADMITTED
    return error


async def _with_body(receive: Receive, headers: Mapping[str, str], most: int) -> Receive:
    """Read the body; return what hands it to the application whole.

    Raises:
        WebError: it is too large.
    """
    too_large = WebError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, say("the request is too large"))
    length = headers.get("content-length", "0")
    if not length.isdecimal() or len(length) > 12:
        raise malformed()
    if int(length) > most:
        raise too_large
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise malformed()  # the client went away; nothing reads the answer
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > most:
            raise too_large
    whole: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

    async def again() -> Message:
        return whole.pop() if whole else await receive()

    return again


def _with_headers(send: Send) -> Send:
    """Return what adds the headers of security that the answer does not set itself.

    A large body goes out in parts: TLS copies what is left of a part with each record, and
    only between parts a client that does not read is waited for.
    """

    async def sends(message: Message) -> None:
        body = message.get("body", b"")
        begin = 0
        while len(body) - begin > _PART_OCTETS:
            part = body[begin : begin + _PART_OCTETS]
            await send({"type": "http.response.body", "body": part, "more_body": True})
            begin += _PART_OCTETS
        if begin:
            message = {**message, "body": body[begin:]}
        if message["type"] == "http.response.start":
            own: Any = message.get("headers", ())
            set_ = {name.lower() for name, _ in own}
            added = [
                (name.encode(), value.encode())
                for name, value in HEADERS.items()
                if name.encode() not in set_
            ]
            message = {**message, "headers": [*own, *added]}
        await send(message)

    return sends


_FORM_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 1000


async def fields_of(request: Request) -> dict[str, str]:
    """Return the fields by name; of several boxes with one name the values are lines.

    Raises:
        WebError: the body is none of a form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM_TYPE:
        raise malformed()
    try:
        found = parse_qsl(
            (await request.body()).decode(),
            keep_blank_values=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError as error:
        raise malformed() from error
    fields: dict[str, str] = {}
    for name, value in found:
        fields[name] = f"{fields[name]}\n{value}" if name in fields else value
    return fields

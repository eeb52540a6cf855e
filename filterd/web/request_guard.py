# SPDX-License-Identifier: Apache-2.0
"""Refuse requests that no page and no program of ours sends; set headers of security.

It stands before everything else: hosts, methods, sizes, origins (OWASP cheat sheet on CSRF;
Fetch Metadata). Nothing behind it is reached by a request that it refuses.
"""

from __future__ import annotations

import hashlib
import hmac
from http import HTTPStatus
from typing import TYPE_CHECKING

from filterd.i18n import say
from filterd.web.problem import WebError

if TYPE_CHECKING:
    from starlette.requests import Request

COOKIE = "__Host-sid"
CSRF_FIELD = "csrf"
LARGEST_BODY_OCTETS = 64 * 1024
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def csrf_of(token: str) -> str:
    """Return the token that forms of a session carry."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def check_origin(request: Request) -> None:
    """Refuse a change that another site's page sends.

    Raises:
        WebError: it is one.
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if (origin is not None and origin != own) or (site not in (None, "same-origin")):
        raise refused()


def check_csrf(session: str, given: str) -> None:
    """Refuse a form that is not of the session's own pages.

    Raises:
        WebError: it is none.
    """
    if not hmac.compare_digest(csrf_of(session), given):
        raise refused()


def refused() -> WebError:
    """Return the error for a request that no page of ours sends; it tells no more."""
    return WebError(HTTPStatus.FORBIDDEN, say("this request is not of a page of filterd"))

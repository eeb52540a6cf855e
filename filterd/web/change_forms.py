# SPDX-License-Identifier: Apache-2.0
"""Make the changes that forms of pages ask for, and show their page again."""

from __future__ import annotations

import hashlib
import secrets
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

from starlette.responses import RedirectResponse

from filterd.base.errors import FilterdError
from filterd.operations.sessions import ConfirmPassword
from filterd.texts.i18n import say
from filterd.web import operations
from filterd.web.endpoint import MadeFile
from filterd.web.page_renderer import own_path
from filterd.web.problem import CODE_NEEDED, PASSWORD_NEEDED, WRONG_PASSWORD, WebError, status_of
from filterd.web.request_guard import CSRF_FIELD, check_csrf, fields_of, refused

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from filterd.base.clock import Clock
    from filterd.web.page_renderer import PageRenderer
    from filterd.web.page_requests import PageRequests
    from filterd.web.visitor import Visitor, Visitors

PATH = "/do/{name}"
PENDING, PASSWORD, CODE = "pending", "step_up_password", "step_up_code"
"""Fields of the page that asks for the password again; ``PendingForms`` has those of the form."""


class ChangeForms:
    """Answers forms."""

    def __init__(
        self,
        visitors: Visitors,
        renderer: PageRenderer,
        pages: PageRequests,
        pending: PendingForms,
    ) -> None:
        self._visitors, self._renderer, self._pages = visitors, renderer, pages
        self._pending = pending

    async def make(self, request: Request) -> Response:
        """Make the change of a form, then lead back to its page."""
        visitor = self._visitors.stranger(request)
        name, back, is_asked = request.path_params["name"], "/", False
        try:
            await self._visitors.identify(visitor, request)
            given = await fields_of(request)
            check_csrf(visitor.token, given.pop(CSRF_FIELD, ""))
            back = own_path(given.pop("back", "/"))
            operation = operations.BY_NAME.get(name)
            if operation is None or not operation.is_change or not visitor.may(operation):
                raise refused()
            password, code = given.pop(PASSWORD, ""), given.pop(CODE, "")
            if PENDING in given:
                given = self._kept(visitor, name, given[PENDING])
            visitor.failed, visitor.given = name, given
            if password:
                is_asked = True
                proof = ConfirmPassword.read({"password": password, "code": code})
                await visitor.send(proof)
                is_asked = False
            result = await visitor.call(operation, **given)
            if isinstance(result, MadeFile):
                return result.answer()
            if operation.done is not None:
                made = {"made": result} if operation.is_shown_once else {}
                self._visitors.note(visitor.token, operation.done(result, visitor), **made)
            return RedirectResponse(back, HTTPStatus.SEE_OTHER)
        except FilterdError as error:
            is_asked &= error.code in (WRONG_PASSWORD, CODE_NEEDED)
            if error.code != PASSWORD_NEEDED and not is_asked:
                return await self._pages.again(visitor, request, back, error)
            visitor.trouble = error.translated(visitor.language) if is_asked else ""
            return self._renderer.draw(
                "password.html",
                visitor,
                request,
                {
                    "name": name,
                    "pending": self._pending.keep(visitor.token, name, dict(visitor.given)),
                },
                status=status_of(error),
                here=back,
            )

    def _kept(self, visitor: Visitor, name: str, key: str) -> dict[str, str]:
        """Return the fields of a form that waited for the password.

        Raises:
            WebError: it is no longer kept.
        """
        found = self._pending.take(visitor.token, name, key)
        if found is None:
            raise WebError(
                HTTPStatus.CONFLICT,
                say(
                    "The password was entered too late; nothing was changed. Fill the"
                    " form in again."
                ),
            )
        return found


PENDING_FOR_S = 600.0
_MOST_PENDING, _MOST_OF_SESSION = 64, 4


class _Form(NamedTuple):
    """A form: the hash of its session's token, its operation, its fields, its end."""

    session: bytes
    operation: str
    fields: dict[str, str]
    ends_at: float


class PendingForms:
    """Keep forms in memory, some minutes, until their session's password is given.

    They may hold a new password, so they do not stand in the page that asks for the present one.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, _Form] = {}

    def keep(self, token: str, operation: str, fields: dict[str, str]) -> str:
        """Keep the fields of a form; return the key by which its session takes them."""
        now, session = self._clock.monotonic(), _session_hash(token)
        self._kept = {key: one for key, one in self._kept.items() if one.ends_at > now}
        own = [key for key, one in self._kept.items() if one.session == session]
        if len(own) >= _MOST_OF_SESSION:
            del self._kept[own[0]]
        elif len(self._kept) >= _MOST_PENDING:
            del self._kept[next(iter(self._kept))]
        key = secrets.token_urlsafe(16)
        self._kept[key] = _Form(session, operation, fields, now + PENDING_FOR_S)
        return key

    def take(self, token: str, operation: str, key: str) -> dict[str, str] | None:
        """Take the fields of a form; None if it is another session's or no longer kept."""
        found = self._kept.get(key)
        if found is None or (found.session, found.operation) != (_session_hash(token), operation):
            return None
        del self._kept[key]
        return found.fields if found.ends_at > self._clock.monotonic() else None


def _session_hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

# SPDX-License-Identifier: Apache-2.0
"""Answer requests for pages: the page, its live changes, or what is wrong."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote

from starlette.responses import RedirectResponse
from starlette.routing import compile_path

from filterd.base.errors import FilterdError
from filterd.texts.i18n import say
from filterd.web import pages
from filterd.web.event_responses import wants_events
from filterd.web.page_renderer import own_path
from filterd.web.problem import SIGN_IN, WebError, status_of
from filterd.web.visitor import SESSION_COOKIE, device_of, forget_cookie

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from filterd.web.event_responses import EventResponses
    from filterd.web.page import Page
    from filterd.web.page_renderer import PageRenderer
    from filterd.web.visitor import Visitor, Visitors


class PageRequests:
    """Answers them for the pages of ``pages.ORDER``."""

    def __init__(self, visitors: Visitors, renderer: PageRenderer, events: EventResponses) -> None:
        self._visitors, self._renderer, self._events = visitors, renderer, events
        self._patterns = [(compile_path(one.path)[0], one) for one in pages.ORDER]

    async def show(self, page: Page, request: Request) -> Response:
        """Answer with a page, or with the stream of its changes."""
        visitor = self._visitors.stranger(request)
        try:
            await self._visitors.identify(visitor, request)
            if not visitor.token:
                return to_sign_in(request.url.path, request.url.query)
            _check_roles(page, visitor)
            given = {**request.query_params, **request.path_params}
            given.pop("lang", None)
            if page.live is not None and wants_events(request):
                return await self._events.answer(visitor, page.live(visitor, given))
            self._visitors.take_note(visitor)
            return await self._drawn(page, visitor, request, given)
        except FilterdError as error:
            return self.refused(visitor, request, error)

    async def again(
        self, visitor: Visitor, request: Request, back: str, error: FilterdError
    ) -> Response:
        """Answer a form that was refused with its page, which shows the error."""
        path, _, query = back.partition("?")
        for pattern, page in self._patterns:
            if (found := pattern.match(unquote(path))) is not None and error.code != SIGN_IN:
                visitor.trouble = error.translated(visitor.language)
                given = dict(parse_qsl(query)) | found.groupdict()
                try:
                    _check_roles(page, visitor)
                    return await self._drawn(
                        page, visitor, request, given, status=status_of(error), here=back
                    )
                except FilterdError:  # the page has troubles of its own; that of the form is shown
                    break
        return self.refused(visitor, request, error)

    def refused(self, visitor: Visitor, request: Request, error: FilterdError) -> Response:
        """Answer with an error: the sign-in page after a session, else its page."""
        if error.code != SIGN_IN:
            return self._renderer.trouble(visitor, request, error)
        visitor.trouble = error.translated(visitor.language)
        back = request.url.path if request.method == "GET" else "/"
        shown = {"back": own_path(back), "has_device": bool(device_of(request))}
        response = self._renderer.draw(
            "login.html", visitor, request, shown, status=HTTPStatus.UNAUTHORIZED
        )
        forget_cookie(response, SESSION_COOKIE)
        return response

    async def _drawn(
        self,
        page: Page,
        visitor: Visitor,
        request: Request,
        given: Mapping[str, str],
        *,
        status: HTTPStatus = HTTPStatus.OK,
        here: str = "",
    ) -> Response:
        shown = await page.load(visitor, given)
        return self._renderer.draw(
            page.template, visitor, request, shown, page=page, status=status, here=here
        )


def to_sign_in(path: str, query: str = "") -> Response:
    """Return the way to the sign-in page and back again."""
    back = quote(f"{path}?{query}" if query else path, safe="/")
    return RedirectResponse(f"/login?back={back}" if back != "/" else "/login", 303)


def _check_roles(page: Page, visitor: Visitor) -> None:
    if visitor.roles.isdisjoint(page.roles):
        raise WebError(HTTPStatus.NOT_FOUND, say("there is no such page"))

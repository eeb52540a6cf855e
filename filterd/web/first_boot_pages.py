# SPDX-License-Identifier: Apache-2.0
"""The pages of a set-up before there is an account.

They are there while its socket is. They ask the process of the set-up
(``appliance.setup.first_boot``), not the daemon, and are shown to private networks only. The claim
of a browser is a cookie of its own.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse
from starlette.routing import Route

from filterd import control
from filterd.base.addresses import is_of_a_lan
from filterd.base.errors import ConfigError, FilterdError
from filterd.texts.i18n import Texts, from_plain, language_of, say
from filterd.web.problem import WebError, status_of
from filterd.web.request_guard import CSRF_FIELD, check_csrf, csrf_of, device_address, fields_of
from filterd.web.visitor import SETUP_COOKIE, keep_cookie

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Scope

    from filterd.web.page_renderer import PageRenderer
    from filterd.web.visitor import Visitors

PATH = "/setup"
CLAIM_NEEDED = "claim-needed"
_STATIC = "/static/"
_LOOK_AGAIN_S = 4
_ASK_WITHIN_S = 60.0
_LONGEST_TOKEN = 127
_STEPS = {"answer": "setup-answer", "back": "setup-back", "finish": "setup-finish",
          "end": "setup-end"}  # fmt: skip


class FirstBootPages:
    """Answers the pages of a set-up.

    Args:
        socket: of the set-up; missing once this gateway is set up.
        visitors, renderer: of the dashboard.
    """

    def __init__(self, socket: Path, visitors: Visitors, renderer: PageRenderer) -> None:
        self._socket, self._visitors, self._renderer = socket, visitors, renderer

    @property
    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route(PATH, self._show, methods=["GET"]),
            Route(f"{PATH}/claim", self._claim, methods=["POST"]),
            Route(f"{PATH}/{{step}}", self._go, methods=["POST"]),
        ]

    def admits(self, scope: Scope) -> bool:
        """Return whether a device may see this page of a set-up."""
        path = scope["path"]
        is_page = path == PATH or path.startswith((f"{PATH}/", _STATIC))
        return is_page and is_of_a_lan(device_address(scope)) and self._socket.is_socket()

    async def _show(self, request: Request) -> Response:
        return await self._page(request)

    async def _claim(self, request: Request) -> Response:
        try:
            fields = await fields_of(request)
            claim = await self._ask(request, "setup-claim", code=fields.get("code", "")[:64])
        except FilterdError as error:
            return await self._page(request, error)
        response = RedirectResponse(PATH, HTTPStatus.SEE_OTHER)
        keep_cookie(response, SETUP_COOKIE, claim["token"])
        return response

    async def _go(self, request: Request) -> Response:
        """Answer a question, go back, finish, or end."""
        try:
            step = _STEPS.get(request.path_params["step"])
            if step is None:
                raise _gone()
            fields = await fields_of(request)
            check_csrf(_token_of(request), fields.get(CSRF_FIELD, ""))
            given = {}
            if step == "setup-answer":
                given = {"key": fields.get("key", ""), "text": fields.get("text", "")}
            await self._ask(request, step, **given)
        except FilterdError as error:
            return await self._page(request, error)
        return RedirectResponse(PATH, HTTPStatus.SEE_OTHER)

    async def _page(self, request: Request, error: FilterdError | None = None) -> Response:
        """Return the page of the present step, with an error above it."""
        visitor = self._visitors.stranger(request)
        status = HTTPStatus.OK if error is None else status_of(error)
        state: dict[str, Any] = {"step": "claim"}
        try:
            if _token_of(request):
                state = await self._ask(request, "setup-state")
        except FilterdError as refused:
            if refused.code != CLAIM_NEEDED:
                return self._renderer.trouble(visitor, request, refused)
        if not self._socket.is_socket():
            return self._renderer.trouble(visitor, request, _gone())
        if language := state.get("language"):
            visitor.texts = Texts(language_of(language))
        token = _token_of(request)
        visitor.csrf = csrf_of(token) if token else ""
        if error is not None:
            visitor.trouble = error.translated(visitor.language)
        shown = {"state": state, "sentence": from_plain, "is_wrong": isinstance(error, ConfigError)}
        response = self._renderer.draw(
            "setup.html", visitor, request, shown, status=status, here=PATH
        )
        if state["step"] == "working":
            response.headers["refresh"] = str(_LOOK_AGAIN_S)
        return response

    async def _ask(self, request: Request, command: str, **arguments: Any) -> Any:
        """Ask the process of the set-up.

        Raises:
            FilterdError: it refuses; or this gateway is set up.
        """
        if not self._socket.is_socket():
            raise _gone()
        return await asyncio.to_thread(
            control.ask,
            self._socket,
            command,
            act_for=_token_of(request),
            address=request.client.host if request.client else "",
            silence_s=_ASK_WITHIN_S,
            **arguments,
        )


def _token_of(request: Request) -> str:
    return request.cookies.get(SETUP_COOKIE, "")[:_LONGEST_TOKEN]


def _gone() -> WebError:
    return WebError(HTTPStatus.NOT_FOUND, say("there is no such page"))

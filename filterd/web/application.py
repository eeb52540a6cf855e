# SPDX-License-Identifier: Apache-2.0
"""Put pages, forms, the API and signing in together, behind the guard."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Route

from filterd.base.clock import SystemClock
from filterd.texts.i18n import say
from filterd.web import change_forms, operations, page_renderer, pages
from filterd.web.api_requests import PREFIX, ApiRequests, problem
from filterd.web.change_forms import ChangeForms, PendingForms
from filterd.web.event_responses import EventResponses
from filterd.web.first_boot_pages import FirstBootPages
from filterd.web.page_renderer import PageRenderer, StaticFiles
from filterd.web.page_requests import PageRequests
from filterd.web.problem import NOT_ADMITTED, WebError
from filterd.web.request_guard import (
    API,
    LARGEST_BODY_OCTETS,
    RequestGuard,
    device_address,
    uses_header_token,
)
from filterd.web.sign_in import CODE_PATHS, SignIn
from filterd.web.visitor import LONGEST_PART, AdmittedDevices, Visitors, device_of, token_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.responses import Response
    from starlette.types import ASGIApp, Scope

    from filterd.base.clock import Clock
    from filterd.base.errors import FilterdError


class Web:
    """The dashboard and the API in front of a control socket.

    Args:
        socket: the daemon's.
        hosts: the names of the certificate, by which browsers may ask.
        clock: by which admissions and pending forms are remembered.
        setup_socket: of a set-up by pages; the one beside ``socket`` where it is left out.
    """

    def __init__(
        self,
        socket: Path,
        hosts: frozenset[str] = frozenset(),
        clock: Clock | None = None,
        setup_socket: Path | None = None,
    ) -> None:
        self._hosts, self._visitors = hosts, Visitors(socket)
        clock = clock or SystemClock()
        self._admission, self._events = AdmittedDevices(socket, clock), EventResponses()
        self._pending = PendingForms(clock)
        self._static = StaticFiles()
        self._renderer = PageRenderer(self._static)
        first_boot = setup_socket or socket.with_name("setup.sock")
        self._first_boot = FirstBootPages(first_boot, self._visitors, self._renderer)
        self._pages = PageRequests(self._visitors, self._renderer, self._events)

    def application(self) -> ASGIApp:
        """Return the ASGI application."""
        api = ApiRequests(self._visitors, self._events)
        forms = ChangeForms(self._visitors, self._renderer, self._pages, self._pending)
        signing = self._visitors, self._renderer, self._pages, self._admission, self._events
        routed = Starlette(
            routes=[
                *(
                    Route(one.path, partial(self._pages.show, one), methods=["GET"])
                    for one in pages.ORDER
                ),
                *SignIn(*signing).routes,
                *self._first_boot.routes,
                Route(change_forms.PATH, forms.make, methods=["POST"]),
                Route(f"{PREFIX}/openapi.json", api.description, methods=["GET"]),
                *(
                    Route(f"{PREFIX}{one.path}", partial(api.answer, one), methods=[one.method])
                    for one in operations.ORDER
                ),
                Route(page_renderer.STATIC_PATH, self._static.serve, methods=["GET"]),
            ],
            exception_handlers={HTTPException: self._unrouted, Exception: self._failed},
        )
        routed.router.redirect_slashes = False
        return RequestGuard(routed, self._hosts, self._admits, self._refusal, _largest_body)

    def end(self) -> None:
        """End what would not end by itself, because the process does."""
        self._events.end()

    async def _admits(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        """Return whether a device may see the dashboard; see ``RequestGuard``."""
        if self._first_boot.admits(scope):
            return True
        path, request = scope["path"], Request(scope)
        code = next((path.removeprefix(one) for one in CODE_PATHS if path.startswith(one)), "")
        is_program = uses_header_token(scope, headers)
        is_admitted = await self._admission.admits(
            device_address(scope),
            "" if is_program else device_of(request),
            code[:LONGEST_PART],
            token_of(request) if is_program else "",
        )
        if not is_admitted:
            await self._visitors.learn_school(request)
        return is_admitted

    def _refusal(self, error: FilterdError, scope: Scope) -> Response:
        """Return the answer to a refused request: problem details, or a page."""
        request = Request(scope)
        visitor = self._visitors.stranger(request)
        if scope["path"].startswith(API):
            return problem(error, visitor.language)
        if error.code == NOT_ADMITTED:
            return self._renderer.draw(
                "not_admitted.html", visitor, request, {}, status=HTTPStatus.FORBIDDEN
            )
        return self._renderer.trouble(visitor, request, error)

    async def _unrouted(self, request: Request, error: Exception) -> Response:
        """Answer what no route takes."""
        status = HTTPStatus(getattr(error, "status_code", HTTPStatus.NOT_FOUND))
        sentence = say("there is no such page")
        if status == HTTPStatus.METHOD_NOT_ALLOWED:
            sentence = say("this method is not served")
        return self._refusal(WebError(status, sentence), request.scope)

    async def _failed(self, request: Request, _: Exception) -> Response:
        """Answer after an error in this program, which the journal has."""
        sentence = say("filterd made a mistake here; its journal has the details")
        return self._refusal(WebError(HTTPStatus.INTERNAL_SERVER_ERROR, sentence), request.scope)


def _largest_body(path: str) -> int:
    """Return the largest body of a request to this path, in octets."""
    for one in operations.ORDER:
        if path in (f"/do/{one.name}", f"{PREFIX}{one.path}"):
            return max(one.largest_octets, LARGEST_BODY_OCTETS)
    return LARGEST_BODY_OCTETS

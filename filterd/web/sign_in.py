# SPDX-License-Identifier: Apache-2.0
"""Sign people in and out: by password, by a code for once, by a device's PIN."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.responses import RedirectResponse
from starlette.routing import Route

from filterd.base.errors import FilterdError
from filterd.operations.enrolled_devices import RedeemDevice
from filterd.operations.sessions import SignInByCode, SignInByPassword, SignInByPin, SignOut
from filterd.texts.i18n import say
from filterd.web.page_renderer import own_path
from filterd.web.pages import start_of
from filterd.web.problem import WebError, status_of
from filterd.web.request_guard import CSRF_FIELD, check_csrf, fields_of
from filterd.web.visitor import (
    DEVICE_COOKIE,
    SESSION_COOKIE,
    device_of,
    forget_cookie,
    keep_cookie,
    with_device,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from filterd.operations.request import OperationRequest
    from filterd.operations.sessions import BegunSession
    from filterd.web.event_responses import EventResponses
    from filterd.web.page_renderer import PageRenderer
    from filterd.web.page_requests import PageRequests
    from filterd.web.visitor import AdmittedDevices, Visitor, Visitors

CODE_PATHS = "/login/code/", "/device/"
"""Beginnings of addresses that end with a code, which may admit the device of its owner."""
_DEVICE_S = 180 * 86_400


class SignIn:
    """Answers the pages of signing in."""

    def __init__(
        self,
        visitors: Visitors,
        renderer: PageRenderer,
        pages: PageRequests,
        admission: AdmittedDevices,
        events: EventResponses,
    ) -> None:
        self._visitors, self._renderer, self._pages = visitors, renderer, pages
        self._admission, self._events = admission, events

    @property
    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/login", self._form, methods=["GET"]),
            Route("/login", self._by_password, methods=["POST"]),
            Route("/login/pin", self._by_pin, methods=["POST"]),
            Route("/login/code/{code}", self._offer_code, methods=["GET"]),
            Route("/login/code/{code}", self._by_code, methods=["POST"]),
            Route("/device/{code}", self._device_form, methods=["GET"]),
            Route("/device/{code}", self._enrol, methods=["POST"]),
            Route("/logout", self._sign_out, methods=["POST"]),
        ]

    async def _form(self, request: Request) -> Response:
        back = own_path(request.query_params.get("back", "/"))
        return await self._shown(request, "login.html", back=back)

    async def _by_password(self, request: Request) -> Response:
        return await self._signed_in(request, SignInByPassword, "account", "password", "code")

    async def _by_pin(self, request: Request) -> Response:
        return await self._signed_in(request, SignInByPin, "pin")

    async def _offer_code(self, request: Request) -> Response:
        """Show a button: a link that is only fetched, by a scanner say, begins no session."""
        return await self._shown(request, "code.html", code=request.path_params["code"])

    async def _by_code(self, request: Request) -> Response:
        return await self._signed_in(request, SignInByCode, code=request.path_params["code"])

    async def _device_form(self, request: Request) -> Response:
        code = request.path_params["code"]
        return await self._shown(request, "device.html", code=code, device="")

    async def _shown(self, request: Request, template: str, **shown: Any) -> Response:
        """Answer with a page that needs no session."""
        visitor = self._visitors.stranger(request)
        try:
            await self._visitors.greet(visitor, request)
        except FilterdError as error:
            return self._renderer.trouble(visitor, request, error)
        shown["has_device"] = bool(device_of(request))
        return self._renderer.draw(template, visitor, request, shown)

    async def _signed_in(
        self,
        request: Request,
        kind: type[OperationRequest[BegunSession]],
        *asked: str,
        **known: str,
    ) -> Response:
        """Begin a session by a request with these fields of the form and these values."""
        visitor, back = self._visitors.stranger(request), "/"
        try:
            await self._visitors.greet(visitor, request)
            fields = await fields_of(request)
            back = own_path(fields.get("back", "/"))
            given = {name: fields.get(name, "") for name in asked}
            begun = await visitor.send(kind.read({**given, **known, "device": device_of(request)}))
            if back == "/":
                visitor.token = with_device(begun.token, request)
                await visitor.identify()
                back = start_of(visitor)
        except FilterdError as error:
            return self._refused(request, visitor, error, back)
        response = RedirectResponse(back, HTTPStatus.SEE_OTHER)
        keep_cookie(response, SESSION_COOKIE, begun.token)
        return response

    def _refused(
        self, request: Request, visitor: Visitor, error: FilterdError, back: str
    ) -> Response:
        """Answer with the sign-in page, which shows the error."""
        status = status_of(error)
        if isinstance(error, WebError) or status is HTTPStatus.SERVICE_UNAVAILABLE:
            return self._renderer.trouble(visitor, request, error)
        visitor.trouble = error.translated(visitor.language)
        shown = {"back": back, "has_device": bool(device_of(request))}
        return self._renderer.draw(
            "login.html", visitor, request, shown, status=status, here="/login"
        )

    async def _enrol(self, request: Request) -> Response:
        """Take the device in that opened an enrolment code; an administrator confirms it."""
        visitor, code = self._visitors.stranger(request), request.path_params["code"]
        try:
            await self._visitors.greet(visitor, request)
            fields = await fields_of(request)
            name, pin = fields.get("name", ""), fields.get("pin", "")
            if pin != fields.get("pin_again", ""):
                raise WebError(
                    HTTPStatus.UNPROCESSABLE_ENTITY, say("the two PINs are not the same")
                )
            redeemed = await visitor.send(
                RedeemDevice.read({"code": code, "name": name, "pin": pin})
            )
        except FilterdError as error:
            visitor.trouble = error.translated(visitor.language)
            shown = {"code": code, "device": ""}
            return self._renderer.draw(
                "device.html", visitor, request, shown, status=status_of(error)
            )
        self._admission.forget()
        shown = {"code": "", "device": name}
        response = self._renderer.draw("device.html", visitor, request, shown)
        keep_cookie(response, DEVICE_COOKIE, redeemed.device, _DEVICE_S)
        return response

    async def _sign_out(self, request: Request) -> Response:
        visitor = self._visitors.stranger(request)
        try:
            await self._visitors.identify(visitor, request)
            check_csrf(visitor.token, (await fields_of(request)).get(CSRF_FIELD, ""))
            await visitor.send(SignOut())
            self._events.end(visitor.token)
        except FilterdError as error:
            return self._pages.refused(visitor, request, error)
        response = RedirectResponse("/login", HTTPStatus.SEE_OTHER)
        forget_cookie(response, SESSION_COOKIE)
        return response

# SPDX-License-Identifier: Apache-2.0
"""Put pages, forms and the API together."""

from __future__ import annotations

import logging
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from filterd.errors import FilterdError
from filterd.i18n import say, told
from filterd.web import openapi, operations, pages
from filterd.web.problem import MEDIA_TYPE, WebError, details, status_of
from filterd.web.request_guard import (
    COOKIE,
    CSRF_FIELD,
    HEADERS,
    LARGEST_BODY_OCTETS,
    check_csrf,
    check_origin,
    csrf_of,
    refused,
)
from filterd.web.visitor import Visitor

if TYPE_CHECKING:
    from starlette.requests import Request

    from filterd.web.operation import Operation
    from filterd.web.page import Page

_HERE = Path(__file__).parent
_FORM = "application/x-www-form-urlencoded"
_log = logging.getLogger("filterd.web")


class Web:
    """The dashboard and the API in front of a control socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def application(self) -> Starlette:
        """Return the ASGI application."""
        return Starlette(
            routes=[
                *(
                    Route(one.path, partial(self._page, one), methods=["GET"])
                    for one in pages.ORDER
                ),
                Route("/login", self._login, methods=["GET"]),
                Route("/login/code/{code}", self._offer_code, methods=["GET"]),
                Route("/login/code", self._login_code, methods=["POST"]),
                Route("/do/{name}", self._do, methods=["POST"]),
                Route("/api/v1/openapi.json", self._description, methods=["GET"]),
                *(
                    Route(f"/api/v1{one.path}", partial(self._api, one), methods=[one.method])
                    for one in operations.ORDER
                ),
                Mount("/static", StaticFiles(directory=_HERE / "static")),
            ],
        )

    async def _visitor(self, request: Request) -> Visitor:
        client = request.client
        bearer = request.headers.get("authorization", "")
        token = bearer.removeprefix("Bearer ") if bearer else request.cookies.get(COOKIE, "")
        visitor = Visitor(self._socket, client.host if client else "", token[:256])
        await visitor.meet(request.query_params.get("lang", ""))
        await visitor.identify()
        visitor.csrf = csrf_of(token) if token else ""
        return visitor

    async def _page(self, page: Page, request: Request) -> Response:
        visitor = Visitor(self._socket)
        try:
            visitor = await self._visitor(request)
            if not visitor.token:
                return RedirectResponse("/login", HTTPStatus.SEE_OTHER, HEADERS)
            if visitor.roles.isdisjoint(page.roles):
                raise WebError(HTTPStatus.NOT_FOUND, say("there is no such page"))
            shown = await page.load(visitor, {**request.query_params, **request.path_params})
            return self._render(page.template, visitor, page=page, **shown)
        except FilterdError as error:
            return self._trouble(visitor, error)

    async def _login(self, request: Request) -> Response:
        visitor = Visitor(self._socket)
        await visitor.meet(request.query_params.get("lang", ""))
        return self._render("login.html", visitor, page=None)

    async def _offer_code(self, request: Request) -> Response:
        """Show a button: a link that is only fetched, by a scanner say, signs nobody in."""
        visitor = Visitor(self._socket)
        await visitor.meet()
        return self._render("code.html", visitor, page=None, code=request.path_params["code"])

    async def _login_code(self, request: Request) -> Response:
        visitor = Visitor(self._socket)
        try:
            check_origin(request)
            await visitor.meet()
            given = await _form_of(request)
            found = await visitor.ask("login-code", code=given.get("code", ""))
            response = RedirectResponse("/", HTTPStatus.SEE_OTHER, HEADERS)
            response.set_cookie(
                COOKIE, found["token"], secure=True, httponly=True, samesite="strict", path="/"
            )
        except FilterdError as error:
            return self._trouble(visitor, error)
        return response

    async def _do(self, request: Request) -> Response:
        visitor = Visitor(self._socket)
        try:
            check_origin(request)
            visitor = await self._visitor(request)
            given = await _form_of(request)
            check_csrf(visitor.token, given.pop(CSRF_FIELD, ""))
            back = given.pop("back", "/")
            operation = operations.BY_NAME.get(request.path_params["name"])
            if operation is None or not visitor.may(operation):
                raise refused()
            await visitor.call(operation, **given)
            return RedirectResponse(back, HTTPStatus.SEE_OTHER, HEADERS)
        except FilterdError as error:
            return self._trouble(visitor, error)

    async def _api(self, operation: Operation, request: Request) -> Response:
        visitor = Visitor(self._socket)
        try:
            visitor = await self._visitor(request)
            given: dict[str, Any] = {**request.query_params, **request.path_params}
            if operation.is_change and operation.method != "DELETE":
                given |= await request.json()
            return JSONResponse(await visitor.call(operation, **given), headers=HEADERS)
        except FilterdError as error:
            return JSONResponse(
                details(error, visitor.language),
                status_of(error),
                HEADERS,
                MEDIA_TYPE,
            )

    async def _description(self, _: Request) -> Response:
        return JSONResponse(openapi.description(operations.ORDER), headers=HEADERS)

    def _render(
        self, template: str, visitor: Visitor, *, page: Page | None, **shown: Any
    ) -> Response:
        menu = [
            one for one in pages.ORDER if one.is_in_menu and not visitor.roles.isdisjoint(one.roles)
        ]
        text = self._templates.get_template(template).render(
            texts=visitor.texts,
            told=lambda sentence: told(sentence, visitor.language),
            visitor=visitor,
            wording=visitor.wording,
            page=page,
            menu=menu,
            operations=operations.BY_NAME,
            **shown,
        )
        return HTMLResponse(text, headers=HEADERS)

    def _trouble(self, visitor: Visitor, error: FilterdError) -> Response:
        status = status_of(error)
        text = self._templates.get_template("trouble.html").render(
            texts=visitor.texts,
            told=lambda sentence: told(sentence, visitor.language),
            visitor=visitor,
            page=None,
            menu=[],
            message=error.told(visitor.language),
        )
        return HTMLResponse(text, status, HEADERS)


async def _form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form.

    Raises:
        WebError: it is none, or too large.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != _FORM:
        raise refused()
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_BODY_OCTETS:
            raise WebError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, say("the request is too large"))
    try:
        found = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        raise refused() from error
    fields: dict[str, str] = {}
    for name, value in found:  # of several boxes with one name the values are lines
        fields[name] = f"{fields[name]}\n{value}" if name in fields else value
    return fields

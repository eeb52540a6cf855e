# SPDX-License-Identifier: Apache-2.0
"""Answer requests of programs: JSON in, JSON, events or problem details out."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from filterd.accounts.sessions import sign_in_again
from filterd.base.errors import ControlError, FilterdError
from filterd.texts.i18n import say
from filterd.web import openapi, operations
from filterd.web.endpoint import MadeFile
from filterd.web.problem import MEDIA_TYPE, SIGN_IN, details, status_of
from filterd.web.request_guard import (
    CSRF_HEADER,
    SLASH_OF_KEY,
    check_csrf,
    malformed,
    uses_header_token,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from filterd.texts.i18n import Language
    from filterd.web.endpoint import WebEndpoint
    from filterd.web.event_responses import EventResponses
    from filterd.web.visitor import Visitor, Visitors

PREFIX = "/api/v1"


class ApiRequests:
    """Answers them for the operations of ``operations.ORDER``."""

    def __init__(self, visitors: Visitors, events: EventResponses) -> None:
        self._visitors, self._events = visitors, events

    async def answer(self, operation: WebEndpoint, request: Request) -> Response:
        """Do an operation and answer with what it returns."""
        visitor = self._visitors.stranger(request)
        try:
            await self._visitors.identify(visitor, request)
            if not visitor.token:
                raise sign_in_again()
            if operation.is_change and not uses_header_token(request.scope, request.headers):
                check_csrf(visitor.token, request.headers.get(CSRF_HEADER, ""))
            _check_role(operation, visitor)
            result = await visitor.call(operation, **await _given(operation, request))
            if operation.is_stream:
                return await self._events.answer(visitor, result)
            if isinstance(result, MadeFile):
                return result.answer()
            return JSONResponse(result)
        except FilterdError as error:
            return problem(error, visitor.language)

    async def description(self, request: Request) -> Response:
        """Answer with the description of the API, for which one has to be signed in."""
        visitor = self._visitors.stranger(request)
        try:
            await self._visitors.identify(visitor, request)
            if not visitor.token:
                raise sign_in_again()
            return JSONResponse(openapi.description(operations.ORDER))
        except FilterdError as error:
            return problem(error, visitor.language)


def problem(error: FilterdError, language: Language) -> Response:
    """Return an answer with the details of an error."""
    response = JSONResponse(details(error, language), status_of(error), media_type=MEDIA_TYPE)
    if error.code == SIGN_IN:
        response.headers["www-authenticate"] = "Bearer"  # RFC 9110 §11.6.1
    return response


def _check_role(operation: WebEndpoint, visitor: Visitor) -> None:
    """Refuse an operation that is beyond the person's roles, before it is run.

    The manager refuses it, too; but what an operation reads first may fail for another reason.

    Raises:
        ControlError: it is beyond them.
    """
    if not visitor.may(operation):
        raise ControlError(
            say(
                "{name} may not do this; these roles may: {roles}",
                name=visitor.account,
                roles=", ".join(sorted(operation.roles)),
            )
        )


async def _given(operation: WebEndpoint, request: Request) -> dict[str, Any]:
    """Return the values of query, body and path; those of the path count.

    Raises:
        WebError: the body is no object of JSON.
    """
    given: dict[str, Any] = {}
    for name, value in request.query_params.multi_items():  # a list has one parameter for each
        given[name] = f"{given[name]}\n{value}" if name in given else value
    body = await request.body()
    if body:
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if operation.method in ("GET", "DELETE") or kind != "application/json":
            raise malformed()
        try:
            found = json.loads(body, parse_constant=_no_number)
            json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair is no text
        except (ValueError, RecursionError) as error:
            raise malformed() from error
        if not isinstance(found, dict) or not found.keys().isdisjoint(given):
            raise malformed()
        given |= found
    keys = {name: key.replace(SLASH_OF_KEY, "/") for name, key in request.path_params.items()}
    return given | keys


def _no_number(name: str) -> None:
    raise ValueError(name)

# SPDX-License-Identifier: Apache-2.0
"""Describe the API: OpenAPI 3.1, made of its operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.operations.answers import TEXT, WHOLE, record, rows, worked_out
from filterd.operations.changes import CHANGE
from filterd.version import __version__
from filterd.web.event_responses import MEDIA_TYPE as EVENTS
from filterd.web.problem import MEDIA_TYPE
from filterd.web.request_guard import CSRF_HEADER
from filterd.web.visitor import SESSION_COOKIE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.operations.parameters.scalar import Schema
    from filterd.web.endpoint import WebEndpoint

_ABOUT = (
    "The API of filterd, the DNS filter of a school. Each request has an API token"
    " (`Authorization: Bearer ...`), made in the dashboard or by `filterd account token`. Times are"
    " Unix seconds; as parameters ISO 8601 too. Names may have letters of any language. A long"
    " list has `next`: ask again with it as `cursor`. Errors are problem details (RFC 9457), of"
    " which `code` is stable."
)
_PROBLEM = record(
    {
        "type": TEXT,
        "title": TEXT,
        "status": WHOLE,
        "detail": TEXT,
        "code": TEXT,
        "errors": rows(record({"place": TEXT, "detail": TEXT, "hint": TEXT})),
    }
)
_REFUSALS = {
    "400": "It is no request that this program understands",
    "401": "There is no token, or it has ended",
    "403": "This person may not, or not now; nothing was changed",
    "422": "A value is wrong; nothing was changed",
    "429": "Too many requests at a time",
    "503": "The filter does not answer at present",
    "default": "Refused, or failed",
}
_NAMED: dict[str, Schema] = {"Change": CHANGE, "Problem": _PROBLEM}
"""Schemas that many operations share."""
_BY_TOKEN: dict[str, list[str]] = {"token": []}


def description(operations: Iterable[WebEndpoint]) -> dict[str, Any]:
    """Return the description of the API."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "filterd", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": _NAMED,
            "responses": {
                name: _answer(about, MEDIA_TYPE, _ref("schemas", "Problem"))
                for name, about in _REFUSALS.items()
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
                "form": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
            },
        },
    }


def _operation(endpoint: WebEndpoint) -> dict[str, Any]:
    in_path = [name for name in endpoint.fields.named if f"{{{name}}}" in endpoint.path]
    has_body = endpoint.method in ("POST", "PUT")
    in_body = [name for name in endpoint.fields.named if name not in in_path] if has_body else []
    answer = _ref("schemas", "Change") if endpoint.answer is CHANGE else worked_out(endpoint.answer)
    done = _answer("Done", "application/json", answer)
    if endpoint.is_stream:
        done = {**_answer("A value of `data` each", EVENTS, TEXT), "x-data": answer}
    if endpoint.media_types:
        done = {"description": "The file", "content": {kind: {} for kind in endpoint.media_types}}
    found: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.about,
        "description": f"Roles: {', '.join(sorted(endpoint.roles))}.",
        "tags": [endpoint.tag],
        "x-roles": sorted(endpoint.roles),
        "x-commands": list(endpoint.commands),
        "security": [_BY_TOKEN, {"session": [], **({"form": []} if endpoint.is_change else {})}],
        "parameters": [
            {
                "name": name,
                "in": "path" if name in in_path else "query",
                "required": name in in_path or name in endpoint.fields.required,
                "schema": kind.schema,
            }
            for name, kind in endpoint.fields.named.items()
            if name not in in_body
        ],
        "responses": {
            "200": done,
            **{name: _ref("responses", name) for name in _REFUSALS},
        },
    }
    if has_body:
        body = endpoint.fields.only(in_body)
        found["requestBody"] = {
            "content": {"application/json": {"schema": body.schema}},
            "required": bool(body.required),
        }
    return found


def _answer(about: str, media_type: str, schema: Schema) -> dict[str, Any]:
    return {"description": about, "content": {media_type: {"schema": schema}}}


def _ref(kind: str, name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/{kind}/{name}"}

# SPDX-License-Identifier: Apache-2.0
"""Describe the API: OpenAPI 3.1, made of its operations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.version import __version__
from filterd.web.problem import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.web.operation import Operation


def description(operations: Iterable[Operation]) -> dict[str, Any]:
    """Return the description of the API."""
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "filterd", "version": __version__},
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(one: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": one.name,
        "summary": one.about,
        "tags": [one.tag],
        "x-roles": sorted(one.roles),
        "responses": {
            "200": {
                "description": "Done",
                "content": {"application/json": {"schema": one.answer}},
            },
            "default": {
                "description": "Refused",
                "content": {MEDIA_TYPE: {"schema": {"type": "object"}}},
            },
        },
    }
    in_path = {name for name in one.fields.named if f"{{{name}}}" in one.path}
    has_body = one.method in ("POST", "PUT")
    found["parameters"] = [
        {
            "name": name,
            "in": "path" if name in in_path else "query",
            "required": name in in_path or name in one.fields.required,
            "schema": kind.schema,
        }
        for name, kind in one.fields.named.items()
        if name in in_path or not has_body
    ]
    if has_body:
        found["requestBody"] = {"content": {"application/json": {"schema": one.fields.schema}}}
    return found

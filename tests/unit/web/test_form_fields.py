# SPDX-License-Identifier: Apache-2.0
"""A form has fields; boxes of one name are lines."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request

from filterd.web.form_fields import fields_of
from filterd.web.problem import WebError


def _read(body: bytes, kind: str = "application/x-www-form-urlencoded; charset=UTF-8") -> object:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", kind.encode())]
    return asyncio.run(fields_of(Request({"type": "http", "headers": headers}, receive)))


def test_fields_are_read() -> None:
    assert _read(b"a=1&b=&c=%E1%BA%BF+x&a=2") == {"a": "1\n2", "b": "", "c": "ế x"}
    assert _read(b"") == {}


@pytest.mark.parametrize("body", [b"\xff", b"a=%ff", b"&".join([b"a=1"] * 1001)])
def test_what_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(WebError):
        _read(body)


def test_other_types_are_refused() -> None:
    with pytest.raises(WebError):
        _read(b"a=1", "multipart/form-data")

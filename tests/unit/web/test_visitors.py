# SPDX-License-Identifier: Apache-2.0
"""A visitor is known by the token of a cookie, or of a program's header."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from filterd.i18n import say
from filterd.web import visitors as module
from filterd.web.visitor import Visitor
from filterd.web.visitors import Visitors, token_of


def _request(path: str = "/", **headers: str) -> Request:
    given = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "path": path, "query_string": b"", "headers": given}
    return Request({**scope, "client": ("192.0.2.7", 0)})


@pytest.mark.parametrize(
    ("path", "headers", "token"),
    [
        ("/", {}, ""),
        ("/", {"cookie": "__Host-sid=a"}, "a"),
        ("/", {"cookie": "__Host-sid=a; __Host-device=b"}, "a~b"),
        ("/", {"cookie": "__Host-device=b"}, ""),
        ("/", {"cookie": "__Host-sid=a", "authorization": "Bearer t"}, "a"),
        ("/api/v1/x", {"cookie": "__Host-sid=a", "authorization": "Bearer t"}, "t"),
        ("/api/v1/x", {"cookie": "__Host-sid=a", "authorization": "Basic t"}, "-"),
        ("/api/v1/x", {"cookie": "__Host-sid=a"}, "a"),
        ("/", {"cookie": f"__Host-sid={'a' * 300}; __Host-device={'b' * 300}"}, None),
    ],
)
def test_the_token_of_a_request(path: str, headers: dict[str, str], token: str | None) -> None:
    found = token_of(_request(path, **headers))
    assert len(found) <= 256 if token is None else found == token


def test_a_sentence_is_kept_for_one_page_of_one_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_NOTES", 2)
    kept = Visitors(Path("/nowhere"))
    for token in ("a", "b", "c"):
        kept.note(token, say("Menu"))
    seen = []
    for token in ("a", "c", "c"):
        visitor = kept.stranger(_request())
        visitor.token = token
        kept.take_note(visitor)
        seen.append(len(visitor.done))
    assert seen == [0, 1, 0]


def test_what_a_change_made_is_shown_once_too() -> None:
    kept = Visitors(Path("/nowhere"))
    kept.note("a", say("Menu"), {"codes": ["x"]})
    first, second = (Visitor(Path("/nowhere"), token="a") for _ in range(2))
    kept.take_note(first)
    kept.take_note(second)
    assert (first.made, second.made) == ({"codes": ["x"]}, {})

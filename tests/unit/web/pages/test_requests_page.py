# SPDX-License-Identifier: Apache-2.0
"""The page of requests: each row is named, and each length is one that the operation takes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from filterd import control
from filterd.i18n import Texts
from filterd.state_file import to_plain
from filterd.web.operations.request_operations import APPROVE
from filterd.web.pages.requests_page import PAGE
from filterd.web.visitor import Visitor
from tests.unit.overrides.test_review_requests import ONE

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_rows_have_their_class_and_lengths_are_terms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: Any, **__: Any) -> Any:
        return [to_plain(ONE) | {"id": 3}]

    monkeypatch.setattr(control, "ask", ask)

    async def load() -> dict[str, Any]:
        return await PAGE.load(Visitor(tmp_path, texts=Texts("en")), {})

    shown = asyncio.run(load())
    assert shown["seats"] == {3: "class 6A"}
    for value, text in shown["lengths"]:
        assert text
        assert APPROVE.fields.read({"id": 3, "reason": "x", "term": value})["term"] == value


def test_it_is_for_those_who_may_decide() -> None:
    assert PAGE.roles == APPROVE.roles

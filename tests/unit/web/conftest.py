# SPDX-License-Identifier: Apache-2.0
"""A dashboard of one page and two operations, before a manager that a test sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.operations.operation import ADMINS
from filterd.operations.parameters.scalar import Fields, Flag, Text
from filterd.texts.i18n import say
from filterd.web import operations, pages
from filterd.web.endpoint import MadeFile, WebOperation
from filterd.web.page import Page
from tests.support.web_requests import FakeManager

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from filterd.web.visitor import Visitor


async def _open(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await visitor.ask("open", **given)


async def _names(visitor: Visitor, given: dict[str, Any]) -> Any:
    return await visitor.ask("names", **given)


async def _shown(_: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    return {"code": given.get("key", "first")}


async def _live(_: Visitor, given: Mapping[str, str]) -> AsyncIterator[dict[str, Any] | None]:
    yield {"row": [given.get("name", "")]}
    yield None


OPEN = WebOperation(
    name="openName",
    method="POST",
    path="/names/{name}",
    about="Open a name.",
    run=_open,
    fields=Fields({"name": Text(20), "twice": Flag()}, ("name",)),
    roles=ADMINS,
    done=lambda result, _: say("{name} is open", name=result["name"]),
)
NAMES = WebOperation(
    name="readNames",
    method="GET",
    path="/names",
    about="The names.",
    run=_names,
    fields=Fields({"begin": Text(20)}),
)


async def _file(_: Visitor, given: dict[str, Any]) -> Any:
    return MadeFile("a.html", "text/html", b"<p>made", is_shown=given.get("shown", False))


FILE = WebOperation(
    name="makeFile",
    method="POST",
    path="/files",
    about="Make a file.",
    run=_file,
    fields=Fields({"shown": Flag()}),
    media_types=("text/html",),
)
FIRST = Page(path="/", title=say("Menu"), template="code.html", load=_shown, live=_live)
KEYED = Page(
    path="/of/{key}",
    title=say("Menu"),
    template="code.html",
    load=_shown,
    roles=ADMINS,
)


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> FakeManager:
    monkeypatch.setattr(pages, "ORDER", (FIRST, KEYED))
    monkeypatch.setattr(pages, "MENU", ((say("Now"), (FIRST,)),))
    monkeypatch.setattr(operations, "ORDER", (OPEN, NAMES, FILE))
    monkeypatch.setattr(operations, "BY_NAME", {one.name: one for one in (OPEN, NAMES, FILE)})
    return FakeManager(monkeypatch)

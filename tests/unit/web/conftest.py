# SPDX-License-Identifier: Apache-2.0
"""A dashboard of one page and two operations, before a manager that a test sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pytest

from filterd.operations.operation import ADMINS
from filterd.operations.parameters.scalar import Flag, Text
from filterd.operations.request import OperationRequest
from filterd.texts.i18n import say
from filterd.web import operations, pages
from filterd.web.endpoint import MadeFile, WebEndpoint
from filterd.web.page import Page
from tests.support.web_requests import FakeManager

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from filterd.web.visitor import Visitor


@dataclass(frozen=True, slots=True)
class OpenName(OperationRequest[Any], command="open"):
    """Open a name."""

    name: Annotated[str, Text(20)]
    twice: Annotated[bool, Flag()] = False


@dataclass(frozen=True, slots=True)
class ReadNames(OperationRequest[Any], command="names"):
    """The names."""

    begin: Annotated[str, Text(20)] = ""


@dataclass(frozen=True, slots=True)
class MakeFile(OperationRequest[Any], command="file"):
    """A file."""

    shown: Annotated[bool, Flag()] = False


async def _shown(_: Visitor, given: Mapping[str, str]) -> dict[str, Any]:
    return {"code": given.get("key", "first")}


async def _live(_: Visitor, given: Mapping[str, str]) -> AsyncIterator[dict[str, Any] | None]:
    yield {"row": [given.get("name", "")]}
    yield None


async def _file(_: Visitor, asked: MakeFile) -> MadeFile:
    return MadeFile("a.html", "text/html", b"<p>made", is_shown=asked.shown)


OPEN = WebEndpoint(
    name="openName",
    method="POST",
    path="/names/{name}",
    about="Open a name.",
    request=OpenName,
    answer={},
    roles=ADMINS,
    done=lambda result, _: say("{name} is open", name=result["name"]),
)
NAMES = WebEndpoint(
    name="readNames",
    method="GET",
    path="/names",
    about="The names.",
    request=ReadNames,
    answer={},
)
FILE = WebEndpoint(
    name="makeFile",
    method="POST",
    path="/files",
    about="Make a file.",
    request=MakeFile,
    answer={},
    act=_file,
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

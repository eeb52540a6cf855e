# SPDX-License-Identifier: Apache-2.0
"""A page of the dashboard as text, from made answers of the manager; no process runs."""

from __future__ import annotations

import asyncio
import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request

from filterd.overrides.rights.roles import Role
from filterd.texts.i18n import Texts
from filterd.texts.rows import SchoolClock
from filterd.web.page_renderer import PageRenderer, StaticFiles
from filterd.web.visitor import Visitor
from tests.support.policies import NOW

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from filterd.texts.i18n import Language
    from filterd.web.page import Page

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(slots=True)
class MadeVisitor(Visitor):
    """A visitor; the manager answers it with what the test has made.

    Attributes:
        answers: by command.
        asked: the commands, with their arguments, in order.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def ask(self, command: str, **arguments: Any) -> Any:
        """Return the made answer, or that of a function of the test."""
        self.asked.append((command, arguments))
        made = self.answers[command]
        return made(**arguments) if callable(made) else copy.deepcopy(made)

    async def follow(self, command: str, **arguments: Any) -> AsyncIterator[Any]:
        """Yield the made frames."""
        for one in await self.ask(command, **arguments):
            yield one


def a_visitor(
    answers: dict[str, Any], *roles: Role, language: Language = "en", now: float = NOW
) -> MadeVisitor:
    """Return a visitor of these roles, an administrator where there are none."""
    return MadeVisitor(
        Path("/nowhere"),
        token="a-token",
        account="lan",
        roles=frozenset(roles or (Role.READER, Role.ADMIN)),
        classes=None,
        school="Trường mẫu",
        texts=Texts(language),
        clock=SchoolClock(ZONE, now),
        answers=answers,
    )


def rendered(page: Page, visitor: MadeVisitor, **query: str) -> str:
    """Return the text of a page for a visitor."""

    async def load() -> dict[str, Any]:
        return await page.load(visitor, query)

    shown = asyncio.run(load())
    path, values = page.path, urlencode(query).encode()
    scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode()}
    request = Request({**scope, "query_string": values, "headers": []})
    renderer = PageRenderer(StaticFiles())
    return bytes(renderer.draw(page.template, visitor, request, shown, page=page).body).decode()

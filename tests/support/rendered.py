# SPDX-License-Identifier: Apache-2.0
"""A page of the dashboard as text, from made answers of the manager; no process runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from filterd.i18n import Texts, told
from filterd.overrides.roles import Role
from filterd.rows import SchoolClock
from filterd.web import operations
from filterd.web.visitor import Visitor
from tests.support.commands import ROOT
from tests.support.policies import NOW

if TYPE_CHECKING:
    from filterd.i18n import Language
    from filterd.web.page import Page

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_TEMPLATES = Environment(
    loader=FileSystemLoader(ROOT / "filterd/web/templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(slots=True)
class MadeVisitor(Visitor):
    """A visitor to whom the manager answers what the test has made.

    Attributes:
        answers: by command.
        asked: the commands, with their arguments, in order.
    """

    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def ask(self, command: str, **arguments: Any) -> Any:
        """Return the made answer."""
        self.asked.append((command, arguments))
        return self.answers[command]


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
    return _TEMPLATES.get_template(page.template).render(
        texts=visitor.texts,
        told=lambda sentence: told(sentence, visitor.language),
        visitor=visitor,
        wording=visitor.wording,
        page=page,
        menu=[page],
        operations=operations.BY_NAME,
        **shown,
    )

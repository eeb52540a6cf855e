# SPDX-License-Identifier: Apache-2.0
"""Commands are asked in the name of the visitor; what a page may show follows from the roles."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from filterd.i18n import say
from filterd.web.operation import ADMINS, EVERYONE, Operation
from filterd.web.visitor import Visitor

if TYPE_CHECKING:
    from filterd.overrides.roles import Role
    from tests.support.web_requests import FakeManager


async def _run(visitor: Visitor, given: dict[str, str]) -> object:
    return await visitor.ask("open", **given)


def _operation(roles: frozenset[Role]) -> Operation:
    return Operation(name="x", method="POST", path="/x", about="X.", run=_run, roles=roles)


def test_the_token_and_address_go_with_each_command(manager: FakeManager) -> None:
    manager.answers["open"] = 7
    visitor = Visitor(Path("/nowhere"), "192.0.2.7", "t")
    assert asyncio.run(visitor.call(_operation(EVERYONE))) == 7
    assert manager.asked == [("open", {"act_for": "t", "address": "192.0.2.7"})]


def test_a_page_shows_what_the_roles_may(manager: FakeManager) -> None:
    visitor = Visitor(Path("/nowhere"), token="t")
    assert not visitor.may(_operation(EVERYONE))
    manager.answers["session"]["roles"] = ["reader"]
    asyncio.run(visitor.identify())
    assert visitor.may(_operation(EVERYONE))
    assert not visitor.may(_operation(ADMINS))


def test_a_form_that_failed_shows_what_was_given() -> None:
    visitor = Visitor(Path("/nowhere"), failed="x", given={"name": "given"})
    assert visitor.filled(_operation(EVERYONE), "name", "usual") == "given"
    other = Operation(name="y", method="POST", path="/y", about="Y.", run=_run)
    assert visitor.filled(other, "name", say("usual")) == "usual"

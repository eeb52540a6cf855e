# SPDX-License-Identifier: Apache-2.0
"""Each operation sends one command of the manager; those of sections read the site before."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.overrides.rights.roles import Role
from filterd.web.operations import ORDER
from filterd.web.operations import site_operations as module

DATA = {"school": {"name": "A"}, "networks": {"lab": {"grade": 6, "cidrs": ["10.0.0.0/24"]}}}


class Recorder:
    """A visitor whose commands are kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def ask(self, command: str, **arguments: Any) -> Any:
        self.asked.append((command, arguments))
        return {"data": DATA} if command == "site-read" else {"restart_for": ["listen"]}


def done(operation: Any, **given: Any) -> list[tuple[str, dict[str, Any]]]:
    recorder = Recorder()
    asyncio.run(operation.run(recorder, operation.fields.read(given)))
    return recorder.asked


def test_a_section_becomes_edits_of_paths() -> None:
    _, (command, arguments) = done(
        module.EDITS["networks"], item="lab", seat="7", cidrs="10.0.0.0/24"
    )
    assert command == "site-edit"
    assert {"path": ["networks", "lab", "grade"], "value": 7} in arguments["edits"]


def test_what_was_looked_at_is_applied_by_its_digest() -> None:
    assert done(module.APPLY_SITE, digest="0" * 64) == [("site-apply", {"digest": "0" * 64})]
    with pytest.raises(ConfigError):
        done(module.APPLY_SITE, digest="latest")


def test_the_others_are_one_command_each() -> None:
    edits = [{"path": ["language"], "value": "en"}]
    assert done(module.DRAFT_SITE, edits=edits) == [("site-edit", {"edits": edits})]
    assert done(module.READ_DRAFT) == [("site-draft", {})]
    assert done(module.DROP_DRAFT) == [("site-drop", {})]
    assert done(module.READ_SITE) == [("site-read", {})]
    with pytest.raises(ConfigError):
        done(module.DRAFT_SITE, edits={})


def test_they_are_of_administrators() -> None:
    assert {one.roles for one in ORDER if one.tag == "site"} == {frozenset((Role.ADMIN,))}

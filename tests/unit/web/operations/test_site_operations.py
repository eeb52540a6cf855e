# SPDX-License-Identifier: Apache-2.0
"""Each operation sends one command of the manager; those of sections read the site before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.operations import site
from filterd.overrides.rights.roles import Role
from filterd.web.operations import ORDER
from filterd.web.operations import site_operations as module
from tests.support.operations import RecordedVisitor

if TYPE_CHECKING:
    from filterd.operations.operation import Operation

DATA = {"school": {"name": "A"}, "networks": {"lab": {"grade": 6, "cidrs": ["10.0.0.0/24"]}}}


def done(operation: Operation, **given: Any) -> list[tuple[str, dict[str, Any]]]:
    known = dict.fromkeys(("site-edit", "site-apply", "site-draft", "site-drop"), "done")
    visitor = RecordedVisitor(answers={"site-read": {"data": DATA}, **known})
    visitor.do(operation, **given)
    return visitor.asked


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
    assert done(site.DRAFT_SITE, edits=edits) == [("site-edit", {"edits": edits})]
    assert done(site.READ_DRAFT) == [("site-draft", {})]
    assert done(module.DROP_DRAFT) == [("site-drop", {})]
    assert done(site.READ_SITE) == [("site-read", {})]
    with pytest.raises(ConfigError):
        done(site.DRAFT_SITE, edits={})


def test_they_are_of_administrators() -> None:
    assert {one.roles for one in ORDER if one.tag == "site"} == {frozenset((Role.ADMIN,))}

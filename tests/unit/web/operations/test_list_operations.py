# SPDX-License-Identifier: Apache-2.0
"""Lists and versions are shown and decided on."""

from __future__ import annotations

from typing import Any

import pytest

from filterd.base.errors import ConfigError
from filterd.daemon.handlers.list_commands import DECISIONS, arguments_of
from filterd.web.operations import ORDER
from filterd.web.operations.list_operations import APPROVE, ENTRIES, FEED_STATUS
from tests.support.operations import RecordedVisitor

_DECIDING = [one for one in ORDER if not DECISIONS.keys().isdisjoint(one.commands)]


def test_every_decision_of_the_manager_has_an_operation_with_its_arguments() -> None:
    found = {one.commands[0]: set(one.fields.named) for one in _DECIDING}
    assert found == {command: set(arguments) for command, arguments in DECISIONS.items()}


@pytest.mark.parametrize("operation", _DECIDING, ids=lambda one: one.name)
def test_what_an_operation_lets_pass_the_manager_understands(operation: Any) -> None:
    values = {"version": "12", "sources": ["urlhaus"], "name": "a.vn", "list": "urlhaus"}
    given = {
        name: values.get(name, True if "boolean" in str(kind.schema) else "x")
        for name, kind in operation.fields.named.items()
        if name != "accept"
    }
    command, read = operation.commands[0], operation.fields.read(given)
    assert arguments_of(command, read, "web:lan").keys() == read.keys()


def test_a_version_is_a_number_or_of_public_lists() -> None:
    visitor = RecordedVisitor(answers={"feed approve": {"version": 12, "names": 3}})
    assert visitor.last(APPROVE, version="web-0a1b", reason="đã xem") == {
        "version": "web-0a1b",
        "reason": "đã xem",
    }
    with pytest.raises(ConfigError, match="does not have the form"):
        visitor.do(APPROVE, version="--off")


def test_after_a_while_a_decision_goes_on_by_itself() -> None:
    visitor = RecordedVisitor()
    assert APPROVE.done is not None
    sentence = visitor.texts(APPROVE.done({"at_work": "feed approve"}, visitor))
    assert "history of versions" in sentence


def test_entries_and_the_feed_are_shown() -> None:
    visitor = RecordedVisitor(answers={"lists-search": [], "status": {"feed": {"served": 1}}})
    assert visitor.last(ENTRIES, name="a.vn") == {"qname": b"\x01a\x02vn\0".hex()}
    assert visitor.do(FEED_STATUS) == {"served": 1}

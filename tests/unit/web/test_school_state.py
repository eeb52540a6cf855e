# SPDX-License-Identifier: Apache-2.0
"""What is in force is worked out from the manager's answers."""

from __future__ import annotations

import asyncio

import pytest

from filterd.base.errors import ConfigError, ControlError
from filterd.texts.i18n import say
from filterd.web.school_state import check_known, in_force, overrides_of
from tests.support.changes import Book, a_grade_setting
from tests.support.operations import RecordedVisitor
from tests.support.policies import NOW


def test_the_policy_has_what_is_set_over_it() -> None:
    book = Book()
    book.make("grade", **a_grade_setting(target="games", opens=True))
    state = asyncio.run(in_force(RecordedVisitor(overrides=book.overrides)))
    assert "games" not in state.moment.policy.grades["7"].closed
    assert state.clock.now == NOW


def test_while_the_time_is_not_known_the_last_known_one_is_shown() -> None:
    visitor = RecordedVisitor(answers={"clock": {"policy_time": None, "floor": 5.0}})
    assert asyncio.run(in_force(visitor)).clock.now == 5.0


def test_a_manager_of_another_release_is_named_so() -> None:
    visitor = RecordedVisitor(answers={"overrides": {"number": "x", "exceptions": [{}]}})
    with pytest.raises(ControlError, match="another version"):
        asyncio.run(overrides_of(visitor))


def test_an_id_that_the_site_does_not_have_gets_a_hint() -> None:
    assert check_known("lab-a", ["lab-a"], say("room")) == "lab-a"
    with pytest.raises(ConfigError, match=r"'lab-b' is not a room of this site .*'lab-a'"):
        check_known("lab-b", ["lab-a"], say("room"))

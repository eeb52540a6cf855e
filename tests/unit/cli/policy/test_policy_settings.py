# SPDX-License-Identifier: Apache-2.0
"""Grades are set by command, and settings are taken back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.overrides.history.policy_versions import PolicyVersions
from filterd.policy import policy_file as policy_store
from tests.support.commands import call
from tests.support.policies import a_policy

if TYPE_CHECKING:
    from filterd.base.state_folder import StateFolder
    from tests.support.clock import FakeClock
    from tests.support.fake_daemon import FakeDaemon


SET = ("policy", "set", "--grade", "7")


def test_a_category_is_opened_to_a_grade(here: list[str], daemon: FakeDaemon) -> None:
    done = call(*SET, "--allow-category", "streaming", *here)
    assert done.out.startswith("Change 1: open category:streaming to grade 7\n")
    (setting,) = daemon.store.current().grades
    assert (setting.grade, setting.kind, setting.target, setting.opens) == (
        "7",
        "category",
        "streaming",
        True,
    )


def test_a_service_is_closed_to_a_grade(here: list[str], daemon: FakeDaemon) -> None:
    done = call(*SET, "--block-service", "zalo", "--reason", "why", "--json", *here)
    assert json.loads(done.out)["number"] == 1
    (setting,) = daemon.store.current().grades
    assert (setting.kind, setting.opens, setting.reason) == ("service", False, "why")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("", "there is nothing to set (one of --allow-category"),
        ("--allow-category a --block-service b", "only one setting at a time"),
        ("--allow-categry a", "did you mean --allow-category"),
    ],
)
def test_one_thing_is_set_at_a_time(
    words: str, why: str, here: list[str], daemon: FakeDaemon
) -> None:
    done = call(*SET, *words.split(), *here)
    assert (done.code, len(done.error_lines), daemon.commands()) == (2, 1, [])
    assert why in done.err


def test_the_last_setting_is_taken_back_whatever_else_was_changed(
    here: list[str], daemon: FakeDaemon
) -> None:
    call(*SET, "--allow-category", "streaming", *here)
    call(*SET, "--allow-category", "games", *here)
    call("block", "a.example", "--for", "1h", "--reason", "b", *here)
    assert "change 2 of lan is undone: open category:games" in call("policy", "undo", *here).out
    assert "change 1 of lan is undone" in call("policy", "undo", *here).out
    assert daemon.store.current().grades == ()
    assert len(daemon.store.current().exceptions) == 1
    done = call("policy", "undo", *here)
    assert done.error_lines == [
        "filterd: no setting of a grade is left to undo (see `filterd policy history`)"
    ]


def test_a_setting_whose_undo_was_undone_counts_again(here: list[str], daemon: FakeDaemon) -> None:
    call(*SET, "--allow-category", "streaming", *here)
    call("policy", "undo", *here)
    call("undo", "2", *here)
    assert len(daemon.store.current().grades) == 1
    assert "change 1 of lan is undone" in call("policy", "undo", *here).out
    assert daemon.store.current().grades == ()


def test_versions_and_settings_are_shown(
    here: list[str], daemon: FakeDaemon, quiet: StateFolder, clock: FakeClock
) -> None:
    assert call("policy", "history", *here).out == "Nothing has been changed yet.\n"
    policy = a_policy()
    PolicyVersions(quiet, daemon.store, clock).note(policy)
    call(*SET, "--allow-category", "streaming", *here)
    call("block", "a.example", "--for", "1h", "--reason", "b", *here)
    call("undo", "1", *here)
    shown = call("policy", "history", *here).out
    digest = policy_store.digest(policy)
    for words in (digest, "08:00", "open category:streaming", "change 1 is undone"):
        assert words in shown
    printed = json.loads(call("policy", "history", "--json", *here).out)
    assert [one["digest"] for one in printed["versions"]] == [digest]
    assert [row["number"] for row in printed["settings"]] == [3, 1]

# SPDX-License-Identifier: Apache-2.0
"""Differences of grades: from the shipped files, each other, and before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from filterd.base.paths import shipped
from filterd.config.compile import compile_policy
from filterd.config.site_reader import load_site
from filterd.lists.catalogs.catalog import load_catalog
from filterd.overrides.history.policy_versions import PolicyVersions
from filterd.policy import policy_file as policy_store
from tests.support.commands import call
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from filterd.policy.model import Policy
    from tests.support.clock import FakeClock
    from tests.support.fake_daemon import FakeDaemon

OWN = "grades:\n  4: {categories: {allow: [games]}, youtube: off}\n"


def _compiled(folder: Path) -> Policy:
    return compile_policy(load_site(folder), load_catalog(shipped("blocklists")))


def test_what_ships_differs_in_nothing(here: list[str], daemon: FakeDaemon) -> None:
    done = call("policy", "diff", *here)
    assert (done.code, done.out) == (0, "No difference.\n")
    assert daemon.commands() == ["overrides"]


def test_what_a_school_and_its_commands_changed_is_reported(
    tmp_path: Path, here: list[str], daemon: FakeDaemon
) -> None:
    site = ["--config", str(write_site(tmp_path / "own", port=5353, more=OWN)), *here[2:]]
    call("policy", "set", "--grade", "7", "--allow-category", "games", *site)
    done = call("policy", "diff", *site)
    assert done.code == 1
    rows = [line.split() for line in done.out.splitlines()]
    assert ["games", "closed", "open", "4,", "7"] in rows
    assert ["youtube", "strict", "off", "4"] in rows
    only = json.loads(call("policy", "diff", "--grade", "7", "--json", *site).out)
    assert [(one["target"], one["grades"]) for one in only] == [("games", ["7"])]
    assert "--allow-category" not in str(daemon.asked)


def test_two_grades_are_compared(here: list[str], daemon: FakeDaemon) -> None:
    done = call("policy", "diff", "--between", "6", "8", "--json", *here)
    found = {load["target"]: (load["before"], load["after"]) for load in json.loads(done.out)}
    assert (done.code, found["streaming"]) == (1, ("closed", "open"))
    assert "porn" not in found
    assert call("policy", "diff", "--between", "6", "6", *here).code == 0
    assert daemon.commands() == ["overrides"] * 2


def test_two_versions_are_compared(
    week: Path,
    tmp_path: Path,
    here: list[str],
    daemon: FakeDaemon,
    quiet: StateFolder,
    clock: FakeClock,
) -> None:
    kept = PolicyVersions(quiet, daemon.store, clock)
    before = _compiled(week)
    kept.note(before)
    call("policy", "set", "--grade", "7", "--allow-category", "games", *here)
    clock.advance(3600)
    rule = "exceptions: [{block: a.example, for: {grade: 5}, reason: Why not}]\n"
    after = _compiled(write_site(tmp_path / "own", port=5353, more=OWN + rule))
    kept.note(after)
    versions = [policy_store.digest(one)[:8] for one in (before, after)]
    shown = call("policy", "diff", "--versions", *versions, *here)
    rows = [line.split() for line in shown.out.splitlines()]
    assert shown.code == 1
    assert ["games", "closed", "open", "4"] in rows
    assert ["rule:a.example", "(5)", "-", "block"] in rows
    over_time = call("policy", "diff", "--versions", "08:30", "09:00", "--json", *here)
    games = [load for load in json.loads(over_time.out) if load["target"] == "games"]
    assert [game["grades"] for game in games] == [["4"]]  # grade 7 had them before, and has them
    assert {"policies", "policy", "overrides"} <= set(daemon.commands())
    daemon.stop()
    assert call("policy", "diff", "--versions", *versions, *here) == shown
    read = call("policy", "diff", "--versions", "08:30", "09:00", "--json", *here)
    assert read == over_time


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--versions now yesterday", "'yesterday' is not a version (a digest of"),
        ("--versions 2020-01-01 now", "the policy of 00:00 01/01/2020 is not known"),
        ("--between 6 13", "'13' is not a grade"),
        ("--between 6 7 --grade 8", "--between cannot be combined"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    words: str, why: str, here: list[str], daemon: FakeDaemon
) -> None:
    done = call("policy", "diff", *words.split(), *here)
    assert (done.code, done.out, len(done.error_lines)) == (2, "", 1)
    assert why in done.err
    assert set(daemon.commands()) <= {"overrides", "policies"}

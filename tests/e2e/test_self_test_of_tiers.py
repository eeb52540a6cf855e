# SPDX-License-Identifier: Apache-2.0
"""A real daemon tests what is closed to each tier, and no log and no counter has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.policy.model import TIERS
from tests.support.commands import call, run
from tests.support.counted_log import counted_in
from tests.support.daemon import (
    Served,
    asked,
    copy_lists,
    free_port,
    noon,
    serving,
    write_site,
)
from tests.support.waiting import until
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.upstream import FakeUpstream

pytestmark = pytest.mark.usefixtures("warm_children")

MORE = f"workers: 2\ntime_zone: {noon()}\nlog: {{level: names, tiers: {{primary: blocked}}}}\n"
LOST = """
import sys
from dataclasses import replace
from filterd.daemon.serving import worker
Loader, LOST = worker.SealedSiteLoader, {"social-media"}

class Losing(Loader):
    def __init__(self, setting, surroundings):
        super().__init__(setting, surroundings)
        self.around = surroundings

    def __call__(self, epoch=None):
        site = super().__call__(epoch)
        grades = {
            key: replace(one, closed=one.closed - LOST) if one.tier == "primary" else one
            for key, one in site.timed.policy.grades.items()
        }
        policy = replace(site.timed.policy, grades=grades)
        return site.of(policy, site.index, site.route.servers, self.around)

worker.SealedSiteLoader = Losing
from filterd.cli.entry import main
sys.argv[0] = "filterd"
main()
"""
"""A daemon whose workers, not its manager, have lost a category for one tier."""


@pytest.fixture
def school(tmp_path: Path, built: StateFolder, upstream: FakeUpstream) -> tuple[Path, Path, int]:
    port = free_port()
    config = write_site(tmp_path / "site", port=port, upstream=upstream.port, more=MORE)
    return config, copy_lists(built, tmp_path / "state").folder, port


@pytest.fixture
def served(school: tuple[Path, Path, int]) -> Iterator[Served]:
    with serving(*school[:2]) as daemon:
        yield daemon


def _ask(served: Served, command: str, **arguments: Any) -> Any:
    return control.ask(served.state.control_socket, command, **arguments)


def _counted(served: Served) -> tuple[Any, ...]:
    """Return all that a lookup could be counted in: totals, names, counters of answers."""
    totals = counted_in(served.state, by_class=True, by_network=True)
    names = call("log", "top", "--json", *served.options)
    assert names.code == 0, names.err
    return totals, names.out, _ask(served, "status")["answers"]


def _are_recorded(served: Served) -> bool:
    """Return whether the two lookups are in all files; a slow round is not waited for."""
    totals = counted_in(served.state)
    names = call("log", "top", "--json", *served.options).out
    return sum(total.n for total in totals) == 2 and "tiktok" in names


def test_each_tier_is_tested_and_nothing_of_it_is_recorded(
    served: Served, school: tuple[Path, Path, int], upstream: FakeUpstream
) -> None:
    for source in ("127.0.3.1", "127.0.7.1"):
        asked(school[2], a_query("www.tiktok.com"), source)
    until(lambda: _are_recorded(served), "both lookups in the log")
    before = _counted(served)
    run = _ask(served, "self-test")
    assert run["failed"] == 0
    passed = [one for one in run["rows"] if one["outcome"] == "passed"]
    assert {one["tier"] for one in passed} == set(TIERS)
    assert {one["tier"] for one in passed if one["protocol"] == "tcp"} == set(TIERS)
    assert {"porn", "self-harm", "gambling"} < {one["category"] for one in passed}
    assert _counted(served) == before
    assert upstream.asked == []
    assert _ask(served, "status")["signals"]["self_test"]["passed"] == run["passed"]


def test_a_tier_that_has_lost_a_category_is_seen_by_status_and_doctor(
    school: tuple[Path, Path, int],
) -> None:
    with serving(*school[:2], program=("-c", LOST)) as served:
        tested = _ask(served, "self-test")
        failed = [one for one in tested["rows"] if one["outcome"] == "failed"]
        assert [(one["tier"], one["category"]) for one in failed] == [("primary", "social-media")]
        status = call("status", "--json", *served.options)
        assert "1 of" in status.out
        looked = run("doctor", "--json", *served.options)
        (found,) = [load for load in json.loads(looked.out) if load["probe"] == "canaries"]
        assert (found["outcome"], "social-media" in str(found)) == ("found", True)
        assert "www." not in str(found)


def test_control_asked_as_a_client_without_a_class_the_lost_category_is_closed(
    school: tuple[Path, Path, int],
) -> None:
    with serving(*school[:2], program=("-c", LOST)):
        blocked = asked(school[2], a_query("social-media.blocked.filterd.example"), "127.0.0.1")
        assert blocked[3] & 0x0F == 3

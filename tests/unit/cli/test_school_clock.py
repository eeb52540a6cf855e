# SPDX-License-Identifier: Apache-2.0
"""Times are read by the clock of the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.commands import call
from tests.support.fake_daemon import MONDAY_AT_8

if TYPE_CHECKING:
    from tests.support.fake_daemon import FakeDaemon

HOUR = 3600.0


def test_the_zone_is_that_of_the_site(here: list[str], daemon: FakeDaemon) -> None:
    call("allow", "a.example", "--until", "17:00", "--reason", "b", *here)
    assert daemon.asked[-1][1]["ends_at"] == MONDAY_AT_8 + 9 * HOUR

# SPDX-License-Identifier: Apache-2.0
"""The clock is believed by a command, which the history has with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.commands import call

if TYPE_CHECKING:
    from tests.support.fake_daemon import FakeDaemon


def test_believing_the_clock_wants_a_reason(here: list[str], daemon: FakeDaemon) -> None:
    assert call("clock", "accept", *here).code == 2
    assert "change" not in daemon.commands()


def test_believing_the_clock_is_recorded_with_its_reason(
    here: list[str], daemon: FakeDaemon
) -> None:
    done = call("clock", "accept", "--reason", "pin mới", *here)
    assert done.code == 0, done.err
    assert daemon.store.rows()[0].kind == "clock-accept"
    assert daemon.store.rows()[0].reason == "pin mới"

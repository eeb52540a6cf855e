# SPDX-License-Identifier: Apache-2.0
"""``filterd top`` of a real daemon, at a terminal and without one."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import call
from tests.support.daemon import asked, copy_lists, free_port, noon, serving, write_site
from tests.support.set_clock import Clocks
from tests.support.terminal import CTRL_C, Terminal
from tests.support.waiting import until
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from tests.support.daemon import Served

pytestmark = pytest.mark.usefixtures("warm_children")
BLOCKED = 25
COUNTED = {"social-media": BLOCKED}


@pytest.fixture
def served(tmp_path: Path, built: StateFolder) -> Iterator[Served]:
    state, port = copy_lists(built, tmp_path / "state"), free_port()
    more = f"workers: 2\ntime_zone: {noon()}\n"
    config = write_site(tmp_path / "site", port=port, more=more)
    clocks = Clocks(tmp_path / "clocks").set(is_set_by_server=True)
    with serving(config, state.folder, program=clocks.program("vouched")) as one:
        for number in range(BLOCKED):
            asked(port, a_query("www.tiktok.com", message_id=number))
        until(lambda: _status(one)["log"]["today"] == {"blocked": BLOCKED}, "all of them counted")
        clocks.passes(3_600)  # categories are shown when their hour is over
        until(
            lambda: _status(one)["day"]["blocked_categories"] == COUNTED, "all of them in the log"
        )
        yield one


def _status(served: Served) -> Any:
    return json.loads(call("status", "--json", *served.options).out)


def test_its_numbers_are_those_of_the_status(served: Served) -> None:
    shown = json.loads(call("top", "--once", "--json", "--interval", "1", *served.options).out)
    status = _status(served)
    for part in ("answers", "day", "upstreams", "cache", "alerts"):
        assert shown["status"][part] == status[part]
    assert status["day"]["blocked_categories"] == COUNTED
    page = call("top", "--once", "--interval", "1", "--lang", "en", *served.options).out
    (line,) = (line for line in page.splitlines() if line.startswith("blocked "))
    assert line.split()[1] == str(status["answers"]["blocked"])


def test_at_a_terminal_it_fits_and_enter_ends_it(served: Served) -> None:
    words = ["-m", "filterd", "top", "--interval", "1", "--lang", "vi", *served.options]
    terminal = Terminal([sys.executable, *words])
    terminal.press("\r", after="Hôm nay chặn theo nhóm")
    assert terminal.code == 0
    assert "social-media" in terminal.text


def test_ctrl_c_ends_it_quietly(served: Served) -> None:
    terminal = Terminal([sys.executable, "-m", "filterd", "top", *served.options])
    terminal.press(CTRL_C, after="social-media")
    assert terminal.code == 0
    assert "Traceback" not in terminal.text

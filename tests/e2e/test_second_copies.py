# SPDX-License-Identifier: Apache-2.0
"""Lost files of the active site: listed names stay blocked."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import call
from tests.support.daemon import Served, free_port, serving, write_site
from tests.support.processes import children
from tests.support.upstream import FakeUpstream
from tests.support.waiting import is_blocked, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("warm_children")
NAME = "listed-last.example"
_LISTS = "lists: [{id: own, file: own.txt, category: malware}]\n"


class School:
    """A school whose own list names something that its index of before does not."""

    def __init__(self, folder: Path, upstream: int) -> None:
        self.port, self.config, self.state = free_port(), folder / "site", folder / "state"
        write_site(self.config, port=self.port, upstream=upstream, more=_LISTS)
        self.options = ("--config", str(self.config), "--state", str(self.state))
        self.build("first.example")

    def build(self, *names: str) -> None:
        (self.config / "own.txt").write_text("".join(f"{name}\n" for name in names))
        built = call("lists", "build", "--quiet", *self.options)
        assert built.code == 0, built.err

    def spoil_the_site(self) -> None:
        """Leave files from which no policy can be compiled."""
        (self.config / "site.yaml").write_text("language: en\nwrong")

    def is_blocked(self) -> bool:
        return is_blocked(self.port, NAME)


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with FakeUpstream(records={f"{NAME} A": [f"{NAME}. 60 IN A 198.18.0.7"]}) as upstream:
        yield School(tmp_path, upstream.port)


def _replace_workers(served: Served) -> None:
    old = _workers(served)
    for pid in old:
        os.kill(pid, signal.SIGKILL)
    until(lambda: bool(now := _workers(served)) and not set(now) & set(old), "new workers")


def _workers(served: Served) -> list[int]:
    return children(served.process.pid)[1:]  # the manager is the first


def _lose(school: School) -> None:
    for name in ("policy.filterd", "index.filterd"):
        (school.state / name).unlink()


def test_what_was_listed_last_stays_blocked_when_the_files_are_gone(school: School) -> None:
    with serving(school.config, school.state) as served:
        school.build("first.example", NAME)
        assert school.is_blocked()
        school.spoil_the_site()
        _lose(school)
        _replace_workers(served)
        assert school.is_blocked()
        until((school.state / "index.filterd").exists, "the index put back")
        until((school.state / "policy.filterd").exists, "the policy put back")
        served.end()
    _lose(school)
    with serving(school.config, school.state):
        assert school.is_blocked()


def test_control_without_second_copies_nothing_is_left_to_start_with(school: School) -> None:
    """What is in memory is lost with the daemon."""
    program = (
        "from filterd.daemon.manager import site_loader;"
        "site_loader.keep_second_copies = lambda *_: None;"
        "from filterd.cli.entry import main; main()"
    )
    with serving(school.config, school.state, program=("-c", program)) as served:
        school.build("first.example", NAME)
        assert school.is_blocked()
        served.end()
    school.spoil_the_site()
    _lose(school)
    with (
        pytest.raises(AssertionError, match="ended without saying"),
        serving(school.config, school.state, program=("-c", program)),
    ):
        pass

# SPDX-License-Identifier: Apache-2.0
"""A disk that does not return the feed's folder: the lists in force stay."""

from __future__ import annotations

import contextlib
import json
import shutil
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import pytest

from filterd.base.state_folder import StateFolder
from tests.support.asking import Asker
from tests.support.commands import call
from tests.support.daemon import SOURCES, Served, free_port, serving, write_site
from tests.support.feed_folders import put_in_force
from tests.support.unprivileged import give, open_folder, unprivileged
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_root")]
VERSION = "12"


class School:
    """A site that has taken a version of the feed and serves as a user without rights."""

    def __init__(self, folder: Path, before: tuple[str, ...]) -> None:
        self.port, self._before = free_port(), before
        self.config = write_site(
            folder / "site", port=self.port, more="feed: https://feed.example/\n"
        )
        self.state = StateFolder(folder / "state")
        put_in_force(self.state, VERSION, "bet.example")
        give(self.state.folder)

    @contextlib.contextmanager
    def serving(self) -> Iterator[Served]:
        with serving(self.config, self.state.folder, before=self._before) as served:
            yield served

    def rcode(self, name: str) -> str:
        """Return what staff gets for a name."""
        with Asker(("127.0.0.1", self.port), SOURCES["staff"]) as asker:
            answer = dns.message.from_wire(asker.by_udp(a_query(name)))
        return dns.rcode.to_text(answer.rcode())


@pytest.fixture
def school() -> Iterator[School]:
    with unprivileged() as before, open_folder() as folder:
        yield School(folder, before)


def _close(path: Path) -> None:
    path.chmod(0)


def _replace(path: Path) -> None:
    shutil.rmtree(path)
    path.write_bytes(b"no folder")


FAULTS: list[tuple[str, Callable[[Path], None]]] = [
    ("feed", _close),
    ("feed/versions", _close),
    ("feed/versions/12", _close),
    ("feed/versions/12/categories.yaml", _close),
    ("feed", _replace),
    ("feed/versions/12", _replace),
]


@pytest.mark.parametrize("served_before", [True, False], ids=["later-start", "first-start"])
@pytest.mark.parametrize(
    ("path", "spoil"), FAULTS, ids=lambda one: one if isinstance(one, str) else one.__name__
)
def test_a_start_serves_the_lists_in_force(
    school: School, path: str, spoil: Callable[[Path], None], *, served_before: bool
) -> None:
    if served_before:
        with school.serving() as served:
            assert served.end() == 0
        policy = school.state.policy.read_bytes()
    spoil(school.state.folder / path)
    with school.serving() as served:
        assert school.rcode("www.bet.example") == "NXDOMAIN"
        assert school.rcode("localhost") == "NOERROR"
        status = json.loads(call("status", "--json", *served.options).out)["feed"]
        assert served.end() == 0
    assert "Traceback" not in "\n".join(served.log)
    if not path.endswith(".yaml"):
        assert "cannot be read" in status["problem"]
        assert status["problem"].split(": ")[0].startswith(str(school.state.feed))
    if served_before and spoil is _close:
        assert "is missing or damaged" in "\n".join(served.log)
        assert school.state.policy.read_bytes() == policy


def test_a_reload_leaves_what_is_in_force(school: School) -> None:
    with school.serving() as served:
        _close(school.state.feed)
        done = call("reload", *served.options)
        assert done.code == 0 or "is missing or damaged" in done.err, done
        assert school.rcode("www.bet.example") == "NXDOMAIN"
        assert "cannot be read" in call("status", *served.options).out
        assert served.end() == 0
    assert "Traceback" not in "\n".join(served.log)

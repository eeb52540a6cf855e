# SPDX-License-Identifier: Apache-2.0
"""New lists do not wait for a correct ``site.yaml``, at daemon or start.

Guard and daemon are real. The school's earlier settings and its own lists stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.rcode
import pytest

from filterd.daemon.feed_port import ControlDaemon
from filterd.policy import policy_file
from tests.support.asking import Asker
from tests.support.daemon import SOURCES, Served, free_port, serving, write_site
from tests.support.feed_site import FIRST, MUST_BLOCK, SECOND, Follower, Published, name_of
from tests.support.wire import a_query

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long

OWN = """\
feed: https://feed.example/
lists: [{id: mine, file: mine.txt, category: games}]
grades: {3: {categories: {block: [games]}}}
"""


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return Published(tmp_path_factory.mktemp("published"), whole=True, count=2)


@pytest.fixture
def school(published: Published, tmp_path: Path) -> Follower:
    school = Follower(tmp_path, published)
    school.found()
    write_site(school.config, port=free_port(), more=OWN)
    (school.config / "mine.txt").write_text("mine.example\n")
    school.run(FIRST)
    return school


def _break(school: Follower) -> None:
    site = school.config / "site.yaml"
    site.write_text(site.read_text(encoding="utf-8") + "listne: [127.0.0.1]\n", encoding="utf-8")


def _blocks(daemon: Served, name: str) -> bool:
    port = policy_file.load(daemon.state.policy).listen[0].port
    with Asker(("127.0.0.1", port), SOURCES["3"]) as asker:
        rcode: int = asker.by_udp(a_query(name))[3] & 15
    return rcode == dns.rcode.NXDOMAIN


def test_a_daemon_blocks_what_is_new_and_all_that_the_school_has_closed(school: Follower) -> None:
    with serving(school.config, school.state.folder) as daemon:
        school.daemon = ControlDaemon(daemon.state.control_socket)
        assert not _blocks(daemon, name_of(SECOND))
        _break(school)
        school.run(SECOND)
        assert school.check_consistent(SECOND) == SECOND
        for name in (name_of(SECOND), MUST_BLOCK, "mine.example"):
            assert _blocks(daemon, name), name


def test_so_does_the_next_start(school: Follower) -> None:
    with serving(school.config, school.state.folder):
        pass
    _break(school)
    school.run(SECOND)
    with serving(school.config, school.state.folder) as daemon:
        for name in (name_of(SECOND), MUST_BLOCK, "mine.example"):
            assert _blocks(daemon, name), name


def test_so_does_the_way_back(school: Follower) -> None:
    with serving(school.config, school.state.folder) as daemon:
        school.daemon = ControlDaemon(daemon.state.control_socket)
        school.run(SECOND)
        _break(school)
        school.state.previous_index.unlink()  # so that it has to be compiled anew
        school.leave(SECOND)
        assert not _blocks(daemon, name_of(SECOND))
        for name in (MUST_BLOCK, "mine.example"):
            assert _blocks(daemon, name), name

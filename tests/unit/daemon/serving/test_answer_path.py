# SPDX-License-Identifier: Apache-2.0
"""What answers has its share of the memory, and explains what it would answer."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError
from filterd.daemon.serving import answer_path
from filterd.fastpath.core_contract import ENTRIES
from filterd.fastpath.core_filler import NATIVE, Core
from tests.support.team import School, Team, explained, is_blocked
from tests.support.upstream import FakeUpstream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream() as fake:
        yield fake


@pytest.fixture
def school(tmp_path: Path, built: StateFolder, upstream: FakeUpstream) -> School:
    return School(tmp_path, built, upstream.port)


def test_a_block_is_explained_as_by_the_daemon(school: School) -> None:
    async def work(team: Team) -> None:
        explanation = await explained(team, "www.tiktok.com", grade="3")
        assert explanation is not None
        assert (explanation["action"], explanation["category"]) == ("nxdomain", "social-media")
        assert explanation["source"] == "daemon"

    school.serve(work)


def test_an_address_decides_by_its_network(school: School) -> None:
    async def work(team: Team) -> None:
        explanation = await explained(team, "www.tiktok.com", address="127.0.100.1")
        assert explanation is not None
        assert (explanation["action"], explanation["network"], explanation["grade"]) == (
            "pass",
            "of-staff",
            "staff",
        )
        assert await explained(team, "www.tiktok.com", address="203.0.113.77") is None

    school.serve(work)


def test_an_alias_of_a_blocked_name_is_explained(school: School, upstream: FakeUpstream) -> None:
    upstream.add("alias.example. 60 IN CNAME www.tiktok.com.", "www.tiktok.com. 60 IN A 198.18.0.1")

    async def work(team: Team) -> None:
        explanation = await explained(team, "alias.example", grade="3")
        assert explanation is not None
        assert (explanation["reason"], explanation["matched"]) == ("alias", "tiktok.com")
        later = await is_blocked(team, "alias.example", at="2030-01-01T10:00")
        assert not later  # what aliases there will be then nobody knows

    school.serve(work)


def test_a_time_is_meant_in_the_schools_zone(school: School) -> None:
    school.write(
        "exceptions:\n  - {block: later.example, reason: vì thế, "
        "from: 2030-01-01T12:00, until: 2030-01-01T13:00}\n"
    )

    async def work(team: Team) -> None:
        times = ("2030-01-01T11:59", "2030-01-01T12:30", "2030-01-01T05:30+00:00")
        answers = [await is_blocked(team, "later.example", at=at) for at in times]
        assert answers == [False, True, True]

    school.serve(work)


def test_what_is_no_time_is_refused(school: School) -> None:
    async def work(team: Team) -> None:
        with pytest.raises(ConfigError, match="'soon' is not a time"):
            await explained(team, "a.example", grade="3", at="soon")

    school.serve(work)


@pytest.mark.usefixtures("needs_native")
@pytest.mark.parametrize("size_mb", [1, 5, 32, 4096])
def test_what_may_be_repeated_is_part_of_the_memory_for_answers(
    school: School, size_mb: int
) -> None:
    octets = size_mb << 20

    async def work(team: Team) -> None:
        repeated = team.worker._path.repeated * answer_path._REPEATED_OCTETS
        cached = team.worker._path.store.size_octets + team.worker._path.store.failures.size_octets
        assert octets // 6 - repeated <= 0 or team.worker._path.repeated == ENTRIES
        assert repeated <= octets // 3
        assert repeated + cached == octets

    school.write(f"cache_size_mb: {size_mb}\n")
    school.serve(work)


def test_without_native_modules_the_chain_serves_alone_with_all_the_memory(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(team: Team) -> None:
        assert (team.worker._path.fast, team.worker._path.relay) == (None, None)
        assert (
            team.worker._path.store.size_octets + team.worker._path.store.failures.size_octets
            == 5 << 20
        )
        await team.worker.status()

    monkeypatch.setattr(answer_path, "NATIVE", False)
    school.write("cache_size_mb: 5\n")
    school.serve(work)


def test_a_reload_to_less_memory_leaves_the_cache_the_larger_part(school: School) -> None:
    async def work(team: Team) -> None:
        school.write("cache_size_mb: 6\n")
        await team.manager.reload()
        worker = team.worker
        cached = worker._path.store.size_octets + worker._path.store.failures.size_octets
        # Without native modules nothing is repeated, and all is for the cache.
        assert cached == (4 << 20 if NATIVE else 6 << 20)

    school.serve(work)


@pytest.mark.usefixtures("needs_native")
def test_what_may_be_repeated_takes_as_much_as_is_counted() -> None:
    taken = []
    for entries in (4096, 8192):
        tracemalloc.start()
        core = Core(bytes(16), entries)
        taken.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        del core
    assert taken[1] - taken[0] == pytest.approx(4096 * answer_path._REPEATED_OCTETS, rel=0.001)

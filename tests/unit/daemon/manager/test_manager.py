# SPDX-License-Identifier: Apache-2.0
"""A reload is in force in all workers or in none; status is of all of them."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from filterd.base.clock import SystemClock
from filterd.base.errors import ConfigErrors, ControlError, StoreError
from filterd.base.paths import install
from filterd.config.compile_run import compile_in_child
from filterd.daemon.manager import manager as module
from filterd.daemon.manager import site_policy, worker_team
from filterd.lists.index_files import Blocklists, blocklists_in_force
from filterd.policy import policy_file
from filterd.policy.model import ListenAddress
from filterd.querylog.totals_file import read_totals
from filterd.querylog.totals_request import TotalsRequest
from filterd.texts.i18n import say
from filterd.wire import name as names
from tests.support.daemon import free_port
from tests.support.other_tables import is_by_other_tables, other_tables

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.querylog import Counts
    from tests.support.team import School, Team


BLOCK = "exceptions:\n  - {block: new.example, reason: vì thế}\n"


async def _blocks_by_worker(team: Team) -> list[bool]:
    """Return for each worker whether it blocks the name of ``BLOCK``; asked for a later day."""
    whom: dict[str, Any] = {"grade": "3", "address": None, "at": "2030-01-01T10:00"}
    qname = names.from_text("new.example").hex()
    outcome = [await worker.check(qname=qname, qtype=1, **whom) for worker in team.workers]
    return [one is not None and one["action"] != "pass" for one in outcome]


def test_new_lists_come_in_force_while_the_sites_files_are_wrong(
    school: School, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    tables = Blocklists(other_tables(tmp_path), "7")

    async def work(team: Team) -> None:
        school.write(BLOCK)
        await team.manager.reload()
        before = school.state.policy.read_bytes()
        school.write("nonsense: 1\n")
        with mock.patch.object(site_policy, "blocklists_in_force", return_value=tables):
            with pytest.raises(ConfigErrors, match="nonsense"):
                await team.manager.reload()  # who has written it hears of it
            assert school.state.policy.read_bytes() == before
            done = await team.manager.reload(lists_only=True)
            assert is_by_other_tables(team.manager.site.timed.policy)
        assert await _blocks_by_worker(team) == [True]
        assert "nonsense" in str(done.doubts)
        assert (await team.manager.status())["doubts"] == done.doubts
        await team.manager.reload(lists_only=True)  # the way back goes by the tables of before
        assert not is_by_other_tables(team.manager.site.timed.policy)
        assert await _blocks_by_worker(team) == [True]
        school.write()
        assert (await team.manager.reload()).doubts == ()

    school.serve(work)
    assert "nonsense" in caplog.text
    assert "last good version of the site" in caplog.text


def test_control_where_it_is_not_known_what_the_site_was_new_lists_wait(school: School) -> None:
    async def work(team: Team) -> None:
        await team.manager.reload()
        school.write("nonsense: 1\n")
        school.state.policy.with_name("policy.filterd.origin").unlink()
        with pytest.raises(ConfigErrors, match="nonsense"):
            await team.manager.reload(lists_only=True)

    school.serve(work)


def test_a_policy_that_was_judged_is_not_compiled_again(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compiling(*_: Any, **__: Any) -> None:
        raise AssertionError("nothing is left to compile")

    async def work(team: Team) -> None:
        await team.manager.reload()
        school.write(BLOCK)
        blocklists = blocklists_in_force(school.state).folder
        compile_in_child(school.config, school.state.judged_policy, blocklists=blocklists)
        monkeypatch.setattr("filterd.daemon.manager.site_policy.compile_in_child", compiling)
        await team.manager.reload()
        assert await _blocks_by_worker(team) == [True]

    school.serve(work)


def test_a_policy_that_was_judged_for_other_files_is_not_taken(school: School) -> None:
    async def work(team: Team) -> None:
        await team.manager.reload()
        school.write(BLOCK)
        blocklists = blocklists_in_force(school.state).folder
        compile_in_child(school.config, school.state.judged_policy, blocklists=blocklists)
        school.write("# another\n")
        await team.manager.reload()
        assert await _blocks_by_worker(team) == [False]

    school.serve(work)


@pytest.mark.parametrize(
    ("name", "doubt"),
    [
        ("www.pornhub.com", "www.pornhub.com is locked for everybody: the exception has no effect"),
        ("www.tiktok.com", "an exception of the site: valid"),
    ],
)
def test_an_exception_of_the_school_is_shown_with_its_effect(
    school: School, name: str, doubt: str
) -> None:
    async def work(team: Team) -> None:
        assert (await team.manager.status())["doubts"] == ()
        school.write(f"exceptions:\n  - {{allow: {name}, for: {{grade: 3}}, reason: Thử}}\n")
        (found,) = (await team.manager.reload()).doubts
        assert doubt in str(found)
        assert (await team.manager.status())["doubts"] == (found,)

    school.serve(work)


def test_what_is_answered_before_the_time_is_known_is_not_counted_into_1970(
    school: School,
) -> None:
    class WithoutBattery(SystemClock):
        """Shows the first hours of 1970 until it is set."""

        ahead_s = -SystemClock().wall()

        def wall(self) -> float:
            return super().wall() + self.ahead_s + 60.0

    clock = WithoutBattery()

    async def work(team: Team) -> None:
        for worker in team.workers:
            worker._counts.add("3", "games", "blocked", 5)
        answer = await team.manager.status()
        assert (answer["log"]["undated"], answer["log"]["today"]) == (10, {})
        clock.ahead_s = 0.0
        answer = await team.manager.status()
        assert answer["log"]["today"] == {"blocked": 10}
        assert (await team.manager.status())["log"]["undated"] == 0

    school.serve(work, workers=2, clock=clock)


def test_a_reload_is_in_force_in_every_worker_when_it_is_done(school: School) -> None:
    async def work(team: Team) -> None:
        assert await _blocks_by_worker(team) == [False, False]
        school.write(BLOCK)
        done = await team.manager.reload()
        assert await _blocks_by_worker(team) == [True, True]
        assert done.restart_for == ()
        assert done.policy == (await team.manager.status())["policy"]
        assert done.policy == policy_file.digest(policy_file.load(school.state.policy))
        assert not school.state.candidate_policy.exists()
        assert team.page.epoch == 1

    school.serve(work, workers=2)


def test_where_one_worker_cannot_load_it_none_does_and_the_next_reload_succeeds(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(**_: object) -> None:
        raise StoreError(say("no memory"))

    async def work(team: Team) -> None:
        before = school.state.policy.read_bytes()
        school.write(BLOCK)
        with monkeypatch.context() as broken:
            broken.setitem(team.workers[1]._channel._handlers, "prepare", fail)
            with pytest.raises(ControlError, match="no memory"):
                await team.manager.reload()
        assert await _blocks_by_worker(team) == [False, False]
        assert team.page.epoch == 0
        assert school.state.policy.read_bytes() == before
        await team.manager.reload()
        assert await _blocks_by_worker(team) == [True, True]
        assert (await team.manager.status())["reload_failures"] == 1

    school.serve(work, workers=2)


def test_a_reload_names_what_only_a_restart_changes(school: School) -> None:
    async def work(team: Team) -> None:
        school.write("workers: 3\ncache_size_mb: 5\n", port=free_port())
        done = await team.manager.reload()
        assert done.restart_for == ("listen", "workers")
        assert team.worker._path.store.size_octets < 5 << 20
        listen = (await team.manager.status())["listen"]
        assert listen == [{"address": "127.0.0.1", "port": school.port}]

    school.serve(work)


def test_an_invalid_site_leaves_what_was_in_force(school: School) -> None:
    async def work(team: Team) -> None:
        before = team.manager.site
        (school.config / "site.yaml").write_text("nonsense: 1\n", encoding="utf-8")
        with pytest.raises(ConfigErrors, match="unknown key 'nonsense'"):
            await team.manager.reload()
        assert team.manager.site is before

    school.serve(work)


def test_a_policy_that_cannot_be_installed_is_not_put_in_force(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async def work(team: Team) -> None:
        monkeypatch.setattr(site_policy, "install", full)
        school.write(BLOCK)
        with pytest.raises(StoreError, match="cannot be installed: No space left on device"):
            await team.manager.reload()
        assert await _blocks_by_worker(team) == [False]

    school.serve(work)


def test_a_storm_of_reloads_is_one_more_than_the_one_at_work(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[bool] = []

    def counting(config: Path, target: Path, **more: Any) -> None:
        compiled.append(True)
        compile_in_child(config, target, **more)
        school.write(BLOCK)  # while the first is at work somebody changes the site and reloads

    async def work(team: Team) -> None:
        monkeypatch.setattr(site_policy, "compile_in_child", counting)
        school.write("# another\n")
        first = asyncio.ensure_future(team.manager.reload())
        while not compiled:
            await asyncio.sleep(0)
        later = await asyncio.gather(*(team.manager.reload() for _ in range(50)))
        assert (await first).policy != later[0].policy
        assert len(set(later)) == 1
        assert len(compiled) == team.page.epoch == 2
        assert await _blocks_by_worker(team) == [True]

    school.serve(work)


def test_new_lists_under_the_same_policy_need_no_compilation_of_it(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError

    async def work(team: Team) -> None:
        monkeypatch.setattr(site_policy, "compile_in_child", refused)
        await team.manager.reload()
        assert team.page.epoch == 1
        monkeypatch.undo()
        school.write(BLOCK)
        await team.manager.reload()
        assert await _blocks_by_worker(team) == [True]
        monkeypatch.setattr(site_policy, "compile_in_child", refused)
        await team.manager.reload()  # the record of the policy was installed with it
        assert await _blocks_by_worker(team) == [True]

    school.serve(work)


def test_a_reload_that_its_asker_gives_up_is_still_done(school: School) -> None:
    async def work(team: Team) -> None:
        school.write(BLOCK)
        impatient = asyncio.ensure_future(team.manager.reload())
        await asyncio.sleep(0)
        impatient.cancel()
        await team.manager.reload()
        assert await _blocks_by_worker(team) == [True]

    school.serve(work)


def test_a_policy_that_a_dead_manager_left_in_place_is_put_in_force_by_the_next(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(temporary: Path, path: Path) -> None:
        install(temporary, path)
        raise Killed

    async def work(team: Team) -> None:
        school.write(BLOCK)
        with monkeypatch.context() as dying, contextlib.suppress(Killed):
            dying.setattr(site_policy, "install", killed)
            await team.manager._prepare_and_commit(lists_only=False)
        assert await _blocks_by_worker(team) == [False, False]  # in place, and not in force
        await team.manager.stop()
        await team.manager.start()
        assert await _blocks_by_worker(team) == [True, True]

    school.serve(work, workers=2)


def test_a_worker_that_prepares_too_late_does_not_spoil_the_next_reload(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = asyncio.Event()

    async def work(team: Team) -> None:
        prepare, worker = team.worker.prepare, team.worker
        before = team.manager.site

        async def slow(*, epoch: int, **_: str) -> None:
            await late.wait()
            worker._sites.prepare(epoch, before)

        with monkeypatch.context() as slowly:
            slowly.setattr(worker_team, "_WORKER_WITHIN_S", 0.05)
            slowly.setitem(worker._channel._handlers, "prepare", slow)
            with pytest.raises(ControlError):
                await team.manager.reload()
        school.write(BLOCK)

        async def then_the_late_one(*, epoch: int) -> None:
            await prepare(epoch=epoch)
            late.set()
            await asyncio.sleep(0.01)

        monkeypatch.setitem(worker._channel._handlers, "prepare", then_the_late_one)
        await team.manager.reload()
        assert await _blocks_by_worker(team) == [True]

    school.serve(work)


def test_a_worker_that_cannot_load_what_is_in_force_is_reported(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(**_: object) -> None:
        raise StoreError(say("the disk is gone"))

    async def work(team: Team) -> None:
        monkeypatch.setitem(team.workers[1]._channel._handlers, "confirm", fail)
        school.write(BLOCK)
        with pytest.raises(ControlError, match="in force, but not yet in every worker: the disk"):
            await team.manager.reload()
        digest = (await team.manager.status())["policy"]
        assert digest == policy_file.digest(policy_file.load(school.state.policy))

    school.serve(work, workers=2)


def test_the_manager_knows_the_machine_by_where_it_listens(school: School) -> None:
    async def work(team: Team) -> None:
        listen = (ListenAddress("192.0.2.1", 53), ListenAddress("fe80::1%lo", 53))
        manager = module.Manager(replace(team.setting, listen=listen), [])
        await manager.start()
        assert manager.site.identifier.identify("192.0.2.1") is not None
        assert team.manager.site.identifier.identify("203.0.113.1") is None

    school.serve(work)


def test_a_reload_ends_and_begins_counting(school: School) -> None:
    async def work(team: Team) -> None:
        school.write("log: {level: off}\n")
        await team.manager.reload()
        team.worker._counts.add("6", "", "pass")
        assert await team.manager.log_totals(TotalsRequest(is_live=True)) == []
        assert (await team.manager.status())["log"]["level"] == "off"
        school.write()
        await team.manager.reload()
        team.worker._counts.add("6", "", "pass")
        assert len(await team.manager.log_totals(TotalsRequest(is_live=True))) == 1

    school.serve(work)


def test_what_was_answered_before_counting_ends_is_counted(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fast:
        """Has an answer that is not in the counts yet."""

        def __init__(self, counts: Counts) -> None:
            self._counts, self._answered = counts, 1

        def settle(self) -> None:
            self._counts.add("6", "", "pass", self._answered)
            self._answered = 0

    async def work(team: Team) -> None:
        with monkeypatch.context() as fast:
            fast.setattr(team.worker._path, "fast", Fast(team.worker._counts))
            school.write("log: {level: off}\n")
            await team.manager.reload()
        (row,) = await team.manager.log_totals(TotalsRequest(is_live=True))
        assert row["n"] == 1

    school.serve(work)


def test_what_workers_count_to_the_end_is_written(school: School) -> None:
    async def work(team: Team) -> None:
        for worker in team.workers:
            worker._counts.add("6", "", "pass", 5)
            await worker.stop()
        await team.manager.write_last()
        now = team.setting.clock.wall()
        found = await read_totals(
            school.state.query_log, TotalsRequest(2, is_live=True), time_zone="UTC", now=now
        )
        assert sum(one.n for one in found) == 10

    school.serve(work, workers=2)

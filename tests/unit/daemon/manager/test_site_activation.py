# SPDX-License-Identifier: Apache-2.0
"""A policy and lists are in force in all processes or in none, and from memory."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ControlError, StoreError
from filterd.base.sealed_memory import SealedMemory
from filterd.lists.index import Index
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from filterd.resolve.site import Site
    from tests.support.team import School, Team

BLOCK = "exceptions:\n  - {block: new.example, reason: vì thế}\n"


def _in_worker(team: Team) -> Site:
    return team.worker._sites.current


def _replace_index(school: School) -> None:
    """Put the same lists in place as another file, as a build does."""
    school.state.fresh_index.write_bytes(school.state.index.read_bytes())
    school.state.fresh_index.replace(school.state.index)


def test_manager_and_workers_share_the_index_of_the_start(school: School) -> None:
    async def work(team: Team) -> None:
        sealed = team.sites.of(0)
        assert team.manager.site.index.memory.is_same(sealed.index)
        assert _in_worker(team).index.memory.is_same(sealed.index)

    school.serve(work)


def test_a_new_policy_has_no_index_read_again(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: object) -> None:
        raise AssertionError("the index is in memory")

    async def work(team: Team) -> None:
        of_manager, of_worker = team.manager.site.index, _in_worker(team).index
        monkeypatch.setattr(Index, "of_file", read)
        school.write(BLOCK)
        await team.manager.reload()
        assert team.manager.site.index is of_manager
        assert _in_worker(team).index is of_worker
        assert [*team.sites._sites] == [team.page.site_epoch] == [1]

    school.serve(work)


def test_new_lists_take_the_place_of_those_before_in_memory(school: School) -> None:
    async def work(team: Team) -> None:
        before = team.sites.of(0).index
        _replace_index(school)
        await team.manager.reload()
        now = team.sites.of(1).index
        assert not now.is_same(before)
        assert _in_worker(team).index.memory.is_same(now)
        assert team.manager.site.index.memory.is_same(now)
        assert [*team.sites._sites] == [1]

    school.serve(work)


def test_what_a_worker_cannot_prepare_is_withdrawn(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(**_: object) -> None:
        raise StoreError(say("no memory"))

    async def work(team: Team) -> None:
        school.write(BLOCK)
        monkeypatch.setitem(team.worker._channel._handlers, "prepare", fail)
        with pytest.raises(ControlError, match="no memory"):
            await team.manager.reload()
        team.sites.follow(team.page)
        assert [*team.sites._sites] == [team.page.site_epoch] == [0]

    school.serve(work)


def test_without_memory_for_it_the_policy_before_stays(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none_left(*_: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    async def work(team: Team) -> None:
        school.write(BLOCK)
        with monkeypatch.context() as short:
            short.setattr(SealedMemory, "of", none_left)
            with pytest.raises(StoreError, match="no memory for the compiled policy"):
                await team.manager.reload()
        assert team.page.site_epoch == 0
        await team.manager.reload()
        assert team.manager.site.timed.policy.rules == _in_worker(team).timed.policy.rules != ()

    school.serve(work)


def test_a_change_by_command_leaves_policy_and_lists_as_they_are(school: School) -> None:
    async def work(team: Team) -> None:
        team.page.epoch = team.page.next_epoch()
        await team.worker.confirm(epoch=1)
        assert team.page.site_epoch == 0
        assert [*team.sites._sites] == [0]

    school.serve(work)


def test_where_nothing_was_left_in_place_the_next_manager_moves_the_epoch_alone(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(*_: object) -> None:
        raise AssertionError("nothing is to be loaded")

    async def work(team: Team) -> None:
        team.page.next_epoch()
        await team.manager.stop()
        monkeypatch.setattr(team.manager._activation, "load", load)
        await team.manager.start()
        assert (team.page.epoch, team.page.site_epoch) == (2, 0)

    school.serve(work)


def test_what_was_left_in_place_and_cannot_be_loaded_leaves_what_is_in_force(
    school: School, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> None:
        raise StoreError(say("the disk is gone"))

    async def work(team: Team) -> None:
        before, left = team.manager.site.timed.policy, school.state.policy.read_bytes()
        school.write(BLOCK)
        await team.manager.reload()
        school.state.policy.write_bytes(left)
        team.page.next_epoch()
        await team.manager.stop()
        monkeypatch.setattr(team.manager._activation, "load", refuse)
        await team.manager.start()
        assert (team.page.epoch, team.page.site_epoch) == (3, 1)
        assert team.manager.site.timed.policy != before
        assert "the disk is gone; what was in force stays" in caplog.text

    school.serve(work)


@pytest.mark.parametrize("gone", ["index", "policy", "all"])
def test_a_worker_begins_without_any_file(school: School, gone: str) -> None:
    async def work(team: Team) -> None:
        if gone == "all":
            shutil.rmtree(school.state.folder)
            shutil.rmtree(school.config)
        else:
            getattr(school.state, gone).unlink()
        site = team.worker._load()
        assert site.policy == _in_worker(team).policy
        assert site.index.memory.is_same(_in_worker(team).index.memory)

    school.serve(work)

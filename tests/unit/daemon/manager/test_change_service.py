# SPDX-License-Identifier: Apache-2.0
"""A change is recorded, and in force in every worker when it is acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ChangeError, ConfigError, ConfigErrors, ControlError, StoreError
from filterd.daemon.handlers import policy_commands
from filterd.daemon.handlers.control_caller import Caller
from filterd.daemon.serving import answer_path
from filterd.overrides.history import snapshot
from filterd.overrides.history.history_chain import REMOVAL
from filterd.overrides.history.store import Store
from filterd.overrides.rights.read_access import View
from filterd.overrides.rights.roles import Author, Rank, Role
from filterd.resolve import expectation_checks
from filterd.texts.i18n import say
from tests.support.changes import an_exam, an_exception, some_exceptions
from tests.support.changes_in_force import (
    ADMIN,
    BLOCK,
    HOUR,
    TEACHER,
    blocks_by_worker,
    change,
    noon_of,
)
from tests.support.clock import FakeClock

if TYPE_CHECKING:
    from tests.support.team import School, Team


@pytest.fixture(autouse=True)
def _no_upstream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no explanation wait for the upstream of these schools, which is down."""
    monkeypatch.setattr(answer_path, "_ALIAS_WITHIN_S", 0.01)


def test_a_change_is_in_force_in_every_worker_when_it_is_done(school: School) -> None:
    async def work(team: Team) -> None:
        assert await blocks_by_worker(team) == [False, False]
        index = team.manager.site.index
        done = await change(team, "exception", **BLOCK)
        assert await blocks_by_worker(team) == [True, True]
        assert (done["number"], done["until"], done["warnings"]) == (1, None, [])
        assert done["in_force_ms"] > 0
        assert team.manager.site.index is index  # nothing was opened for it
        assert (await change(team, "undo"))["undone"] == 1
        assert await blocks_by_worker(team) == [False, False]

    school.serve(work, workers=2)


def test_a_pause_is_in_force_in_every_worker_and_in_status_until_it_is_revoked(
    school: School,
) -> None:
    async def work(team: Team) -> None:
        await change(team, "exception", **BLOCK)
        assert await blocks_by_worker(team) == [True, True]
        done = await change(team, "pause", audience="grade", whom="3", for_s=300)
        assert await blocks_by_worker(team) == [False, False]
        assert await blocks_by_worker(team, grade="4") == [True, True]
        (row,) = (await team.manager.status())["pauses"]
        assert (row["whom"], row["ends_at"]) == ("3", done["until"])
        (block,) = (await team.manager.status())["day"]["exceptions"]  # and no pause
        assert block["target"] == BLOCK["target"]
        await change(team, "revoke", id=done["number"])
        assert await blocks_by_worker(team) == [True, True]
        assert (await team.manager.status())["pauses"] == []

    school.serve(work, workers=2)


def test_the_ids_that_commands_take_are_those_of_the_moment(school: School) -> None:
    async def work(team: Team) -> None:
        done = await change(team, "exception", **BLOCK)
        await change(team, "pause", for_s=300)
        ask = policy_commands.commands(team.manager)["ids"]
        answer: Any = await ask({}, Caller(1003, "an", frozenset()))
        assert answer["exceptions"][0] == done["number"]
        assert {"youtube", "zalo"} <= set(answer["services"])
        assert {"1", "staff"} <= set(answer["grades"])
        assert answer["lists"]
        assert not any(one.startswith("service:") for one in answer["lists"])

    school.serve(work)


CLASSES = """\
classes:
  3A: {grade: 3, teachers: [lan]}
  3B: {grade: 3, teachers: [hoa]}
"""


def test_a_teacher_changes_what_own_and_lent_classes_see_and_no_other(school: School) -> None:
    async def work(team: Team) -> None:
        school.write(CLASSES)
        await team.manager.reload()
        noon = noon_of(team)
        team.setting.clock.wall = lambda: noon  # type: ignore[method-assign]
        block = an_exception(target="new.example", allow=False, audience="class")
        await change(team, "exception", TEACHER, **block, whom="3A", for_s=60)
        assert await blocks_by_worker(team, grade="3A") == [True]
        assert (
            await blocks_by_worker(team, grade="3B")
            == await blocks_by_worker(team, grade="3")
            == [False]
        )
        with pytest.raises(ControlError, match="lan may not change what class 3B may see"):
            await change(team, "exception", TEACHER, **block, whom="3B", for_s=60)
        lent = {"class_id": "3B", "to": "lan", "for_s": 60}
        with pytest.raises(ControlError, match="lan may not lend class 3B"):
            await change(team, "class-lend", TEACHER, **lent)
        loan = await change(team, "class-lend", Author("hoa", Rank.TEACHER), **lent)
        await change(team, "exception", TEACHER, **block, whom="3B", for_s=30)
        assert await blocks_by_worker(team, grade="3B") == [True]
        await change(team, "revoke", id=loan["number"])
        with pytest.raises(ControlError, match="class 3B"):
            await change(team, "exception", TEACHER, **block, whom="3B", for_s=30)
        with pytest.raises(ConfigError, match="'3Z' is not a class of this site"):
            await blocks_by_worker(team, grade="3Z")

    school.serve(work)


def test_several_targets_are_in_force_and_taken_back_together(school: School) -> None:
    async def work(team: Team) -> None:
        wanted = some_exceptions(("name", "a.example"), ("name", "b.example"), allow=False)
        done = await change(team, "exceptions", **wanted)
        for name in ("a.example", "b.example"):
            assert await blocks_by_worker(team, name) == [True, True]
        answer = await team.manager.changes.records.overrides()
        assert [one["id"] for one in answer["exceptions"]] == [done["number"]] * 2
        locked = some_exceptions(("name", "c.example"), ("category", "porn"))
        with pytest.raises(ChangeError, match="porn is locked"):
            await change(team, "exceptions", **locked)
        await change(team, "undo")
        assert await blocks_by_worker(team, "a.example") == await blocks_by_worker(
            team, "b.example"
        )
        assert await blocks_by_worker(team, "a.example") == [False, False]

    school.serve(work, workers=2)


def test_a_reload_keeps_what_commands_have_set(school: School) -> None:
    async def work(team: Team) -> None:
        await change(team, "exception", **BLOCK)
        school.write("exceptions:\n  - {block: other.example, reason: vì thế}\n")
        await team.manager.reload()
        assert (
            await blocks_by_worker(team)
            == await blocks_by_worker(team, "other.example")
            == [True, True]
        )

    school.serve(work, workers=2)


def test_it_outlasts_a_restart(school: School) -> None:
    async def work(team: Team) -> None:
        await change(team, "exception", **BLOCK)

    async def later(team: Team) -> None:
        assert await blocks_by_worker(team) == [True]

    school.serve(work)
    school.serve(later)


def test_two_administrators_at_once_are_served_one_after_the_other(school: School) -> None:
    async def work(team: Team) -> None:
        wanted = [an_exception(target=f"n{n}.example", allow=False) for n in range(8)]
        reload = asyncio.ensure_future(team.manager.reload())
        done = await asyncio.gather(*(change(team, "exception", **one) for one in wanted))
        await reload
        assert sorted(one["number"] for one in done) == list(range(1, 9))
        for number in range(8):
            assert await blocks_by_worker(team, f"n{number}.example") == [True, True]
        assert (await team.manager.changes.records.verify())["ok"]

    school.serve(work, workers=2)


def test_what_is_wrong_is_refused_and_leaves_no_trace(school: School) -> None:
    async def work(team: Team) -> None:
        for payload in (an_exception(target="a b"), an_exception(audience="network", whom="x")):
            with pytest.raises(ChangeError):
                await change(team, "exception", **payload)
        with pytest.raises(ChangeError, match="did you mean 'exam'"):
            await change(team, "exams", **an_exam(room="of-6"))
        with pytest.raises(ChangeError, match="a Unix time expected"):
            await change(team, "exception", **an_exception(starts_at="now", lesson=True))
        with pytest.raises(ChangeError, match="start a trial run with `filterd exam learn`"):
            await change(team, "exam-trial", room="of-6")
        assert await team.manager.changes.records.history(10) == []
        await change(team, "exception", **BLOCK)
        assert await blocks_by_worker(team) == [True]

    school.serve(work)


def test_a_change_is_made_although_its_caller_goes_away(school: School) -> None:
    async def work(team: Team) -> None:
        impatient = asyncio.ensure_future(change(team, "exception", **BLOCK))
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        await team.manager.changes.close()
        assert await blocks_by_worker(team) == [True]

    school.serve(work)


@pytest.mark.parametrize("step", ["prepare", "confirm"])
def test_where_a_worker_fails_the_change_is_recorded_and_reported(
    school: School, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async def fail(**_: object) -> None:
        raise StoreError(say("no memory"))

    async def work(team: Team) -> None:
        with monkeypatch.context() as broken:
            broken.setitem(team.workers[1]._channel._handlers, step, fail)
            if step == "confirm":
                with pytest.raises(ControlError, match="1 is recorded, but not in force every"):
                    await change(team, "exception", **BLOCK)
            else:  # it loads what was recorded by itself
                await change(team, "exception", **BLOCK)
        assert await blocks_by_worker(team) == [True, True]

    school.serve(work, workers=2)


def test_a_change_that_a_dead_manager_has_recorded_is_put_in_force_by_the_next(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    async def killed(*_: object) -> None:
        raise Killed

    async def work(team: Team) -> None:
        in_force = team.manager.changes._in_force._replace(enforce=killed)
        monkeypatch.setattr(team.manager.changes, "_in_force", in_force)
        with contextlib.suppress(Killed):
            await team.manager.changes._change({"kind": "exception", "reason": "x", **BLOCK}, ADMIN)
        assert await blocks_by_worker(team) == [False, False]
        await team.manager.stop()
        await team.manager.start()
        assert await blocks_by_worker(team) == [True, True]

    school.serve(work, workers=2)


def test_a_copy_that_is_behind_its_store_is_mended_and_no_worker_goes_back(
    school: School,
) -> None:
    async def work(team: Team) -> None:
        await change(team, "exception", **BLOCK)
        stale = school.state.exported_overrides.read_bytes()
        await change(team, "exception", **an_exception(target="late.example", allow=False))
        school.state.exported_overrides.write_bytes(stale)
        before = team.page.epoch
        await team.manager.stop()
        await team.manager.start()
        assert team.page.epoch == before
        assert await blocks_by_worker(team, "late.example") == [True]
        assert snapshot.FORMAT.load(school.state.exported_overrides).overrides.number == 2

    school.serve(work)


@pytest.mark.parametrize(
    ("lessons", "payload"),
    [
        ("{all-day: '00:00-23:59'}", an_exception(allow=False, lesson=True)),
        ("{all-day: '00:00-23:59'}", {"room": "of-6", "grade": "9", "lesson": True}),
    ],
)
def test_lesson_stands_for_the_end_of_the_one_that_is_on(
    school: School, lessons: str, payload: dict[str, Any]
) -> None:
    school.write(f"lessons: {lessons}\n")
    kind = "room" if "room" in payload else "exception"

    async def work(team: Team) -> None:
        noon = noon_of(team)
        team.setting.clock.wall = lambda: noon  # type: ignore[method-assign]
        done = await change(team, kind, **payload)
        assert done["until"] == noon + 12 * HOUR - 60
        with pytest.raises(ChangeError, match="exclude each other"):
            await change(team, kind, **payload | {"ends_at": noon + HOUR, "lesson": True})

    school.serve(work)


def test_between_lessons_the_next_one_is_named(school: School) -> None:
    school.write("lessons: {tiet-7: '13:30-14:15'}\n")

    async def work(team: Team) -> None:
        noon = noon_of(team)
        team.setting.clock.wall = lambda: noon  # type: ignore[method-assign]
        with pytest.raises(ChangeError, match="the next one is tiet-7, at 13:30"):
            await change(team, "exception", **BLOCK, lesson=True)
        starts_at = noon + 1.5 * HOUR
        done = await change(team, "exception", **BLOCK, starts_at=starts_at, lesson=True)
        assert done["until"] == noon + 2.25 * HOUR

    school.serve(work)


def test_a_school_without_lessons_is_asked_until_when(school: School) -> None:
    async def work(team: Team) -> None:
        with pytest.raises(ChangeError, match="there is no lesson at that time"):
            await change(team, "exception", **BLOCK, lesson=True)

    school.serve(work)


def test_a_teacher_takes_back_the_teachers_own_changes_only(school: School) -> None:
    async def work(team: Team) -> None:
        soon = team.setting.clock.wall() + 1
        own = an_exception(audience="grade", whom="7", ends_at=soon + 60)
        noon = noon_of(team)
        team.setting.clock.wall = lambda: noon  # type: ignore[method-assign]
        own["ends_at"] = noon + 60
        await change(team, "exception", TEACHER, **own)
        await change(team, "exception", **BLOCK)
        for kind, payload in (("undo", {"number": 2}), ("revoke", {"id": 2})):
            with pytest.raises(ControlError, match="another person's change; administrators"):
                await change(team, kind, TEACHER, **payload)
        done = await change(team, "undo", TEACHER)  # the last that counts is not hers
        assert (done["undone"], done["taken_back"]["author"]) == (1, "lan")
        with pytest.raises(ChangeError, match="there is no change of lan to undo"):
            await change(team, "undo", TEACHER)
        assert (await change(team, "undo"))["undone"] == 2

    school.serve(work)


def test_a_teacher_stops_the_teachers_own_exam_and_no_other(school: School) -> None:
    school.write("  lab: {cidrs: [127.0.50.0/24], grade: 6, room: true}\n")

    async def work(team: Team) -> None:
        noon = noon_of(team)
        team.setting.clock.wall = lambda: noon  # type: ignore[method-assign]
        exam = an_exam(room="lab", ends_at=noon + 60)
        await change(team, "exam", **exam)
        with pytest.raises(ControlError, match="end another person's exam; admin"):
            await change(team, "exam-stop", TEACHER, id=1)
        await change(team, "exam-stop", id=1)
        await change(team, "exam", TEACHER, **exam)
        assert (await change(team, "exam-stop", TEACHER, id=3))["number"] == 4

    school.serve(work)


def test_full_holds_in_every_worker_once_a_principal_has_confirmed_it(school: School) -> None:
    async def work(team: Team) -> None:
        def levels() -> list[str]:
            sites = (worker._sites.current for worker in team.workers)
            return [site.policy.log.level_of("staff") for site in sites]

        reader = Author("hoa", Rank.READER, frozenset({Role.READER}))
        principal = Author("an", Rank.READER, frozenset({Role.READER, Role.PRINCIPAL}))
        done = await change(team, "log-level", level="full", tier="staff", for_s=HOUR)
        day = (await team.manager.status())["day"]
        assert ([one["id"] for one in day["log_waiting"]], day["log_levels"]) == ([1], [])
        assert levels() == ["counts", "counts"]
        for author in (TEACHER, reader, Author("root", Rank.ADMIN, frozenset(Role))):
            with pytest.raises(ControlError, match="filterd-principal"):
                await change(team, "log-confirm", author, id=1)
        confirmed = await change(team, "log-confirm", principal, id=1)
        assert (confirmed["until"], levels()) == (done["until"], ["full", "full"])
        status = await team.manager.status()
        (row,) = status["day"]["log_levels"]
        assert row["setting"]["confirmed_by"] == "an"
        assert (status["log"]["level"], status["log"]["levels"]["staff"]) == ("full", "full")
        assert status["log"]["levels"]["primary"] == "counts"
        with pytest.raises(ControlError, match="may not change anything"):
            await change(team, "undo", principal)
        await change(team, "revoke", id=2)
        assert levels() == ["counts", "counts"]

    school.serve(work, workers=2)


def test_looks_at_the_log_are_recorded_by_the_manager_alone(school: School) -> None:
    async def work(team: Team) -> None:
        changes = team.manager.changes
        with pytest.raises(ChangeError, match="recorded by filterd itself"):
            await change(team, "log-view", view="rows")
        for _ in range(3):
            await changes.note_view(View.ROWS, ADMIN, {"days": ["2026-11-28"]})
        assert await changes.records.history(9) == []
        (row,) = await changes.records.history(9, views=True)
        assert (row["author"], row["payload"]["view"]) == ("minh", "rows")
        with pytest.raises(ChangeError, match="with `filterd log forget`"):
            await change(team, "log-removal", what="all")
        await changes.note(REMOVAL, {"what": "day", "day": "2026-11-27"}, ADMIN, "asked")
        (row, _) = await changes.records.history(9, views=True)
        assert (row["reason"], row["payload"]) == ("asked", {"what": "day", "day": "2026-11-27"})
        assert (await changes.records.verify())["ok"]

    school.serve(work)


def test_an_exception_of_what_is_locked_that_was_recorded_before_lets_nothing_through(
    school: School,
) -> None:
    """By an older filterd, or before the category was locked."""
    allow = an_exception(target_kind="category", target="porn", audience="everybody")
    Store(school.state, FakeClock()).change("exception", allow, author="lan", reason="bài học")

    async def work(team: Team) -> None:
        assert len(team.manager.site.timed.overrides.exceptions) == 1
        assert await blocks_by_worker(team, "www.pornhub.com", "12") == [True]
        with pytest.raises(ChangeError, match="locked for everybody"):
            await change(team, "exception", **allow)

    school.serve(work)


def test_a_policy_that_does_not_do_what_is_expected_of_it_is_not_put_in_force(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a change by command, but beside it: what a reload refuses."""

    def unmet(*_: object, **__: object) -> None:
        raise ConfigErrors([ChangeError(say("expected: a.example is blocked; but it passes"))])

    async def work(team: Team) -> None:
        school.write("exceptions:\n  - {block: new.example, reason: vì thế}\n")
        monkeypatch.setattr(expectation_checks, "check", unmet)
        with pytest.raises(ConfigErrors, match=r"expected: a\.example"):
            await team.manager.reload()
        assert await blocks_by_worker(team) == [False]
        monkeypatch.undo()
        await team.manager.reload()
        assert await blocks_by_worker(team) == [True]

    school.serve(work)


def test_control_without_the_epoch_no_worker_would_take_the_change(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def recorded_only(*_: object) -> None:
        pass

    async def work(team: Team) -> None:
        in_force = team.manager.changes._in_force._replace(enforce=recorded_only)
        monkeypatch.setattr(team.manager.changes, "_in_force", in_force)
        await change(team, "exception", **BLOCK)
        assert await blocks_by_worker(team) == [False]

    school.serve(work)

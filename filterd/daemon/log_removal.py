# SPDX-License-Identifier: Apache-2.0
"""Remove names, devices and days from the log: from its files and from memory.

The history records it first, without the name. What workers still hold is written before, so
that it is removed with the rest; what cannot be written cannot be removed, and nothing is.
Totals have no names and stay.
"""

from __future__ import annotations

from functools import partial
from operator import eq
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from filterd import field_checks
from filterd.daemon import log_request
from filterd.daemon.control_commands import author_of
from filterd.errors import ChangeError, ControlError, StoreError
from filterd.i18n import say
from filterd.overrides import change_fields
from filterd.overrides.roles import Rank
from filterd.querylog.day_span import DaySpan
from filterd.querylog.reversed_names import NameRange, reversed_text, subtree
from filterd.wire.name import is_at_or_beneath

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from filterd.daemon.control_caller import Caller
    from filterd.daemon.control_server import Command
    from filterd.daemon.lookup_collector import LookupCollector
    from filterd.daemon.manager import Manager
    from filterd.daemon.process import Setting
    from filterd.querylog.day_file import DayFiles, Forgotten
    from filterd.querylog.seen_names import SeenNames


class _Removal(NamedTuple):
    """One removal: from the files, and the names in memory that go with it."""

    from_files: Callable[[DayFiles], Awaitable[Forgotten | None]]
    from_memory: Callable[[SeenNames], None]
    day: str = ""


def removal_commands(manager: Manager, setting: Setting) -> dict[str, Command]:
    """Return the commands by name."""

    async def forget(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        given = [key for key in ("name", "device", "day") if key in request]
        if len(given) != 1:
            raise ControlError(say("`log forget` wants one of name, device and day"))
        return await remove(given[0], request, caller)

    async def purge(request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return await remove("all", request, caller)

    async def remove(what: str, request: dict[str, Any], caller: Caller) -> dict[str, Any]:
        author, lookups, now = author_of(caller), manager.lookups, setting.clock.wall()
        author.must_be(Rank.ADMIN, say("remove anything from the log"))
        reason = change_fields.reason(request.get("reason"), required=True)
        today = DaySpan.at(now, ZoneInfo(manager.site.policy.time_zone)).day
        match what:
            case "name":
                removal = _of_name(log_request.name(request), request.get("match") == "subtree")
            case "device":
                removal = _of_device(lookups.pseudonyms.of(_device(request), now), today)
            case "day":
                removal = _of_day(log_request.day(request), today)
            case _:
                removal = _of_all()
        await manager.changes.note_removal(what, removal.day, author, reason)
        await _write_all(lookups)
        found = await removal.from_files(lookups.files)
        removal.from_memory(lookups.seen)
        manager.live.forget()
        rows, unreadable = (found.rows, list(found.days)) if found else (None, [])
        return {"removed": what, "rows": rows, "unreadable": unreadable}

    return {"log forget": forget, "log purge": purge}


async def _write_all(lookups: LookupCollector) -> None:
    """Have the lookups of all workers written.

    Raises:
        StoreError: a worker still has some.
    """
    await lookups.collect_afresh()
    problem = lookups.problem
    if lookups.silent and not problem:
        problem = say("a worker does not answer; try again")
    if problem:
        raise StoreError(say("nothing is removed yet: {problem}", problem=problem))


def _device(request: Mapping[str, Any]) -> str:
    """Return the MAC of a device, or its address if none is known."""
    written = log_request.text(request, "device")
    try:
        return field_checks.mac(written)
    except ChangeError:
        return field_checks.address(written)


def _of_name(name: bytes, is_subtree: bool) -> _Removal:
    texts = subtree(name) if is_subtree else NameRange(reversed_text(name), "", "")
    is_meant = partial(is_at_or_beneath, ancestor=name) if is_subtree else partial(eq, name)
    return _Removal(lambda files: files.forget_names(texts), lambda seen: seen.forget(is_meant))


def _of_device(pseudonym: int, today: str) -> _Removal:
    """Return the removal of today's rows: the keys of earlier pseudonyms are gone."""
    if not pseudonym:
        raise StoreError(say("there is no key of today's pseudonyms; see the journal"))
    return _Removal(
        lambda files: files.forget_device(pseudonym, today),
        lambda seen: seen.forget_device(pseudonym),
    )


def _of_day(day: str, today: str) -> _Removal:
    is_today = day == today
    return _Removal(
        lambda files: files.forget_days(day), lambda seen: seen.forget(lambda _: is_today), day
    )


def _of_all() -> _Removal:
    return _Removal(lambda files: files.forget_days(), lambda seen: seen.forget(lambda _: True))

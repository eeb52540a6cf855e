# SPDX-License-Identifier: Apache-2.0
"""Record changes, policies and looks at the log; report them as plain data.

The same look of the same user is one row in ten minutes, so that a page that is loaded again and
again does not fill the history.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.base.errors import ControlError, FilterdError, StoreError
from filterd.base.state_file import to_plain
from filterd.overrides.changes.effects import has_ended, things_of
from filterd.overrides.changes.room_changes import NAME_DEVICE
from filterd.overrides.history.history_chain import VIEW
from filterd.overrides.history.policy_versions import PolicyVersions
from filterd.overrides.mistake_reports import Mistakes
from filterd.overrides.rights.read_access import RECORDED
from filterd.policy import policy_file as policy_store
from filterd.resolve.explain import PastQuestion, PastState, explain_past
from filterd.texts import i18n
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from filterd.base.clock import Clock
    from filterd.daemon.process import Setting
    from filterd.lists.index import Index
    from filterd.overrides.history.history_chain import HistoryRow
    from filterd.overrides.history.store import Store
    from filterd.overrides.mistake_reports import Mistake, MistakeCounts
    from filterd.overrides.rights.read_access import View
    from filterd.overrides.rights.roles import Author
    from filterd.policy.model import Policy
    from filterd.policy.temporary_rules import Overrides
    from filterd.resolve.site import Site

_MOST_OCTETS = 8 * 1024 * 1024
"""Of a history in one reply: half of what a command accepts."""


_HIDDEN = "…"

_logger = logging.getLogger("filterd.changes")


class Records:
    """The history, the recent policies, and the reported mistakes of lists.

    Args:
        setting: the folders and clocks of the daemon.
        store: of the overrides.
        site: returns the active site.
    """

    def __init__(self, setting: Setting, store: Store, site: Callable[[], Site]) -> None:
        self._time, self._store, self._site = setting.time, store, site
        self._versions = PolicyVersions(setting.state, store, setting.clock)
        self._mistakes = Mistakes(setting.state, store)
        self._counted: tuple[object, MistakeCounts] | None = None
        """Counts of mistakes, and of what state: ``status`` is asked every few seconds."""
        self._dumped: tuple[Policy, dict[bool, str]] | None = None
        """The active policy as text, with ``alerts`` and without: pages ask for it often."""

    def note(self, site: Site) -> None:
        """Record an activation: the policy and the corrected mistakes.

        The policy is for questions about the past.

        Args:
            site: with the policy of its files, and the lists.
        """
        try:
            self._versions.note(site.timed.policy)
        except (StoreError, OSError) as error:
            _logger.warning("%s; `filterd check --at` will not know of this policy", error)
        try:
            self._mistakes.note(site.index)
        except (FilterdError, OSError) as error:
            _logger.warning("%s; which reported mistakes were corrected is not recorded", error)

    async def overrides(self, at: float | None = None, *, names: bool = True) -> dict[str, Any]:
        """Return the overrides as plain data, with the state of each.

        Args:
            at: a time of the past; None for now.
            names: whether names of devices are among them; they may be pupils' names.

        Raises:
            ControlError: the overrides of that time are not known any more.
            StoreError: the store cannot be read.
        """
        now = self._time.least() if at is None else at
        overrides = await asyncio.to_thread(self._overrides, at)
        if overrides is None:
            raise ControlError(
                say("the settings of that time are not known: the history of then was damaged")
            )
        plain = {**to_plain(overrides), "states": _states(overrides, now)}
        return plain if names else _without_names(plain)

    async def history(
        self, limit: int, *, views: bool = False, before: int | None = None, names: bool = True
    ) -> list[dict[str, Any]]:
        """Return the last changes, the newest first, as plain data.

        Args:
            limit: their number.
            views: whether looks at the query log are among them.
            before: the number of a change; those before it. None for the last ones.
            names: as in ``overrides``.

        Raises:
            StoreError: the store cannot be read.
        """
        rows = await asyncio.to_thread(self._rows, limit, views, before)
        return rows if names else list(map(_without_names, rows))

    async def mistakes(self) -> list[dict[str, Any]]:
        """Return the reported mistakes of lists and their states, as plain data.

        Raises:
            IndexFormatError: the lists are damaged.
            StoreError: the store cannot be read.
        """
        site = self._site()
        found = await asyncio.to_thread(self._mistakes.all, site.policy.school, site.index)
        return [one.to_plain() for one in found]

    async def mistake_counts(self) -> dict[str, int] | None:
        """Return the ``MistakeCounts`` as plain data; None where they are unreadable."""
        try:
            return (await asyncio.to_thread(self._counts, self._site().index))._asdict()
        except (FilterdError, OSError):
            return None

    async def past(self) -> tuple[tuple[HistoryRow, ...], tuple[Mistake, ...]]:
        """Return the whole history in ascending order, and the reported mistakes of lists.

        Raises:
            IndexFormatError: the lists are damaged.
            StoreError: the store cannot be read.
        """
        site = self._site()
        rows = await asyncio.to_thread(self._store.rows, views=False)
        return rows[::-1], await asyncio.to_thread(
            self._mistakes.all, site.policy.school, site.index
        )

    async def verify(self) -> dict[str, Any]:
        """Check the whole history; return the result as plain data.

        Raises:
            StoreError: the store cannot be read.
        """
        found = await asyncio.to_thread(self._store.verify)
        plain: dict[str, Any] = to_plain(found)
        sentence = i18n.to_plain(found.problem)
        return {"ok": found.is_sound, **plain, "problem": str(found.problem), "sentence": sentence}

    async def policies(self) -> list[dict[str, Any]]:
        """Return the recent policies, the newest first, as plain data.

        Raises:
            StoreError: the store cannot be read.
        """
        kept = await asyncio.to_thread(self._versions.all)
        return [{"digest": one.digest, "activated_at": one.activated_at} for one in kept]

    async def policy(self, site: Site, digest: str | None, *, alerts: bool = True) -> str:
        """Return a policy as the text of its file.

        Args:
            site: the active one.
            digest: of a recent policy; None for the active one.
            alerts: whether it has the addresses to which alerts go.

        Raises:
            StoreError: it is not kept, or cannot be read.
        """
        if digest is None:
            policy = site.timed.policy
            if self._dumped is None or self._dumped[0] is not policy:
                self._dumped = policy, {}
            texts = self._dumped[1]
            if alerts not in texts:
                texts[alerts] = _dumped(policy, alerts=alerts)
            return texts[alerts]
        return _dumped(await asyncio.to_thread(self._versions.load, digest), alerts=alerts)

    async def explain_past(self, site: Site, *, qname: str, **asked: Any) -> dict[str, Any] | None:
        """Explain a past result as plain data; None for a client that was not allowed.

        Args:
            site: the active one, for its lists and devices.
            qname: the canonical wire name in hexadecimal.
            asked: the other fields of a ``PastQuestion``.

        Raises:
            ConfigError: the policy of that time is not known.
            StoreError: it cannot be read.
        """
        past = PastState(self._versions, self._store, site.index, site.surroundings)
        question = PastQuestion(bytes.fromhex(qname), **asked)
        explained = await asyncio.to_thread(explain_past, past, question)
        return None if explained is None else explained.to_plain()

    def _counts(self, index: Index) -> MistakeCounts:
        state = self._store.last_change(), index.digest
        if self._counted is None or self._counted[0] != state:
            self._counted = state, self._mistakes.counts(index)
        return self._counted[1]

    def _overrides(self, at: float | None) -> Overrides | None:
        return self._store.current() if at is None else self._store.at(at)

    def _rows(self, limit: int, views: bool, before: int | None) -> list[dict[str, Any]]:
        rows, octets = list[dict[str, Any]](), 0
        for row in self._store.rows(limit, views=views, before=before):
            octets += sum(len(one) for one in row if isinstance(one, str))
            if octets > _MOST_OCTETS:
                break
            rows.append(row.to_plain())
        return rows


def _dumped(policy: Policy, *, alerts: bool) -> str:
    return policy_store.dump(policy if alerts else replace(policy, alerts=None)).decode()


def _without_names(row: dict[str, Any]) -> dict[str, Any]:
    """Return overrides, or a history row, with other words for names of devices."""
    named = {"device_names": [{**one, "name": _HIDDEN} for one in row.get("device_names", ())]}
    inner: dict[str, Any] = {
        part: _without_names(row[part]) for part in ("before", "after") if part in row
    }
    if row.get("kind") == NAME_DEVICE and row["payload"]["name"]:
        inner["payload"] = {**row["payload"], "name": _HIDDEN}
    return {**row, **inner, **(named if "device_names" in row else {})}


def _states(overrides: Overrides, now: float) -> dict[str, list[int]]:
    """Return the numbers of active, coming and ended things."""
    states: dict[str, list[int]] = {"on": [], "coming": [], "ended": []}
    for thing in things_of(overrides):
        starts_at = getattr(thing, "starts_at", None)
        if starts_at is None:  # devices, which have no time
            continue
        state = "ended" if has_ended(thing, now) else "coming" if starts_at > now else "on"
        states[state].append(thing.id)
    return states


ONCE_IN_S = 600.0


class ViewRecords:
    """The looks of the last ten minutes.

    Args:
        clock: for the ten minutes.
        record: adds a row to the history: kind, payload, author and reason.
    """

    def __init__(
        self, clock: Clock, record: Callable[[str, Mapping[str, Any], Author, str], Any]
    ) -> None:
        self._clock, self._record = clock, record
        self._seen: dict[tuple[str, View, tuple[str, ...], str], float] = {}

    def note(self, view: View, author: Author, about: Mapping[str, Any]) -> None:
        """Record a look, unless the same one is recorded already.

        Args:
            view: what is looked at.
            author: the user.
            about: ``days``, as dates, and ``class``; other keys, such as a name that is
                searched for, are not recorded.

        Raises:
            ChangeError: a day or the class is none.
            StoreError: it cannot be recorded; the view must not be shown then.
        """
        if view not in RECORDED:
            return
        days, class_id = tuple(sorted(about.get("days", ()))), str(about.get("class") or "")
        now, key = self._clock.monotonic(), (author.name, view, days, class_id)
        self._seen = {one: at for one, at in self._seen.items() if now - at < ONCE_IN_S}
        if key in self._seen:
            return
        payload = {"view": view.value, "days": list(days), "class_id": class_id}
        self._record(VIEW, payload, author, "")
        self._seen[key] = now

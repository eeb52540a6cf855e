# SPDX-License-Identifier: Apache-2.0
"""The daemon's side of the control socket: a real store and a test's data."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from filterd import control
from filterd.base.state_file import to_plain
from filterd.daemon import policy_reader
from filterd.daemon.handlers import device_commands, history_commands, room_commands
from filterd.daemon.handlers.control_caller import Caller
from filterd.lists.index import Index
from filterd.lists.list_queries import entries_of, overview
from filterd.operations.history import UndoSetting
from filterd.overrides.changes.effects import things_of
from filterd.overrides.current_rows import levels_now
from filterd.overrides.history.policy_versions import PolicyVersions
from filterd.overrides.history.store import Store
from filterd.overrides.mistake_reports import Mistakes
from filterd.overrides.override_rows import with_states
from filterd.policy import policy_file as policy_store
from filterd.policy.effective_policy import EffectiveState, at
from filterd.resolve.explain import PastQuestion, PastState, explain_past
from filterd.texts.i18n import UNSAID
from filterd.texts.i18n import to_plain as sentence_to_plain
from filterd.texts.rows import SchoolClock

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from filterd.base.state_folder import StateFolder
    from filterd.overrides.rights.roles import Author
    from filterd.policy.model import Policy
    from tests.support.clock import FakeClock

MONDAY_AT_8 = 1_764_550_800.0
"""2025-12-01 08:00 in Vietnam, in the second lesson."""

LESSON_ENDS = MONDAY_AT_8 + 35 * 60

ROOM = """\
  lab-a:
    cidrs: [10.0.20.0/24]
    macs: ["02:00:5e:00:00:01"]
    timetable:
      t2: {tiet-1: 6, tiet-2: 6, tiet-3: 9}
      t3: {tiet-1: 7}
  library: {cidrs: [10.0.30.0/24], grade: 8}
lessons:
  tiet-1: 07:00-07:45
  tiet-2: 07:50-08:35
  tiet-3: 08:55-09:40
"""
"""More networks for ``write_site``, one of them a room, and the lessons of the day."""

STATUS: dict[str, Any] = {
    "version": "0.1.0",
    "pid": 4711,
    "not_native": [],
    "up_s": 86_400,
    "time_is_known": True,
    "school": "Trường [mẫu]",
    "policy": "0123456789ab",
    "listen": [{"address": "0.0.0.0", "port": 53}, {"address": "::", "port": 53}],
    "names": 1_000_000,
    "lists": 25,
    "lists_built_at": 1_790_000_000,
    "feed": {"address": "", "problem": "", "sentence": sentence_to_plain(UNSAID)},
    "protection": {
        "level": "protected",
        "followed": [],
        "missing": [],
        "never": False,
        "starter": [],
        "links": {},
    },
    "answers": {"blocked": 12_345, "forwarded": 678_901},
    "cache": {
        "entries": 1000,
        "failures": 7,
        "octets": 250_000,
        "hits": 9,
        "misses": 1,
        "stale": 2,
        "cached_failures": 5,
        "refreshed": 4,
    },
    "upstreams": [
        {
            "address": "192.0.2.53",
            "port": 53,
            "tls": "no",
            "rtt_ms": 12.5,
            "down": False,
            "problem": "",
        },
        {
            "address": "2001:db8::53",
            "port": 853,
            "tls": "strict",
            "rtt_ms": None,
            "down": True,
            "problem": "why",
        },
    ],
    "tunnels": {"at": None, "names": 0},
    "forwarding": {},
    "in_flight": 3,
    "tcp_connections": 0,
    "tls": None,
    "datagrams": {
        "received": 5000,
        "truncated_rate": 30,
        "truncated_overload": 4,
        "dropped_rate": 50,
        "dropped_overload": 6,
    },
    "receive_drops": 7,
    "log": {
        "level": "counts",
        "today": {"blocked": 1234, "pass": 56_789, "failed": 3},
        "waiting": 9,
        "lost": 0,
        "problem": "",
    },
    "doubts": [],
    "disputes": [],
}
"""The answer to ``status``."""


def _keyed(key: str, found: list[Any]) -> list[dict[str, Any]]:
    """Return rows as the daemon sends them; a test may give the one value of a row alone."""
    return [one if isinstance(one, dict) else {key: one} for one in found]


def _answering(value: Any) -> Callable[..., Any]:
    async def answer(*_: Any) -> Any:
        return value

    return answer


class FakeDaemon:
    """Answers commands as the manager does; ``asked`` is what it was asked, in order."""

    def __init__(
        self, state: StateFolder, clock: FakeClock, author: str = "lan", site: Path = Path()
    ) -> None:
        self._state = state
        self.store, self.author, self.clock = Store(state, clock), author, clock
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.devices: list[Any] = []
        self.shared: list[Any] = []
        self.already: list[str] = []
        self.names: list[Any] = []
        self.warnings: list[Any] = []
        self.ids: dict[str, Any] = {}
        self.policy: Policy | None = None
        self.site = site

    def start(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand where commands look for a daemon, until ``stop``."""
        self._places = control.ask, control.is_running
        self._monkeypatch = monkeypatch
        self._stand(self.ask, lambda _: True)

    def stop(self) -> None:
        """Leave the commands without a daemon, at the same time of the same clock."""
        self._stand(*self._places)

    def _stand(self, *places: object) -> None:
        for name, place in zip(("ask", "is_running"), places, strict=True):
            self._monkeypatch.setattr(control, name, place)

    def ask(self, _path: Path, command: str, **arguments: Any) -> Any:
        """Stand in for ``control.ask``; that it is asked for the time goes without saying."""
        if command == "clock":
            now = self.clock.wall()
            return {"standing": "known", "shows": now, "policy_time": now, "floor": now}
        self.asked.append((command, arguments))
        answers: dict[str, Callable[..., Any]] = {
            "change": self._change,
            "overrides": self._overrides,
            "exceptions": partial(self._with_states, "exceptions"),
            "exams": partial(self._with_states, "exams"),
            "log levels": self._levels,
            "history": self._history,
            "history-check": self._check_past,
            "history-verify": self._verify,
            "policies": self._policies,
            "policy": self._policy,
            "lists": lambda: overview(Index.open(self._state.index)),
            "lists-search": self._entries,
            "mistakes": self._mistakes,
            "ids": lambda: self.ids,
            "devices": lambda: self.devices,
            "nat-watch": lambda for_s: {"for_s": for_s},
            "nat-seen": lambda: self.shared,
            "room-watch": lambda room: {"room": room, "already": self.already},
            "room-seen": lambda room: {"devices": _keyed("mac", self.devices), "room": room},
            "devices unknown": lambda: {"devices": _keyed("mac", self.devices)},
            "exam-watch": lambda room, off=False: {"room": room},  # noqa: ARG005
            "exam-names": lambda room: {"names": _keyed("name", self.names), "room": room},
            "check": lambda **_: None,
        }
        if command in answers:
            return answers[command](**arguments)
        return self._handle(command, arguments)

    def _handle(self, command: str, arguments: dict[str, Any]) -> Any:
        """Answer as the manager's handler does, of this store, for root."""
        rooms = {"devices": self.devices, "seen": {"devices": _keyed("mac", self.devices)}}
        manager: Any = SimpleNamespace(
            rooms=SimpleNamespace(**{name: _answering(room) for name, room in rooms.items()}),
            changes=SimpleNamespace(records=self, change=self._make),
        )
        if command != UndoSetting.command:
            timed = SimpleNamespace(overrides=self.store.current())
            policy = self.policy or policy_reader.of_files(self.site, self._state)
            manager.site = SimpleNamespace(policy=policy, timed=timed)
        subjects = (room_commands, device_commands, history_commands)
        (answering,) = (
            known[command]
            for subject in subjects
            if command in (known := subject.commands(manager))
        )

        async def whole() -> Any:
            return await cast("Any", answering(arguments, Caller(0, "root", frozenset())))

        return asyncio.run(whole())

    async def _make(self, request: dict[str, Any], _: Author) -> dict[str, Any]:
        return self._change(**request)

    async def history(self, limit: int) -> list[dict[str, Any]]:
        """Return the rows, as the manager's records do."""
        return self._history(limit)

    def _with_states(self, kind: str, **asked: bool) -> list[Any]:
        past = self._history(100_000) if asked.get("all") else None
        return with_states(self.store.current(), kind, self.clock.wall(), past)

    def _levels(self) -> dict[str, Any]:
        policy, set_, now = self.policy, self.store.current(), self.clock.wall()
        assert policy is not None
        moment = at(policy, set_, now)
        zone = SchoolClock(ZoneInfo(policy.time_zone), now)
        return levels_now(EffectiveState(policy, set_, moment, zone))

    def commands(self) -> list[str]:
        """Return what it was asked, without the arguments."""
        return [command for command, _ in self.asked]

    def _history(self, limit: int = 20, *, views: bool = False) -> list[dict[str, Any]]:
        return [row.to_plain() for row in self.store.rows(limit, views=views)]

    def _verify(self) -> dict[str, Any]:
        found = self.store.verify()
        return {"ok": found.is_sound, **to_plain(found)}

    def _check_past(self, qname: str, at: float, **asked: Any) -> dict[str, Any] | None:
        versions = PolicyVersions(self._state, self.store, self.clock)
        past = PastState(versions, self.store, Index.open(self._state.index))
        whose = asked["qtype"], asked.get("grade"), asked.get("client")
        answer = explain_past(past, PastQuestion(bytes.fromhex(qname), *whose, at, asked["shown"]))
        return None if answer is None else answer.to_plain()

    def _overrides(self, at: float | None = None) -> dict[str, Any]:
        plain: dict[str, Any] = to_plain(self.store.current() if at is None else self.store.at(at))
        return plain

    def _entries(self, qname: str) -> list[dict[str, Any]]:
        return entries_of(Index.open(self._state.index), bytes.fromhex(qname))

    def _policy(self, digest: str | None = None) -> str:
        if digest is None:
            assert self.policy is not None
            return policy_store.dump(self.policy).decode()
        kept = PolicyVersions(self._state, self.store, self.clock).all()
        (path,) = (one.path for one in kept if one.digest == digest)
        return path.read_text(encoding="utf-8")

    def _policies(self) -> list[dict[str, Any]]:
        kept = PolicyVersions(self._state, self.store, self.clock).all()
        return [{"digest": one.digest, "activated_at": one.activated_at} for one in kept]

    def _mistakes(self) -> list[dict[str, Any]]:
        index = Index.open(self._state.index)
        found = Mistakes(self._state, self.store).all("Trường mẫu", index)
        return [one.to_plain() for one in found]

    def _change(self, kind: str, reason: str, **payload: Any) -> dict[str, Any]:
        if payload.pop("lesson", False):
            payload["ends_at"] = LESSON_ENDS
        if "for_s" in payload:
            begin = payload.get("starts_at", self.clock.wall())
            payload["ends_at"] = begin + payload.pop("for_s")
        done = self.store.change(kind, payload, author=self.author, reason=reason)
        made = things_of(done.row.effect().after)
        until = next((getattr(one, "ends_at", None) for one in made), None)
        number = done.row.number
        taken_back = None if done.taken_back is None else done.taken_back.to_plain()
        answer: dict[str, Any] = {"number": number, "until": until, "undone": done.row.undone()}
        answer["taken_back"] = taken_back
        return {**answer, "in_force_ms": 41.6, "warnings": self.warnings}

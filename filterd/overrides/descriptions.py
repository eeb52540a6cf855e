# SPDX-License-Identifier: Apache-2.0
"""Describe overrides and changes in sentences, one thing a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from math import inf
from typing import Any

from filterd.overrides.history.history_chain import (
    ACCOUNT,
    FROM_BACKUP,
    PROGRAM_UPDATE,
    REFUSAL,
    REMOVAL,
    RESTORED,
    SITE_EDIT,
    UNDO,
    VIEW,
)
from filterd.policy.field_checks import is_a_grade
from filterd.policy.temporary_rules import TargetKind, written
from filterd.texts import counted, words
from filterd.texts.i18n import Sentence, say
from filterd.texts.rows import Wording

_MANY_DAYS = 4
"""Of which a sentence has the first and the last alone."""

Plain = Mapping[str, Any]
"""A thing that is set, or a row of the history, as plain data."""


class Describer(Wording):
    """A writer of descriptions in one language, by one clock."""

    __slots__ = ()

    def whom(self, audience: str, whom: str) -> str:
        """Return the name of an audience."""
        match str(audience):
            case "everybody":
                return self.texts("everybody")
            case "tier":
                return self.texts.word(words.TIER, whom)
            case "grade" | "class":
                return self.grade(whom)
            case _:
                return whom

    def grade(self, grade: str) -> str:
        """Return the name of a grade or class."""
        if not is_a_grade(grade):
            return self.texts("class {class_id}", class_id=grade)
        if not grade.isdecimal():
            return self.texts.word(words.TIER, grade)
        return self.texts("grade {grade}", grade=grade)

    def term(self, thing: Plain) -> str:
        """Return the term of a thing; a start that is past and no end are left out."""
        starts_at, ends_at = thing.get("starts_at"), thing.get("ends_at")
        parts = []
        if thing.get("for_s") is not None:
            return self.texts(
                "for {minutes} from when the time is known",
                minutes=counted.minutes(round(thing["for_s"] / 60)),
            )
        if starts_at is not None and starts_at > self.clock.now:
            parts.append(self.texts("from {when}", when=self._when(starts_at)))
        else:
            starts_at = None
        if ends_at is not None:
            parts.append(self._until(ends_at, starts_at))
        return " ".join(parts)

    def _until(self, ends_at: float, starts_at: float | None) -> str:
        """Return the wording of an end.

        Midnight is written as the end of a day; an end on the day of the start needs no date.
        """
        shown = self.clock.shows(ends_at)
        if shown.time() == time():
            day = self._day(shown - timedelta(days=1))
            return self.texts("until the end of {day}", day=day)
        if starts_at is not None and self.clock.shows(starts_at).date() == shown.date():
            return self.texts("until {when}", when=self.clock._replace(now=starts_at).text(ends_at))
        return self.texts("until {when}", when=self._when(ends_at))

    def _when(self, at: float) -> str:
        """Return a time: the hour alone if it is today, else with day and weekday."""
        shown = self.clock.shows(at)
        is_today = shown.date() == self.clock.shows(self.clock.now).date()
        return self.clock.text(at) if is_today else f"{shown:%H:%M} {self._day(shown)}"

    def _day(self, shown: datetime) -> str:
        weekday = self.texts.word(words.WEEKDAY, str(shown.weekday()))
        return f"{shown:%d/%m/%Y} ({weekday})"

    def thing(self, kind: str, thing: Plain) -> str:
        """Return a sentence on one thing.

        Args:
            kind: a field of ``Overrides``.
            thing: as plain data.
        """
        tell = {
            "exceptions": self._exception,
            "rooms": self._room,
            "devices": self._devices,
            "exams": self._exam,
            "grades": self._grade,
            "loans": self._loan,
            "device_names": self._device_name,
            "log_settings": self._log_setting,
        }[kind]
        return tell(thing)

    def row(self, row: Plain) -> str:
        """Return a sentence on one change of the history."""
        kind, payload = row["kind"], row["payload"]
        if kind == UNDO:
            return self.texts("change {number} is undone", number=payload.get("number", 0))
        if kind in words.ACTION:
            room, what = payload.get("room", ""), self._all(row["after"])
            return self.texts(words.ACTION[kind], room=room, what=what)
        of_payload = {
            RESTORED: self._restored,
            FROM_BACKUP: self._from_backup,
            VIEW: self._look,
            REMOVAL: self._removal,
            ACCOUNT: self._account,
            SITE_EDIT: self._site_edit,
            PROGRAM_UPDATE: self._program_update,
            REFUSAL: self._refusal,
            "device-name": self._device_name,
        }
        if kind in of_payload:
            return of_payload[kind](payload)
        if kind in ("revoke", "exam-stop"):
            return self.texts("ended: {what}", what=self._all(row["before"]))
        if kind in ("room-devices", "device-table"):
            return self._devices_of(row)
        return self._all(row["after"])

    def _restored(self, payload: Plain) -> str:
        return self.texts(
            "a new history begins; the damaged file: {file}", file=payload.get("file") or "-"
        )

    def _program_update(self, payload: Plain) -> str:
        return self.texts(
            "release {version} of filterd: {ending} (before: {before})",
            version=payload["version"],
            ending=self.texts.word(words.UPDATE_ENDING, payload["ending"]),
            before=payload["before"],
        )

    def _from_backup(self, payload: Plain) -> str:
        made_at = self._when(payload["made_at"])
        return self.texts("restored from the backup of {time}", time=made_at)

    def _site_edit(self, payload: Plain) -> str:
        return self.texts("site.yaml: {keys}", keys=", ".join(payload.get("keys", ())))

    def _devices_of(self, row: Plain) -> str:
        """Return a sentence on the rooms whose devices change.

        Those are rooms with other devices, and rooms that are as in the files again.
        """
        after = {one["room"] for one in row["after"].get("devices", ())}
        before = [one["room"] for one in row["before"].get("devices", ())]
        if not (after or before):  # those of the files were there already
            payload = row["payload"]
            before = [one["room"] for one in payload.get("rooms", (payload,))]
        again = [
            self.texts("the devices of room {room} are those of site.yaml again", room=room)
            for room in before
            if room not in after
        ]
        return ", ".join((*([self._all(row["after"])] if after else ()), *again))

    def _all(self, record: Plain) -> str:
        return ", ".join(self.thing(kind, one) for kind, things in record.items() for one in things)

    def _dated(self, thing: Plain, text: Sentence, **values: Any) -> str:
        """Return a sentence on a thing, with its term."""
        return f"{self.texts(text, **values)} {self.term(thing)}".strip()

    def _exception(self, thing: Plain) -> str:
        what = written(thing["kind"], thing["target"])
        whom = self.whom(thing["audience"], thing["whom"])
        if thing["kind"] == TargetKind.PAUSE:
            return self._dated(thing, say("pause for {whom}"), whom=whom)
        key = say("allow {what} for {whom}") if thing["allow"] else say("block {what} for {whom}")
        return self._dated(thing, key, what=what, whom=whom)

    def _room(self, thing: Plain) -> str:
        grade = self.grade(thing["grade"])
        return self._dated(thing, say("room {room} has {grade}"), room=thing["room"], grade=grade)

    def _devices(self, thing: Plain) -> str:
        return self.texts("devices of room {room}: {n}", room=thing["room"], n=len(thing["macs"]))

    def _exam(self, thing: Plain) -> str:
        return self._dated(
            thing,
            say("exam in room {room} ({names}, services: {services})"),
            room=thing["room"],
            names=counted.names(len(thing["names"])),
            services=", ".join(thing["services"]) or "-",
        )

    def _loan(self, thing: Plain) -> str:
        text = say("class {class_id} is lent to {to}")
        return self._dated(thing, text, class_id=thing["class_id"], to=thing["to"])

    def _device_name(self, thing: Plain) -> str:
        is_named = thing["name"].strip()
        key = say("device {mac} is named {name}") if is_named else say("device {mac} has no name")
        return self.texts(key, mac=thing["mac"], name=thing["name"])

    def _log_setting(self, thing: Plain) -> str:
        whom = self.whom("tier", thing["tier"]) if thing["tier"] else self.texts("all tiers")
        text = say("log level {level} for {whom}")
        level = self._dated(thing, text, level=thing["level"], whom=whom)
        if not thing["confirmed_by"]:
            return level
        return f"{level} ({self.texts('confirmed by {name}', name=thing['confirmed_by'])})"

    def agreed(self, thing: Plain) -> str:
        """Return the authors of a log level and of its confirmation."""
        if not thing["confirmed_by"]:
            return self.texts("set by {name}", name=thing["author"])
        return self.texts(
            "set by {name}, confirmed by {other}", name=thing["author"], other=thing["confirmed_by"]
        )

    def _look(self, payload: Plain) -> str:
        days = payload.get("days") or []
        what = self.texts.word(words.VIEW, payload["view"])
        about = [self.grade(payload["class_id"])] if payload.get("class_id") else []
        about += days if len(days) < _MANY_DAYS else [f"{days[0]} ... {days[-1]}"]
        return self.texts("looked at {what}", what=what) + (
            f" ({', '.join(about)})" if about else ""
        )

    def _removal(self, payload: Plain) -> str:
        day = payload.get("day")
        return self.texts.word(words.REMOVED, payload["what"]) + (f" ({day})" if day else "")

    def _account(self, payload: Plain) -> str:
        roles = (self.texts.word(words.ROLE, role) for role in payload.get("roles", ()))
        detail = payload.get("label") or ", ".join(roles)
        what = self.texts(words.ACCOUNT_CHANGE[payload["what"]], account=payload["account"])
        return f"{what} ({detail})" if detail else what

    def _refusal(self, payload: Plain) -> str:
        return self.texts(
            "refused to open {name} for {whom}",
            name=payload["name"],
            whom=self.grade(payload["seat"]),
        )

    def _grade(self, thing: Plain) -> str:
        what, whom = written(thing["kind"], thing["target"]), self.grade(thing["grade"])
        return self.texts(
            "open {what} to {whom}" if thing["opens"] else "close {what} to {whom}",
            what=what,
            whom=whom,
        )


def warning_sentence(warning: Any, wording: Wording) -> str:
    """Return the sentence of a warning; an unknown one is shown as it came."""
    if not isinstance(warning, Mapping):
        return str(warning)
    kind = str(warning.get("warning", ""))
    values = {
        key: wording.clock.text(value) if key.endswith("_at") else value
        for key, value in warning.items()
    }
    if "why" in values:
        values["why"] = wording.texts.word(words.IDLE, str(values["why"]))
    try:
        words.WARNING[kind].template.format_map(values)  # none of its values is missing
        return wording.texts(words.WARNING[kind], **values)
    except KeyError:
        return ", ".join(f"{key} {value}" for key, value in values.items())


def state_of(thing: Plain, now: float, not_before: float = inf) -> str:
    """Return the state of a thing: ``coming``, ``on`` or ``ended``.

    What closes and has ended by a clock that no source has confirmed, but not by the earliest
    possible time, still closes: it is ``ended-unconfirmed``.
    """
    ends_at = thing.get("ends_at")
    if ends_at is not None and ends_at <= now:
        is_over = min(now, not_before) >= ends_at or thing.get("for_s") is not None
        return "ended" if is_over or thing.get("allow", False) else "ended-unconfirmed"
    return "coming" if (thing.get("starts_at") or 0.0) > now else "on"


def not_ended(things: Iterable[Plain], now: float) -> list[Plain]:
    """Return the things that are active, or will be."""
    return [thing for thing in things if state_of(thing, now) != "ended"]

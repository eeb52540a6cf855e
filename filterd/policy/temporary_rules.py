# SPDX-License-Identifier: Apache-2.0
"""Overrides set by commands: exceptions, rooms, exams, grades. Pure data.

``filterd.overrides`` keeps them and their history; ``filterd.policy.effective_policy``
applies them to a policy at a time. An ``id`` is the number of the change that made the
thing, so no two things ever had the same. Times are Unix times; a thing with
``starts_at`` and ``ends_at`` holds in the half-open interval between them, without end
where ``ends_at`` is None.

``for_s`` is there if the time was not known when the thing was set: it is to last so
many seconds from when the time is known. Until then its times are the last known one, and
so much later.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from typing import TYPE_CHECKING

from filterd.base.state_file import ADDED
from filterd.base.value_class import frozen
from filterd.policy.log_levels import LogLevel

if TYPE_CHECKING:
    from filterd.policy.model import Audience


class TargetKind(StrEnum):
    """The kind of an exception's target.

    ``ENTRY`` is the entry of a third-party list that names something by mistake. ``PAUSE``
    has no target: all is open that is not locked (``grade_changes``).
    """

    NAME = "name"
    SERVICE = "service"
    CATEGORY = "category"
    ENTRY = "entry"
    PAUSE = "pause"


def written(kind: str, target: str) -> str:
    """Return a target as it is written in a command."""
    if kind == TargetKind.PAUSE:
        return str(kind)
    return target if kind == TargetKind.NAME else f"{kind}:{target}"


@frozen
class LocalException:
    """A dated allow or block.

    ``target`` is the id of a service or a category, or for ``NAME`` and ``ENTRY``
    a name as ASCII text in lower case. ``whom`` is the tier, the grade, the class,
    the id of the network or the address, and "" for everybody.
    """

    id: int
    kind: TargetKind
    target: str
    allow: bool
    audience: Audience
    whom: str
    reason: str
    author: str
    starts_at: float
    ends_at: float | None = None
    for_s: float | None = field(default=None, metadata={ADDED: True})


@frozen
class RoomSetting:
    """The grade or class of a room for a time; of the active ones the newest counts."""

    id: int
    room: str
    grade: str
    reason: str
    author: str
    starts_at: float
    ends_at: float | None = None
    for_s: float | None = field(default=None, metadata={ADDED: True})


@frozen
class RoomDevices:
    """The devices of a room, in the place of those that the site's files name."""

    room: str
    macs: tuple[str, ...]


@frozen
class DeviceName:
    """The school's name of a device; no rule depends on it."""

    mac: str
    name: str


@frozen
class Exam:
    """A time in which a room sees these names and services only.

    ``names`` are ASCII text in lower case, each with all beneath it.
    """

    id: int
    room: str
    names: tuple[str, ...]
    services: tuple[str, ...]
    reason: str
    author: str
    starts_at: float
    ends_at: float
    for_s: float | None = field(default=None, metadata={ADDED: True})


@frozen
class GradeSetting:
    """A category or service, open or closed to a grade until the next setting of it.

    Only one that opens what is guarded has an end (``filterd.policy.guarded_categories``).
    """

    id: int
    grade: str
    kind: TargetKind
    target: str
    opens: bool
    reason: str
    author: str
    starts_at: float
    ends_at: float | None = field(default=None, metadata={ADDED: True})


@frozen
class ClassLoan:
    """A class that a substitute has for a time; ``to`` is a user of the gateway."""

    id: int
    class_id: str
    to: str
    reason: str
    author: str
    starts_at: float
    ends_at: float
    for_s: float | None = field(default=None, metadata={ADDED: True})


@frozen
class LogSetting:
    """The log level of a tier for a time, of every tier where ``tier`` is empty.

    ``level`` is a ``LogLevel``. At ``full`` it counts only once ``confirmed_by`` names a
    second person, and it always has an end.
    """

    id: int
    tier: str
    level: str
    reason: str
    author: str
    starts_at: float
    ends_at: float | None = None
    confirmed_by: str = ""
    for_s: float | None = field(default=None, metadata={ADDED: True})

    @property
    def is_waiting(self) -> bool:
        """Whether a second person must confirm it first."""
        return self.level == LogLevel.FULL and not self.confirmed_by


@frozen
class Overrides:
    """All overrides, each kind in order of creation; ``number``: the last change."""

    exceptions: tuple[LocalException, ...] = ()
    rooms: tuple[RoomSetting, ...] = ()
    devices: tuple[RoomDevices, ...] = ()
    exams: tuple[Exam, ...] = ()
    grades: tuple[GradeSetting, ...] = ()
    number: int = 0
    loans: tuple[ClassLoan, ...] = field(default=(), metadata={ADDED: True})
    device_names: tuple[DeviceName, ...] = field(default=(), metadata={ADDED: True})
    log_settings: tuple[LogSetting, ...] = field(default=(), metadata={ADDED: True})

# SPDX-License-Identifier: Apache-2.0
"""What commands have set beside the site's files: exceptions, rooms, exams, grades. Pure data.

``filterd.overrides`` keeps it and its history; ``filterd.policy.effective_policy`` says
what it makes of a policy at a time. An ``id`` is the number of the change that
made the thing, so no two things ever had the same. Times are Unix times; what
has a ``starts_at`` and an ``ends_at`` holds in the half-open interval between
them, without end where ``ends_at`` is None.

``for_s`` is there while the time is not known that something was set at: it is to last so
many seconds from when the time is known. Until then its times are the last known one, and
so much later.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from filterd.state_file import ADDED

if TYPE_CHECKING:
    from filterd.policy.model import Audience


class TargetKind(StrEnum):
    """What an exception is about.

    ``ENTRY`` is the entry of a third-party list that names something by mistake.
    """

    NAME = "name"
    SERVICE = "service"
    CATEGORY = "category"
    ENTRY = "entry"


@dataclass(frozen=True, slots=True)
class LocalException:
    """A dated allow or block.

    ``target`` is the id of a service or a category, or for ``NAME`` and ``ENTRY``
    a name as ASCII text in lower case. ``whom`` is the tier, the grade, the id of
    the network or the address, and "" for everybody.
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


@dataclass(frozen=True, slots=True)
class RoomSetting:
    """The grade that a room has for a time; of those in force the newest counts."""

    id: int
    room: str
    grade: str
    reason: str
    author: str
    starts_at: float
    ends_at: float | None = None
    for_s: float | None = field(default=None, metadata={ADDED: True})


@dataclass(frozen=True, slots=True)
class RoomDevices:
    """The devices that stand in a room, instead of those that the site's files name."""

    room: str
    macs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class GradeSetting:
    """A category or service that is open or closed to a grade until another setting says so."""

    id: int
    grade: str
    kind: TargetKind
    target: str
    opens: bool
    reason: str
    author: str
    starts_at: float


@dataclass(frozen=True, slots=True)
class Overrides:
    """All of it, each kind in the order of its making; ``number`` is that of the last change."""

    exceptions: tuple[LocalException, ...] = ()
    rooms: tuple[RoomSetting, ...] = ()
    devices: tuple[RoomDevices, ...] = ()
    exams: tuple[Exam, ...] = ()
    grades: tuple[GradeSetting, ...] = ()
    number: int = 0

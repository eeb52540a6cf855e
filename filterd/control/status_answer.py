# SPDX-License-Identifier: Apache-2.0
"""Name what the answer to ``status`` has, for those who read it.

What is ``NotRequired`` is missing in the answer of a daemon of an earlier release.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NotRequired, TypedDict

if TYPE_CHECKING:
    from filterd.texts.rows import Row


class ServerAddress(TypedDict):
    """Where a server listens."""

    address: str
    port: int


class UpstreamStanding(ServerAddress):
    """How an upstream answers."""

    tls: str
    rtt_ms: float | None
    down: bool
    down_since: NotRequired[float | None]
    problem: str
    sentence: NotRequired[Row]
    latency: NotRequired[dict[str, int]]


class TunnelSigns(TypedDict):
    """When a device last asked as a tunnel does, and for how many names."""

    at: float | None
    names: int


class LookupPace(TypedDict):
    """Answers of this hour, and of as much of the same hour a week ago."""

    now: int
    last_week: int


class BypassCount(TypedDict):
    """Blocked ways around the filter."""

    blocks: int


class LogStanding(TypedDict):
    """Totals of the day, and the state of the log."""

    today: dict[str, int]
    level: str
    levels: dict[str, str]
    problem: str
    sentence: NotRequired[Row]
    lost: int
    undated: int
    rows_distinct: NotRequired[bool]
    pace: LookupPace | None
    bypass: BypassCount


class ClockStandingFacts(TypedDict):
    """The clock of the machine, and the time that policy goes by."""

    standing: str
    shows: float
    floor: float
    policy_time: float | None
    since: NotRequired[float]
    not_before: NotRequired[float]


class FeedStandingFacts(TypedDict):
    """How the site stands with its feed, or with public lists."""

    address: str
    sources: NotRequired[int]
    freshness: str
    expires_at: float | None
    judgement: Row | None
    beside: NotRequired[FeedStandingFacts | None]
    followed: NotRequired[list[str]]
    missing: NotRequired[list[str]]


class NightlyOutcome(TypedDict):
    """When a nightly run last succeeded, and since when it fails."""

    done_at: float | None
    failing_since: float | None
    problem: Row
    octets: int
    files: list[str]


class LastSelfTest(TypedDict):
    """The last self-test."""

    at: float
    passed: int
    failed: int
    unknown: int


class DiskRoom(TypedDict):
    """Octets of the disk of the state."""

    free: int
    size: int


class HistorySoundness(TypedDict):
    """The last verification of the history; None before the first."""

    ok: bool | None


class CertificateTerm(TypedDict):
    """Until when the certificate of the dashboard holds."""

    ends_at: float


class EnrolmentTerm(TypedDict):
    """Until when the province has enrolled this gateway."""

    ends: float


class DaemonSignals(TypedDict):
    """Signals for alerts; see ``status_parts.StatusSignals``."""

    gap_s: float
    watchdog_failing: bool
    disk: DiskRoom | None
    log_lost_at: float | None
    history: HistorySoundness
    self_test: LastSelfTest | None
    certificate: CertificateTerm | None
    backup: NotRequired[NightlyOutcome | None]
    reports: NotRequired[NightlyOutcome | None]
    enrolment: NotRequired[EnrolmentTerm | None]


class ReportedMistakes(TypedDict):
    """What became of reported mistakes."""

    reported: int
    mended: int
    refused: int
    version: str


class ChangeStoreStanding(TypedDict):
    """The store of changes."""

    problems: NotRequired[list[Row]]
    mistakes: NotRequired[ReportedMistakes]


class OpenGuarded(TypedDict):
    """A guarded category that is open."""

    category: str
    audience: str
    whom: str
    number: int | None
    starts_at: float | None
    ends_at: float | None


class LockedPartRow(TypedDict):
    """A part that stays closed while its category is open."""

    part: str
    whole: str
    audience: str
    whom: str
    number: int | None


class SchoolDay(TypedDict, total=False):
    """What a school asks of its filter first; see ``status_parts.school_day``."""

    blocked_today: dict[str, int]
    blocked_categories: dict[str, int]
    category_names: dict[str, dict[str, str]]
    exceptions: list[Row]
    loans: list[Row]
    exams: list[Row]
    rooms: list[Row]
    log_levels: list[Row]
    log_waiting: list[Row]
    locked_parts: list[LockedPartRow]


class SafeSearchStanding(TypedDict):
    """When the hosts of safe modes were last found."""

    verified_at: float | None


class WaitingRelease(TypedDict):
    """Which release of filterd waits, and which was taken back."""

    offered: str
    waits_for: str
    waiting_since: float | None
    taken_back_at: float | None
    sentence: Row


class AccountsStanding(TypedDict):
    """The state of the file of accounts."""

    damaged: bool
    recovered_at: float | None


class StatusAnswer(TypedDict):
    """The answer to ``status``."""

    version: str
    school: str
    policy: str
    up_s: float
    names: int
    lists: int
    workers: int
    lists_built_at: float | None
    time_is_known: bool
    clock: ClockStandingFacts
    upstreams: list[UpstreamStanding]
    listen: list[ServerAddress]
    not_native: list[str]
    tunnels: TunnelSigns
    datagrams: dict[str, int]
    receive_drops: int
    log: LogStanding
    day: NotRequired[SchoolDay]
    disputes: list[list[str]]
    pauses: NotRequired[list[Row]]
    guarded: NotRequired[list[OpenGuarded]]
    safe_search: NotRequired[SafeSearchStanding | None]
    changes: NotRequired[ChangeStoreStanding]
    in_memory: NotRequired[list[str]]
    signals: NotRequired[DaemonSignals]
    program: WaitingRelease
    accounts: AccountsStanding
    doubts: list[Row]
    feed: FeedStandingFacts
    coverage: NotRequired[list[Row]]
    protection: Row
    alerts: NotRequired[list[Row]]

# SPDX-License-Identifier: Apache-2.0
"""Gather the facts of a gateway's protection from its status. Pure.

They are what ``protection_level.judge`` judges by. A part that a status does not have, or has in
another form because the daemon is of another release, is None: it is not known, and nothing is
called good for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.base.value_class import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DOWN_S = 120.0
"""An upstream that is silent for less is not down."""


@frozen(kw_only=True)
class ListFacts:
    """What has come of the lists that a school follows.

    Attributes:
        followed, missing: ids of followed public lists, all and those that never came.
        never: whether nothing has ever come from a feed that is followed.
        starter: ids of categories that are closed to a grade and stand on their starter lists.
    """

    followed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    never: bool = False
    starter: tuple[str, ...] = ()


@frozen(kw_only=True)
class FeedFacts:
    """How the sources of the lists stand, as far as any is followed.

    Attributes:
        ages: of each one (``feed.standing.Freshness``).
        expires_at: Unix time at which the first signature expires; None for none.
        waits: whether a version waits for an administrator.
        held: whether an administrator keeps the version in force, so that no other one comes.
        is_troubled: whether the last run failed, or a feed has no trust yet.
        up_s: how long the daemon has run.
    """

    ages: frozenset[str] = frozenset()
    expires_at: float | None = None
    waits: bool = False
    held: bool = False
    is_troubled: bool = False
    up_s: float = 0.0


@frozen(kw_only=True)
class TestFacts:
    """The last self-test: its outcomes, and tiers to which a listed name is open."""

    passed: int
    failed: int
    unknown: int = 0
    open_to: tuple[str, ...] = ()


@frozen(kw_only=True)
class UpstreamFacts:
    """How many upstreams there are, and how many have been down for ``DOWN_S``."""

    down: int
    of_all: int


@frozen(kw_only=True)
class BypassFacts:
    """Signs of ways around the filter.

    Attributes:
        blocks: blocked ways of today, of grades of which several devices ask for some.
        now, last_week: answers of this school hour and of the one a week ago; None where they
            are not compared.
        tunnel_at: when the last question of a tunnel came; None for none.
        tunnel_names: of it.
    """

    blocks: int = 0
    now: int | None = None
    last_week: int | None = None
    tunnel_at: float | None = None
    tunnel_names: int = 0


@frozen(kw_only=True)
class ClockFacts:
    """Whether the time is known, how the clock stands, how long the daemon has run."""

    is_known: bool
    standing: str
    up_s: float = 0.0


@frozen(kw_only=True)
class DiskFacts:
    """Octets of the disk of the state folder, free and all."""

    free: int
    size: int


@frozen(kw_only=True)
class ProgramFacts:
    """The release that serves, when a later one was taken back, since when one waits."""

    version: str
    taken_back_at: float | None
    waiting_since: float | None


@frozen(kw_only=True)
class ProtectionFacts:
    """All facts; None for each that is not known.

    Attributes:
        now: Unix time.
        links: by name of each link of pupils whether other resolvers are ``open``, ``closed`` or
            ``unsure`` (``appliance.doctor.firewall_rules``); none where this machine is not the
            gateway.
        is_watchdog_failing: whether its last test questions got wrong answers or none.
        unmet: expectations that policy and lists do not meet, and files that need a look.
        pauses: that are in force.
        is_unwritten: whether state stays in memory, or a file of it is damaged.
        is_history_sound: by its last verification.
        backup_since: when the last backup worked, or the first one after it failed.
    """

    now: float
    lists: ListFacts | None = None
    feed: FeedFacts | None = None
    test: TestFacts | None = None
    is_watchdog_failing: bool | None = None
    unmet: int | None = None
    upstreams: UpstreamFacts | None = None
    links: Mapping[str, str] | None = None
    bypass: BypassFacts | None = None
    pauses: int | None = None
    clock: ClockFacts | None = None
    disk: DiskFacts | None = None
    is_unwritten: bool | None = None
    is_history_sound: bool | None = None
    backup_since: float | None = None
    program: ProgramFacts | None = None

    @classmethod
    def of(cls, status: Mapping[str, Any], now: float | None = None) -> ProtectionFacts:
        """Return the facts in a status.

        Args:
            status: as ``filterd status --json`` prints it, or parts of it.
            now: Unix time; None for the time of the status itself.
        """
        if now is None:
            now = (status.get("clock") or {}).get("shows", 0.0)
        at = now

        def known(read: Callable[[Mapping[str, Any], float], Any]) -> Any:
            try:
                return read(status, at)
            except (KeyError, TypeError, AttributeError, ValueError):
                return None

        return cls(now=at, **{name: known(read) for name, read in _READ.items()})


def _lists(status: Mapping[str, Any], _: float) -> ListFacts:
    found = status["protection"]
    return ListFacts(
        followed=tuple(found.get("followed", ())),
        missing=tuple(found.get("missing", ())),
        never=bool(found.get("never")),
        starter=tuple(found.get("starter", ())),
    )


def _feed(status: Mapping[str, Any], _: float) -> FeedFacts:
    feed = status["feed"]
    rows = [
        one for one in (feed, feed.get("beside")) if one and (one["address"] or one.get("sources"))
    ]
    ends = [row["expires_at"] for row in rows if row["expires_at"] is not None]
    return FeedFacts(
        ages=frozenset(row["freshness"] for row in rows),
        expires_at=min(ends, default=None),
        waits=any(row["judgement"] for row in rows),
        held=any(row.get("held") for row in rows),
        is_troubled=any(one.get("problem") for one in (feed, *rows))
        or any(row["address"] and not row.get("trusted", True) for row in rows),
        up_s=status.get("up_s", 0.0),
    )


def _test(status: Mapping[str, Any], _: float) -> TestFacts:
    found = status["signals"]["self_test"]
    counts = {key: int(found[key]) for key in ("passed", "failed", "unknown")}
    return TestFacts(**counts, open_to=tuple(found.get("open_to", ())))


def _upstreams(status: Mapping[str, Any], now: float) -> UpstreamFacts:
    upstreams = status["upstreams"]
    down = (upstream.get("down_since") or 0.0 for upstream in upstreams if upstream["down"])
    return UpstreamFacts(down=sum(now - since >= DOWN_S for since in down), of_all=len(upstreams))


def _links(status: Mapping[str, Any], _: float) -> dict[str, str] | None:
    # The status before the first look of root has none: then nothing is known of links.
    has_looked = status["signals"].get("links") is not None or status["protection"].get("links")
    return dict(status["protection"].get("links") or {}) if has_looked else None


def _bypass(status: Mapping[str, Any], _: float) -> BypassFacts:
    log, tunnels = status["log"], status["tunnels"]
    pace = log["pace"] or {}
    return BypassFacts(
        blocks=log["bypass"]["blocks"],
        now=pace.get("now"),
        last_week=pace.get("last_week"),
        tunnel_at=tunnels["at"],
        tunnel_names=tunnels["names"],
    )


def _clock(status: Mapping[str, Any], _: float) -> ClockFacts:
    return ClockFacts(
        is_known=bool(status["time_is_known"]),
        standing=status["clock"]["standing"],
        up_s=status.get("up_s", 0.0),
    )


def _disk(status: Mapping[str, Any], _: float) -> DiskFacts:
    return DiskFacts(**{key: int(status["signals"]["disk"][key]) for key in ("free", "size")})


def _backup(status: Mapping[str, Any], _: float) -> float | None:
    found = status["signals"]["backup"]
    since: float | None = found["failing_since"] or found["done_at"]
    return since


def _program(status: Mapping[str, Any], _: float) -> ProgramFacts:
    found = status["program"]
    at = {key: found[key] for key in ("taken_back_at", "waiting_since")}
    return ProgramFacts(version=str(status["version"]), **at)


_READ: dict[str, Callable[[Mapping[str, Any], float], Any]] = {
    "lists": _lists,
    "feed": _feed,
    "test": _test,
    "is_watchdog_failing": lambda status, _: status["signals"]["watchdog_failing"],
    "unmet": lambda status, _: len(status["doubts"]),
    "upstreams": _upstreams,
    "links": _links,
    "bypass": _bypass,
    "pauses": lambda status, _: len(status["pauses"]),
    "clock": _clock,
    "disk": _disk,
    "is_unwritten": lambda status, _: bool(
        status.get("in_memory") or status["changes"].get("problems")
    ),
    "is_history_sound": lambda status, _: status["signals"]["history"]["ok"],
    "backup_since": _backup,
    "program": _program,
}

# SPDX-License-Identifier: Apache-2.0
"""Derive the active alerts of a daemon from its status. Pure.

A rule is a line of ``RULES``. Its sentence has numbers and times only: never a class, a name,
an address, or a category, because an alert leaves the school by mail or webhook. One has MACs:
those of devices that claim one address, for they are all that leads to them at a switch.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from filterd.base.errors import ChangeError
from filterd.base.protection_level import judge as judge_protection
from filterd.monitor import lookup_alerts
from filterd.monitor.alert import Alert, AlertRule, JudgedStatus
from filterd.operations.alerts import AlertSeverity
from filterd.policy import field_checks
from filterd.texts import counted
from filterd.texts.i18n import UNSAID, Sentence, say, say_n

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from filterd.texts.rows import Row

GAP_S, GAP_SHOWN_S = 300.0, 3600.0
"""A service gap worth an alert, and how long after the start it is shown."""
EXPIRES_WITHIN_S = 86_400.0
CERTIFICATE_ENDS_WITHIN_S = 21 * 86_400.0
RECOVERED_SHOWN_S = 7 * 86_400.0
"""How long the recovery of an administrator is shown: everybody must learn of it."""
FIRST_LISTS_S = 86_400.0
"""After so long the first lists should have come."""
PARTLY_S = 3_600.0
"""A new gateway has an hour for its first lists before a message is sent."""
DOWN_S = 120.0
TAKEN_BACK_SHOWN_S, UPDATE_WAITS_S = 14 * 86_400.0, 14 * 86_400.0
"""How long a release that was taken back is shown, and how long one may wait unnoticed."""
FREE_OCTETS, FREE_PART = 500_000_000, 10
"""A disk is nearly full below 500 MB, or a tenth of a smaller one."""
BACKUP_FAILS_S = 3 * 86_400.0 - 3600.0
"""Three nights without a backup; one without a stick is no alert."""
REPORT_FAILS_S = 86_400.0 - 3600.0
"""Two nights without a scheduled report that is due."""
ENROLMENT_ENDS_S = 30 * 86_400.0
_TIME_WITHIN_S = 900.0
"""A time server that can be reached has answered so long after a start."""
DISPUTED_S = 60.0
"""A device that takes over the address of another is a dispute for 35 s, and no message."""


def judge(status: Row, now: float) -> JudgedStatus:
    """Judge a status by all rules.

    Args:
        status: as ``filterd status --json`` prints it.
        now: Unix time.
    """
    found, unknown = list[Alert](), set[str]()
    for rule in RULES:
        try:
            sentence = rule.holds(status, now)
        except (KeyError, TypeError, AttributeError, ValueError):
            unknown.add(rule.id)
            continue
        if sentence:
            found.append(Alert(rule.id, rule.severity, sentence, rule.remedy, rule.for_s))
    by_severity = sorted(found, key=lambda one: _SEVERITIES.index(one.severity))
    return JudgedStatus(by_severity, frozenset(unknown))


def active(status: Row, now: float) -> list[Alert]:
    """Return the active alerts of a status; see ``judge``."""
    return judge(status, now).active


def silent(since_s: float) -> Alert:
    """Return the alert of a daemon that has not answered for so many seconds."""
    sentence = say("filterd has not answered for {time}", time=counted.duration(since_s))
    remedy = say("on the gateway: systemctl status filterd, journalctl -u filterd")
    return Alert("daemon-silent", AlertSeverity.CRITICAL, sentence, remedy)


_SEVERITIES = tuple(AlertSeverity)


def _feeds(status: Row) -> Iterator[Row]:
    """Yield the standing of the feed, and of public lists, as far as followed."""
    feed = status["feed"]
    for one in (feed, feed.get("beside")):
        if one and (one["address"] or one.get("sources")):
            yield one


def _lists_very_old(status: Row, _: float) -> Sentence:
    old = any(one["freshness"] == "very-old" for one in _feeds(status))
    return say("the lists have not been renewed for 30 days") if old else UNSAID


def _lists_old(status: Row, _: float) -> Sentence:
    states = {one["freshness"] for one in _feeds(status)}
    if "old" in states:
        return say("the lists have not been renewed for 7 days, or have expired")
    if "never" in states and status["up_s"] > FIRST_LISTS_S:
        return say("no lists have come yet from the feed or the public lists")
    return UNSAID


def _partly_protected(status: Row, _: float) -> Sentence:
    judged = judge_protection(status["protection"])
    return UNSAID if judged.is_whole else judged.sentence


def _feed_expires(status: Row, now: float) -> Sentence:
    ends = [one["expires_at"] for one in _feeds(status) if one["expires_at"] is not None]
    left_s = min(ends, default=now) - now
    if not 0 < left_s < EXPIRES_WITHIN_S:
        return UNSAID
    return say("the feed's signature expires in {time}", time=counted.duration(left_s))


def _held_version(status: Row, _: float) -> Sentence:
    waits = any(one["judgement"] for one in _feeds(status))
    return say("a new version of the lists waits for approval") if waits else UNSAID


def _program_taken_back(status: Row, now: float) -> Sentence:
    at = status["program"]["taken_back_at"]
    if at is None or not 0 <= now - at < TAKEN_BACK_SHOWN_S:
        return UNSAID
    return say("a new release of filterd did harm and was taken back")


def _update_waits(status: Row, now: float) -> Sentence:
    since = status["program"]["waiting_since"]
    if since is None or now - since < UPDATE_WAITS_S:
        return UNSAID
    waits = counted.duration(now - since)
    return say("a new release of filterd has not been installed for {time}", time=waits)


def _down(status: Row, now: float) -> tuple[int, int]:
    """Return how many upstreams have been down for ``DOWN_S``, and how many there are."""
    upstreams = status["upstreams"]
    down = (one.get("down_since") or 0.0 for one in upstreams if one["down"])
    return sum(now - since >= DOWN_S for since in down), len(upstreams)


def _upstream_down(status: Row, now: float) -> Sentence:
    n, of_all = _down(status, now)
    if not 0 < n < of_all:
        return UNSAID
    return say_n(
        "{n} of {all} upstream servers is down",
        "{n} of {all} upstream servers are down",
        n,
        all=of_all,
    )


def _all_upstreams_down(status: Row, now: float) -> Sentence:
    n, of_all = _down(status, now)
    return say("no upstream server answers") if 0 < n == of_all else UNSAID


def _gap(status: Row, _: float) -> Sentence:
    gap_s = status["signals"]["gap_s"]
    if gap_s < GAP_S or status["up_s"] >= GAP_SHOWN_S:
        return UNSAID
    return say("filterd did not run for {time} before this start", time=counted.duration(gap_s))


def _watchdog(status: Row, _: float) -> Sentence:
    failing = status["signals"]["watchdog_failing"]
    return say("the watchdog's test questions get wrong answers or none") if failing else UNSAID


def _self_test(status: Row, _: float) -> Sentence:
    test = status["signals"]["self_test"]
    if test is None or not test["failed"]:
        return UNSAID
    of_all = test["passed"] + test["failed"]
    return say_n(
        "{n} of {all} self-tests has failed: a listed name is open",
        "{n} of {all} self-tests have failed: listed names are open",
        test["failed"],
        all=of_all,
    )


def _disk_full(status: Row, _: float) -> Sentence:
    disk = status["signals"]["disk"]
    if disk is None or disk["free"] >= min(FREE_OCTETS, disk["size"] // FREE_PART):
        return UNSAID
    return say("the disk is nearly full: {size} free", size=counted.size(disk["free"]))


def _not_written(status: Row, _: float) -> Sentence:
    troubled = status.get("in_memory") or status.get("changes", {}).get("problems")
    return (
        say("the state folder cannot be written, or a file in it is damaged")
        if troubled
        else UNSAID
    )


def _history(status: Row, _: float) -> Sentence:
    is_sound = status["signals"]["history"]["ok"]
    if is_sound is None:
        raise ValueError("not verified yet")
    return UNSAID if is_sound else say("the history of changes has been altered or damaged")


def _certificate_ends(status: Row, now: float) -> Sentence:
    found = status["signals"]["certificate"]
    if found is None or found["ends_at"] - now >= CERTIFICATE_ENDS_WITHIN_S:
        return UNSAID
    left_s = found["ends_at"] - now
    if left_s <= 0:
        return say("the certificate of the dashboard has ended")
    return say("the certificate of the dashboard ends in {time}", time=counted.duration(left_s))


def _accounts_damaged(status: Row, _: float) -> Sentence:
    is_damaged = status["accounts"]["damaged"]
    return (
        say("the file of the accounts is damaged: no account can sign in") if is_damaged else UNSAID
    )


def _account_recovered(status: Row, now: float) -> Sentence:
    at = status["accounts"]["recovered_at"]
    if at is None or not 0 <= now - at < RECOVERED_SHOWN_S:
        return UNSAID
    ago = counted.duration(now - at)
    return say("an administrator's access was recovered at the console, {time} ago", time=ago)


def _backup_fails(status: Row, now: float) -> Sentence:
    found = status["signals"]["backup"]
    since = now if found is None else found["failing_since"] or found["done_at"]
    if now - since < BACKUP_FAILS_S:
        return UNSAID
    return say("there was no backup for {time}", time=counted.duration(now - since))


def _enrolment_ends(status: Row, now: float) -> Sentence:
    found = status["signals"].get("enrolment")
    if found is None or found["ends"] - now >= ENROLMENT_ENDS_S or not status["time_is_known"]:
        return UNSAID
    left = counted.duration(max(found["ends"] - now, 0))
    return say("the enrolment by the province ends in {time}", time=left)


def _reports_fail(status: Row, now: float) -> Sentence:
    found = status["signals"]["reports"]
    since = now if found is None else found["failing_since"] or now
    if now - since < REPORT_FAILS_S:
        return UNSAID
    failing = counted.duration(now - since)
    return say("a scheduled report could not be delivered for {time}", time=failing)


def _locked_parts(status: Row, _: float) -> Sentence:
    n = len(status.get("day", {}).get("locked_parts", ()))
    if not n:
        return UNSAID
    return say_n(
        "{n} part of a category that was opened stays closed: it is locked",
        "{n} parts of categories that were opened stay closed: they are locked",
        n,
    )


def _guarded(status: Row, _: float) -> Sentence:
    n = len(status.get("guarded", ()))
    if not n:
        return UNSAID
    return say_n("{n} opening of what is guarded", "{n} openings of what is guarded", n)


def _disputes(status: Row, _: float) -> Sentence:
    disputed = status["disputes"]
    if not disputed:
        return UNSAID
    macs = [list(_macs(one)) for one in disputed]
    told = "; ".join(", ".join(one) for one in macs if one)
    if not told:
        return say("several devices claim one address")
    if [len(one) for one in macs] == [2]:
        return say("two devices claim one address: {macs}", macs=told)
    return say("several devices claim one address: {macs}", macs=told)


def _macs(texts: Iterable[Any]) -> Iterator[str]:
    for text in texts:
        with contextlib.suppress(ChangeError):
            yield field_checks.mac(text)


def _pause(status: Row, _: float) -> Sentence:
    n = len(status.get("pauses", ()))
    return say_n("{n} pause is in force", "{n} pauses are in force", n) if n else UNSAID


def _full_log(status: Row, _: float) -> Sentence:
    full = any(level == "full" for level in status["log"]["levels"].values())
    return say("the log records every lookup (level full)") if full else UNSAID


def _clock(status: Row, _: float) -> Sentence:
    if not status["time_is_known"]:
        return say("the time is not known")
    if status["clock"]["standing"] == "unconfirmed":
        is_late = status["up_s"] >= _TIME_WITHIN_S
        return say("no time server has confirmed the clock") if is_late else UNSAID
    jumped = status["clock"]["standing"] == "jumped"
    return say("the clock has jumped and is not believed") if jumped else UNSAID


def _doubts(status: Row, _: float) -> Sentence:
    n = len(status["doubts"])
    if not n:
        return UNSAID
    return say_n(
        "{n} expectation or file of the site needs a look",
        "{n} expectations or files of the site need a look",
        n,
    )


_C, _W, _N = AlertSeverity
_SEE_STATUS = say("details: filterd status")
RULES = (
    AlertRule(
        "upstreams-down",
        _C,
        _all_upstreams_down,
        say("is the line up? `upstreams` in site.yaml names others"),
    ),
    AlertRule(
        "watchdog",
        _C,
        _watchdog,
        say("details: journalctl -u filterd; systemd starts it again if it lasts"),
        for_s=10.0,
    ),
    AlertRule("self-test", _C, _self_test, say("which categories: filterd doctor")),
    AlertRule(
        "history-altered",
        _C,
        _history,
        say("details: filterd history verify; keep a copy of the file"),
    ),
    AlertRule(
        "lists-very-old",
        _C,
        _lists_very_old,
        say("why: filterd feed status; then filterd sync or filterd lists update"),
    ),
    AlertRule(
        "lists-old",
        _W,
        _lists_old,
        say("why: filterd feed status; then filterd sync or filterd lists update"),
    ),
    AlertRule(
        "partly-protected",
        _W,
        _partly_protected,
        say("what is short, and what to do: sudo filterd doctor"),
        for_s=PARTLY_S,
    ),
    AlertRule("feed-expires", _W, _feed_expires, say("why: filterd feed status")),
    AlertRule(
        "version-held",
        _W,
        _held_version,
        say("look: filterd feed status; then filterd feed approve or refuse"),
    ),
    AlertRule(
        "program-taken-back",
        _W,
        _program_taken_back,
        say("the release before serves; why: filterd update; tell the publisher"),
    ),
    AlertRule(
        "update-waits",
        _W,
        _update_waits,
        say("why: filterd update; to install it: sudo filterd update --now"),
    ),
    AlertRule(
        "upstream-down",
        _W,
        _upstream_down,
        say("is the line up? `upstreams` in site.yaml names others"),
    ),
    AlertRule("service-gap", _W, _gap, say("power cut, or see journalctl -u filterd -b -1")),
    AlertRule("disk-full", _W, _disk_full, say("make room: df -h, journalctl --vacuum-size=200M")),
    AlertRule("state-not-written", _W, _not_written, _SEE_STATUS, for_s=30.0),
    AlertRule("log-not-written", _W, lookup_alerts.log_problem, _SEE_STATUS, for_s=120.0),
    AlertRule(
        "log-lost",
        _W,
        lookup_alerts.rows_lost,
        say("was the disk full or slow? details: filterd status"),
    ),
    AlertRule(
        "few-lookups",
        _W,
        lookup_alerts.few_lookups,
        say("is the line up, and do devices still use this DNS? filterd doctor"),
        for_s=600.0,
    ),
    AlertRule(
        "bypass",
        _W,
        lookup_alerts.bypass,
        say("do devices reach another DNS? filterd doctor shows open ways"),
    ),
    AlertRule(
        "address-disputed",
        _W,
        _disputes,
        say("one may pretend to be the other: find both at the switch; the guide says how"),
        for_s=DISPUTED_S,
    ),
    AlertRule(
        "tunnel",
        _W,
        lookup_alerts.tunnel,
        say("which domain: filterd log level full, filterd log search; then filterd block DOMAIN"),
    ),
    AlertRule(
        "clock", _W, _clock, say("set the clock; if it is right: filterd clock accept"), for_s=60.0
    ),
    AlertRule(
        "accounts-damaged",
        _W,
        _accounts_damaged,
        say("as root: filterd account recover; then make the accounts again"),
    ),
    AlertRule(
        "account-recovered",
        _W,
        _account_recovered,
        say("was it a person of the school? filterd history list shows the account"),
    ),
    AlertRule(
        "certificate-ends",
        _W,
        _certificate_ends,
        say("a self-signed one: filterd cert make; one of an authority: filterd cert install"),
    ),
    AlertRule(
        "no-backup",
        _W,
        _backup_fails,
        say("is the stick plugged in, or the share mounted? why: journalctl -u filterd-backup"),
    ),
    AlertRule(
        "no-report",
        _W,
        _reports_fail,
        say("is the stick plugged in, can mail be sent? why: filterd status, in the line Reports"),
    ),
    AlertRule(
        "enrolment-ends", _W, _enrolment_ends, say("ask again: filterd fleet enrol --out FILE")
    ),
    AlertRule("expectations", _W, _doubts, _SEE_STATUS),
    AlertRule(
        "guarded-open",
        _W,
        _guarded,
        say("filterd status says to whom; commands of filterd end by themselves, site.yaml not"),
    ),
    AlertRule("locked-part", _N, _locked_parts, _SEE_STATUS),
    AlertRule("pause", _N, _pause, say("it ends by itself; all: filterd exceptions list")),
    AlertRule("full-log", _N, _full_log, say("it ends by itself; or: filterd log level")),
)
"""All rules; ids are an interface."""

# SPDX-License-Identifier: Apache-2.0
"""Derive the active alerts of a daemon from its status. Pure.

What is about the protection is judged by ``protection_level`` alone, and an alert here only tells
of a line of that judgement. The other rules are about the school's own things.

A rule is a line of ``RULES``. Its sentence has numbers and times only: never a class, a name,
an address, or a category, because an alert leaves the school by mail or webhook. One has MACs:
those of devices that claim one address, for they are all that leads to them at a switch.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, cast

from filterd.base.errors import ChangeError
from filterd.base.protection_facts import ProtectionFacts
from filterd.base.protection_level import judge_only
from filterd.base.protection_line import LineState, ProtectionSubject, told
from filterd.monitor.alert import Alert, AlertRule, JudgedStatus
from filterd.operations.alerts import AlertSeverity
from filterd.policy import field_checks
from filterd.texts import counted
from filterd.texts.i18n import UNSAID, Sentence, say, say_n

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from filterd.control.status_answer import StatusAnswer
    from filterd.texts.rows import Row

GAP_S, GAP_SHOWN_S = 300.0, 3600.0
"""A service gap worth an alert, and how long after the start it is shown."""
CERTIFICATE_ENDS_WITHIN_S = 21 * 86_400.0
RECOVERED_SHOWN_S = 7 * 86_400.0
"""How long the recovery of an administrator is shown: everybody must learn of it."""
FAILS_S = 30 * 3_600.0
"""One night without the Internet is no message."""
PARTLY_S = 3_600.0
"""A new gateway has an hour for its first lists before a message is sent."""
REPORT_FAILS_S = 86_400.0 - 3600.0
"""Two nights without a scheduled report that is due."""
LOST_SHOWN_S = 3600.0
"""How long after the last lost row the loss is shown."""
ENROLMENT_ENDS_S = 30 * 86_400.0
DISPUTED_S = 60.0
"""A device that takes over the address of another is a dispute for 35 s, and no message."""


def judge(status: Row, now: float) -> JudgedStatus:
    """Judge a status by all rules.

    Args:
        status: as ``filterd status --json`` prints it.
        now: Unix time.
    """
    found, unknown = list[Alert](), set[str]()
    answer = cast("StatusAnswer", status)  # what it does not have is found out below
    for rule in RULES:
        try:
            held = rule.holds(answer, now)
        except (KeyError, TypeError, AttributeError, ValueError):
            unknown.add(rule.id)
            continue
        sentence, remedy = held if isinstance(held, tuple) else (held, rule.remedy)
        if sentence:
            found.append(Alert(rule.id, rule.severity, sentence, remedy, rule.for_s))
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

_TOLD_TOGETHER = (ProtectionSubject.LISTS, ProtectionSubject.STARTER, ProtectionSubject.LINKS)
"""What one alert tells of: a new gateway lacks all of it for its first hour."""


def _line_rule(
    alert: str, severity: AlertSeverity, subject: ProtectionSubject, for_s: float = 0.0
) -> AlertRule:
    """Return the rule that tells of a line of the judgement of the protection."""

    def holds(status: StatusAnswer, now: float) -> tuple[Sentence, Sentence]:
        lines = judge_only((subject,), ProtectionFacts.of(status, now)).lines
        if all(line.state is LineState.UNSEEN for line in lines):
            raise ValueError("not known")
        return next(((line.sentence, line.remedy) for line in lines if line.alert == alert), _NONE)

    return AlertRule(alert, severity, holds, for_s=for_s)


_NONE = UNSAID, UNSAID


def _partly_protected(status: StatusAnswer, now: float) -> Sentence:
    judged = judge_only(_TOLD_TOGETHER, ProtectionFacts.of(status, now))
    if judged.lines[0].state is LineState.UNSEEN:
        raise ValueError("not known")
    return UNSAID if judged.is_whole else told(judged.level, judged.short)


def _gap(status: StatusAnswer, _: float) -> Sentence:
    gap_s = status["signals"]["gap_s"]
    if gap_s < GAP_S or status["up_s"] >= GAP_SHOWN_S:
        return UNSAID
    return say("filterd did not run for {time} before this start", time=counted.duration(gap_s))


def _rows_lost(status: StatusAnswer, now: float) -> Sentence:
    at = status["signals"]["log_lost_at"]
    if at is None or not 0 <= now - at < LOST_SHOWN_S:
        return UNSAID
    return say("answers were lost before they could be counted in the log")


def _log_problem(status: StatusAnswer, _: float) -> Sentence:
    return say("the log cannot be written") if status["log"]["problem"] else UNSAID


def _certificate_ends(status: StatusAnswer, now: float) -> Sentence:
    found = status["signals"]["certificate"]
    if found is None or found["ends_at"] - now >= CERTIFICATE_ENDS_WITHIN_S:
        return UNSAID
    left_s = found["ends_at"] - now
    if left_s <= 0:
        return say("the certificate of the dashboard has ended")
    return say("the certificate of the dashboard ends in {time}", time=counted.duration(left_s))


def _accounts_damaged(status: StatusAnswer, _: float) -> Sentence:
    is_damaged = status["accounts"]["damaged"]
    return (
        say("the file of the accounts is damaged: no account can sign in") if is_damaged else UNSAID
    )


def _account_recovered(status: StatusAnswer, now: float) -> Sentence:
    at = status["accounts"]["recovered_at"]
    if at is None or not 0 <= now - at < RECOVERED_SHOWN_S:
        return UNSAID
    ago = counted.duration(now - at)
    return say("an administrator's access was recovered at the console, {time} ago", time=ago)


def _enrolment_ends(status: StatusAnswer, now: float) -> Sentence:
    found = status["signals"].get("enrolment")
    if found is None or found["ends"] - now >= ENROLMENT_ENDS_S or not status["time_is_known"]:
        return UNSAID
    left = counted.duration(max(found["ends"] - now, 0))
    return say("the enrolment by the province ends in {time}", time=left)


def _reports_fail(status: StatusAnswer, now: float) -> Sentence:
    found = status["signals"]["reports"]
    since = now if found is None else found["failing_since"] or now
    if now - since < REPORT_FAILS_S:
        return UNSAID
    failing = counted.duration(now - since)
    return say("a scheduled report could not be delivered for {time}", time=failing)


def _locked_parts(status: StatusAnswer, _: float) -> Sentence:
    n = len(status.get("day", {}).get("locked_parts", ()))
    if not n:
        return UNSAID
    return say_n(
        "{n} part of a category that was opened stays closed: it is locked",
        "{n} parts of categories that were opened stay closed: they are locked",
        n,
    )


def _guarded(status: StatusAnswer, _: float) -> Sentence:
    n = len(status.get("guarded", ()))
    if not n:
        return UNSAID
    return say_n("{n} opening of what is guarded", "{n} openings of what is guarded", n)


def _disputes(status: StatusAnswer, _: float) -> Sentence:
    disputed = status["disputes"]
    if not disputed:
        return UNSAID
    macs = [list(_macs(one)) for one in disputed]
    told = "; ".join(", ".join(mac) for mac in macs if mac)
    if not told:
        return say("several devices claim one address")
    if [len(mac) for mac in macs] == [2]:
        return say("two devices claim one address: {macs}", macs=told)
    return say("several devices claim one address: {macs}", macs=told)


def _macs(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        with contextlib.suppress(ChangeError):
            yield field_checks.mac(text)


def _full_log(status: StatusAnswer, _: float) -> Sentence:
    full = any(level == "full" for level in status["log"]["levels"].values())
    return say("the log records every lookup (level full)") if full else UNSAID


_C, _W, _N = AlertSeverity
_SEE_STATUS = say("details: filterd status")
RULES = (
    _line_rule("upstreams-down", _C, ProtectionSubject.UPSTREAMS),
    _line_rule("watchdog", _C, ProtectionSubject.ANSWERS, for_s=10.0),
    _line_rule("self-test", _C, ProtectionSubject.TEST),
    _line_rule("history-altered", _C, ProtectionSubject.HISTORY),
    _line_rule("lists-very-old", _C, ProtectionSubject.FEED),
    _line_rule("lists-old", _W, ProtectionSubject.FEED),
    AlertRule(
        "partly-protected",
        _W,
        _partly_protected,
        say("what is short, and what to do: sudo filterd doctor"),
        for_s=PARTLY_S,
    ),
    _line_rule("lists-problem", _W, ProtectionSubject.FEED, for_s=FAILS_S),
    _line_rule("version-kept", _W, ProtectionSubject.FEED),
    _line_rule("feed-expires", _W, ProtectionSubject.FEED),
    _line_rule("version-held", _W, ProtectionSubject.FEED),
    _line_rule("program-taken-back", _W, ProtectionSubject.PROGRAM),
    _line_rule("update-waits", _W, ProtectionSubject.PROGRAM),
    _line_rule("upstream-down", _W, ProtectionSubject.UPSTREAMS),
    AlertRule("service-gap", _W, _gap, say("power cut, or see journalctl -u filterd -b -1")),
    _line_rule("disk-full", _W, ProtectionSubject.DISK),
    _line_rule("state-not-written", _W, ProtectionSubject.STATE, for_s=30.0),
    AlertRule("log-not-written", _W, _log_problem, _SEE_STATUS, for_s=120.0),
    AlertRule(
        "log-lost",
        _W,
        _rows_lost,
        say("was the disk full or slow? details: filterd status"),
    ),
    _line_rule("few-lookups", _W, ProtectionSubject.BYPASS, for_s=600.0),
    _line_rule("bypass", _W, ProtectionSubject.BYPASS),
    AlertRule(
        "address-disputed",
        _W,
        _disputes,
        say("one may pretend to be the other: find both at the switch; the guide says how"),
        for_s=DISPUTED_S,
    ),
    _line_rule("tunnel", _W, ProtectionSubject.BYPASS),
    _line_rule("clock", _W, ProtectionSubject.CLOCK, for_s=60.0),
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
    _line_rule("no-backup", _W, ProtectionSubject.BACKUP),
    AlertRule(
        "no-report",
        _W,
        _reports_fail,
        say("is the stick plugged in, can mail be sent? why: filterd status, in the line Reports"),
    ),
    AlertRule(
        "enrolment-ends", _W, _enrolment_ends, say("ask again: filterd fleet enrol --out FILE")
    ),
    _line_rule("expectations", _W, ProtectionSubject.EXPECTATIONS),
    AlertRule(
        "guarded-open",
        _W,
        _guarded,
        say("filterd status says to whom; commands of filterd end by themselves, site.yaml not"),
    ),
    AlertRule("locked-part", _N, _locked_parts, _SEE_STATUS),
    _line_rule("pause", _N, ProtectionSubject.PAUSE),
    AlertRule("full-log", _N, _full_log, say("it ends by itself; or: filterd log level")),
)
"""All rules; ids are an interface."""

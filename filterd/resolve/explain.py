# SPDX-License-Identifier: Apache-2.0
"""Explanations of decisions, as data for people: the output of ``filterd check``.

It calls the same functions as the chain does, in the same order: types that are never
asked, local zones and special-use names, then policy. Aliases, which are known only
from the Internet, are explained by ``explain_answer`` from an answer of the chain
itself. ``explain_past`` explains by the policy and the overrides of a past time; the
lists, and what the network shows of the devices, are those of today.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from filterd.base.errors import ConfigError
from filterd.base.state_file import to_plain
from filterd.policy import policy_file as policy_store
from filterd.policy.field_checks import written_time
from filterd.policy.grade_changes import Changer, Layer
from filterd.policy.model import SERVICE, Client
from filterd.policy.verdict import Action, Rule
from filterd.resolve.explanation import Explanation
from filterd.resolve.links.local import NEVER_ASKED, answer_locally
from filterd.resolve.query import Source
from filterd.resolve.site import Site
from filterd.texts.i18n import did_you_mean, say
from filterd.wire import Rcode, type_to_text
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from filterd.clients.network_view import Surroundings
    from filterd.lists.index import Index
    from filterd.overrides.history.policy_versions import PolicyVersions
    from filterd.overrides.history.store import Store
    from filterd.policy.grade_changes import Dated, GradeChange
    from filterd.policy.temporary_rules import GradeSetting, LocalException
    from filterd.policy.verdict import Match, Verdict
    from filterd.resolve.links.local import LocalAnswer
    from filterd.resolve.query import Answer

NOT_ASKED = "not-asked"
"""The ``reason`` for types that are refused for every name: transfers and the like."""

OPENED_SERVICE = "service"
"""The ``reason`` for names of a service that is open although its category is closed."""
OF_FILES = "files"
"""``changed_by`` where the school's files open a service, not a command."""


def client_of(site: Site, grade: str | None, address: str | None) -> Client | None:
    """Return a question's client: of an address, else a grade or class, else unknown.

    None for an address that is not allowed here.

    Raises:
        ConfigError: the site does not have the class.
    """
    if address is not None:
        return site.identifier.identify(address)
    key = str(grade or site.policy.unknown_grade)
    if key not in site.policy.grades:
        hint = did_you_mean(key, [one.id for one in site.policy.classes])
        raise ConfigError(say("'{wanted}' is not a class of this site", wanted=key), hint=hint)
    return Client(site.policy.grades[key])


def parse_time(text: str, time_zone: str) -> float:
    """Return the Unix time of an ISO 8601 text; ``time_zone`` if it names none.

    Raises:
        ConfigError: it is no time.
    """
    at = written_time(text)
    if at is None:
        raise ConfigError(
            say("'{text}' is not a time", text=text), hint=say("write 2026-12-01T07:30")
        )
    return (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(time_zone))).timestamp()


def explain(site: Site, client: Client, qname: bytes, qtype: int, now: float) -> Explanation:
    """Explain the result for this client and question at Unix time ``now``."""
    if qtype in NEVER_ASKED:
        return _explanation(client, qname, qtype, Action.REFUSE, NOT_ASKED)
    known = answer_locally(site, qname, qtype)
    if known is not None:
        return _explanation(client, qname, qtype, _local_action(known), known.reason)
    verdict = site.engine.decide(client, qname, qtype, now)
    explained = explain_verdict(client, qname, qtype, verdict)
    category = site.policy.categories.get(explained.category or "")
    explained = replace(explained, about=None if category is None else to_plain(category))
    return _with_cause(explained, site, client, verdict)


def _with_cause(
    explained: Explanation, site: Site, client: Client, verdict: Verdict
) -> Explanation:
    """Add the cause that opens or closes the category for a time, and its end."""
    match = verdict.match
    grade = site.timed.policy.grades.get(client.grade.class_id or client.grade.grade)
    if match is None or grade is None:
        return explained
    exam = site.moment.exams.get(client.network or "") if client.grade.exam else None
    if match.rule is Rule.ALLOW_ONLY and exam is not None:
        until = _sooner(verdict.valid_until, exam.ends_at)
        return replace(explained, note=exam.reason or None, valid_until=_iso(until))
    mine = [one for one in site.moment.changes if one.change.concerns(client)]
    cause: Dated | None = None
    if match.rule is Rule.ALLOW_ONLY:
        cause = next((one for one in reversed(mine) if one.holds and one.change.closes_tier), None)
    elif match.rule in (Rule.CATEGORY, Rule.OPEN) or _is_of_service(match):
        changer, opens = Changer(site.timed.policy), not match.blocks
        cause = changer.cause(grade, mine, match.category, match.list_id, opens=opens)
        if cause is None and _is_of_service(match):
            return replace(explained, changed_by=OF_FILES)
    if cause is None:
        return explained
    change = cause.change
    return replace(
        explained,
        changed_by=f"{change.layer.name.lower()}:{change.source}",
        note=_reason_of(change, site) or explained.note,
        valid_until=_iso(_sooner(verdict.valid_until, cause.span.until)),
    )


def _reason_of(change: GradeChange, site: Site) -> str:
    """Return the reason that was given for opening or closing a category."""
    if change.layer is Layer.SCHEDULE:
        return ""
    things: Iterable[GradeSetting | LocalException]
    things = (*site.timed.overrides.grades, *site.timed.overrides.exceptions)
    return next((thing.reason for thing in things if str(thing.id) == change.source), "")


def _sooner(at: float | None, edge: float) -> float | None:
    sooner = min(inf if at is None else at, edge)
    return None if sooner == inf else sooner


def explain_answer(
    client: Client, qname: bytes, qtype: int, answer: Answer, expected: Explanation
) -> Explanation:
    """Explain an answer of the chain where it shows more than policy alone could."""
    if answer.source is not Source.BLOCKED or answer.verdict is None or expected.blocked:
        return expected
    reason = "alias" if answer.verdict.match else "private-answer"
    return explain_verdict(client, qname, qtype, answer.verdict, reason=reason)


def explain_verdict(
    client: Client, qname: bytes, qtype: int, verdict: Verdict, *, reason: str = ""
) -> Explanation:
    """Return the explanation of a verdict."""
    match = verdict.match
    if verdict.target:
        reason = "rewritten"
    return _explanation(
        client,
        qname,
        qtype,
        verdict.action,
        reason or (_label(match) if match else "not-listed"),
        **(_provenance(match) if match else {}),
        valid_until=_iso(verdict.valid_until),
        rewritten_to=names.to_text(verdict.target) if verdict.target else None,
        next_match=_next(verdict.next_match),
    )


def _explanation(
    client: Client, qname: bytes, qtype: int, action: Action, reason: str, **provenance: Any
) -> Explanation:
    return Explanation(
        qname=names.to_text(qname),
        qtype=type_to_text(qtype),
        client=client.address,
        mac=client.mac,
        network=client.network,
        grade=client.grade.grade,
        tier=client.grade.tier,
        class_id=client.grade.class_id or None,
        action=action.value,
        reason=str(reason),
        **provenance,
    )


def _local_action(answer: LocalAnswer) -> Action:
    if answer.rcode == Rcode.NXDOMAIN:
        return Action.NXDOMAIN
    return Action.PASS if answer.records else Action.NODATA


def _provenance(match: Match) -> dict[str, Any]:
    return {
        # A rule for all names, such as an exam, gives none.
        "matched": None if match.name == names.ROOT else names.to_text(match.name),
        "category": match.category or None,
        "list": match.list_id or None,
        "entry": match.entry or match.local_id or None,
        "line": match.line or None,
        "note": match.reason or None,
    }


def _next(match: Match | None) -> dict[str, Any] | None:
    if match is None:
        return None
    return {"reason": _label(match), "blocks": match.blocks, **_provenance(match)}


def _label(match: Match) -> str:
    return OPENED_SERVICE if _is_of_service(match) else match.rule.label


def _is_of_service(match: Match) -> bool:
    """Return whether a match is that of a service which is open in a closed category."""
    return match.rule is Rule.LIST_EXCEPTION and match.list_id.startswith(SERVICE)


def _iso(at: float | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat()


class PastState(NamedTuple):
    """The recorded history, and the present lists and devices, which are not recorded."""

    versions: PolicyVersions
    store: Store
    lists: Index
    surroundings: Surroundings | None = None


class PastQuestion(NamedTuple):
    """A question about the past: for a grade or an address, at Unix time ``when``.

    ``shown`` is that time as the school's clock showed it.
    """

    qname: bytes
    qtype: int
    grade: str | None
    address: str | None
    when: float
    shown: str


def explain_past(past: PastState, asked: PastQuestion) -> Explanation | None:
    """Explain a past result for a client; None for an address that was not allowed.

    Raises:
        ConfigError: the policy of that time is not known.
        StoreError: it cannot be read.
    """
    version, overrides = past.versions.at(asked.when), past.store.at(asked.when)
    if version is None or overrides is None:
        hint = say("`filterd policy history` shows from when it is")
        raise ConfigError(say("the policy of {time} is not known", time=asked.shown), hint=hint)
    policy = policy_store.load(version.path)
    site = Site.of(policy, past.lists, (), past.surroundings, overrides, asked.when)
    client = client_of(site, asked.grade, asked.address)
    if client is None:
        return None
    explained = explain(site, client, asked.qname, asked.qtype, asked.when)
    return replace(explained, source="history")

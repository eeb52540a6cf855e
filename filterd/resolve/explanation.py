# SPDX-License-Identifier: Apache-2.0
"""An explanation of one decision: its fields, and how they are worded for people.

It imports little: a command for which the daemon explains draws it, too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from filterd import words
from filterd.clients.leases import is_random
from filterd.i18n import say
from filterd.policy.verdict import REASON, Action
from filterd.rows import Column, Details, Row, Wording


@dataclass(frozen=True, slots=True)
class Explanation:
    """One decision with its provenance, from the client to the entry.

    ``reason`` is a stable word: a ``Rule`` label, ``service`` (an opened one in a closed
    category), ``not-listed``, ``not-asked``, ``local-zone``, ``lease``, ``alias``,
    ``private-answer``, ``rewritten`` (by the safe-search twin ``rewritten_to``) or a
    ``SpecialReason``; ``note`` is the comment of the site or the publisher on the rule.
    ``matched`` is the name in the rule.
    ``changed_by`` is what opens or closes its category for a time, such as
    ``schedule:gio-hoc``, ``setting:3`` or ``exception:7``; ``files`` where ``services:
    {allow:}`` of site.yaml or a tier opens it. ``valid_until`` is ISO 8601
    in UTC. ``source`` names the origin: ``daemon``, ``offline`` or, for the past,
    ``history``.
    """

    qname: str
    qtype: str
    client: str | None
    mac: str | None
    network: str | None
    grade: str
    tier: str
    action: str
    reason: str
    matched: str | None = None
    category: str | None = None
    list: str | None = None
    entry: str | None = None
    line: int | None = None
    note: str | None = None
    changed_by: str | None = None
    valid_until: str | None = None
    rewritten_to: str | None = None
    next_match: dict[str, Any] | None = None
    source: str = "offline"
    class_id: str | None = None

    @property
    def blocked(self) -> bool:
        """Whether the name is blocked for the client."""
        return not passes(self.action)

    def to_plain(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        plain = asdict(self)
        plain["class"] = plain.pop("class_id")
        return plain


def passes(action: str) -> bool:
    """Return whether an action lets the name pass, perhaps as its safe-search twin."""
    return action in (Action.PASS, Action.REWRITE)


def _answer(row: Row, by: Wording) -> str:
    return f"{by.texts('PASSES' if passes(row['action']) else 'BLOCKED')} ({row['action']})"


def _list(row: Row, by: Wording) -> str:
    return row["list"] and by.texts("{list}, line {line}", list=row["list"], line=row["line"])


def _mac(mac: str | None, by: Wording) -> str | None:
    if mac and is_random(mac):
        return by.texts("{mac} (randomised by the device, may change)", mac=mac)
    return mac


def _network(row: Row, by: Wording) -> str | None:
    """Return the network; nothing where no device asks."""
    return row["network"] or (row["client"] and by.texts("unknown"))


def _until(time: str | None, by: Wording) -> str:
    return by.clock.told(None if time is None else datetime.fromisoformat(time).timestamp())


def _set_by(row: Row, by: Wording) -> str | None:
    set_by: str | None = row.get("changed_by")
    return by.texts("the site's files (services: allow)") if set_by == "files" else set_by


def _without(row: Row, by: Wording) -> str:
    """Return what would hold if the entry were not there."""
    match = row["next_match"]
    if match is None:
        is_last = row["action"] != "pass" and row["entry"]
        return by.texts("no other rule: passes") if is_last else ""
    parts = (by.texts.word(REASON, match["reason"]), match["category"], match["list"])
    what = ", ".join(filter(None, parts))
    return by.texts("still blocked: {what}" if match["blocks"] else "passes: {what}", what=what)


EXPLANATION = Details(
    (
        Column(say("Question"), worded=lambda row, _: f"{row['qname']} {row['qtype']}"),
        Column(
            say("Answer"),
            worded=_answer,
            style=lambda row: "bold green" if passes(row["action"]) else "bold red",
        ),
        Column(say("Because"), "reason", REASON),
        Column(say("Answered by"), "rewritten_to"),
        Column(say("Category"), "category"),
        Column(say("Matched name"), "matched"),
        Column(say("List"), worded=_list),
        Column(say("Entry"), "entry"),
        Column(say("Set by"), worded=_set_by),
        Column(say("Note"), "note"),
        Column(say("Client"), "client"),
        Column(say("MAC"), "mac", _mac),
        Column(say("Network"), worded=_network),
        Column(say("Class"), worded=lambda row, _: row.get("class")),
        Column(say("Grade"), "grade"),
        Column(say("Tier"), "tier", words.TIER),
        Column(say("Valid until"), "valid_until", _until),
        Column(say("Without it"), worded=_without),
        Column(say("Asked"), "source", words.SOURCE),
    )
)

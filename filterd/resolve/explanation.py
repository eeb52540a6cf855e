# SPDX-License-Identifier: Apache-2.0
"""An explanation of one decision: its fields, and how they are worded for people.

It imports little: a command for which the daemon explains draws it, too.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from shlex import quote
from typing import Any

from filterd.base.addresses import is_random
from filterd.base.value_class import frozen
from filterd.policy.verdict import REASON, Action
from filterd.texts import words
from filterd.texts.i18n import say
from filterd.texts.rows import Column, Details, Row, Wording


@frozen
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
    ``history``. ``about`` is the category, as plain data.
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
    about: dict[str, Any] | None = None

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


def _category(row: Row, by: Wording) -> str | None:
    about, category = row.get("about"), row["category"]
    return f"{category}: {about[f'name_{by.texts.language}']}" if about else category


def _rating(row: Row, by: Wording) -> str:
    about = row.get("about") or {}
    age = about.get("min_age")
    parts = (about.get("rating"), age and by.texts("from age {age}", age=age))
    return ", ".join(filter(None, parts))


def _legal_basis(row: Row, _: Wording) -> str:
    return "\n".join((row.get("about") or {}).get("legal_basis") or ())


_MAY_BE_BLOCKED = ("not-listed", "open", "service", "list-exception", "protected", "rewritten")
_MAY_BE_ALLOWED = ("category", "alias", "allow-only")
_NO_COMMAND = {
    "ordered": say("a legal order: no one at a school can open it"),
    "locked": say("if the list is mistaken: {command}"),
    "kept-closed": say("see `keep_closed` in site.yaml"),
    "private-answer": say("see `private_answers` in site.yaml"),
}


def _next_step(row: Row, by: Wording) -> str:
    """Return the command that changes the answer, or why there is none.

    It is "" for no advice.
    """
    reason = row["reason"]
    if row["source"] == "history":
        return ""
    if reason == "local":
        kind, _, number = row["entry"].partition(":")
        is_set = kind == "exception"
        return f"filterd exceptions revoke {number}" if is_set else by.texts("edit the site's file")
    if passes(row["action"]):
        return _command("block", row["qname"], row) if may_be_closed(row) else ""
    if reason == "allow-only" and not row.get("changed_by"):
        return "filterd exam stop"
    if targets := targets_to_open(row):
        return _command("allow", targets[0], row)
    about = row.get("about") or {}
    if about.get("ordered"):
        reason = "ordered"
    elif reason == "locked" and about and not about["locked"]:
        reason = "kept-closed"
    command = f'filterd report-mistake {row["matched"]} --reason "..."'
    return by.texts(_NO_COMMAND[reason], command=command) if reason in _NO_COMMAND else ""


def targets_to_open(row: Row) -> list[str]:
    """Return the targets that open a blocked name: its service, then the name.

    Empty where it is open, or where no exception opens it.
    """
    reason = row["reason"]
    if passes(row["action"]) or reason not in _MAY_BE_ALLOWED:
        return []
    if reason == "allow-only" and not row.get("changed_by"):
        return []  # an exam
    lists = (row["list"], (row["next_match"] or {}).get("list"))
    services = [one for one in lists if one and one.startswith("service:")]
    return [*dict.fromkeys(services), row["qname"]]


def may_be_closed(row: Row) -> bool:
    """Return whether a name is open, and a block would close it."""
    return passes(row["action"]) and row["reason"] in _MAY_BE_BLOCKED


def _command(verb: str, target: str, row: Row) -> str:
    """Return a command for the client of a question, to be copied."""
    key = next(one for one in ("client", "class", "grade") if row.get(one))
    whom = f"--{key} {quote(row[key])}"
    return f'filterd {verb} {target} {whom} --for 45m --reason "..."'


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
    return by.clock.text(None if time is None else datetime.fromisoformat(time).timestamp())


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
        Column(say("At"), worded=lambda row, by: _until(row.get("at"), by)),
        Column(
            say("Answer"),
            worded=_answer,
            style=lambda row: "bold green" if passes(row["action"]) else "bold red",
        ),
        Column(say("Because"), "reason", REASON),
        Column(say("Answered by"), "rewritten_to"),
        Column(say("Category"), worded=_category),
        Column(say("Rating"), worded=_rating),
        Column(say("Legal basis"), worded=_legal_basis),
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
        Column(say("To change it"), worded=_next_step, style="bold"),
        Column(say("Asked"), "source", words.SOURCE),
    )
)

# SPDX-License-Identifier: Apache-2.0
"""Grades for people: states of categories and services, differences, rows."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.base.state_file import to_plain
from filterd.policy import model
from filterd.policy.model import GRADES, LocalRule
from filterd.texts import words
from filterd.texts.i18n import UNSAID, quoted, say
from filterd.texts.rows import Column, Details, Listing, Row, Wording
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from filterd.policy.model import Client, GradePolicy, Policy, Service
    from filterd.texts.i18n import Texts


OPEN, CLOSED, LOCKED = "open", "closed", "locked"

_SETTINGS = {
    "block_response": "response",
    "safe_search": "safe_search",
    "youtube": "youtube",
    "client_ttl_max_s": "client_ttl_max_s",
    "strip_ech": "strip_ech",
}
"""Keys of the tier files, and the fields that they set."""


class Difference(NamedTuple):
    """One difference.

    ``kind`` is ``category``, ``service``, ``setting`` or ``rule``; ``before`` and
    ``after`` are the state of it, a value, or "" where there is no such thing.
    """

    kind: str
    target: str
    before: str
    after: str


def differences(
    before: Policy, grade: GradePolicy, after: Policy, other: GradePolicy
) -> tuple[Difference, ...]:
    """Return the differences between two grades, of one policy or of two."""
    pairs = [
        ("category", _categories(before, grade, after), _categories(after, other, before)),
        ("service", _services(before, grade), _services(after, other)),
        ("setting", _settings(grade), _settings(other)),
    ]
    return tuple(one for kind, old, new in pairs for one in _between(kind, old, new))


def rule_differences(before: Policy, after: Policy) -> tuple[Difference, ...]:
    """Return the names that one policy's files allow or block and another's do not."""
    return tuple(_between("rule", _rules(before), _rules(after)))


def state_of(policy: Policy, grade: GradePolicy, category: str) -> str:
    """Return the state of a category for a grade: open, closed, or locked."""
    known = policy.categories[category]
    if known.locked or known.ordered:
        return LOCKED
    if category not in grade.closed:
        return OPEN
    return LOCKED if category in policy.kept_closed else CLOSED


def state_of_service(policy: Policy, grade: GradePolicy, service: str) -> str:
    """Return the state of a service for a grade: open, closed, or locked."""
    own_id, group = model.SERVICE + service, policy.services[service].group
    of_group = state_of(policy, grade, group) if group in policy.categories else OPEN
    if of_group == LOCKED:
        return LOCKED
    if own_id in grade.closed:
        return LOCKED if own_id in policy.kept_closed else CLOSED
    return OPEN if own_id in grade.opened else of_group


def as_told(policy: Policy, now: float) -> Policy:
    """Return a policy in which rules of all names of a service decide on the service.

    An exception of a service is rules of its names: nothing of it stands in its grades.

    Args:
        policy: an effective one.
        now: Unix time at which the rules hold.
    """
    held = dict[bytes, list[LocalRule]]()
    for rule in policy.rules:
        if not rule.exam and (rule.starts_at or 0.0) <= now < (rule.ends_at or inf):
            held.setdefault(rule.name, []).append(rule)
    if not held:
        return policy
    grades = {key: _with_services(policy, grade, held) for key, grade in policy.grades.items()}
    return replace(policy, grades=grades)


def _with_services(
    policy: Policy, grade: GradePolicy, held: Mapping[bytes, Sequence[LocalRule]]
) -> GradePolicy:
    opened, closed, client = set(grade.opened), set(grade.closed), model.Client(grade)
    for service in policy.services.values():
        own_id = model.SERVICE + service.id
        if own_id in policy.kept_closed or not all(name in held for name in service.names):
            continue
        outcomes = {_outcome(held[name], client) for name in service.names}
        if outcomes == {True}:
            opened.add(own_id)
            closed.discard(own_id)
        elif outcomes == {False}:
            closed.add(own_id)
    return replace(grade, opened=frozenset(opened), closed=frozenset(closed))


def _outcome(rules: Sequence[LocalRule], client: Client) -> bool | None:
    """Return what the narrowest rule says, a block before an allow; None for none."""
    mine = [rule for rule in rules if client.is_meant_by(rule)]
    narrow = [*model.Audience]
    first = max(mine, key=lambda one: (narrow.index(one.audience), not one.allow), default=None)
    return None if first is None else first.allow


def _between(kind: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    every = dict.fromkeys((*before, *after))
    found = (Difference(kind, one, before.get(one, ""), after.get(one, "")) for one in every)
    return [one for one in found if one.before != one.after]


def _categories(policy: Policy, grade: GradePolicy, other: Policy) -> dict[str, str]:
    """Return the states of categories; a part that only ``other`` has is as its whole."""
    found = {category: state_of(policy, grade, category) for category in policy.categories}
    parts = (category for category in other.categories.values() if category.part_of in found)
    return {part.id: found[part.part_of] for part in parts} | found


def _services(policy: Policy, grade: GradePolicy) -> dict[str, str]:
    """Return the services whose state differs from their category's."""
    found = {}
    for one, service in policy.services.items():
        if service.group in policy.categories:
            state = state_of_service(policy, grade, one)
            found[one] = state if state != state_of(policy, grade, service.group) else ""
    return found


def _settings(grade: GradePolicy) -> dict[str, str]:
    return {key: str(getattr(grade, field)) for key, field in _SETTINGS.items()}


def _rules(policy: Policy) -> dict[str, str]:
    return {
        f"{names.to_text(rule.name)} ({rule.whom or rule.audience.value})": (
            "allow" if rule.allow else "block"
        )
        for rule in policy.rules
    }


def ranges(grades: Sequence[str]) -> list[str]:
    """Return grades as people write them: ``1-5``, ``staff``."""
    found: list[list[str]] = []
    for grade in grades:
        if found and grade.isdecimal() and found[-1][-1] == str(int(grade) - 1):
            found[-1] = [found[-1][0], grade]
        else:
            found.append([grade])
    return ["-".join(one) for one in found]


def grades_text(texts: Texts, grades: Sequence[str]) -> str:
    """Return grades in as few words as they need: ``preschool, 1-5, guest``."""
    if set(grades) == set(GRADES):
        return texts("everybody")
    if set(grades) == set(GRADES) - {"staff"}:
        return texts("everybody but staff")
    return ", ".join(texts.word(words.TIER, one) for one in ranges(grades))


def grade_row(policy: Policy, grade: GradePolicy) -> dict[str, Any]:
    """Return a grade with its settings, and what it may use."""
    return {
        "grade": grade.grade,
        "tier": grade.tier,
        "age": grade.age,
        "block_response": grade.response.value,
        "safe_search": grade.safe_search,
        "youtube": grade.youtube,
        "client_ttl_max": grade.client_ttl_max_s,
        **({"class": grade.class_id} if grade.class_id else {}),
        "networks": [network.id for network in policy.networks if network.grade == grade.key],
        "unknown_clients": grade.key == policy.unknown_grade,
        "categories": {
            category: state_of(policy, grade, category) for category in policy.categories
        },
        "services": {
            service: state_of_service(policy, grade, service) for service in policy.services
        },
    }


def network_rows(policy: Policy) -> list[Row]:
    """Return the grades and classes with the ranges of their networks."""
    return [
        {
            "grade": grade.key,
            "tier": grade.tier,
            "networks": [
                f"{network.id} {' '.join((*network.cidrs, *network.interfaces))}"
                for network in policy.networks
                if network.grade == grade.key
            ],
            "unknown_clients": grade.key == policy.unknown_grade,
        }
        for grade in policy.grades.values()
    ]


def category_rows(policy: Policy, grade: GradePolicy) -> list[Row]:
    """Return the categories, each with its state for a grade."""
    every = policy.categories.values()
    return [{**to_plain(one), "state": state_of(policy, grade, one.id)} for one in every]


def service_group_rows(policy: Policy, grade: GradePolicy) -> list[Row]:
    """Return each category that has services, with those open and closed to a grade."""
    groups: dict[str, dict[str, list[str]]] = {}
    for service in policy.services.values():
        states = groups.setdefault(service.group, {OPEN: [], CLOSED: []})
        is_open = state_of_service(policy, grade, service.id) == OPEN
        states[OPEN if is_open else CLOSED].append(service.id)
    return [{"group": group, **states} for group, states in groups.items()]


def service_row(policy: Policy, grade: GradePolicy, service: Service) -> Row:
    """Return a service and its state for a grade."""
    state = state_of_service(policy, grade, service.id)
    return {**to_plain(service), "state": state}


def whole_service_row(policy: Policy, service: Service) -> dict[str, Any]:
    """Return a service with its names, and its state for every grade."""
    grades = ((grade, policy.grades[grade]) for grade in GRADES)
    return {
        "id": service.id,
        "name_vi": service.name_vi,
        "name_en": service.name_en,
        "group": service.group,
        "min_age": service.min_age,
        "terms_date": service.terms_date,
        "note_vi": service.note_vi,
        "note_en": service.note_en,
        "names": [names.to_text(name) for name in service.names],
        "grades": {id_: state_of_service(policy, one, service.id) for id_, one in grades},
    }


def ids(policy: Policy) -> dict[str, list[str]]:
    """Return the ids that commands take, by kind."""
    of_grades = {grade.grade for grade in policy.grades.values()}
    tiers = {grade.tier: None for grade in policy.grades.values()}
    return {
        "grades": [one for one in GRADES if one in of_grades],
        "tiers": [*tiers],
        "classes": [one.id for one in policy.classes],
        "rooms": [network.id for network in policy.networks if network.room],
        "networks": [network.id for network in policy.networks],
        "services": [*policy.services],
        "categories": [*policy.categories],
    }


def difference_listing(left: str, right: str) -> Listing:
    """Return the columns of differences, each with the ``grades`` that have it.

    Args:
        left: the heading of ``before``.
        right: the heading of ``after``.
    """
    return Listing(
        say("Differences"),
        say("No difference."),
        (
            Column(say("Item"), worded=_item),
            Column(quoted(left), worded=lambda row, by: _value(row, row["before"], by)),
            Column(quoted(right), worded=lambda row, by: _value(row, row["after"], by)),
            Column(say("Grades"), "grades", lambda grades, _: ", ".join(ranges(grades))),
        ),
        is_whole=False,
    )


def _item(row: Row, _: Wording) -> str:
    is_plain = row["kind"] in ("category", "setting")
    return row["target"] if is_plain else f"{row['kind']}:{row['target']}"


def _value(row: Row, value: str, by: Wording) -> str:
    if value:
        return by.texts.word(words.ACCESS, value)
    return by.texts("as its category") if row["kind"] == "service" else "-"


def _name(thing: Row, by: Wording) -> str:
    return str(thing["name_vi" if by.texts.language == "vi" else "name_en"])


def _note(thing: Row, by: Wording) -> str:
    return str(thing["note_vi" if by.texts.language == "vi" else "note_en"])


def _open_to(states: Row, by: Wording) -> str:
    may = [grade for grade, state in states.items() if state == OPEN]
    return ", ".join(ranges(may)) or by.texts("no one")


def _folded(row: Row, by: Wording) -> str:
    """Return how many services are open and closed, with the names of the fewer."""
    few, many = sorted((OPEN, CLOSED), key=lambda state: len(row[state]))
    parts = [by.texts(_COUNTED[many], n=len(row[many]))]
    if row[few]:
        names_ = ", ".join(sorted(row[few]))
        parts.append(f"{by.texts(_COUNTED[few], n=len(row[few]))}: {names_}")
    return ", ".join(parts)


_COUNTED = {OPEN: say("{n} open"), CLOSED: say("{n} closed")}
_AGE = Column(say("From age"), "min_age", is_number=True)
_STATE = Column(
    say("State"), "state", words.ACCESS, style={OPEN: "green", CLOSED: "yellow", LOCKED: "red"}
)
_NAME = Column(UNSAID, worded=_name, style="dim")
_GROUP = Column(say("Category"), "group")


def _title(row: Row, by: Wording) -> str:
    of = {"grade": row["grade"], "tier": words.TIER[row["tier"]], "age": row["age"]}
    if not row.get("class"):
        return by.texts("Grade {grade}: {tier}, age {age}", **of)
    return by.texts(
        "Class {class_id}, grade {grade}: {tier}, age {age}", class_id=row["class"], **of
    )


GRADE = Details(
    (
        Column(say("Blocked names get"), "block_response"),
        Column(say("Safe search"), "safe_search", words.SAFE_SEARCH),
        Column(say("YouTube"), "youtube", words.YOUTUBE),
    ),
    _title,
)
"""Of ``grade_row``."""
CATEGORIES = Listing(
    UNSAID,
    UNSAID,
    (_GROUP._replace(key="id"), _NAME, _AGE, _STATE),
    is_whole=False,
)
SERVICE_GROUPS = Listing(
    UNSAID,
    UNSAID,
    (_GROUP, Column(say("Services"), worded=_folded)),
)
"""Of ``service_group_rows``."""
SERVICES = Listing(
    UNSAID,
    UNSAID,
    (Column(say("Service"), "id"), _NAME, _GROUP, _AGE, _STATE),
    is_whole=False,
)
SERVICE = Details(
    (
        _GROUP,
        _AGE,
        Column(say("By its terms of"), "terms_date"),
        Column(say("Note"), worded=_note),
        Column(say("Open now to"), "grades", _open_to),
        Column(say("Domain names"), "names", lambda lines, _: "\n".join(lines)),
    ),
    lambda row, by: f"{row['id']}: {_name(row, by)}",
)
NETWORKS = (
    Column(say("Grade"), "grade"),
    Column(say("Network"), "networks", lambda lines, _: ", ".join(lines), style="dim"),
    Column(
        UNSAID, "unknown_clients", lambda is_so, by: by.texts("(unknown clients)") if is_so else ""
    ),
)
"""Of ``network_rows``."""

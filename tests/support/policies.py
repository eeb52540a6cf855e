# SPDX-License-Identifier: Apache-2.0
"""Policies, indexes and clients for tests, each in one line.

There is one category of each kind. Indexes are real: the text of lists goes through
the parsers and the compiler. Names are written as text here, because people read tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.config.tiers import AGE_OF_GRADE
from filterd.lists.compiler import compile_lists
from filterd.lists.index import Index
from filterd.lists.lookalikes import LookalikeRule
from filterd.lists.rules import ListSource, Pin, Protection
from filterd.policy.engine import Engine
from filterd.policy.model import (
    GRADES,
    TIER_OF_GRADE,
    Audience,
    BlockResponse,
    Category,
    Client,
    DelegatedZone,
    GradePolicy,
    LocalRule,
    LocalZone,
    Network,
    Policy,
    UpstreamServer,
)
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path
    from typing import TypeAlias

    ListTexts: TypeAlias = Mapping[str, tuple[str, str, bool, list[str]]]
    """By list id: category, format, whether it is the publisher's own, lines."""

NOW = 1_764_570_600.0
"""The moment at which tests decide: 2025-12-01 06:30 UTC."""


def a_category(
    category_id: str,
    min_age: int | None = None,
    *,
    locked: bool = False,
    ordered: bool = False,
    security: bool = False,
    sinkhole: bool = True,
) -> Category:
    """Return a category whose Vietnamese and English names are its id."""
    names = (category_id, category_id, category_id)
    return Category(*names, min_age, locked, ordered, security, sinkhole)


CATEGORIES = {
    category.id: category
    for category in (
        a_category("law-ordered", ordered=True, locked=True),
        a_category("porn", 18, locked=True),
        a_category("malware", locked=True, security=True),
        a_category("social-media", 13),
        a_category("games", 12),
        a_category("ads-trackers"),
    )
}
"""Ordered, locked, dangerous, closed by age to some, and open to everybody."""


def wire(text: str) -> bytes:
    """Return the wire name of a text."""
    return names.from_text(text)


def a_grade(
    grade: str = "6",
    *,
    categories: Mapping[str, Category] = CATEGORIES,
    also_closed: Collection[str] = (),
    response: BlockResponse = BlockResponse.NXDOMAIN,
) -> GradePolicy:
    """Return a grade to which locked categories and those above its age are closed."""
    age = AGE_OF_GRADE[grade]
    by_age = {c.id for c in categories.values() if c.locked or (c.min_age or 0) > age}
    return GradePolicy(
        grade, TIER_OF_GRADE[grade], age, frozenset(by_age) | frozenset(also_closed), response
    )


def a_policy(
    *,
    rules: Iterable[LocalRule] = (),
    pins: Iterable[Pin] = (),
    protections: Iterable[Protection] = (),
    networks: Iterable[Network] = (),
    local_zones: Iterable[LocalZone] = (),
    delegated_zones: Iterable[DelegatedZone] = (),
    upstreams: Iterable[UpstreamServer] = (UpstreamServer("192.0.2.53"),),
    allow_from: Iterable[str] = ("127.0.0.0/8", "::1/128"),
    top_level: Iterable[str] = (),
    unknown_grade: str = "preschool",
    categories: Mapping[str, Category] = CATEGORIES,
    also_closed: Collection[str] = (),
    response: BlockResponse = BlockResponse.NXDOMAIN,
) -> Policy:
    """Return a school's policy; ``also_closed`` and ``response`` hold for all of its grades."""
    return Policy(
        school="Trường mẫu",
        time_zone="Asia/Ho_Chi_Minh",
        language="vi",
        listen=(),
        allow_from=tuple(allow_from),
        upstreams=tuple(upstreams),
        local_zones=tuple(local_zones),
        delegated_zones=tuple(delegated_zones),
        categories=dict(categories),
        grades={
            grade: a_grade(grade, categories=categories, also_closed=also_closed, response=response)
            for grade in GRADES
        },
        unknown_grade=unknown_grade,
        networks=tuple(networks),
        rules=tuple(rules),
        pins=tuple(pins),
        protections=tuple(protections),
        top_level=tuple(map(wire, top_level)),
    )


def a_pin(name: str, *, subtree: bool = False) -> Pin:
    """Return a pin of this name."""
    return Pin(wire(name), subtree, "pinned for a test")


def a_protection(name: str, *, subtree: bool = True, but: Collection[str] = ()) -> Protection:
    """Return a protection of this name, ``but`` not against these categories."""
    return Protection(wire(name), subtree, "protected for a test", frozenset(but))


def allow(
    name: str,
    audience: Audience = Audience.EVERYBODY,
    whom: str = "",
    *,
    starts_at: float | None = None,
    ends_at: float | None = None,
) -> LocalRule:
    """Return a local allow; its id describes it."""
    return _rule(name, audience, whom, (starts_at, ends_at), is_allow=True)


def block(
    name: str,
    audience: Audience = Audience.EVERYBODY,
    whom: str = "",
    *,
    starts_at: float | None = None,
    ends_at: float | None = None,
) -> LocalRule:
    """Return a local block; its id describes it."""
    return _rule(name, audience, whom, (starts_at, ends_at), is_allow=False)


def _rule(
    name: str,
    audience: Audience,
    whom: str,
    edges: tuple[float | None, float | None],
    *,
    is_allow: bool,
) -> LocalRule:
    verb = "allow" if is_allow else "block"
    return LocalRule(
        id=f"{verb} {name} for {whom or audience.value}",
        name=wire(name),
        allow=is_allow,
        audience=audience,
        whom=whom,
        reason=f"{verb}ed for a test",
        starts_at=edges[0],
        ends_at=edges[1],
    )


def an_index(
    folder: Path,
    lists: ListTexts,
    *,
    pins: Iterable[Pin] = (),
    protections: Iterable[Protection] = (),
    lookalikes: Mapping[str, Iterable[str]] | None = None,
) -> Index:
    """Compile lists in ``folder`` and open the index.

    Args:
        folder: where the lists and the index are written.
        lists: by list id: category, format, own, lines.
        pins: what no list may name.
        protections: what lists of third parties may not name.
        lookalikes: shapes by category, of up to three digits, beneath ``example`` and ``com``.
    """
    sources = list(_families(lookalikes or {}))
    for list_id, (category, list_format, own, lines) in lists.items():
        path = folder / f"{list_id}.txt"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        sources.append(ListSource(list_id, category, list_format, str(path), own))
    target = folder / "index"
    compile_lists(sources, pins=pins, protections=protections, target=target, now=NOW)
    return Index.open(target)


def _families(lookalikes: Mapping[str, Iterable[str]]) -> Iterator[ListSource]:
    beneath = frozenset((wire("example"), wire("com")))
    for category, shapes in lookalikes.items():
        rules = tuple(
            LookalikeRule(shape.encode(), 3, beneath, line) for line, shape in enumerate(shapes, 1)
        )
        list_id = f"lookalike:{category}"
        yield ListSource(list_id, category, "domains", "", names=(), lookalikes=rules)


def an_engine(folder: Path, lists: ListTexts, policy: Policy) -> Engine:
    """Join a policy and lists; the policy's pins and protections guard the lists, too."""
    index = an_index(folder, lists, pins=policy.pins, protections=policy.protections)
    return Engine(policy, index)


def a_client(
    policy: Policy, grade: str = "6", network: str | None = None, address: str | None = None
) -> Client:
    """Return a client of this grade; grade 6 is eleven years old."""
    return Client(policy.grades[grade], network, address)

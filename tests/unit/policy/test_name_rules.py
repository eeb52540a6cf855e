# SPDX-License-Identifier: Apache-2.0
"""Rules of site and publisher by name: audience, order, end."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import pytest

from filterd.lists.rules import Pin, Protection, SafeSearchRewrite
from filterd.policy.model import Audience, Client, LocalZone, Service
from filterd.policy.name_rules import NO_RULES, FileRules, Overlay
from filterd.policy.plain_sets import touched
from filterd.policy.verdict import Rule
from filterd.wire import name as names
from tests.support.policies import (
    NOW,
    a_client,
    a_grade,
    a_pin,
    a_policy,
    a_protection,
    allow,
    block,
    wire,
)

if TYPE_CHECKING:
    from filterd.policy.model import LocalRule, Policy

PUPIL = Client(a_grade("6"), network="lab", address="192.0.2.6")

RANKED = [
    block("www.site.example", Audience.CLIENT, "192.0.2.6"),
    allow("www.site.example", Audience.CLIENT, "192.0.2.6"),
    block("www.site.example", Audience.NETWORK, "lab"),
    allow("www.site.example", Audience.NETWORK, "lab"),
    allow("www.site.example", Audience.GRADE, "6"),
    allow("www.site.example", Audience.TIER, "lower-secondary"),
    block("www.site.example"),
    allow("www.site.example"),
    block("site.example", Audience.CLIENT, "192.0.2.6"),
    allow("site.example", Audience.GRADE, "6"),
    block("site.example"),
    allow("example"),
]
"""Rules for one name in the order in which they outrank each other."""


def _local(policy: Policy, name: str, client: Client = PUPIL) -> list[str]:
    said = Overlay(policy).lookup(wire(name))
    return [speaker.match.local_id for speaker in said.rules(client, NOW)]


@pytest.mark.parametrize("pair", list(permutations(RANKED, 2)))
def test_of_two_rules_the_longer_name_then_the_narrower_audience_then_the_block(
    pair: tuple[LocalRule, LocalRule],
) -> None:
    first = min(pair, key=RANKED.index)
    assert _local(a_policy(rules=pair), "www.site.example")[0] == first.id


def test_rules_hold_at_and_beneath_their_name() -> None:
    policy = a_policy(rules=[allow("site.example")])
    spoken = [bool(_local(policy, n)) for n in ("site.example", "a.b.site.example", "example")]
    assert spoken == [True, True, False]
    assert not _local(policy, "another-site.example")


def test_rules_for_others_and_out_of_time_are_not_heard() -> None:
    policy = a_policy(
        rules=[
            allow("site.example", Audience.GRADE, "7"),
            allow("site.example", Audience.NETWORK, "office"),
            allow("site.example", ends_at=NOW),
            allow("site.example", starts_at=NOW + 1),
        ]
    )
    assert _local(policy, "site.example") == []


def test_equal_rules_speak_in_the_order_of_the_file() -> None:
    rules = [allow("site.example", ends_at=NOW + 2), allow("site.example", ends_at=NOW + 1)]
    assert _local(a_policy(rules=rules), "site.example") == [rule.id for rule in rules]


@pytest.mark.parametrize(
    ("guard", "at_self", "beneath"),
    [
        (a_pin("site.example"), True, False),
        (a_pin("site.example", subtree=True), True, True),
        (a_protection("site.example"), True, True),
        (a_protection("site.example", subtree=False), True, False),
    ],
)
def test_guards_cover_their_name_and_perhaps_what_is_beneath(
    guard: Pin | Protection, at_self: bool, beneath: bool
) -> None:
    overlay = _guarded(guard)
    covered = [
        bool(list(overlay.lookup(wire(name)).guards()))
        for name in ("site.example", "a.site.example", "x.a.site.example", "example")
    ]
    assert covered == [at_self, beneath, beneath, False]


def test_every_protection_of_a_name_is_heard_not_only_the_nearest() -> None:
    policy = a_policy(
        protections=[a_protection("site.example"), a_protection("a.site.example", but=["games"])]
    )
    guards = Overlay(policy).lookup(wire("a.site.example")).guards()
    assert [guard.match.except_categories for guard in guards] == [{"games"}, set()]


def test_a_pin_and_a_subtree_pin_of_one_name_both_hold() -> None:
    policy = a_policy(pins=[a_pin("site.example", subtree=True), a_pin("site.example")])
    assert list(Overlay(policy).lookup(wire("a.site.example")).guards())


@pytest.mark.parametrize(
    ("policy", "beneath"),
    [
        (a_policy(pins=[a_pin("a.b.example")]), True),
        (a_policy(protections=[a_protection("a.b.example")]), True),
        (a_policy(rules=[allow("a.b.example", Audience.GRADE, "staff")]), True),
        (a_policy(rules=[block("a.b.example")]), False),
        (
            a_policy(rules=[block("a.b.example"), allow("a.b.example", Audience.GRADE, "staff")]),
            True,
        ),
        (a_policy(local_zones=[LocalZone(wire("a.b.example"), ())]), True),
        (replace(a_policy(), lease_zone=wire("a.b.example")), True),
    ],
)
def test_what_may_pass_is_known_to_every_name_above_it(policy: Policy, beneath: bool) -> None:
    overlay = Overlay(policy)
    assert overlay.has_allowed_beneath(wire("b.example")) is beneath
    assert overlay.has_allowed_beneath(wire("example")) is beneath
    assert not overlay.has_allowed_beneath(wire("a.b.example"))


def test_the_next_edge_is_one_of_a_rule_for_this_client() -> None:
    policy = a_policy(
        rules=[
            allow("site.example", Audience.GRADE, "7", ends_at=NOW + 1),
            block("example", starts_at=NOW + 3, ends_at=NOW + 9),
            allow("site.example", starts_at=NOW - 9, ends_at=NOW + 5),
        ]
    )
    said = Overlay(policy).lookup(wire("site.example"))
    edges = [said.next_edge(PUPIL, NOW + later) for later in (0, 3, 5, 9)]
    assert edges == [NOW + 3, NOW + 5, NOW + 9, None]


def _guarded(guard: Pin | Protection) -> Overlay:
    if isinstance(guard, Protection):
        return Overlay(a_policy(protections=[guard]))
    return Overlay(a_policy(pins=[guard]))


SAFE = SafeSearchRewrite("safe_search", "on", wire("safe.example"), (wire("www.site.example"),))
STRICT = SafeSearchRewrite("youtube", "strict", wire("strict.example"), (wire("tube.example"),))


@pytest.mark.parametrize(
    ("name", "safe_search", "youtube", "target"),
    [
        ("www.site.example", "on", "off", "safe.example"),
        ("www.site.example", "off", "strict", None),
        ("a.www.site.example", "on", "off", None),
        ("site.example", "on", "off", None),
        ("tube.example", "off", "strict", "strict.example"),
        ("tube.example", "on", "moderate", None),
    ],
)
def test_a_host_has_the_twin_of_its_grade_s_level(
    name: str, safe_search: str, youtube: str, target: str | None
) -> None:
    policy = replace(a_policy(), rewrites=(SAFE, STRICT))
    grade = replace(a_grade("6"), safe_search=safe_search, youtube=youtube)
    assert Overlay(policy).lookup(wire(name)).target(grade) == (target and wire(target))


def test_a_pinned_host_has_no_twin() -> None:
    policy = replace(a_policy(pins=[a_pin("www.site.example")]), rewrites=(SAFE,))
    grade = replace(a_grade("6"), safe_search="on")
    assert Overlay(policy).lookup(wire("www.site.example")).target(grade) is None


def test_of_nearly_all_names_the_same_nothing_is_said() -> None:
    overlay = Overlay(a_policy(pins=[a_pin("www.site.example")]))
    assert overlay.lookup(wire("site.example")) is NO_RULES
    assert overlay.lookup(names.ROOT) is NO_RULES
    assert overlay.lookup(wire("a.www.site.example")) is not NO_RULES


def test_an_exam_is_the_narrowest_audience() -> None:
    exam = replace(allow("site.example", Audience.NETWORK, "lab"), exam="9")
    blocks = [
        block("site.example", Audience.CLIENT, "192.0.2.6"),
        block("chat.site.example"),
    ]
    client = Client(replace(a_grade("6"), exam="9"), "lab", "192.0.2.6")
    said = Overlay(a_policy(rules=[*blocks, exam])).lookup(wire("chat.site.example"))
    order = [speaker.match.local_id for speaker in said.rules(client, NOW)]
    assert order == [blocks[1].id, exam.id, blocks[0].id]


def test_a_service_that_is_open_to_a_grade_may_be_beneath_what_is_closed() -> None:
    service = Service("play", "Chơi", "Play", "games", None, (wire("mp3.site.example"),))
    policy = replace(a_policy(), services={"play": service})
    assert not Overlay(policy).has_allowed_beneath(wire("site.example"))
    sixth = replace(policy.grades["6"], opened=frozenset({"service:play"}))
    overlay = Overlay(replace(policy, grades=policy.grades | {"6": sixth}))
    assert overlay.has_allowed_beneath(wire("site.example"))
    assert not overlay.has_allowed_beneath(wire("mp3.site.example"))


@pytest.mark.parametrize(
    ("changes", "guards"),
    [
        ({"pins": [a_pin("a.example", subtree=True)]}, ("a.example",)),
        ({"protections": [a_protection("a.example")]}, ("a.example",)),
        (
            {
                "pins": [a_pin("b.a.example", subtree=True)],
                "protections": [a_protection("a.example")],
            },
            ("b.a.example", "a.example"),
        ),
        ({"pins": [a_pin("a.example")]}, None),
        ({"pins": [a_pin("a.example", subtree=True), a_pin("a.example")]}, None),
        ({"rules": [allow("a.example")]}, None),
        (
            {"rules": [allow("a.example")], "pins": [a_pin("b.a.example", subtree=True)]},
            None,
        ),
    ],
)
def test_names_with_guards_of_subtrees_alone_have_these_in_common(
    changes: dict[str, Any], guards: tuple[str, ...] | None
) -> None:
    found = Overlay(a_policy(**changes)).lookup(wire("c.b.a.example"))
    assert found.subtrees == (None if guards is None else tuple(map(wire, guards)))


def test_a_rewrite_makes_a_name_one_of_its_own() -> None:
    twin = SafeSearchRewrite("safe_search", "on", wire("safe.test"), (wire("a.example"),))
    policy = replace(a_policy(pins=[a_pin("a.example", subtree=True)]), rewrites=(twin,))
    assert Overlay(policy).lookup(wire("a.example")).subtrees is None


def test_a_rule_says_why_and_which_it_is() -> None:
    rule = allow("a.example")
    policy = a_policy(rules=[rule])
    (ranked,) = Overlay(policy).lookup(wire("a.example")).rules(a_client(policy), NOW)
    match = ranked.match
    assert (match.rule, match.blocks, match.local_id, match.reason) == (
        Rule.LOCAL,
        False,
        rule.id,
        "allowed for a test",
    )


def test_a_guard_says_why_and_what_it_does_not_guard_against() -> None:
    protection = Protection(wire("a.example"), True, "a school", frozenset({"games"}), True)
    policy = a_policy(pins=[a_pin("a.example")], protections=[protection])
    pin, guard = (one.match for one in Overlay(policy).lookup(wire("a.example")).guards())
    assert (pin.rule, pin.blocks, pin.reason) == (Rule.PIN, False, "pinned for a test")
    assert (guard.rule, guard.blocks, guard.reason) == (Rule.PROTECTED, False, "a school")
    assert (guard.except_categories, guard.entry_only) == (frozenset({"games"}), True)


_FILES: dict[str, Any] = {
    "pins": [a_pin("pin.example", subtree=True)],
    "protections": [a_protection("guarded.example")],
    "rules": [allow("www.site.example"), block("site.example", Audience.GRADE, "6")],
    "local_zones": [LocalZone(wire("lan.example"), ())],
}
_PLAY = Service("play", "Chơi", "Play", "games", None, (wire("mp3.play.example"),))
_NAMES = [
    f"{front}{name}.example"
    for name in ("pin", "guarded", "site", "other", "lan", "play", "private", "find")
    for front in ("", "www.", "mp3.", "a.www.")
]


def _as_seen(policy: Policy, files: FileRules | None = None) -> list[object]:
    """Return all that an overlay and the fast path's names say of these names."""
    overlay, names_touched = Overlay(policy, files), touched(policy, (), files)
    return [
        names_touched,
        *(
            (
                overlay.has_allowed_beneath(wire(name)),
                [one.match for one in (*rules.guards(), *rules.rules(PUPIL, NOW))],
                rules.target(PUPIL.grade),
            )
            for name in _NAMES
            for rules in [overlay.lookup(wire(name))]
        ),
    ]


_SAFE = SafeSearchRewrite("safe_search", "on", wire("safe.example"), (wire("find.example"),))
_RULES = [allow("a.site.example"), block("guarded.example"), block("site.example")]


@pytest.mark.parametrize(
    ("changes", "is_added"),
    [
        ({}, True),
        ({"rules": _RULES}, True),
        ({"protections": [a_protection("guarded.example"), a_protection("b.example")]}, True),
        ({"opened": True}, True),
        ({"rules": _RULES, "opened": True}, True),
        ({"pins": [a_pin("other.example")]}, False),
        ({"local_zones": [LocalZone(wire("other.example"), ())]}, False),
        ({"rewrites": (_SAFE,)}, False),
        ({"lease_zone": wire("other.example")}, False),
        ({"private_answers": (wire("private.example"),)}, False),
    ],
)
def test_what_was_read_of_the_files_says_the_same_as_a_policy_that_is_read_whole(
    changes: dict[str, Any], is_added: bool
) -> None:
    policy = replace(a_policy(**_FILES), services={"play": _PLAY})
    files, more = FileRules(policy), dict(changes)
    if more.pop("opened", False):
        sixth = replace(policy.grades["6"], opened=frozenset({"service:play"}))
        policy = replace(policy, grades=policy.grades | {"6": sixth})
    if is_added:
        more = {key: (*getattr(policy, key), *ones) for key, ones in more.items()}
    fields: dict[str, Any] = {
        key: tuple(ones) if isinstance(ones, list) else ones for key, ones in more.items()
    }
    changed = replace(policy, **fields)
    assert (files.beneath(changed) is files) == is_added
    assert _as_seen(changed, files) == _as_seen(changed)
    assert _as_seen(policy, files) == _as_seen(policy), "what was read has not changed"


@pytest.mark.parametrize("kind", ["rules", "protections"])
def test_of_files_that_have_less_nothing_is_kept(kind: str) -> None:
    policy = a_policy(**_FILES)
    fewer: dict[str, Any] = {kind: getattr(policy, kind)[1:]}
    less = replace(policy, **fewer)
    assert _as_seen(less, FileRules(policy)) == _as_seen(less)

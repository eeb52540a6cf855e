# SPDX-License-Identifier: Apache-2.0
"""What ``filterd check`` returns: the contract's keys, and the same order as the chain's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ConfigError
from filterd.base.state_file import to_plain
from filterd.base.state_folder import StateFolder
from filterd.overrides.history.policy_versions import PolicyVersions
from filterd.overrides.history.store import Store
from filterd.policy.model import (
    Audience,
    Client,
    DelegatedZone,
    LocalZone,
    Network,
    Scheduled,
    UpstreamServer,
    ZoneRecord,
)
from filterd.policy.temporary_rules import GradeSetting, Overrides, TargetKind
from filterd.policy.verdict import Action, Match, Rule, Verdict
from filterd.resolve import explain as explain_module
from filterd.resolve.explain import (
    PastQuestion,
    PastState,
    client_of,
    explain,
    explain_answer,
    explain_past,
    explain_verdict,
    parse_time,
)
from filterd.resolve.query import Answer, Source
from filterd.resolve.site import Site
from filterd.wire import name as names
from tests.support.changes import an_exception as an_exception_set
from tests.support.clock import FakeClock
from tests.support.policies import (
    NOW,
    a_client,
    a_pin,
    a_policy,
    a_protection,
    allow,
    an_index,
    block,
    wire,
)
from tests.support.week import SEVEN, a_school, an_exam, an_exception, scheduled, with_classes

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import Policy

A, TXT, AXFR = 1, 16, 252
CONTRACT = (
    "qname",
    "qtype",
    "grade",
    "tier",
    "network",
    "action",
    "category",
    "list",
    "entry",
    "reason",
    "valid_until",
    "next_match",
    "source",
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A school where every kind of answer can be had."""
    server = UpstreamServer("192.0.2.10")
    policy = a_policy(
        networks=[Network("lab", "6", ("10.0.6.0/24",))],
        pins=[a_pin("pinned.example")],
        protections=[a_protection("kept.example")],
        rules=[
            block("closed-by-us.example", ends_at=NOW + 60),
            allow("game.example", ends_at=NOW + 3_600),
        ],
        local_zones=[
            LocalZone(
                wire("school.lan"),
                (ZoneRecord(wire("printer.school.lan"), A, 600, bytes(4)),),
            )
        ],
        delegated_zones=[
            DelegatedZone(wire("school.local"), (server,)),
            DelegatedZone(wire("game.test"), (server,)),
        ],
    )
    lists = {
        "porn": ("porn", "domains", False, ["porn.example", "pinned.example", "kept.example"]),
        "games": (
            "games",
            "adblock",
            False,
            [
                "! games",
                "||game.example^",
                "||other-game.example^",
                "|host.example^",
                "||game.test^",
            ],
        ),
        "spared": ("games", "adblock", True, ["||spared.example^", "@@||spared.example^"]),
        "ads": ("ads-trackers", "domains", False, ["ads.example"]),
    }
    return Site.of(policy, an_index(tmp_path, lists), policy.upstreams)


def _explained(site: Site, name: str, qtype: int = A, grade: str = "6") -> dict[str, Any]:
    client = a_client(site.policy, grade, "lab", "10.0.6.7")
    return explain(site, client, wire(name), qtype, NOW).to_plain()


@pytest.mark.parametrize(
    ("name", "qtype", "action", "reason"),
    [
        ("unknown.example", A, "pass", "not-listed"),
        ("other-game.example", A, "nxdomain", "category"),
        ("host.example", A, "nodata", "category"),
        # refused whatever it names
        ("porn.example", AXFR, "refuse", "not-asked"),
        ("printer.school.lan", AXFR, "refuse", "not-asked"),
        ("porn.example", A, "nxdomain", "locked"),
        ("pinned.example", A, "pass", "pin"),
        ("kept.example", A, "pass", "protected"),
        ("game.example", A, "pass", "local"),
        ("closed-by-us.example", A, "nxdomain", "local"),
        ("spared.example", A, "pass", "list-exception"),
        ("ads.example", A, "pass", "open"),
        # before policy: the site's zones and special names
        ("printer.school.lan", A, "pass", "local-zone"),
        ("printer.school.lan", TXT, "nodata", "local-zone"),
        ("absent.school.lan", A, "nxdomain", "local-zone"),
        ("localhost", A, "pass", "localhost"),
        ("printer", A, "nxdomain", "single-label"),
        ("printer.local", A, "nxdomain", "never-delegated"),
        ("local", A, "nodata", "never-delegated"),
        ("use-application-dns.net", A, "nxdomain", "canary"),
        ("_dns.resolver.arpa", A, "nodata", "encrypted-dns-discovery"),
        # a delegated zone is no special name, and policy holds for it
        ("pc.school.local", A, "pass", "not-listed"),
        ("game.test", A, "nxdomain", "category"),
    ],
)
def test_action_and_reason(name: str, qtype: int, action: str, reason: str, site: Site) -> None:
    explanation = _explained(site, name, qtype)
    assert (explanation["action"], explanation["reason"]) == (action, reason)


@pytest.mark.parametrize(
    "name", ["unknown.example", "porn.example", "printer", "absent.school.lan"]
)
def test_the_keys_of_the_contract_are_there_whatever_the_answer(name: str, site: Site) -> None:
    explanation = _explained(site, name)
    assert set(CONTRACT) <= set(explanation)
    assert json.loads(json.dumps(explanation)) == explanation


def test_a_block_is_explained_from_the_client_to_the_line(site: Site) -> None:
    explanation = _explained(site, "www.other-game.example")
    assert explanation == {
        "qname": "www.other-game.example",
        "qtype": "A",
        "client": "10.0.6.7",
        "mac": None,
        "network": "lab",
        "grade": "6",
        "tier": "lower-secondary",
        "action": "nxdomain",
        "reason": "category",
        "matched": "other-game.example",
        "category": "games",
        "list": "games",
        "entry": "other-game.example",
        "line": 3,
        "note": None,
        "changed_by": None,
        "valid_until": None,
        "rewritten_to": None,
        "next_match": None,
        "source": "offline",
        "class": None,
        "about": to_plain(site.policy.categories["games"]),
    }


def test_what_would_have_decided_next_is_reported_with_its_provenance(site: Site) -> None:
    explanation = _explained(site, "game.example")
    assert explanation["entry"] == "allow game.example for everybody"
    assert explanation["next_match"] == {
        "reason": "category",
        "blocks": True,
        "matched": "game.example",
        "category": "games",
        "list": "games",
        "entry": "game.example",
        "line": 2,
        "note": None,
    }


def test_the_end_of_a_rule_is_worded_in_utc(site: Site) -> None:
    assert _explained(site, "closed-by-us.example")["valid_until"] == "2025-12-01T06:31:00+00:00"


def test_another_grade_gets_another_answer(site: Site) -> None:
    actions = [_explained(site, "other-game.example", grade=g)["action"] for g in ("6", "7")]
    assert actions == ["nxdomain", "pass"]


def test_an_answer_that_an_alias_blocks_is_reported_as_such(site: Site) -> None:
    client = a_client(site.policy)
    passes = explain(site, client, wire("cdn.example"), A, NOW)
    verdict = site.engine.decide(client, wire("porn.example"), A, NOW)
    answer = Answer(Source.BLOCKED, verdict)
    explanation = explain_answer(client, wire("cdn.example"), A, answer, passes)
    assert (explanation.qname, explanation.reason, explanation.matched) == (
        "cdn.example",
        "alias",
        "porn.example",
    )
    assert explanation.blocked


@pytest.mark.parametrize("source", [Source.FORWARDED, Source.CACHED, Source.LOCAL, Source.FAILED])
def test_any_other_answer_explains_no_more_than_policy(source: Source, site: Site) -> None:
    client = a_client(site.policy)
    expected = explain(site, client, wire("cdn.example"), A, NOW)
    answer = Answer(source, Verdict(Action.PASS))
    assert explain_answer(client, wire("cdn.example"), A, answer, expected) is expected


def test_a_question_is_about_an_address_else_a_grade_else_an_unknown_client(site: Site) -> None:
    by_address = client_of(site, None, "10.0.6.7")
    by_grade = client_of(site, "8", None)
    unknown = client_of(site, None, None)
    assert by_address == a_client(site.policy, "6", "lab", "10.0.6.7")
    assert by_grade == a_client(site.policy, "8")
    assert unknown == a_client(site.policy, "preschool")


def test_an_address_without_permission_is_no_client(site: Site) -> None:
    assert client_of(site, None, "203.0.113.1") is None


@pytest.mark.parametrize(
    ("text", "unix"),
    [
        ("2025-12-01T13:30", NOW),
        ("2025-12-01T13:30:00+07:00", NOW),
        ("2025-12-01T06:30:00Z", NOW),
        ("2025-12-01", NOW - (13 * 60 + 30) * 60),
    ],
)
def test_a_time_without_a_zone_is_the_school_s(text: str, unix: float) -> None:
    assert parse_time(text, "Asia/Ho_Chi_Minh") == unix


@pytest.mark.parametrize("text", ["", "tomorrow", "2025-13-01", "7:30"])
def test_what_is_no_time_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a time") as caught:
        parse_time(text, "Asia/Ho_Chi_Minh")
    assert "\n" not in str(caught.value)


def test_an_answer_that_leads_home_is_reported_as_such(site: Site) -> None:
    client = a_client(site.policy)
    passes = explain(site, client, wire("nas.example"), A, NOW)
    answer = Answer(Source.BLOCKED, Verdict(Action.NODATA))
    explanation = explain_answer(client, wire("nas.example"), A, answer, passes)
    assert (explanation.reason, explanation.blocked) == ("private-answer", True)


def test_the_twin_of_a_name_is_reported(site: Site) -> None:
    verdict = Verdict(Action.REWRITE, target=wire("safe.example"))
    explanation = explain_verdict(a_client(site.policy), wire("www.example"), A, verdict)
    assert (explanation.action, explanation.reason, explanation.rewritten_to) == (
        "rewrite",
        "rewritten",
        "safe.example",
    )
    assert not explanation.blocked


def _at_school(folder: Path, policy: Policy, overrides: Overrides, now: float = SEVEN) -> Site:
    lists = {"games": ("games", "domains", False, ["game.example"])}
    return Site.of(policy, an_index(folder, lists), (), overrides=overrides, now=now)


def _explanation(site: Site, name: str, network: str | None = None) -> tuple[Any, ...]:
    key = next((one.grade for one in site.policy.networks if one.id == network), "6")
    client = Client(site.policy.grades[key], network)
    explanation = explain(site, client, wire(name), A, SEVEN).to_plain()
    return (
        explanation["action"],
        explanation["changed_by"],
        explanation["note"],
        explanation["valid_until"],
    )


IN_AN_HOUR = datetime.fromtimestamp(SEVEN + 3600, UTC).isoformat()
GAMES: dict[str, Any] = {"kind": TargetKind.CATEGORY, "audience": Audience.GRADE, "whom": "6"}


def test_what_opens_a_category_for_a_time_is_reported_with_its_reason_and_its_end(
    tmp_path: Path,
) -> None:
    site = _at_school(tmp_path, a_school(), Overrides(exceptions=(an_exception("games", **GAMES),)))
    assert _explanation(site, "game.example") == ("pass", "exception:1", "bài học", IN_AN_HOUR)
    site = site.at(SEVEN + 3600)
    assert _explanation(site, "game.example") == ("nxdomain", None, None, None)


def test_a_category_that_a_schedule_closes_is_shown_to_be_closed_by_it(tmp_path: Path) -> None:
    closing = Scheduled("a", False, "category", "games", Audience.NETWORK, "lab")
    policy = scheduled(closing)
    open_to_6 = replace(policy.grades["6"], closed=frozenset())
    policy = replace(policy, grades={**policy.grades, "6": open_to_6})
    site = _at_school(tmp_path, policy, Overrides())
    assert _explanation(site, "game.example", "lab") == ("nxdomain", "schedule:a", None, IN_AN_HOUR)
    assert _explanation(site, "game.example") == ("pass", None, None, None)


def test_what_a_pause_opens_is_reported_with_the_pause(tmp_path: Path) -> None:
    pause = an_exception("", kind=TargetKind.PAUSE)
    site = _at_school(tmp_path, a_school(), Overrides(exceptions=(pause,)))
    assert _explanation(site, "game.example") == ("pass", "pause:1", "bài học", IN_AN_HOUR)


def test_what_the_files_say_as_well_is_nobodys_doing(tmp_path: Path) -> None:
    block = an_exception("games", allow=False, **GAMES)
    site = _at_school(tmp_path, a_school(), Overrides(exceptions=(block,)))
    assert _explanation(site, "game.example") == ("nxdomain", None, None, None)


def _with_play(folder: Path, policy: Policy, overrides: Overrides) -> Site:
    """Return a school whose lists close the games, and ``play.example`` as one of them."""
    lists = {
        "games": ("games", "domains", False, ["play.example"]),
        "service:play": ("games", "domains", True, ["play.example"]),
    }
    return Site.of(policy, an_index(folder, lists), (), overrides=overrides, now=SEVEN)


def test_a_service_that_a_command_has_opened_is_reported_with_that_command(tmp_path: Path) -> None:
    opened = GradeSetting(3, "6", TargetKind.SERVICE, "play", True, "bài học", "lan", SEVEN - 3600)
    site = _with_play(tmp_path, a_school(), Overrides(grades=(opened,)))
    assert _explanation(site, "play.example") == ("pass", "setting:3", "bài học", None)
    explanation = explain(site, Client(site.policy.grades["6"]), wire("play.example"), A, SEVEN)
    assert explanation.reason == "service"
    assert explanation.next_match is not None
    assert explanation.next_match["reason"] == "category"


def test_a_service_that_the_files_open_is_shown_to_be_opened_by_them(tmp_path: Path) -> None:
    policy = a_school()
    opened = replace(policy.grades["6"], opened=frozenset(("service:play",)))
    policy = replace(policy, grades=policy.grades | {"6": opened})
    site = _with_play(tmp_path, policy, Overrides())
    assert _explanation(site, "play.example") == ("pass", "files", None, None)


def test_what_is_closed_by_an_exam_is_so_until_that_ends(tmp_path: Path) -> None:
    site = _at_school(tmp_path, a_school(), Overrides(exams=(an_exam(),)))
    assert _explanation(site, "unknown.example", "lab") == ("nxdomain", None, "thi", IN_AN_HOUR)
    client = Client(site.policy.grades["6"], "lab")
    assert explain(site, client, wire("unknown.example"), A, SEVEN).matched is None


def test_a_tier_that_a_schedule_closes_is_shown_to_be_closed_by_it(tmp_path: Path) -> None:
    closing = Scheduled("a", False, "tier", "lower-secondary", Audience.EVERYBODY, "")
    site = _at_school(tmp_path, scheduled(closing), Overrides())
    assert _explanation(site, "unknown.example") == ("nxdomain", "schedule:a", None, IN_AN_HOUR)


HOUR = 3600.0


@pytest.fixture
def past(tmp_path: Path) -> PastState:
    """What is remembered of a school that has opened a game, and closed it an hour later."""
    state, clock = StateFolder(tmp_path / "state"), FakeClock()
    store = Store(state, clock)
    versions = PolicyVersions(state, store, clock)
    versions.note(a_policy())
    clock.advance(HOUR)
    store.change("exception", an_exception_set(), author="lan", reason="bài học")
    clock.advance(HOUR)
    store.change("revoke", {"id": 1}, author="lan", reason="")
    index = an_index(tmp_path, {"games": ("games", "domains", False, ["game.example"])})
    return PastState(versions, store, index)


def _asked(when: float, address: str | None = None) -> PastQuestion:
    grade = None if address else "3"
    return PastQuestion(wire("game.example"), 1, grade, address, when, "seven")


def test_it_is_as_it_was_set_then(past: PastState) -> None:
    explanation = [explain_past(past, _asked(NOW + hours * HOUR)) for hours in (0.5, 1.5, 2.5)]
    assert [one and (one.blocked, one.source) for one in explanation] == [
        (True, "history"),
        (False, "history"),
        (True, "history"),
    ]


def test_what_was_before_all_that_is_remembered_is_not_known(past: PastState) -> None:
    with pytest.raises(ConfigError, match="the policy of seven is not known"):
        explain_past(past, _asked(NOW - 1))


def test_a_client_without_permission_gets_no_explanation(past: PastState) -> None:
    assert explain_past(past, _asked(NOW, "203.0.113.1")) is None


def test_the_cause_is_looked_for_in_the_class_of_the_client_and_only_in_what_concerns_it(
    tmp_path: Path,
) -> None:
    policy = with_classes(a_school())
    closed = policy.grades["6A"].closed - {"games"}
    open_6a = replace(policy.grades["6A"], closed=closed)
    policy = replace(policy, grades=policy.grades | {"6A": open_6a})
    of_others = an_exception("games", kind=TargetKind.CATEGORY, audience=Audience.GRADE, whom="7")
    for_all = an_exception("games", kind=TargetKind.CATEGORY, id=2)
    site = _at_school(tmp_path, policy, Overrides(exceptions=(of_others, for_all)))
    found = [
        explain(site, Client(site.policy.grades[key]), wire("game.example"), A, SEVEN).changed_by
        for key in ("6A", "6B")
    ]
    assert found == [None, "exception:2"]
    alone = _at_school(tmp_path, policy, Overrides(exceptions=(of_others,)))
    client = Client(alone.policy.grades["6B"])
    explained = explain(alone, client, wire("game.example"), A, SEVEN)
    assert (explained.action, explained.changed_by) == ("nxdomain", None)


def test_an_explanation_of_a_category_has_it_as_data_and_one_of_no_list_has_none(
    site: Site,
) -> None:
    explained = (_explained(site, name) for name in ("porn.example", "games.example", "a.test"))
    assert all((one["about"] or {"id": None})["id"] == one["category"] for one in explained)
    assert _explained(site, "nowhere.example")["about"] is None


def test_of_two_ends_the_sooner_is_shown(tmp_path: Path) -> None:
    rule = allow("game.example", ends_at=SEVEN + 60)
    closing = Scheduled("a", True, "category", "games")
    policy = replace(scheduled(closing), rules=(rule,))
    site = _at_school(tmp_path, policy, Overrides())
    explained = explain(site, Client(site.policy.grades["6"]), wire("game.example"), A, SEVEN)
    soon = datetime.fromtimestamp(SEVEN + 60, UTC).isoformat()
    assert (explained.reason, explained.valid_until) == ("local", soon)


def test_a_class_that_the_site_does_not_have_is_refused(site: Site) -> None:
    with pytest.raises(ConfigError, match="'6Z' is not a class of this site"):
        client_of(site, "6Z", None)


def test_of_schedules_the_last_that_closes_the_tier_and_holds_is_the_cause(tmp_path: Path) -> None:
    closing = Scheduled("a", False, "tier", "lower-secondary", Audience.EVERYBODY, "")
    policy = scheduled(closing)
    other = replace(policy.schedules[0], id="b")
    never = replace(policy.schedules[0], id="c", windows=())
    policy = replace(
        policy,
        schedules=(*policy.schedules, other, never),
        scheduled=(
            closing,
            replace(closing, schedule="b", kind="category", target="games", opens=True),
            replace(closing, schedule="c"),
        ),
    )
    site = _at_school(tmp_path, policy, Overrides())
    assert _explanation(site, "unknown.example") == ("nxdomain", "schedule:a", None, IN_AN_HOUR)


def test_an_answer_that_policy_blocks_is_explained_by_policy(site: Site) -> None:
    client = a_client(site.policy)
    expected = explain(site, client, wire("porn.example"), A, NOW)
    verdict = site.engine.decide(client, wire("game.test"), A, NOW)
    answer = Answer(Source.BLOCKED, verdict)
    assert explain_answer(client, wire("porn.example"), A, answer, expected) is expected
    passes = explain(site, client, wire("cdn.example"), A, NOW)
    unjudged = Answer(Source.BLOCKED)
    assert explain_answer(client, wire("cdn.example"), A, unjudged, passes) is passes


def test_an_explanation_names_the_class_where_there_is_one(tmp_path: Path) -> None:
    site = _at_school(tmp_path, with_classes(a_school()), Overrides())
    found = [
        explain(site, Client(site.policy.grades[key]), wire("game.example"), A, SEVEN).to_plain()
        for key in ("6A", "6")
    ]
    assert [one["class"] for one in found] == ["6A", None]


def test_a_match_that_names_nothing_leaves_nothing_to_show(site: Site) -> None:
    match = Match(Rule.ALLOW_ONLY, True, names.ROOT)
    verdict = Verdict(Action.NXDOMAIN, match, next_match=match)
    found = explain_verdict(a_client(site.policy), wire("a.example"), A, verdict)
    empty = dict.fromkeys(("matched", "category", "list", "entry", "line", "note"))
    assert {key: getattr(found, key) for key in empty} == empty
    assert found.next_match == {"reason": "allow-only", "blocks": True, **empty}


def test_a_service_is_one_only_where_it_is_open_in_a_closed_category(site: Site) -> None:
    labels = [
        explain_verdict(
            a_client(site.policy),
            wire("a.example"),
            A,
            Verdict(Action.PASS, Match(rule, False, wire("a.example"), list_id="service:play")),
        ).reason
        for rule in (Rule.LIST_EXCEPTION, Rule.CATEGORY, Rule.OPEN)
    ]
    assert labels == ["service", "category", "open"]


def test_in_an_exam_what_is_locked_is_so_for_its_own_reason(tmp_path: Path) -> None:
    lists = {"porn": ("porn", "domains", False, ["porn.example"])}
    exams = Overrides(exams=(an_exam(reason=""),))
    site = Site.of(a_school(), an_index(tmp_path, lists), (), overrides=exams, now=SEVEN)
    assert _explanation(site, "porn.example", "lab") == ("nxdomain", None, None, None)
    assert _explanation(site, "a.example", "lab") == ("nxdomain", None, None, IN_AN_HOUR)


def test_a_tier_is_closed_by_the_last_that_closes_it_and_by_nothing_else(tmp_path: Path) -> None:
    closing = Scheduled("a", False, "tier", "lower-secondary", Audience.EVERYBODY, "")
    policy = scheduled(closing)
    other = replace(policy.schedules[0], id="b")
    policy = replace(
        policy,
        schedules=(*policy.schedules, other),
        scheduled=(closing, replace(closing, schedule="b")),
    )
    opened = GradeSetting(3, "6", TargetKind.CATEGORY, "games", True, "x", "lan", SEVEN - 3600)
    site = _at_school(tmp_path, policy, Overrides(grades=(opened,)))
    assert _explanation(site, "unknown.example") == ("nxdomain", "schedule:b", None, IN_AN_HOUR)


def test_the_reason_is_that_of_the_cause(tmp_path: Path) -> None:
    others = an_exception("a.example", reason="another one")
    opened = an_exception("games", **GAMES | {"id": 2, "reason": "its own"})
    site = _at_school(tmp_path, a_school(), Overrides(exceptions=(others, opened)))
    assert _explanation(site, "game.example")[1:3] == ("exception:2", "its own")


@pytest.mark.parametrize(
    ("at", "edge", "sooner"),
    [(5.0, 9.0, 5.0), (9.0, 5.0, 5.0), (None, 5.0, 5.0), (5.0, inf, 5.0), (None, inf, None)],
)
def test_an_end_is_the_sooner_of_two(at: float | None, edge: float, sooner: float | None) -> None:
    assert explain_module._sooner(at, edge) == sooner


def test_what_was_set_in_a_history_that_was_lost_is_not_known(
    past: PastState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Store, "at", lambda *_: None)
    with pytest.raises(ConfigError, match="the policy of seven is not known"):
        explain_past(past, _asked(NOW + HOUR))

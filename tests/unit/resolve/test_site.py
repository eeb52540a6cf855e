# SPDX-License-Identifier: Apache-2.0
"""One policy and one index joined, and the one reference that a reload moves."""

from __future__ import annotations

from array import array
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from filterd.lists.rules import Pin
from filterd.policy.effective_policy import at
from filterd.policy.model import (
    Audience,
    DelegatedZone,
    ListenAddress,
    LocalRule,
    LocalZone,
    Tls,
    UpstreamServer,
)
from filterd.policy.plain_sets import Touch
from filterd.policy.temporary_rules import LogSetting, Overrides, TargetKind
from filterd.policy.unknown_time import UNKNOWN_LEAD_S
from filterd.resolve import site as site_module
from filterd.resolve import special_use
from filterd.resolve.site import EpochGuard, PlainView, Site, UnsetClock
from filterd.upstream import Route
from filterd.version import RELEASED_AT
from tests.support.policies import NOW, a_pin, a_policy, an_index, wire
from tests.support.serving import SiteHolder
from tests.support.week import PUPIL_PC, SEVEN, a_school, an_exception, timetabled

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.policy.model import Policy

UPSTREAMS = (UpstreamServer("192.0.2.1"),)


def _site(folder: Path, policy: Policy) -> Site:
    return Site.of(policy, an_index(folder, {}), UPSTREAMS)


def test_a_site_joins_its_own_policy_and_index(tmp_path: Path) -> None:
    policy = a_policy()
    site = _site(tmp_path, policy)
    assert site.policy is policy
    assert (site.engine.policy, site.engine.index) == (policy, site.index)
    assert site.route.servers == UPSTREAMS
    assert site.identifier.identify("127.0.0.1") is not None


def test_top_level_domains_and_what_is_above_the_site_s_zones_exist(tmp_path: Path) -> None:
    policy = a_policy(
        top_level=["vn"],
        local_zones=[LocalZone(wire("school.lan"), ())],
        delegated_zones=[DelegatedZone(wire("ad.school.local"), UPSTREAMS)],
    )
    existing = {wire(name) for name in ("vn", "lan", "local", "school.local")}
    assert _site(tmp_path, policy).existing == existing


def test_a_holder_of_a_site_keeps_it_when_another_comes_into_force(tmp_path: Path) -> None:
    first, second = _site(tmp_path, a_policy()), _site(tmp_path, a_policy())
    holder = SiteHolder(first)
    carried = holder.current
    holder.current = second
    assert (carried, holder.current) == (first, second)


def test_what_is_in_force_stands_until_another_is(tmp_path: Path) -> None:
    site = _site(tmp_path, a_policy())
    holder = SiteHolder(site)
    before = holder.standing
    assert before.holds_at(0.0)
    holder.current = site  # the same files once more
    assert not before.holds_at(0.0)
    assert holder.standing.holds_at(0.0)


def test_zones_come_before_the_unset_clock_and_that_before_the_upstreams(tmp_path: Path) -> None:
    strict = UpstreamServer("192.0.2.1", 853, Tls.STRICT, "dns.example")
    controller = UpstreamServer("192.0.2.9")
    policy = a_policy(
        pins=[Pin(wire(name), reason="time") for name in ("time.ad.example", "time.example")],
        delegated_zones=[DelegatedZone(wire("ad.example"), (controller,))],
    )
    site = Site.of(policy, an_index(tmp_path, {}), (strict,))
    names = ("time.ad.example", "time.example", "www.example")
    servers = [site.route_of(wire(name), 0.0).servers for name in names]
    assert servers == [(controller,), (UpstreamServer("192.0.2.1"),), (strict,)]


@pytest.mark.parametrize("name", ["ad.local", "pc.lan.example", "7.0.0.10.in-addr.arpa"])
def test_a_site_may_know_what_is_in_its_zones_and_in_leases(tmp_path: Path, name: str) -> None:
    zone = DelegatedZone(wire("ad.local"), (UpstreamServer("127.0.8.8"),))
    policy = replace(a_policy(delegated_zones=[zone]), lease_zone=wire("lan.example"))
    site = _site(tmp_path, policy)
    assert site.own.may_cover(wire(name))
    assert not site.own.may_cover(wire("www.example"))


def test_it_names_every_route_by_which_it_asks(tmp_path: Path) -> None:
    secure = UpstreamServer("192.0.2.53", tls=Tls.STRICT, tls_name="dns.example")
    zone = DelegatedZone(wire("school.example"), (UpstreamServer("192.0.2.8"),))
    policy, index = a_policy(delegated_zones=[zone]), an_index(tmp_path, {})
    site = Site.of(policy, index, (secure,))
    route_of_zone, unset = site.zones.route_of(wire("dc.school.example")), site.unset_clock.route
    assert unset is not None
    assert site.routes == {site.route, route_of_zone, unset}
    assert Site.of(a_policy(), index, UPSTREAMS).routes == {Route(UPSTREAMS)}


def test_the_level_of_the_log_is_of_the_tier_and_of_the_moment(
    tmp_path: Path,
) -> None:
    names = LogSetting(1, "primary", "names", "thử", "lan", NOW, NOW + 60)
    policy, index = a_policy(), an_index(tmp_path, {})
    site = Site.of(policy, index, (), overrides=Overrides(log_settings=(names,)), now=NOW)
    assert [site.policy.log.level_of(one) for one in ("primary", "staff")] == ["names", "counts"]
    assert site.at(NOW + 60).policy.log.level_of("primary") == "counts"


def _reading(folder: Path, policy: Policy) -> PlainView:
    return PlainView.of(policy, an_index(folder, {}))


def test_special_names_are_touched_and_addresses_only_where_leases_name_them(
    tmp_path: Path,
) -> None:
    plain = _reading(tmp_path, a_policy()).touched
    with_leases = replace(a_policy(), lease_zone=wire("school.lan"))
    leased = _reading(tmp_path, with_leases).touched
    assert plain[wire("onion")] & Touch.SUBTREE
    assert not plain.get(wire("ip6.arpa"), Touch(0)) & Touch.SUBTREE
    assert leased[wire("ip6.arpa")] & Touch.SUBTREE
    assert leased[wire("school.lan")] & Touch.SUBTREE


def test_clients_with_a_rule_and_servers_of_a_zone_are_distinguished(tmp_path: Path) -> None:
    rules = [
        LocalRule("1", wire("games.example"), False, Audience.CLIENT, "10.0.0.7", reason="asked"),
        LocalRule("2", wire("games.example"), False, Audience.GRADE, "6", reason="asked"),
    ]
    zones = [DelegatedZone(wire("ad.example"), (UpstreamServer("10.0.0.53"),))]
    policy = a_policy(rules=rules, delegated_zones=zones)
    assert _reading(tmp_path, policy).named == {"10.0.0.7", "10.0.0.53"}


def test_clients_with_something_to_come_are_distinguished_before_it_does(tmp_path: Path) -> None:
    """Else another device's edges would bound how long a device keeps an answer."""
    term: dict[str, Any] = {"starts_at": SEVEN + 600, "ends_at": SEVEN + 3600}
    whom: dict[str, Any] = {"audience": Audience.CLIENT, "whom": PUPIL_PC}
    of_one = an_exception("games", kind=TargetKind.CATEGORY, **whom, **term)
    of_all = an_exception("games", kind=TargetKind.CATEGORY, id=2, **term)
    moment = at(a_school(), Overrides(exceptions=(of_one, of_all)), SEVEN)
    index = an_index(tmp_path, {})
    assert PlainView.of(moment.policy, index).named == frozenset()
    assert PlainView.of(moment.policy, index, moment.changes).named == {PUPIL_PC}


STRICT = UpstreamServer("192.0.2.1", 853, Tls.STRICT, "dns.example", trusted=True)
PLAIN = UpstreamServer("192.0.2.1")
OPPORTUNISTIC = UpstreamServer("192.0.2.2", 853, Tls.OPPORTUNISTIC)
POLICY = a_policy(
    pins=[
        Pin(wire("pool.ntp.example"), subtree=True, reason="time"),
        Pin(wire("time.example"), reason="time"),
        Pin(wire("exams.example"), subtree=True, reason="exams"),
    ]
)
YEAR_S = 366 * 86_400


def unset_clock(*upstreams: UpstreamServer, built_at: object = None) -> UnsetClock:
    return UnsetClock(POLICY, built_at, upstreams or (STRICT,))


def in_clear(name: str, now: float = 0.0) -> bool:
    route = unset_clock().route_of(wire(name), now)
    assert route is None or route.servers == (PLAIN,)
    return route is not None


@pytest.mark.parametrize("name", ["time.example", "pool.ntp.example", "2.vn.pool.ntp.example"])
def test_time_servers_are_asked_for_in_clear_until_the_clock_is_known(name: str) -> None:
    assert in_clear(name)
    assert in_clear(name, RELEASED_AT - 1)
    assert not in_clear(name, RELEASED_AT)


@pytest.mark.parametrize(
    "name", ["www.example", "a.time.example", "ntp.example", "exams.example", "example", "."]
)
def test_nothing_else_ever_is(name: str) -> None:
    assert not in_clear(name)


def test_only_strict_servers_are_left_out_while_the_clock_is_unset() -> None:
    route = unset_clock(OPPORTUNISTIC, STRICT, PLAIN).route_of(wire("time.example"), 0.0)
    assert route is not None
    assert route.servers == (OPPORTUNISTIC, PLAIN)


def test_filterd_does_not_ask_itself_where_a_neighbour_does_the_tls() -> None:
    policy = replace(POLICY, listen=(ListenAddress("127.0.0.1"),))
    neighbour = UpstreamServer("127.0.0.1", 853, Tls.STRICT, "dns.example")
    route = UnsetClock(policy, None, (neighbour, STRICT)).route_of(wire("time.example"), 0.0)
    assert route is not None
    assert route.servers == (PLAIN,)


def test_without_strict_servers_nothing_changes() -> None:
    assert unset_clock(PLAIN, OPPORTUNISTIC).route_of(wire("time.example"), 0.0) is None


def test_lists_compiled_since_the_release_give_a_later_time() -> None:
    built_at = RELEASED_AT + YEAR_S
    clock = unset_clock(built_at=built_at)
    assert clock.floor == built_at


@pytest.mark.parametrize(
    "built_at",
    [None, "2026", 0, -1.0, RELEASED_AT - 1, RELEASED_AT + 20 * YEAR_S, float("nan"), float("inf")],
)
def test_what_cannot_be_when_they_were_compiled_is_passed_over(built_at: object) -> None:
    assert unset_clock(built_at=built_at).floor == RELEASED_AT


def test_the_edge_of_a_client_is_the_next_that_concerns_it(tmp_path: Path) -> None:
    games = an_exception("games", kind=TargetKind.CATEGORY, audience=Audience.GRADE, whom="6")
    policy = a_school(allow_from=("0.0.0.0/0",))
    site = Site.of(
        policy, an_index(tmp_path, {}), UPSTREAMS, overrides=Overrides((games,)), now=SEVEN
    )
    pupil, office = (site.identifier.identify(one) for one in (PUPIL_PC, "198.51.100.7"))
    assert pupil is not None
    assert office is not None
    assert (site.edge_of(pupil), site.edge_of(office)) == (SEVEN + 3600, inf)
    without = Site.of(policy, site.index, UPSTREAMS, now=SEVEN)
    assert without.edge_of(pupil) == inf


def test_while_the_time_is_not_known_no_client_has_an_edge(tmp_path: Path) -> None:
    block = an_exception("a.example", allow=False)
    policy = a_school(allow_from=("0.0.0.0/0",))
    site = Site.of(
        policy,
        an_index(tmp_path, {}),
        UPSTREAMS,
        overrides=Overrides((block,)),
        now=UNKNOWN_LEAD_S,
    )
    pupil = site.identifier.identify(PUPIL_PC)
    assert pupil is not None
    assert site.edge_of(pupil) == inf


@pytest.mark.parametrize(
    "name",
    [
        *("wpad.example.com", "isatap.example.com", "_dns.example.com", "wpad", "printer"),
        *(
            "a.localhost",
            "x.home.arpa",
            "a.test",
            "1.168.192.in-addr.arpa",
            "use-application-dns.net",
        ),
    ],
)
def test_the_quick_look_finds_every_special_name(tmp_path: Path, name: str) -> None:
    site = _site(tmp_path, a_policy())
    assert special_use.judge(wire(name), 1) is not None
    assert site.may_know(wire(name))


@pytest.mark.parametrize("name", ["www.example.com", "wpads.example.com", "a.wpad.example.com"])
def test_and_it_passes_over_ordinary_ones(tmp_path: Path, name: str) -> None:
    site = _site(tmp_path, a_policy())
    assert special_use.judge(wire(name), 1) is None
    assert not site.may_know(wire(name))


def test_at_another_time_clients_have_the_grades_of_that_time(tmp_path: Path) -> None:
    policy = replace(timetabled(), allow_from=("0.0.0.0/0",))
    site = Site.of(policy, an_index(tmp_path, {}), UPSTREAMS, now=SEVEN)
    later = site.at(SEVEN + 3_000)
    grades = [one.identifier.identify(PUPIL_PC) for one in (site, later)]
    assert [grade and grade.grade.grade for grade in grades] == ["6", "9"]


def test_a_site_is_itself_while_nothing_changes_and_has_what_is_set_afterwards(
    tmp_path: Path,
) -> None:
    games = an_exception("games", kind=TargetKind.CATEGORY, audience=Audience.GRADE, whom="6")
    site = Site.of(a_school(), an_index(tmp_path, {}), UPSTREAMS, now=SEVEN)
    assert site.at(SEVEN + 60) is site
    later = site.at(SEVEN, Overrides((games,)))
    assert later.timed.overrides == Overrides((games,))
    assert later.at(SEVEN + 7200).timed.overrides == Overrides((games,))
    assert "games" not in later.policy.grades["6"].closed
    assert "games" in later.at(SEVEN + 7200).policy.grades["6"].closed


def test_what_is_read_quickly_is_of_the_same_time(tmp_path: Path) -> None:
    of_one = an_exception(
        "games", kind=TargetKind.CATEGORY, audience=Audience.CLIENT, whom=PUPIL_PC
    )
    site = Site.of(a_school(), an_index(tmp_path, {}), UPSTREAMS, now=SEVEN)
    assert site.reading.named == frozenset()
    assert site.at(SEVEN, Overrides((of_one,))).reading.named == {PUPIL_PC}


def test_lists_say_when_they_were_compiled_and_a_site_believes_them(tmp_path: Path) -> None:
    index = an_index(tmp_path, {})
    index.build["when"] = RELEASED_AT + 86_400
    assert Site.of(a_policy(), index, UPSTREAMS).unset_clock.floor == RELEASED_AT + 86_400


@pytest.mark.parametrize(
    ("wall", "value", "holds"),
    [(9.9, 7, False), (10.0, 7, True), (19.9, 7, True), (20.0, 7, False), (15.0, 8, False)],
)
def test_a_site_stands_from_its_begin_to_before_its_end(
    wall: float, value: int, holds: bool
) -> None:
    guard = EpochGuard(memoryview(array("Q", [value])), 7, 10.0, 20.0)
    assert guard.holds_at(wall) is holds


def test_a_name_of_two_labels_is_no_single_one(tmp_path: Path) -> None:
    site = _site(tmp_path, a_policy())
    assert [site.may_know(wire(name)) for name in ("a", ".", "a.vn")] == [True, True, False]
    assert not site.may_know(b"\x03abc\x00"[:4] + b"\x01x\x00")


@pytest.mark.parametrize(
    ("after_s", "is_believed"),
    [(0, False), (0.5, True), (1, True), (site_module._BELIEVED_FOR_S - 1, True)],
)
def test_a_time_since_the_release_is_believed(after_s: float, is_believed: bool) -> None:
    floor = unset_clock(built_at=RELEASED_AT + after_s).floor
    assert (floor > RELEASED_AT) is is_believed


def test_a_time_that_is_too_far_ahead_is_not_believed() -> None:
    ahead = RELEASED_AT + site_module._BELIEVED_FOR_S
    assert unset_clock(built_at=ahead).floor == RELEASED_AT


def test_a_change_by_command_does_not_read_the_rules_of_the_files_anew(tmp_path: Path) -> None:
    policy = a_policy(pins=[a_pin("pin.example")])
    site = Site.of(policy, an_index(tmp_path, {}), UPSTREAMS, now=SEVEN)
    blocked = an_exception("www.changed.example", allow=False)
    later = site.at(SEVEN, Overrides(exceptions=(blocked,)))
    assert later.files is site.files
    assert later.files.beneath(later.policy) is site.files
    assert later.reading.touched[wire("www.changed.example")] & Touch.SUBTREE
    assert later.at(SEVEN, Overrides()).reading.touched == site.reading.touched

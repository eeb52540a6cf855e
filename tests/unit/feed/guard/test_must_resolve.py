# SPDX-License-Identifier: Apache-2.0
"""Names that must not be blocked, however they are listed, and what no list may hold (E2, E3).

The essential names are all that ship; each is injected in every way at once, by one
list. So what is refused is counted, and what is compiled is asked for every name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from filterd.base.paths import shipped
from filterd.feed.guard.candidate import Asking
from filterd.feed.guard.judgement import Severity
from filterd.feed.guard.must_resolve import (
    Essential,
    blocked_essentials,
    closed_beneath,
    essentials_of,
    listed_suffixes,
    refused_entries,
    wrong_rewrites,
)
from filterd.lists import intake
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.catalogs.help_names import load_help_names
from filterd.lists.compiler import compile_lists
from filterd.lists.hostname import key_from_name
from filterd.lists.index import Index
from filterd.lists.lookalikes import LookalikeRule, plain, says_enough
from filterd.lists.public_suffix import (
    is_company_suffix,
    is_public_suffix,
    public_suffixes,
    top_level_names,
)
from filterd.lists.rules import ListSource, SafeSearchRewrite
from filterd.wire import name as names
from tests.support.policies import NOW, a_pin, a_policy, a_protection, wire
from tests.support.site import a_policy as a_site

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.feed.guard.judgement import Finding
    from filterd.lists.report import ListReport
    from filterd.policy.model import Policy

CATALOG = load_catalog(shipped("blocklists"))
FEED_HOST = "danh-sach.sotttt.example"
LOCKED = "gore"
"""Locked, and no protection excepts it: a list of scams may name the site of an office."""
LEAST = 500


class Injected(NamedTuple):
    """What became of a list with injected names."""

    asking: Asking
    report: ListReport

    @property
    def blocked(self) -> list[Finding]:
        return list(blocked_essentials(self.asking, (), {self.report.id}))

    @property
    def refused(self) -> list[Finding]:
        return list(refused_entries([self.report], {"bad"}))

    @property
    def not_taken(self) -> int:
        counted = (*self.report.refused.values(), *self.report.problems.values())
        return self.report.set_aside + sum(counted)


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    """A school that follows a feed."""
    folder = tmp_path_factory.mktemp("site")
    return a_site(folder, f"feed: https://{FEED_HOST}/v1\n", CATALOG)


def inject(
    folder: Path,
    policy: Policy,
    lines: Iterable[str],
    form: str = "domains",
    *,
    own: bool = False,
    category: str = LOCKED,
    list_id: str = "bad",
) -> Injected:
    path = folder / "bad.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return injected(folder, policy, ListSource(list_id, category, form, str(path), own))


def injected(folder: Path, policy: Policy, source: ListSource) -> Injected:
    """Compile under the guards of the shipped files, as ``build_lists`` does."""
    pins, protections = CATALOG.pins, CATALOG.protections
    report = compile_lists(
        [source],
        pins=pins,
        protections=protections,
        target=folder / "index",
        now=NOW,
        versions={"feed": "1"},
    )
    return Injected(Asking(policy, Index.open(folder / "index"), NOW), report.lists[0])


def shipped_essentials() -> list[Essential]:
    return [Essential(pin.name, pin.subtree, True, frozenset()) for pin in CATALOG.pins] + [
        Essential(protection.name, protection.subtree, False, protection.except_categories)
        for protection in CATALOG.protections
    ]


ESSENTIALS = shipped_essentials()
TEXTS = [names.to_text(one.name) for one in ESSENTIALS]
PARENTS = sorted(
    {
        names.to_text(above)
        for one in ESSENTIALS
        for above in list(names.suffixes(one.name))[1:-1]
        if not is_public_suffix(key_from_name(above) or b"")
    }
    - set(TEXTS)
)
TOPS = sorted({text.rpartition(".")[2] for text in TEXTS})


def test_as_many_names_are_essential_as_were_promised(policy: Policy) -> None:
    assert len({one.name for one in essentials_of(policy)}) >= LEAST
    twice = {one for one in TEXTS if TEXTS.count(one) > 1}
    assert twice == {"tongdai111.vn", "vn-cop.vn"}, "pinned, and names of help"


@pytest.mark.parametrize(
    "name",
    [
        *("moet.gov.vn", "thitotnghiepthpt.edu.vn", "csdl.edu.vn", "hcm.edu.vn", "vnedu.vn"),
        *("accounts.google.com", "login.microsoftonline.com", "login.live.com", "idmsa.apple.com"),
        *("update.googleapis.com", "windowsupdate.com", "swcdn.apple.com", "deb.debian.org"),
        *("aus5.mozilla.org", "security.ubuntu.com", "database.clamav.net", "gdmf.apple.com"),
        *("pool.ntp.org", "time.windows.com", "ocsp.digicert.com", "crl.godaddy.com", "lencr.org"),
        *(
            "ocsp.rootca1.amazontrust.com",
            "fonts.gstatic.com",
            "code.jquery.com",
            "vi.wikipedia.org",
        ),
        FEED_HOST,
    ],
)
def test_what_schools_cannot_do_without_is_essential(policy: Policy, name: str) -> None:
    above = set(names.suffixes(wire(name)))
    assert any(one.name == wire(name) or (one.subtree and one.name in above)
               for one in essentials_of(policy))  # fmt: skip


WAYS = {
    "itself": ("domains", "{}"),
    "the host alone": ("wildcard", "={}"),
    "what is beneath": ("wildcard", "*.{}"),
    "a line of a hosts file": ("hosts", "0.0.0.0 {}"),
    "an Adblock rule": ("adblock", "||{}^"),
    "an important Adblock rule": ("adblock", "||{}^$important"),
    "a zone of Unbound": ("unbound", 'local-zone: "{}." always_nxdomain'),
    "an address of dnsmasq": ("dnsmasq", "address=/{}/0.0.0.0"),
    "an expression": ("domains", "/{}/"),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_essential_name_is_taken_from_a_list(tmp_path: Path, policy: Policy, way: str) -> None:
    form, line = WAYS[way]
    bad = inject(tmp_path, policy, (line.format(text) for text in TEXTS), form)
    assert bad.report.kept == 0
    assert bad.not_taken == len(TEXTS)
    assert bad.blocked == []


def test_a_plain_list_that_names_one_is_refused_and_what_others_wrote_is_reported(
    tmp_path: Path, policy: Policy
) -> None:
    [plain_list] = inject(tmp_path, policy, ["wikipedia.org"]).refused
    [rules] = inject(tmp_path, policy, ["||wikipedia.org^"], "adblock").refused
    assert (plain_list.severity, rules.severity) == (Severity.REFUSED, Severity.NOTE)
    assert plain_list.names == ("wikipedia.org",)


def test_nothing_beneath_an_essential_name_is_taken_from_a_list(
    tmp_path: Path, policy: Policy
) -> None:
    beneath = [f"www.{names.to_text(one.name)}" for one in ESSENTIALS if one.subtree]
    bad = inject(tmp_path, policy, beneath)
    assert bad.report.kept == 0
    assert bad.blocked == []


@pytest.mark.parametrize("line", ["{}", "*.{}"])
def test_a_parent_is_blocked_without_the_essential_name(
    tmp_path: Path, policy: Policy, line: str
) -> None:
    bad = inject(tmp_path, policy, map(line.format, PARENTS), "wildcard")
    assert bad.asking.closed(wire("www.colorado.edu"))
    assert not bad.asking.closed(wire("phet.colorado.edu"))
    assert bad.blocked == []


def test_a_parent_on_the_publishers_own_list_takes_the_name_with_it_and_is_found(
    tmp_path: Path, policy: Policy
) -> None:
    [found] = inject(tmp_path, policy, ["colorado.edu"], own=True).blocked
    assert (found.severity, found.names[0]) == (Severity.REFUSED, "phet.colorado.edu")


@pytest.mark.parametrize("line", ["{}", ".{}", "*.{}", "={}"])
@pytest.mark.parametrize("own", [False, True])
def test_the_top_level_above_it_is_not_taken(
    tmp_path: Path, policy: Policy, line: str, own: bool
) -> None:
    bad = inject(tmp_path, policy, map(line.format, TOPS), "wildcard", own=own)
    assert bad.report.kept == 0
    assert bad.not_taken == len(TOPS)
    assert bad.blocked == []


def test_no_look_alike_rule_reaches_an_essential_name(tmp_path: Path, policy: Policy) -> None:
    """The rule is made of the very letters of the name; families with digits reach less."""
    rules, fit = [], []
    for one in ESSENTIALS:
        first, *above = names.labels(one.name)
        shape = plain(first)
        assert shape is not None
        if says_enough(shape):
            fit.append(one)
        suffix = names.from_labels(tuple(above))
        rules.append(LookalikeRule(shape, 1, frozenset([suffix])))
    source = ListSource("bad", LOCKED, "domains", "", names=(), lookalikes=tuple(rules))
    bad = injected(tmp_path, policy, source)
    assert bad.blocked == []
    reached = sum(bool(bad.asking.index.lookup(one.name)) for one in fit)
    assert reached > 0.9 * len(fit) > 500
    control = injected(tmp_path, replace(policy, pins=(), protections=()), source)
    assert control.asking.closed(wire("google.com"))


def test_an_alias_to_an_essential_name_answers_whatever_a_list_contains(
    tmp_path: Path, policy: Policy
) -> None:
    for lines in (TEXTS, PARENTS):
        asking = inject(tmp_path, policy, lines).asking
        assert [one for one in ESSENTIALS if asking.closes_target(one.name)] == []


def test_control_without_guards_every_way_closes_every_name(tmp_path: Path, policy: Policy) -> None:
    """So it is pins and protections that keep them open, and the check would find it."""
    open_to_all = replace(policy, pins=(), protections=(), rewrites=())
    lines = "".join(f"{text}\n" for text in TEXTS)
    (tmp_path / "bad.txt").write_text(lines)
    source = ListSource("bad", LOCKED, "domains", str(tmp_path / "bad.txt"))
    compile_lists([source], pins=(), protections=(), target=tmp_path / "index", now=NOW)
    asking = Asking(open_to_all, Index.open(tmp_path / "index"), NOW)
    spared = [one.name for one in ESSENTIALS if not asking.closed(one.name)]
    assert all(is_public_suffix(key_from_name(name) or b"") for name in spared)
    assert len(spared) < 0.1 * len(ESSENTIALS)
    # What is essential is asked of the version before, too: this one has forgotten all of it.
    before = inject(tmp_path, policy, []).asking
    forgotten = list(blocked_essentials(asking, [before], {"bad"}))
    assert [one.severity for one in forgotten] == [Severity.HELD]
    assert forgotten[0].numbers["count"] >= len(TEXTS) - len(spared)


def test_a_list_of_the_publishers_own_is_not_bound_and_found(
    tmp_path: Path, policy: Policy
) -> None:
    [found] = inject(tmp_path, policy, TEXTS, own=True).blocked
    assert found.severity is Severity.REFUSED
    spared = {one.name for one in load_help_names()}  # which no such list closes
    spared |= {name for text in TEXTS if is_public_suffix(key_from_name(name := wire(text)) or b"")}
    protected = sum(
        1 + one.subtree for one in ESSENTIALS if not one.pinned and one.name not in spared
    )
    assert found.numbers["count"] == pytest.approx(protected, rel=0.03)


def test_an_order_closes_what_is_protected_and_nothing_that_is_pinned(
    tmp_path: Path, policy: Policy
) -> None:
    bad = inject(tmp_path, policy, TEXTS, own=True, category="law-ordered", list_id="order:1")
    assert bad.blocked == []
    assert bad.asking.closed(wire("wikipedia.org"))
    pinned = [one for one in ESSENTIALS if one.pinned]
    assert not any(bad.asking.closed(one.name) for one in pinned)


@pytest.mark.control
def test_control_the_same_names_in_a_list_of_that_category_are_no_order(
    tmp_path: Path, policy: Policy
) -> None:
    [found] = inject(tmp_path, policy, TEXTS, own=True, category="law-ordered").blocked
    assert found.severity is Severity.REFUSED


def test_a_list_of_a_category_that_may_name_it_does_no_wrong(
    tmp_path: Path, policy: Policy
) -> None:
    zalo = inject(tmp_path, policy, ["zalo.me"], category="social-media")
    assert zalo.asking.closed(wire("zalo.me"))
    assert (zalo.blocked, zalo.refused) == ([], [])


def a_small_policy(*protected: str, pinned: str = "pinned.example") -> Policy:
    return a_policy(pins=[a_pin(pinned)], protections=map(a_protection, protected))


def test_what_may_close_a_name_in_any_version_may_close_its_twin() -> None:
    twin = SafeSearchRewrite("safe_search", "on", wire("twin.example"), (wire("video.example"),))
    policy, before = (
        a_policy(protections=[a_protection("video.example", but=[but])])
        for but in ("games", "porn")
    )
    *_, target = essentials_of(replace(policy, rewrites=(twin,)), [before])
    assert target == Essential(twin.target, False, False, frozenset(("games", "porn")))


def test_what_a_school_closes_beneath_an_essential_name_is_its_affair(tmp_path: Path) -> None:
    new = inject(tmp_path, a_small_policy("bank.example"), ["login.bank.example"], own=True).asking
    [held] = closed_beneath(new, [], {"bad"})
    assert (held.severity, held.names) == (Severity.HELD, ("login.bank.example",))
    assert list(closed_beneath(new, [], {"other"})) == []


def test_beneath_a_host_that_is_essential_alone_lists_may_close_names(tmp_path: Path) -> None:
    alone = a_policy(protections=[a_protection("bank.example", subtree=False)])
    new = inject(tmp_path, alone, ["login.bank.example"], own=True).asking
    assert new.closed(wire("login.bank.example"))
    assert list(closed_beneath(new, [], {"bad"})) == []


def test_a_pin_that_becomes_a_protection_is_still_asked_for_as_a_pin(tmp_path: Path) -> None:
    before = inject(tmp_path, a_small_policy(), []).asking
    policy = a_small_policy("pinned.example", pinned="other.example")
    order = {"own": True, "category": "law-ordered", "list_id": "order:1"}
    asking = inject(tmp_path, policy, ["pinned.example"], **order).asking  # type: ignore[arg-type]
    assert {
        essential.severity for essential in blocked_essentials(asking, [before], {"order:1"})
    } == {Severity.HELD}


SUFFIXES = public_suffixes()
SAMPLE = [names.to_text(name) for name in SUFFIXES[:: len(SUFFIXES) // 500]]
OF_COMPANIES = [
    names.to_text(one) for one in SUFFIXES if is_company_suffix(key_from_name(one) or b"")
]
SINGLE = [*(names.to_text(name) for name in top_level_names()), "localhost", "printer", "x", "*"]


@pytest.mark.parametrize("form", ["domains", "wildcard", "hosts", "dnsmasq", "unbound", "adblock"])
@pytest.mark.parametrize("own", [False, True])
def test_no_rule_of_one_label_is_taken(
    tmp_path: Path, policy: Policy, form: str, own: bool
) -> None:
    line = next((line for way, line in WAYS.values() if way == form), "{}")
    bad = inject(tmp_path, policy, map(line.format, SINGLE), form, own=own)
    assert bad.report.kept == 0
    assert len(SINGLE) > 1_400
    if form == "wildcard":
        assert bad.not_taken == len(SINGLE)
        assert [one.severity for one in bad.refused] == [Severity.REFUSED]


@pytest.mark.parametrize("line", ["{}", "={}", "*.{}"])
@pytest.mark.parametrize("own", [False, True])
def test_no_suffix_under_which_strangers_register_is_taken(
    tmp_path: Path, policy: Policy, line: str, own: bool
) -> None:
    bad = inject(tmp_path, policy, map(line.format, SAMPLE), "wildcard", own=own)
    assert len(SAMPLE) >= 500
    assert bad.report.kept == 0
    assert bad.not_taken == len(SAMPLE)
    assert [one.severity for one in bad.refused] == [Severity.REFUSED]
    assert list(listed_suffixes(bad.asking)) == []


@pytest.mark.parametrize("line", ["*", ".", "*.*", "||*^", "/.*/", "||^", "0.0.0.0 .com"])
def test_no_rule_of_everything_is_taken(tmp_path: Path, policy: Policy, line: str) -> None:
    for form in ("domains", "wildcard", "adblock", "hosts"):
        assert inject(tmp_path, policy, [line], form).report.kept == 0, form


def test_a_suffix_that_the_compiler_lets_through_is_found(
    tmp_path: Path, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: another check looks into what was compiled."""
    monkeypatch.setattr(intake, "public_suffix_test", lambda: lambda _key: False)
    bad = inject(tmp_path, policy, ["com.vn", "github.io", "other.example"])
    [found] = listed_suffixes(bad.asking)
    assert (found.severity, found.names) == (Severity.REFUSED, ("com.vn", "github.io"))


def test_a_suffix_may_be_protected_and_not_pinned(tmp_path: Path) -> None:
    """``edu.vn`` is protected as a whole; a pin of it would open every look-alike there."""
    pins = [a_pin("health.vn", subtree=True), a_pin("com.vn")]
    policy = a_policy(pins=pins, protections=[a_protection("edu.vn")])
    [found] = listed_suffixes(inject(tmp_path, policy, []).asking)
    assert (found.severity, found.names) == (Severity.REFUSED, ("health.vn",))


@pytest.mark.parametrize(
    ("lines", "severity"),
    [
        (["github.io"], Severity.NOTE),
        (["*.github.io", "=github.io"], Severity.NOTE),
        (["github.io", "com.vn"], Severity.REFUSED),
        (["github.io", "com"], Severity.REFUSED),
        (SAMPLE[:25], Severity.REFUSED),
        (OF_COMPANIES[:20], Severity.NOTE),
        (OF_COMPANIES[:21], Severity.REFUSED),  # a report quotes twenty
    ],
)
def test_only_a_few_suffixes_of_companies_may_be_news_to_the_publisher(
    tmp_path: Path, policy: Policy, lines: list[str], severity: Severity
) -> None:
    [found] = inject(tmp_path, policy, lines, "wildcard").refused
    assert found.severity is severity


def test_entries_of_the_schools_own_lists_are_its_affair(tmp_path: Path, policy: Policy) -> None:
    report = inject(tmp_path, policy, ["com", "google.com"]).report
    assert list(refused_entries([report], {"other"})) == []


SHIPS = replace(
    a_policy(
        pins=[a_pin("pinned.vn"), a_pin("exam.vn", subtree=True)],
        protections=[a_protection("bank.vn"), a_protection("search.vn")],
    ),
    rewrites=(
        SafeSearchRewrite("safe_search", "on", wire("safe.search.vn"), (wire("www.search.vn"),)),
    ),
)


def found(name: str, target: str, level: str = "on") -> list[Severity]:
    rewrites = (
        *SHIPS.rewrites,
        SafeSearchRewrite("safe_search", level, wire(target), (wire(name),)),
    )
    policy = replace(SHIPS, pins=(), protections=(), rewrites=rewrites)  # it has forgotten them
    return [rewrite.severity for rewrite in wrong_rewrites(policy, [SHIPS])]


@pytest.mark.parametrize(
    ("name", "target", "severity"),
    [
        ("www.search.vn", "safe.search.vn", None),
        ("www.search.vn", "other.search.vn", Severity.REFUSED),
        ("www.search.vn", "evil.example", Severity.REFUSED),
        ("mail.search.vn", "safe.search.vn", Severity.REFUSED),
        ("bank.vn", "evil.example", Severity.REFUSED),
        ("pinned.vn", "safe.pinned.vn", Severity.REFUSED),
        ("www.pinned.vn", "safe.pinned.vn", None),
        ("www.exam.vn", "safe.exam.vn", Severity.REFUSED),
        ("www.other.com.vn", "safe.other.com.vn", None),
        ("www.other.com.vn", "safe.com.vn", Severity.HELD),
        ("www.other.vn", "evil.example", Severity.HELD),
        ("a.blogspot.com", "b.blogspot.com", Severity.HELD),
    ],
)
def test_a_rewrite_leads_where_it_may(name: str, target: str, severity: Severity | None) -> None:
    assert found(name, target) == ([severity] if severity else [])


def test_what_ships_for_one_setting_does_not_ship_for_another() -> None:
    assert found("www.search.vn", "safe.search.vn", "off") == [Severity.REFUSED]

# SPDX-License-Identifier: Apache-2.0
"""Names that must be blocked: those of the lists, canaries, expectations of the school."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from filterd.feed.guard.candidate import Asking
from filterd.feed.guard.impact import Compared
from filterd.feed.guard.judgement import Severity
from filterd.feed.guard.must_block import (
    QUESTIONS,
    forgotten_canaries,
    open_canaries,
    opened_by_pins,
    opened_canaries,
    questions,
    unmet_expectations,
    wrong_answers,
)
from filterd.lists.rules import ListSource
from filterd.policy.model import LIST, Audience, Expectation
from tests.support.policies import (
    NOW,
    a_pin,
    a_policy,
    a_protection,
    allow,
    an_index,
    block,
    wire,
)

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.feed.guard.judgement import Finding
    from filterd.feed.guard.must_block import GoldenQuestion
    from filterd.lists.rules import Pin, Protection
    from filterd.policy.model import LocalRule, Policy


def a_list(folder: Path, *lines: str, form: str = "domains", list_id: str = "games") -> ListSource:
    path = folder / f"{list_id}.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return ListSource(list_id, "games", form, str(path))


def names_asked(*lists: ListSource) -> set[bytes]:
    return {question.name for question in questions(lists)}


def texts(*names: str) -> set[bytes]:
    return set(map(wire, names))


def test_an_entry_is_asked_for_itself_and_for_what_is_beneath_it(tmp_path: Path) -> None:
    asked = names_asked(a_list(tmp_path, "# none", "", "One.example  # one", "đố.example"))
    own = texts("one.example", "xn--fea643m.example")
    assert {name for name in asked if b"golden" not in name} == own
    assert {name for name in asked if b"golden" in name} == {b"\x06golden" + one for one in own}


def test_what_an_entry_does_not_mean_is_not_asked(tmp_path: Path) -> None:
    exact = a_list(tmp_path, "=one.example", form="wildcard")
    assert names_asked(exact) == texts("one.example")


def test_lists_that_are_not_plain_are_not_read(tmp_path: Path) -> None:
    assert names_asked(a_list(tmp_path, "||one.example^", "two.example", form="adblock")) == set()


def test_a_list_that_has_its_names_without_a_file_is_not_read(tmp_path: Path) -> None:
    service = replace(a_list(tmp_path, "one.example"), names=((1, wire("one.example")),))
    assert names_asked(service) == set()


def test_lines_are_drawn_from_the_whole_of_a_list_and_of_each(tmp_path: Path) -> None:
    long = a_list(tmp_path, *(f"n{at:06}.example" for at in range(50_000)))
    short = a_list(tmp_path, "short.example", list_id="short")
    asked = sorted(name for name in names_asked(long, short) if b"golden" not in name)
    numbers = [int(name[2:8]) for name in asked if name[1:2] == b"n"]
    assert wire("short.example") in asked
    assert len(asked) >= QUESTIONS * 0.95
    steps = [after - before for before, after in pairwise(numbers)]
    assert numbers[0] == 0
    assert numbers[-1] > 49_900
    assert max(steps) < 70


def test_every_line_of_a_short_list_is_asked_for_once(tmp_path: Path) -> None:
    lines = [f"n{at}.example" for at in range(15)]
    asked = list(questions([a_list(tmp_path, *lines)]))
    assert {question.name for question in asked} >= texts(*lines)
    assert len(asked) == len(set(asked)) == 30


class World:
    """A list by its text, and an index that another text was compiled to."""

    def __init__(self, folder: Path, *lines: str) -> None:
        self._folder = folder
        self.asked: list[GoldenQuestion] = list(questions([a_list(folder, *lines)]))

    def judge(
        self,
        *lines: str,
        form: str = "domains",
        pins: tuple[Pin, ...] = (),
        protections: tuple[Protection, ...] = (),
        rules: tuple[LocalRule, ...] = (),
        more: tuple[str, ...] = (),
    ) -> list[Finding]:
        """Judge an index of these lines by what the text asks."""
        lists = {
            "games": ("games", form, False, list(lines)),
            "theirs": ("games", "adblock", False, list(more)),
        }
        policy = a_policy(pins=pins, protections=protections, rules=rules, also_closed=["games"])
        asking = Asking(policy, an_index(self._folder, lists), NOW)
        return list(wrong_answers(asking, self.asked))


LINES = [f"n{at}.example" for at in range(200)]


def test_an_index_that_equals_its_lists_is_right(tmp_path: Path) -> None:
    assert World(tmp_path, *LINES).judge(*LINES) == []


def test_a_name_that_the_index_has_lost_is_found(tmp_path: Path) -> None:
    [found] = World(tmp_path, *LINES).judge(*LINES[:-1])
    assert found.severity is Severity.REFUSED
    assert found.names == ("n199.example", "golden.n199.example")


def test_an_index_that_has_the_names_without_what_is_beneath_them_is_found(tmp_path: Path) -> None:
    [found] = World(tmp_path, *LINES).judge(*(f"={one}" for one in LINES), form="wildcard")
    assert found.numbers == {"asked": 400, "wrong": 200}


def test_an_index_that_closes_what_no_list_has_is_found(tmp_path: Path) -> None:
    [found] = World(tmp_path, *LINES).judge(*LINES, "filterd-golden.example")
    assert found.severity is Severity.REFUSED
    assert found.names[0] == "unlisted-0.filterd-golden.example"
    assert found.numbers == {"wrong": QUESTIONS - 400}, "with those of the list so many"


@pytest.mark.parametrize(("count", "held"), [(4, 0), (5, 1)])
def test_only_a_few_names_may_be_overruled_by_the_version_itself(
    tmp_path: Path, count: int, held: int
) -> None:
    protections = tuple(a_protection(one) for one in LINES[:count])
    found = World(tmp_path, *LINES).judge(*LINES, protections=protections)
    assert len(found) == held
    assert all(one.severity is Severity.HELD for one in found)
    pins = tuple(a_pin(one, subtree=True) for one in LINES[:count])
    assert len(World(tmp_path, *LINES).judge(*LINES, pins=pins)) == held


@pytest.mark.parametrize(("count", "held"), [(4, 0), (5, 1)])
def test_exceptions_of_a_list_overrule_few_of_its_names(
    tmp_path: Path, count: int, held: int
) -> None:
    lines = [f"||{one}^" for one in LINES] + [f"@@||{one}^" for one in LINES[:count]]
    found = World(tmp_path, *LINES).judge(*lines, form="adblock")
    assert [one.severity for one in found] == [Severity.HELD] * held


def test_exceptions_of_a_list_of_the_school_are_no_fault_of_the_version(tmp_path: Path) -> None:
    world, more = World(tmp_path, *LINES), tuple(f"@@||{one}^" for one in LINES)
    assert world.judge(*LINES, more=more) == []
    world.asked += questions([a_list(tmp_path, LINES[0], list_id="theirs")])
    [held] = world.judge(*LINES, more=more)
    assert held.severity is Severity.HELD, "a list of the version it is"


def test_a_list_that_a_grade_has_open_closes_nothing_to_it(tmp_path: Path) -> None:
    policy = a_policy(also_closed=["games"])
    grades = {
        key: replace(grade, opened=grade.opened | {LIST + "games"})
        for key, grade in policy.grades.items()
    }
    lists = {"games": ("games", "domains", False, LINES)}
    index = an_index(tmp_path, lists)
    asked = list(questions([a_list(tmp_path, *LINES)]))
    opened = Asking(replace(policy, grades=grades), index, NOW)
    assert not opened.closed(wire(LINES[0]))
    assert list(wrong_answers(opened, asked)) == []


def test_what_a_school_has_opened_itself_is_no_fault_of_the_version(tmp_path: Path) -> None:
    rules = tuple(allow(one) for one in LINES[:100])
    assert World(tmp_path, *LINES).judge(*LINES, rules=rules) == []


def test_a_name_of_255_octets_has_nothing_beneath_it(tmp_path: Path) -> None:
    longest = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 53, "example"])
    world = World(tmp_path, longest)
    assert [len(question.name) for question in world.asked] == [255]
    assert world.judge(longest) == []


LISTS = {
    "porn": ("porn", "domains", False, ["a.porn.example", "b.porn.example"]),
    "malware": ("malware", "domains", False, ["a.bad.example"]),
    "games": ("games", "domains", False, ["a.game.example"]),
    "ads": ("ads-trackers", "domains", False, ["a.ads.example"]),
}
TWENTY = [f"c{number}.example" for number in range(20)]
MADE = "games.blocked.filterd.example"
CANARIES = {
    "porn": (wire("a.porn.example"), wire("b.porn.example")),
    "malware": (wire("a.bad.example"),),
    "games": (wire("a.game.example"), wire("b.game.example")),
    "ads-trackers": (wire("a.ads.example"),),
}


def asking(folder: Path, policy: Policy | None = None, *without: str) -> Asking:
    kept = {
        list_id: (category, form, own, [line for line in lines if line not in without])
        for list_id, (category, form, own, lines) in LISTS.items()
    }
    return Asking(policy or a_policy(), an_index(folder, kept), NOW)


def judged(asking: Asking, canaries: dict[str, tuple[bytes, ...]] | None = None) -> list[Finding]:
    found = list(open_canaries(asking, canaries or CANARIES, LISTS.keys()))
    assert all(finding.severity is Severity.REFUSED for finding in found)
    return found


def test_canaries_that_are_blocked_are_fine(tmp_path: Path) -> None:
    assert judged(asking(tmp_path)) == []


def test_one_canary_of_what_the_law_closes_to_all_is_enough(tmp_path: Path) -> None:
    [found] = judged(asking(tmp_path, None, "b.porn.example"))
    assert found.names == ("b.porn.example",)
    assert found.numbers == {"count": 1, "asked": 2}


def test_of_other_categories_one_that_is_blocked_is_enough(tmp_path: Path) -> None:
    """``b.game.example`` is on no list, which is no finding."""
    assert judged(asking(tmp_path)) == []
    [found] = judged(asking(tmp_path, None, "a.game.example"))
    assert found.names == ("a.game.example", "b.game.example")


def test_a_category_that_is_closed_to_no_grade_must_have_its_names_all_the_same(
    tmp_path: Path,
) -> None:
    [found] = judged(asking(tmp_path, None, "a.ads.example"))
    assert found.names == ("a.ads.example",)


def test_a_locked_category_must_have_names_to_ask_for(tmp_path: Path) -> None:
    [found] = judged(asking(tmp_path), {**CANARIES, "malware": ()})
    assert "malware" in found.sentence
    without = {key: some for key, some in CANARIES.items() if key not in ("games", "ads-trackers")}
    assert judged(asking(tmp_path), without) == []


def test_a_locked_category_without_any_list_need_not(tmp_path: Path) -> None:
    lists = asking(tmp_path, None, "a.bad.example")
    assert judged(lists, {**CANARIES, "malware": ()}) == []


def test_an_exception_of_the_school_is_its_own_will(tmp_path: Path) -> None:
    rules = [allow("a.game.example"), allow("b.game.example", Audience.GRADE, "1")]
    assert judged(asking(tmp_path, a_policy(rules=rules))) == []


def test_the_index_is_asked_only_where_a_category_is_closed_to_nobody(tmp_path: Path) -> None:
    """No list has these; the school has opened them, or closed them, itself."""
    for number, by_school in enumerate((allow, block)):
        folder = tmp_path / str(number)
        folder.mkdir()
        policy = a_policy(rules=[by_school("a.game.example"), by_school("b.game.example")])
        assert judged(asking(folder, policy, "a.game.example")) == []


def test_a_protection_that_opens_a_canary_is_not(tmp_path: Path) -> None:
    policy = a_policy(protections=[a_protection("bad.example")])
    assert [one.names for one in judged(asking(tmp_path, policy))] == [("a.bad.example",)]


def test_of_lists_beside_a_feed_no_name_of_the_feed_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "before").mkdir()
    before, theirs = asking(tmp_path / "before"), frozenset(("games",))
    new = asking(tmp_path, None, "a.game.example", "a.porn.example")
    compared = Compared(new, before, theirs, theirs)
    asked, closed = list[bytes](), Asking.closed

    def noting(one: Asking, name: bytes) -> Any:
        asked.append(name)
        return closed(one, name)

    monkeypatch.setattr(Asking, "closed", noting)
    [found] = opened_canaries(compared, compared, {})
    assert found.names == ("a.game.example",)
    assert "that the version in force closes" in found.sentence
    assert set(asked) == {wire("a.game.example")}


@pytest.mark.parametrize(("first", "gone", "held"), [([], 2, 0), ([], 3, 1), ([MADE], 1, 1)])
def test_a_tenth_of_the_canaries_in_force_may_open_and_none_that_was_made_for_it(
    tmp_path: Path, first: list[str], gone: int, held: int
) -> None:
    versions, had = list[Asking](), [*first, *TWENTY]
    for folder, names in (("before", had), ("new", had[gone:])):
        (tmp_path / folder).mkdir()
        lists = {"games": ("games", "domains", False, names)}
        versions.append(Asking(a_policy(), an_index(tmp_path / folder, lists), NOW))
    before, new = versions
    ids = frozenset(("games",))
    asked = {"games": tuple(map(wire, had))}
    shipped = Compared(new, new, ids, ids)
    found = list(opened_canaries(Compared(new, before, ids, ids), shipped, asked))
    assert [one.names for one in found] == [tuple(had[:gone])] * held
    assert list(opened_canaries(None, shipped, asked)) == []


def expecting(*blocked: str, passing: str = "www.other.example") -> Policy:
    """Return a policy that expects names to be blocked for everybody, and one to pass."""
    wanted = [*((name, True) for name in blocked), (passing, False)]
    expectations = [
        Expectation(wire(name), is_blocked, Audience.EVERYBODY, "", name, "site.yaml", 1)
        for name, is_blocked in wanted
    ]
    return replace(a_policy(), expectations=tuple(expectations))


def unmet(folder: Path, policy: Policy, before: Asking | None, *without: str) -> list[Finding]:
    return list(unmet_expectations(asking(folder, policy, *without), before, NOW))


def test_a_met_expectation_of_a_school_is_no_finding(tmp_path: Path) -> None:
    policy = expecting("a.porn.example")
    assert unmet(tmp_path, policy, None) == []


def test_what_a_school_expects_and_would_not_get_any_more_keeps_the_version_away(
    tmp_path: Path,
) -> None:
    policy = expecting("a.porn.example", "b.porn.example")
    (tmp_path / "before").mkdir()
    before = asking(tmp_path / "before", policy)
    [found] = unmet(tmp_path, policy, before, "a.porn.example")
    assert (found.kind, found.severity) == ("expectations", Severity.REFUSED)
    assert found.names == ("a.porn.example",)


@pytest.mark.parametrize(("shipped", "refused"), [(True, 0), (False, 1)])
def test_what_ships_yields_to_exceptions_of_the_school(
    tmp_path: Path, shipped: bool, refused: int
) -> None:
    name = "a.game.example"
    wanted = replace(expecting(name).expectations[0], shipped=shipped)
    policy = a_policy(rules=[allow(name)], also_closed=["games"])
    found = unmet(tmp_path, replace(policy, expectations=(wanted,)), None)
    assert [one.names for one in found] == [(name,)] * refused


def test_what_is_not_met_today_either_keeps_nothing_away(tmp_path: Path) -> None:
    policy = expecting("never.example")
    assert len(unmet(tmp_path, policy, None)) == 1
    (tmp_path / "before").mkdir()
    assert unmet(tmp_path, policy, asking(tmp_path / "before", policy)) == []


@pytest.mark.parametrize(
    ("had", "has", "gone"),
    [
        (TWENTY, TWENTY, []),
        (TWENTY, TWENTY[2:], []),
        (TWENTY, TWENTY[3:], TWENTY[:3]),
        (TWENTY, [*TWENTY[10:], *(f"new{number}.example" for number in range(8))], []),
        (TWENTY, [*TWENTY[11:], *(f"new{number}.example" for number in range(11))], TWENTY[:11]),
        ([MADE, *TWENTY], TWENTY, [MADE]),
        ([MADE, *TWENTY], [MADE, *TWENTY[1:]], []),
        (TWENTY[:12], TWENTY[1:12], []),
        (TWENTY[:12], TWENTY[2:12], TWENTY[:2]),
        (["one.example"], [], ["one.example"]),
        (["one.example", "two.example"], ["two.example"], []),
        ([], TWENTY, []),
    ],
)
def test_a_version_asks_for_no_less_than_the_one_before(
    had: list[str], has: list[str], gone: list[str]
) -> None:
    new, before = {"games": tuple(map(wire, has))}, {"games": tuple(map(wire, had))}
    found = list(forgotten_canaries(new, before))
    assert [one.subjects for one in found] == (
        [tuple(f"-games {name}" for name in gone)] if gone else []
    )
    for one in found:
        assert (one.kind, one.severity) == ("canaries", Severity.HELD)
        assert one.numbers == {"count": len(gone), "asked": len(had)}


def test_a_category_that_is_asked_for_by_nothing_any_more_is_found() -> None:
    [found] = forgotten_canaries({}, {"games": (wire("a.example"),)})
    assert found.names == ("a.example",)
    assert str(found.sentence) == (
        "category games: 1 of 1 names to ask for are forgotten: a.example"
    )


@pytest.mark.parametrize(
    ("pinned", "subtree", "opened"),
    [
        ("a.porn.example", False, ["a.porn.example"]),
        ("porn.example", True, ["a.porn.example", "b.porn.example"]),
        ("porn.example", False, []),
        ("a.ads.example", False, []),
        ("new.example", True, []),
    ],
)
def test_a_new_pin_opens_nothing_that_is_closed(
    tmp_path: Path, pinned: str, subtree: bool, opened: list[str]
) -> None:
    (tmp_path / "before").mkdir()
    known = a_pin("b.game.example")
    pins = [known, a_pin(pinned, subtree=subtree)]
    before, new = (
        asking(tmp_path / "before", a_policy(pins=[known])),
        asking(tmp_path, a_policy(pins=pins)),
    )
    ids = frozenset(one.id for one in before.index.lists)
    found = list(opened_by_pins(Compared(new, before, ids, ids)))
    assert [one.names for one in found] == ([tuple(opened)] if opened else [])
    for one in found:
        assert (one.kind, one.severity) == ("tables", Severity.HELD)
        assert one.subjects == tuple(f"+pins {name}" for name in opened)
        assert one.numbers == {"count": len(opened)}
    assert list(opened_by_pins(Compared(new, new, ids, ids))) == []

# SPDX-License-Identifier: Apache-2.0
"""Names that must be blocked, by whom a category is closed to, and what a school expects."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from filterd.feed.guard.canaries import (
    open_canaries,
    opened_canaries,
    unmet_expectations,
)
from filterd.feed.guard.guard_report import Severity
from filterd.feed.guard.impact import Compared
from filterd.feed.guard.probe_clients import Asking
from filterd.policy.model import Audience, Expectation
from tests.support.policies import NOW, a_policy, a_protection, allow, an_index, wire

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from filterd.feed.guard.guard_report import Finding
    from filterd.policy.model import Policy

LISTS = {
    "porn": ("porn", "domains", False, ["a.porn.example", "b.porn.example"]),
    "malware": ("malware", "domains", False, ["a.bad.example"]),
    "games": ("games", "domains", False, ["a.game.example"]),
    "ads": ("ads-trackers", "domains", False, ["a.ads.example"]),
}
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


def judged(one: Asking, canaries: dict[str, tuple[bytes, ...]] | None = None) -> list[Finding]:
    found = list(open_canaries(one, canaries or CANARIES, LISTS.keys()))
    assert all(finding.severity is Severity.REFUSED for finding in found)
    return found


def test_canaries_that_are_blocked_are_fine(tmp_path: Path) -> None:
    assert judged(asking(tmp_path)) == []


def test_one_canary_of_what_the_law_closes_to_all_is_enough(tmp_path: Path) -> None:
    [found] = judged(asking(tmp_path, None, "b.porn.example"))
    assert found.names == ("b.porn.example",)
    assert found.numbers == {"count": 1, "asked": 2}


def test_of_other_categories_one_that_is_blocked_is_enough(tmp_path: Path) -> None:
    """``b.game.example`` is on no list, and nobody minds."""
    assert judged(asking(tmp_path)) == []
    [found] = judged(asking(tmp_path, None, "a.game.example"))
    assert found.names == ("a.game.example", "b.game.example")


def test_a_category_that_is_closed_to_nobody_must_have_its_names_all_the_same(
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


def test_what_a_school_expects_and_gets_is_nothing_to_tell(tmp_path: Path) -> None:
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


def test_what_is_not_met_today_either_keeps_nothing_away(tmp_path: Path) -> None:
    policy = expecting("never.example")
    assert len(unmet(tmp_path, policy, None)) == 1
    (tmp_path / "before").mkdir()
    assert unmet(tmp_path, policy, asking(tmp_path / "before", policy)) == []

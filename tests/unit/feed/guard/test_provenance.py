# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.feed.guard import checks
from filterd.feed.guard.candidate import Asking
from filterd.feed.guard.judgement import Severity
from filterd.feed.guard.provenance import PROVENANCE, orders_by_unknown_key, unsigned_orders
from filterd.lists.catalogs.catalog_tables import PopularName
from filterd.lists.rules import is_order
from tests.support.broken_versions import POPULAR, an_order, data_of, stolen
from tests.support.feed_candidates import Following
from tests.support.policies import NOW, a_pin, a_policy, a_protection, an_index, wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from filterd.feed.guard.judgement import Finding, Judgement

ORDER, ORDERED = "order:1/CV", "law-ordered"
CLOSED = ("google.com", "accounts.google.com", "login.microsoftonline.com", "wikipedia.org")


def asking(
    folder: Path, list_id: str, *lines: str, form: str = "domains", category: str = ORDERED
) -> Asking:
    """Return a version with one list, beside what is pinned and protected."""
    folder.mkdir(exist_ok=True)
    index = an_index(folder, {list_id: (category, form, True, [*lines])})
    policy = a_policy(pins=[a_pin("help.example")], protections=[a_protection("bank.example")])
    return Asking(policy, index, NOW)


def found_in(version: Asking) -> list[Finding]:
    return list(unsigned_orders(version, {one.id for one in version.index.lists}))


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("domains", "a.example"),
        ("hosts", "0.0.0.0 a.example"),
        ("wildcard", "=a.example"),
        ("adblock", "||a.example^"),
        ("adblock", "@@||a.example^"),
    ],
)
def test_an_ordered_category_takes_no_line_that_the_authority_has_not_signed(
    tmp_path: Path, form: str, line: str
) -> None:
    [found] = found_in(asking(tmp_path, "starter-law-ordered", line, form=form))
    assert (found.kind, found.severity) == (PROVENANCE, Severity.REFUSED)
    assert found.subjects == ("law-ordered starter-law-ordered",)


def test_an_order_an_empty_list_and_a_list_of_another_category_are_welcome(tmp_path: Path) -> None:
    assert found_in(asking(tmp_path, "order-1", "# none yet")) == []
    assert found_in(asking(tmp_path, "order:1", "a.example")) == []
    assert found_in(asking(tmp_path, "games", "a.example", category="games")) == []


def test_a_rule_of_look_alikes_is_no_order(tmp_path: Path) -> None:
    index = an_index(tmp_path, {}, lookalikes={ORDERED: ["i9bet#"]})
    [found] = found_in(Asking(a_policy(), index, NOW))
    assert found.severity is Severity.REFUSED


def test_a_list_of_the_school_is_its_own_affair(tmp_path: Path) -> None:
    assert list(unsigned_orders(asking(tmp_path, "mine", "a.example"), set())) == []


@pytest.mark.parametrize(
    ("list_id", "order"),
    [("order:12/QD", True), ("order-12", False), ("service:order:1", False), ("web:order", False)],
)
def test_an_id_tells_an_order(list_id: str, order: bool) -> None:
    assert is_order(list_id) is order


POPULAR_NAMES = [PopularName(wire("popular.example"))]


@pytest.mark.parametrize("name", ["bank.example", "login.bank.example", "popular.example"])
def test_an_unknown_key_closes_nothing_that_must_stay_open(tmp_path: Path, name: str) -> None:
    new = asking(tmp_path / "new", "order:1", name, "bad.example")
    before = asking(tmp_path / "before", "games", category="games")
    [found] = orders_by_unknown_key(new, [before], POPULAR_NAMES)
    assert (found.severity, found.subjects) == (Severity.HELD, (name,))


def test_what_is_ordered_already_waits_for_nobody(tmp_path: Path) -> None:
    new = asking(tmp_path / "new", "order:1", "bank.example")
    before = asking(tmp_path / "before", "order:1", "bank.example")
    assert list(orders_by_unknown_key(new, [before], POPULAR_NAMES)) == []
    assert (
        list(orders_by_unknown_key(asking(tmp_path / "new", "order:2", "x.example"), [], ())) == []
    )


def test_what_is_ordered_in_one_of_what_is_known_waits_for_nobody(tmp_path: Path) -> None:
    """What ships has no orders."""
    new, active = (asking(tmp_path / one, "order:1", "bank.example") for one in ("new", "active"))
    ships = asking(tmp_path / "ships", "games", category="games")
    assert list(orders_by_unknown_key(new, [active, ships], POPULAR_NAMES)) == []
    assert list(orders_by_unknown_key(new, [ships], POPULAR_NAMES)) != []


def test_what_a_list_closes_beside_orders_is_not_theirs(tmp_path: Path) -> None:
    lists = {
        "order:1": (ORDERED, "domains", True, ["bad.example"]),
        "games": ("games", "domains", True, ["popular.example"]),
    }
    new = Asking(a_policy(), an_index(tmp_path, lists), NOW)
    assert new.closed(wire("popular.example"))
    assert list(orders_by_unknown_key(new, [], POPULAR_NAMES)) == []


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Following:
    return Following(tmp_path_factory.mktemp("school"), POPULAR)


def kinds(judgement: Judgement) -> dict[str, Severity]:
    return {finding.kind: finding.severity for finding in judgement.findings}


def _service(folder: Path) -> None:
    entry = {"id": "ordered", "group": ORDERED, "name": {"vi": "x", "en": "x"}}
    data_of(
        "services.yaml", lambda data: data["services"].append({**entry, "names": ["new.example"]})
    )(folder)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(stolen("law-ordered", "unheard-of.example"), id="by law"),
        pytest.param(stolen("child-abuse", *CLOSED), id="shown nowhere"),
        pytest.param(_service, id="a service"),
    ],
)
def test_a_thief_of_the_online_keys_orders_nothing(
    school: Following, change: Callable[[Path], None]
) -> None:
    judgement = school.judge(change)
    assert kinds(judgement)[PROVENANCE] is Severity.REFUSED
    assert judgement.is_final


@pytest.mark.control
def test_control_without_the_check_an_unknown_name_would_be_closed_by_order(
    school: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "unsigned_orders", lambda *_: ())
    assert school.judge(stolen("law-ordered", "unheard-of.example")).may_come_in_force()


def test_orders_of_a_known_key_close_what_they_name(school: Following) -> None:
    assert school.judge(an_order(b"wikipedia.org\n")).may_come_in_force()


def test_orders_of_a_key_that_no_version_has_named_wait_where_they_close_much(
    school: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(school, "school", replace(school.school, orders_known=False))
    held = school.judge(an_order(b"wikipedia.org\n"))
    assert kinds(held) == {PROVENANCE: Severity.HELD}
    assert school.judge(an_order(b"unheard-of.example\n")).may_come_in_force()

# SPDX-License-Identifier: Apache-2.0
"""A register of orders becomes a list for each, named after the number of the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigErrors
from filterd.lists.catalogs import optional_lists
from filterd.lists.catalogs.optional_lists import (
    LAW_ORDERED,
    LOOKALIKES_FILE,
    MOST_ORDERS,
    load_orders,
    read_lookalikes,
    read_orders,
)
from filterd.lists.catalogs.table_additions import ADDITIONS_FILE
from filterd.lists.lookalikes import Reach
from filterd.wire import name as names

if TYPE_CHECKING:
    from pathlib import Path


NUMBER = "12/QĐ-STTTT"
ENTRY = {
    "number": NUMBER,
    "issuer": "Sở TTTT",
    "date": "2026-12-01",
    "expiry": "2027-11-30",
    "names": "orders/12.txt",
}


def _write(folder: Path, *entries: dict[str, str]) -> Path:
    (folder / "orders").mkdir(exist_ok=True)
    (folder / "orders" / "12.txt").write_text("ordered.example\n")
    lines = ["orders:"]
    for entry in entries:
        lines += [
            f"  {'-' if not at else ' '} {key}: {value}"
            for at, (key, value) in enumerate(entry.items())
        ]
    text = "\n".join(lines) if entries else "orders: []"
    (folder / "orders.yaml").write_text(text + "\n", encoding="utf-8")
    return folder


def _wrong(folder: Path) -> str:
    """Return all that is wrong, a line a problem."""
    try:
        _, problems = read_orders(folder, [LAW_ORDERED])
    except ConfigErrors as error:
        return str(error)
    return "\n".join(map(str, problems))


def test_a_folder_without_orders_is_as_it_should_be(tmp_path: Path) -> None:
    assert read_orders(tmp_path, [LAW_ORDERED]) == ((), [])
    assert read_orders(_write(tmp_path), [LAW_ORDERED]) == ((), [])


def test_an_order_is_a_list_of_its_own_that_protections_do_not_bind(tmp_path: Path) -> None:
    (one,), problems = read_orders(_write(tmp_path, ENTRY), [LAW_ORDERED])
    assert problems == []
    assert (one.id, one.category, one.own) == ("order:" + NUMBER, LAW_ORDERED, True)
    assert one.title == f"{NUMBER}, Sở TTTT, 2026-12-01"
    assert one.path == str(tmp_path / "orders" / "12.txt")


def test_an_order_that_has_expired_still_blocks(tmp_path: Path) -> None:
    past = {**ENTRY, "date": "2001-01-01", "expiry": "2001-12-31"}
    lists, problems = read_orders(_write(tmp_path, past), [LAW_ORDERED])
    assert (len(lists), problems) == (1, [])


def test_the_register_is_read_as_it_is_written(tmp_path: Path) -> None:
    _, (one,) = load_orders(_write(tmp_path, ENTRY))
    assert one.model_dump() == ENTRY


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("number", '""', "orders.yaml:2:5: number: a text of 1 to 200 characters is expected"),
        ("issuer", '"a\\nb"', "one line of text is expected"),
        ("issuer", '" a"', "one line of text is expected"),
        ("issuer", "x" * 201, "a text of 1 to 200 characters is expected"),
        ("date", "yesterday", "date"),
        ("expiry", "2026-11-30", "the order ends before it begins"),
        ("names", "../secret.txt", "names"),
        ("names", "orders/13.txt", "there is no file orders/13.txt"),
        ("colour", "red", "colour"),
    ],
)
def test_what_is_wrong_is_reported_with_its_place(
    tmp_path: Path, key: str, value: str, why: str
) -> None:
    problem = _wrong(_write(tmp_path, {**ENTRY, key: value}))
    assert why in problem
    assert "orders.yaml:" in problem


def test_two_orders_have_neither_number_nor_file_in_common(tmp_path: Path) -> None:
    problem = _wrong(_write(tmp_path, ENTRY, ENTRY))
    assert "this number occurs twice (first in line 2)" in problem
    assert "this names occurs twice (first in line 6)" in problem


def test_orders_want_their_category(tmp_path: Path) -> None:
    lists, (problem,) = read_orders(_write(tmp_path, ENTRY), ["games"])
    assert lists == ()
    assert f"there is no category '{LAW_ORDERED}'" in str(problem)


def test_there_are_only_so_many_orders_in_force(tmp_path: Path) -> None:
    many = [{**ENTRY, "number": f"{number}/QĐ"} for number in range(MOST_ORDERS + 1)]
    assert "500" in _wrong(_write(tmp_path, *many))


GOOD = """\
suffixes:
  gambling: [com, com.vn]
  scam: [top]
lookalikes:
  - {shape: "i9bet#", category: gambling, digits: 3}
  - {shape: freefire, category: scam}
"""
KNOWN = ["gambling", "scam"]


def test_rules_are_lists_of_third_parties_one_for_each_category(tmp_path: Path) -> None:
    (tmp_path / LOOKALIKES_FILE).write_text(GOOD)
    (gambling, scam), problems = read_lookalikes(tmp_path, KNOWN)
    (rule,) = gambling.lookalikes
    assert not problems
    assert (gambling.id, gambling.category, gambling.own) == (
        "lookalike:gambling",
        "gambling",
        False,
    )
    assert (rule.shape, rule.digits, rule.line) == (b"i9bet#", 3, 5)
    assert rule.suffixes == {names.from_text("com"), names.from_text("com.vn")}
    assert scam.lookalikes[0].digits == 1


def test_a_folder_without_rules_has_none(tmp_path: Path) -> None:
    assert read_lookalikes(tmp_path, KNOWN) == ((), [])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"i9bet#"', '"I9bet#"', "is not a shape of a label"),
        ('"i9bet#"', '"9#"', "is not a shape of a label"),
        ('"i9bet#"', '"i9##bet"', "is not a shape of a label"),
        ('"i9bet#"', "i9bet" + 40 * "x", "is not a shape of a label"),
        ('"i9bet#"', '"(i9bet)+"', "is not a shape of a label"),
        ("digits: 3", "digits: 70", "digits"),
        ("digits: 3", "digit: 3", "unknown key 'digit'"),
    ],
)
def test_a_value_that_no_rule_has_is_refused_with_its_place(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    (tmp_path / LOOKALIKES_FILE).write_text(GOOD.replace(old, new))
    with pytest.raises(ConfigErrors, match=f"lookalikes.yaml:5:.*{message}"):
        read_lookalikes(tmp_path, KNOWN)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("  scam: [top]", "  scams: [top]", "'scams' is not a category"),
        ("[top]", "[.top]", "'.top' is not a suffix"),
        ("freefire, category: scam", "freefire, category: games", "'games' has no suffixes"),
        ("freefire, category: scam", '"i9bet#", category: gambling', "this shape occurs twice"),
    ],
)
def test_what_depends_on_another_place_is_reported_too(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    (tmp_path / LOOKALIKES_FILE).write_text(GOOD.replace(old, new))
    lists, problems = read_lookalikes(tmp_path, KNOWN)
    assert lists == ()
    assert problem in str(problems[0])


ADDED = """\
lookalikes:
  gambling:
    near:
      - {but: [com, org], shapes: {sin88: 1, "#win": 4}}
      - {but: [org], shapes: {"@@@88": 1}}
    schools: [usd]
    parts: {lottery: ["i9bet#"]}
    later: 1
  lottery:
    near: [{but: [com], shapes: {kqxs88: 1}}]
"""
PARTS = {"lottery": "gambling"}


def test_rules_with_a_reach_stand_in_the_additions(tmp_path: Path) -> None:
    (tmp_path / ADDITIONS_FILE).write_text(ADDED)
    (gambling, lottery), problems = read_lookalikes(tmp_path, KNOWN, PARTS)
    assert not problems
    assert (gambling.id, gambling.category, gambling.own) == (
        "lookalike:near:gambling",
        "gambling",
        False,
    )
    assert [
        (lookalike.shape, lookalike.digits, lookalike.line) for lookalike in gambling.lookalikes
    ] == [
        (b"sin88", 1, 4),
        (b"#win", 4, 4),
        (b"@@@88", 1, 5),
    ]
    reaches = [lookalike.reach for lookalike in gambling.lookalikes]
    com, org = names.from_text("com"), names.from_text("org")
    assert reaches[0] == reaches[1] == Reach(frozenset((com, org)), frozenset((b"usd",)))
    assert reaches[2] == Reach(frozenset((org,)), frozenset((b"usd",)))
    assert (lottery.id, lottery.category) == ("lookalike:near:lottery", "lottery")


def test_a_rule_of_a_part_stands_in_the_table_of_its_category(tmp_path: Path) -> None:
    (tmp_path / LOOKALIKES_FILE).write_text(GOOD)
    (tmp_path / ADDITIONS_FILE).write_text(ADDED)
    lists, problems = read_lookalikes(tmp_path, KNOWN, PARTS)
    assert not problems
    assert [(one.id, one.category) for one in lists][:2] == [
        ("lookalike:lottery", "lottery"),
        ("lookalike:scam", "scam"),
    ]
    (tmp_path / ADDITIONS_FILE).unlink()
    (gambling, _), _ = read_lookalikes(tmp_path, KNOWN, PARTS)
    assert gambling.category == "gambling", "as a program that knows no parts has it"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sin88: 1", "sin-88: 1", "is not a shape of a label"),
        ("sin88: 1", "'@@8': 1", "is not a shape of a label"),
        ("sin88: 1", "sin88: 70", "sin88"),
        ("[com, org]", "[com.vn]", "is not a suffix"),
        ("[usd]", "[USD]", "schools"),
    ],
)
def test_a_value_that_no_rule_with_a_reach_has_is_refused(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    (tmp_path / ADDITIONS_FILE).write_text(ADDED.replace(old, new, 1))
    with pytest.raises(ConfigErrors, match=message):
        read_lookalikes(tmp_path, KNOWN, PARTS)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("  lottery:\n", "  lotery:\n", "'lotery' is not a category"),
        ("parts: {lottery", "parts: {vape", "'vape' is not a part of 'gambling'"),
    ],
)
def test_additions_of_another_category_are_reported(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    (tmp_path / ADDITIONS_FILE).write_text(ADDED.replace(old, new))
    lists, problems = read_lookalikes(tmp_path, KNOWN, PARTS)
    assert lists == ()
    assert problem in str(problems[0])


def test_rules_with_a_reach_are_no_more_than_a_school_can_bear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(optional_lists, "MOST_NEAR_RULES", 3)
    (tmp_path / ADDITIONS_FILE).write_text(ADDED)
    lists, problems = read_lookalikes(tmp_path, KNOWN, PARTS)
    assert (lists, len(problems)) == ((), 1)
    assert "4 rules are more than 3" in str(problems[0])

# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, get_args, get_type_hints

import pytest

from filterd.feed.followed.version_content import PARTS
from filterd.feed.guard import tables
from filterd.feed.guard.candidate import Asking
from filterd.feed.guard.impact import Compared
from filterd.feed.guard.tables import (
    MOST_HOLIDAYS,
    NOT_COMPARED,
    RULES_AND_LIMITS,
    TABLES_AND_LIMITS,
    Limit,
    changed_contacts,
    changed_rules,
    changed_tables,
    pins_of_version,
    value_of,
    wrong_holidays,
)
from filterd.lists.catalogs.catalog import Catalog, CatalogService, PublicHoliday, PublicSource
from filterd.lists.catalogs.catalog_categories import CatalogCategory
from filterd.lists.catalogs.catalog_schema import BothLanguages
from filterd.lists.catalogs.catalog_tables import Contact
from filterd.lists.catalogs.optional_lists import OrderEntry
from filterd.lists.compiler import compile_lists
from filterd.lists.index import Index, ListRecord
from filterd.lists.lookalikes import LookalikeRule, Reach
from filterd.lists.rules import ListSource, Pin, Protection, SafeSearchRewrite
from filterd.overrides.mistake_answers import MistakeAnswer
from filterd.policy.model import Category, Service
from tests.support.policies import a_pin, a_policy, a_protection, an_index, wire

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.policy.model import Policy


NOW = 1_767_225_600.0  # 2026-01-01, UTC


@pytest.mark.parametrize(
    ("share", "least", "count", "had", "allowed"),
    [(0, 0, 1, 100, False), (0, 0, 0, 100, True), (0.1, 0, 10, 100, True), (0.1, 0, 11, 100, False),
     (0.1, 20, 20, 100, True), (0.1, 20, 21, 100, False)],
)  # fmt: skip
def test_a_limit_is_a_share_or_a_count(
    share: float, least: int, count: int, had: int, allowed: bool
) -> None:
    assert Limit(share, least).allows(count, had) is allowed


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    return tmp_path


def compared(folder: Path, new: Policy, before: Policy) -> Compared:
    index = an_index(folder, {"games": ("games", "domains", False, ["a.example"])})
    ids = frozenset(("games",))
    return Compared(Asking(new, index, NOW), Asking(before, index, NOW), ids, ids)


def pinned(*names: str) -> Policy:
    return a_policy(pins=map(a_pin, names))


FIFTY = [f"p{number}.example" for number in range(50)]


@pytest.mark.parametrize(
    ("names", "is_first", "held"),
    [
        (FIFTY, False, []),
        (FIFTY[1:], False, ["-pins p0.example"]),
        (FIFTY[1:], True, []),
        (FIFTY[5:], True, []),
        (FIFTY[6:], True, [f"-pins {one}" for one in FIFTY[:6]]),
        ([*FIFTY, *(f"q{number}.example" for number in range(10))], False, []),
        (
            [*FIFTY, *(f"q{number}.example" for number in range(11))],
            False,
            [f"+pins q{number}.example" for number in range(11)],
        ),
    ],
)
def test_pins_go_never_and_come_a_few_at_a_time(
    lists: Path, names: Iterable[str], is_first: bool, held: list[str]
) -> None:
    found = changed_tables(compared(lists, pinned(*names), pinned(*FIFTY)), is_first=is_first)
    assert [subject for one in found for subject in one.subjects] == held


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        ("help", "exam", ["-pins p0.example"]),
        ("exam", "help", ["-pins p0.example reason=help"]),
        ("time", "exam", ["-pins p0.example"]),
        ("exam", "another exam", []),
    ],
)
def test_a_reason_of_a_pin_that_decides_something_is_compared(
    lists: Path, before: str, after: str, held: list[str]
) -> None:
    old, new = (
        a_policy(pins=[replace(a_pin("p0.example"), reason=one)]) for one in (before, after)
    )
    found = changed_tables(compared(lists, new, old), is_first=False)
    assert [subject for one in found for subject in one.subjects] == held


def test_the_pin_of_the_feeds_host_is_the_schools_own(lists: Path) -> None:
    host = replace(a_pin("feed.example"), reason="feed")
    pins = (*pinned("a.example").pins, host)
    before = replace(pinned("a.example"), pins=pins, feed="https://feed.example/danh-sach/")
    assert list(changed_tables(compared(lists, pinned("a.example"), before), is_first=False)) == []


def test_a_category_that_changes_states_how(lists: Path) -> None:
    before = a_policy()
    games = replace(before.categories["games"], min_age=0)
    new = replace(before, categories={**before.categories, "games": games})
    [found] = changed_tables(compared(lists, new, before), is_first=False)
    assert found.subjects == ("-categories games 0 False False False True",)


def with_categories(policy: Policy, *more: Category) -> Policy:
    return replace(policy, categories={**policy.categories, **{one.id: one for one in more}})


THREE = [Category(f"new{number}", "x", "x", 18) for number in range(3)]


def test_what_a_school_makes_of_the_lists_of_a_new_release_is_not_held(lists: Path) -> None:
    """Its lists are those of its own program; a feed's are another's."""
    before = a_policy()
    games = replace(before.categories["games"], min_age=13)
    shipped = with_categories(before, *THREE, games)
    made_here = compared(lists, shipped, before)
    ships = made_here._replace(before=made_here.new)
    assert list(changed_tables(made_here, is_first=False, ships=ships)) == []
    other = with_categories(
        shipped, Category("own", "x", "x"), *(replace(one, min_age=17) for one in THREE)
    )
    (lists / "other").mkdir()
    made_here = compared(lists / "other", other, before)
    [held] = changed_tables(made_here, is_first=False, ships=ships)
    assert [subject.split()[1] for subject in held.subjects] == ["new0", "new1", "new2", "own"]


@pytest.mark.control
def test_control_a_feed_with_three_categories_more_is_held(lists: Path) -> None:
    before = a_policy()
    new = with_categories(before, *THREE)
    [held] = changed_tables(compared(lists, new, before), is_first=False)
    assert len(held.subjects) == 3


def test_what_moves_to_a_part_of_its_category_has_not_changed(lists: Path) -> None:
    """It is closed where it was."""
    services = {"chat": Service("chat", "x", "x", "games")}
    protections = (replace(a_protection("safe.example"), except_categories=frozenset(("games",))),)
    before = replace(a_policy(), services=services, protections=protections)
    part = Category("lotto", "x", "x", 18, part_of="games")
    excepted = frozenset(("games", "lotto"))
    new = with_categories(
        replace(
            before,
            services={"chat": replace(services["chat"], group="lotto")},
            protections=(replace(protections[0], except_categories=excepted),),
        ),
        part,
    )
    texts = {"games": ("games", "domains", False, ["a.example"])}
    moved = {"games": ("lotto", "domains", False, ["a.example"])}
    (lists / "new").mkdir()
    old, index = an_index(lists, texts), an_index(lists / "new", moved)
    ids = frozenset(("games", "service:chat"))
    found = Compared(Asking(new, index, NOW), Asking(before, old, NOW), ids, ids)
    assert list(changed_tables(found, is_first=False)) == []
    other = replace(new, categories={**new.categories, "lotto": replace(part, part_of="")})
    found = found._replace(new=Asking(other, index, NOW))
    kinds = {str(table.sentence).split(":")[0] for table in changed_tables(found, is_first=False)}
    assert kinds == {"lists", "protections", "services"}


def test_parts_come_freely_and_never_go(lists: Path) -> None:
    """A part is closed where its whole is."""
    before = a_policy()
    parts = [replace(one, part_of="games") for one in THREE]
    split = with_categories(before, *parts)
    assert list(changed_tables(compared(lists, split, before), is_first=False)) == []
    (lists / "back").mkdir()
    [held] = changed_tables(compared(lists / "back", before, split), is_first=False)
    assert [subject.split()[:2] for subject in held.subjects] == [
        ["-parts", "new0"],
        ["-parts", "new1"],
        ["-parts", "new2"],
    ]
    (lists / "first").mkdir()
    first = compared(lists / "first", before, split)
    assert list(changed_tables(first, is_first=True)) == []


def test_no_table_may_go_or_come_without_a_limit() -> None:
    for table in TABLES_AND_LIMITS:
        assert not table.lost.allows(1_000, 1_000), table.id
        assert table.moved or not table.gained.allows(1_000, 100), table.id


def days(*spans: tuple[str, str]) -> list[PublicHoliday]:
    return [PublicHoliday(first, last, "x", "x") for first, last in spans]


SHIPS = days(
    ("2025-01-01", "2025-12-31"), ("2026-02-01", "2026-02-04"), ("2026-09-02", "2026-09-02")
)


@pytest.mark.parametrize(
    ("new", "held"),
    [
        (SHIPS, 0),
        ([*SHIPS, *days(("2026-06-01", "2026-06-07"))], 0),
        ([*SHIPS, *days(("2026-06-01", "2026-06-08"))], 1),
        ([*SHIPS, *days(("2030-01-01", "2040-12-31"))], 0),
        ([*SHIPS, *days(("2026-06-01", "2026-12-31"))], 2),
        (SHIPS[:2], 0),
        (SHIPS[2:], 1),
        ([], 1),
    ],
)
def test_the_days_of_the_year_to_come_count(new: list[PublicHoliday], held: int) -> None:
    assert len(list(wrong_holidays(new, SHIPS, SHIPS, NOW))) == held


def test_many_holidays_do_not_become_most_of_the_year_night_by_night() -> None:
    """Each night adds a few days to those in force, of which a school has some of its own."""
    before = days(("2026-06-01", "2026-06-30"), ("2026-08-01", "2026-08-31"))
    new = [*SHIPS, *days(("2026-06-01", f"2026-07-{MOST_HOLIDAYS - 34:02}"))]
    [found] = wrong_holidays(new, before, SHIPS, NOW)
    assert found.numbers == {"count": MOST_HOLIDAYS + 1}


def test_what_may_go_be_lacking_and_come_is_as_promised() -> None:
    limits = {
        one.id: (tuple(one.lost), tuple(one.lacking), tuple(one.gained), one.moved)
        for one in TABLES_AND_LIMITS
    }
    assert limits == {
        "pins": ((0, 0), (0.1, 0), (0.1, 10), False),
        "protections": ((0, 0), (0.1, 0), (0.2, 20), False),
        "rewrites": ((0, 0), (0, 0), (0.1, 5), False),
        "services": ((0, 0), (0.1, 0), (0.1, 10), False),
        "service-names": ((0.05, 10), (0.2, 10), (0.1, 30), False),
        "categories": ((0, 0), (0, 0), (0, 2), False),
        "parts": ((0, 0), (1, 0), (0.5, 20), False),
        "lists": ((0, 0), (0, 0), (1, 1_000), True),
    }


CHAT = Service("chat", "x", "Chat", "games", 13, (wire("chat.example"), wire("talk.example")))
OTHER = replace(CHAT, id="other", names=(wire("other.example"),))
RICH = replace(
    a_policy(
        pins=[a_pin("pin.example"), a_pin("all.example", subtree=True)],
        protections=[
            a_protection("safe.example", but=["games", "ads-trackers"]),
            replace(a_protection("entry.example"), entry_only=True),
            a_protection("host.example", subtree=False),
        ],
    ),
    services={"chat": CHAT, "other": OTHER},
    rewrites=(SafeSearchRewrite("safe_search", "on", wire("safe.test"), (wire("find.test"),)),),
)


@pytest.mark.parametrize(
    ("table", "entries"),
    [
        ("pins", {"pin.example": "", "all.example": "", "*.all.example": ""}),
        (
            "protections",
            {"safe.example": "True ads-trackers games", "host.example": "False"},
        ),
        ("rewrites", {"safe_search=on find.test": "safe.test"}),
        ("services", {"chat": "games 13"}),  # the other is of no list of the version
        ("service-names", {"chat: chat.example": "", "chat: talk.example": ""}),
        ("lists", {"service:chat": "games own=True"}),
    ],
)
def test_a_table_has_what_people_read(lists: Path, table: str, entries: dict[str, str]) -> None:
    index = an_index(
        lists,
        {
            "service:chat": ("games", "domains", True, ["chat.example"]),
            "mine": ("porn", "domains", False, ["a.example"]),
        },
    )
    (found,) = (one for one in TABLES_AND_LIMITS if one.id == table)
    assert found.entries(Asking(RICH, index, NOW), {"service:chat"}) == entries


def test_a_list_of_a_category_that_nobody_knows_is_of_that(lists: Path) -> None:
    index = an_index(lists, {"mine": ("unheard", "domains", False, ["a.example"])})
    (found,) = (one for one in TABLES_AND_LIMITS if one.id == "lists")
    assert found.entries(Asking(a_policy(), index, NOW), {"mine"}) == {"mine": "unheard"}


def test_categories_are_compared_by_all_that_decides(lists: Path) -> None:
    index = an_index(lists, {"mine": ("games", "domains", False, ["a.example"])})
    (found,) = (one for one in TABLES_AND_LIMITS if one.id == "categories")
    entries = found.entries(Asking(a_policy(), index, NOW), ())
    assert entries["porn"] == "18 True False False True"
    assert entries["law-ordered"] == "None True True False True"
    assert entries["malware"] == "None True False True True"


def test_a_list_may_go_and_not_move_to_another_category(lists: Path) -> None:
    policy = a_policy()
    one, other = lists / "one", lists / "other"
    texts = {"a": ("games", "domains", True, ["a.example"])}
    more = texts | {"b": ("porn", "domains", True, ["b.example"])}
    moved = {**more, "a": ("porn", "domains", True, ["a.example"])}
    for folder in (one, other, lists / "moved"):
        folder.mkdir()
    few, all_, changed = (
        Asking(policy, an_index(folder, which), NOW)
        for folder, which in ((one, texts), (other, more), (lists / "moved", moved))
    )
    ids = frozenset("ab")
    assert list(changed_tables(Compared(few, all_, ids, ids), is_first=False)) == []
    [held] = changed_tables(Compared(changed, all_, ids, ids), is_first=False)
    assert held.subjects == ("-lists a porn own=True",)
    assert str(held.sentence) == "lists: 1 of 2 entries would go or change: a"
    assert (held.kind, held.names, held.numbers) == ("tables", ("a",), {"count": 1})


def test_many_entries_that_come_are_named_with_their_values(lists: Path) -> None:
    many = {
        f"c{number}": replace(a_policy().categories["games"], id=f"c{number}")
        for number in range(3)
    }
    new = replace(a_policy(), categories=a_policy().categories | many)
    [held] = changed_tables(compared(lists, new, a_policy()), is_first=False)
    assert str(held.sentence) == "categories: 3 entries would come to 6: c0, c1, c2"
    assert held.subjects[0] == "+categories c0 12 False False False True"
    assert held.numbers == {"count": 3}
    two = replace(a_policy(), categories=a_policy().categories | dict(list(many.items())[:2]))
    (lists / "two").mkdir()
    assert list(changed_tables(compared(lists / "two", two, a_policy()), is_first=False)) == []


@pytest.mark.parametrize(("gone", "held"), [(2, 0), (3, 1)])
def test_two_fifths_of_the_days_that_ship_may_be_others(gone: int, held: int) -> None:
    """Of five days of the year to come."""
    found = list(wrong_holidays(_five(5 - gone), SHIPS, SHIPS, NOW))
    assert len(found) == held
    if found:
        assert found[0].subjects[-gone:] == tuple(f"-holidays {one}" for one in DAYS[-gone:])
        assert found[0].numbers == {"count": 5 - gone}


@pytest.mark.parametrize(("ships", "kept", "held"), [(3, 2, 0), (3, 1, 1), (2, 1, 0), (2, 0, 1)])
def test_where_few_days_ship_one_may_be_another(ships: int, kept: int, held: int) -> None:
    assert len(list(wrong_holidays(_five(kept), _five(ships), _five(ships), NOW))) == held


DAYS = ["2026-02-01", "2026-02-02", "2026-02-03", "2026-02-04", "2026-09-02"]


def _five(kept: int) -> list[PublicHoliday]:
    return days(*((day, day) for day in DAYS[:kept]))


def test_a_day_counts_from_today_to_the_same_day_of_the_next_year() -> None:
    last = "2027-01-02"  # 366 days after the first of January 2026
    spans = days(("2025-12-01", "2026-01-01"), ("2026-12-31", "2027-12-31"))
    [found] = wrong_holidays([*SHIPS, *spans, *days(("2026-05-01", "2026-05-31"))], [], SHIPS, NOW)
    shown = [subject.removeprefix("+holidays ") for subject in found.subjects]
    assert (shown[0], shown[-1] == "2026-05-31") == ("2026-01-01", True)
    assert last in shown
    assert "2027-01-03" not in shown
    assert "2025-12-31" not in shown


COMPILED: dict[type, type] = {
    CatalogCategory: Category,
    CatalogService: Service,
    ListSource: ListRecord,
}
"""What the policy or the index makes of an entry of the catalogue."""

ELSEWHERE: dict[type, str] = {PublicHoliday: "wrong_holidays"}
"""Entries that are compared in another form: each day is one."""

FILES: dict[str, type | str] = {
    "categories.yaml": CatalogCategory,
    "catalog.yaml": ListSource,
    "holidays.yaml": PublicHoliday,
    "pins.yaml": Pin,
    "protect.yaml": Protection,
    "safe_search.yaml": SafeSearchRewrite,
    "services.yaml": CatalogService,
    "additions.yaml": "what they are added to",
    "lookalikes.yaml": LookalikeRule,
    "mistakes.json": MistakeAnswer,
    "contacts.yaml": Contact,
    "canaries.yaml": "must_block.forgotten_canaries",
    "popular.txt": "impact.closed_popular",
}
"""What compares each file of a version; its lists are asked by their names."""


def fields_of(kind: type) -> set[str]:
    if is_dataclass(kind):
        return {field.name for field in fields(kind)}
    return {*getattr(kind, "model_fields", ()), *getattr(kind, "_fields", ())}


def classes_of_the_catalogue() -> set[type]:
    """Return the classes of entries that a catalogue has, whatever fields it gets."""
    return {get_args(hint)[0] for hint in get_type_hints(Catalog).values()}


def test_each_file_of_a_version_is_compared() -> None:
    assert FILES.keys() == PARTS
    kinds = {one for one in FILES.values() if isinstance(one, type)}
    assert classes_of_the_catalogue() <= kinds | {PublicSource}


@pytest.mark.parametrize(
    "kind",
    sorted(
        {*classes_of_the_catalogue(), *COMPILED.values(), LookalikeRule, Contact, OrderEntry,
         MistakeAnswer},
        key=str,
    ),
)  # fmt: skip
def test_each_field_of_a_table_is_compared_or_exempt_with_a_reason(kind: type) -> None:
    exempt = NOT_COMPARED.get(kind, {})
    assert exempt.keys() <= fields_of(kind), "an exemption of a field that is gone"
    assert all(exempt.values())
    compiled = COMPILED.get(kind)
    if kind in ELSEWHERE:
        assert hasattr(tables, ELSEWHERE[kind])
        assert fields_of(kind) == exempt.keys()
    elif compiled is not None:
        assert fields_of(kind) - exempt.keys() <= fields_of(compiled)
    else:
        for name in sorted(fields_of(kind) - exempt.keys()):
            assert value_of(an_entry(kind)) != value_of(changed(an_entry(kind), name)), name


ENTRIES: tuple[Any, ...] = (
    Category("games", "x", "x"),
    Service("chat", "x", "x", "games"),
    Pin(b"\x01a\x00"),
    Protection(b"\x01a\x00"),
    SafeSearchRewrite("safe_search", "on", b"\x01a\x00", (b"\x01b\x00",)),
    ListRecord("a", "games", "x", "domains", False, "", 0),
    LookalikeRule(b"bet#", 1, frozenset()),
    Contact(about=BothLanguages(vi="x", en="x"), name="x", phone="1"),
)


def an_entry(kind: type) -> Any:
    """Return an entry of a class; None of those of which no field is compared."""
    return next((one for one in ENTRIES if type(one) is kind), None)


def changed(entry: Any, name: str) -> Any:
    """Return an entry with another value in one field."""
    value = getattr(entry, name)
    other: Any = "y"
    if isinstance(value, bool):
        other = not value
    elif isinstance(value, int):
        other = value + 1
    elif isinstance(value, bytes):
        other = b"\x01z\x00"
    elif isinstance(value, frozenset):
        other = frozenset(("y",))
    if is_dataclass(entry):
        return replace(entry, **{name: other})  # type: ignore[type-var]
    if isinstance(entry, Contact):
        return entry.model_copy(update={name: other})
    return entry._replace(**{name: other})


class AnEntry(NamedTuple):
    """An entry of a table that a later program has."""

    name: str
    weight: int
    colour: str = "red"


def test_a_field_says_nothing_where_it_is_as_by_default() -> None:
    assert value_of(AnEntry("a", 1), "name") == "a weight=1"
    assert value_of(AnEntry("a", 1, "blue"), "name") == "a weight=1 colour=blue"


@pytest.mark.control
def test_control_a_field_that_is_exempt_may_change_unseen() -> None:
    category = an_entry(Category)
    assert value_of(category) == value_of(replace(category, name_vi="y"))


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"confidential": True}, "12 False False False True confidential=True"),
        ({"locked": True}, "12 True False False True"),
        ({"name_vi": "Trò chơi khác"}, None),
    ],
)
def test_what_a_category_loses_or_gets_is_held_by_its_field(
    lists: Path, change: dict[str, Any], shown: str | None
) -> None:
    before = a_policy()
    other = {**before.categories, "games": replace(before.categories["games"], **change)}
    there_and_back = (
        (replace(before, categories=other), before),
        (before, replace(before, categories=other)),
    )
    for number, (new, old) in enumerate(there_and_back):
        (lists / str(number)).mkdir()
        found = list(changed_tables(compared(lists / str(number), new, old), is_first=False))
        assert bool(found) is (shown is not None)
        if found and not number:
            assert found[0].subjects == (f"-categories games {shown}",)


def test_no_name_stops_being_protected_unseen(lists: Path) -> None:
    many = [a_protection(f"safe{number}.example") for number in range(100)]
    new, before = a_policy(protections=many[1:]), a_policy(protections=many)
    [found] = changed_tables(compared(lists, new, before), is_first=False)
    assert found.subjects == ("-protections safe0.example",)


def test_a_pin_is_the_schools_own_only_where_it_has_set_it(lists: Path) -> None:
    """The word that tells the pin of the feed's host may stand in a version that was signed."""
    pins = [replace(a_pin(f"p{number}.example"), reason="feed") for number in range(12)]
    policy = replace(a_policy(pins=pins), feed="https://p0.example/feed/")
    both = compared(lists, policy, a_policy())
    assert [one.name for one in pins_of_version(both.new)] == [pin.name for pin in pins[1:]]
    [held] = changed_tables(both, is_first=False)
    assert held.numbers == {"count": 11}
    (lists / "made").mkdir()
    index = an_index(lists / "made", {})
    index.build["feed"] = "web-7"
    assert list(pins_of_version(Asking(policy, index, NOW))) == []


def a_contact(name: str, phone: str) -> Contact:
    return Contact(about=BothLanguages(vi="x", en="x"), name=name, phone=phone)


def test_a_contact_may_come_and_not_be_replaced() -> None:
    known, other = a_contact("Sở", "0236 1"), a_contact("Sở", "0900 2")
    more = a_contact("Phòng", "0236 3")
    assert list(changed_contacts([known, more], [known])) == []
    for new in ([other], [more], []):
        [found] = changed_contacts(new, [known])
        assert found.subjects[0].startswith("-contacts Sở")


def test_rules_of_look_alikes_come_and_go_as_names_do(lists: Path) -> None:
    ids = frozenset(("lookalike:games",))

    def versions(new: int, before: int) -> Compared:
        made = []
        for number, count in enumerate((new, before)):
            folder = lists / f"{new}-{before}-{number}"
            folder.mkdir()
            shapes = [f"long{one}name#" for one in range(count)]
            index = an_index(folder, {}, lookalikes={"games": shapes})
            made.append(Asking(a_policy(), index, NOW))
        return Compared(made[0], made[1], ids, ids)

    assert list(changed_rules(versions(20, 30))) == []
    [lost] = changed_rules(versions(19, 30))
    assert lost.subjects[0].startswith("-lookalikes games ~long19name#")
    [gained] = changed_rules(versions(81, 30))
    assert gained.numbers == {"count": 51}


def test_where_a_rule_of_look_alikes_holds_is_compared(lists: Path) -> None:
    """One that says little does not hold beneath some domains."""
    rules = (
        LookalikeRule(b"sunwin#", 2, frozenset([wire("com"), wire("net")])),
        LookalikeRule(b"b#", 1, frozenset(), reach=Reach(frozenset([wire("vn")]), frozenset())),
    )
    sources = [
        ListSource(f"lookalike:{one}", one, "domains", "", names=(), lookalikes=rules)
        for one in ("games", "porn")
    ]
    compile_lists(sources, pins=(), protections=(), target=lists / "index", now=NOW)
    version = Asking(a_policy(), Index.open(lists / "index"), NOW)
    shapes, suffixes = (one.entries(version, {"lookalike:games"}) for one in RULES_AND_LIMITS)
    assert shapes == {"games ~sunwin#": "digits=2", "games ~b#": "digits=1"}
    assert suffixes == {"games com": "", "games net": "", "games but vn": ""}


def test_rules_and_their_suffixes_have_the_limits_of_categories() -> None:
    for table in RULES_AND_LIMITS:
        assert (tuple(table.lost), tuple(table.gained)) == ((0.2, 10), (0.5, 50))

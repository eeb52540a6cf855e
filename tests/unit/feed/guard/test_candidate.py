# SPDX-License-Identifier: Apache-2.0
"""What a version does for every kind of client, and a version that cannot be loaded."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from filterd.base.errors import ListError
from filterd.config import build_record
from filterd.feed.followed.night_memory import BASE_OCTETS, MOST_OCTETS
from filterd.feed.guard import candidate
from filterd.feed.guard.candidate import (
    MAX_LINE_OCTETS,
    Asking,
    GuardRequest,
    UnfitError,
    check_memory,
    compile_candidate,
    malformed,
    open_in_force,
    read_tables,
    shipped_asking,
    shipped_catalog,
    unusable_lines,
    write_tables,
)
from filterd.feed.guard.judgement import SCHOOL, Finding, Severity
from filterd.lists.catalogs.catalog import ListsBeside
from filterd.lists.index import Index
from filterd.lists.index_files import Blocklists
from filterd.lists.report import CompileReport, ListReport, Sample
from filterd.policy import policy_file
from filterd.policy.engine import Engine
from filterd.policy.model import GRADES, Audience, LocalRule
from filterd.texts.i18n import say
from tests.support.broken_versions import add, data_of, edit
from tests.support.feed_candidates import GAMBLING, Following
from tests.support.made_once import MadeOnce
from tests.support.policies import NOW, a_pin, a_policy, allow, an_index, block, wire
from tests.support.yaml_files import change_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from filterd.feed.guard.candidate import Tables
    from filterd.policy.model import Scheduled


LISTS = {
    "own": ("games", "domains", True, ["game.example"]),
    "theirs": ("porn", "domains", False, ["porn.example"]),
    "open": ("ads-trackers", "domains", False, ["ads.example"]),
}


def asking(folder: Path, *rules: LocalRule) -> Asking:
    return Asking(a_policy(rules=rules), an_index(folder, LISTS), NOW)


def test_grades_to_which_the_same_is_closed_are_asked_as_one(tmp_path: Path) -> None:
    assert [client.grade.grade for client in asking(tmp_path).clients] == [
        *("preschool", "1", "6", "7", "8", "10", "continuing", "staff", "guest")
    ]


def test_a_name_is_closed_to_every_grade_below_its_age(tmp_path: Path) -> None:
    closed = asking(tmp_path).closed(wire("www.game.example"))
    assert set(closed) == {"preschool", "1", "2", "3", "4", "5", "6", "guest"}
    assert {match.list_id for match in closed.values()} == {"own"}


def test_a_locked_name_is_closed_to_all_and_an_open_one_to_none(tmp_path: Path) -> None:
    lists = asking(tmp_path)
    assert set(lists.closed(wire("porn.example"))) == set(GRADES)
    assert lists.closed(wire("ads.example")) == {}


def test_what_the_school_blocks_itself_is_closed_by_no_list(tmp_path: Path) -> None:
    assert asking(tmp_path, block("other.example")).closed(wire("other.example")) == {}


def test_a_grade_that_the_school_treats_apart_is_asked_apart(tmp_path: Path) -> None:
    opened = allow("game.example", Audience.GRADE, "3")
    closed = asking(tmp_path, opened).closed(wire("game.example"))
    assert "3" not in closed
    assert {"2", "4"} <= set(closed)


def test_classes_and_devices_apart_are_asked_as_their_grade(tmp_path: Path) -> None:
    policy = a_policy()
    apart = [
        replace(policy.grades["6"], class_id="6A", closed=frozenset()),
        replace(policy.grades["6"], variant="1", closed=frozenset()),
        replace(policy.grades["7"], class_id="7A", variant="1", closed=frozenset()),
    ]
    policy = replace(policy, grades=policy.grades | {one.key: one for one in apart})
    lists = Asking(policy, an_index(tmp_path, LISTS), NOW)
    assert not [client for client in lists.clients if client.grade.class_id or client.grade.variant]
    assert lists.open_to(wire("porn.example")) == set()


TYPED = {"typed": ("games", "adblock", False, ["||only6.example^$dnstype=AAAA"])}


def test_a_list_about_one_type_closes_that_type_and_leaves_the_name_open(tmp_path: Path) -> None:
    lists = Asking(a_policy(), an_index(tmp_path, LISTS | TYPED), NOW)
    assert set(lists.closed(wire("only6.example"))) == {
        "preschool",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "guest",
    }
    assert lists.open_to(wire("only6.example")) == set(GRADES)
    match = lists.closes_target(wire("only6.example"))
    assert match is not None
    assert match.list_id == "typed"


@pytest.mark.parametrize(("more", "types"), [({}, 1), (TYPED, 3)])
def test_each_kind_of_client_is_asked_once_for_each_type_that_matters(
    tmp_path: Path, more: dict[str, tuple[str, str, bool, list[str]]], types: int
) -> None:
    lists = Asking(a_policy(), an_index(tmp_path, LISTS | more), NOW)
    verdicts = lists.verdicts(wire("game.example"))
    assert [client for client, _ in verdicts] == [*lists.clients] * types


def test_a_name_is_open_to_every_grade_alike_to_which_it_is_not_closed(tmp_path: Path) -> None:
    lists = asking(tmp_path)
    assert lists.open_to(wire("game.example")) == set(GRADES) - {
        *("preschool", "1", "2", "3", "4", "5", "6", "guest")
    }
    assert lists.open_to(wire("nowhere.example")) == set(GRADES)


def test_what_a_grade_in_an_exam_may_not_see_is_closed_by_no_list(tmp_path: Path) -> None:
    policy = a_policy(rules=[allow("exam.example")])
    only = {key: replace(grade, allow_only=True) for key, grade in policy.grades.items()}
    lists = Asking(replace(policy, grades=only), an_index(tmp_path, LISTS), NOW)
    for name in ("nowhere.example", "ads.example"):
        assert lists.closed(wire(name)) == lists.entries(wire(name)) == {}
        assert lists.closes_target(wire(name)) is None
        assert lists.open_to(wire(name)) == set()
    assert lists.open_to(wire("exam.example")) == set(GRADES)


def test_one_grade_in_an_exam_is_enough_to_decide_each_name_alone(tmp_path: Path) -> None:
    policy = a_policy(rules=[allow("exam.example")])
    grades = policy.grades | {"6": replace(policy.grades["6"], allow_only=True)}
    lists = Asking(replace(policy, grades=grades), an_index(tmp_path, LISTS), NOW)
    assert "6" not in lists.open_to(wire("nowhere.example"))
    assert "6" in lists.open_to(wire("exam.example"))


def test_schedules_do_not_count(tmp_path: Path) -> None:
    policy = replace(a_policy(), scheduled=(cast("Scheduled", object()),))
    assert Asking(policy, an_index(tmp_path, LISTS), NOW).site.policy.scheduled == ()


def test_an_alias_to_a_listed_name_is_closed_and_one_to_a_pin_is_not(tmp_path: Path) -> None:
    pins = [a_pin("www.porn.example")]
    index = an_index(tmp_path, LISTS, pins=pins)
    pinned = Asking(a_policy(pins=pins), index, NOW)
    match = pinned.closes_target(wire("porn.example"))
    assert match is not None
    assert match.list_id == "theirs"
    assert pinned.closes_target(wire("www.porn.example")) is None


def test_what_the_school_blocks_itself_does_not_hide_a_list_that_closes_an_alias(
    tmp_path: Path,
) -> None:
    lists = asking(tmp_path, block("game.example", Audience.GRADE, "preschool"))
    match = lists.closes_target(wire("game.example"))
    assert match is not None
    assert match.list_id == "own"


MIXED = {
    "theirs": ("porn", "domains", False, ["porn.example", "pinned.example", "other.example"]),
    "apart": ("games", "adblock", False, ["||game.example^$denyallow=spared.game.example"]),
}
SOME = [
    f"{beneath}{name}.example"
    for name in ("porn", "pinned", "other", "game", "unlisted")
    for beneath in ("", "www.", "spared.")
]


def _grades_closed(folder: Path, *, apart: bool, allow_only: bool) -> list[set[str]]:
    """Return the grades to which each of some names is closed, by one object or by one each."""
    pins = [a_pin("pinned.example", subtree=True)]
    policy = a_policy(pins=pins, rules=[allow("other.example")])
    if allow_only:
        grades = {**policy.grades, "6": replace(policy.grades["6"], allow_only=True)}
        policy = replace(policy, grades=grades)
    index = an_index(folder, MIXED, pins=pins)
    lists = Asking(policy, index, NOW)
    each = [Asking(policy, index, NOW) if apart else lists for _ in SOME]
    return [
        set(one.closed(wire(name))) | {f"open to {grade}" for grade in one.open_to(wire(name))}
        for one, name in zip(each, SOME, strict=True)
    ]


@pytest.mark.parametrize("allow_only", [False, True])
def test_names_that_are_decided_together_are_decided_as_each_alone(
    tmp_path: Path, allow_only: bool
) -> None:
    together = _grades_closed(tmp_path, apart=False, allow_only=allow_only)
    assert together == _grades_closed(tmp_path, apart=True, allow_only=allow_only)


def test_control_names_with_rules_of_their_own_must_be_decided_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def alike(engine: Engine, name: bytes) -> object:
        return tuple(hit.set_id for hit in engine.index.lookup(name)) or "unlisted"

    monkeypatch.setattr(Engine, "alike", alike)
    together = _grades_closed(tmp_path, apart=False, allow_only=False)
    assert together != _grades_closed(tmp_path, apart=True, allow_only=False)


def test_two_names_of_a_list_share_a_decision(tmp_path: Path) -> None:
    lists = asking(tmp_path)
    ones = [lists.verdicts(wire(f"{name}.unlisted.example")) for name in ("one", "two")]
    assert ones[0] is ones[1]


def test_people_are_shown_the_entry_of_the_name_itself(tmp_path: Path) -> None:
    lists = Asking(a_policy(), an_index(tmp_path, MIXED), NOW)
    for name in ("porn.example", "pinned.example"):
        lists.closed(wire(name))
        assert {match.entry for match in lists.entries(wire(name)).values()} == {name}


OWN_LIST = "lists: [{id: mine, file: mine.txt, category: games}]\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce[Following]:
    return MadeOnce(tmp_path_factory.mktemp("school"), Following)


@pytest.fixture
def school(made: MadeOnce[Following]) -> Following:
    return made.anew()


def request_for(school: Following, change: Callable[[Path], None] | None = None) -> GuardRequest:
    candidate = school.prepare(change)
    return GuardRequest(
        NOW,
        candidate.version,
        _in_force(school),
        candidate.folder,
        school.config,
        school.school.fresh_index,
        school.school.fresh_problems,
        school.school.fresh_policy,
        Blocklists(candidate.folder, candidate.version),
    )


def fault(request: GuardRequest) -> Finding:
    with pytest.raises(UnfitError) as caught:
        compile_candidate(request, read_tables(request))
    return caught.value.finding


def test_tables_are_read_together_with_the_schools_files(school: Following) -> None:
    (school.config / "mine.txt").write_text("mine.example\n")
    (school.config / "site.yaml").write_text("school: {name: Mẫu}\n" + OWN_LIST)
    tables = read_tables(request_for(school))
    assert tables.own_ids == {"mine"}
    assert {"feed-porn", "starter-porn", "service:zalo"} <= tables.feed
    assert tables.policy.school == "Mẫu"


def test_more_names_than_the_machine_takes_are_the_fault_of_no_version(school: Following) -> None:
    tables = read_tables(request_for(school))
    with pytest.raises(UnfitError) as caught:
        check_memory(tables, BASE_OCTETS + 1_000)
    assert caught.value.finding.kind == SCHOOL
    paths = {one.path for one in tables.lists if one.names is None}
    lines = sum(school.folder_of(2).joinpath(path).read_bytes().count(b"\n") for path in paths)
    assert (
        f"its lists have {lines} lines, this machine has memory for 8: take a machine with more"
        " memory" in str(caught.value.finding.sentence)
    )


def test_control_with_more_memory_the_same_lists_are_compiled(school: Following) -> None:
    check_memory(read_tables(request_for(school)), MOST_OCTETS)


def test_the_fresh_index_has_the_lists_of_the_version_and_the_schools_own(
    school: Following,
) -> None:
    (school.config / "mine.txt").write_text("mine.example\n")
    (school.config / "site.yaml").write_text("school: {name: Mẫu}\n" + OWN_LIST)
    request = request_for(school)
    asking, report = compile_candidate(request, read_tables(request))
    assert asking.index.digest == Index.open(request.fresh_index).digest
    assert str(asking.index.build["feed"]) == request.version
    assert {"mine", "feed-porn"} <= {one.id for one in report.lists}
    assert asking.closed(wire("mine.example"))
    assert asking.closed(wire("www.porn999.example"))


def test_a_table_that_is_wrong_is_the_versions_fault(school: Following) -> None:
    found = fault(request_for(school, edit("pins.yaml", lambda _: b"pins: 5\n")))
    assert (found.kind, found.severity) == ("loading", Severity.REFUSED)
    assert "pins.yaml" in found.sentence


WRONG_SITES = (
    "school: {name: 5}\n",
    "lists: [{id: x, file: none.txt, category: games}]\n",
    ": :\n",
)


def _in_force(school: Following) -> Path:
    assert school.in_force is not None
    return school.in_force.policy


@pytest.mark.parametrize("site", WRONG_SITES)
def test_while_a_file_of_the_school_is_wrong_the_school_is_as_it_was(
    school: Following, site: str
) -> None:
    before = read_tables(request_for(school)).policy
    (school.config / "site.yaml").write_text(site)
    request = request_for(school)
    tables = read_tables(request)
    assert tables.policy == before
    assert compile_candidate(request, tables)[0].closed(wire("www.porn999.example"))
    write_tables(request, tables)
    assert policy_file.load(request.fresh_policy) == before
    assert not build_record.is_current(
        request.fresh_policy, school.config, blocklists=request.folder
    )


def test_the_policy_that_is_judged_by_is_what_a_reload_would_make(school: Following) -> None:
    request = request_for(school)
    write_tables(request, read_tables(request))
    assert build_record.is_current(request.fresh_policy, school.config, blocklists=request.folder)


def test_a_disk_that_does_not_take_it_costs_a_compilation_only(school: Following) -> None:
    request = request_for(school)
    request.fresh_policy.mkdir()
    write_tables(request, read_tables(request))


@pytest.mark.parametrize("site", WRONG_SITES)
def test_where_nothing_is_kept_a_file_of_the_school_that_is_wrong_is_not_the_versions_fault(
    school: Following, site: str
) -> None:
    (school.config / "site.yaml").write_text(site)
    _in_force(school).with_name("policy.origin").unlink()
    found = fault(request_for(school))
    assert (found.kind, found.severity) == ("school", Severity.REFUSED)
    assert len(str(found.sentence).splitlines()) == 1


def test_what_the_school_names_and_the_version_has_no_more_is_found_before_it_is_in_force(
    school: Following,
) -> None:
    (school.config / "site.yaml").write_text(
        "school: {name: Mẫu}\ngrades: {3: {services: {block: [azota]}}}\n"
    )
    school.come_in_force(1)

    def without_azota(folder: Path) -> None:
        change_yaml(
            folder / "services.yaml",
            lambda data: data.update(
                services=[one for one in data["services"] if one["id"] != "azota"]
            ),
        )

    assert "azota" in fault(request_for(school, without_azota)).sentence


def test_a_disk_that_refuses_is_not_the_versions_fault(school: Following) -> None:
    request = request_for(school)
    request.fresh_index.mkdir()
    assert fault(request).kind == "school"


def test_a_list_that_cannot_be_read_is(school: Following) -> None:
    def unreadable(folder: Path) -> None:
        (folder / GAMBLING).rename(folder / f"{GAMBLING}.gz")
        change_yaml(
            folder / "catalog.yaml",
            lambda data: [
                one.update(file=f"{GAMBLING}.gz")
                for one in data["lists"]
                if one["id"] == "feed-gambling"
            ],
        )

    assert fault(request_for(school, unreadable)).kind == "loading"


def lines_of(request: GuardRequest) -> list[Finding]:
    tables = read_tables(request)
    return unusable_lines(compile_candidate(request, tables)[1], tables)


def test_a_line_that_means_nothing_is_refused_in_a_plain_list(school: Following) -> None:
    [found] = lines_of(request_for(school, add(GAMBLING, "http://one.example/a")))
    assert found.severity is Severity.REFUSED
    assert found.numbers == {"count": 1}
    assert "http://one.example/a" in found.sentence


def test_it_is_reported_where_others_wrote_the_list_for_browsers(school: Following) -> None:
    def rules(folder: Path) -> None:
        (folder / "lists" / "more.txt").write_text("||one.example^\none.example##.ad\n")
        entry = {"id": "more", "title": "more", "category": "games", "format": "adblock"}
        change_yaml(
            folder / "catalog.yaml",
            lambda data: data["lists"].append({**entry, "file": "lists/more.txt"}),
        )

    [found] = lines_of(request_for(school, rules))
    assert found.severity is Severity.NOTE


def test_lines_of_the_schools_own_lists_are_its_affair(school: Following) -> None:
    (school.config / "mine.txt").write_text("what is this\n")
    (school.config / "site.yaml").write_text("school: {name: Mẫu}\n" + OWN_LIST)
    assert lines_of(request_for(school)) == []


def _findings(of_list: ListReport, *, feed: Collection[str] = ("a",)) -> list[Finding]:
    tables = cast("Tables", SimpleNamespace(feed=frozenset(feed)))
    return unusable_lines(CompileReport([of_list]), tables)


@pytest.mark.parametrize(
    ("list_format", "kept", "severity"),
    [
        ("domains", 1_000, Severity.REFUSED),
        ("wildcard", 1_000, Severity.REFUSED),
        ("hosts", 1_000, Severity.NOTE),
        ("adblock", 1_000, Severity.NOTE),
        ("adblock", 1, Severity.NOTE),
        # Of a list of which nothing is left something else was published.
        ("adblock", 0, Severity.REFUSED),
        ("hosts", 0, Severity.REFUSED),
        ("domains", 0, Severity.REFUSED),
    ],
)
def test_lines_that_cannot_be_read_refuse_a_plain_list_and_one_with_nothing_else(
    list_format: str, kept: int, severity: Severity
) -> None:
    report = ListReport("a", "games", list_format, "a.txt", kept=kept)
    report.problems.update({"bad-name": 2, "bad-line": 1})
    report.samples.append(Sample(7, "bad-name", "bad..example"))
    [found] = _findings(report)
    assert (found.kind, found.severity, found.numbers) == ("loading", severity, {"count": 3})
    assert found.names == ("bad..example",)
    assert str(found.sentence) == ("list a has 3 lines that cannot be read, such as 'bad..example'")


def test_a_list_of_which_every_line_can_be_read_is_no_finding() -> None:
    assert _findings(ListReport("a", "games", "domains", "a.txt", kept=3)) == []
    assert _findings(ListReport("a", "games", "adblock", "a.txt", kept=0)) == []


def test_lines_of_another_list_are_no_finding_and_a_pinned_name_no_example() -> None:
    report = ListReport("a", "games", "domains", "a.txt", kept=3)
    report.problems.update({"bad-name": 1})
    report.samples.append(Sample(7, "pinned", "pinned.example"))
    assert _findings(report, feed=()) == []
    [found] = _findings(report)
    assert found.names == ()
    assert str(found.sentence).endswith("such as ?")


def test_what_is_in_force_is_opened(school: Following) -> None:
    assert school.in_force is not None
    asking = open_in_force(school.in_force.index, school.in_force.policy, NOW)
    assert isinstance(asking, Asking)
    assert asking.index.build["feed"] == 1


@pytest.mark.parametrize("damage", ["no index", "an index of zeros", "no policy", "a cut policy"])
def test_what_cannot_be_opened_is_reported_and_no_more(school: Following, damage: str) -> None:
    assert school.in_force is not None
    index, policy = school.in_force.index, school.in_force.policy
    match damage:
        case "no index":
            index.unlink()
        case "an index of zeros":
            index.write_bytes(bytes(index.stat().st_size))
        case "no policy":
            policy.unlink()
        case _:
            policy.write_bytes(policy.read_bytes()[:-20])
    found = open_in_force(index, policy, NOW)
    assert isinstance(found, Finding)
    assert found.severity is Severity.NOTE


NEW = {"id": "new", "group": "games", "name": {"vi": "x", "en": "x"}, "names": ["new.example"]}


def test_a_school_may_close_what_only_its_feed_knows(tmp_path: Path) -> None:
    school = Following(tmp_path)
    with (school.config / "site.yaml").open("a", encoding="utf-8") as file:
        file.write("grades: {3: {services: {block: [new, facebook]}}}\n")

    def change(folder: Path) -> None:
        data_of("services.yaml", lambda data: data["services"].append(NEW))(folder)

    candidate = school.prepare(change)
    fresh = school.school
    paths = (school.config, fresh.fresh_index, fresh.fresh_problems, fresh.fresh_policy)
    blocklists = Blocklists(candidate.folder, "2")
    request = GuardRequest(NOW, "2", None, candidate.folder, *paths, blocklists)
    ships = shipped_asking(request, read_tables(request))
    assert "new" in ships.policy.services
    assert ships.closed(wire("new.example")) == {}
    assert "3" in ships.closed(wire("facebook.com"))
    assert "staff" in ships.closed(wire("porn.blocked.filterd.example"))
    assert ships.policy.pins == shipped_catalog().pins
    assert not list(tmp_path.glob("*.shipped"))


MANY = b"www.one.example\n" * 9
LONGEST = b"a" * MAX_LINE_OCTETS
MALFORMED = {
    b"\xef\xbb\xbfone.example\n": "it begins with a byte order mark",
    "one.example\n".encode("utf-16"): "it begins with a byte order mark",
    b"one.example\n\0\n": "it has zero octets",
    "one.example\n".encode("utf-16-le"): "it has zero octets",
    b"one.example\r\ntwo.example\r\n": "it has Windows line breaks",
    b"one.example\rtwo.example\n": "it has Windows line breaks",
    b"one.example\ntwo.exam": "its last line has no line break: the file is incomplete",
    LONGEST + b"a\n": f"it has a line of more than {MAX_LINE_OCTETS} octets",
    b"one.example\n" + LONGEST + b"a": f"it has a line of more than {MAX_LINE_OCTETS} octets",
}


def why(folder: Path, octets: bytes) -> list[str]:
    (folder / "lists").mkdir(exist_ok=True)
    path = folder / "lists" / "a.txt"
    path.write_bytes(octets)
    found = list(malformed(folder, [path]))
    assert all(one.severity is Severity.REFUSED for one in found)
    assert all(one.names == ("lists/a.txt",) for one in found)
    return [str(one.sentence.values["why"]) for one in found]


@pytest.mark.parametrize("octets", [b"", b"\n", MANY, LONGEST + b"\n", "đổi.example\n".encode()])
def test_what_a_program_has_written_is_well(tmp_path: Path, octets: bytes) -> None:
    assert why(tmp_path, octets) == []


@pytest.mark.parametrize(("octets", "reason"), MALFORMED.items())
def test_what_no_program_of_ours_has_written_is_refused(
    tmp_path: Path, octets: bytes, reason: str
) -> None:
    assert why(tmp_path, octets) == [reason]


@pytest.mark.parametrize("chunk", [1, 2, 3, 5, 7])
def test_it_is_the_same_wherever_the_reading_pauses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """A mark of three octets may not come in parts: chunks are longer than any mark."""
    monkeypatch.setattr(candidate, "_CHUNK_OCTETS", chunk)
    monkeypatch.setattr(candidate, "MAX_LINE_OCTETS", 20)
    assert why(tmp_path, MANY) == []
    assert why(tmp_path, b"a" * 20 + b"\n" + b"b" * 20 + b"\n") == []
    assert why(tmp_path, b"a\n" + b"b" * 21 + b"\n") == ["it has a line of more than 20 octets"]
    assert why(tmp_path, MANY + b"cut") == [
        "its last line has no line break: the file is incomplete"
    ]
    assert why(tmp_path, MANY + b"\0\n") == ["it has zero octets"]


def test_every_file_is_reported(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.txt", "b.txt", "c.txt")]
    for path, octets in zip(paths, (b"\0\n", b"fine.example\n", b"cut"), strict=True):
        path.write_bytes(octets)
    assert [one.names for one in malformed(tmp_path, paths)] == [("a.txt",), ("c.txt",)]


def test_a_file_that_cannot_be_read_is_the_disks_affair(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="cannot be read"):
        list(malformed(tmp_path, [tmp_path / "none.txt"]))


@pytest.mark.parametrize("is_beside", [False, True])
def test_damaged_lists_beside_a_feed_hold_back_no_version_but_their_own(
    school: Following, monkeypatch: pytest.MonkeyPatch, is_beside: bool
) -> None:
    def damaged(*_: object) -> None:
        raise ListError(say("they cannot be read"))

    monkeypatch.setattr(candidate, "lists_beside", damaged)
    request = request_for(school)
    if is_beside:
        request = replace(request, folder=request.folder / "beside")
        with pytest.raises(UnfitError) as caught:
            read_tables(request)
        assert caught.value.finding.kind == "loading"
        assert str(caught.value) == str(caught.value.finding.sentence)
    else:
        tables = read_tables(request)
        assert tables.beside == ListsBeside()
        assert tables.judged == tables.catalog.compiled


def test_of_several_mistakes_the_first_is_the_reason(school: Following) -> None:
    def wrong(folder: Path) -> None:
        (folder / "pins.yaml").write_text("pins: [{name: 5}, {name: 6}]\n")

    sentence = str(fault(request_for(school, wrong)).sentence)
    assert sentence.startswith("it could not be loaded: ")
    assert len(sentence.splitlines()) == 1


def test_without_a_policy_in_force_a_wrong_site_is_the_school_s(school: Following) -> None:
    (school.config / "site.yaml").write_text(WRONG_SITES[0])
    found = fault(replace(request_for(school), policy=None))
    assert found.kind == "school"
    assert str(found.sentence).startswith("it could not be judged for this school: ")

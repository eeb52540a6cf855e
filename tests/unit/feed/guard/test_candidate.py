# SPDX-License-Identifier: Apache-2.0
"""A version as the production's own loaders find it, and whose fault it is when they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.config import build_record
from filterd.feed.guard.candidate import (
    Request,
    UnfitError,
    compile_candidate,
    open_in_force,
    read_tables,
    unusable_lines,
    write_tables,
)
from filterd.feed.guard.guard_report import Finding, Severity
from filterd.feed.guard.probe_clients import Asking
from filterd.lists.index import Index
from filterd.policy import policy_file
from tests.support.broken_versions import add, edit
from tests.support.feed_candidates import GAMBLING, Following, change_yaml
from tests.support.policies import NOW, wire

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OWN_LIST = "lists: [{id: mine, file: mine.txt, category: games}]\n"


@pytest.fixture
def school(tmp_path: Path) -> Following:
    return Following(tmp_path)


def request_for(school: Following, change: Callable[[Path], None] | None = None) -> Request:
    candidate = school.prepare(change)
    return Request(
        NOW,
        candidate.version,
        _in_force(school),
        candidate.folder,
        school.config,
        school.school.fresh_index,
        school.school.fresh_problems,
        school.school.fresh_policy,
    )


def fault(request: Request) -> Finding:
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


def test_the_fresh_index_has_the_lists_of_the_version_and_the_schools_own(
    school: Following,
) -> None:
    (school.config / "mine.txt").write_text("mine.example\n")
    (school.config / "site.yaml").write_text("school: {name: Mẫu}\n" + OWN_LIST)
    request = request_for(school)
    asking, report = compile_candidate(request, read_tables(request))
    assert asking.index.digest == Index.open(request.fresh_index).digest
    assert asking.index.build["feed"] == request.version
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


def lines_of(request: Request) -> list[Finding]:
    tables = read_tables(request)
    return unusable_lines(compile_candidate(request, tables)[1], tables)


def test_a_line_that_means_nothing_is_refused_in_a_plain_list(school: Following) -> None:
    [found] = lines_of(request_for(school, add(GAMBLING, "http://one.example/a")))
    assert found.severity is Severity.REFUSED
    assert found.numbers == {"count": 1}
    assert "http://one.example/a" in found.sentence


def test_it_is_told_where_others_wrote_the_list_for_browsers(school: Following) -> None:
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


def test_what_is_in_force_is_opened(school: Following) -> None:
    assert school.in_force is not None
    asking = open_in_force(school.in_force.index, school.in_force.policy, NOW)
    assert isinstance(asking, Asking)
    assert asking.index.build["feed"] == 1


@pytest.mark.parametrize("damage", ["no index", "an index of zeros", "no policy", "a cut policy"])
def test_what_cannot_be_opened_is_told_and_no_more(school: Following, damage: str) -> None:
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

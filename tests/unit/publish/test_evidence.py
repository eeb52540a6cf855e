# SPDX-License-Identifier: Apache-2.0
"""The evidence of own lists: bad entries with their places, what is due, and what ships."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.base.paths import shipped
from filterd.config.lists_build import compile_blocklists
from filterd.feed.followed.version_content import make_content
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.hostname import key_from_text
from filterd.lists.index import Index
from filterd.lists.list_queries import entries_of
from filterd.lists.top_names import read_popular
from filterd.publish import evidence
from filterd.publish.evidence import EvidenceReport, check_contacts, inspect, main
from filterd.wire import name as names
from tests.support.evidence_folder import AGAIN, CONTACT, GOOD, write_evidence
from tests.support.feed_folders import write_blocklists
from tests.support.parsing import lines_of
from tests.support.shared_data import shared
from tests.support.yaml_files import change_yaml, write_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.lists.catalogs.catalog import Catalog

TODAY = "2026-12-01"


class Folder:
    """A publisher's folder with one list that has evidence, and one of another category."""

    def __init__(self, path: Path) -> None:
        self.path = write_blocklists(path, "casino.example")
        write_evidence(path, piracy="", games="")

    def write(self, text: str, category: str = "piracy") -> EvidenceReport:
        (self.path / "vn" / f"{category}.txt").write_text(text, encoding="utf-8")
        return inspect(self.path, load_catalog(self.path))

    def problems(self, text: str) -> list[str]:
        return [str(problem) for problem in self.write(text).problems]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "blocklists")


def test_an_entry_has_the_evidence_above_it(folder: Folder) -> None:
    report = folder.write(f"# Films\n\n{GOOD}phim.example\n\ntruyen.example\n")
    assert report.problems == ()
    assert [(entry.name, entry.place, entry.evidence, entry.again) for entry in report.entries] == [
        ("phim.example", "vn/piracy.txt:4", "page", AGAIN),
        ("truyen.example", "vn/piracy.txt:6", "page", AGAIN),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "phim.example\n",
            "vn/piracy.txt:1: 'phim.example' has no evidence"
            " (write `# evidence: ID, again DATE` above it)",
        ),
        (
            f"# evidence: pages, again {AGAIN}\n",
            "vn/piracy.txt:1: there is no evidence 'pages' (did you mean 'page'?)",
        ),
        (
            f"# evidence: other-source, again {AGAIN}\n",
            "vn/piracy.txt:1: there is no evidence 'other-source' (known: page)",
        ),
        (
            "# evidence: page, again 2027-02-30\n",
            "vn/piracy.txt:1: '# evidence: page, again 2027-02-30' is not a line of evidence"
            " (such as `# evidence: abpvn-2026-08, again 2027-02-22`)",
        ),
        (
            "# evidence: page, again 2028-01-01\n",
            "vn/piracy.txt:1: 2028-01-01 is not in the twelve months after 2026-08-22"
            " (look at the source again, and write its new day into evidence.yaml)",
        ),
        (
            f"{GOOD}https://phim.example/x\n",
            "vn/piracy.txt:2: is a URL; its host alone would block a whole site (remove it)",
        ),
        (
            f"{GOOD}com.vn\n",
            "vn/piracy.txt:2: 'com.vn' is a public suffix, under which anyone can register names"
            " (remove it)",
        ),
        (
            f"{GOOD}phim.example\nphim.example\n",
            "vn/piracy.txt:3: 'phim.example' stands at vn/piracy.txt:2, too (remove it)",
        ),
        (
            f"{GOOD}phim.example\nwww.phim.example\n",
            "vn/piracy.txt:3: 'www.phim.example' stands at vn/piracy.txt:2, too (remove it)",
        ),
        (
            f"{GOOD}thi.moet.gov.vn\n",
            "vn/piracy.txt:2: 'thi.moet.gov.vn' closes moet.gov.vn, which must stay open"
            " (remove it)",
        ),
        (
            f"{GOOD}khanacademy.org\n",
            "vn/piracy.txt:2: 'khanacademy.org' closes khanacademy.org, which must stay open"
            " (remove it)",
        ),
    ],
)
def test_a_bad_entry_is_one_line_with_its_place_and_the_remedy(
    folder: Folder, text: str, problem: str
) -> None:
    assert problem in folder.problems(text)


def test_a_name_in_two_categories_is_found(folder: Folder) -> None:
    folder.write(f"{GOOD}phim.example\n", "games")
    (problem,) = folder.problems(f"{GOOD}phim.example\n")
    assert problem == "vn/games.txt:2: 'phim.example' stands at vn/piracy.txt:2, too (remove it)"


@pytest.mark.parametrize(
    "name",
    ["tongdai111.vn", "www.who.int", "hocmai.vn", "vnexpress.net", "zalo.me", "azota.vn"],
)
def test_nothing_that_must_stay_open_may_be_listed(folder: Folder, name: str) -> None:
    (problem,) = folder.problems(f"{GOOD}{name}\n")
    assert "must stay open" in problem


@pytest.mark.control
def test_control_without_the_check_a_pinned_name_would_be_listed(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "_closing", lambda _entries, _catalog: ())
    assert folder.problems(f"{GOOD}tongdai111.vn\n") == []


def test_a_category_that_means_a_popular_name_may_list_it(folder: Folder) -> None:
    assert folder.write(f"{GOOD}roblox.com\n", "games").problems == ()


@pytest.mark.parametrize(
    ("today", "due"),
    [("2027-02-21", False), (AGAIN, True), ("2029-01-01", True)],
)
def test_an_entry_is_due_on_its_day(folder: Folder, today: str, due: bool) -> None:
    report = folder.write(f"{GOOD}phim.example\n")
    assert [one.name for one in report.due(today)] == ["phim.example"] * due


def test_evidence_older_than_a_year_is_due_whatever_its_day(folder: Folder) -> None:
    report = folder.write("# evidence: page, again 2027-08-22\nphim.example\n")
    assert report.due("2027-08-21") == ()
    assert report.due("2027-08-24") == report.entries


def test_evidence_that_stands_twice_is_refused(folder: Folder) -> None:
    def twice(data: dict[str, list[object]]) -> None:
        data["evidence"].append(data["evidence"][0])

    change_yaml(folder.path / "vn" / "evidence.yaml", twice)
    with pytest.raises(ConfigErrors, match="this id occurs twice"):
        folder.write(f"{GOOD}phim.example\n")


def test_a_folder_without_such_lists_has_nothing_to_check(tmp_path: Path) -> None:
    path = write_blocklists(tmp_path / "blocklists", "casino.example")
    assert inspect(path, load_catalog(path)) == EvidenceReport((), ())


@pytest.mark.parametrize(
    ("text", "today", "code", "out", "err"),
    [
        (f"{GOOD}phim.example\n", TODAY, 0, "", ""),
        (
            f"{GOOD}phim.example\n",
            AGAIN,
            0,
            "vn/piracy.txt:2: phim.example is due: seen 2026-08-22 (page)\n",
            "",
        ),
        ("phim.example\n", TODAY, 2, "", "vn/piracy.txt:1: 'phim.example' has no evidence"),
    ],
)
def test_the_check_prints_a_line_each(
    folder: Folder,
    capsys: pytest.CaptureFixture[str],
    text: str,
    today: str,
    code: int,
    out: str,
    err: str,
) -> None:
    folder.write(text)
    assert main(folder.path, today) == code
    printed = capsys.readouterr()
    assert (printed.out, printed.err[: len(err)]) == (out, err)


# What ships.


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(shipped("blocklists"))


@pytest.fixture(scope="module")
def report(catalog: Catalog) -> EvidenceReport:
    return inspect(shipped("blocklists"), catalog)


def test_the_list_that_ships_has_evidence_for_each_name(report: EvidenceReport) -> None:
    assert [str(problem) for problem in report.problems] == []
    assert len(report.entries) >= 400


def test_most_of_what_ships_was_seen_within_twelve_months(report: EvidenceReport) -> None:
    assert len(report.entries) - len(report.due(TODAY)) >= 400


FOLLOWED: dict[str, Callable[[str], str]] = {
    "lists/hostsVN/extensions/gambling/domain.txt.zst": str,
    "lists/hostsVN/extensions/adult/domain.txt.zst": str,
    "lists/hostsVN/extensions/threat/domain.txt": str,
    "lists/ut1/games/domains.zst": str,
    "lists/ut1/warez/domains": str,
    "lists/ut1/social_networks/domains": str,
    "lists/ut1/audio-video/domains": str,
    "lists/ut1/dating/domains.zst": str,
    "lists/blocklistproject/piracy.txt": lambda line: line.split()[-1],
    "lists/blocklistproject/vaping.txt": lambda line: line.split()[-1],
}


@pytest.mark.parametrize("path", FOLLOWED)
def test_no_name_that_ships_is_on_a_list_that_is_followed(
    report: EvidenceReport, path: str
) -> None:
    lines = (one for one in lines_of(shared(path)) if one and not one.startswith("#"))
    followed = {FOLLOWED[path](line) for line in lines}
    assert [entry for entry in report.entries if entry.name in followed] == []


def test_lists_build_and_a_version_of_a_feed_have_them(
    catalog: Catalog, report: EvidenceReport, tmp_path: Path
) -> None:
    compile_blocklists(catalog, (), tmp_path / "index", now=0.0, feed=None)
    index = Index.open(tmp_path / "index")
    make_content(catalog, {}, read_popular(None)).write(shipped("blocklists"), tmp_path / "made")
    version = load_catalog(tmp_path / "made")
    published = {
        line
        for one in version.lists
        if one.id.startswith("vn-")
        for line in Path(one.path).read_text(encoding="utf-8").splitlines()
    }
    for one in report.entries:
        found = entries_of(index, names.from_text(one.name))
        assert one.category in {entry["category"] for entry in found}
        assert key_from_text(one.name)
        assert one.name in published


def test_a_wrong_line_of_evidence_is_one_problem_whatever_stands_below(folder: Folder) -> None:
    report = folder.write(
        f"# evidence: pages, again {AGAIN}\na.example\nb.example\n{GOOD}c.example\n"
    )
    assert [str(problem).split(" ")[0] for problem in report.problems] == ["vn/piracy.txt:1:"]
    assert [entry.name for entry in report.entries] == ["c.example"]


def refused(folder: Path) -> str:
    """Return why a folder is not published, empty where it is."""
    try:
        check_contacts(folder)
    except ConfigError as error:
        return str(error)
    return ""


def test_lists_with_evidence_are_published_by_somebody_who_answers(folder: Folder) -> None:
    assert refused(folder.path) == ""
    (folder.path / "contacts.yaml").unlink()
    assert "the lists of vn/ need a contact for objections" in refused(folder.path)
    shutil.rmtree(folder.path / "vn")
    assert refused(folder.path) == ""


def test_what_ships_waits_for_the_contact_of_its_publisher() -> None:
    assert "need a contact" in refused(shipped("blocklists"))


@pytest.mark.parametrize(
    ("way", "address"),
    [
        ("email", "maintainers@filterd.invalid"),
        ("email", "A@EXAMPLE.COM"),
        ("email", "a@so.example.net"),
        ("web", "https://so.example/loi"),
        ("web", "https://feed.test"),
        ("web", "http://localhost.localhost:80/"),
    ],
)
def test_an_address_at_which_nobody_reads_is_no_contact(
    folder: Folder, way: str, address: str
) -> None:
    write_yaml(folder.path / "contacts.yaml", {"contacts": [CONTACT, {**CONTACT, way: address}]})
    why = refused(folder.path)
    assert f"nobody can be reached at '111, {address}'" in why
    assert "those who are listed may object" in why


@pytest.mark.parametrize("address", ["a@example.edu.vn", "https://test.vn/", "a@so.invalid.vn"])
def test_an_address_that_only_looks_like_one_is_a_contact(folder: Folder, address: str) -> None:
    write_yaml(folder.path / "contacts.yaml", {"contacts": [{**CONTACT, "email": address}]})
    assert refused(folder.path) == ""

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.lists import list_merge
from filterd.lists.catalogs.catalog_categories import CatalogCategory
from filterd.lists.catalogs.catalog_tables import PopularName
from filterd.lists.formats.parsed import BLOCK_EXACT, BLOCK_SUBTREE
from filterd.lists.hostname import key_from_text, text_from_key
from filterd.lists.list_merge import (
    NOT_REPORTED,
    NamedBy,
    Normalised,
    ReportedKeys,
    normalise,
)
from filterd.lists.rules import ListSource, Pin, Protection, SourceShare
from filterd.lists.top_names import Popular
from tests.support.indexes import compiled, text_of, wire

if TYPE_CHECKING:
    from filterd.lists.list_merge import Exclusions
    from filterd.lists.rules import Claim


def _category(*, locked: bool = False, security: bool = False) -> CatalogCategory:
    return CatalogCategory(
        "games",
        "Trò chơi",
        "Games",
        "",
        "",
        None,
        None,
        (),
        locked,
        ordered=False,
        security=security,
    )


class _Lists:
    """Writes lists and normalises them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources = list[ListSource]()
        self.pins = list[Pin]()
        self.protections = list[Protection]()
        self.popular = Popular()

    def add(self, list_format: str, *lines: str, own: bool = False) -> _Lists:
        list_id = f"l{len(self.sources)}"
        path = self.folder / f"{list_id}.in"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        self.sources.append(
            ListSource(list_id, "games", list_format, str(path), own, f"List {list_id}")
        )
        return self

    def done(
        self,
        category: CatalogCategory | None = None,
        reported: ReportedKeys = NOT_REPORTED,
        left_out: Exclusions | None = None,
        dates: dict[str, str] | None = None,
    ) -> Normalised:
        return normalise(
            category or _category(),
            self.sources,
            pins=self.pins,
            protections=self.protections,
            popular=self.popular,
            reported=reported,
            left_out=left_out,
            dates=dates,
        )


@pytest.fixture
def lists(tmp_path: Path) -> _Lists:
    return _Lists(tmp_path)


def _shares(result: Normalised) -> dict[str, SourceShare]:
    return {share.id: share for one in result.lists for share in one.made_of}


def test_each_source_says_what_it_has_and_what_only_it_has(lists: _Lists) -> None:
    lists.add("domains", "both.example", "mine.example", own=True)
    lists.add("domains", "both.example", "one.example", "twice.example", "twice.example")
    lists.add("domains", "both.example", "other.example")
    found = _shares(lists.done())
    assert (found["l1"].names, found["l1"].only) == (3, 2)
    assert (found["l2"].names, found["l2"].only) == (2, 1)
    assert "l0" not in found, "a list that ships is no public source"


def test_a_source_says_what_was_left_out_of_it_and_what_it_closes_that_is_popular(
    lists: _Lists,
) -> None:
    lists.popular = Popular(
        frozen=[
            PopularName(wire("roblox.com"), frozenset({"games"})),
            PopularName(wire("school.example")),
        ]
    )
    lists.protections = [Protection(wire("chess.com"))]
    lists.add("domains", "roblox.com", "school.example", "chess.com", "play.example")
    found = _shares(lists.done(left_out={}))["l0"]
    assert found == SourceShare("l0", 2, 2, 2, ("roblox.com",), "")


def test_a_source_has_the_day_of_its_text(lists: _Lists) -> None:
    lists.add("domains", "play.example")
    found = _shares(lists.done(dates={"l0": "2026-12-01"}))
    assert found["l0"].date == "2026-12-01"


def test_a_list_that_is_kept_whole_says_so_too(lists: _Lists) -> None:
    lists.add("rpz", "$TTL 60", "a.example CNAME .", "b.a.example CNAME rpz-passthru.")
    assert "l0" in _shares(lists.done())


SCHOOLS = ("thcs-mau.edu.vn", "www.mit.edu", "cs.ox.ac.uk", "usd259.k12.ks.us", "a.sch.id")


@pytest.mark.parametrize("school", SCHOOLS)
def test_no_list_of_a_third_party_has_a_name_of_education(lists: _Lists, school: str) -> None:
    lists.add("domains", school, "play.example").add("hosts", f"0.0.0.0 {school}")
    result = lists.done()
    assert _texts(result) == {("feed-games", "domains"): "play.example\n"}
    assert [report.set_aside for report in result.reports] == [1, 1]


@pytest.mark.parametrize("other", ["edu.example", "kubet.ac", "school.example", "my-edu.vn"])
def test_a_name_that_only_looks_like_education_is_taken(lists: _Lists, other: str) -> None:
    lists.add("domains", other)
    assert _texts(lists.done()) == {("feed-games", "domains"): f"{other}\n"}


def test_the_publishers_own_list_may_name_a_school(lists: _Lists) -> None:
    lists.add("domains", "gia-mao.edu.vn", own=True)
    assert _texts(lists.done()) == {("l0", "domains"): "gia-mao.edu.vn\n"}


@pytest.mark.control
def test_without_the_suffixes_a_list_of_games_closes_a_school(
    lists: _Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_merge, "_schools", lambda: ())
    lists.add("domains", "www.mit.edu")
    assert _texts(lists.done()) == {("feed-games", "domains"): "www.mit.edu\n"}


def _texts(result: Normalised) -> dict[tuple[str, str], str]:
    return {(one.id, one.format): one.text.decode() for one in result.lists}


def test_lists_of_third_parties_become_one_sorted_from_the_right(lists: _Lists) -> None:
    lists.add("domains", "b.example", "www.a.example", "# comment", "z.test")
    lists.add("adblock", "! comment", "||a.example.org^", "||b.example^")
    result = lists.done(_category(locked=True))
    text = "www.a.example\nb.example\na.example.org\nz.test\n"
    assert _texts(result) == {("feed-games", "domains"): text}
    [one] = result.lists
    assert (one.entries, one.own, one.title) == (4, False, "Games (Trò chơi)")
    assert result.names == 4


def test_hosts_stay_hosts(lists: _Lists) -> None:
    lists.add("hosts", "0.0.0.0 a.example", "0.0.0.0 b.example").add("domains", "b.example")
    assert _texts(lists.done()) == {("feed-games", "wildcard"): "=a.example\nb.example\n"}


def test_the_publishers_own_lists_stay_apart(lists: _Lists) -> None:
    lists.add("domains", "z.example", "games.blocked.filterd.example", own=True)
    lists.add("domains", "z.example")
    result = lists.done()
    assert _texts(result) == {
        ("l0", "domains"): "games.blocked.filterd.example\nz.example\n",
        ("feed-games", "domains"): "z.example\n",
    }
    assert result.canaries == ["z.example", "games.blocked.filterd.example"]
    assert [one.own for one in result.lists] == [True, False]


def test_an_own_list_that_is_empty_stays(lists: _Lists) -> None:
    assert _texts(lists.add("domains", "# none", own=True).done()) == {("l0", "domains"): ""}


def test_what_another_entry_covers_is_left_out(lists: _Lists) -> None:
    lists.add("domains", "example.org", "a.example.org", "x.a.example.org", "example.organic.test")
    lists.add("hosts", "0.0.0.0 b.example.org", "0.0.0.0 host.test", "0.0.0.0 a.host.test")
    result = lists.done()
    text = "example.org\n=host.test\n=a.host.test\nexample.organic.test\n"
    assert _texts(result) == {("feed-games", "wildcard"): text}
    assert result.redundant == 3


def test_in_a_locked_category_it_stays_for_when_the_cover_is_suspended(lists: _Lists) -> None:
    result = lists.add("domains", "a.example", "b.a.example").done(_category(locked=True))
    assert _texts(result) == {("feed-games", "domains"): "a.example\nb.a.example\n"}


def test_where_there_are_exceptions_it_stays(lists: _Lists) -> None:
    lists.add("rpz", "*.a.example CNAME .", "c.a.example CNAME rpz-passthru.")
    lists.add("domains", "a.example", "d.c.a.example")
    assert "d.c.a.example" in _texts(lists.done())["feed-games", "domains"]


def test_lines_of_adblock_with_conditions_stay_adblock(lists: _Lists) -> None:
    special = ("@@||good.a.example^", "||b.example^$dnstype=A", "||c.example^$important")
    lists.add("adblock", "! head", "||a.example^", *special, "##.banner", "/regex/")
    assert _texts(lists.done()) == {
        ("feed-l0", "adblock"): "".join(f"{line}\n" for line in special),
        ("feed-games", "domains"): "a.example\n",
    }


def test_a_list_that_cancels_its_entries_stays_whole(lists: _Lists) -> None:
    lines = ("||a.example^", "||b.example^", "||a.example^$badfilter")
    lists.add("adblock", *lines).add("domains", "c.example")
    assert _texts(lists.done()) == {
        ("feed-l0", "adblock"): "".join(f"{line}\n" for line in lines),
        ("feed-games", "domains"): "c.example\n",
    }


def test_a_list_of_another_format_with_conditions_stays_whole(lists: _Lists) -> None:
    lines = ("$ORIGIN rpz.test.", "a.example CNAME .", "b.example CNAME rpz-passthru.")
    lists.add("rpz", *lines)
    assert _texts(lists.done()) == {("feed-l0", "rpz"): "".join(f"{line}\n" for line in lines)}


def test_what_no_list_may_name_is_left_out_and_reported(lists: _Lists) -> None:
    lists.add("domains", "com", "com.vn", "*", "blogspot.com", "10.0.0.1", "a/b", "a.example")
    result = lists.done()
    assert _texts(result) == {("feed-games", "domains"): "a.example\n"}
    [report] = result.reports
    assert report.refused == {"everything": 1, "public-suffix": 2, "single-label": 1}
    assert report.problems == {"ip-address": 1, "url-with-path": 1}


UNI = frozenset((key_from_text("uni.example"),))


def test_reported_names_are_sought_in_the_lists_of_third_parties_alone(lists: _Lists) -> None:
    lists.add("domains", "a.example", "uni.example").add("domains", "uni.example", own=True)
    lists.add("domains", "www.uni.example")
    done = lists.done(reported=ReportedKeys(frozenset(), UNI))
    assert done.reported == {"uni.example": [NamedBy("l0", 2)]}
    assert "uni.example" in _texts(done)["feed-games", "domains"]


def test_entries_of_an_accepted_mistake_are_left_out_and_no_others(lists: _Lists) -> None:
    lists.add("domains", "a.example", "uni.example", "www.uni.example")
    lists.add("adblock", "||uni.example^", "||b.example^").add("domains", "uni.example", own=True)
    done = lists.done(reported=ReportedKeys(UNI, UNI))
    texts = _texts(done)
    assert texts["feed-games", "domains"].split() == ["a.example", "b.example", "www.uni.example"]
    assert texts["l2", "domains"] == "uni.example\n"
    assert done.reported == {}


def test_an_entry_of_a_list_that_stays_whole_is_said_to_be_there_still(lists: _Lists) -> None:
    lists.add("adblock", "||uni.example^", "||b.example^$dnstype=AAAA")
    lists.add("wildcard", "*.uni.example", own=False)
    lists.add("rpz", "uni.example CNAME .", "c.example CNAME rpz-passthru.")
    done = lists.done(reported=ReportedKeys(UNI, UNI))
    assert [one.list for one in done.reported["uni.example"]] == ["l2"]


def test_pins_and_protected_names_are_left_out(lists: _Lists) -> None:
    lists.pins.append(Pin(wire("pin.example"), subtree=True))
    lists.protections.append(Protection(wire("bank.example")))
    names = ("x.pin.example", "bank.example", "www.bank.example", "a.example")
    result = lists.add("domains", *names).add("adblock", "||pin.example^$important").done()
    assert _texts(result) == {("feed-games", "domains"): "a.example\n"}


def test_control_without_guards_they_would_be_published(lists: _Lists) -> None:
    lists.add("domains", "x.pin.example").add("adblock", "||pin.example^$important")
    assert len(_texts(lists.done())) == 2


def test_lists_of_danger_name_nothing_popular(lists: _Lists) -> None:
    lists.popular = Popular(["google.com", "zalo.me", "mail.zalo.me"])
    lists.add("hosts", "0.0.0.0 google.com", "0.0.0.0 phish.google.com")
    lists.add("domains", "zalo.me").add("adblock", "||mail.zalo.me^$important")
    result = lists.done(_category(security=True))
    assert _texts(result) == {("feed-games", "wildcard"): "=phish.google.com\n"}
    assert sorted(result.set_aside) == ["=google.com", "mail.zalo.me", "zalo.me"]
    assert result.popular == {}


def test_other_lists_may_and_it_is_counted(lists: _Lists) -> None:
    lists.popular = Popular(["google.com", "zalo.me", "mail.zalo.me"])
    result = lists.add("domains", "zalo.me").done()
    assert _texts(result) == {("feed-games", "domains"): "zalo.me\n"}
    assert result.popular == {2: "zalo.me", 3: "mail.zalo.me"}


def test_what_cannot_be_set_aside_is_counted(lists: _Lists) -> None:
    lists.popular = Popular(["google.com"])
    lists.add("rpz", "google.com CNAME .", "b.example CNAME rpz-passthru.")
    result = lists.done(_category(security=True))
    assert result.popular == {1: "google.com"}
    assert [one.format for one in result.lists] == ["rpz"]


def test_octets_that_are_no_text_come_through(lists: _Lists) -> None:
    lists.add("rpz", "a.example CNAME rpz-passthru.")
    (lists.folder / "l0.in").write_bytes(b"; caf\xe9\r\na.example CNAME rpz-passthru.\r\n")
    [one] = lists.done().lists
    assert one.text == b"; caf\xe9\na.example CNAME rpz-passthru.\n"


_ALL = ("a.test", "b.a.test", "c.b.a.test", "d.test", "x.d.test", "y.x.d.test")
_NAMES = st.sampled_from(_ALL)
_SPECIAL = ("", "", "$important", "$dnstype=AAAA", "$denyallow=b.a.test", "$badfilter")
_PLAIN = {
    "domains": st.builds("{}".format, _NAMES),
    "hosts": st.builds("0.0.0.0 {}".format, _NAMES),
    "wildcard": st.builds("{1}{0}".format, _NAMES, st.sampled_from(("=", "*.", ""))),
}
_LINES = _PLAIN | {
    "adblock": st.builds(
        "{}{}^{}".format, st.sampled_from(("||", "@@||")), _NAMES, st.sampled_from(_SPECIAL)
    ),
    "rpz": st.builds(
        "{}{} CNAME {}".format,
        st.sampled_from(("", "*.")),
        _NAMES,
        st.sampled_from((".", "rpz-passthru.")),
    ),
    "dnsmasq": st.builds("local=/{}/".format, _NAMES) | st.builds("server=/{}/#".format, _NAMES),
}


def _lists_of(lines: dict[str, st.SearchStrategy[str]]) -> st.SearchStrategy[list[Any]]:
    one = st.sampled_from(sorted(lines)).flatmap(
        lambda name: st.tuples(st.just(name), st.lists(lines[name], max_size=5))
    )
    return st.lists(one, min_size=1, max_size=3)


def _said(folder: Path, sources: list[ListSource]) -> set[tuple[str, Claim]]:
    """Return the entries of lists after their own cancellations, as the compiler reads them.

    That a host is closed where it is closed with all beneath it adds nothing.
    """
    index = compiled(folder, *sources).index
    found = {
        (text_of(index.name(rank)), index.claims[claim_id][1])
        for rank in range(len(index))
        for claim_id, _ in index.entries(rank)
    }
    return {
        (name, claim)
        for name, claim in found
        if claim != BLOCK_EXACT or (name, BLOCK_SUBTREE) not in found
    }


def _published(folder: Path, result: Normalised) -> list[ListSource]:
    sources = []
    for one in result.lists:
        path = folder / f"{one.id}.out"
        path.write_bytes(one.text)
        sources.append(ListSource(one.id, one.category, one.format, str(path), one.own))
    return sources


@given(_lists_of(_LINES))
def test_nothing_is_said_otherwise_than_before(several: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lists = _Lists(folder)
        for list_format, lines in several:
            lists.add(list_format, *lines)
        result = lists.done(_category(locked=True))
        assert _said(folder, _published(folder, result)) == _said(folder, lists.sources)
        assert lists.done(_category(locked=True)) == result


def _closed(said: set[tuple[str, Claim]]) -> set[str]:
    names = {f"{label}{name}" for name in _ALL for label in ("", "new.")}
    return {
        name
        for name in names
        for listed, claim in said
        if name == listed or (claim == BLOCK_SUBTREE and name.endswith(f".{listed}"))
    }


@given(_lists_of(_PLAIN))
def test_the_same_names_are_closed_without_what_is_covered(several: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lists = _Lists(folder)
        for list_format, lines in several:
            lists.add(list_format, *lines)
        after = _said(folder, _published(folder, lists.done()))
        assert _closed(after) == _closed(_said(folder, lists.sources))


@given(_lists_of(_PLAIN), st.booleans())
def test_the_octets_are_those_of_a_dictionary_of_names(several: list[Any], locked: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        lists = _Lists(Path(name))
        for list_format, lines in several:
            lists.add(list_format, *lines)
        result = lists.done(_category(locked=locked))
        whole = {
            key_from_text(listed): claim == BLOCK_SUBTREE
            for listed, claim in sorted(
                _said(Path(name), lists.sources), key=lambda one: one[1] == BLOCK_SUBTREE
            )
        }
    kept = [
        key
        for key in sorted(whole)
        if locked or not any(key != one and key.startswith(one) and whole[one] for one in whole)
    ]
    text = "".join(("" if whole[key] else "=") + text_from_key(key) + "\n" for key in kept)
    assert [one.text.decode() for one in result.lists] == [text] * bool(text)
    assert (result.names, result.redundant) == (len(whole), len(whole) - len(kept))

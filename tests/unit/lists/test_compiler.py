# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ListError, StoreError
from filterd.lists.compiler import CompileProgress, compile_lists
from filterd.lists.packing import Packer
from filterd.lists.rules import Claim, Effect, ListSource, Pin, Protection, Scope
from tests.support.indexes import a_list, compiled, entries_of, listed, text_of, wire
from tests.support.needs import command
from tests.support.shared_data import shared

if TYPE_CHECKING:
    from filterd.lists.index import Index

BLOCK = Claim(Scope.SUBTREE)


def test_entries_of_all_lists_stand_together(tmp_path: Path) -> None:
    porn = a_list(tmp_path, "bad.example.com\n", "porn", category="porn")
    ads = a_list(tmp_path, "\n0.0.0.0 bad.example.com\n", "ads", form="hosts")
    index = compiled(tmp_path, porn, ads).index
    assert entries_of(index, "bad.example.com") == {
        ("porn", "bad.example.com", BLOCK, 1),
        ("ads", "bad.example.com", Claim(Scope.EXACT), 2),
    }


def test_exception_and_marker_are_distinguished_from_blocks(tmp_path: Path) -> None:
    text = "||example.com^\n@@||good.example.com^\n"
    index = compiled(tmp_path, a_list(tmp_path, text, form="adblock")).index
    assert entries_of(index, "good.example.com") == {
        ("a", "example.com", BLOCK, 1),
        ("a", "example.com", Claim(Scope.EXACT, Effect.MARKER), 2),
        ("a", "good.example.com", Claim(Scope.SUBTREE, Effect.EXCEPT), 2),
    }


def test_badfilter_cancels_equal_entries_of_its_list_only(tmp_path: Path) -> None:
    one = a_list(tmp_path, "||example.com^\n||example.com^$badfilter\n", "a", form="adblock")
    other = a_list(tmp_path, "||example.com^\n", "b", form="adblock")
    made = compiled(tmp_path, one, other)
    assert entries_of(made.index, "example.com") == {("b", "example.com", BLOCK, 1)}
    assert [report.cancelled for report in made.report.lists] == [1, 0]


def test_redundant_entries_stay_in_the_index(tmp_path: Path) -> None:
    made = compiled(tmp_path, a_list(tmp_path, "example.com\nwww.example.com\n"))
    assert made.report.lists[0].redundant == 1
    assert listed(made.index, "www.example.com") == ["www.example.com", "example.com"]


def test_guards_take_names_out_and_say_so(tmp_path: Path) -> None:
    made = compiled(
        tmp_path,
        a_list(tmp_path, "exam.edu.vn\nbank.com\nx.bank.com\nbad.com\n"),
        pins=[Pin(wire("exam.edu.vn"))],
        protections=[Protection(wire("bank.com"))],
    )
    report = made.report.lists[0]
    assert list(made.index.names()) == [wire("bad.com")]
    assert (report.kept, report.set_aside, report.refused) == (1, 2, {"pinned": 1})
    assert {(s.line, s.reason) for s in report.samples} == {
        (1, "pinned"),
        (2, "protected"),
        (3, "protected"),
    }


def test_report_and_lists_travel_in_the_index(tmp_path: Path) -> None:
    made = compiled(tmp_path, a_list(tmp_path, "bad.com\ncom\n"))
    kept = made.index.report
    assert kept.lists == made.report.lists
    assert (kept.seconds, made.report.seconds > 0) == (0.0, True)
    record = made.index.lists[0]
    assert (record.id, record.category, record.kept, len(record.digest)) == ("a", "ads", 1, 64)
    assert made.index.build["when"] == 1.0


def test_same_lists_give_the_same_octets(tmp_path: Path) -> None:
    source = a_list(tmp_path, "b.com\na.com\n@\n")
    octets = compiled(tmp_path, source).path.read_bytes()
    assert compiled(tmp_path, source).path.read_bytes() == octets


def test_no_lists_give_an_index_that_lists_nothing(tmp_path: Path) -> None:
    index = compiled(tmp_path).index
    index.verify()
    assert (len(index), listed(index, "example.com")) == (0, [])


def test_unreadable_list_leaves_the_old_index(tmp_path: Path) -> None:
    old = compiled(tmp_path, a_list(tmp_path, "old.com\n")).path.read_bytes()
    absent = ListSource("b", "ads", "domains", str(tmp_path / "absent.txt"))
    with pytest.raises(ListError, match=r"absent\.txt: cannot be read: No such file"):
        compiled(tmp_path, a_list(tmp_path, "new.com\n"), absent)
    assert (tmp_path / "index").read_bytes() == old


def test_two_lists_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ListError, match="second list has the id 'a'"):
        compiled(tmp_path, a_list(tmp_path, "x.com\n"), a_list(tmp_path, "x.com\n"))


def test_progress_grows_to_the_octets_of_all_lists(tmp_path: Path) -> None:
    sources = [a_list(tmp_path, "x.com\n" * 9, "a"), a_list(tmp_path, "y.com\n", "b")]
    seen = list[tuple[int, int]]()
    compile_lists(
        sources,
        target=tmp_path / "i",
        now=0,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert seen == sorted(seen)
    assert seen[-1] == (60, 60)


def test_progress_goes_on_after_the_last_list_is_read(tmp_path: Path) -> None:
    source = a_list(tmp_path, "".join(f"n{number}.com\n" for number in range(70_000)))
    seen = list[int]()
    compile_lists(
        [source], target=tmp_path / "i", now=0, progress=lambda done, _total: seen.append(done)
    )
    octets = Path(source.path).stat().st_size
    assert len({done for done in seen if 0.75 * octets < done < octets}) >= 2


def test_longest_name_of_all_is_listed_and_found(tmp_path: Path) -> None:
    longest = ".".join(("a" * 63, "b" * 63, "c" * 63, "d" * 57, "com"))
    assert len(wire(longest)) == 255
    made = compiled(tmp_path, a_list(tmp_path, f"{longest}\nb.example.com\n"))
    made.index.verify()
    assert listed(made.index, longest) == [longest]
    assert listed(made.index, "x.b.example.com") == ["b.example.com"]


def test_more_claim_sets_than_narrow_ids_are_packed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = list[int]()

    class Narrow(Packer):
        def __init__(self, *facts: Any) -> None:
            super().__init__(*facts)
            tried.append(facts[-1])

        def pack(self, *work: Any) -> None:
            if self.set_width == 2:
                raise OverflowError
            super().pack(*work)

    monkeypatch.setattr("filterd.lists.compiler.Packer", Narrow)
    index = compiled(tmp_path, a_list(tmp_path, "example.com\n")).index
    assert tried == [2, 4]
    assert entries_of(index, "example.com") == {("a", "example.com", BLOCK, 1)}


def test_every_line_not_taken_is_in_the_file_of_problems(tmp_path: Path) -> None:
    source = a_list(tmp_path, "com\nhttp://a.b/c\nok.example.com\nbank.com\n")
    problems = tmp_path / "problems.tsv"
    compile_lists(
        [source],
        protections=[Protection(wire("bank.com"))],
        target=tmp_path / "i",
        now=0,
        problems=problems,
    )
    rows = [line.split("\t") for line in problems.read_text().splitlines()]
    assert [(row[0].rsplit(":", 1)[1], row[1]) for row in rows] == [
        ("1", "single-label"),
        ("2", "url-with-path"),
        ("4", "protected"),
    ]


def test_problems_that_cannot_be_written_are_a_store_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"):
        compile_lists([], target=tmp_path / "i", now=0, problems=tmp_path / "absent" / "p")


REAL = {
    "ut1-doh": ("proxy-vpn", "domains", "ut1/doh/domains"),
    "ut1-dating": ("dating", "domains", "ut1/dating/domains"),
    "ut1-blog": ("blog", "domains", "ut1/blog/domains"),
    "ut1-forums": ("forums", "domains", "ut1/forums/domains"),
    "ut1-gambling": ("gambling", "domains", "ut1/gambling/domains"),
    "phishing": ("scam", "domains", "blocklistproject/alt-version/phishing-nl.txt"),
    "hagezi": ("ads", "adblock", "hagezi2022/adblock/fake.txt"),
    "dibdot": ("proxy-vpn", "domains", "dibdot-doh/doh-domains.txt"),
}
FALSE_POSITIVES = (
    "apple-dns.net",
    "yahoodns.net",
    "eventbrite.com",
    "tdu.edu.vn",
    "trustpilot.com",
)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> tuple[Index, list[ListSource]]:
    """Compile published lists of several categories together."""
    folder = tmp_path_factory.mktemp("real")
    root = shared("lists")
    sources = []
    for list_id, (category, form, place) in REAL.items():
        path = root / place
        if not path.exists():
            path = folder / f"{list_id}.txt"
            words = [command("zstd"), "-dc", str(root / f"{place}.zst")]
            path.write_bytes(subprocess.run(words, capture_output=True, check=True).stdout)
        sources.append(ListSource(list_id, category, form, str(path)))
    protections = [Protection(wire(name)) for name in FALSE_POSITIVES]
    made = compiled(folder, *sources, protections=protections)
    return made.index, sources


@pytest.mark.parametrize("step", [10, pytest.param(1, marks=pytest.mark.long)])
def test_entries_of_real_lists_are_found_with_their_lines(
    real: tuple[Index, list[ListSource]], step: int
) -> None:
    index, sources = real
    texts = [Path(source.path).read_text(encoding="utf-8").split("\n") for source in sources]
    lines = 0
    for rank, name in islice(index.ranked_names(), None, None, step):
        hit = index.lookup(name)[0]
        assert hit.rank == rank
        text = text_of(name)
        for claim_id, line in index.entries(rank):
            list_index, claim = index.claims[claim_id]
            lines += claim.effect is not Effect.MARKER
            assert text in texts[list_index][line - 1].lower() or "xn--" in text
    assert lines == index.report.kept > 50_000 or step > 1
    assert lines > 5_000


def test_protected_names_of_real_lists_are_set_aside(
    real: tuple[Index, list[ListSource]],
) -> None:
    index, _ = real
    assert [listed(index, name) for name in FALSE_POSITIVES] == [[]] * len(FALSE_POSITIVES)
    assert index.report.set_aside >= 3


def test_public_suffix_of_a_real_list_is_refused(real: tuple[Index, list[ListSource]]) -> None:
    index, _ = real
    assert listed(index, "any.blogspot.com") == []
    blog = next(report for report in index.report.lists if report.id == "ut1-blog")
    assert blog.refused["public-suffix"] >= 1


def test_name_of_two_real_lists_is_attributed_to_both(
    real: tuple[Index, list[ListSource]],
) -> None:
    lists = {list_id for list_id, *_ in entries_of(real[0], "facebook.com")}
    assert {"ut1-blog", "ut1-forums"} <= lists


def steps_of(octets: int) -> tuple[CompileProgress, list[tuple[int, int]]]:
    steps = list[tuple[int, int]]()
    return CompileProgress(lambda done, of: steps.append((done, of)), octets), steps


def test_reading_all_is_not_the_end() -> None:
    work, steps = steps_of(1000)
    work.has_read(1000)
    assert steps == [(700, 1000)]


def test_packing_goes_on_where_reading_ended() -> None:
    work, steps = steps_of(1000)
    work.has_packed(0, 10)
    work.has_packed(10, 10)
    assert 700 < steps[0][0] < steps[1][0] < 1000


def test_end_is_reached_when_everything_is_done() -> None:
    work, steps = steps_of(1000)
    work.finish()
    assert steps == [(1000, 1000)]


def test_packing_once_more_does_not_go_back() -> None:
    work, steps = steps_of(1000)
    work.has_packed(10, 10)
    work.has_packed(0, 10)
    assert steps[0] == steps[1]


@pytest.mark.parametrize("octets", [0, 1])
def test_lists_of_nearly_nothing_are_no_error(octets: int) -> None:
    work, steps = steps_of(octets)
    work.has_read(octets)
    work.has_packed(0, 0)
    work.finish()
    assert steps[-1] == (octets, octets)


def test_list_that_grows_while_it_is_read_does_not_pass_the_end() -> None:
    work, steps = steps_of(1000)
    work.has_read(5000)
    assert steps == [(1000, 1000)]

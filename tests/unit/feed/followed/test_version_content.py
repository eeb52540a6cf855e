# SPDX-License-Identifier: Apache-2.0
"""The content of a version, and of followed lists in a child, which may be ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ListError, StoreError, TooLargeError
from filterd.base.paths import shipped
from filterd.feed.appliance_files import Wanted
from filterd.feed.feed_config import own_source
from filterd.feed.followed.version_content import (
    ContentRequest,
    make_content,
    make_in_child,
)
from filterd.lists.catalogs.catalog import load_catalog
from filterd.lists.hostname import key_from_text
from filterd.lists.list_merge import NamedBy
from filterd.lists.lookalikes import LookalikeRule
from filterd.lists.top_names import read_popular
from filterd.overrides.mistake_answers import FILE, MistakeAnswer, MistakeOutcome, read_answers

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.feed.followed.version_content import VersionContent
    from filterd.lists.list_merge import Exclusions

pytestmark = pytest.mark.usefixtures("warm_children")


SOURCE = "ut1-games"


def _made(folder: Path, text: str, left_out: Exclusions | None) -> VersionContent:
    (folder / "text").write_text(text)
    catalog = load_catalog(shipped("blocklists"))
    return make_content(catalog, {SOURCE: folder / "text"}, read_popular(None), left_out=left_out)


def _written(folder: Path, content: VersionContent) -> str:
    content.write(shipped("blocklists"), folder / "made")
    return (folder / "made" / "lists" / "feed-games.txt").read_text()


def test_what_is_left_out_and_what_is_popular_is_set_aside(tmp_path: Path) -> None:
    text = "good.example\nmistake.example\nkenh14.vn\n"
    content = _made(tmp_path, text, {SOURCE: {key_from_text("mistake.example")}})
    made = content.categories["games"]
    assert sorted(made.set_aside) == ["kenh14.vn", "mistake.example"]
    assert not made.wrongly_closed
    assert _written(tmp_path, content) == "good.example\n"


def test_a_rule_that_closes_a_reported_name_is_found_too(tmp_path: Path) -> None:
    content = _made(tmp_path, "good.example\n", None)
    scam = {"scam": (LookalikeRule(b"i9bet#", 3, frozenset((b"\3com\0",))),)}
    content = replace(content, lookalikes=replace(content.lookalikes, rules=scam))
    sought = [key_from_text(one) for one in ("i9bet77.com", "www.i9bet77.com", "other.com")]
    assert content.naming(sought) == {"i9bet77.com": [NamedBy("~i9bet#", 0)]}


def test_answers_to_mistakes_are_a_part_of_the_version(tmp_path: Path) -> None:
    answer = MistakeAnswer("uni.example", MistakeOutcome.MENDED, "2027-01-15", "trường")
    content = _made(tmp_path, "good.example\n", None)
    content.write(shipped("blocklists"), tmp_path / "made", [answer])
    assert read_answers(tmp_path / "made") == {"uni.example": answer}
    content.write(shipped("blocklists"), tmp_path / "made")
    assert not (tmp_path / "made" / FILE).exists()


def test_control_a_publisher_sees_the_popular_name_and_decides(tmp_path: Path) -> None:
    content = _made(tmp_path, "good.example\nkenh14.vn\n", None)
    assert content.categories["games"].wrongly_closed
    assert "kenh14.vn" in _written(tmp_path, content)


def test_the_catalogue_names_the_sources_that_have_a_text(tmp_path: Path) -> None:
    content = _made(tmp_path, "good.example\n", {})
    _written(tmp_path, content)
    assert [source.id for source in load_catalog(tmp_path / "made").sources] == [SOURCE]


def test_no_list_closes_what_only_an_order_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.feed.followed.version_content.lists_of", _in_law_ordered)
    with pytest.raises(ListError, match="without an order"):
        _made(tmp_path, "good.example\n", {})


def _in_law_ordered(catalog: object, texts: dict[str, Path]) -> object:
    from filterd.lists.rules import ListSource  # noqa: PLC0415

    del catalog
    return [ListSource("x", "law-ordered", "domains", str(texts[SOURCE]))]


BETS = own_source(Wanted("bets", "https://lists.example/bets.txt", "gambling"))


@pytest.fixture
def wanted(tmp_path: Path) -> ContentRequest:
    text = tmp_path / "bets.txt"
    text.write_text("bet1.example\nmistake.example\n")
    return ContentRequest([BETS], {"bets": text}, {"bets": {key_from_text("mistake.example")}})


def _files(folder: Path) -> dict[Path, bytes]:
    return {one.relative_to(folder): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_a_child_makes_what_is_made_here(wanted: ContentRequest, tmp_path: Path) -> None:
    make_in_child(wanted, tmp_path / "made", memory_octets=1 << 29)
    wanted.write(tmp_path / "here")
    assert _files(tmp_path / "made") == _files(tmp_path / "here")
    assert (tmp_path / "made" / "lists" / "feed-gambling.txt").read_text() == "bet1.example\n"


def test_what_is_wrong_comes_back_in_words(wanted: ContentRequest, tmp_path: Path) -> None:
    wanted.texts["bets"].unlink()
    with pytest.raises(ListError, match=r"bets\.txt: cannot be read"):
        make_in_child(wanted, tmp_path / "made", memory_octets=1 << 29)


def test_a_child_without_enough_memory_reports_it(wanted: ContentRequest, tmp_path: Path) -> None:
    wanted.texts["bets"].write_text("".join(f"a{n}.example\n" for n in range(200_000)))
    with pytest.raises(TooLargeError, match="more memory than this machine has"):
        make_in_child(wanted, tmp_path / "made", memory_octets=90 << 20)


def test_a_disk_that_refuses_is_no_fault_of_the_lists(
    wanted: ContentRequest, tmp_path: Path
) -> None:
    (tmp_path / "made").write_text("in the way")
    with pytest.raises(StoreError, match="of: cannot be written"):
        make_in_child(wanted, tmp_path / "made" / "of", memory_octets=1 << 29)


def test_control_with_enough_memory_the_same_is_made(
    wanted: ContentRequest, tmp_path: Path
) -> None:
    wanted.texts["bets"].write_text("".join(f"a{n}.example\n" for n in range(200_000)))
    make_in_child(wanted, tmp_path / "made", memory_octets=1 << 29)
    assert (tmp_path / "made" / "catalog.yaml").exists()


def test_a_child_that_takes_too_long_is_ended(wanted: ContentRequest, tmp_path: Path) -> None:
    with pytest.raises(ListError, match="it took more than 0 s"):
        make_in_child(wanted, tmp_path / "made", memory_octets=1 << 29, time_limit_s=0.0)


def test_a_child_that_the_system_ends_is_reported(
    wanted: ContentRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = ["/bin/sh", "-c", "kill -9 $$"]
    monkeypatch.setattr("filterd.base.bounded_child.command", lambda _: killed)
    with pytest.raises(ListError, match="cannot be merged: the kernel ended it"):
        make_in_child(wanted, tmp_path / "made", memory_octets=1 << 29)

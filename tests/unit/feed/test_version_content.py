# SPDX-License-Identifier: Apache-2.0
"""A version that no person looks at: what would close a popular name is set aside."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from filterd.errors import ListError
from filterd.feed.version_content import make_content
from filterd.lists.catalog import load_catalog
from filterd.lists.hostname import key_from_text
from filterd.lists.list_merge import NamedBy
from filterd.lists.lookalikes import LookalikeRule
from filterd.lists.top_names import read_popular
from filterd.overrides.mistake_answers import FILE, MistakeAnswer, MistakeOutcome, read_answers
from filterd.paths import shipped

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.feed.version_content import VersionContent
    from filterd.lists.list_merge import Exclusions

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
    assert [one.id for one in load_catalog(tmp_path / "made").sources] == [SOURCE]


def test_no_list_closes_what_only_an_order_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.feed.version_content.lists_of", _in_law_ordered)
    with pytest.raises(ListError, match="without an order"):
        _made(tmp_path, "good.example\n", {})


def _in_law_ordered(catalog: object, texts: dict[str, Path]) -> object:
    from filterd.lists.rules import ListSource  # noqa: PLC0415

    del catalog
    return [ListSource("x", "law-ordered", "domains", str(texts[SOURCE]))]

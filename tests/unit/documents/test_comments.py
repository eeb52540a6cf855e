# SPDX-License-Identifier: Apache-2.0
"""The comments of YAML that ships are in the language of the site."""

from __future__ import annotations

import pytest

from filterd.documents import parse
from filterd.documents.comments import comments, in_language
from tests.support.commands import ROOT

SHIPPED = sorted((ROOT / "policies").rglob("*.yaml"))

TEXT = """\
# SPDX-License-Identifier: Apache-2.0
# Grades 1 to 5, six
# to ten years old.
language: vi
rooms:
  # A computer room: its grade is that of the present lesson.
  lab: {grade: 6}  # stays
#  example: {grade: 7}
"""


def test_a_comment_is_the_lines_beside_each_other() -> None:
    assert comments(TEXT) == [
        "Grades 1 to 5, six to ten years old.",
        "A computer room: its grade is that of the present lesson.",
    ]


def test_comments_are_translated_where_they_stand_and_nothing_else() -> None:
    assert in_language(TEXT, "vi").splitlines() == [
        "# SPDX-License-Identifier: Apache-2.0",
        "# Lớp 1 đến lớp 5, 6 đến 10 tuổi.",
        "language: vi",
        "rooms:",
        "  # Một phòng máy: lọc theo khối lớp đang có tiết trong phòng.",
        "  lab: {grade: 6}  # stays",
        "#  example: {grade: 7}",
    ]
    assert in_language(TEXT, "en") == TEXT.replace("language: vi", "language: en")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_ships_means_the_same_in_both_languages(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    spoken = in_language(text, "vi")
    assert parse(spoken.encode(), "it").data == parse(text.encode(), "it").data
    assert max(map(len, spoken.splitlines())) <= 100
    assert not set(comments(text)) & set(comments(spoken))

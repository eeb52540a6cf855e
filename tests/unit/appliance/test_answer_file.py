# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from filterd.appliance.answer_file import KEPT, KeptAnswers, load_answers
from filterd.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_answers_are_written_as_they_would_be_typed(tmp_path: Path) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(
        "school: Nguyễn Du\ncode: 0079\nclasses: [6A, 6E1, 12 Tin]\nseat 10.0.0.0/8: no\nroot:\n"
    )
    assert load_answers(file) == {
        "school": "Nguyễn Du",
        "code": "0079",
        "classes": "6A, 6E1, 12 Tin",
        "seat 10.0.0.0/8": "no",
        "root": "",
    }


@pytest.mark.parametrize("text", ["- a\n", "school: {name: A}\n", "school: [\n"])
def test_what_is_no_file_of_answers_is_refused_with_its_place(tmp_path: Path, text: str) -> None:
    file = tmp_path / "answers.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"answers\.yaml"):
        load_answers(file)
    with pytest.raises(ConfigError, match="none"):
        load_answers(tmp_path / "none")


def test_answers_are_kept_and_damaged_ones_are_none(tmp_path: Path) -> None:
    path = tmp_path / "setup.filterd"
    KEPT.save(path, KeptAnswers({"school": "Nguyễn Du"}))
    assert KEPT.read(path) == KeptAnswers({"school": "Nguyễn Du"})
    path.write_bytes(path.read_bytes()[:-9])
    assert KEPT.read(path) is None

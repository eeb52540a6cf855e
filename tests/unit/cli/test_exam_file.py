# SPDX-License-Identifier: Apache-2.0
"""Exam files are read back as they were written, and errors have a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd.cli import exam_file
from filterd.cli.exam_file import Needed
from filterd.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_trial_run_asked_for_is_read_again(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = [
        {"name": "www.b.example", "registrable": "b.example", "times": 12, "blocked": False},
        {"name": "ads.b.example", "registrable": "b.example", "times": 3, "blocked": True},
        {"name": "cdn.a.example", "registrable": "a.example"},
        {"name": "b.example", "registrable": "b.example"},
    ]
    path = tmp_path / "exam.txt"
    path.write_text(exam_file.dump(seen, "a trial run", "closed"), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == (
        "# a trial run\n\n# a.example\ncdn.a.example\n\n"
        "# b.example\n# ads.b.example  # 3, closed\nb.example\nwww.b.example  # 12\n"
    )
    names = ("cdn.a.example", "b.example", "www.b.example")
    assert exam_file.load(path) == Needed(names)


def test_a_suffix_that_a_trial_run_asked_for_is_written_as_one(tmp_path: Path) -> None:
    path = tmp_path / "exam.txt"
    path.write_text(exam_file.dump([{"name": "github.io"}], "a trial run", "closed"))
    assert path.read_text().endswith("\n*.github.io\n")
    assert exam_file.load(path) == Needed(("github.io",))
    with pytest.raises(ConfigError, match=r"x:1: anyone can register names under 'edu\.vn'"):
        exam_file.parse("edu.vn\n", "x")


def test_services_and_remarks_may_stand_there_too() -> None:
    text = "service:azota\n  A.Example.  # the exam\n\nservice:azota\n"
    assert exam_file.parse(text, "x") == Needed(("a.example",), ("azota",))


def test_every_wrong_line_is_told() -> None:
    with pytest.raises(ConfigError) as caught:
        exam_file.parse("https://a.example/x\nb.example\ncategory:games\n*.c.example\n", "x")
    first, second, third = str(caught.value).splitlines()
    assert first.startswith("x:1: 'https://a.example/x' is a URL")
    assert second == "x:3: 'category:games' is neither a name nor a service"
    assert third.startswith("x:4: a name needs no '*.' (write 'c.example'")

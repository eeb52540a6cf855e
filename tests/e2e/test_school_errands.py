# SPDX-License-Identifier: Apache-2.0
"""The tasks of a teacher in ``deploy/ERRANDS.md``: one command each, in force at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import call
from tests.support.daemon import build_lists, free_port, noon, serving, write_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.daemon import Served

SCHOOL = f"""\
  lab-a:
    cidrs: [127.0.110.0/24]
    timetable:
      t2: {{ca-ngay: 6}}
lessons:
  ca-ngay: 00:00-24:00
workers: 2
time_zone: {noon()}
"""
YOUTUBE, TIKTOK = "www.youtube.com", "www.tiktok.com"

pytestmark = [
    pytest.mark.usefixtures("warm_children"),
    pytest.mark.usefixtures("needs_namespaces"),
]


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("school")
    config = write_site(folder / "site", port=free_port(), more=SCHOOL)
    build_lists(config, folder / "state")
    with serving(config, folder / "state") as served:
        yield served


def _do(school: Served, *words: str | Path) -> dict[str, Any]:
    done = call(*words, "--json", *school.options)
    assert done.code == 0, done.err
    answer: dict[str, Any] = json.loads(done.out)
    return answer


def _check(school: Served, *words: str) -> int:
    return call("check", *words, *school.options).code


def test_another_class_sits_in_the_room(school: Served) -> None:
    in_lab = (YOUTUBE, "--client", "127.0.110.7")
    assert _check(school, *in_lab) == 1
    answer = _do(school, "room", "set", "lab-a", "--grade", "9", "--lesson")
    assert _check(school, *in_lab) == 0
    assert answer["in_force_ms"] < 10_000
    shown = call("room", "list", *school.options).out
    assert "set by root" in shown
    _do(school, "undo")
    assert _check(school, *in_lab) == 1


LOOKALIKE = ("thitotnghiep-thpt.edu.vn", "--client", "127.0.110.7")
EXAM = ("exam", "start", "--room", "lab-a", "--for", "5m", "--allow")


def test_an_exam_opens_a_whole_suffix_only_where_that_is_written(school: Served) -> None:
    done = call(*EXAM, "edu.vn", *school.options)
    assert (done.code, done.out) == (2, "")
    assert "anyone can register names under 'edu.vn': all of them would open" in done.err
    _do(school, *EXAM, "olm.vn")
    assert _check(school, *LOOKALIKE) == 1
    _do(school, "undo")
    _do(school, *EXAM, "*.edu.vn")
    assert _check(school, *LOOKALIKE) == 0
    _do(school, "undo")


def test_control_without_asking_an_exam_opens_what_anybody_registers(
    school: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "filterd.overrides.target_text.has_strangers_beneath", lambda *_, **__: False
    )
    _do(school, *EXAM, "edu.vn")
    assert _check(school, *LOOKALIKE) == 0
    _do(school, "undo")


def test_a_colleague_needs_youtube_until_the_bell(school: Served) -> None:
    words = ("service:youtube", "--grade", "6", "--lesson", "--reason", "Bài 12")
    assert _check(school, YOUTUBE, "--grade", "6") == 1
    _do(school, "allow", *words)
    assert _check(school, YOUTUBE, "--grade", "6") == 0
    assert _check(school, YOUTUBE, "--grade", "7") == 1
    _do(school, "undo")
    assert _check(school, YOUTUBE, "--grade", "6") == 1


def test_an_exam_leaves_a_room_what_it_needs(school: Served, tmp_path: Path) -> None:
    file = tmp_path / "exam.txt"
    file.write_text("thi.example\n", encoding="utf-8")
    lab = ("--client", "127.0.110.7")
    _do(school, "exam", "start", "--room", "lab-a", "--for", "90m", "--allow", file)
    names = ("thi.example", "moet.gov.vn", "other.example")
    assert [_check(school, name, *lab) for name in names] == [0, 0, 1]
    assert "in force" in call("exam", "list", *school.options).out
    _do(school, "exam", "stop")
    assert _check(school, "other.example", *lab) == 0


def test_a_mistake_of_a_list_needs_a_list_that_has_it(school: Served) -> None:
    done = call("report-mistake", "vnu.edu.vn", "--reason", "b", *school.options)
    assert done.code == 2
    assert "is not an entry of a third-party list" in done.err


def test_a_parent_gets_an_answer_about_today(school: Served) -> None:
    asked = (TIKTOK, "--grade", "3")
    assert _check(school, *asked) == 1
    assert _check(school, *asked, "--at", "2020-01-01T10:00") == 2  # forgotten
    assert _check(school, *asked, "--at", "t2 10:00") == 1


def test_everything_is_on_record(school: Served) -> None:
    _do(school, "block", "a.example", "--for", "1h", "--reason", "Phụ huynh phản ánh")
    row = json.loads(call("history", "list", "--json", *school.options).out)[0]
    assert (row["author"], row["reason"]) == ("root", "Phụ huynh phản ánh")
    assert call("history", "verify", *school.options).code == 0


def test_a_reload_that_breaks_an_expectation_is_refused(school: Served) -> None:
    site = school.config / "site.yaml"
    before = site.read_text(encoding="utf-8")
    site.write_text(
        f"{before}grades:\n  4: {{categories: {{allow: [social-media]}}}}\n", encoding="utf-8"
    )
    try:
        done = call("reload", *school.options)
        assert done.code == 2
        assert "expected: www.tiktok.com is blocked for primary; but it passes for 4" in done.err
        assert _check(school, TIKTOK, "--grade", "4") == 1
    finally:
        site.write_text(before, encoding="utf-8")
    assert call("reload", *school.options).code == 0

# SPDX-License-Identifier: Apache-2.0
"""Errors are reported in the user's language: of commands, sites and daemon."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.support.commands import SAMPLE, run
from tests.support.daemon import Served, build_lists, free_port, serving, starting, write_site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.long

ROOM = "  lab-a: {cidrs: [192.0.2.0/24], timetable: {t2: {'1': 6}}}\nlessons: {'1': 07:00-07:45}\n"


class Wrong(NamedTuple):
    """Words that are wrong, and what is said of them in both languages."""

    words: str
    english: str
    vietnamese: str


OFFLINE = [
    Wrong(
        "check vnu.edu.vn --grade 13 --offline",
        "'13' is not a grade (one of preschool, 1, 2, 3",
        "không có khối lớp '13' (một trong: preschool, 1, 2, 3",
    ),
    Wrong(
        "check https://vnu.edu.vn/a --offline",
        "'https://vnu.edu.vn/a' is a URL (name its host: 'vnu.edu.vn')",
        "'https://vnu.edu.vn/a' là URL (hãy ghi tên máy: 'vnu.edu.vn')",
    ),
    Wrong(
        "allow vnu.edu.vn --for 45m --until 17:00 --reason x",
        "--for and --until exclude each other (give only one of them)",
        "không dùng --for cùng với --until (hãy chỉ dùng một trong số đó)",
    ),
    Wrong(
        "allow vnu.edu.vn --for soon --reason x",
        "'soon' is not a length of time (write 45m, 2h, 1h30 or 3d)",
        "'soon' không phải thời lượng (hãy viết 45m, 2h, 1h30 hoặc 3d)",
    ),
]

OF_THE_DAEMON = [
    Wrong(
        "room set lab-b --grade 8 --for 45m",
        "'lab-b' is not a room",
        "không có phòng 'lab-b'",
    ),
    Wrong(
        "allow service:youtub --for 45m --reason x",
        "'youtub' is not a service (did you mean 'youtube'?)",
        "trường này không có dịch vụ 'youtub' (có phải là 'youtube' không?)",
    ),
    Wrong(
        "allow category:porn --for 45m --reason x",
        "porn is locked for everybody (if a list names something by mistake:",
        "porn bị khóa đối với mọi người (nếu danh sách ghi nhầm:",
    ),
    Wrong(
        "exceptions revoke 99 --reason x",
        "there is no exception or setting 99",
        "không có ngoại lệ hoặc mục đã đặt nào mang số 99",
    ),
    Wrong(
        "undo 99 --reason x",
        "there is no change 99 to undo (`filterd history list` shows all)",
        "không có thay đổi 99 để hoàn tác (`filterd history list` cho biết",
    ),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    config = write_site(folder / "site", port=free_port(), more=ROOM)
    build_lists(config, folder / "state")
    with serving(config, folder / "state") as served:
        yield served


def _is_explained(wrong: Wrong, *options: str | Path) -> None:
    english = run(*wrong.words.split(), *options, "--lang", "en")
    assert (english.code, english.out) == (2, "")
    assert wrong.english in english.err
    vietnamese = run(*wrong.words.split(), *options, "--lang", "vi")
    assert (vietnamese.code, vietnamese.out) == (2, "")
    assert wrong.vietnamese in vietnamese.err
    assert len(vietnamese.error_lines) == len(english.error_lines) == 1


@pytest.mark.parametrize("wrong", OFFLINE, ids=lambda one: one.words)
def test_wrong_options_are_explained_in_both_languages(wrong: Wrong, tmp_path: Path) -> None:
    _is_explained(wrong, "--config", SAMPLE, "--state", tmp_path)


@pytest.mark.parametrize("wrong", OF_THE_DAEMON, ids=lambda one: one.words)
def test_a_refusal_of_the_daemon_is_explained_in_both_languages(
    wrong: Wrong, served: Served
) -> None:
    _is_explained(wrong, *served.options)


def test_without_a_daemon_the_error_explains_how_to_start_one(tmp_path: Path) -> None:
    wrong = Wrong(
        "status",
        "no running filterd answers (No such file or directory); start it with",
        "không có filterd nào đang chạy ở đó (không có tệp hoặc thư mục này); hãy khởi động bằng",
    )
    _is_explained(wrong, "--state", tmp_path)


def test_every_mistake_of_a_site_is_reported_with_its_place(tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    site.write_text("school: {nam: A}\nlisten: [x]\nlessons: {a: 07:00-07:45, b: 07:30-08:00}\n")
    words = ("policy", "validate", "--config", tmp_path, "--lang", "vi")
    printed = run(*words).error_lines
    assert f"filterd: {site}:1:1: thiếu khóa 'name' (hãy thêm 'name: ...')" in printed
    assert f"filterd: {site}:1:10: không có khóa 'nam' (có phải là 'name' không?)" in printed
    assert any("'x' không phải địa chỉ IP (ví dụ 192.168.1.1 hoặc" in line for line in printed)


def test_the_daemon_finds_a_site_wrong_and_the_reader_reads_it(served: Served) -> None:
    site = served.config / "site.yaml"
    sound = site.read_text(encoding="utf-8")
    site.write_text(f"{sound}keep_closed: {{categories: [gamess]}}\n", encoding="utf-8")
    try:
        wrong = Wrong(
            "reload",
            "'gamess' is not a category (did you mean 'games'?)",
            "không có nhóm 'gamess' (có phải là 'games' không?)",
        )
        _is_explained(wrong, *served.options)
    finally:
        site.write_text(sound, encoding="utf-8")
    assert run("reload", *served.options).code == 0


def test_the_environment_and_then_the_site_name_the_language(tmp_path: Path) -> None:
    words = ("check", "vnu.edu.vn", "--grade", "13", "--offline", "--config", tmp_path)
    assert "'13' is not a grade" in run(*words).err
    assert "không có khối lớp '13'" in run(*words, FILTERD_LANG="vi").err
    (tmp_path / "site.yaml").write_text("school: {name: A}\n")
    assert "không có khối lớp '13'" in run(*words).err
    assert "'13' is not a grade" in run(*words, FILTERD_LANG="en").err


def test_the_journal_is_in_the_language_of_the_site(tmp_path: Path) -> None:
    config = write_site(tmp_path / "site", port=free_port())
    file = config / "site.yaml"
    file.write_text(file.read_text("utf-8").replace("language: en", "language: vi"), "utf-8")
    build_lists(config, tmp_path / "state")
    with starting(config, tmp_path / "state") as served:
        served.wait_for("filterd đang lắng nghe")
        file.write_text(file.read_text("utf-8") + "listne: 1\n", "utf-8")
        served.process.send_signal(signal.SIGHUP)
        assert "không có khóa 'listne'" in served.wait_for("ERROR")
        served.wait_for("chưa nạp lại: giữ những gì đang có hiệu lực")


def test_an_unreadable_file_is_reported_in_vietnamese(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").mkdir()
    done = run("policy", "validate", "--config", tmp_path, "--lang", "vi")
    assert done.err.endswith("site.yaml: không đọc được: là thư mục, không phải tệp\n")

# SPDX-License-Identifier: Apache-2.0
"""Errors of every command become lines, those of Typer too."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import typer

from filterd.cli import app as module
from filterd.cli import context as surroundings
from filterd.cli import tree
from filterd.cli.app import SENTENCES, command_in, said
from filterd.version import __version__
from tests.support.catalogue import PLACEHOLDER
from tests.support.commands import ROOT, call, environment
from tests.support.daemon import copy_lists, write_site

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder


def test_the_version_is_reported() -> None:
    assert call("--version") == (0, f"filterd {__version__}\n", "")


@pytest.mark.parametrize("words", [(), ("lists",), ("policy",)])
def test_without_a_command_the_help_is_shown(words: tuple[str, ...]) -> None:
    done = call(*words, FILTERD_LANG="en")
    assert done.code == 2
    assert done.err.startswith("Usage: filterd")
    _, commands, summaries = done.err.partition("Commands:")
    assert commands
    assert "...\n" not in summaries, "one is cut"


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_no_error(option: str) -> None:
    done = call("check", option)
    assert (done.code, done.err) == (0, "")
    assert max(map(len, done.out.splitlines())) <= 80


def test_on_a_terminal_an_error_is_wrapped_at_words(tmp_path: Path) -> None:
    ours, its = os.openpty()
    command = [sys.executable, "-m", "filterd", "status", "--lang", "en", "--state", str(tmp_path)]
    around = environment(COLUMNS="50", TERM="xterm")
    subprocess.run(command, cwd=ROOT, env=around, stderr=its, check=False)
    os.close(its)
    shown = re.sub(r"\x1b\[[0-9;]*m", "", os.read(ours, 4096).decode())
    os.close(ours)
    lines = shown.splitlines()
    assert len(lines) > 1
    assert "no running filterd answers" in " ".join(shown.split())
    assert all(len(line) <= 50 or " " not in line for line in lines)


WRONG_WORDS = [
    ("nonsense", "No such command 'nonsense'"),
    ("--nonsense", "No such option: --nonsense"),
    ("--config", "requires an argument"),
    ("--lang fr status", "--lang 'fr' is not a known language"),
    ("status --lang fr", "--lang 'fr' is not a known language"),
    ("status extra", "unexpected extra argument"),
    ("serve --port 53", "No such option: --port"),
    ("serve extra", "unexpected extra argument"),
    ("reload --grade 3", "No such option: --grade"),
    ("check", "Missing argument 'NAME'"),
    ("check a.example b.example", "unexpected extra argument"),
    ("check a.example --grade", "requires an argument"),
    ("check a.example --grade 13", "'13' is not a grade (one of preschool, 1, 2"),
    ("check a.example --grade 0", "'0' is not a grade"),
    ("check a.example --grade primary", "'primary' is not a grade"),
    ("check a.example --grade 3 --client 10.0.0.1", "--grade and --client exclude each other"),
    ("check a.example --client 10.0.0", "--client '10.0.0' is not an address (such as 10.0.6.21)"),
    ("check a.example --client 10.0.0.0/24", "--client '10.0.0.0/24' is not an address"),
    ("check a.example --client school", "--client 'school' is not an address"),
    ("check a.example --client 192.0.2.1 --offline", "192.0.2.1 may not use this resolver"),
    ("check a.example --type FOO", "--type: 'FOO' is not a record type; write AAAA, TYPE28 or 28"),
    ("check a.example --type TYPE65536", "is not a record type"),
    ("check a.example --type -1", "is not a record type"),
    (
        "check a.example --at yesterday",
        "'yesterday' is not a time (write 17h30, 17:00, t5 07:30,",
    ),
    ("check a.example --at 2026-13-01", "'2026-13-01' is not a time"),
    ("check a..example", "'a..example' is not a name: a label has 0 octets"),
    ("check .example", "'.example' is not a name"),
    (f"check {'a' * 64}.example", "a label has 64 octets, not 1 to 63"),
    (f"check {'abcdefgh.' * 40}example", "octets, more than 255"),
    (r"check a\999.example", "is more than an octet can hold"),
    ("check việt", "is a top-level domain or a local name"),
    ("lists nonsense", "No such command 'nonsense'"),
    ("lists search", "Missing argument 'NAME'"),
    ("lists search a..example", "'a..example' is not a name"),
    ("lists build --grade 3", "No such option: --grade"),
    ("lists status extra", "unexpected extra argument"),
    ("policy nonsense", "No such command 'nonsense'"),
    ("policy show", "--grade or --class is missing"),
    ("policy show --grade 13", "'13' is not a grade"),
    ("policy validate extra", "unexpected extra argument"),
    ("policy tree --grade 3", "No such option: --grade"),
    ("init", "Missing argument 'DIR'"),
]


@pytest.mark.parametrize(("words", "message"), WRONG_WORDS, ids=[words for words, _ in WRONG_WORDS])
def test_wrong_words_are_reported_in_one_line(words: str, message: str, places: list[str]) -> None:
    done = call(*words.split(), FILTERD_CONFIG=places[1], FILTERD_STATE=places[3])
    assert (done.code, done.out) == (2, "")
    assert len(done.error_lines) == 1
    assert done.err.startswith("filterd: ")
    assert message in done.err


def test_wrong_words_say_where_to_read_more() -> None:
    done = call("lists", "search", "--lang", "en")
    assert done.err.endswith("(see `filterd lists search --help`)\n")


@pytest.mark.parametrize("name", ["a b.example", "a\tb.example", "", "a\x1b[31m.example", "a\n.vn"])
def test_a_name_with_spaces_or_controls_is_refused_and_shown_harmlessly(
    name: str, places: list[str]
) -> None:
    done = call("check", name, "--offline", *places)
    assert (done.code, done.out) == (2, "")
    assert "is not a name" in done.err
    assert not set(done.err) & set("\x1b\t\r")


WRONG_PLACES = [
    ("check a.example --offline --config {none}", "none/site.yaml: cannot be read: No such file"),
    ("check a.example --offline --config {file}", "file/site.yaml: cannot be read: Not a direct"),
    ("check a.example --offline --state {none}", "compile the lists with `filterd lists build`"),
    ("check a.example --offline --state {file}", "Not a directory; compile the lists"),
    ("check a.example --offline --state {damaged}", "index.filterd: "),
    ("lists status --state {none}", "none/index.filterd: No such file or directory; compile"),
    ("lists status --state {damaged}", "index.filterd: "),
    ("lists search a.example --state {damaged}", "compile the lists"),
    ("lists build --state {file}", "file: cannot be written: Not a directory"),
    ("lists build --state {file}/x", "cannot be written: Not a directory"),
    ("lists build --state /proc/none", "/proc/none: cannot be written: No such file"),
    ("lists build --config {none}", "none/site.yaml: cannot be read: No such file"),
    ("policy validate --config {none}", "none/site.yaml: cannot be read: No such file"),
    ("policy validate --config {wrong}", "wrong/site.yaml:2:1: unknown key 'listne'"),
    ("policy validate --config {list}", "no/list.txt"),
    ("policy show --grade 3 --config {wrong}", "did you mean 'listen'?"),
    ("policy tree --config {wrong}", "wrong/site.yaml:2:1: unknown key"),
    ("policy validate --config {folder}", "site.yaml: cannot be read: Is a directory"),
    ("status --state {none}", "no running filterd answers (No such file or directory); start it"),
    ("status --state {file}", "no running filterd answers (Not a directory)"),
    ("reload --state {none}", "or name its state folder with --state"),
    ("init {file}", "file: cannot be made: "),
    ("init {file}/x", "cannot be made: Not a directory"),
    ("init /proc/none", "/proc/none: cannot be made: "),
]


@pytest.fixture(scope="module")
def wrong(state: StateFolder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Places that commands cannot work on, which they leave as they are."""
    folder = tmp_path_factory.mktemp("wrong")
    given = {key: folder / key for key in ("none", "file", "damaged", "wrong", "list", "folder")}
    given["file"].write_bytes(b"")
    damaged = copy_lists(state, given["damaged"]).index
    damaged.write_bytes(damaged.read_bytes()[:4096])
    write_site(given["wrong"], port=5353)
    (given["wrong"] / "site.yaml").write_text("school: {name: A}\nlistne: []\n", encoding="utf-8")
    own = "lists: [{id: own, file: no/list.txt, category: games}]\n"
    write_site(given["list"], port=5353, more=own)
    (given["folder"] / "site.yaml").mkdir(parents=True)
    return given


@pytest.mark.parametrize(
    ("words", "message"), WRONG_PLACES, ids=[words for words, _ in WRONG_PLACES]
)
def test_wrong_places_are_reported_in_one_line(
    words: str, message: str, places: list[str], wrong: dict[str, Path]
) -> None:
    done = call(
        *(one.format(**wrong) for one in words.split()),
        FILTERD_CONFIG=places[1],
        FILTERD_STATE=places[3],
        FILTERD_LANG="en",
    )
    assert (done.code, done.out) == (2, "")
    assert len(done.error_lines) == 1, done.err
    assert done.err.startswith("filterd: ")
    assert message in done.err


def test_every_problem_of_a_site_has_its_own_line_and_place(tmp_path: Path) -> None:
    text = "school: {nam: A}\nlisten: [x]\nlanguage: fr\n"
    (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
    done = call("policy", "validate", "--config", tmp_path)
    assert done.code == 2
    assert len(done.error_lines) == 4
    places = [line.split(": ")[1].rpartition("site.yaml:")[2] for line in done.error_lines]
    assert places == ["1:1", "1:10", "2:10", "3:1"]


def test_what_the_disk_refuses_unexpectedly_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "/etc/filterd/site.yaml")

    monkeypatch.setattr(surroundings, "context", refuse)
    english, vietnamese = (call("status", "--lang", language) for language in ("en", "vi"))
    assert english == (2, "", "filterd: /etc/filterd/site.yaml: Permission denied\n")
    assert vietnamese == (2, "", "filterd: /etc/filterd/site.yaml: không có quyền truy cập\n")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("check a.example --grade 13 --json", "config"),
        ("check --json", "usage"),
        ("feed verify /nowhere --root /nowhere/root.json --json", "store"),
    ],
)
def test_scripts_get_the_error_and_its_code_as_json(tmp_path: Path, words: str, code: str) -> None:
    config = write_site(tmp_path, port=5353)
    done = call(*words.split(), FILTERD_CONFIG=str(config), FILTERD_LANG="vi")
    printed = json.loads(done.out)
    assert printed["code"] == code
    assert printed["error"].isascii()
    assert len(done.error_lines) == 1


def test_without_json_an_error_prints_nothing_on_standard_output() -> None:
    assert call("check", "a.example", "--grade", "13").out == ""


def test_an_interrupt_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(surroundings, "context", interrupt)
    assert call("status") == (130, "", "")


def test_a_terminal_without_vietnamese_letters_shows_marks(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    octets = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(octets, encoding="ascii"))
    monkeypatch.setattr(sys, "argv", ["filterd", "policy", "tree", "--config", str(config)])
    with pytest.raises(SystemExit) as ended:
        module.main()
    sys.stdout.flush()
    assert not ended.value.code
    assert octets.getvalue().startswith(b"Tr??ng m?u\n")


WRONG = [
    (
        "nonsense",
        "No such command 'nonsense' (see `filterd --help`)",
        "không có lệnh 'nonsense' (xem `filterd --help`)",
    ),
    (
        "room shw",
        "No such command 'shw'; did you mean 'show'? (see `filterd room --help`)",
        "không có lệnh 'shw'; có phải là 'show' không? (xem `filterd room --help`)",
    ),
    (
        "status --nonsense",
        "No such option: --nonsense (see `filterd status --help`)",
        "không có tùy chọn --nonsense (xem `filterd status --help`)",
    ),
    (
        "status --jsn",
        "No such option: --jsn; did you mean --json? (see `filterd status --help`)",
        "không có tùy chọn --jsn; có phải là --json không? (xem `filterd status --help`)",
    ),
    (
        "room show",
        "Missing argument 'ROOM' (see `filterd room show --help`)",
        "thiếu tham số 'PHÒNG' (xem `filterd room show --help`)",
    ),
    (
        "allow a.example",
        "Missing option '--reason' (see `filterd allow --help`)",
        "thiếu tùy chọn '--reason' (xem `filterd allow --help`)",
    ),
    (
        "room show a b c",
        "unexpected extra argument: b c (see `filterd room show --help`)",
        "thừa tham số: b c (xem `filterd room show --help`)",
    ),
    (
        "log totals --days",
        "Option '--days' requires an argument (see `filterd log totals --help`)",
        "tùy chọn '--days' cần có giá trị (xem `filterd log totals --help`)",
    ),
    (
        "policy diff --between 1",
        "Option '--between' requires 2 arguments (see `filterd policy diff --help`)",
        "tùy chọn '--between' cần 2 giá trị (xem `filterd policy diff --help`)",
    ),
    (
        "status --json=3",
        "Option '--json' takes no value (see `filterd status --help`)",
        "tùy chọn '--json' không nhận giá trị (xem `filterd status --help`)",
    ),
    (
        "log totals --days x",
        "'--days' has a wrong value: it must be a whole number (see `filterd log totals --help`)",
        "giá trị của '--days' sai: phải là số nguyên (xem `filterd log totals --help`)",
    ),
    (
        "log totals --days 0",
        "'--days' has a wrong value: it must be 1 or more (see `filterd log totals --help`)",
        "giá trị của '--days' sai: phải từ 1 trở lên (xem `filterd log totals --help`)",
    ),
    (
        "log totals --days 801",
        "'--days' has a wrong value: it must be 800 or less (see `filterd log totals --help`)",
        "giá trị của '--days' sai: không được quá 800 (xem `filterd log totals --help`)",
    ),
    (
        "undo last",
        "'NUMBER' has a wrong value: it must be a whole number (see `filterd undo --help`)",
        "giá trị của 'SỐ' sai: phải là số nguyên (xem `filterd undo --help`)",
    ),
]


@pytest.mark.parametrize(("words", "english", "vietnamese"), WRONG, ids=[one[0] for one in WRONG])
def test_wrong_words_are_worded_in_both_languages(
    words: str, english: str, vietnamese: str
) -> None:
    for language, line in (("en", english), ("vi", vietnamese)):
        done = call(*words.split(), FILTERD_LANG=language)
        assert done == (2, "", f"filterd: {line}\n")


def test_words_of_ones_own_are_said_again_as_they_stand() -> None:
    assert said("No such command 'FILE'.", "vi") == "không có lệnh 'FILE'"
    assert said("No such option: --{x}", "vi") == "không có tùy chọn --{x}"


def test_an_untranslated_text_is_shown_in_english() -> None:
    assert said("Something new.", "vi") == "Something new."


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("", "filterd"),
        ("nonsense", "filterd"),
        ("--lang vi log totals --days", "filterd log totals"),
        ("room nonsense", "filterd room"),
        ("check check", "filterd check"),
        ("--config check xyz", "filterd"),
        ("policy nonsense validate", "filterd policy"),
    ],
)
def test_the_command_that_was_meant_is_found_in_its_words(words: str, command: str) -> None:
    assert command_in(tree.names_in(words.split()), typer.main.get_command(tree.whole())) == command


LEFT_OUT = {"more", "number"}
"""What only shows how a sentence of Typer goes on."""


@pytest.mark.parametrize("typers", SENTENCES)
def test_what_was_given_is_said_again(typers: str) -> None:
    ours = SENTENCES[typers].template
    given = set(PLACEHOLDER.findall(ours))
    assert given <= set(PLACEHOLDER.findall(typers))
    assert set(PLACEHOLDER.findall(typers)) - given <= LEFT_OUT
    assert not typers.endswith(".")
    assert not ours.endswith(".")


def test_what_adds_to_a_sentence_stands_before_the_sentences() -> None:
    adding = [one.startswith("{sentence}") for one in SENTENCES]
    assert adding == sorted(adding, reverse=True)

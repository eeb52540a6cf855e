# SPDX-License-Identifier: Apache-2.0
"""YAML is read within bounds, as YAML 1.2, and every error names its place.

The comments of YAML that ships are in the language of the site.
"""

from __future__ import annotations

import os
import random
import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import ConfigError
from filterd.documents import MAX_DEPTH, MAX_SIZE_OCTETS, load, parse, yaml_reader
from filterd.documents.yaml_reader import comments, in_language
from filterd.texts.i18n import say
from tests.support.commands import ROOT

if TYPE_CHECKING:
    from pathlib import Path


LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]
BOMB = b"a: &a [x, x, x, x, x, x, x, x, x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (now, now, b", ".join([b"*%c" % (now - 1)] * 9)) for now in b"bcdefghi"
)
SAMPLE = """\
# A comment
school:
  name: Trường mẫu
  code: '0123'
networks:
  - {id: grade-1, cidr: 127.0.1.0/24}
  - {id: grade-2, cidr: "127.0.2.0/24"}
times: [10:30, 7:00]
off: no
text: |
  two
  lines
""".encode()


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__, autouse=True)
def _either_parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run everything on libyaml and on PyYAML's own parser."""
    monkeypatch.setattr(yaml_reader, "_LOADER", request.param)


def _problem(content: bytes) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        parse(content, "site.yaml")
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10:30", "10:30"),
        ("no", "no"),
        ("off", "off"),
        ("Yes", "Yes"),
        ("00:11:22:33:44:55", "00:11:22:33:44:55"),
        ("2026-09-05", "2026-09-05"),
        ("127.0.0.1", "127.0.0.1"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("null", None),
        ("", None),
        ("'null'", "null"),
        ("12", 12),
        ("'12'", "12"),
        ("-7", -7),
        ("007", 7),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5e1", 5.0),
        ("5.", 5.0),
        ("=", "="),
    ],
)
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: Any) -> None:
    data = parse(f"a: {text}\n".encode(), "x").data
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


def test_keys_are_always_text() -> None:
    assert parse(b"1: a\nno: b\n", "x").data == {"1": "a", "no": "b"}


def test_a_merge_key_is_a_key_like_any_other() -> None:
    assert parse(b"<<: {a: 1}\n", "x").data == {"<<": {"a": 1}}


def test_an_empty_file_holds_nothing() -> None:
    assert parse(b"# only a comment\n", "x").data is None


def test_a_byte_order_mark_is_no_text() -> None:
    assert parse(b"\xef\xbb\xbfa: 1\n", "x").data == {"a": 1}


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ((), (2, 1)),
        (("school",), (2, 1)),
        (("school", "code"), (4, 3)),
        (("networks", 1), (7, 5)),
        (("networks", 1, "cidr"), (7, 19)),
        (("times", 1), (8, 16)),
        (("networks", 1, "grade"), (7, 5)),
        (("nothing", "here"), (2, 1)),
    ],
)
def test_places_are_those_of_keys_and_items(
    where: tuple[str | int, ...], place: tuple[int, int]
) -> None:
    assert parse(SAMPLE, "x").place(where) == place


@pytest.mark.parametrize(
    ("content", "place", "reason"),
    [
        (b"a: 1\nb: 2\na: 3\n", "3:1", "occurs twice"),
        (b"a: &x 1\n", "1:4", "anchors and aliases"),
        (b"a: *x\n", "1:4", "anchors and aliases"),
        (b"- !!str 5\n", "1:3", "tag"),
        (b"- !x 5\n", "1:3", "tag"),
        (b"&a b: 1\n", "1:1", "key must be plain"),
        (b"? [a]\n: b\n", "1:3", "key must be plain"),
        (b"a: 1\n--- \nb: 2\n", "2:1", "second document"),
        (b"%YAML 1.1\n---\na: 1\n", "1:1", "directive"),
        (b"%TAG ! !x\n---\na: 1\n", "1:1", "directive"),
        (b"a: b: c\n", "1:5", "mapping values are not allowed"),
        ("tên: ổn\nb: ".encode() + b"\xff\n", "2:4", "not UTF-8"),
        (b"a: \x07\n", "1:4", "U+0007"),
        (b'a: "\\e[31m"\n', "1:4", "U+001B"),
        (b"a: " + b"9" * 5000, "1:4", "too many digits"),
        (b"[" * (MAX_DEPTH + 1), f"1:{MAX_DEPTH + 1}", "deep"),
    ],
)
def test_what_is_not_our_yaml_is_refused_at_its_place(
    content: bytes, place: str, reason: str
) -> None:
    problem = _problem(content)
    assert problem.place == f"site.yaml:{place}"
    assert reason in problem.reason


def test_a_tab_is_explained() -> None:
    assert "site.yaml:2:" in str(_problem(b"a:\n\tb: 1\n"))


def test_as_deep_as_allowed_is_read() -> None:
    assert parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, "x") is not None


def test_three_thousand_brackets_are_refused_at_once() -> None:
    start = time.process_time()  # whatever else the machine does
    _problem(b"[" * 3000)
    assert time.process_time() - start < 0.5


def test_an_alias_bomb_is_refused_at_its_first_anchor() -> None:
    assert _problem(BOMB).place == "site.yaml:1:4"


def test_control_a_careless_loader_would_have_taken_the_bomb() -> None:
    """The control: the bomb is good YAML and stands for 9 to the 9th values."""
    innermost = yaml.safe_load(BOMB)
    assert len(innermost["i"]) == 9
    assert innermost["i"][0] is innermost["h"]


def test_more_values_than_a_bound_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert yaml_reader.MAX_VALUES == 100_000  # which takes PyYAML's own parser more than a second
    monkeypatch.setattr(yaml_reader, "MAX_VALUES", 1_000)
    assert parse(b"[" + b"a," * 999 + b"]", "site.yaml").data == ["a"] * 999
    assert "more than 1000 values" in _problem(b"[" + b"a," * 1_000 + b"]").reason


def test_more_than_one_mebibyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(b"#" * (MAX_SIZE_OCTETS + 1))
    with pytest.raises(ConfigError, match="1 MiB"):
        load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        load(tmp_path / "none.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


def test_a_pipe_does_not_keep_its_reader_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "site.yaml")
    with pytest.raises(ConfigError, match=r"site\.yaml: cannot be read: Not a plain file"):
        load(tmp_path / "site.yaml")


def test_five_hundred_mutants_are_read_or_refused_and_nothing_else() -> None:
    chance = random.Random(20)
    for _ in range(500):
        mutant = bytearray(SAMPLE)
        for _ in range(chance.randint(1, 4)):
            position = chance.randrange(len(mutant))
            mutant[position : position + chance.randint(0, 3)] = chance.choice(
                [
                    b"\t",
                    b":",
                    b"&a",
                    b"*a",
                    b"[",
                    b"}",
                    b"\xff",
                    b"\0",
                    b"!!",
                    b"'",
                    b"\n---\n",
                    b"<<",
                ]
            )
        assert "\n" not in _complaint(bytes(mutant))


def _complaint(content: bytes) -> str:
    """Return what is said against the content; anything but a ConfigError escapes."""
    try:
        parse(content, "site.yaml")
    except ConfigError as error:
        return str(error)
    return ""


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_octets_are_read_or_refused(content: bytes) -> None:
    assert "\n" not in _complaint(content)


def test_dumped_data_is_read_back_in_its_order() -> None:
    data = {"b": ["Trường", "0123"], "a": {"on": "2026-11-28", "n": 1}}
    content = yaml_reader.dump(data)
    assert parse(content, "x").data == data
    assert content.startswith("b:\n- Trường\n".encode())


def test_a_value_that_occurs_twice_is_reported_with_the_line_of_the_first() -> None:
    document = parse(b"a:\n- x\n- y\n- x\n", "list.yaml")
    values: list[tuple[str, yaml_reader.Where]] = [
        (value, ("a", position)) for position, value in enumerate(document.data["a"])
    ]
    [error] = yaml_reader.repeated(document, values, say("this name occurs twice"))
    assert (error.line, str(error.hint)) == (4, "first in line 2")


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

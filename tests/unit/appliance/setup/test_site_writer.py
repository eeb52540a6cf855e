# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import difflib
import errno
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.appliance.setup import site_writer
from filterd.appliance.setup.site_writer import begun, put, read_text, rewritten
from filterd.base.errors import ConfigError, ConfigErrors, StoreError
from filterd.base.paths import shipped
from filterd.documents import parse
from tests.support.failing_disk import FailingDisk, Fault

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.texts.i18n import Language

pytestmark = pytest.mark.usefixtures("warm_children")

SITE = """\
# Trường của chúng tôi
school:   {name: "Trường A",  code: 'A-1'}   # tên cũ

networks:      # các mạng
    # phòng giáo vụ
    van-phong:
        grade: staff   # thầy cô
        cidrs:
        - 10.0.9.0/24

    lop-6: { cidrs: [10.0.6.0/24],   grade: 6 }
upstreams:
- system
# hết
"""


def changed_lines(old: str, new: str) -> tuple[list[str], list[str]]:
    """Return the lines that went and those that came."""
    lines = list(difflib.ndiff(old.splitlines(), new.splitlines()))
    return tuple([line[2:] for line in lines if line.startswith(sign)] for sign in "-+")  # type: ignore[return-value]


def test_without_a_change_the_file_stays_octet_for_octet() -> None:
    assert rewritten(SITE, {}, "vi") is SITE


def test_a_change_touches_its_own_lines_only() -> None:
    change = {"networks": {"lop-6": {"grade": None, "class": "6A"}}}
    gone, come = changed_lines(SITE, rewritten(SITE, change, "vi"))
    assert gone == ["    lop-6: { cidrs: [10.0.6.0/24],   grade: 6 }"]
    assert come == ["    lop-6: {cidrs: [10.0.6.0/24], class: 6A}"]


def test_a_seat_that_takes_the_place_of_another_keeps_its_line_and_its_comment() -> None:
    change = {"networks": {"van-phong": {"grade": None, "class": "6A"}}}
    gone, come = changed_lines(SITE, rewritten(SITE, change, "vi"))
    assert gone == ["        grade: staff   # thầy cô"]
    assert [one.split() for one in come] == [["class:", "6A", "#", "thầy", "cô"]]


def test_what_is_added_stands_at_the_end_of_its_place_under_a_comment_in_the_language() -> None:
    change = {"networks": {"lab": {"cidrs": ["10.0.7.0/24"], "grade": 6}}, "language": "en"}
    new = rewritten(SITE, change, "en")
    gone, come = changed_lines(SITE, new)
    assert gone == []
    assert "    lab: {cidrs: [10.0.7.0/24], grade: 6}" in come
    above = "# The language of messages, reports and the journal: vi or en."
    assert new.endswith(f"# hết\n\n{above}\nlanguage: en\n")
    assert "# Ngôn ngữ" in rewritten(SITE, {"language": "en"}, "vi")


def test_an_empty_mapping_takes_entries_on_lines_of_their_own() -> None:
    change = {"networks": {"lab": {"cidrs": ["10.0.7.0/24"], "grade": 6}}}
    old = "school: {name: A}\nnetworks: {}\n#  so: {grade: 1}\n"
    new = rewritten(old, change | {"feed": "https://f.example/"}, "en")
    assert new == (
        "school: {name: A}\nnetworks:\n  lab: {cidrs: [10.0.7.0/24], grade: 6}\n"
        "#  so: {grade: 1}\n\n# The signed feed of lists.\nfeed: https://f.example/\n"
    )


@pytest.mark.parametrize("language", ["vi", "en"])
def test_a_set_up_of_an_installation_writes_the_same_as_a_set_up_without_a_file(
    language: Language,
) -> None:
    lan = {"lan": {"cidrs": ["10.0.0.0/8"], "grade": 6}}
    change = {"school": {"name": "A"}, "networks": lan, "classes": {"6A": {"grade": 6}}}
    new = rewritten(begun(language), change, language)
    first = {"school": change["school"], "language": language, "networks": lan}
    assert new == rewritten("", first | change, language)
    assert "#  giao-vien: {cidrs: [192.168.30.0/24], grade: staff}\nnetworks:\n  lan:" in new
    assert max(map(len, new.splitlines())) <= 100


def test_a_file_of_comments_alone_keeps_them() -> None:
    assert rewritten("# mine", {"feed": "x"}, "en").startswith("# mine\n\n# The signed")


def test_lines_of_windows_stay_so() -> None:
    new = rewritten(SITE.replace("\n", "\r\n"), {"school": {"name": "B"}}, "vi")
    assert new.count("\r\n") == new.count("\n")


@pytest.mark.parametrize("name", ["no", "10:30", "6E1", "0123", "null", "a: b", "# x", "Lớp '6'"])
def test_text_that_looks_like_something_else_stays_text(name: str) -> None:
    new = rewritten(SITE, {"school": {"name": name, "code": name}}, "vi")
    assert parse(new.encode(), "site.yaml").data["school"] == {"name": name, "code": name}


words = st.text("abcdefghiđêơ ", min_size=1, max_size=12).map(str.strip).filter(bool)
comments = st.one_of(st.just(""), words.map(lambda text: f"  # {text}"))
quoted = st.sampled_from(["{}", "'{}'", '"{}"'])


@st.composite
def sites(draw: st.DrawFn) -> str:
    """Draw a site as people write it: indents, comments, quotes, empty lines, both styles."""
    indent = " " * draw(st.sampled_from([1, 2, 3, 4]))
    networks = []
    for number in range(draw(st.integers(1, 4))):
        grade, comment = draw(st.integers(1, 12)), draw(comments)
        above = draw(st.sampled_from(["", "\n", f"{indent}# mạng {number}\n"]))
        if draw(st.booleans()):
            gap = " " * draw(st.integers(0, 2))
            body = f"{indent}n{number}: {{{gap}cidrs: [10.0.{number}.0/24], grade: {grade}{gap}}}"
            networks.append(f"{above}{body}{comment}\n")
        else:
            dash = draw(st.sampled_from(["", indent]))
            networks.append(
                f"{above}{indent}n{number}:{comment}\n{indent * 2}grade: {grade}{draw(comments)}\n"
                f"{indent * 2}cidrs:\n{indent * 2}{dash}- 10.0.{number}.0/24{draw(comments)}\n"
            )
    name = draw(quoted).format(draw(words))
    parts = [
        f"school:{draw(comments)}\n{indent}name: {name}{draw(comments)}\n",
        f"networks:{draw(comments)}\n{''.join(networks)}",
        f"upstreams: [ system ]{draw(comments)}\n",
    ]
    between = draw(st.sampled_from(["", "\n", "\n\n# giữa hai phần\n"]))
    end = draw(st.sampled_from(["", "# cuối\n", "\n\n"]))
    return between.join(draw(st.permutations(parts))) + end


@st.composite
def changes(draw: st.DrawFn) -> dict[str, Any]:
    change: dict[str, Any] = {}
    if draw(st.booleans()):
        change["school"] = {"name": draw(words)}
    networks: dict[str, Any] = {}
    if draw(st.booleans()):
        networks["n0"] = {"grade": None, "class": "6A"}
    if draw(st.booleans()):
        networks["them"] = {"cidrs": ["10.9.0.0/16"], "grade": "staff"}
    change |= {"networks": networks} if networks else {}
    change |= {"classes": {"6A": {"grade": 6}}} if draw(st.booleans()) else {}
    return change


@given(sites(), changes())
def test_nothing_of_a_persons_file_is_lost_but_what_the_change_names(
    text: str, change: dict[str, Any]
) -> None:
    new = rewritten(text, change, "vi")
    data = parse(text.encode(), "site.yaml").data
    assert parse(new.encode(), "site.yaml").data == site_writer._with(data, change)
    gone, _ = changed_lines(text, new)
    touched = ("school" in change) + ("n0" in change.get("networks", {}))
    assert len([one for one in gone if one.strip()]) <= touched
    for line in text.splitlines():
        _, sign, comment = line.partition("#")
        assert sign + comment in new


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    shutil.copytree(shipped("policies"), folder)
    return folder


def test_a_site_that_compiles_takes_the_place_of_the_one_before(config: Path) -> None:
    text, data = read_text(config)
    put(config, rewritten(text, {"school": {"name": "Trường B"}}, "vi"))
    assert read_text(config)[1]["school"]["name"] == "Trường B"
    assert data["school"]["name"] != "Trường B"
    assert not list(config.glob(".*"))


def test_a_site_that_does_not_compile_changes_nothing_and_is_reported_with_its_place(
    config: Path,
) -> None:
    before = (config / "site.yaml").read_bytes()
    with pytest.raises(ConfigErrors, match=r"etc/site\.yaml:\d+:\d+: .*99"):
        put(config, rewritten(before.decode(), {"networks": {"x": {"grade": 99}}}, "vi"))
    assert (config / "site.yaml").read_bytes() == before


def test_control_without_the_trial_a_site_that_does_not_compile_would_be_in_its_place(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site_writer, "compile_in_child", lambda *_, **__: None)
    put(config, rewritten(read_text(config)[0], {"networks": {"x": {"grade": 99}}}, "vi"))
    assert "99" in read_text(config)[0]


def test_a_folder_that_cannot_be_written_is_a_sentence(config: Path) -> None:
    text = read_text(config)[0]
    shutil.rmtree(config)
    config.touch()
    with pytest.raises(StoreError, match="cannot be written"):
        put(config, text)


def test_a_new_site_is_made_with_its_folder(tmp_path: Path) -> None:
    change = {"school": {"name": "A"}, "networks": {"lan": {"cidrs": ["10.0.0.0/8"], "grade": 6}}}
    put(tmp_path / "new", rewritten("", change, "vi"))
    text, data = read_text(tmp_path / "new")
    assert data == change
    assert text.startswith("# SPDX")
    assert read_text(tmp_path / "none") == ("", {})


def test_a_disk_that_fills_leaves_the_site_as_it_was(config: Path) -> None:
    text, _ = read_text(config)
    new, before = rewritten(text, {"school": {"name": "B"}}, "vi"), (config / "site.yaml").stat()
    full = Fault(errno.ENOSPC, frozenset({"write", "sync"}), for_good=True)
    with FailingDisk(config).failing(full, 0), pytest.raises(StoreError, match="No space left"):
        put(config, new)
    assert read_text(config)[0] == text
    assert (config / "site.yaml").stat().st_ino == before.st_ino


def test_a_site_with_mistakes_is_an_error_before_any_question(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text("school: [\n")
    with pytest.raises(ConfigError, match=r"site\.yaml:\d"):
        read_text(tmp_path)

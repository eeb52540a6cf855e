# SPDX-License-Identifier: Apache-2.0
"""The guides of ``deploy/``: one content in two languages, and no command that does not exist."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from filterd.base.paths import shipped
from filterd.documents import load
from filterd.lists.catalogs.catalog import load_catalog
from filterd.overrides.rights.read_access import READERS, RECORDED, View
from filterd.overrides.rights.roles import Role
from tests.support.catalogue import read
from tests.test_docs import COMMANDS, DOCUMENTS, ROOT

if TYPE_CHECKING:
    from pathlib import Path

DEPLOY = ROOT / "deploy"
ENGLISH, VIETNAMESE = DEPLOY / "README.md", DEPLOY / "HUONG_DAN.md"
TEMPLATES = DEPLOY / "MAU_TRUONG_HOC.md"
_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_IN_WORDS = re.compile(r'"[^"]*"|--lang \w+| +#.*|\b[^\W\da-z]{3,}\b')
"""What a person writes in the own language: reasons, placeholders in capitals, comments."""

_MESSAGES = re.compile(r"^\| `[^|]*\| (?=.*\|$)", re.MULTILINE)
_COMMAND = re.compile(r" *\$ (?:sudo )?filterd [a-z]")
_LEGAL = re.compile(r"\d+/\d{4}")
_MARK = "MẪU, CẦN NGƯỜI CÓ THẨM QUYỀN DUYỆT"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _headings(path: Path) -> list[str]:
    prose = _BLOCK.sub("", _text(path))
    return [title for _, title in re.findall(r"^(##+) (.*)$", prose, re.MULTILINE)]


def _numbers(path: Path) -> list[str]:
    return [re.match(r"[\d.]*", title)[0] for title in _headings(path)]  # type: ignore[index]


def _blocks(path: Path) -> list[tuple[str, str]]:
    found = []
    for kind, text in _BLOCK.findall(_text(path)):
        lines = [line.strip() for line in text.splitlines()]
        is_picture = kind == "text" and not lines[0].startswith("table ")
        shown = "" if is_picture else "\n".join(_IN_WORDS.sub("", one) for one in lines)
        found.append((kind, shown))
    return found


def _inline_commands(path: Path) -> list[str]:
    before, _, rest = _BLOCK.sub("", _text(path)).partition("### 5.2.")
    prose = before + _MESSAGES.sub("", rest)
    spans = re.findall(r"`((?:sudo )?filterd [^`]+)`", prose)
    return sorted(_IN_WORDS.sub("", " ".join(span.split())) for span in spans)


def test_both_guides_have_the_same_sections() -> None:
    assert _numbers(VIETNAMESE) == _numbers(ENGLISH)
    assert all(_numbers(ENGLISH))


def test_both_guides_have_the_same_commands_and_files() -> None:
    assert _blocks(VIETNAMESE) == _blocks(ENGLISH)
    assert _inline_commands(VIETNAMESE) == _inline_commands(ENGLISH)


def test_both_guides_have_tables_of_the_same_size() -> None:
    sizes = [
        [line.count(" | ") for line in _text(path).splitlines() if line.startswith("|")]
        for path in (VIETNAMESE, ENGLISH)
    ]
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_a_command_in_a_document_exists_with_its_options(document: Path) -> None:
    path = ROOT / document
    blocks = [text for _, text in _BLOCK.findall(_text(path))]
    lines = [line.partition(" # ")[0] for text in blocks for line in text.splitlines()]
    wrong = []
    for line in (*lines, *(f"$ {command}" for command in _inline_commands(path))):
        words = line.split("filterd ", 1)[-1].split() if _COMMAND.match(line) else ["status"]
        name = next((one for one in (" ".join(words[:2]), words[0]) if one in COMMANDS), "")
        options = (
            {option for param in COMMANDS[name].params for option in param.opts} if name else ()
        )
        unknown = {word for word in words if word.startswith("--")} - {*options}
        if not name or unknown:
            wrong.append(line)
    assert wrong == []


@pytest.mark.parametrize(("path", "side"), [(ENGLISH, "id"), (VIETNAMESE, "string")])
def test_a_message_in_the_table_is_one_that_filterd_writes(path: Path, side: str) -> None:
    table = _text(path).split("### 5.2.")[1].split("### 5.3.")[0]
    rows = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| `")]
    quoted = {one for row in rows for one in re.findall(r"`([^`]+)`", row)}
    sides = [str(getattr(one, side)) for one in read()]
    sides += [_text(DEPLOY.parent / "filterd" / "base" / "journal.py")]
    assert len(rows) > 12
    assert [one for one in quoted if not any(one in text for text in sides)] == []


def test_templates_are_marked_and_cite_only_legal_bases_of_the_data() -> None:
    text = _text(TEMPLATES)
    assert text.count(_MARK) == 4
    categories = load_catalog(shipped("blocklists")).categories
    known = {basis for category in categories for basis in category.legal_basis}
    cited = {line[2:] for line in text.splitlines() if line.startswith("- ")}
    assert cited
    assert cited <= known
    elsewhere = [
        line for line in text.splitlines() if _LEGAL.search(line) and line[2:] not in cited
    ]
    assert elsewhere == []


@pytest.mark.parametrize(("path", "yes"), [(ENGLISH, "yes"), (VIETNAMESE, "có")])
def test_the_table_of_views_has_what_each_role_may_read(path: Path, yes: str) -> None:
    lines = _text(path).splitlines()
    (head,) = (n for n, line in enumerate(lines) if "| reader | teacher |" in line)
    cells = [line.strip("|").split("|") for line in lines[head : head + 2 + len(View)]]
    rows = [[cell.strip() for cell in row] for row in cells]
    assert rows[0][1:-1] == [role.value for role in Role]
    for view, row in zip(View, rows[2:], strict=True):
        sides = [cell == yes for cell in row[1:]]
        assert sides == [*(role in READERS[view] for role in Role), view in RECORDED], view
        assert {*row[1:]} <= {yes, "-"}


PROMISES: dict[str, tuple[str, str] | None] = {
    "totals totals.hour": (
        "số lượt, số thiết bị và số tên miền khác nhau theo giờ, khối lớp, lớp hoặc mạng",
        "the numbers of lookups, devices and distinct names by hour, grade, class or network",
    ),
    "totals totals.devices": ("số thiết bị", "devices"),
    "totals distinct_names.day": ("số tên miền khác nhau", "distinct names"),
    "file review_requests": (
        "đề nghị mở trang của học sinh: tên miền, lớp hoặc khối, ngày, số lần, lý do",
        "requests to open a site: name of the site, class or grade, day, count and reason",
    ),
    "site networks": (
        "máy mà trường đã đặt tên hoặc xếp vào mạng",
        "devices that the school has named or put into a network",
    ),
    "site classes": ("tài khoản của thầy cô", "the teachers' accounts"),
    "file accounts": ("tài khoản của thầy cô", "the teachers' accounts"),
    "changes changes.number": ("mỗi thay đổi của bộ lọc: ai, lúc nào", "each change of the filter"),
    "file published_totals": None,  # the totals once more
    "log names.name": None,  # not at the levels of the template
    "log seen.tier": None,
    "log lookups.at": None,
    "log lookups.device": None,
    "site alerts": None,  # not of pupils or teachers
    "site report": None,
    "file report_outcome": None,
    "site backup": None,
    "file answers": None,
}
"""What the template's rules say of each row of the data map, by its first field."""


def _kept() -> list[str]:
    rows = load(DEPLOY / "data-map.yaml").data["personal"]
    return [row["holds"][0] for row in rows]


def _articles() -> tuple[str, str]:
    text = _text(TEMPLATES)
    parts = (text.split("**Điều 6.")[1].split("**Điều 7.")[0],
             text.split("**Article 6.")[1].split("**Article 7.")[0])  # fmt: skip
    vietnamese, english = (" ".join(part.split()) for part in parts)
    return vietnamese, english


def test_the_template_promises_no_less_than_is_kept() -> None:
    assert {*_kept()} == PROMISES.keys(), "say in the template what a new row keeps"
    told = [one for one in PROMISES.values() if one is not None]
    vietnamese, english = _articles()
    assert [one for one, _ in told if one not in vietnamese] == []
    assert [one for _, one in told if one not in english] == []


def test_the_letter_and_the_sentence_to_print_name_class_network_and_requests() -> None:
    letter, printed = _text(TEMPLATES).split("## 3.")[1], _text(DEPLOY / "PRIVACY.md")
    for text in (letter, printed.split("| `counts` |")[1].split("| `names` |")[0]):
        plain = " ".join(text.split())
        for phrase in ("lớp hoặc mạng", "đề nghị mở trang", "class or network", "requests to open"):
            assert phrase in plain


def test_control_the_earlier_template_promises_less() -> None:
    before = "chỉ giữ số liệu tổng hợp theo giờ, khối lớp và nhóm nội dung, không giữ tên người"
    assert [one for one in PROMISES.values() if one is not None and one[0] not in before]

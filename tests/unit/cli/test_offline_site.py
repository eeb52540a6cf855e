# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from filterd.cli import offline_site
from filterd.cli.context import Context
from filterd.errors import ConfigError, ConfigErrors, IndexFormatError, StoreError
from filterd.i18n import Texts
from filterd.policy.model import GRADES
from filterd.state_folder import StateFolder
from tests.support.policies import NOW

if TYPE_CHECKING:
    from pathlib import Path


def _here(config: Path, state: Path) -> Context:
    return Context(config, StateFolder(state), Texts("en"), Console(), Console())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("VNU.edu.vn", b"\x03vnu\x03edu\x02vn\0"),
        ("vnu.edu.vn.", b"\x03vnu\x03edu\x02vn\0"),
        (".", b"\0"),
        ("com", b"\x03com\0"),
        ("_dmarc.a.vn", b"\x06_dmarc\x01a\x02vn\0"),
        (r"a\.b.vn", b"\x03a.b\x02vn\0"),
        ("Tiếngviệt.vn", b"\x13xn--tingvit-gd6nqd\x02vn\0"),
        ("xn--tingvit-gd6nqd.vn", b"\x13xn--tingvit-gd6nqd\x02vn\0"),
    ],
)
def test_a_name_is_read_in_letters_of_any_language(text: str, name: bytes) -> None:
    read = offline_site.qname_from(text)
    if text.startswith(("Tiếng", "xn--")):
        assert read.startswith(bytes((read[0],)) + b"xn--")
    else:
        assert read == name


@pytest.mark.parametrize(
    "text", ["a\nb.vn", "\x1b[2J.vn", "a b.vn", "", "a..vn", "a" * 64 + ".vn", "ti ếng.vn", "việt"]
)
def test_what_is_no_name_is_quoted(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        offline_site.qname_from(text)
    assert repr(text) in str(caught.value)
    assert "octet 0" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://a.vn/b?c", "a.vn"),
        ("a.vn/", "a.vn"),
        ("a.vn/b.html", "a.vn"),
        ("http://a.vn", "a.vn"),
        ("http://ă.vn", "ă.vn"),
    ],
)
def test_a_url_is_not_passed_as_the_odd_name_that_it_is(text: str, host: str) -> None:
    with pytest.raises(ConfigError, match=f"is a URL .a lookup is for its host: '{host}'"):
        offline_site.qname_from(text)


@pytest.mark.parametrize("text", ["10.0.6.21", "fd00::1", "[fd00::1]"])
def test_an_address_is_no_name_to_look_up(text: str) -> None:
    with pytest.raises(ConfigError, match="is an address, which needs no lookup"):
        offline_site.qname_from(text)


def test_a_reverse_zone_smaller_than_an_octet_has_a_slash() -> None:
    assert offline_site.qname_from("0/25.2.0.192.in-addr.arpa").startswith(b"\x040/25")


@pytest.mark.parametrize("grade", GRADES)
def test_every_grade_is_one(grade: str) -> None:
    assert offline_site.grade_from(grade) == grade


@pytest.mark.parametrize("text", ["", "0", "13", "01", "Staff", "primary"])
def test_what_is_no_grade_is_refused_with_all_that_are(text: str) -> None:
    with pytest.raises(ConfigError, match="one of preschool, 1, 2"):
        offline_site.grade_from(text)


def test_the_site_is_joined_with_the_compiled_lists(config: Path, state: StateFolder) -> None:
    site = offline_site.load_site_offline(_here(config, state.folder), NOW)
    assert len(site.index) > 1000
    assert site.policy.school == "Trường mẫu"


def test_without_lists_it_says_how_to_get_them(config: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="compile the lists with `filterd lists build`"):
        offline_site.load_site_offline(_here(config, tmp_path), NOW)


def test_damaged_lists_are_told(config: Path, tmp_path: Path) -> None:
    (tmp_path / "index.filterd").write_bytes(b"nonsense" * 1000)
    with pytest.raises(IndexFormatError, match="compile the lists"):
        offline_site.load_site_offline(_here(config, tmp_path), NOW)


def test_a_wrong_site_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors, match=r"site\.yaml: cannot be read"):
        offline_site.policy_of(_here(tmp_path, tmp_path))

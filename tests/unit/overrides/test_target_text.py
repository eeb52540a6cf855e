# SPDX-License-Identifier: Apache-2.0
"""Names, services, categories and grades as people write them."""

from __future__ import annotations

import contextlib
import re

import pytest

from filterd.base.errors import ConfigError
from filterd.overrides.target_text import (
    Target,
    grade_from,
    looks_like_a_class,
    name_asked,
    name_from,
    policy_for,
    qname_from,
    target_name_from,
    whom_from,
)
from filterd.policy import field_checks
from filterd.policy.model import GRADES, Audience
from filterd.policy.temporary_rules import TargetKind, written
from tests.support.policies import a_policy
from tests.support.week import with_classes


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("WWW.YouTube.com.", TargetKind.NAME, "www.youtube.com"),
        ("name:youtube.com", TargetKind.NAME, "youtube.com"),
        ("service:youtube", TargetKind.SERVICE, "youtube"),
        ("category:games", TargetKind.CATEGORY, "games"),
        ("entry:vnu.edu.vn", TargetKind.ENTRY, "vnu.edu.vn"),
        ("tiếng.vn", TargetKind.NAME, "xn--ting-hv5a.vn"),
    ],
)
def test_a_target_is_read(text: str, kind: TargetKind, target: str) -> None:
    assert Target.read(text) == Target(kind, target)


@pytest.mark.parametrize("text", ["www.youtube.com", "service:youtube", "entry:vnu.edu.vn"])
def test_a_target_is_reported_as_it_is_written(text: str) -> None:
    assert str(Target.read(text)) == text
    assert written(*Target.read(text)) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("servce:youtube", "'servce:' is not a kind of target .did you mean 'service'"),
        ("https://youtube.com/", "is a URL"),
        ("*.youtube.com", "write .youtube.com.: a name includes everything beneath it"),
        ("10.0.0.1", "is an address"),
        ("entry:10.0.0.1", "is an address"),
    ],
)
def test_what_is_no_target_is_refused_with_a_hint(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Target.read(text)


@pytest.mark.parametrize(
    ("text", "opens", "target"),
    [
        ("*.edu.vn", True, "edu.vn"),
        ("name:*.EDU.vn.", True, "edu.vn"),
        ("*.github.io", True, "github.io"),
        ("*.com.vn", False, "com.vn"),
        ("github.io", False, "github.io"),
        ("intranet", True, "intranet"),
        ("www.edu.vn", True, "www.edu.vn"),
    ],
)
def test_a_suffix_is_taken_where_it_is_written_as_one(text: str, opens: bool, target: str) -> None:
    assert Target.read(text, opens=opens) == Target(TargetKind.NAME, target)


@pytest.mark.parametrize(
    ("text", "opens", "why"),
    [
        ("edu.vn", True, "under 'edu.vn': all of them would open .*'[*].edu.vn' if all"),
        ("name:edu.vn", True, "all of them would open"),
        ("vn", True, "all of them would open"),
        ("github.io", True, "all of them would open"),
        ("com.vn", False, "under 'com.vn': all of them would close"),
        ("vn", False, "all of them would close"),
        ("*.top", False, "under 'top': all of them would close .write one of these names.$"),
        ("*.com", True, "under 'com': all of them would open .write one of these names.$"),
        (".", True, "the root is above every name"),
        ("*.vnu.edu.vn", True, "write 'vnu.edu.vn'"),
        ("*.", True, "the root is above every name|is not a name"),
    ],
)
def test_a_bare_suffix_is_refused(text: str, opens: bool, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Target.read(text, opens=opens)


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
    read = qname_from(text)
    if text.startswith(("Tiếng", "xn--")):
        assert read.startswith(bytes((read[0],)) + b"xn--")
    else:
        assert read == name


@pytest.mark.parametrize(
    "text", ["a\nb.vn", "\x1b[2J.vn", "a b.vn", "", "a..vn", "a" * 64 + ".vn", "ti ếng.vn", "việt"]
)
def test_what_is_no_name_is_quoted(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        qname_from(text)
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
    with pytest.raises(ConfigError, match=f"is a URL .name its host: '{host}'"):
        qname_from(text)


@pytest.mark.parametrize("text", ["10.0.6.21", "fd00::1", "[fd00::1]"])
def test_an_address_is_no_name_to_look_up(text: str) -> None:
    with pytest.raises(ConfigError, match="is an address; DNS filtering works on names"):
        qname_from(text)


def test_a_reverse_zone_smaller_than_an_octet_has_a_slash() -> None:
    assert qname_from("0/25.2.0.192.in-addr.arpa").startswith(b"\x040/25")


@pytest.mark.parametrize("grade", GRADES)
def test_every_grade_is_one(grade: str) -> None:
    assert grade_from(grade) == grade


@pytest.mark.parametrize("text", ["", "0", "13", "01", "Staff", "primary"])
def test_what_is_no_grade_is_refused_with_all_that_are(text: str) -> None:
    with pytest.raises(ConfigError, match="one of preschool, 1, 2"):
        grade_from(text)


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("service: youtube ", TargetKind.SERVICE, "youtube"),
        ("category: games", TargetKind.CATEGORY, "games"),
        ("entry:VNU.edu.vn.", TargetKind.ENTRY, "vnu.edu.vn"),
    ],
)
def test_a_target_is_read_without_spaces_around_it(
    text: str, kind: TargetKind, target: str
) -> None:
    assert Target.read(text) == Target(kind, target)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("fd00::1", "is an address"),
        ("[fd00::1]", "is an address"),
        ("pause:x", "'pause:' is not a kind of target"),
        (":x", "'.*' is not a kind of target|is not a name"),
        ("entry:*.a.vn", "needs no"),
        ("https://a.vn:80/", "is a URL"),
    ],
)
def test_what_only_looks_like_a_kind_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Target.read(text)


@pytest.mark.parametrize(
    ("text", "subtree", "match", "name"),
    [
        ("a.vn", False, "exact", b"\x01a\x02vn\0"),
        ("a.vn", True, "subtree", b"\x01a\x02vn\0"),
        ("*.a.vn", False, "subtree", b"\x01a\x02vn\0"),
        ("*.a.vn", True, "subtree", b"\x01a\x02vn\0"),
    ],
)
def test_a_name_is_asked_alone_or_with_all_beneath(
    text: str, subtree: bool, match: str, name: bytes
) -> None:
    assert name_asked(text, subtree=subtree) == {"name": name.hex(), "match": match}


@pytest.mark.parametrize(
    ("text", "is_class"),
    [("6A", True), ("9/3", True), ("6", False), ("12", False), ("staff", False), ("", False)],
)
def test_a_class_begins_with_a_digit_and_has_more(text: str, is_class: bool) -> None:
    assert looks_like_a_class(text) is is_class


@pytest.mark.parametrize(
    ("audience", "value", "found"),
    [
        (Audience.GRADE, "6", "6"),
        (Audience.CLASS, "6A", "6A"),
        (Audience.TIER, "primary", "primary"),
        (Audience.CLIENT, "FD00:0::1", "fd00::1"),
        (Audience.NETWORK, "lab-a", "lab-a"),
        (Audience.EVERYBODY, "", ""),
    ],
)
def test_an_audience_is_read_by_its_kind(audience: Audience, value: str, found: str) -> None:
    assert whom_from("--x", audience, value) == found


@pytest.mark.parametrize(
    ("audience", "value", "why"),
    [
        (Audience.GRADE, "13", "'13' is not a grade"),
        (Audience.CLASS, "", "."),
        (Audience.TIER, "primery", "'primery' is not a tier .did you mean 'primary'"),
        (Audience.CLIENT, "lab", "--x 'lab' is not an address .such as 10.0.6.21"),
    ],
)
def test_what_is_none_of_its_kind_is_refused(audience: Audience, value: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        whom_from("--x", audience, value)


def test_the_policy_of_a_class_is_its_own_and_one_that_is_not_there_is_refused() -> None:
    policy = with_classes(a_policy())
    assert policy_for(policy, "6A").class_id == "6A"
    assert policy_for(policy, "6").class_id == ""
    with pytest.raises(ConfigError, match=r"'6a' is not a class of this site \(known: 6A, 6B"):
        policy_for(policy, "6a")


SUFFIXES = (
    "com",
    "vn",
    "org",
    "xn--p1ai",
    "edu.vn",
    "com.vn",
    "github.io",
    "blogspot.com",
    "co.uk",
)


@pytest.mark.parametrize("opens", [True, False])
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_a_refusal_recommends_is_not_refused_next(suffix: str, *, opens: bool) -> None:
    try:
        taken = target_name_from(suffix, opens=opens)
    except ConfigError as error:
        hint = str(error.hint)
    else:
        assert field_checks.name(taken) == suffix
        return
    for recommended in re.findall(r"'([^']+)'", hint):
        assert recommended == f"*.{suffix}"
        assert field_checks.name(target_name_from(recommended, opens=opens)) == suffix
    assert ("*" in hint) is ("." in suffix)
    with contextlib.suppress(ConfigError):  # what is taken, the change takes too
        assert field_checks.name(target_name_from(f"*.{suffix}", opens=opens))


@pytest.mark.parametrize(("text", "name"), [("A.vn.", "a.vn"), ("Tiếng.vn", "xn--ting-hv5a.vn")])
def test_a_name_has_one_form(text: str, name: str) -> None:
    assert name_from(text) == name
    assert target_name_from(text) == name


def test_a_slash_is_of_a_reverse_zone_only_at_its_end() -> None:
    assert qname_from("0/25.2.0.192.in-addr.arpa.").startswith(b"\x040/25")
    with pytest.raises(ConfigError, match="is a URL"):
        qname_from("a.in-addr.arpa/x")

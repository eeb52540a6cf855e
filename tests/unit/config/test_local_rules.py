# SPDX-License-Identifier: Apache-2.0
"""Exceptions become dated rules for the audience that they name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigErrors
from filterd.config.compile import own_lists, warnings
from filterd.config.site_reader import load_site
from filterd.policy.model import Audience, Service
from tests.support.site import SCHOOL, WITH_SERVICES, a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path

NETWORKS = "networks:\n  library: {grade: 6, cidrs: [10.0.0.0/8]}\n"


def _utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _text(more: str) -> str:
    return f"{NETWORKS}exceptions:\n  - {{{more}, reason: bài học}}\n"


def test_an_exception_is_a_rule_named_by_its_place(tmp_path: Path) -> None:
    (rule,) = a_policy(tmp_path, _text("allow: Zalo.me, author: Cô Lan")).rules
    assert (rule.id, rule.name, rule.allow) == ("site.yaml:5:5", b"\x04zalo\x02me\0", True)
    assert (rule.reason, rule.author) == ("bài học", "Cô Lan")
    assert (rule.starts_at, rule.ends_at) == (None, None)


def test_a_block_does_not_allow(tmp_path: Path) -> None:
    (rule,) = a_policy(tmp_path, _text("block: zalo.me")).rules
    assert not rule.allow


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ("allow: '*.edu.vn'", b"\x03edu\x02vn\0"),
        ("block: '*.vn'", b"\x02vn\0"),
        ("block: github.io", b"\x06github\x02io\0"),
        ("allow: intranet", b"\x08intranet\0"),
    ],
)
def test_a_suffix_is_taken_where_it_is_written_as_one(
    tmp_path: Path, more: str, name: bytes
) -> None:
    (rule,) = a_policy(tmp_path, _text(more)).rules
    assert rule.name == name


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ("allow: edu.vn", "'edu.vn': all of them would open (write one of these names, or '*.edu"),
        ("allow: github.io", "all of them would open"),
        ("block: com.vn", "all of them would close"),
        ("allow: '*.vnu.edu.vn'", "a name needs no '*.'"),
    ],
)
def test_a_bare_suffix_is_refused_with_its_place(tmp_path: Path, more: str, why: str) -> None:
    (problem,) = problems(tmp_path, _text(more))
    assert "site.yaml:5:6: " in problem
    assert why in problem


def test_private_answers_for_all_of_a_suffix_are_written_so(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "allow_private_answers: [vn]\n")
    assert "under 'vn': all of them would open" in problem
    assert a_policy(tmp_path, "allow_private_answers: ['*.vn']\n").private_answers == (b"\2vn\0",)


@pytest.mark.parametrize(
    ("audience", "expected"),
    [
        ("everybody", (Audience.EVERYBODY, "")),
        ("{tier: primary}", (Audience.TIER, "primary")),
        ("{grade: 6}", (Audience.GRADE, "6")),
        ("{network: library}", (Audience.NETWORK, "library")),
        ("{client: 'FD00:0::1'}", (Audience.CLIENT, "fd00::1")),
    ],
)
def test_a_rule_is_for_its_audience(
    tmp_path: Path, audience: str, expected: tuple[Audience, str]
) -> None:
    (rule,) = a_policy(tmp_path, _text(f"allow: zalo.me, for: {audience}")).rules
    assert (rule.audience, rule.whom) == expected


@pytest.mark.parametrize(
    ("begin", "end", "starts_at", "ends_at"),
    [
        ("2026-09-05", "2026-09-05", "2026-09-04T17:00", "2026-09-05T17:00"),
        ("2026-09-05T07:00", "2026-09-05T08:30", "2026-09-05T00:00", "2026-09-05T01:30"),
        ("2026-09-05T07:00Z", "2026-09-05T20:00+07:00", "2026-09-05T07:00", "2026-09-05T13:00"),
    ],
)
def test_times_are_the_schools_and_a_last_day_is_whole(
    tmp_path: Path, begin: str, end: str, starts_at: str, ends_at: str
) -> None:
    text = _text(f"allow: zalo.me, from: '{begin}', until: '{end}'")
    (rule,) = a_policy(tmp_path, text).rules
    assert (rule.starts_at, rule.ends_at) == (_utc(starts_at), _utc(ends_at))


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        (
            "allow: a.vn, for: {network: libary}",
            "5:25: 'libary' is not a network of this site (did you mean 'library'?)",
        ),
        (
            "allow: a.vn, from: 2026-09-06, until: 2026-09-05",
            "5:37: the exception ends before it begins (swap from and until)",
        ),
        (
            "allow: a.vn, from: '2026-09-06T07:00', until: '2026-09-06T07:00'",
            "5:45: the exception ends before it begins (swap from and until)",
        ),
    ],
)
def test_an_impossible_exception_is_reported_at_its_place(
    tmp_path: Path, more: str, problem: str
) -> None:
    assert problems(tmp_path, _text(more)) == [f"site.yaml:{problem}"]


def test_one_that_is_over_is_warned_of(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, _text("allow: zalo.me, until: 2026-09-05"))
    ends_at = _utc("2026-09-05T17:00")
    assert warnings(load_site(tmp_path), policy, ends_at - 1) == ()
    (found,) = warnings(load_site(tmp_path), policy, ends_at)
    assert "site.yaml:5:" in str(found)
    assert "the exception has ended (remove it, or name a later day)" in str(found)


OWN = """\
services:
  thi:
    name: {vi: Thi, en: Exam}
    group: education
    names:
      - thi.example
      - cdn-thi.example
"""


def test_a_policy_has_the_services_of_catalogue_and_site(tmp_path: Path) -> None:
    services = a_policy(tmp_path, OWN, WITH_SERVICES).services
    assert list(services) == ["youtube", "bigo", "tiktok", "roblox", "azota", "bet", "thi"]
    names = (b"\3thi\7example\0", b"\7cdn-thi\7example\0")
    assert services["thi"] == Service("thi", "Thi", "Exam", "education", None, names)
    assert services["youtube"].min_age == 13


def test_own_services_are_compiled_with_the_schools_lists(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SCHOOL + OWN, encoding="utf-8")
    (source,) = own_lists(load_site(tmp_path), WITH_SERVICES)
    assert (source.id, source.category, source.own) == ("service:thi", "education", True)
    assert source.path == str(tmp_path / "site.yaml")
    assert source.names is not None
    assert [line for line, _ in source.names] == [7, 8]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("  thi:", "  youtube:", "3:3: the catalogue already has a service 'youtube'"),
        ("education", "educaton", "5:5: group: 'educaton' is not a category (did you mean"),
        ("education", "law-ordered", "5:5: group: 'law-ordered' is for legal orders"),
    ],
)
def test_what_an_own_service_cannot_be_is_reported(
    tmp_path: Path, old: str, new: str, problem: str
) -> None:
    (found,) = problems(tmp_path, OWN.replace(old, new), WITH_SERVICES)
    assert found.startswith(f"site.yaml:{problem}")


def test_a_wrong_service_is_not_compiled_either(tmp_path: Path) -> None:
    text = SCHOOL + OWN.replace("education", "educaton")
    (tmp_path / "site.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigErrors, match="'educaton' is not a category"):
        own_lists(load_site(tmp_path), WITH_SERVICES)


def test_an_own_service_may_be_named_like_any_other(tmp_path: Path) -> None:
    site = OWN + "grades:\n  9: {services: {block: [thi]}}\nkeep_closed: {services: [thi]}\n"
    policy = a_policy(tmp_path, site, WITH_SERVICES)
    assert "service:thi" in policy.grades["9"].closed
    assert policy.kept_closed == {"service:thi"}


def test_what_is_kept_closed_must_exist(tmp_path: Path) -> None:
    site = "keep_closed:\n  categories: [game]\n  services: [azot]\n"
    assert problems(tmp_path, site, WITH_SERVICES) == [
        "site.yaml:3:16: 'game' is not a category (did you mean 'games'?)",
        "site.yaml:4:14: 'azot' is not a service (did you mean 'azota'?)",
    ]

# SPDX-License-Identifier: Apache-2.0
"""Arguments for names, services, categories and audiences."""

from __future__ import annotations

import pytest

from filterd.cli.target_options import ChangeAudience, Target, whom, written
from filterd.errors import ConfigError
from filterd.policy.model import Audience
from filterd.policy.temporary_rules import TargetKind


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
def test_a_target_is_told_as_it_is_written(text: str) -> None:
    assert str(Target.read(text)) == text
    assert written(*Target.read(text)) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("servce:youtube", "'servce:' is not a kind of target .did you mean 'service'"),
        ("https://youtube.com/", "is a URL"),
        ("*.youtube.com", "write .youtube.com.: a name stands for everything beneath it"),
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
        ("*.top", False, "top"),
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
        ("edu.vn", True, "beneath 'edu.vn': all of them would open .*'[*].edu.vn' if all"),
        ("name:edu.vn", True, "all of them would open"),
        ("vn", True, "all of them would open"),
        ("github.io", True, "all of them would open"),
        ("com.vn", False, "beneath 'com.vn': all of them would close"),
        ("vn", False, "all of them would close"),
        (".", True, "the root is every name there is"),
        ("*.vnu.edu.vn", True, "write 'vnu.edu.vn'"),
        ("*.", True, "the root is every name there is|is not a name"),
    ],
)
def test_a_bare_suffix_is_refused(text: str, opens: bool, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        Target.read(text, opens=opens)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, ChangeAudience(Audience.EVERYBODY, "")),
        ({"grade": "8"}, ChangeAudience(Audience.GRADE, "8")),
        ({"tier": "primary"}, ChangeAudience(Audience.TIER, "primary")),
        ({"room": "lab-a"}, ChangeAudience(Audience.NETWORK, "lab-a")),
        ({"network": "library"}, ChangeAudience(Audience.NETWORK, "library")),
        ({"client": "10.0.6.21"}, ChangeAudience(Audience.CLIENT, "10.0.6.21")),
    ],
)
def test_for_whom_is_read(options: dict[str, str], found: ChangeAudience) -> None:
    assert whom(**options) == found


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"grade": "13"}, "is not a grade"),
        ({"tier": "primery"}, "did you mean 'primary'"),
        ({"client": "lab"}, "--client 'lab' is not an address"),
        ({"grade": "8", "room": "lab-a"}, "--grade and --room exclude each other"),
    ],
)
def test_who_is_nobody_is_refused(options: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        whom(**options)

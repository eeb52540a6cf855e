# SPDX-License-Identifier: Apache-2.0
"""The schema of site.yaml; each error has its place, its key and a hint."""

from __future__ import annotations

from zoneinfo import ZoneInfoNotFoundError

import pytest

from filterd.base.errors import ConfigErrors
from filterd.config import scalars
from filterd.config.site_schema import PRIVATE_RANGES, SiteFile
from filterd.documents import parse, validate

SCHOOL = "school: {name: A}\n"


def _site(text: str) -> SiteFile:
    return validate(parse((SCHOOL + text).encode(), "site.yaml"), SiteFile)


def _problems(text: str) -> list[str]:
    with pytest.raises(ConfigErrors) as caught:
        _site(text)
    return [str(error) for error in caught.value.errors]


def test_a_school_with_a_name_is_enough() -> None:
    site = _site("")
    assert site.time_zone == "Asia/Ho_Chi_Minh"
    assert site.allow_from == PRIVATE_RANGES
    assert [upstream.server for upstream in site.upstreams] == [("system", 53)]
    assert site.listen == (("0.0.0.0", 53), ("::", 53))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("netwroks: {}\n", "2:1: unknown key 'netwroks' (did you mean 'networks'?)"),
        ("language: fr\n", "2:1: language: 'fr' is not known (known: vi, en)"),
        ("time_zone: Asia/Hanoi\n", "2:1: time_zone: 'Asia/Hanoi' is not a time zone (such as"),
        ("listen: []\n", "2:1: listen: it needs at least 1"),
        ("listen: [127.0.0.1, localhost]\n", "2:21: listen: 'localhost' is not an IP address"),
        ("listen: [localhost]\n", "2:10: listen: 'localhost' is not an IP address"),
        ("listen: 127.0.0.1\n", "2:1: listen: a list expected, not '127.0.0.1'"),
        ("allow_from: [10.0.0.1/8]\n", "2:14: allow_from: '10.0.0.1/8' has bits beyond"),
        ("unknown: 13\n", "2:1: unknown: '13' is not a grade"),
        ("networks:\n  a: {cidrs: [10.0.0.0/8]}\n", "3:3: the key 'grade' is missing"),
        (
            "networks:\n  a: {grade: 1}\n",
            "3:3: a: no client can be recognised as of this network (give it cidrs",
        ),
        (
            "networks:\n  a: {grade: 1, cidr: x}\n",
            "3:17: unknown key 'cidr' (did you mean 'cidrs'?)",
        ),
        (
            "networks:\n  A b: {grade: 1, interfaces: [e]}\n",
            "3:3: A b: 'A b' does not have the right",
        ),
        ("networks: [a]\n", "2:1: networks: a mapping of keys expected, not a list"),
        ("grades:\n  13: {}\n", "3:3: 13: '13' is not a grade"),
        ("grades:\n  6: {block: [x]}\n", "3:7: unknown key 'block' (known: block_response,"),
        ("grades:\n  6: {by_age: 'no'}\n", "3:7: by_age: true or false expected, not 'no'"),
        ("grades:\n  6: {block_response: drop}\n", "3:7: block_response: 'drop' is not known"),
        ("grades:\n  6: {sinkhole: {ipv4: '::1'}}\n", "3:18: ipv4: '::1' is an IPv6 address"),
        ("grades:\n  6: {client_ttl_max_s: 0}\n", "3:7: client_ttl_max_s: it must be 1 or more"),
        ("exceptions:\n  - {allow: a.vn}\n", "3:5: the key 'reason' is missing"),
        ("exceptions:\n  - {reason: why}\n", "3:5: exceptions: an exception allows one name or"),
        (
            "exceptions:\n  - {allow: a.vn, block: a.vn, reason: why}\n",
            "3:5: exceptions: an exception allows one name or blocks one",
        ),
        (
            "exceptions:\n  - {allow: a.vn, reason: why, for: 6}\n",
            "3:32: for: a mapping of keys expected, not 6",
        ),
        (
            "exceptions:\n  - {allow: a.vn, reason: why, for: all}\n",
            "3:32: for: 'all' is not an audience (everybody, or",
        ),
        (
            "exceptions:\n  - {allow: a.vn, reason: why, for: {grade: 6, tier: primary}}\n",
            "3:32: for: an exception has one audience",
        ),
        (
            "exceptions:\n  - {allow: a.vn, reason: why, for: {year: 6}}\n",
            "3:38: unknown key 'year' (known: class, client, grade, network, tier)",
        ),
        (
            "exceptions:\n  - {allow: a.vn, reason: why, until: soon}\n",
            "3:32: until: 'soon' is not a time",
        ),
        (
            "delegated_zones:\n  - {name: ad.lan, servers: []}\n",
            "3:20: servers: it needs at least 1",
        ),
        ("lists:\n  - {id: a, file: a.txt}\n", "3:5: the key 'category' is missing"),
    ],
)
def test_each_mistake_is_reported_at_its_place(text: str, problem: str) -> None:
    found = _problems(text)
    assert len(found) == 1
    assert found[0].startswith(f"site.yaml:{problem}")


def test_a_system_without_time_zones_is_reported_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(key: str) -> None:
        raise ZoneInfoNotFoundError(key)

    monkeypatch.setattr(scalars, "ZoneInfo", absent)
    monkeypatch.setattr(scalars, "available_timezones", set)
    assert _problems("") == [
        "site.yaml:1:1: time_zone: 'Asia/Ho_Chi_Minh' is not a time zone (install tzdata)"
    ]


def test_a_school_needs_a_name() -> None:
    with pytest.raises(ConfigErrors, match="'school' is missing"):
        validate(parse(b"language: vi\n", "site.yaml"), SiteFile)


def test_the_contact_of_a_school_is_one_plain_line() -> None:
    def school(contact: str) -> str:
        text = f'school: {{name: A, contact: "{contact}"}}\n'
        return validate(parse(text.encode(), "site.yaml"), SiteFile).school.contact

    assert school("Phòng tư vấn, 028 3829 0000") == "Phòng tư vấn, 028 3829 0000"
    for contact in ("a\\tb", "a\\u202Eb"):
        with pytest.raises(ConfigErrors, match="the contact has the character"):
            school(contact)
    with pytest.raises(ConfigErrors, match="at most 120 characters"):
        school("x" * 121)


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ('name: "a\\u202Eb"', "the school's name has the character U\\+202E"),
        (f"name: {'x' * 201}", "at most 200 characters"),
        ("name: A, code: '\uff17\uff19'", "not the code of a school"),
        ("name: A, code: '7 9'", "not the code of a school"),
    ],
)
def test_name_and_code_of_a_school_are_what_a_province_can_enrol(field: str, why: str) -> None:
    with pytest.raises(ConfigErrors, match=why):
        validate(parse(f"school: {{{field}}}\n".encode(), "site.yaml"), SiteFile)


UPSTREAMS = [
    ("192.0.2.1", ("192.0.2.1", 53)),
    ("'[2001:db8::1]:5353'", ("2001:db8::1", 5353)),
    ("{server: 192.0.2.1}", ("192.0.2.1", 53)),
    ("{server: 192.0.2.1, tls: strict}", ("192.0.2.1", 853)),
    ("{server: 192.0.2.1:8853, tls: strict}", ("192.0.2.1", 8853)),
    ("{server: 2001:db8::1, tls: opportunistic}", ("2001:db8::1", 853)),
    ("{server: system, tls: opportunistic}", ("system", 53)),
]


@pytest.mark.parametrize(("text", "server"), UPSTREAMS)
def test_an_upstream_has_the_port_of_its_transport(text: str, server: tuple[str, int]) -> None:
    assert _site(f"upstreams: [{text}]\n").upstreams[0].server == server


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{server: 192.0.2.1, name: a.example}", "a name is checked only with TLS"),
        ("{server: system, tls: strict}", "the names of the system's servers are not known"),
        ("{server: dns.example, tls: strict}", "'dns.example' is not an IP address"),
        ("{server: 192.0.2.1, tls: maybe}", "'maybe' is not known"),
        ("{tls: strict}", "the key 'server' is missing"),
    ],
)
def test_what_is_no_upstream_is_refused(text: str, problem: str) -> None:
    assert problem in _problems(f"upstreams: [{text}]\n")[0]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("workers: 0\n", "it must be 1 or more"),
        ("log: {level: everything}\n", "'everything' is not known"),
        ("rate_limit: {burst: 0}\n", "it must be 1 or more"),
        ("leases: {files: []}\n", "it needs at least 1"),
        ("leases: {files: [{file: relative, format: kea}]}\n", "does not have the right"),
        ("leases: {files: [{file: /a, format: isc}]}\n", "'isc' is not known"),
        ("networks: {a: {grade: 1, macs: [x]}}\n", "'x' is not a MAC address"),
    ],
)
def test_other_mistakes_are_reported(text: str, problem: str) -> None:
    assert problem in _problems(text)[0]


def test_a_nightly_backup_needs_a_folder_only() -> None:
    backup = _site("backup: {to: /media/usb}\n").backup
    assert backup is not None
    assert (backup.to, backup.keep, backup.recovery_key) == ("/media/usb", 7, None)


@pytest.mark.parametrize(
    "wrong",
    ["to: usb", "to: /m, keep: 1", "to: /m, recovery_key: AGE-1", "to: /m, x: 1"],
)
def test_a_nightly_backup_of_another_form_is_refused(wrong: str) -> None:
    assert len(_problems(f"backup: {{{wrong}}}\n")) == 1

# SPDX-License-Identifier: Apache-2.0
"""Single values come out in one form, or are refused with a hint."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from filterd.base.errors import ConfigErrors, Problems
from filterd.config import scalars
from filterd.config.scalars import ForWhom, Whom, check_audience
from filterd.config.site_schema import SiteFile
from filterd.documents import DocumentModel, parse, validate
from filterd.policy.model import Audience


def _taken(kind: Any, value: Any) -> Any:
    return TypeAdapter(kind).validate_python(value)


def _refused(kind: Any, value: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        _taken(kind, value)
    (error,) = caught.value.errors()
    return f"{error['msg']} ({error['ctx']['hint']})"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Example.COM", b"\x07example\x03com\0"),
        ("example.com.", b"\x07example\x03com\0"),
        ("lan", b"\x03lan\0"),
        ("_ldap._tcp.dc.lan", b"\x05_ldap\x04_tcp\x02dc\x03lan\0"),
        (r"a\.b.vn", b"\x03a.b\x02vn\0"),
        ("Trường.vn", b"\x11xn--trng-rib8295b\x02vn\0"),
        ("tru\u031bo\u031b\u0300ng.vn", b"\x11xn--trng-rib8295b\x02vn\0"),
        ("xn--trng-rib8295b.VN", b"\x11xn--trng-rib8295b\x02vn\0"),
    ],
)
def test_names_become_wire_names(text: str, name: bytes) -> None:
    assert _taken(scalars.Name, text) == name


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (5, "text expected, not 5 (put it in quotes)"),
        ("", "is not a domain name"),
        (".", "the root is above every name"),
        ("a..b", "is not a domain name"),
        ("a b.vn", "is not a domain name"),
        ("x" * 64 + ".vn", "is not a domain name"),
        ("ế" * 5000, "is not a domain name"),
        ("*.zalo.me", "write 'zalo.me'"),
        ("https://zalo.me/", "only the name of the host"),
        ("\u2024.vn", "is not a domain name"),
    ],
)
def test_what_is_no_name_is_refused(value: Any, complaint: str) -> None:
    assert complaint in _refused(scalars.Name, value)


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1", ("127.0.0.1", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("::1", ("::1", 53)),
        ("[::1]", ("::1", 53)),
        ("[FD00:0::1]:5353", ("fd00::1", 5353)),
    ],
)
def test_endpoints_have_one_form(text: str, endpoint: tuple[str, int]) -> None:
    assert _taken(scalars.ListenEndpoint, text) == endpoint


@pytest.mark.parametrize(
    "text",
    ["", "localhost", "127.0.0.1:", "127.0.0.1:0", "1.2.3.4:65536", "[::1", "::1:x", "1.2.3"],
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    assert _refused(scalars.ListenEndpoint, text)


@pytest.mark.parametrize(
    ("text", "mac"),
    [
        (one, "02:00:5e:10:00:01")
        for one in ("02:00:5E:10:00:01", "02-00-5e-10-00-01", "0200.5e10.0001")
    ],
)
def test_a_mac_is_written_in_one_way(text: str, mac: str) -> None:
    assert _taken(scalars.Mac, text) == mac


@pytest.mark.parametrize("text", ["", "02:00:5e:10:00", "02:00:5e:10:00-01"])
def test_what_is_no_mac_is_refused(text: str) -> None:
    assert "not a MAC address" in _refused(scalars.Mac, text)


@pytest.mark.parametrize(("text", "has"), [("::1", False), ("[::1]:5", True), ("1.2.3.4:5", True)])
def test_an_endpoint_states_whether_it_names_its_port(text: str, *, has: bool) -> None:
    assert scalars.is_endpoint_with_port(text) is has


def test_only_an_upstream_may_be_the_system() -> None:
    assert "not an IP address" in _refused(scalars.ListenEndpoint, "system")


@pytest.mark.parametrize(
    ("text", "cidr"),
    [
        ("192.168.1.0/24", "192.168.1.0/24"),
        ("192.168.1.7", "192.168.1.7/32"),
        ("FD00::/8", "fd00::/8"),
        ("::1", "::1/128"),
    ],
)
def test_networks_have_one_form(text: str, cidr: str) -> None:
    assert _taken(scalars.Cidr, text) == cidr


def test_bits_beyond_the_prefix_are_pointed_out() -> None:
    assert "did you mean '192.168.1.0/24'?" in _refused(scalars.Cidr, "192.168.1.7/24")


@pytest.mark.parametrize("text", ["", "lan", "192.168.1.0/33", "1.2.3/24", "1.2.3.4/x"])
def test_what_is_no_network_is_refused(text: str) -> None:
    assert "is not a network" in _refused(scalars.Cidr, text)


def test_the_families_of_addresses_are_distinguished() -> None:
    assert "IPv4 address is expected here" in _refused(scalars.IPv4Text, "::1")
    assert "IPv6 address is expected here" in _refused(scalars.IPv6Text, "127.0.0.1")


@pytest.mark.parametrize("value", [6, "6"])
def test_a_grade_may_look_like_a_number(value: Any) -> None:
    assert _taken(scalars.Grade, value) == "6"


@pytest.mark.parametrize("value", [0, 13, "06", "lop-6", "Staff"])
def test_what_is_no_grade_is_refused(value: Any) -> None:
    assert "is not a grade" in _refused(scalars.Grade, value)


def test_a_misspelt_tier_gets_a_hint() -> None:
    assert "did you mean 'primary'?" in _refused(scalars.Tier, "primry")


@pytest.mark.parametrize("text", ["Asia/Ho_Chi_Minh", "UTC"])
def test_time_zones_of_the_system_are_known(text: str) -> None:
    assert _taken(scalars.TimeZone, text) == text


@pytest.mark.parametrize(
    "text", ["Asia/Saigon2", "", "../etc/passwd", "/etc/passwd", "Asia", "x" * 5000]
)
def test_what_is_no_time_zone_is_refused(text: str) -> None:
    assert "is not a time zone" in _refused(scalars.TimeZone, text)


@pytest.mark.parametrize(
    ("text", "whole_day"),
    [("2026-09-05", True), ("2026-09-05T07:00", False), ("2026-09-05 07:00:00+07:00", False)],
)
def test_a_date_alone_is_distinguished_from_a_time(text: str, whole_day: bool) -> None:
    assert _taken(scalars.Time, text).whole_day is whole_day


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "10:30", "2026-02-30", "0001-01-01", "9999-12-31"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    assert "is not a time" in _refused(scalars.Time, text)


class _File(DocumentModel):
    whom: ForWhom


def _whom(text: str) -> Whom:
    return validate(parse(f"whom: {text}\n".encode(), "site.yaml"), _File).whom


@pytest.mark.parametrize(
    ("text", "audience"),
    [
        ("everybody", (Audience.EVERYBODY, "")),
        ("{}", (Audience.EVERYBODY, "")),
        ("{tier: primary}", (Audience.TIER, "primary")),
        ("{grade: 6}", (Audience.GRADE, "6")),
        ("{class: 6A}", (Audience.CLASS, "6A")),
        ("{class: 9/3}", (Audience.CLASS, "9/3")),
        ("{network: lab-a}", (Audience.NETWORK, "lab-a")),
        ("{client: 10.0.0.1}", (Audience.CLIENT, "10.0.0.1")),
    ],
)
def test_an_audience_is_everybody_or_one_of_a_kind(
    text: str, audience: tuple[Audience, str]
) -> None:
    assert _whom(text).audience == audience


@pytest.mark.parametrize(
    ("text", "says"),
    [("pupils", "'pupils' is not an audience"), ("{grade: 6, tier: primary}", "one audience")],
)
def test_an_unknown_audience_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigErrors, match=says):
        _whom(text)


@pytest.mark.parametrize("kind", ["network", "class"])
def test_a_network_or_class_must_be_one_of_the_sites(kind: str) -> None:
    document = parse(f"scheduled:\n  - {{for: {{{kind}: lab}}}}\n".encode(), "site.yaml")
    entry = {"grade": "6", "cidrs": ["10.0.0.0/24"]} if kind == "network" else {"grade": "6"}
    plural = {"network": "networks", "class": "classes"}[kind]

    def site(known: str) -> SiteFile:
        return SiteFile.model_validate({"school": {"name": "A"}, plural: {known: entry}})

    problems = Problems()
    where = ("scheduled", 0)
    whom = Whom.model_validate({kind: "lab"})
    assert check_audience(document, where, whom, site("lab"), problems)
    assert check_audience(document, where, Whom(grade="6"), site("lab"), problems)
    problems.raise_if_any()
    assert not check_audience(document, where, whom, site("lab-a"), problems)
    outcome = f"site.yaml:2:12: 'lab' is not a {kind} of this site"
    with pytest.raises(ConfigErrors, match=outcome):
        problems.raise_if_any()

# SPDX-License-Identifier: Apache-2.0
"""The sheet of a box, and the poster: one page each; no text becomes markup."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest

from filterd.appliance.setup.interview import Interview, Machine, SchoolLink
from filterd.appliance.setup.printed_sheets import poster, sheet

if TYPE_CHECKING:
    from filterd.texts.i18n import Language

LAN = SchoolLink("192.168.1.0/24", "eth0", "192.168.1.2")
FINGERPRINT, CERTIFICATE = (" ".join([one] * 16) for one in ("abcd", "0123"))


def made(language: Language = "en", **answers: str) -> str:
    known = {"school": "Nguyen Du", "networks": LAN.cidr, "placement": "A"}
    named = {key.replace("_", "-"): value for key, value in answers.items()}
    interview = Interview(Machine((LAN,), router="192.168.1.1"), answers=known | named)
    return sheet(interview, FINGERPRINT, language, CERTIFICATE)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_sheet_is_one_page_that_a_terminal_shows(language: Language) -> None:
    ways = [
        {"placement": placement, "router": router, "plan_b": plan, "ipv6": ipv6}
        for placement, router, plan, ipv6 in product(
            "ABC", ("can", "cannot"), ("dhcp-off", "by-hand", "second-card"), ("", "router")
        )
    ]
    for way in ways:
        lines = made(language, **way).splitlines()
        assert len(lines) <= 50
        assert max(map(len, lines)) <= 80


def test_beside_the_router_the_box_is_the_only_dns() -> None:
    text = " ".join(made().split())
    assert "DNS server 1: 192.168.1.2. DNS server 2: empty" in text
    assert "set DNS back to automatic" in text
    assert FINGERPRINT in text
    assert "https://192.168.1.2:8443" in text
    assert CERTIFICATE in text


def test_with_the_routers_dhcp_off_the_box_hands_out_itself_and_the_router() -> None:
    text = made(router="cannot", plan_b="dhcp-off")
    assert "In the router, switch DHCP off." in text
    assert "dhcp-range=192.168.1.128,192.168.1.254,12h" in text
    assert "dhcp-option=option:router,192.168.1.1" in text


def test_as_the_gateway_the_box_hands_out_itself_alone() -> None:
    assert "option:router" not in made(placement="C")
    assert "switch DHCP off" not in made(placement="C")
    assert "switch DHCP off" in made(placement="B")


def test_by_hand_and_by_a_second_card_are_reported_too() -> None:
    assert "static 192.168.1.2" in made(router="cannot", plan_b="by-hand")
    assert "placement C" in made(router="cannot", plan_b="second-card")


def test_ipv6_is_a_step_where_it_was_asked() -> None:
    assert "IPv6" not in made()
    assert "RA guard" in made(ipv6="ra-guard")


def test_teachers_whose_devices_are_not_named_are_a_step() -> None:
    assert "Teachers get what pupils get" in made(staff="")
    assert "Teachers" not in made(staff="02:00:5e:10:00:01")


def test_the_poster_has_code_address_help_and_contact_in_both_languages() -> None:
    text = poster("Trường THCS Nguyễn Du", "Phòng tư vấn", "http://192.168.1.1/")
    assert text.count("<svg viewBox=") == 1  # it has the size of the style
    assert text.count("111") == 2
    assert "http://192.168.1.1/" in text
    assert "Ở trường: Phòng tư vấn" in text
    assert "At school: Phòng tư vấn" in text
    assert "<script" not in text


def test_a_contact_that_is_not_there_is_left_out_and_markup_is_text() -> None:
    text = poster("<b>&", "", "http://[fd00::1]/")
    assert "&lt;b&gt;&amp;" in text
    assert "<b>" not in text
    assert "At school" not in text

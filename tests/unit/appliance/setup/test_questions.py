# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.appliance.setup.interview import (
    Interview,
    Machine,
    OfferedUpstream,
    SchoolLink,
    SetupChoice,
    load_answers,
)
from filterd.appliance.setup.questions import QUESTIONS, fill, pending, take_up
from filterd.base.errors import ConfigError
from filterd.base.paths import shipped
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Mapping

LAN = SchoolLink("192.168.1.0/24", "eth0", "192.168.1.2")
FLAT = Machine((LAN,), outward=("eth0",), users=("lan", "minh"), user="lan")
SCHOOL = {"school": "Trường THCS Nguyễn Du"}


def asked(interview: Interview, given: Mapping[str, str]) -> list[str]:
    """Answer everything; return the keys in the order in which they were asked."""
    fill(interview, given)
    return list(interview.answers)


def test_a_flat_lan_is_asked_how_to_distinguish_devices() -> None:
    interview = Interview(FLAT)
    keys = asked(interview, SCHOOL | {"classes": "7A 6A"})
    assert keys == [
        *("language", "school", "code", "placement", "networks", "classes", "flat", "staff"),
        *("upstreams", "lists", "admins", "teachers", "router"),
    ]
    assert interview.seats == {"192.168.1.0/24": "6"}
    assert interview.answers["admins"] == "lan"


def test_devices_of_teachers_are_chosen_by_number_or_written() -> None:
    macs = ("00:00:5e:00:53:01", "00:00:5e:00:53:02")
    seen = tuple(SetupChoice(mac, say("a device")) for mac in macs)
    interview = Interview(replace(FLAT, devices=seen))
    fill(interview, SCHOOL | {"classes": "6A", "staff": "2 02-00-5e-10-00-01"})
    assert interview.answers["staff"] == f"{macs[1]}, 02:00:5e:10:00:01"
    none = Interview(replace(FLAT, devices=seen))
    fill(none, SCHOOL | {"classes": "6A"})
    assert none.answers["staff"] == ""
    with pytest.raises(ConfigError, match="'3' is not a MAC"):
        fill(Interview(replace(FLAT, devices=seen)), SCHOOL | {"classes": "6A", "staff": "3"})


def test_one_tier_for_the_lan_asks_for_no_device_and_ranges_are_seated_each() -> None:
    assert "staff" not in asked(Interview(FLAT), SCHOOL | {"classes": "6A", "flat": "2"})
    ranges = {"flat": "ranges", "ranges": "192.168.1.32/27", "seat 192.168.1.0/24": "6"}
    interview = Interview(FLAT)
    fill(interview, SCHOOL | ranges | {"seat 192.168.1.32/27": "gv"})
    assert interview.seats == {"192.168.1.0/24": "6", "192.168.1.32/27": "staff"}


def test_without_classes_the_grade_of_the_lan_is_asked_never_guessed() -> None:
    with pytest.raises(ConfigError, match=r"seat 192.168.1.0/24: an answer is needed"):
        fill(Interview(FLAT), SCHOOL)


def test_an_answer_is_checked_and_asked_again_with_an_example() -> None:
    interview = Interview(FLAT)
    one = pending(interview)
    assert one is not None
    with pytest.raises(ConfigError, match=r"'fr' is not one of the choices \(such as: vi\)"):
        one.accept("fr")
    assert pending(interview) == one
    one.accept("2")
    assert interview.answers == {"language": "en"}


def test_an_empty_line_takes_what_the_site_has_before_what_was_found() -> None:
    interview = Interview(FLAT, {"school": "Trường cũ", "networks": "10.0.0.0/24"})
    fill(interview, {"classes": "6A"})
    assert interview.answers["school"] == "Trường cũ"
    assert interview.answers["networks"] == "10.0.0.0/24"


def test_a_hyphen_takes_nothing_where_an_empty_line_would_take_something() -> None:
    interview = Interview(FLAT)
    fill(interview, SCHOOL | {"classes": "6A", "admins": "-"})
    assert interview.answers["admins"] == ""


@pytest.mark.parametrize("text", ["A\x1b[2J", "A\u202eB", "A\udc80"])
def test_an_answer_that_would_move_the_cursor_or_turn_letters_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="has the character"):
        fill(Interview(Machine()), {"school": text})


def test_kept_answers_are_checked_again_up_to_one_that_is_no_longer_right() -> None:
    kept = {"language": "vi", "school": "Trường A", "code": "", "placement": "X", "flat": "ranges"}
    interview = Interview(Machine())
    take_up(interview, kept)
    assert interview.answers == {"language": "vi", "school": "Trường A", "code": ""}


def test_upstreams_are_chosen_by_number_or_written() -> None:
    offered = (
        OfferedUpstream("system", say("it does not answer"), works=False),
        OfferedUpstream("192.168.1.1", say("it does not answer"), works=True),
    )
    interview = Interview(replace(FLAT, upstreams=offered))
    fill(interview, SCHOOL | {"classes": "6A", "upstreams": "1, tls:9.9.9.9"})
    assert interview.answers["upstreams"] == "system, tls:9.9.9.9"
    other = Interview(replace(FLAT, upstreams=offered))
    fill(other, SCHOOL | {"classes": "6A"})
    assert other.answers["upstreams"] == "192.168.1.1"


def test_a_feed_needs_its_address_and_the_fingerprint_of_its_root() -> None:
    given = SCHOOL | {"classes": "6A", "lists": "feed", "feed": "https://feed.example/"}
    with pytest.raises(ConfigError, match="root: an answer is needed"):
        fill(Interview(FLAT), given)
    interview = Interview(FLAT)
    fill(interview, given | {"root": "AB12 " * 16})
    assert interview.answers["root"] == "ab12" * 16


def test_the_routers_dhcp_is_asked_again_until_it_is_silent() -> None:
    servers = [("192.168.1.1",), ()]
    machine = replace(FLAT, probe_dhcp=lambda: servers.pop(0))
    interview = Interview(machine)
    given = SCHOOL | {"classes": "6A", "router": "cannot"}
    with pytest.raises(ConfigError, match=r"dhcp-off: 192\.168\.1\.1 still hands out"):
        fill(interview, given)
    fill(interview, given)
    assert interview.answers["dhcp-off"] == "done"


def test_another_dns_by_ipv6_is_asked_about() -> None:
    given = SCHOOL | {"classes": "6A"}
    assert "ipv6" not in asked(Interview(FLAT), given)
    assert "ipv6" in asked(Interview(replace(FLAT, advertised=("fe80::1",))), given)


def test_classes_come_from_a_file_where_one_is_named() -> None:
    read: list[Path] = []

    def table(path: Path) -> list[list[str]]:
        read.append(path)
        return [["Lớp"], ["6A"], ["7A"]]

    interview = Interview(replace(FLAT, read_table=table))
    fill(interview, SCHOOL | {"classes": "@/srv/lop.xlsx"})
    assert (read, interview.answers["classes"]) == ([Path("/srv/lop.xlsx")], "6A, 7A")


def test_the_placement_is_guessed_from_the_network_cards() -> None:
    inner = SchoolLink("192.168.6.0/24", "lan0", "192.168.6.1")
    for machine, placement in ((FLAT, "A"), (Machine((inner,), outward=("wan0",)), "C")):
        interview = Interview(machine)
        fill(interview, SCHOOL | {"classes": "6A"})
        assert interview.answers["placement"] == placement


def test_what_is_no_question_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"'scool' is not a question \(did you mean 'school'"):
        fill(Interview(FLAT), {"scool": "A"})


def test_ids_and_numbers_of_choices_are_stable_in_a_file_of_answers() -> None:
    interview = Interview(Machine())
    choices = {one.id: [each.answer for each in one.choices(interview)] for one in QUESTIONS}
    assert {key: found for key, found in choices.items() if found} == {
        "language": ["vi", "en"],
        "placement": ["A", "B", "C"],
        "flat": ["by-device", "one-tier", "ranges"],
        "lists": ["recommended", "feed", "later"],
        "router": ["can", "cannot"],
        "plan-b": ["dhcp-off", "by-hand", "second-card"],
        "dhcp-off": ["done", "later"],
        "ipv6": ["router", "no-ipv6", "ra-guard", "placement-c", "later"],
    }


def test_the_file_of_answers_in_the_readme_answers_all_and_names_every_question(
    tmp_path: Path,
) -> None:
    readme = (shipped("policies") / "README.md").read_text("utf-8")
    section = readme.partition("## A file of answers")[2].partition("\n## ")[0]
    file = tmp_path / "answers.yaml"
    file.write_text(section.partition("```text")[2].partition("```")[0], "utf-8")
    interview = Interview(Machine())
    fill(interview, load_answers(file))
    assert list(interview.seats.values()) == ["6A", "room lab-a", "staff"]
    assert [one.id for one in QUESTIONS if not re.search(rf"\b{one.id}\b", section)] == []

# SPDX-License-Identifier: Apache-2.0
"""Site, tiers and catalogue become one policy, or all errors are reported."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from filterd.base.errors import ConfigError, ConfigErrors
from filterd.config.compile import compile_policy, own_lists, warnings
from filterd.config.site_reader import load_site
from filterd.config.site_schema import PRIVATE_RANGES
from filterd.lists.rules import ListSource
from filterd.policy.log_levels import LogLevel
from filterd.policy.model import ListenAddress, Network, UpstreamServer
from filterd.wire import name as names
from tests.support.policies import NOW
from tests.support.site import CATALOG, SCHOOL, WITH_SERVICES, a_policy, problems

if TYPE_CHECKING:
    from pathlib import Path

NETWORKS = """\
networks:
  six: {grade: 6, cidrs: [10.6.0.0/16]}
  staff: {grade: staff, cidrs: [10.0.0.0/8], interfaces: [wlan0]}
"""
WHOLE = f"""\
listen: [127.0.0.1:5353, "[::1]:5353"]
upstreams: [system, 9.9.9.9, "[2620:fe::fe]:53"]
{NETWORKS}grades:
  6: {{categories: {{allow: [streaming]}}, youtube: strict}}
exceptions:
  - {{allow: zalo.me, for: {{grade: 6}}, reason: bài học, until: 2026-09-05}}
local_zones:
  - {{name: lan, records: [a A 10.0.0.1]}}
delegated_zones:
  - {{name: ad.lan, servers: [10.0.0.1]}}
"""
WEEK = """\
lessons: { t-1: 07:00-07:45 , t-2: 08:00-08:45 , t-3: 09:00-09:45 }
holidays: [ 2026-11-20 , { first: 2026-06-01 , last: 2026-08-31 , name: Hè } ]
networks:
  lab: { cidrs: [ 10.1.0.0/24 ] , timetable: { t2: { t-1: 6 , t-3: 9 } , sun: { t-2: 12 } } }
  hall: { room: true , grade: 3 }
schedules:
  day: [ { days: [ t2 , sun ] , from: 07:00 , to: 17:00 , holidays: off } ]
  night: [ { from: 22:00 , to: 05:30 , first: 2026-09-05 , last: 2027-05-31 } ]
scheduled:
  - { schedule: day , close: { category: games } , for: { grade: 6 } }
  - { schedule: night , open: { service: youtube } , for: { network: lab } }
  - { schedule: night , close: { tier: primary } }
services:
  own: { name: Thi , group: education , min_age: 12 , names: [ thi.example , a.vn ] }
keep_closed: { categories: [ social-media ] , services: [ bigo , own ] }
grades:
  9: { services: { allow: [ roblox ] , block: [ azota ] } }
"""


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("", None),
        ("listen_tls: []\n", ()),
        ("listen_tls: [192.0.2.1]\n", (ListenAddress("192.0.2.1", 853),)),
        ('listen_tls: ["[::1]:8530"]\n', (ListenAddress("::1", 8530),)),
    ],
)
def test_addresses_of_tls_have_port_853_where_none_is_written(
    tmp_path: Path, written: str, read: tuple[ListenAddress, ...] | None
) -> None:
    assert a_policy(tmp_path, WHOLE + written).listen_tls == read


def test_a_whole_site_becomes_a_policy(tmp_path: Path) -> None:
    policy = a_policy(tmp_path, WHOLE)
    assert (policy.school, policy.contact) == ("Mẫu", "")
    assert policy.listen == (ListenAddress("127.0.0.1", 5353), ListenAddress("::1", 5353))
    assert policy.upstreams == (
        UpstreamServer("system"),
        UpstreamServer("9.9.9.9"),
        UpstreamServer("2620:fe::fe"),
    )
    assert policy.networks == (
        Network("six", "6", ("10.6.0.0/16",)),
        Network("staff", "staff", ("10.0.0.0/8",), ("wlan0",)),
    )
    assert policy.allow_from == PRIVATE_RANGES
    assert policy.pins == CATALOG.pins
    assert policy.protections == CATALOG.protections
    assert set(policy.categories) == {category.id for category in CATALOG.categories}


def test_the_host_of_the_feed_is_pinned(tmp_path: Path) -> None:
    [pin] = a_policy(tmp_path, "feed: https://feed.sotttt.gov.vn:8443/v1\n").pins[1:]
    assert (names.to_text(pin.name), pin.subtree, pin.reason) == (
        "feed.sotttt.gov.vn",
        False,
        "feed",
    )


@pytest.mark.parametrize("address", ["http://127.0.0.1:8000/", "http://[::1]/", "http://nas/feed"])
def test_a_feed_without_a_name_of_its_own_has_nothing_to_pin(tmp_path: Path, address: str) -> None:
    assert a_policy(tmp_path, f"feed: {address}\n").pins == CATALOG.pins


def test_unknown_clients_are_as_the_strictest_of_the_networks(tmp_path: Path) -> None:
    assert a_policy(tmp_path, NETWORKS).unknown_grade == "6"


def test_a_site_without_networks_is_strictest_to_all(tmp_path: Path) -> None:
    assert a_policy(tmp_path).unknown_grade == "preschool"


def test_the_site_may_name_the_grade_of_unknown_clients(tmp_path: Path) -> None:
    assert a_policy(tmp_path, NETWORKS + "unknown: guest\n").unknown_grade == "guest"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "networks:\n  a: {grade: 1, cidrs: [10.0.0.0/8]}\n"
            "  b: {grade: 2, cidrs: [10.0.0.0/8]}\n",
            "4:25: '10.0.0.0/8' already belongs to the network 'a'"
            " (a client can have only one grade)",
        ),
        (
            "networks:\n  a: {grade: 1, interfaces: [e0]}\n  b: {grade: 2, interfaces: [e0]}\n",
            "4:30: 'e0' already belongs to the network 'a' (a client can have only one grade)",
        ),
        (
            "listen: ['[::1]:53']\nupstreams: [system, '::1']\n",
            "3:21: filterd would ask itself at ::1 port 53 (name another resolver, or system)",
        ),
        (
            "lists:\n  - {id: own, file: own.txt, format: domains, category: game}\n",
            "3:47: category: 'game' is not a category (did you mean 'games'?)",
        ),
        (
            "lists:\n  - {id: own, file: own.txt, format: domain, category: games}\n",
            "3:30: format: 'domain' is not a format (did you mean 'domains'?)",
        ),
        (
            "lists:\n  - {id: own, file: none.txt, category: games}\n",
            "3:15: file: there is no file 'none.txt' (check the name)",
        ),
        (
            "lists:\n  - {id: own, file: ../site.yaml, category: games}\n",
            "3:15: file: '../site.yaml' is outside the folder of site.yaml",
        ),
        (
            "lists:\n  - {id: own, file: /etc/passwd, category: games}\n",
            "3:15: file: '/etc/passwd' is outside the folder of site.yaml",
        ),
        (
            "lists:\n  - {id: a, file: own.txt, category: games}\n"
            "  - {id: a, file: own.txt, category: games}\n",
            "4:6: id: another list already has this id (choose another)",
        ),
    ],
)
def test_contradictions_are_reported_at_their_place(
    tmp_path: Path, text: str, problem: str
) -> None:
    (tmp_path / "own.txt").write_text("example.com\n")
    (found,) = problems(tmp_path, text)
    assert found.startswith(f"site.yaml:{problem}")


def test_a_range_within_another_network_is_no_contradiction(tmp_path: Path) -> None:
    assert len(a_policy(tmp_path, NETWORKS).networks) == 2


def test_contradictions_of_all_kinds_are_reported_at_once(tmp_path: Path) -> None:
    text = (
        "listen: [9.9.9.9]\nupstreams: [9.9.9.9]\nlocal_zones: [{name: lan, records: [x]}]\n"
        "grades: {6: {categories: {allow: [porn]}}}\n"
    )
    assert [line.split(":")[1] for line in problems(tmp_path, text)] == ["3", "4", "5"]


def test_a_list_that_leads_out_of_the_folder_is_not_compiled(tmp_path: Path) -> None:
    (tmp_path / "own.txt").symlink_to("/etc/hostname")
    text = "lists:\n  - {id: own, file: own.txt, format: hosts, category: games}\n"
    (tmp_path / "site.yaml").write_text(SCHOOL + text)
    with pytest.raises(ConfigErrors, match=r"'own.txt' is outside the folder of site.yaml"):
        own_lists(load_site(tmp_path), CATALOG)


@pytest.mark.parametrize("file", ["circle.txt", "x" * 300])
def test_a_list_that_cannot_be_a_file_is_reported(tmp_path: Path, file: str) -> None:
    (tmp_path / "circle.txt").symlink_to("circle.txt")
    text = f"lists:\n  - {{id: own, file: {file}, category: games}}\n"
    (problem,) = problems(tmp_path, text)
    assert "is not a valid file name" in problem or "there is no file" in problem


def test_own_lists_have_absolute_paths_and_yield_to_protections(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("example.com\n")
    text = "lists:\n  - {id: own, file: own.txt, format: hosts, category: games}\n"
    (tmp_path / "site.yaml").write_text(SCHOOL + text)
    sources = load_site(tmp_path)
    compile_policy(sources, CATALOG)
    path = str(tmp_path / "own.txt")
    assert own_lists(sources, CATALOG) == (
        ListSource("own", "games", "hosts", path, title="own.txt"),
    )


@pytest.mark.parametrize("site", [WHOLE, WEEK])
def test_hundreds_of_mutants_are_compiled_or_refused_and_nothing_else(
    tmp_path: Path, site: str
) -> None:
    chance = random.Random(5)
    text = SCHOOL + site
    for _ in range(400):
        (tmp_path / "site.yaml").write_text(_mutant(text, chance), encoding="utf-8")
        for line in _complaints(tmp_path):
            assert line.startswith(f"{tmp_path}/site.yaml")


def _mutant(text: str, chance: random.Random) -> str:
    """Exchange two words of the text, or put one into another's place, up to three times."""
    words = text.split(" ")
    for _ in range(chance.randint(1, 3)):
        first, second = chance.randrange(len(words)), chance.randrange(len(words))
        if chance.random() < 0.5:
            words[first] = chance.choice(["-", "[]", "{}", "5", "~", "9e9", "'", "system", "\n"])
        words[first], words[second] = words[second], words[first]
    return " ".join(words)


def _complaints(folder: Path) -> list[str]:
    """Return what is said against a site; anything but a ConfigError escapes."""
    try:
        sources = load_site(folder)
        warnings(sources, compile_policy(sources, WITH_SERVICES), NOW)
    except ConfigErrors as errors:
        return [str(error) for error in errors.errors]
    except ConfigError as error:
        return [str(error)]
    return []


def test_a_policy_knows_the_top_level_domains(tmp_path: Path) -> None:
    top_level = a_policy(tmp_path, "").top_level
    assert {b"\x02vn\0", b"\x03com\0"} <= set(top_level)
    assert b"\x03com\x02vn\0" not in top_level
    assert b"\x07printer\0" not in top_level


@pytest.mark.parametrize("cidr", ["fe80::/10", "fe80::1/128", "fe80::/64"])
def test_a_link_local_range_identifies_no_client(tmp_path: Path, cidr: str) -> None:
    site = f"networks:\n  six: {{grade: 6, cidrs: [10.6.0.0/16, '{cidr}']}}\n"
    (problem,) = problems(tmp_path, site)
    assert problem.startswith("site.yaml:3:")
    assert "is on every link" in problem
    assert "interfaces or macs" in problem


@pytest.mark.parametrize(
    ("text", "level"),
    [("", LogLevel.COUNTS), ("log: {level: off}\n", LogLevel.OFF), ("log: {}\n", LogLevel.COUNTS)],
)
def test_the_site_sets_what_the_log_keeps(tmp_path: Path, text: str, level: LogLevel) -> None:
    assert a_policy(tmp_path, text).log.level is level


OWN = "{url: 'https://lists.example/a', category: games}"


def test_public_lists_are_named_by_id_or_address(tmp_path: Path) -> None:
    a_policy(tmp_path, f"follow: [recommended, urlhaus, {OWN}]\n")


@pytest.mark.parametrize(
    ("follow", "message"),
    [
        ("[urlhau]", "'urlhau' is not a list of the catalogue"),
        ("[{url: 'https://lists.example/a', category: law-ordered}]", "'law-ordered' is not a"),
        ("[{url: 'https://lists.example/a', category: child-abuse}]", "'child-abuse' is not a"),
        ("[{url: 'https://lists.example/a', category: games, id: urlhaus}]", "already has this id"),
        ("[{url: 'http://lists.example/a', category: games}]", "is not an address of a list"),
        ("[{url: 'https://u:p@lists.example/a', category: games}]", "is not an address of a list"),
        (
            "[{url: 'https://10.0.0.1/a', category: games}]",
            "'10.0.0.1' is not a host of the public",
        ),
        ("[{url: 'https://x.local/a', category: games}]", "'x.local' is not a host of the public"),
        ("[{url: 'https://lists.example/a'}]", "its category is missing"),
        ("[{id: urlhaus, category: games}]", "has an id only"),
        ("[{url: 'https://lists.example/a', category: games, format: csv}]", "'csv' is not a"),
    ],
)
def test_public_lists_that_cannot_be_followed_are_reported(
    tmp_path: Path, follow: str, message: str
) -> None:
    with pytest.raises(ConfigErrors) as error:
        a_policy(tmp_path, f"follow: {follow}\n")
    assert message in str(error.value)


def _of_staff(folder: Path, staff: str, pupils: str) -> list[str]:
    site = (
        f"networks:\n  office: {{cidrs: ['{staff}'], grade: staff}}\n"
        f"  lab: {{cidrs: ['{pupils}'], grade: 6}}\n"
    )
    policy = a_policy(folder, site)
    return [str(warning) for warning in warnings(load_site(folder), policy, NOW)]


@pytest.mark.parametrize(
    ("staff", "pupils"),
    [
        ("10.0.0.200/29", "10.0.0.0/24"),
        ("10.0.0.128/25", "10.0.0.0/25"),
        ("10.0.5.0/24", "10.0.0.0/16"),
        ("10.0.0.0/16", "10.0.5.0/24"),
        ("2001:db8::5/128", "2001:db8::/64"),
    ],
)
def test_a_range_of_the_staff_on_a_link_of_pupils_is_warned_of(
    tmp_path: Path, staff: str, pupils: str
) -> None:
    (found,) = _of_staff(tmp_path, staff, pupils)
    assert f"'{staff}' of the staff is on a link with 'lab': a pupil may take such" in found
    assert "VLAN" in found


@pytest.mark.parametrize(
    ("staff", "pupils"),
    [
        ("10.0.1.0/24", "10.0.0.0/24"),
        ("10.0.0.0/20", "10.0.16.0/20"),
        ("2001:db8:0:1::/64", "2001:db8::/64"),
        ("2001:db8::/64", "10.0.0.0/24"),
    ],
)
def test_a_link_of_the_staff_s_own_is_not_warned_of(
    tmp_path: Path, staff: str, pupils: str
) -> None:
    assert _of_staff(tmp_path, staff, pupils) == []

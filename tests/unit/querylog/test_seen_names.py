# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from filterd.querylog import seen_names
from filterd.querylog.lookups import BY_IPV4, BY_IPV6, Lookup, LookupContext
from filterd.querylog.seen_names import MOST_ENTRIES, SeenName, SeenNames
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Sequence

TODAY, TOMORROW = "2026-11-28", "2026-11-29"
GAME = names.from_text("game.example")
NEWS = names.from_text("news.example")


def lookup(
    device: int, name: bytes = GAME, action: str = "blocked", class_id: str = "6A"
) -> Lookup:
    return Lookup(0, name, LookupContext("6", class_id, "lab", "games", action), device)


def add(seen: SeenNames, *lookups: Lookup, day: str = TODAY) -> list[int]:
    """Return the numbers of devices that are to be written."""
    return [one.devices for one in (seen.add(day, each) for each in lookups) if one is not None]


def test_a_blocked_name_is_written_at_once_and_with_each_device_up_to_k() -> None:
    seen = SeenNames(least=5)
    assert seen.add(TODAY, lookup(1)) == SeenName("lower-secondary", GAME, "games", "blocked", 1)
    assert add(seen, *(lookup(device) for device in (1, 2, 2, 3, 4, 5, 6, 7))) == [2, 3, 4, 5]


def test_an_allowed_name_is_written_when_k_devices_have_asked_for_it() -> None:
    seen = SeenNames(least=5)
    assert add(seen, *(lookup(device % 4, action="pass") for device in range(40))) == []
    assert add(seen, lookup(5, action="pass"), lookup(6, action="pass")) == [5]


def test_control_without_k_the_name_of_one_device_is_written_and_shown() -> None:
    seen = SeenNames(least=1)
    assert add(seen, lookup(1, action="pass")) == [1]
    assert [one.name for one in seen.of_class(TODAY, "6A")] == [GAME]


SAME = [1, BY_IPV4, *range(BY_IPV6, BY_IPV6 + 9)]
"""Pseudonyms of one device: by its MAC, its IPv4 address and its IPv6 addresses."""


def test_addresses_of_one_device_do_not_make_it_several() -> None:
    seen = SeenNames(least=5)
    for order in (SAME, SAME[::-1]):
        assert add(seen, *(lookup(one, action="pass") for one in order)) == []
    others = [number for n in (2, 3, 4) for number in (n, BY_IPV4 + n, BY_IPV6 + 10 * n)]
    assert add(seen, *(lookup(one, action="pass") for one in others)) == []
    assert seen.of_class(TODAY, "6A") == []
    assert add(seen, lookup(5, action="pass")) == [5]
    add(seen, *(lookup(one, action="pass") for one in (6, 7, 8)))
    assert seen.of_class(TODAY, "6A") == []
    add(seen, lookup(9, action="pass"))
    assert len(seen.of_class(TODAY, "6A")) == 1


def test_control_were_pseudonyms_added_one_device_would_be_five(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seen_names, "_distinct", len)
    monkeypatch.setattr(seen_names, "BY_IPV6", 2**31)
    assert add(SeenNames(least=5), *(lookup(one, action="pass") for one in SAME)) == [5]


def test_devices_to_which_it_was_blocked_do_not_count_for_the_allowed() -> None:
    seen = SeenNames(least=5)
    add(seen, *map(lookup, range(1, 5)))
    assert add(seen, lookup(9, action="pass")) == []


def test_devices_without_a_pseudonym_count_as_one() -> None:
    seen = SeenNames(least=5)
    assert add(seen, *(lookup(0, action="pass") for _ in range(20))) == []


@pytest.mark.parametrize("own", range(5))
@pytest.mark.parametrize("pupils", range(7))
def test_a_teacher_with_own_devices_learns_of_no_fewer_than_k_pupils(own: int, pupils: int) -> None:
    """The answer tells nothing of fewer than k pupils, whatever the teacher asks for."""
    seen = SeenNames(least=5)
    add(seen, *(lookup(100 + device) for device in range(own)))
    add(seen, *(lookup(device) for device in range(pupils)))
    if seen.of_class(TODAY, "6A"):
        assert pupils >= 5


def test_control_with_k_of_all_devices_four_own_ones_show_a_single_pupil(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(SeenNames, "_enough", 5)
    seen = SeenNames(least=5)
    add(seen, *(lookup(100 + device) for device in range(4)))
    assert seen.of_class(TODAY, "6A") == []
    add(seen, lookup(1))
    assert len(seen.of_class(TODAY, "6A")) == 1


def test_devices_that_were_seen_with_staff_that_day_are_no_pupils() -> None:
    seen = SeenNames(least=2)
    staff = LookupContext("staff", "", "staff", "games", "blocked")
    add(seen, *(lookup(device) for device in range(1, 4)))
    assert len(seen.of_class(TODAY, "6A")) == 1
    add(seen, Lookup(0, NEWS, staff, 3))
    assert seen.of_class(TODAY, "6A") == []


def test_a_class_has_the_names_of_k_of_its_own_devices() -> None:
    seen = SeenNames(least=5)
    add(seen, *(lookup(device) for device in range(1, 10)))
    add(seen, *(lookup(device, NEWS, "pass", "6B") for device in range(1, 4)))
    add(seen, *(lookup(device, NEWS, "pass", "6A") for device in range(4, 8)))
    assert [one.name for one in seen.of_class(TODAY, "6A")] == [GAME]
    assert seen.of_class(TODAY, "6B") == []
    assert seen.of_class(TOMORROW, "6A") == []


def test_devices_of_two_days_are_not_added_as_each_has_two_pseudonyms() -> None:
    seen = SeenNames(least=5)
    add(seen, *(lookup(device, action="pass") for device in (1, 2, 3, 4)))
    assert add(seen, lookup(5, action="pass"), day=TOMORROW) == []
    seen.drop_before(TOMORROW)
    assert add(seen, lookup(5, action="pass")) == []


def test_what_has_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_names, "_OF_A_DEVICE", 1)
    seen = SeenNames(least=5, most=2)
    assert add(seen, lookup(1), lookup(1, NEWS)) == [1]
    assert seen.lost == 2  # of the class and of the tier
    seen.drop_before(TOMORROW)
    assert add(seen, lookup(1, NEWS), day=TOMORROW) == [1]


@pytest.mark.parametrize("devices", [[1], range(BY_IPV6, BY_IPV6 + 50)], ids=["MAC", "IPv6"])
def test_a_device_that_makes_up_names_leaves_room_for_the_others(devices: Sequence[int]) -> None:
    seen = SeenNames(least=5, most=20)
    made_up = [
        lookup(devices[n % len(devices)], names.from_text(f"{n}.porn.example")) for n in range(50)
    ]
    assert len(add(seen, *made_up)) == 2  # each of the class and of the tier
    assert add(seen, lookup(2)) == [1]
    seen.forget(lambda name: name == made_up[0].name)
    assert len(add(seen, *made_up)) == 1


def test_control_without_the_bound_one_device_takes_all_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seen_names, "_OF_A_DEVICE", 1)
    seen = SeenNames(least=5, most=20)
    add(seen, *(lookup(1, names.from_text(f"{n}.porn.example")) for n in range(50)))
    assert add(seen, lookup(2)) == []


def test_a_name_is_forgotten_and_so_are_a_device_and_its_own_names() -> None:
    seen = SeenNames(least=2)
    add(seen, *(lookup(one) for one in (1, 2, 4)), *(lookup(one, NEWS) for one in (1, 3, 5)))
    seen.forget(lambda name: name == GAME)
    assert [one.name for one in seen.of_class(TODAY, "6A")] == [NEWS]
    seen.forget_device(3)
    assert seen.of_class(TODAY, "6A") == []
    assert add(seen, lookup(1, NEWS), lookup(4, NEWS)) == []  # it had two before


def test_50_000_names_of_tier_and_class_take_20_mb() -> None:
    """Measured with a tenth of them, of one to five devices."""
    seen, count = SeenNames(least=5), MOST_ENTRIES // 20
    tracemalloc.start()
    for number in range(count):
        name = names.from_text(f"www.a-usual-name-{number}.example.com")
        for device in range(1 + number % 5):
            seen.add(TODAY, lookup(2**29 + (number + device) % 400, name))
    octets, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert 10 * octets < 20_000_000

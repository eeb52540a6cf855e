# SPDX-License-Identifier: Apache-2.0
"""Devices that appear in a room, and qnames in a trial run of an exam."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.errors import ControlError
from filterd.daemon import watch_recorders as trials_module
from filterd.daemon.manager.device_discovery import (
    LONGEST_S,
    UNREAD_S,
    ExamTrials,
    RoomWatches,
    registrable,
)
from filterd.policy.model import LeaseFile, LeaseFormat, Network
from tests.support.clock import FakeClock
from tests.support.daemon import SOURCES
from tests.support.policies import a_policy
from tests.support.serving import UdpStub
from tests.support.shown_network import ShownNetwork, mac, neighbour
from tests.support.team import School, Team
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from filterd.base.state_folder import StateFolder
    from filterd.clients.device_survey import Seen

TEACHER_PC = "02:00:5e:00:00:99"
POLICY = a_policy(
    networks=[
        Network("lab", "6", room=True),
        Network("hall", "6", ("10.0.0.128/25",), room=True),
        Network("desk", "staff", macs=(TEACHER_PC,)),
        Network("all", "9", ("10.0.0.0/26",)),
    ]
)


async def at_once(_: float) -> None:
    """Rest without waiting."""


def watching(
    ip: ShownNetwork,
    clock: FakeClock | None = None,
    call: Callable[[Iterable[Seen]], None] = lambda _: None,
) -> RoomWatches:
    """Return what watches a network in which no called device answers, or as ``call`` sets."""
    return RoomWatches(clock or FakeClock(), ip, call, at_once)


def _watched(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[str]:
    """Return the MACs that appear in the lab."""

    async def work() -> list[str]:
        ip = ShownNetwork(*before)
        watches = watching(ip)
        await watches.begin("lab", POLICY)
        ip.neighbours = after
        answer = await watches.seen("lab", POLICY)
        return [one["mac"] for one in answer["devices"]]

    return asyncio.run(work())


def test_a_device_that_begins_to_answer_has_appeared() -> None:
    before = [neighbour(2), neighbour(3, "STALE")]
    after = [neighbour(2), neighbour(3), neighbour(4), neighbour(5, "STALE")]
    assert _watched(before, after) == [mac(3), mac(4)]


@pytest.mark.parametrize(
    "elsewhere",
    [
        neighbour(7, lladdr=TEACHER_PC),
        neighbour(200),  # by its address it stands in another room
        neighbour(9, dst="198.51.100.9", dev="wan0"),
        neighbour(9, state=["FAILED"]),
        neighbour(9, dst="nonsense"),
    ],
)
def test_what_stands_elsewhere_has_not_appeared(elsewhere: dict[str, Any]) -> None:
    assert _watched([], [neighbour(8), elsewhere]) == [mac(8)]


def test_a_router_is_no_device() -> None:
    behind = [neighbour(n, lladdr=mac(9)) for n in range(20, 30)]
    assert _watched([], [neighbour(8), *behind]) == [mac(8)]


def test_what_has_appeared_stays_though_it_falls_silent() -> None:
    async def work() -> None:
        ip, clock = ShownNetwork(), FakeClock()
        watches = watching(ip, clock)
        assert await watches.begin("lab", POLICY) == {"room": "lab", "already": []}
        ip.neighbours = [neighbour(8)]
        await watches.seen("lab", POLICY)
        ip.neighbours = [neighbour(8, "STALE"), neighbour(9)]
        assert len((await watches.seen("lab", POLICY))["devices"]) == 2
        clock.advance(LONGEST_S)
        with pytest.raises(
            ControlError, match="lab is not being watched; start with `filterd room learn`"
        ):
            await watches.seen("lab", POLICY)

    asyncio.run(work())


def test_devices_that_answer_already_are_listed_at_the_beginning() -> None:
    async def work() -> None:
        ip = ShownNetwork(neighbour(2), neighbour(3, "STALE"), neighbour(4, lladdr=TEACHER_PC))
        answer = await watching(ip).begin("lab", POLICY)
        assert answer["already"] == [mac(2)]

    asyncio.run(work())


def _learned(*, is_called: bool) -> list[str]:
    """Return what appears where a telephone was asleep, and wakes when it is called, or later."""

    async def work() -> list[str]:
        ip, looks = ShownNetwork(neighbour(2, "STALE"), neighbour(3, "STALE")), list[int]()

        def call(devices: Iterable[Seen]) -> None:
            assert {device.mac for device in devices} == {mac(2), mac(3)}
            ip.neighbours = [neighbour(2, "DELAY"), neighbour(3, "PROBE")]

        async def rest(_: float) -> None:
            looks.append(1)
            if len(looks) == 3:
                ip.neighbours = [neighbour(2), neighbour(3, "FAILED")]

        watches = RoomWatches(FakeClock(), ip, call if is_called else lambda _: None, rest)
        await watches.begin("lab", POLICY)
        ip.neighbours = [neighbour(2), neighbour(3)]
        return [one["mac"] for one in (await watches.seen("lab", POLICY))["devices"]]

    return asyncio.run(work())


def test_a_telephone_that_slept_is_woken_first_and_has_not_appeared() -> None:
    assert _learned(is_called=True) == [mac(3)]


def test_control_without_the_call_it_would_be_taken_for_one_of_the_room() -> None:
    assert _learned(is_called=False) == [mac(2), mac(3)]


def _switched_off_and_on(*tables: list[dict[str, Any]]) -> tuple[list[str], set[str]]:
    """Return what appears after these neighbour tables; and what was called meanwhile."""

    async def work() -> tuple[list[str], set[str]]:
        called = set[str]()
        ip = ShownNetwork(neighbour(2), neighbour(3))
        watches = watching(ip, call=lambda devices: called.update(device.mac for device in devices))
        assert (await watches.begin("lab", POLICY))["already"] == [mac(2), mac(3)]
        for table in tables:
            ip.neighbours = table
            answer = await watches.seen("lab", POLICY)
        return [one["mac"] for one in answer["devices"]], called

    return asyncio.run(work())


def test_a_device_that_was_there_before_appears_once_it_is_switched_off_and_on() -> None:
    silent = [neighbour(2, "STALE"), neighbour(3)]
    off = [{"dst": "10.0.0.2", "dev": "lan0", "state": ["FAILED"]}, neighbour(3)]
    on = [neighbour(2), neighbour(3)]
    assert _switched_off_and_on(silent, off, on) == ([mac(2)], {mac(2)})


def test_control_a_device_that_is_only_silent_was_there_before_all_the_same() -> None:
    silent = [neighbour(2, "STALE"), neighbour(3)]
    gone_from_the_table = [neighbour(3)]
    on = [neighbour(2), neighbour(3)]
    assert _switched_off_and_on(silent, gone_from_the_table, on) == ([], {mac(2)})


def test_a_device_of_two_addresses_is_off_when_neither_answers() -> None:
    async def work() -> list[str]:
        other = neighbour(2, dst="10.0.0.77")
        ip = ShownNetwork(neighbour(2), other)
        watches = watching(ip)
        await watches.begin("lab", POLICY)
        half = {"dst": "10.0.0.2", "dev": "lan0", "state": ["FAILED"]}
        for table in ([half, other], [half], [neighbour(2)]):
            ip.neighbours = table
            answer = await watches.seen("lab", POLICY)
        return [one["mac"] for one in answer["devices"]]

    assert asyncio.run(work()) == []


def test_in_a_network_where_the_kernel_never_stops_asking_the_watch_begins_all_the_same() -> None:
    async def work() -> None:
        rests = list[float]()

        async def rest(length_s: float) -> None:
            rests.append(length_s)

        ip = ShownNetwork(neighbour(2, "DELAY"))
        await RoomWatches(FakeClock(), ip, lambda _: None, rest).begin("lab", POLICY)
        assert sum(rests) == 10

    asyncio.run(work())


def test_devices_that_are_in_no_network_are_reported_with_what_they_call_themselves(
    tmp_path: Path,
) -> None:
    leases = tmp_path / "leases"
    leases.write_text(f"0 {mac(100)} 10.0.0.100 tablet 01:{mac(100)}\n", encoding="utf-8")
    policy = replace(POLICY, leases=(LeaseFile(str(leases), LeaseFormat.DNSMASQ),))
    ip = ShownNetwork(neighbour(2), neighbour(100, "STALE"), neighbour(200))
    answer = asyncio.run(watching(ip).in_no_network(policy))
    assert answer["devices"] == [{"mac": mac(100), "address": "10.0.0.100", "name": "tablet"}]


def test_a_device_with_an_address_in_a_network_is_not_unknown() -> None:
    link_local = neighbour(2, dst="fe80::2")
    answer = asyncio.run(watching(ShownNetwork(link_local, neighbour(2))).in_no_network(POLICY))
    assert answer["devices"] == []
    answer = asyncio.run(watching(ShownNetwork(link_local)).in_no_network(POLICY))
    assert [one["mac"] for one in answer["devices"]] == [mac(2)]


def test_devices_have_the_names_that_the_school_gave_them() -> None:
    ip = ShownNetwork(neighbour(2), neighbour(100))
    rows = asyncio.run(watching(ip).devices(POLICY, {mac(2): "Máy cô Lan"}))
    assert [(row["mac"], row["name"], row["network"]) for row in rows] == [
        (mac(100), "", None),
        (mac(2), "Máy cô Lan", "all"),
    ]


def test_a_failure_of_ip_is_reported() -> None:
    ip = ShownNetwork()
    ip.neighbours = None
    with pytest.raises(ControlError, match="install iproute2"):
        asyncio.run(watching(ip).begin("lab", POLICY))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("www.example.com", "example.com"),
        ("a.b.thi.edu.vn", "thi.edu.vn"),
        ("edu.vn", "edu.vn"),
        ("localhost", "localhost"),
        ("x.school.blogspot.com", "school.blogspot.com"),
    ],
)
def test_the_registrable_domain(name: str, expected: str) -> None:
    assert registrable(name) == expected


def test_a_trial_is_read_by_its_teacher_and_ends_unless_it_is_read() -> None:
    """Else the teacher of the next lesson reads what the class before asked for."""

    async def work() -> None:
        clock = FakeClock()
        trials = ExamTrials(clock, [])
        await trials.begin("of-6", "lan")
        with pytest.raises(ControlError, match="no trial run"):
            await trials.names("of-6", "minh")
        for _ in range(3):
            clock.advance(UNREAD_S - 1)
            assert await trials.names("of-6", "lan")
        clock.advance(UNREAD_S)
        with pytest.raises(ControlError, match="no trial run"):
            await trials.names("of-6", "lan")

    asyncio.run(work())


def test_a_trial_is_heard_by_all_workers_and_over_restarts(
    tmp_path: Path, built: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials_module, "PAGE", 2)

    async def work(team: Team) -> None:
        trials, server = team.manager.trials, ("127.0.0.1", school.port)
        await trials.begin("of-6", "lan")
        with UdpStub(SOURCES["6"], server) as pupil, UdpStub(SOURCES["7"], server) as other:
            for number in range(5):
                await asyncio.to_thread(pupil.ask, a_query(f"n{number}.thi.edu.vn"))
            await asyncio.to_thread(pupil.ask, a_query("a\\032b.thi.edu.vn"))  # no name of a host
            await asyncio.to_thread(other.ask, a_query("other.edu.vn"))
            answer = await trials.names("of-6", "lan")
            assert [one["name"] for one in answer["names"]] == [
                f"n{number}.thi.edu.vn" for number in range(5)
            ]
            assert {one["registrable"] for one in answer["names"]} == {"thi.edu.vn"}
            assert {one["times"] for one in answer["names"]} == {1}
            for worker in team.workers:
                worker._trials.close()  # as those are that were restarted
            await trials.names("of-6", "lan")
            await asyncio.to_thread(pupil.ask, a_query("late.thi.edu.vn"))
            await asyncio.to_thread(pupil.ask, a_query("n1.thi.edu.vn"))
            found = {
                one["name"]: one["times"] for one in (await trials.names("of-6", "lan"))["names"]
            }
            assert (len(found), found["n1.thi.edu.vn"], found["n2.thi.edu.vn"]) == (6, 2, 1)
        await trials.end("of-6")
        assert not any(worker._trials._names for worker in team.workers)
        with pytest.raises(
            ControlError, match="no trial run in of-6; start one with `filterd exam learn`"
        ):
            await trials.names("of-6", "lan")

    with FakeUpstream() as upstream:
        school = School(tmp_path, built, upstream.port)
        school.serve(work, workers=2)

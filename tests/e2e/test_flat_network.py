# SPDX-License-Identifier: Apache-2.0
"""A school without VLANs: real devices, leases, and a room known by MACs.

Skipped where network namespaces cannot be made (they need root).
"""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.flat_school import FLAT, Device, FlatSchool, Watching, flat_school
from tests.support.commands import call
from tests.support.daemon import Served, build_lists, write_site
from tests.support.gateway import CLOSED, OPEN, PORT, Gateway, Site, eventually, gateway

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.usefixtures("needs_namespaces")

COMPUTERS = 20
CARD, MADE_UP = "00:00:5e:00:53:{:02x}", "02:00:5e:00:53:{:02x}"
PROBE, LOCKED = "connectivitycheck.gstatic.com", "www.pornhub.com"
SITE = Site(PORT, networks=FLAT)


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("gateway")) as made:
        yield made


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> StateFolder:
    config = write_site(tmp_path_factory.mktemp("site"), port=5353)
    return build_lists(config, tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def school(around: Gateway) -> Iterator[FlatSchool]:
    with flat_school(around) as made:
        yield made


def _answer(served: Served, *words: str | Path) -> Any:
    done = call(*words, "--json", *served.options)
    assert done.code == 0, done.err
    return json.loads(done.out)


def _macs(served: Served) -> list[str]:
    macs: list[str] = _answer(served, "room", "show", "lab-a")["macs"]
    return macs


def test_a_rooms_computers_are_learned_examined_and_let_go_on_a_flat_network(
    around: Gateway, school: FlatSchool, lists: StateFolder, tmp_path: Path
) -> None:
    asleep = school.device("asleep", CARD.format(0xF1), "dien-thoai-cu")
    late = school.device("late", MADE_UP.format(0xF2), "iPhone")
    computers = [
        school.device(f"pc{n}", CARD.format(n), f"may-{n}") for n in range(1, COMPUTERS + 1)
    ]
    with around.serving(lists, SITE) as served:
        _learn(served, school, computers, asleep, late)
        _is_in_force(computers, asleep, late)
        _goes_through_a_spreadsheet(served, computers, tmp_path)
        _shows_unknown_devices(served, asleep, late)
        _makes_a_telephone_staff(served, asleep, late)
        _finds_an_access_point(served, late, asleep)
    needs = tmp_path / "exam.txt"
    with around.serving(lists, SITE, end=signal.SIGKILL) as served:
        _is_in_force(computers, asleep, late)
        _try_the_exam(served, computers, asleep, needs)
        _answer(served, "exam", "start", "--room", "lab-a", "--for", "90m", "--allow", needs)
        _sits_the_exam(computers, asleep)
    with around.serving(lists, SITE) as served:  # it was killed, and the exam goes on
        _sits_the_exam(computers, asleep)
        _answer(served, "exam", "stop")
        eventually(lambda: all(computer.sees(OPEN) for computer in computers[:4]))


def _learn(
    served: Served, school: FlatSchool, computers: list[Device], asleep: Device, late: Device
) -> None:
    """A telephone sleeps nearby, another one comes in, and a teacher's laptop asks meanwhile."""
    asleep.lease()
    assert not asleep.sees(CLOSED)
    school.sleeps(asleep)
    with Watching(["room", "learn", "lab-a", "--lang", "en", *served.options]) as watching:
        watching.wait_for("Press Enter when all are on")
        for one in (*computers, late):
            one.lease()
            assert not one.sees(CLOSED)
        watching.wait_for("appeared", COMPUTERS + 1)
        code, out = watching.press_enter()
    said = "\n".join(watching.lines)
    assert code == 0, said
    assert f"devices of room lab-a: {COMPUTERS}" in out
    assert f"{asleep.mac} is already on" in said
    assert f"{late.mac} {late.address} iphone appeared with a randomised MAC" in said
    assert f"{computers[0].mac} {computers[0].address} may-1 appeared" in said
    assert _macs(served) == sorted(computer.mac for computer in computers)


def _is_in_force(computers: list[Device], asleep: Device, late: Device) -> None:
    eventually(lambda: all(computer.sees(CLOSED) for computer in computers))
    assert not asleep.sees(CLOSED)
    assert not late.sees(CLOSED)


def _goes_through_a_spreadsheet(served: Served, computers: list[Device], tmp_path: Path) -> None:
    """As Excel saves it in Viet Nam: a mark, semicolons, capitals; dashes as Windows shows MACs."""
    table = tmp_path / "phong.csv"
    assert call("room", "export", table, *served.options).code == 0
    rows = table.read_text(encoding="utf-8").splitlines()
    last = f"lab-a,{max(computer.mac for computer in computers)}"
    assert last in rows
    kept = [row.replace(",", ";").replace(":", "-").upper() for row in rows if row != last]
    table.write_bytes("\r\n".join([f"{kept[0]};GHI CHÚ", *kept[1:]]).encode("utf-8-sig"))
    done = call("room", "import", table, "--reason", "bớt một máy", *served.options)
    assert done.code == 0, done.err
    assert _macs(served) == sorted(computer.mac for computer in computers)[:-1]
    assert "laptops" not in json.dumps(_answer(served, "history", "list")[0]["payload"])
    eventually(lambda: not computers[-1].sees(CLOSED))
    assert computers[0].sees(CLOSED)
    assert call("undo", *served.options).code == 0
    assert len(_macs(served)) == COMPUTERS
    eventually(lambda: computers[-1].sees(CLOSED))


def _shows_unknown_devices(served: Served, asleep: Device, late: Device) -> None:
    unknown = {one["mac"] for one in _answer(served, "room", "list")["unknown"]}
    assert {asleep.mac, late.mac} <= unknown
    assert not any(mac.startswith("00:00:5e:00:53:0") for mac in unknown)


def _makes_a_telephone_staff(served: Served, asleep: Device, late: Device) -> None:
    """By the address that it has now; its neighbour stays unknown, and undo takes it back."""
    _answer(served, "devices", "name", late.mac, "Máy cô Lan")
    _answer(served, "devices", "assign", late.address, "--network", "laptops")
    eventually(lambda: late.sees(CLOSED))
    assert not asleep.sees(CLOSED)
    rows = {row["mac"]: row for row in _answer(served, "devices", "list")}
    device = rows[late.mac]
    assert (device["network"], device["grade"], device["is_random"]) == ("laptops", "staff", True)
    assert (device["name"], device["host"], device["addresses"]) == (
        "Máy cô Lan",
        "iphone",
        [late.address],
    )
    assert next(iter(rows.values()))["network"] is None
    assert rows[asleep.mac]["network"] is None
    assert call("undo", *served.options).code == 0
    eventually(lambda: not late.sees(CLOSED))


def _finds_an_access_point(served: Served, shared: Device, telephone: Device) -> None:
    """Several makers' checks come from its address; a telephone has those of one or two."""
    for _ in range(3):  # the fast path repeats what it knows
        assert shared.sees(PROBE)
    with Watching(["devices", "nat", "--lang", "en", *served.options]) as watching:
        watching.wait_for("Press Enter when all have")
        for name in (PROBE, "captive.apple.com", "www.msftconnecttest.com"):
            shared.ask(name)
        for name in (PROBE, "connect.rom.miui.com"):
            telephone.ask(name)
        code, out = watching.press_enter()
    assert code == 0, watching.lines
    assert "Apple, Google, Microsoft" in out
    assert f"filterd devices assign {shared.address} --class 6A" in out
    assert telephone.address not in out


def _try_the_exam(served: Served, computers: list[Device], asleep: Device, needs: Path) -> None:
    words = ["exam", "learn", "--room", "lab-a", "--out", str(needs), "--lang", "en"]
    with Watching([*words, *served.options]) as watching:
        watching.wait_for("Press Enter when it is done")
        for computer in computers[:4]:
            assert [computer.sees(name) for name in _OF_THE_EXAM] == [True] * len(_OF_THE_EXAM)
            assert (computer.sees(PROBE), computer.sees(LOCKED)) == (True, False)
        assert asleep.sees("elsewhere.example")
        code, _ = watching.press_enter()
    assert code == 0, watching.lines
    written = needs.read_text(encoding="utf-8").splitlines()
    assert [line for line in written if line and not line.startswith("# ")] == [
        "cdn.thi.example  # 4",
        "thi.example  # 4",
    ]
    assert f"# {LOCKED}  # 4, blocked" in written
    assert not any(word in line for line in written for word in (PROBE, "elsewhere"))


_OF_THE_EXAM = ("thi.example", "cdn.thi.example")


def _sits_the_exam(computers: list[Device], asleep: Device) -> None:
    eventually(lambda: not any(computer.sees(OPEN) for computer in computers))
    for computer in computers[:4]:
        assert all(computer.sees(name) for name in (*_OF_THE_EXAM, PROBE, "moet.gov.vn"))
        assert not any(computer.sees(name) for name in (OPEN, CLOSED, LOCKED, "fresh.example"))
    assert asleep.sees(OPEN)
    assert not asleep.sees(CLOSED)

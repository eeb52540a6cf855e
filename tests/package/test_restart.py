# SPDX-License-Identifier: Apache-2.0
"""While systemd starts the service again, questions wait in the sockets that it keeps."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from tests.bench.hop import PATIENCE_S, Client
from tests.support.booted import booted
from tests.support.gateway import eventually, gateway
from tests.support.installed_school import BOX, InstalledSchool
from tests.support.mmdebstrap import SUITES
from tests.support.packages import package

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("needs_root")]

RESTART = ("systemctl", "restart", "filterd")
KILL = ("systemctl", "kill", "--signal=KILL", "filterd")
IN_FLIGHT = 5
"""What a process that is killed may have read and not answered, of 100 questions a second."""
WITHOUT_STORE = "/etc/systemd/system/filterd.service.d/store.conf"


@pytest.fixture(scope="module", params=SUITES)
def school(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[InstalledSchool]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    deb = package(request.param)
    with (
        gateway(folder, upstream_port=53) as around,
        booted(request.param, folder / "box", around.gateway.name, installed=deb) as box,
    ):
        made = InstalledSchool(box, around)
        made.set_up()
        made.wait_for_answers()
        yield made


@contextlib.contextmanager
def asking(school: InstalledSchool) -> Iterator[Client]:
    """Ask all the time, and until all answers have had their time."""
    client = Client(school.around.pupil.socket(socket.SOCK_DGRAM, BOX), is_staff=False)
    thread = threading.Thread(target=client.run)
    thread.start()
    try:
        yield client
    finally:
        client.ended.set()
        thread.join()
        client.opened.close()


def _again(school: InstalledSchool, *words: str) -> Client:
    """Have the service started again while a client asks; return what that saw."""
    before = school.pid()
    with asking(school) as client:
        school.box.run(*words)
        eventually(lambda: school.pid() not in {0, before} and school.box.is_active("filterd"))
    return client


@pytest.mark.parametrize(("words", "most"), [(RESTART, 0), (KILL, IN_FLIGHT)])
def test_no_question_is_lost(school: InstalledSchool, words: tuple[str, ...], most: int) -> None:
    seen = _again(school, *words)
    assert (seen.unfiltered, seen.overblocked) == (0, 0), seen
    assert seen.lost <= most, seen
    assert seen.longest_gap_s <= PATIENCE_S, seen


def test_a_service_that_is_stopped_leaves_the_port(school: InstalledSchool) -> None:
    school.box.run("systemctl", "stop", "filterd")
    sockets = school.box.run("cat", "/proc/net/udp", "/proc/net/udp6").out
    bound = [row.split()[1] for row in sockets.splitlines()]  # a peer's port may be 53
    assert [one for one in bound if one.endswith(":0035")] == [], sockets
    school.box.run("systemctl", "start", "filterd")


@pytest.mark.control
@pytest.mark.parametrize("school", ["trixie"], indirect=True, scope="module")
def test_control_without_the_store_questions_are_lost(school: InstalledSchool) -> None:
    school.box.run("mkdir", "-p", WITHOUT_STORE.rpartition("/")[0])
    school.box.write(WITHOUT_STORE, "[Service]\nFileDescriptorStoreMax=0\n")
    school.box.run("systemctl", "daemon-reload")
    school.box.run(*RESTART)  # takes what was stored before
    assert _again(school, *RESTART).lost > IN_FLIGHT

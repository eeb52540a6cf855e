# SPDX-License-Identifier: Apache-2.0
"""Every kind of change, and a kill at every step from command to reply.

Whichever process is killed, manager, worker or command: the change is there wholly or
not at all, the history is whole and agrees with the rules in force, all workers agree,
and pupils get answers all the time, but no unfiltered ones.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import dns.flags
import dns.message
import dns.rcode
import pytest

from filterd import control
from filterd.base.clock import SystemClock
from filterd.base.errors import ConfigError, ControlError
from filterd.base.state_file import to_plain
from filterd.base.state_folder import StateFolder
from filterd.overrides.changes.effects import THINGS
from filterd.overrides.history.store import Store
from tests.e2e.mortal import ASKER, STEPS
from tests.support.changes import an_exception
from tests.support.commands import ROOT, environment
from tests.support.daemon import SOURCES, Served, free_port, write_site
from tests.support.policies import an_index
from tests.support.upstream import FakeUpstream
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.policies import ListTexts

pytestmark = pytest.mark.long

STRIDE = int(os.environ.get("FILTERD_CHANGE_KILL_STRIDE", "12"))
"""Each kind of change is killed at every 12th step, beginning with another one: so each step has
one kill. 1 kills each kind at every step, which takes ten minutes."""

ASKERS, TRIES, WITHIN_S, PAUSE_S = 12, 60, 0.25, 0.02
LATER_THAN_ALL = 1_000_000
LAB, HALL, MANY_LATER = "127.0.50.7", "127.0.51.7", 3 * 3600
LISTED, OPEN = "www.tiktok.com", "www.example.com"
LOCKED, MISTAKE = "porn.example", "university.example"
LISTS: ListTexts = {
    "porn": ("porn", "domains", False, [LOCKED]),
    "phishing": ("scam", "domains", False, [MISTAKE]),
    "social": ("social-media", "domains", True, ["tiktok.com"]),
}
ROOMS = """\
  lab-a: {cidrs: [127.0.50.0/24], grade: 3, room: true}
  lab-b: {cidrs: [127.0.51.0/24], grade: 11, room: true}
workers: 2
"""


@dataclass
class Case:
    """A change, what it takes to be made, and whose question shows it."""

    kind: str
    payload: dict[str, Any]
    source: str
    name: str
    blocks: bool | None
    """Whether it is blocked afterwards; None if no question shows it."""

    first: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    of_first: str = ""
    """The key of the payload that names what was made first."""


def _block(name: str) -> dict[str, Any]:
    return an_exception(target=name, allow=False)


def _cases(now: float) -> dict[str, Case]:
    ends = {"ends_at": now + MANY_LATER}
    three, eleven = SOURCES["3"], SOURCES["11"]
    exam = {"room": "lab-a", "names": ["thi.example"], **ends}
    closed = {"target_kind": "category", "target": "social-media", "opens": False}
    macs = ["00:00:5e:00:53:01", "00:00:5e:00:53:02"]
    table = [{"room": "lab-a", "macs": macs[:1]}, {"room": "lab-b", "macs": macs[1:]}]
    return {
        "allow": Case("exception", an_exception(target=LISTED), three, LISTED, blocks=False),
        "block": Case("exception", _block("b.example"), three, "b.example", blocks=True),
        "exceptions revoke": Case(
            "revoke",
            {},
            three,
            "r.example",
            blocks=False,
            first=[("exception", _block("r.example"))],
            of_first="id",
        ),
        "undo": Case(
            "undo",
            {},
            three,
            "u.example",
            blocks=False,
            first=[("exception", _block("u.example"))],
            of_first="number",
        ),
        "room set": Case(
            "room", {"room": "lab-a", "grade": "staff", **ends}, LAB, LISTED, blocks=False
        ),
        "room learn": Case(
            "room-devices", {"room": "lab-a", "macs": macs}, LAB, LISTED, blocks=None
        ),
        "room import": Case("device-table", {"rooms": table}, LAB, LISTED, blocks=None),
        "devices name": Case(
            "device-name", {"mac": macs[0], "name": "Máy 1"}, LAB, LISTED, blocks=None
        ),
        "exam start": Case("exam", exam, LAB, OPEN, blocks=True),
        "exam stop": Case(
            "exam-stop",
            {},
            HALL,
            OPEN,
            blocks=False,
            first=[("exam", exam | {"room": "lab-b"})],
            of_first="id",
        ),
        "policy set": Case("grade", {"grade": "11", **closed}, eleven, LISTED, blocks=True),
        "policy undo": Case(
            "undo",
            {},
            SOURCES["12"],
            LISTED,
            blocks=False,
            first=[("grade", {"grade": "12", **closed})],
            of_first="number",
        ),
        "report-mistake": Case("report-mistake", {"name": MISTAKE}, three, MISTAKE, blocks=False),
    }


class School:
    """A mortal daemon of two workers."""

    def __init__(self, state: StateFolder, port: int, order: Path, upstream: FakeUpstream) -> None:
        self.state, self.port, self.order, self.upstream = state, port, order, upstream

    def ask(self, command: str, **arguments: Any) -> Any:
        """Ask as soon as there is a manager."""
        for _ in range(1000):
            with contextlib.suppress(ControlError):
                control.ask(self.state.control_socket, "ping")
                return control.ask(self.state.control_socket, command, **arguments)
            threading.Event().wait(0.02)
        raise AssertionError("no manager came")

    def change(self, kind: str, payload: dict[str, Any]) -> int:
        """Make a change without a kill; return its number."""
        answer = control.ask(self.state.control_socket, "change", kind=kind, reason="r", **payload)
        number: int = answer["number"]
        return number

    def change_killed(self, step: str, kind: str, payload: dict[str, Any]) -> bool:
        """Make one with a kill; return whether it was acknowledged."""
        self.order.write_text(step, encoding="ascii")
        request = json.dumps({"kind": kind, "reason": "r", **payload})
        words = [sys.executable, "-c", ASK, str(self.state.control_socket), request]
        asking = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
        left = self.order.exists()
        self.order.unlink(missing_ok=True)
        assert not left, f"nobody came to the step {step}: {asking.stdout}"
        assert "Traceback" not in asking.stderr
        if step.startswith(ASKER):  # what was asked for goes on: wait for its turn to be over
            with pytest.raises(ConfigError, match="is no exception"):
                self.ask("change", kind="revoke", id=LATER_THAN_ALL)
        return asking.stdout.startswith("done")

    def in_force(self) -> dict[str, Any]:
        """Return the daemon's overrides, without the number of the last change."""
        overrides = self.ask("overrides")
        return {key: overrides.get(key, []) for key in THINGS}  # kinds that came later are left out

    def blocks(self, source: str, name: str) -> bool:
        """Return whether a name is blocked; all workers must agree."""
        seen = {self.asked(source, name) for _ in range(ASKERS)}
        assert len(seen) == 1, f"one worker blocks {name} and another one does not"
        return seen.pop()

    def asked(self, source: str, name: str) -> bool:
        """Ask once, again and again where a worker took the question with it."""
        with socket.socket(type=socket.SOCK_DGRAM) as stub:
            stub.bind((source, 0))
            stub.settimeout(WITHIN_S)
            for _ in range(TRIES):
                stub.sendto(a_query(name), ("127.0.0.1", self.port))
                with contextlib.suppress(TimeoutError):
                    answer = dns.message.from_wire(stub.recv(4096))
                    assert not answer.flags & dns.flags.TC, "it was asked too fast"
                    return answer.rcode() == dns.rcode.NXDOMAIN
        raise AssertionError(f"{name} was not answered")

    def check_history(self) -> None:
        """Check that the history is whole, and comes to what is in force, from the disk too."""
        assert self.ask("history-verify")["ok"]
        current = to_plain(Store(self.state, SystemClock()).current())
        known = {key: json.loads(json.dumps(current.get(key, []))) for key in THINGS}
        assert known == self.in_force()


ASK = """
import json, pathlib, sys
from filterd.control import ask
from filterd.base.errors import FilterdError
try:
    ask(pathlib.Path(sys.argv[1]), "change", **json.loads(sys.argv[2]))
    print("done")
except FilterdError as error:
    print(error)
"""


class Pupils:
    """Ask all the while for a name that must be blocked and for one that must be answered."""

    def __init__(self, school: School) -> None:
        self._school, self._over = school, threading.Event()
        self.asked, self.unfiltered, self.silent = 0, 0, list[str]()
        self._threads = [threading.Thread(target=self._ask, args=(one,)) for one in (LOCKED, "")]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, name: str) -> None:
        while not self._over.wait(PAUSE_S):
            self.asked += 1
            try:
                blocked = self._school.asked(SOURCES["staff"], name or OPEN)
            except AssertionError as error:
                self.silent.append(str(error))
            else:
                self.unfiltered += bool(name) and not blocked
                self.silent += [OPEN] if not name and blocked else []


@contextlib.contextmanager
def _mortal(folder: Path, *how: str) -> Iterator[School]:
    """Serve the school; ``how`` goes to ``tests.e2e.mortal``."""
    order, port = folder / "order", free_port()
    with FakeUpstream() as upstream:
        for name in (LISTED, OPEN, "b.example", "r.example", "u.example", LOCKED, MISTAKE):
            upstream.add(f"{name}. 1 IN A 198.18.0.9")
        config = write_site(folder / "site", port=port, upstream=upstream.port, more=ROOMS)
        state, lists = StateFolder(folder / "state"), folder / "lists"
        for one in (state.folder, lists):
            one.mkdir()
        an_index(lists, LISTS)
        shutil.copyfile(lists / "index", state.index)
        words = [sys.executable, "-m", "tests.e2e.mortal", config, state.folder, order, *how]
        process = subprocess.Popen(
            [*map(str, words)], cwd=ROOT, env=environment(), stderr=subprocess.PIPE, text=True
        )
        assert process.stderr is not None
        served = Served(process, config, state)
        reader = threading.Thread(target=served.listen, args=(process.stderr,))
        reader.start()
        try:
            served.wait_for("filterd listens on")
            yield School(state, port, order, upstream)
            served.end()
            assert not any("Traceback" in line for line in served.log), served.log
        finally:
            process.kill()
            process.wait()
            reader.join()
            process.stderr.close()


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    with _mortal(tmp_path_factory.mktemp("mortal")) as made:
        yield made


CASES = _cases(SystemClock().wall())


@pytest.mark.parametrize("command", CASES)
def test_a_change_during_which_a_process_is_killed_is_made_wholly_or_not_at_all(
    school: School, command: str
) -> None:
    case = CASES[command]
    for kind, payload in case.first:
        case.payload[case.of_first] = school.change(kind, payload)
    with Pupils(school) as pupils:
        for step in STEPS[list(CASES).index(command) % STRIDE :: STRIDE]:
            _kill_at(school, case, step)
    if case.first:
        school.ask("change", kind="undo", reason="r", number=case.payload[case.of_first])
    assert (pupils.unfiltered, pupils.silent) == (0, [])
    assert pupils.asked > len(STEPS) // STRIDE


def _kill_at(school: School, case: Case, step: str) -> None:
    before, number = school.in_force(), school.ask("history", limit=1)[0:1]
    was_blocked = school.blocks(case.source, case.name)
    assert case.blocks is not was_blocked, "it would show nothing"
    last = number[0]["number"] if number else 0
    acknowledged = school.change_killed(step, case.kind, case.payload)
    now, rows = school.in_force(), school.ask("history", limit=2)
    made = [row for row in rows if row["number"] > last]
    assert len(made) == (now != before), (step, rows)
    assert made or not acknowledged, step
    school.check_history()
    blocked = school.blocks(case.source, case.name)
    assert blocked is (bool(case.blocks) if made and case.blocks is not None else was_blocked), step
    if made:
        assert (made[0]["kind"], made[0]["author"]) == (case.kind, "root"), step
        school.ask("change", kind="undo", reason="r", number=made[0]["number"])
    assert school.in_force() == before, step
    assert school.blocks(case.source, case.name) is was_blocked, step


def test_control_a_manager_that_does_not_look_back_leaves_workers_with_what_was_before(
    tmp_path: Path,
) -> None:
    case = CASES["block"]
    with _mortal(tmp_path, "careless") as school:
        assert not school.change_killed("recorded", case.kind, case.payload)
        assert [row["kind"] for row in school.ask("history", limit=5)] == [case.kind]
        assert not school.blocks(case.source, case.name)

# SPDX-License-Identifier: Apache-2.0
"""Two administrators at once: the changes of two processes interleave.

Nothing is lost or made twice, the chain is whole, and the rules in force are those of
the history. A command that comes too late gets an error.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.base.clock import SystemClock
from filterd.base.state_file import to_plain
from filterd.overrides.history.history_chain import HistoryRow, replay
from filterd.overrides.history.store import Store
from tests.support.commands import ROOT
from tests.support.daemon import Served, build_lists, free_port, serving, write_site

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("warm_children")
CHANGES = int(os.environ.get("FILTERD_ADMINISTRATORS_CHANGES", "100"))
"""Of each of the two."""

ROOMS = """\
  lab-a: {cidrs: [127.0.50.0/24], grade: 6, room: true}
  lab-b: {cidrs: [127.0.51.0/24], grade: 6, room: true}
workers: 2
"""

ADMINISTRATOR = """
import json, pathlib, random, sys
from filterd.control import ask
from filterd.base.errors import FilterdError

path, own, times, ends_at = pathlib.Path(sys.argv[1]), *sys.argv[2:4], float(sys.argv[4])
chance, number = random.Random(own), 0
room = {"a": "lab-a", "b": "lab-b"}[own]
mac = "00:00:5e:00:53:01"

def one(n):
    name = {"target_kind": "name", "target": f"{own}{n}.example", "allow": bool(n % 2)}
    return chance.choice([
        ("exception", name),
        ("exception", name),
        ("room", {"room": "lab-a", "grade": str(1 + n % 12), "ends_at": ends_at + n}),
        ("room-devices", {"room": room, "macs": [mac]}),
        ("room-devices", {"room": room, "macs": []}),
        ("grade", {"grade": "9", "target_kind": "category", "target": "games",
                   "opens": bool(n % 2)}),
        ("exam", {"room": "lab-b", "names": ["thi.example"], "ends_at": ends_at}),
        ("undo", {}),
    ])

print("ready", flush=True)
sys.stdin.readline()
for n in range(int(times)):
    kind, payload = one(n)
    try:
        answer = ask(path, "change", kind=kind, reason=f"{own} {n}", **payload)
        print(json.dumps({"made": answer["number"], "kind": kind, "n": n}), flush=True)
    except FilterdError as error:
        print(json.dumps({"refused": str(error), "kind": kind, "n": n}), flush=True)
"""

CONFLICTS = (
    "is in room",
    "has exam",
    "to undo",
    "been undone",
    "has replaced what",
    "already ended",
)
"""The error of the second command, or of an undo without its change."""


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("administrators")
    config = write_site(folder / "site", port=free_port(), more=ROOMS)
    build_lists(config, folder / "state")
    with serving(config, folder / "state") as running:
        yield running


def _at_once(served: Served) -> list[list[dict[str, Any]]]:
    """Let both begin together; return the replies to each."""
    ends_at = SystemClock().wall() + 3600
    children = []
    for own in "ab":
        where = str(served.state.control_socket)
        words = [sys.executable, "-c", ADMINISTRATOR, where, own, str(CHANGES), str(ends_at)]
        child = subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        children.append(child)
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    return [
        [json.loads(line) for line in child.communicate()[0].splitlines()] for child in children
    ]


def test_all_that_two_administrators_change_at_once_is_recorded_and_whole(served: Served) -> None:
    outcomes = _at_once(served)
    assert [len(outcome) for outcome in outcomes] == [CHANGES, CHANGES]
    refused = [one["refused"] for both in outcomes for one in both if "refused" in one]
    assert all(any(words in why for words in CONFLICTS) for why in refused), refused
    assert any("is in room" in why for why in refused)

    made = sorted(one["made"] for both in outcomes for one in both if "made" in one)
    assert made == list(range(1, 2 * CHANGES - len(refused) + 1))
    rows = list(reversed(control.ask(served.state.control_socket, "history", limit=1000)))
    assert [row["number"] for row in rows] == made
    by_reason = {row["reason"]: (row["number"], row["kind"]) for row in rows}
    for own, both in zip("ab", outcomes, strict=True):
        for one in both:
            if "made" in one:
                assert by_reason[f"{own} {one['n']}"] == (one["made"], one["kind"])
    owners = [row["reason"][0] for row in rows]
    assert sum(one != other for one, other in pairwise(owners)) > CHANGES // 4

    assert control.ask(served.state.control_socket, "history-verify")["ok"]
    store = Store(served.state, SystemClock())
    done = replay(HistoryRow._make(row) for row in reversed(store.rows()))
    assert done.first_bad is None
    assert done.overrides == store.current()
    in_force = control.ask(served.state.control_socket, "overrides")
    plain = json.loads(json.dumps(to_plain(done.overrides)))
    assert {key: in_force[key] for key in plain} == plain

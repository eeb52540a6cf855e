# SPDX-License-Identifier: Apache-2.0
"""No reply of a real daemon is wrong while workers are killed and rules change."""

from __future__ import annotations

import os
import random
import sys
from typing import TYPE_CHECKING

import pytest

from tests.e2e.oracle_daemon import LOST_WITH_A_WORKER, PEOPLE, Driver, some_laws, write
from tests.support import oracle_messages as wire
from tests.support.daemon import copy_lists, free_port, serving
from tests.support.oracle import World
from tests.support.oracle_rules import OUTSIDE, Rules
from tests.support.oracle_steps import MANY, Ask
from tests.support.oracle_upstream import Saying
from tests.support.policies import CATEGORIES
from tests.support.worlds import NAMES, SPOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.state_folder import StateFolder

pytestmark = pytest.mark.long

QUESTIONS = int(os.environ.get("FILTERD_ORACLE_QUESTIONS", "3000"))
EACH = 50
BELL = "question while 1,000 wait for a change"
"""On a slow machine a change may take longer than upstreams are waited for."""
SEED = 7


def a_question(chance: random.Random) -> Ask:
    return Ask(
        chance.choice(PEOPLE),
        chance.choice((*NAMES, *OUTSIDE)),
        chance.choice((wire.A, wire.A, wire.AAAA, wire.TXT, wire.HTTPS)),
        do=chance.random() < 0.2,
        cd=chance.random() < 0.1,
        ad=chance.random() < 0.1,
        edns=chance.random() < 0.8,
        size=chance.choice((512, 700, 1232, 4096)),
        capitals=chance.choice((0, chance.getrandbits(16))),
        by_tcp=chance.random() < 0.1,
    )


def many_questions(chance: random.Random) -> list[Ask]:
    """Return a thousand, few of which have been asked before."""
    asked = [a_question(chance) for _ in range(MANY)]
    return [
        one._replace(name=f"n{chance.randrange(20)}.{chance.choice(SPOKEN)}", by_tcp=False)
        for one in asked
    ]


@pytest.mark.parametrize("workers", [1, 2])
def test_no_reply_is_wrong(tmp_path: Path, built: StateFolder, workers: int) -> None:
    chance = random.Random(SEED)
    state = copy_lists(built, tmp_path / "state").folder
    open_to_all, port = Rules(World(CATEGORIES)), free_port()
    with Driver(port, open_to_all) as driver:
        for name in (*NAMES, *OUTSIDE):
            kind = chance.choice(("data", "nodata", "nxdomain", "alias", "alias", "big", "huge"))
            driver.upstream.say(name, Saying(kind, 3_000, chance.choice(SPOKEN)))

        def written(rules: Rules) -> Rules:
            upstream = driver.server.address[1]
            write(rules, tmp_path / "site", port=port, upstream=upstream, workers=workers)
            return rules

        written(open_to_all)
        with serving(tmp_path / "site", state) as served:
            rounds = 0
            while driver.judged < QUESTIONS or not driver.oracle.hits[BELL]:
                rounds += 1
                assert driver.faults == []
                assert rounds < QUESTIONS
                asked = [a_question(chance) for _ in range(EACH)]
                driver.ask_all(asked)
                if rounds % 6 == 2:
                    driver.kill(served, chance)
                elif rounds % 6 == 4:
                    driver.change(served, written(some_laws(chance)), asked)
                elif rounds % 12 == 5:
                    driver.change(served, written(open_to_all))
                    closed = written(some_laws(chance))
                    driver.change_while_many_wait(served, closed, many_questions(chance))
    sys.stdout.write(f"{workers} workers: {driver}\n")
    assert driver.faults == []
    assert driver.lost <= LOST_WITH_A_WORKER * driver.killed
    assert driver.killed

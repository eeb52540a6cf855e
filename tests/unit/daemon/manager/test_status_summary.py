# SPDX-License-Identifier: Apache-2.0
"""The status sums the daemon up."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from unittest import mock

from filterd.base.clock import SystemClock
from filterd.daemon.manager import status_summary
from filterd.monitor.alert_rules import active
from filterd.policy import policy_file
from filterd.wire import name as names

if TYPE_CHECKING:
    import pytest

    from tests.support.team import School, Team

BLOCK = "exceptions:\n  - {block: new.example, reason: vì thế}\n"


async def _blocks_by_worker(team: Team) -> list[bool]:
    """Return for each worker whether it blocks the name of ``BLOCK``; asked for a later day."""
    whom: dict[str, Any] = {"grade": "3", "address": None, "at": "2030-01-01T10:00"}
    qname = names.from_text("new.example").hex()
    outcome = [await worker.check(qname=qname, qtype=1, **whom) for worker in team.workers]
    return [one is not None and one["action"] != "pass" for one in outcome]


def test_the_digest_of_a_policy_is_worked_out_once(
    school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(team: Team) -> None:
        digested = mock.Mock(side_effect=policy_file.digest)
        monkeypatch.setattr(status_summary, "digest", digested)
        before = [(await team.manager.status())["policy"] for _ in range(2)]
        assert digested.call_count == 1
        school.write(BLOCK)
        done = await team.manager.reload()
        after = (await team.manager.status())["policy"]
        assert after == done.policy
        assert after not in before

    school.serve(work)


def test_status_adds_the_workers_up_and_is_enough_for_alerts(school: School) -> None:
    async def work(team: Team) -> None:
        for number, worker in enumerate(team.workers, 1):
            worker._path.resolver.counters["blocked"] = number
        assert await team.manager.signals.note_history(team.manager.changes.records.verify)
        status = await team.manager.status()
        assert status["signals"]["history"]["ok"] is True
        assert status["log"]["bypass"] == {"blocks": 0}
        assert status["traffic"]["blocked"] == {}
        assert active(status | {"feed": {"address": ""}}, SystemClock().wall()) == []
        assert status["workers"] == 2
        assert status["answers"]["blocked"] == 3
        assert "received" not in status["datagrams"]
        assert status["receive_drops"] == 0
        assert status["school"] == "Trường mẫu"
        assert status["names"] > 1000
        assert status["pid"] == os.getppid()
        (upstream,) = status["upstreams"]
        assert (upstream["address"], upstream["down"]) == ("127.0.0.1", False)

    school.serve(work, workers=2)

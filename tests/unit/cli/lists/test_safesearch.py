# SPDX-License-Identifier: Apache-2.0
"""``filterd safesearch verify`` shows what was found, and since when something is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rich.console import Console

from filterd.cli.context import Context
from filterd.cli.lists.safesearch import verified_nightly
from filterd.resolve.rewrite_targets import FILE, GONE, NO_ANSWER, TargetState, VerifiedTargets
from filterd.texts.i18n import UNSAID, Texts
from tests.support.commands import call

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from filterd.base.state_folder import StateFolder
    from tests.support.clock import FakeClock


def test_a_host_that_is_gone_is_reported_with_the_time_when_it_was_there(
    here: list[str], quiet: StateFolder, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = UNSAID

    async def verify(
        _rewrites: object, _forwarder: object, _route: object, now: float, before: dict[str, float]
    ) -> list[TargetState]:
        known = now if not problem else before.get("safe.example")
        never = TargetState("new.example", ("youtube: strict",), 2, None, NO_ANSWER)
        return [TargetState("safe.example", ("safe_search: on",), 3, known, problem), never]

    monkeypatch.setattr("filterd.resolve.rewrite_targets.verify", verify)
    done = call("safesearch", "verify", *here)
    assert (done.code, done.err) == (1, "")
    assert "found" in done.out
    assert "never verified: no upstream answers" in " ".join(done.out.split())
    assert quiet.safe_search.exists()
    problem = GONE
    clock.advance(86_400)
    printed = json.loads(call("safesearch", "verify", "--json", *here).out)
    assert [(one["target"], one["verified"]) for one in printed] == [
        ("safe.example", False),
        ("new.example", False),
    ]
    shown = call("safesearch", "verify", *here).out
    assert max(map(len, shown.splitlines())) <= 80
    assert "not verified since 0" in " ".join(shown.split())
    assert "it does not exist" in " ".join(shown.split())


def test_without_an_upstream_nothing_is_verified(
    here: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.resolve.rewrite_targets.resolv_conf.servers", lambda *_: ())
    done = call("safesearch", "verify", "--lang", "vi", *here[:4])
    assert done.code == 1
    assert "forcesafesearch.google.com" in done.out


def test_the_nightly_outcome_is_one_sentence_and_without_a_network_the_state_stays(
    week: Path, quiet: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Context(week, quiet, Texts("en"), Console(), Console())
    FILE.save(quiet.safe_search, VerifiedTargets({"forcesafesearch.google.com": 5.0}))
    monkeypatch.setattr("filterd.resolve.rewrite_targets.resolv_conf.servers", lambda *_: ())
    printed = str(verified_nightly(here))
    assert "hosts were not found" in printed
    assert printed.endswith("no upstream answers")
    kept = FILE.read(quiet.safe_search)
    assert kept is not None
    assert kept.targets["forcesafesearch.google.com"] == 5.0

# SPDX-License-Identifier: Apache-2.0
"""Every count that grows is tried at its far end: what fails or serves may do so for years.

A new count gets a row. Counts of native code, which Python cannot set, stand with their width in
``NATIVE``: they are compared for being equal or by their difference, or are taken within a day.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest

from filterd.accounts.sign_in_delays import LONGEST_S as LONGEST_DELAY_S
from filterd.accounts.sign_in_delays import _Failures
from filterd.base.errors import DeliveryError
from filterd.control import connection
from filterd.control.frames import MOST_ID
from filterd.daemon import shared_page
from filterd.daemon.serving.supervisor import _LONGEST_PAUSE_S, _pause_s
from filterd.daemon.shared_page import SharedOverrides, SharedPage
from filterd.fastpath.rate_limit import SourceTable, Treatment
from filterd.feed.schedule import LONGEST_S as LONGEST_WAIT_S
from filterd.feed.schedule import back_off_s
from filterd.monitor.alert_watch import LONGEST_PAUSE_S, Outbox
from filterd.overrides.history.snapshot import Exported
from filterd.policy.model import UpstreamServer
from filterd.policy.temporary_rules import Overrides
from filterd.texts.i18n import say
from filterd.upstream.server_group import ServerHealth
from tests.support.clock import FakeClock
from tests.support.commands import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

FAR = (1_023, 1_024, 1_025, 5_000, 2**31 - 1, 2**32, 2**53, 2**63, 2**64, 10**400)
"""Where floats, and numbers of 32, 53 and 64 bits end."""


def _alert(failures: int) -> float:
    def refuse(_: object) -> None:
        raise DeliveryError(say("the server is away"))

    clock = FakeClock()
    outbox = Outbox(clock)
    outbox._failures = failures
    outbox.send(refuse)
    return outbox._due_at - clock.monotonic()


def _sign_in(failures: int) -> float:
    kept = _Failures()
    kept.n = failures
    kept.add(1_000.0, 3)
    return kept.until - 1_000.0


PAUSES: dict[str, tuple[Callable[[int], float], float]] = {
    "restarts of a child": (_pause_s, _LONGEST_PAUSE_S),
    "runs of the feed": (lambda failures: back_off_s(failures, 0.5), LONGEST_WAIT_S),
    "messages of alerts": (_alert, LONGEST_PAUSE_S),
    "sign-ins": (_sign_in, LONGEST_DELAY_S),
}


@pytest.mark.parametrize("what", PAUSES)
@pytest.mark.parametrize("failures", FAR)
def test_a_pause_after_any_number_of_failures_is_the_longest(what: str, failures: int) -> None:
    pause_s, longest_s = PAUSES[what]
    assert pause_s(failures) == longest_s


def test_control_a_power_of_two_ends_soon() -> None:
    with pytest.raises(OverflowError):
        _ = 0.1 * 2.0**1_024
    with pytest.raises(OverflowError):
        _ = 60.0 * 2**1_024


@pytest.mark.parametrize("beats", [2**32 - 1, 2**63 - 1, 2**64 - 1])
def test_a_heart_beats_at_the_end_of_its_word(beats: int) -> None:
    """The supervisor looks whether it moves."""
    page = SharedPage()
    page._words[shared_page._FIRST_PROCESS] = beats
    page.beat(0)
    assert page.beats(0) != beats
    page.beat(0)
    assert page.beats(1) == 0


@pytest.mark.parametrize("epoch", [2**32 - 1, 2**53, 2**63])
def test_epochs_of_many_bits_are_told_apart(epoch: int) -> None:
    page = SharedPage()
    page._words[shared_page._PREPARED] = page._words[shared_page._EPOCH] = epoch
    following = page.next_epoch()
    assert (following, page.is_undecided) == (epoch + 1, True)
    page.epoch = following
    assert (page.epoch_word[0], page.is_undecided) == (epoch + 1, False)


@pytest.mark.parametrize("number", [2**32 - 1, 2**53, 2**63])
def test_the_newest_overrides_are_read_after_many(number: int) -> None:
    shared = SharedOverrides()
    shared.put(Exported(Overrides(number=1), "ab" * 32))
    slot = max((0, 1), key=shared._number) * shared._octets
    _, length = shared_page._HEAD.unpack_from(shared._memory, slot)
    shared_page._HEAD.pack_into(shared._memory, slot, number, length)
    for one in (2, 3, 4):
        shared.put(Exported(Overrides(number=one), "ab" * 32))
        held = shared.get()
        assert held is not None
        assert held.overrides.number == one


def test_numbers_of_requests_begin_anew_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "_ids", itertools.count(MOST_ID))
    assert [connection.new_request("status").id for _ in range(3)] == [MOST_ID, 0, 1]


@pytest.mark.parametrize("failures", FAR)
def test_a_server_that_has_failed_for_years_is_down_and_comes_back(failures: int) -> None:
    health = ServerHealth(UpstreamServer("192.0.2.1", 53))
    health.failures = failures
    health.failed(1_000.0, 1_001.0)
    assert health.down_until > 1_001.0
    health.answered(0.02, 1_002.0)
    assert (health.failures, health.down_since) == (0, None)


@pytest.mark.parametrize("now", [2.0**31 - 1, 2.0**32, 2.0**40])
def test_a_source_is_judged_after_a_century_without_a_restart(now: float) -> None:
    table = SourceTable(bytes(16), 10.0, 20.0, 1)
    address = bytes([192, 0, 2, 1])
    outcomes = [table.judge(address, 1, now + n / 100, lambda *_: True) for n in range(30)]
    assert outcomes[:20] == [Treatment.SERVE_LAST] * 20
    assert outcomes[25] == Treatment.HINT_RATE
    assert table.judge(address, 1, now + 60.0, lambda *_: True) == Treatment.SERVE_FIRST


NATIVE = {
    "fastpath/_core.pxd": {
        "uint32_t _turn": "the least recently used is by difference",
        "uint32_t _epoch": "equal or not, among what is freed within seconds",
        "uint32_t used_at": "as _turn",
        "uint32_t epoch": "as _epoch",
        "readonly uint32_t epoch": "as _epoch",
        "uint32_t hits": "taken with each sweep",
        "uint64_t n": "",
        "uint64_t* _uncelled": "",
        "uint64_t _emptied": "",
    },
    "fastpath/_rate_limit.pxd": {"uint64_t high, low, asked": ""},
    "resolve/_cache.pyx": {"public long long hits, misses": ""},
    "resolve/_cache_entries.pxd": {"uint32_t hits": "ends at its largest (add_hits)"},
    "upstream/_pool.pyx": {"int64_t _tick": ""},
}


def test_counts_of_native_code_have_the_width_that_was_looked_at() -> None:
    for name, counts in NATIVE.items():
        text = (ROOT / "filterd" / name).read_text(encoding="utf-8")
        for count in counts:
            assert re.search(rf"\b{re.escape(count)}\b", text), (name, count)

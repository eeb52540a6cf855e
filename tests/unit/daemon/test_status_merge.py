# SPDX-License-Identifier: Apache-2.0
"""The status of several workers becomes one."""

from __future__ import annotations

from filterd.daemon.status_merge import summed, upstreams_of


def test_numbers_add_up_at_every_depth() -> None:
    told = [
        {"answers": {"blocked": 3}, "in_flight": 1, "cache": {"hits": 5}},
        {"answers": {"blocked": 4, "cached": 1}, "in_flight": 2, "cache": {"hits": 6}},
    ]
    expected = {"answers": {"blocked": 7, "cached": 1}, "in_flight": 3, "cache": {"hits": 11}}
    assert summed(told) == expected


def test_what_is_no_number_is_left_out() -> None:
    assert summed([{"a": 1, "b": "text", "c": [1]}]) == {"a": 1}


def test_nobody_tells_nothing() -> None:
    assert summed([]) == {}
    assert upstreams_of([]) == []


def _view(rtt_ms: float | None, *, down: bool, problem: str = "") -> dict[str, object]:
    upstream = {"address": "192.0.2.1", "rtt_ms": rtt_ms, "down": down, "problem": problem}
    return {"upstreams": [upstream]}


def test_an_upstream_is_down_when_it_is_down_for_all() -> None:
    joined = upstreams_of([_view(None, down=True), _view(12.5, down=False)])
    assert joined == _view(12.5, down=False)["upstreams"]
    assert upstreams_of([_view(None, down=True), _view(None, down=True)])[0]["down"]


def test_what_is_wrong_with_an_upstream_is_told_whoever_has_met_it() -> None:
    views = [_view(None, down=False), _view(None, down=False, problem="it has expired")]
    assert upstreams_of(views)[0]["problem"] == "it has expired"

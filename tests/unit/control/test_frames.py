# SPDX-License-Identifier: Apache-2.0
"""Frames come back as they were written, and any octets make a request or one refusal.

What each bound keeps out is shown through real sockets: ``daemon/test_control_server.py`` and
``test_connection.py``.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import ControlError
from filterd.control import frames
from filterd.control.frames import (
    ControlRequest,
    dump_answer,
    dump_request,
    read_answer,
    read_request,
)

REQUEST = ControlRequest("check", {"qname": "00", "act_for": "x"}, 7, 3, "a token")
PARTS = ("version", "id", "stream", "act_for", "address", "ask", "arguments", "command")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def test_a_request_comes_back() -> None:
    of_a_person = REQUEST._replace(address="fe80::1%eth0")
    for request in (REQUEST, of_a_person):
        assert read_request(dump_request(request)) == request


def test_the_largest_of_each_part_comes_back() -> None:
    largest = ControlRequest("x" * 40, {}, frames.MOST_ID, frames.MOST_STREAMS - 1, "t" * 256)
    largest = largest._replace(address="a" * 64)
    assert read_request(dump_request(largest)) == largest


def test_an_answer_comes_back_with_its_end_mark() -> None:
    for is_end in (True, False):
        found = read_answer(dump_answer(REQUEST, {"ok": True, "result": 1}, is_end=is_end), REQUEST)
        assert (found[0]["result"], found[1]) == (1, is_end)


def test_an_error_is_the_last_frame_whatever_it_contains() -> None:
    assert read_answer(dump_answer(REQUEST, {"ok": False}, is_end=False), REQUEST)[1]


@given(st.binary(max_size=200))
def test_any_octets_are_a_request_or_refused(octets: bytes) -> None:
    with pytest.raises(ControlError):
        read_request(octets)


@given(st.dictionaries(st.sampled_from(PARTS), VALUES))
def test_any_frame_is_within_every_bound_or_refused(frame: dict[str, object]) -> None:
    try:
        request = read_request(json.dumps(frame).encode())
    except ControlError:
        return
    assert len(request.command) <= 40
    assert isinstance(request.arguments, dict)
    assert request.id is not None
    assert 0 <= request.id <= frames.MOST_ID
    assert 0 <= request.stream < frames.MOST_STREAMS
    assert len(request.act_for) <= frames.LONGEST_TOKEN
    assert len(request.address) <= 64


def test_an_answer_that_no_client_would_read_whole_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frames, "LARGEST_ANSWER_OCTETS", 1_000)
    for n in (800, 1_000):
        line = dump_answer(REQUEST, {"ok": True, "result": "x" * n})
        assert len(line) <= 1_000
        answer = json.loads(line)
        assert answer["ok"] is (n == 800)
        assert answer["id"] == REQUEST.id
    assert "the answer is too large (1\u202f0" in answer["error"]

# SPDX-License-Identifier: Apache-2.0
"""Questions of a stub to a real server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from filterd.appliance import stub_query
from filterd.appliance.stub_query import addresses_in, ask

if TYPE_CHECKING:
    from tests.support.upstream import FakeUpstream


def test_an_answer_has_its_addresses(upstream: FakeUpstream) -> None:
    answer = asyncio.run(ask("127.0.0.1", upstream.port, "www.example.com", source="127.0.0.2"))
    assert addresses_in(answer) == {bytes((192, 0, 2, 1))}


def test_a_lost_question_is_repeated(
    upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stub_query, "AGAIN_AFTER_S", 0.05)
    known, lost = upstream.records, []

    def once_silent(query: object) -> object:
        lost.append(query)
        if len(lost) == 1:
            return None
        upstream.respond = None
        return upstream._from_records(query, "www.example.com")  # type: ignore[arg-type]

    assert known
    upstream.respond = once_silent  # type: ignore[assignment]
    answer = asyncio.run(ask("127.0.0.1", upstream.port, "www.example.com"))
    assert addresses_in(answer)
    assert len(lost) == 2


def test_a_source_that_is_not_of_this_machine_is_an_error(upstream: FakeUpstream) -> None:
    with pytest.raises(OSError, match="assign"):
        asyncio.run(ask("127.0.0.1", upstream.port, "www.example.com", source="192.0.2.77"))

# SPDX-License-Identifier: Apache-2.0
"""Questions leave nothing to the garbage collector, which runs rarely.

Objects that only the collector can free would pile up between its runs, and each run
delays clients. So the objects of every question must be freed with the last reference,
without cycles, also after an error.
"""

from __future__ import annotations

import gc
import types
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import pytest

from filterd.fastpath import coroutine_runner
from filterd.resolve.query import Source
from filterd.upstream import exchange
from tests.support.answers import an_answer
from tests.support.serving import Serving, a_site
from tests.support.wire import a_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.lists.index import Index
    from tests.support.upstream import FakeUpstream

QUESTIONS = 30
"""Of each kind, each for a name of its own."""

KINDS = {
    "new.example.com": Source.FORWARDED,
    "alias.example.com": Source.BLOCKED,
    "servfail.example.com": Source.FAILED,
    "silent.example.com": Source.FAILED,
    "porn.example": Source.BLOCKED,
    "local": Source.LOCAL,
}
"""Names, and what becomes of a question for one beneath."""


def respond(query: dns.message.Message) -> dns.message.Message | None:
    """Answer by the name."""
    name = query.question[0].name.to_text()
    if ".silent." in name:
        return None
    response = an_answer(query, *([f"{name} 60 IN CNAME a.porn.example."] * (".alias." in name)))
    if ".servfail." in name:
        response.set_rcode(dns.rcode.SERVFAIL)
    return response


@pytest.fixture(autouse=True)
def _collector() -> Iterator[None]:
    gc.freeze()  # what other tests of this process have made is not looked through
    gc.disable()
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


def left_by(serving: Serving, name: str, by: str) -> list[object]:
    """Ask, and return what of filterd's only the collector could free."""
    ask(serving, "warm", name, by)
    gc.collect()
    gc.set_debug(gc.DEBUG_SAVEALL)
    ask(serving, "pc", name, by)
    serving.run(gc.collect)
    gc.set_debug(0)
    return [one for one in gc.garbage if _is_filterd_s(one)]


def ask(serving: Serving, host: str, name: str, by: str) -> None:
    """Ask many names, each twice, and take the answers."""
    for number in range(QUESTIONS):
        message = a_query(f"{host}{number}.{name}")
        with serving.tcp_stub() if by == "tcp" else serving.stub() as stub:
            for _ in range(2):
                stub.ask(message)


def _is_filterd_s(one: object) -> bool:
    if isinstance(one, types.FrameType):
        return "/filterd/" in one.f_code.co_filename
    module = one.__module__ if isinstance(one, types.FunctionType) else type(one).__module__
    return module.startswith("filterd")


@pytest.fixture
def asked(index: Index, upstream: FakeUpstream) -> Iterator[Serving]:
    upstream.respond = respond
    with Serving(a_site(index, [upstream]), fast=True) as serving:
        yield serving


@pytest.mark.parametrize("by", ["udp", "tcp"])
@pytest.mark.parametrize("name", KINDS)
def test_no_question_leaves_a_cycle(
    asked: Serving, monkeypatch: pytest.MonkeyPatch, name: str, by: str
) -> None:
    if KINDS[name] is Source.FAILED:
        monkeypatch.setattr(exchange, "DEADLINE_S", 0.02)
    left = left_by(asked, name, by)
    if asked.fast is not None:
        asked.run(asked.fast.settle)
    assert asked.resolver.counters[KINDS[name].value] >= QUESTIONS
    assert len(left) < QUESTIONS, left[:20]


def test_control_a_cycle_for_each_question_is_noticed(
    asked: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waits(waiting: coroutine_runner._Waiting[bytes], awaited: object) -> None:
        done = waiting._done
        waiting._done = lambda reply: done(reply) if waiting else None
        original(waiting, awaited)

    original = coroutine_runner._Waiting.wait_for
    monkeypatch.setattr(coroutine_runner._Waiting, "wait_for", waits)
    monkeypatch.setattr(asked.udp[0], "_relay", None)  # where no coroutine waits
    assert len(left_by(asked, "new.example.com", "udp")) >= QUESTIONS

# SPDX-License-Identifier: Apache-2.0
"""Both codecs on the same messages: equal values, octets, costs and error offsets.

``FILTERD_FUZZ_MESSAGES`` is the number of mutants (2,000 unless set).
"""

from __future__ import annotations

import os
import random
from struct import pack
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import WireError
from filterd.fastpath.core_contract import ASKED_DO, ASKED_OPT
from filterd.wire import (
    Question,
    RebuiltSections,
    RRType,
    _codec_py,
    address_of,
    soa_minimum,
    svcb_parts,
    target_of,
)
from filterd.wire import codec as live
from tests.support import malformed, plain_questions
from tests.support.cost_bombs import QUERIES, RESPONSES
from tests.support.dns_messages import MESSAGES
from tests.support.packets import captured_packets, mutate
from tests.support.plain_questions import NO_OPS
from tests.support.wire import a_message, a_query, a_response

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("needs_native")

MUTANTS = int(os.environ.get("FILTERD_FUZZ_MESSAGES", "2000"))
SEED = int(os.environ.get("FILTERD_FUZZ_SEED", "1"))
BOMBS = QUERIES | RESPONSES
SEEDS = [
    a_query(do=True),
    a_response(a_query(), "example.com 300 CNAME a.example.com", "a.example.com 60 A 198.18.0.1"),
    a_response(a_query(qtype="HTTPS"), "example.com 300 HTTPS 1 . ipv4hint=198.18.0.1 alpn=h2"),
    a_response(a_query(), authority=["example.com 60 SOA a. b. 1 2 3 4 5"], rcode="NXDOMAIN"),
    a_response(a_query(qtype="MX"), "example.com 60 MX 1 mx.example.com", tc=True),
    *(message for message, _ in (malformed.QUERIES | malformed.RESPONSES).values()),
    *(message for message in BOMBS.values() if len(message) < 2500),
]
READERS: dict[int, Callable[..., object]] = {
    RRType.A: address_of,
    RRType.CNAME: target_of,
    RRType.SOA: soa_minimum,
    RRType.HTTPS: svcb_parts,
}
PLAIN = a_query()
WAYS_TO_SEND: list[dict[str, Any]] = [
    {},
    {"age_s": 100},
    {"cap_ttl_s": 10, "ad": True},
    {"set_ttl_s": 30, "floor_ttl_s": 5},
    {"cap_ttl_s": -5},
    {"set_ttl_s": -5},
    {"set_ttl_s": 2**32},
    {"age_s": -(2**33)},
]


def attempt(work: Callable[..., object], *args: object, **named: object) -> object:
    """Return what comes of it; for a malformed message, which error and where."""
    try:
        return work(*args, **named)
    except WireError as error:
        return type(error), error.offset


def everything(twin: Any, message: bytes) -> list[object]:
    """Do with a message all that a codec does."""
    results = [attempt(twin.parse_query, message)]
    response: Any = attempt(twin.parse_response, message)
    if isinstance(response, tuple):
        return [*results, response]
    results += [response.header, response.question, response.records, response.edns]
    results += [response.rcode, max(response.steps_left, -1)]
    for record in response.records:
        if record.rtype in READERS:
            results.append(attempt(READERS[record.rtype], response, record))
    results += written(twin, response)
    return [*results, max(response.steps_left, -1)]


def written(twin: Any, response: Any) -> list[object]:
    """Rebuild all of a response, some of it, and all of it behind an alias; send it."""
    records = response.records
    sections: Any = attempt(twin.rebuild, response, records)
    changed = dict.fromkeys(records[::4], b"changed")
    results = [sections, attempt(twin.rebuild, response, records[::-2], changed=changed)]
    if response.question is None:
        return results
    alias = Question.of(b"\5alias\0", 1)
    results.append(attempt(twin.rebuild_behind_alias, response, records, alias, 77))
    if isinstance(sections, RebuiltSections):
        results += sent(twin, response, sections)
    return results


def sent(twin: Any, response: Any, sections: Any) -> list[object]:
    """Send what was rebuilt to askers with and without OPT, and read it again."""
    query = _codec_py.parse_query(a_message(response.question.wire))
    asked = _codec_py.parse_query(a_query(do=True))._replace(question=query.question)
    replies = [
        twin.assemble(one, sections, response.rcode, **ways)
        for one in (query, asked)
        for ways in WAYS_TO_SEND
    ]
    return [*replies, twin.read_back(sections, response.question).records]


def agree(message: bytes) -> None:
    assert everything(live, message) == everything(_codec_py, message), message.hex()


@pytest.mark.parametrize("name", BOMBS)
def test_twins_judge_a_dear_message_alike(name: str) -> None:
    agree(BOMBS[name])


@given(MESSAGES)
def test_twins_read_and_write_honest_messages_alike(message: bytes) -> None:
    agree(message)


@given(st.binary(max_size=300), st.integers(0, 2), st.integers(0, 2), st.integers(0, 2))
def test_twins_judge_any_octets_alike(octets: bytes, answers: int, soa: int, extra: int) -> None:
    agree(octets)
    agree(a_message(octets, ancount=answers, nscount=soa, arcount=extra))


def test_twins_judge_mutants_alike() -> None:
    rng = random.Random(SEED)
    for _ in range(MUTANTS):
        agree(mutate(rng.choice(SEEDS), rng))


def test_twins_judge_captured_messages_and_their_mutants_alike() -> None:
    rng, packets = random.Random(SEED), captured_packets()
    for packet in packets:
        agree(packet.message)
    for _ in range(MUTANTS):
        agree(mutate(rng.choice(packets).message, rng))


@pytest.mark.parametrize("size", [65_535, 65_536])
def test_twins_take_no_message_longer_than_tcp_carries(size: int) -> None:
    agree(a_message(bytes(size - 12), flags=0x8380, qdcount=0))


def test_the_native_writer_refuses_a_record_of_another_message() -> None:
    response = live.parse_response(SEEDS[1])
    record = response.records[0]._replace(rdata_offset=60_000)
    with pytest.raises(ValueError, match="another message"):
        live.rebuild(response, [record])


def test_the_native_writer_refuses_a_record_longer_than_any_message() -> None:
    response = live.parse_response(SEEDS[1])
    record = response.records[1]._replace(rdlength=2**32 - 40)  # wraps around to within it
    with pytest.raises(ValueError, match="another message"):
        live.rebuild(response, [record])


def test_twins_write_alike_what_is_changed_record_by_record() -> None:
    class Made(dict[Any, bytes]):
        """Keeps nothing that it returns."""

        def get(self, record: Any, _default: object = None) -> bytes:
            return bytes([record.rtype]) * 40

    written = [
        twin.rebuild(response, response.records, changed=Made.fromkeys(response.records, b""))
        for twin in (live, _codec_py)
        for response in [twin.parse_response(SEEDS[1])]
    ]
    assert written[0] == written[1]
    assert bytes([5]) * 40 in written[0].body


def test_twins_write_as_many_records_as_come_and_not_as_many_as_are_said_to_come() -> None:
    class Longer(list[Any]):
        def __len__(self) -> int:
            return 1

        def __iter__(self) -> Any:
            return iter([one for one in super().__iter__() for _ in range(2_000)])

    written = [
        twin.rebuild(response, Longer(response.records[1:]))
        for twin in (live, _codec_py)
        for response in [twin.parse_response(SEEDS[1])]
    ]
    assert written[0] == written[1]
    assert written[0].ancount == 2_000


def test_a_native_response_is_made_of_a_message_or_not_at_all() -> None:
    with pytest.raises(TypeError, match="parse_response"):
        live.ParsedResponse()  # type: ignore[call-arg]


def test_the_native_assembler_refuses_a_ttl_outside_the_body() -> None:
    response = live.parse_response(SEEDS[1])
    sections = live.rebuild(response, response.records)
    beyond = sections._replace(ttl_offsets=(len(sections.body) - 3,), ttls=(1,))
    with pytest.raises(ValueError, match="outside the body"):
        live.assemble(live.parse_query(PLAIN), beyond, 0)


@pytest.mark.parametrize("beyond", [1, 2, 100])
def test_the_native_assembler_reads_no_question_behind_its_message(beyond: int) -> None:
    sections = RebuiltSections(b"", 0, 0, 0, (), (), len(PLAIN) + beyond - 12)
    with pytest.raises(ValueError, match="behind the end"):
        live.assemble_for(PLAIN, len(PLAIN) + beyond, True, False, sections, 0)


labels = st.binary(min_size=1, max_size=63)
options = st.lists(st.tuples(st.sampled_from(NO_OPS), st.binary(max_size=40)), max_size=4)


@st.composite
def ordinary_queries(draw: st.DrawFn) -> bytes:
    """Draw what the fast path reads itself, and some that it just does not."""
    name = b"".join(bytes([len(one)]) + one for one in draw(st.lists(labels, max_size=3)))
    question = name + b"\0" + pack("!HH", draw(st.integers(0, 300)), 1)
    flags = draw(st.sampled_from([0, 0x100, 0x120, 0x110, 0x130, 0x20, 0x8000, 0x40]))
    opt = b""
    if draw(st.booleans()):
        rdata = b"".join(pack("!HH", code, len(of)) + of for code, of in draw(options))
        size, do = draw(st.integers(0, 0xFFFF)), draw(st.sampled_from([0, 0x8000]))
        opt = b"\0" + pack("!HHIH", 41, size, do, len(rdata)) + rdata
    message_id = draw(st.integers(0, 0xFFFF))
    return a_message(question + opt, flags=flags, arcount=bool(opt), message_id=message_id)


@st.composite
def kept_sections(draw: st.DrawFn) -> RebuiltSections:
    """Draw sections of any octets, behind a question that is still to be named."""
    body = draw(st.binary(min_size=4, max_size=80))
    places = draw(st.lists(st.integers(0, len(body) - 4), max_size=4))
    ttls = [draw(st.integers(0, 2**31 - 1)) for _ in places]
    answers, authorities, extra = draw(st.tuples(*[st.integers(0, 9)] * 3))
    return RebuiltSections(body, answers, authorities, extra, tuple(places), tuple(ttls), 0)


@pytest.mark.parametrize("twin", [live, _codec_py], ids=["native", "pure"])
@given(
    message=st.one_of(ordinary_queries(), st.sampled_from(SEEDS)),
    sections=kept_sections(),
    rcode=st.sampled_from([0, 2, 3, 16, 4095]),
    age_s=st.integers(-10, 2**33),
    cap_ttl_s=st.one_of(st.none(), st.integers(-10, 2**33)),
    authentic=st.booleans(),
)
def test_octets_that_the_fast_path_reads_get_what_their_query_gets(
    twin: Any,
    message: bytes,
    sections: RebuiltSections,
    rcode: int,
    age_s: int,
    cap_ttl_s: int | None,
    authentic: bool,
) -> None:
    asked = plain_questions.read(message)
    if asked is None:
        return
    sections = sections._replace(question_octets=asked.end - 12)
    times: dict[str, Any] = {"age_s": age_s, "cap_ttl_s": cap_ttl_s}
    edns, do = bool(asked.flags & ASKED_OPT), bool(asked.flags & ASKED_DO)
    about = (message, asked.end, edns, do, sections, rcode)
    expected = _codec_py.assemble(
        _codec_py.parse_query(message), sections, rcode, **times, ad=authentic
    )
    assert twin.assemble_for(*about, **times, authentic=authentic) == expected


def test_the_native_writer_writes_what_the_pure_parser_has_read() -> None:
    response = _codec_py.parse_response(SEEDS[1])
    expected = _codec_py.rebuild(response, response.records)
    assert live.rebuild(response, response.records) == expected

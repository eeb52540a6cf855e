# SPDX-License-Identifier: Apache-2.0
"""What the native core does with what it is given: questions, answers to keep, passing time.

tests/e2e compares its answers with those of the chain.
"""

from __future__ import annotations

import re
from array import array
from itertools import islice
from math import ceil, inf, nan
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filterd.base.native import live_only
from filterd.fastpath.core_contract import (
    BLOCK,
    COMPLEX,
    ENTRIES,
    MOST_COUNTED,
    MOST_DEVICES,
    MOST_OPENINGS,
    MOST_ROWS,
    OPEN,
    SWEEPS,
    Cell,
    flags_of,
)
from filterd.lists.lookalikes import may_match
from filterd.resolve.site import EpochGuard
from filterd.wire import parse_query, parse_response
from tests.support import plain_questions
from tests.support.fast_cores import (
    CLIENT,
    INTERFACE,
    NOW,
    OPENINGS,
    OTHER_CLIENT,
    STRANGER,
    TEMPLATE,
    WALL,
    a_core,
    fill_it,
)
from tests.support.policies import an_index, wire
from tests.support.wire import OPT, QUESTION, a_message, a_query, a_response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from filterd.lists.index import Index
    from tests.support.policies import ListTexts

    Cells = dict[tuple[int, int], tuple[int, ...]]

native: Any = live_only("filterd.fastpath._core")
pytestmark = pytest.mark.usefixtures("needs_native")
MOST_GROUPS, MOST_OCTETS = 1_024, 4 * 1024 * 1024

NAMES = ("porn.example", "x.PORN.example", "a.b.malware.example", "social.example", "other.test")
TOUCHED = {"pinned.porn.example": 1, "porn.example": 2, "malware.example": 2}

plain = st.builds(
    a_query,
    st.sampled_from((*NAMES, "pinned.porn.example", "wpad.porn.example", "example")),
    st.sampled_from(("A", "AAAA", "HTTPS", "ANY", "AXFR", "TYPE0")),
    edns=st.booleans(),
    udp_size=st.sampled_from((0, 512, 600, 1232, 4096)),
    do=st.booleans(),
    rd=st.booleans(),
    cd=st.booleans(),
    ad=st.booleans(),
)
spoilt = st.tuples(plain, st.integers(0, 70), st.integers(0, 255)).map(
    lambda one: bytes(one[2] if index == one[1] else octet for index, octet in enumerate(one[0]))
)
messages = st.one_of(
    plain,
    spoilt,
    st.binary(max_size=200),
    st.binary(max_size=24).map(
        lambda tail: a_message(QUESTION + OPT[:-2] + len(tail).to_bytes(2) + tail, arcount=1)
    ),
    st.tuples(plain, st.binary(max_size=3)).map(lambda one: one[0] + one[1]),
    st.integers(120, 128).map(
        lambda labels: a_message(b"\1a" * labels + b"\0" + QUESTION[-4:], arcount=0)
    ),
)


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Index:
    shapes = ["i9bet#", "#rnwin#", "debet", "a" * 38 + "#", "@@88", "w%%%%%"]
    return an_index(tmp_path_factory.mktemp("alike"), {}, lookalikes={"porn": shapes})


@settings(max_examples=1_500)
@given(message=messages)
def test_a_question_is_read_as_by_the_wire_s_own_parser(message: bytes) -> None:
    assert native.read(message) == plain_questions.read(message)


labels = st.sampled_from(
    (b"a", b"www", b"pinned", b"porn", b"malware", b"social", b"example", b"wpad", b"x" * 63)
)
names = st.one_of(st.lists(labels, max_size=4), st.lists(labels, min_size=20, max_size=30))
canonical = names.map(lambda some: b"".join(bytes((len(one),)) + one for one in some) + b"\0")
targets = st.one_of(
    canonical.filter(lambda name: len(name) <= 255),
    st.sampled_from(tuple(wire(name.lower()) for name in NAMES)),
)
"""Of up to 24 labels, which are looked up here, and of some more."""
cells = st.fixed_dictionaries(
    {
        (row, set_id): st.one_of(
            st.sampled_from((0, 1, MOST_OPENINGS - 1)).map(lambda one: Cell(OPEN, template=one)),
            st.sampled_from((0, 4, 255)).map(lambda rank: Cell(BLOCK, rank, 0, 3)),
            st.just(Cell(COMPLEX)),
        )
        for row in (0, 1)
        for set_id in range(3)
    }
)


@settings(max_examples=400)
@given(name=targets, known=cells)
def test_a_target_is_let_through_as_its_name_is_open_to_be_asked(
    index: Index, name: bytes, known: Cells
) -> None:
    """What an answer leads to is judged by the very tables that judge questions."""
    query = a_message(name + QUESTION[-4:])
    core = a_core(index, known, TOUCHED)
    for number, client in enumerate((CLIENT, OTHER_CLIENT)):
        core.answer(query, client, INTERFACE)
        assert core.lets_through(name, number) is (core.opening >= 0)


@pytest.mark.parametrize(
    ("name", "opening"),
    [
        ("other.test", OPENINGS[0]),
        ("a.porn.example", 5),
        ("porn.example", None),
        ("pinned.porn.example", None),
        ("malware.example", None),
        ("social.example", None),
    ],
)
def test_a_name_without_a_rule_against_it_is_open(
    index: Index, name: str, opening: int | None
) -> None:
    """Of touched names beneath which something is said, and of sets that block or are complex."""
    sets = [index.lookup(wire(f"{one}.example"))[0].set_id for one in ("porn", "malware", "social")]
    known: Cells = {(0, sets[0]): Cell(OPEN, template=5), (0, sets[2]): Cell(COMPLEX)}
    core = a_core(index, known, TOUCHED)
    core.answer(a_query(name), CLIENT, INTERFACE)
    assert core.opening == (-1 if opening is None else opening)
    assert core.lets_through(wire(name), 0) is (opening is not None)
    core.answer(a_query("other.test"), STRANGER, INTERFACE)
    assert (core.client_group, core.opening) == (-1, -1)


def test_a_table_that_is_emptied_while_a_cell_is_filled_keeps_nothing_of_before(
    index: Index,
) -> None:
    """A row that is made anew meanwhile often has the address of the row before."""
    name = wire("porn.example")
    core = a_core(index)
    fillings = [0]

    def fill(_row: int, _set_id: int) -> Cell:
        fillings[0] += 1
        core.table.forget()
        fill_it(core, index, {(0, set_id): Cell(OPEN, template=5) for set_id in range(9)})
        assert core.lets_through(name, 0)
        return Cell(BLOCK, 4, 0, 1)

    core.table.forget()
    core.table.load(index.matcher, {}, [], len(index.sets), fill)
    core.table.add_template(*TEMPLATE)
    with pytest.raises(RuntimeError, match="was emptied while"):
        core.lets_through(name, 0)
    assert fillings == [1]
    assert core.lets_through(name, 0)


def test_an_opening_is_that_of_the_longest_name(tmp_path: Path) -> None:
    lists: ListTexts = {
        "ads": ("ads-trackers", "domains", False, ["banner.social.example"]),
        "social": ("social-media", "domains", False, ["social.example"]),
    }
    index = an_index(tmp_path, lists)
    hits = index.lookup(wire("banner.social.example"))
    openings: Cells = {
        (0, hit.set_id): Cell(OPEN, template=number) for number, hit in enumerate(hits, 1)
    }
    core = a_core(index, openings)
    core.answer(a_query("a.banner.social.example"), CLIENT, INTERFACE)
    assert core.opening == 1
    core.answer(a_query("b.social.example"), CLIENT, INTERFACE)
    assert core.opening == 2


def test_there_is_room_for_so_many_classes_and_openings() -> None:
    core = native.Core(bytes(range(16)))
    assert core.add_group(MOST_ROWS) == core.add_group(0, MOST_OPENINGS) == -1
    assert core.add_group(-1) == core.add_group(0, -1) == -1
    numbers = [core.add_group(0, MOST_OPENINGS - 1) for _ in range(MOST_GROUPS + 1)]
    assert numbers == [*range(MOST_GROUPS), -1]


def of_many_devices(core: Any, group: int, devices: int, times: int = 2) -> None:
    for number in range(devices):
        address = b"\x0a\x00" + number.to_bytes(2)
        core.learn(address, INTERFACE, group, NOW + 60, number + 1)
        for _ in range(times):
            assert core.answer(a_query("porn.example"), address, INTERFACE)


@pytest.mark.parametrize("devices", [1, MOST_DEVICES - 1, MOST_DEVICES, 3 * MOST_DEVICES])
def test_devices_are_counted_once_each_up_to_a_bound(index: Index, devices: int) -> None:
    core = a_core(index)
    of_many_devices(core, 0, devices)
    seen = tuple(range(1, devices + 1))[:MOST_DEVICES]
    assert core.take_counts() == [(0, 1, 2 * devices, seen)]
    assert core.take_counts() == []
    of_many_devices(core, 0, 1)
    assert core.take_counts() == [(0, 1, 2, (1,))]  # of the ones before nothing is left


def test_what_has_no_cell_is_counted_without_its_group(index: Index) -> None:
    names = ("porn.example", "malware.example", "social.example")
    core = a_core(index, {(0, set_id): Cell(BLOCK, 4, 0, set_id) for set_id in range(3)})
    groups = [core.add_group(0) for _ in range(MOST_GROUPS - 2)]
    for group in groups:
        core.learn(CLIENT, INTERFACE, group, NOW + 60, 1)
        for name in names:
            assert core.answer(a_query(name), CLIENT, INTERFACE)
    counts = core.take_counts()
    assert sum(n for _, _, n, _ in counts) == len(names) * len(groups)
    assert {group for group, *_ in counts} == {*groups, -1}
    assert sum(group >= 0 for group, *_ in counts) <= MOST_COUNTED


def test_another_epoch_begins_whenever_everything_is_forgotten() -> None:
    core = native.Core(bytes(range(16)))
    epochs = [core.epoch]
    for _ in range(3):
        core.forget()
        epochs.append(core.epoch)
    assert len(set(epochs)) == 4


class InForce:
    """A site and its surroundings, and the record that it is in force, all in one."""

    def __init__(self) -> None:
        self.site: Any = SimpleNamespace(surroundings=SimpleNamespace(version=1))
        self.words = array("Q", [7, 8])
        self.wall = 1_000_000.0
        self.since = self.wall - 100
        self.lead = array("d", [0.0])

    def hold(self, core: Any) -> None:
        """Give a core what it is made of."""
        standing = EpochGuard(memoryview(self.words)[1:2], 8, self.since, self.since + 200)
        core.hold(self.site, standing, 1, 10.0, self.wall, self.unix_time, memoryview(self.lead))

    def unix_time(self) -> float:
        """Return Unix time, which is not asked for while the lead gives it."""
        assert not self.lead[0]
        return self.wall

    def holds(self, change: Callable[[InForce, Any], None], now: float = 10.0) -> bool:
        """Return whether what a core was made of still holds after a change."""
        core = native.Core(bytes(range(16)))
        self.hold(core)
        assert core.holds(10.0)
        assert core.site is self.site
        change(self, core)
        held: bool = core.holds(now)
        return held


def something_else_in_force(world: InForce, _: Any) -> None:
    world.words[1] += 1


def other_surroundings(world: InForce, _: Any) -> None:
    world.site.surroundings.version += 1


def a_clock_set_forwards(world: InForce, _: Any) -> None:
    world.wall += 0.6


def a_clock_set_back(world: InForce, _: Any) -> None:
    world.wall -= 0.001


def no_version_known(world: InForce, _: Any) -> None:
    del world.site.surroundings.version


def all_forgotten(_: InForce, core: Any) -> None:
    core.forget()
    assert core.site is None


@pytest.mark.parametrize(
    "change",
    [
        something_else_in_force,
        other_surroundings,
        a_clock_set_forwards,
        a_clock_set_back,
        no_version_known,
        all_forgotten,
    ],
)
def test_what_it_was_made_of_holds_until_anything_of_it_is_another(
    change: Callable[[InForce, Any], None],
) -> None:
    assert not InForce().holds(change)


@pytest.mark.parametrize(("after_s", "holds"), [(99.9, True), (100.0, False)])
def test_what_it_was_made_of_holds_until_its_end_while_both_clocks_go_on(
    after_s: float, holds: bool
) -> None:
    def later(world: InForce, _: Any) -> None:
        world.words[0] += 1  # another's word
        world.wall += after_s

    assert InForce().holds(later, now=10.0 + after_s) is holds
    assert not native.Core(bytes(16)).holds(10.0)


class Led(InForce):
    """One whose Unix time follows from its lead over monotonic time."""

    def __init__(self) -> None:
        super().__init__()
        self.lead[0] = self.wall - 10.0


@pytest.mark.parametrize(
    ("by_s", "passed_s", "holds"),
    [
        (0.0, 0.0, True),
        (0.0, 99.5, True),
        (0.0, 100.0, False),
        (0.4, 0.0, True),
        (0.4, 99.5, True),
        (0.4, 99.6, False),
        (0.6, 0.0, False),
        (-0.001, 0.0, False),
        (-0.001, 1.0, True),
        (-0.6, 1.0, False),
        (-(2.0**40), 1.0, False),
        (nan, 1.0, False),
        (inf, 1.0, False),
        (-inf, 1.0, False),
    ],
)
def test_what_it_was_made_of_holds_no_longer_once_policy_time_jumps(
    by_s: float, passed_s: float, holds: bool
) -> None:
    def jump(world: InForce, _: Any) -> None:
        world.lead[0] += by_s

    assert Led().holds(jump, now=10.0 + passed_s) is holds


@pytest.mark.parametrize(("by_s", "holds"), [(0.0, True), (0.4, True), (0.6, False)])
def test_the_clock_is_asked_again_once_its_lead_is_not_known(by_s: float, holds: bool) -> None:
    def left(world: InForce, _: Any) -> None:
        world.lead[0] = 0.0
        world.wall += by_s

    def kept(world: InForce, _: Any) -> None:
        world.lead[0] = world.wall - 10.0 + by_s

    assert Led().holds(left) is holds
    assert InForce().holds(kept) is holds


def test_what_policy_time_leads_by_is_one_word() -> None:
    core, world = native.Core(bytes(16)), Led()
    standing = EpochGuard(memoryview(world.words)[1:2], 8, -inf, inf)
    about = (world.site, standing, 1, 10.0, world.wall, world.unix_time)
    for none in (None, array("d"), array("d", [1.0, 2.0]), array("f", [1.0])):
        with pytest.raises((TypeError, ValueError)):
            core.hold(*about, none)
        assert not core.holds(10.0)


def test_what_is_in_force_from_later_on_only_does_not_hold() -> None:
    core, world = native.Core(bytes(16)), InForce()
    world.since = world.wall + 0.1
    world.hold(core)
    assert not core.holds(10.0)
    world.wall += 0.1
    assert core.holds(10.1)


def test_a_clock_set_back_at_once_is_noticed() -> None:
    core, world = native.Core(bytes(16)), InForce()
    world.hold(core)
    world.wall -= 0.001
    assert not core.holds(10.0)


def test_what_holds_is_answered_as_of_now() -> None:
    core, world = native.Core(bytes(16)), InForce()
    core.learn(b"\x7f\0\0\1", 1, core.add_group(0), 30.0)
    world.hold(core)
    known = []
    for now in (20.0, 40.0):
        world.wall = 1_000_000.0 - 10.0 + now
        assert core.holds(now)
        known.append(core.group_of(b"\x7f\0\0\1", 1))
    assert known == [0, -1]


def test_the_words_that_are_looked_at_are_kept_until_they_are_let_go() -> None:
    core, world = native.Core(bytes(16)), InForce()
    words: tuple[array[Any], ...] = world.words, world.lead
    world.hold(core)
    for word in words:
        with pytest.raises(BufferError):
            word.append(9)  # it would move
    core.forget()
    for word in words:
        word.append(9)
        word.pop()
    world.hold(core)
    del core
    for word in words:
        word.append(10)


def test_nothing_is_let_through_until_a_policy_is_held(index: Index) -> None:
    core = a_core(index)
    assert core.lets_through(wire("other.test"), 0)
    core.forget()
    assert not core.lets_through(wire("other.test"), 0)
    core.add_group(0)
    assert not core.lets_through(wire("other.test"), 0)


looks = st.one_of(
    st.text("i9betolrnvmw01-_#x", min_size=1, max_size=12).map(str.encode),
    st.lists(st.sampled_from((b"i", b"9", b"l8-", b"bet", b"vv", b"rn", b"r-n", b"v", b"#")))
    .map(b"".join)
    .filter(lambda label: 0 < len(label) < 64),
    st.sampled_from((b"vn77", b"v-n8_8", b"rn-n88", b"vv20261", b"@@%%", b"0\xff88")),
    st.sampled_from((b"xn--", b"xn--a", b"xn-a", b"i9" * 31, b"0" * 63, b"\xff\0o")),
)


@settings(max_examples=1_500)
@given(labels=st.lists(looks, min_size=1, max_size=3), cut=st.booleans())
def test_what_may_be_a_look_alike_is_left_to_the_chain(
    alike: Index, labels: list[bytes], cut: bool
) -> None:
    """``cut``: the last label is the only one that a suffix must be, and is never looked at."""
    parts = (*labels, b"i9bet7" if cut else b"test")
    name = b"".join(bytes((len(part),)) + part for part in parts)
    live = a_core(alike).lets_through(name + b"\0", 0)
    assert live is not may_match(alike.lookalikes.skeletons, name + b"\0")


def test_a_look_alike_is_left_to_the_chain_and_forgotten_with_the_site(
    alike: Index, index: Index
) -> None:
    core = a_core(alike)
    for name, opening in (("l9-bet77.test", -1), ("i9bed7.test", OPENINGS[0])):
        assert core.answer(a_query(name), CLIENT, INTERFACE) is None
        assert core.opening == opening
    core.forget()
    fill_it(core, index)
    core.answer(a_query("l9-bet77.test"), CLIENT, INTERFACE)
    assert core.opening == OPENINGS[0]


@pytest.mark.parametrize(
    "name", [b"", b"\1", b"\1a", b"\1a\0\0", b"\3a\0", b"\x40" + b"a" * 64 + b"\0", b"\xc0\x0c"]
)
def test_what_is_no_name_is_not_let_through(index: Index, name: bytes) -> None:
    """Natively it is looked at again: no octet behind it is read."""
    assert not a_core(index).lets_through(name, 0)


@settings(max_examples=300)
@given(
    query=plain,
    ttls=st.lists(st.integers(1, 3_000), min_size=1, max_size=3),
    age=st.floats(0, 4),
    valid_until=st.sampled_from((inf, inf, WALL + 0.5, WALL + 5, WALL + 500)),
)
def test_an_answer_is_repeated_with_ttls_aged_and_capped(
    index: Index, query: bytes, ttls: list[int], age: float, valid_until: float
) -> None:
    """To a client whose class the core knows, where its own parser reads the question."""
    reply = a_response(query, *(f"n{ttl}.test {ttl} A 198.18.0.1" for ttl in ttls))
    core, asked = a_core(index), plain_questions.read(query)
    core.replay.note(0, flags_of(parse_query(query)), reply, 600, NOW + 1e9, valid_until, 7, "one")
    core.at(NOW + age, WALL + age)
    repeated = core.answer(query, CLIENT, INTERFACE)
    holds = age < min(ttls) and WALL + age < valid_until
    if asked is None or not holds or len(reply) > asked.limit:
        assert (0, 7, 1, ()) not in core.take_counts()
        return
    assert core.take_counts() == [(0, 7, 1, ())]
    expected = bytearray(query[:2] + reply[2:12] + query[12 : asked.end] + reply[asked.end :])
    for record in parse_response(reply).records:
        if record.rtype != 41:
            cap_s = min(600, max(1, int(min(600, valid_until - WALL - age))))
            ttl_s = min(record.ttl - ceil(NOW + age - NOW), cap_s)
            expected[record.ttl_offset : record.ttl_offset + 4] = ttl_s.to_bytes(4)
    assert repeated == bytes(expected)


def numbered(*records: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield queries and replies that differ in the number in their name; composing is slow."""
    query = a_query("n00000.other.test", edns=False)
    reply = a_response(query, *records)
    for number in range(100_000):
        name = b"n%05d" % number
        yield query.replace(b"n00000", name), reply.replace(b"n00000", name)


def test_half_as_many_answers_as_there_are_places_are_kept_together(index: Index) -> None:
    """Were only some of the places used, names asked in turn would push each other out."""
    core = a_core(index)
    queries = []
    for query, reply in islice(numbered("a.test 300 A 1.2.3.4"), ENTRIES // 2):
        core.replay.note(0, flags_of(parse_query(query)), reply, 600, NOW + 60, WALL + 60, 7, None)
        queries.append(query)
    repeated = sum(core.answer(query, CLIENT, INTERFACE) is not None for query in queries)
    assert repeated >= 0.95 * len(queries)


def test_there_is_room_for_what_was_asked_for_once_while_half_of_the_places_is_free() -> None:
    core = native.Core(bytes(range(16)), 16)
    core.add_group(0)
    for number in range(8):
        assert core.replay.has_room()
        note(core, a_query(f"n{number}.other.test", edns=False), "300 A 198.18.0.1")
    assert not core.replay.has_room()


def test_there_is_none_where_half_of_the_memory_for_long_replies_is_taken() -> None:
    core = native.Core(bytes(range(16)))
    core.add_group(0)
    taken = number = 0
    for query, reply in numbered(*(f"a.test 300 TXT {'x' * 200}{n}" for n in range(5))):
        if not core.replay.has_room():
            break
        flags = flags_of(parse_query(query))
        assert core.replay.note(0, flags, reply, 600, inf, inf, 7, None)
        taken, number = taken + len(reply), number + 1
    assert MOST_OCTETS // 2 <= taken < MOST_OCTETS // 2 + 2_000
    assert 2 * number < ENTRIES


def anonymous_octets() -> int:
    found = re.search(
        r"^Anonymous:\s+(\d+)", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE
    )
    assert found
    return int(found[1]) * 1024


def test_few_answers_take_little_memory_wherever_their_hashes_fall(index: Index) -> None:
    """One in eight of the places would touch nearly every page of what is kept, 8 MB of it."""
    core = a_core(index)
    some = islice(numbered("a.test 300 A 1.2.3.4"), ENTRIES // 8)
    queries, replies = zip(*some, strict=True)
    flags = [flags_of(parse_query(query)) for query in queries]
    before = anonymous_octets()
    for asked, reply in zip(flags, replies, strict=True):
        core.replay.note(0, asked, reply, 600, NOW + 60, WALL + 60, 7, None)
    assert anonymous_octets() - before < 3_000_000
    assert all(core.answer(query, CLIENT, INTERFACE) for query in queries[::100])


@pytest.mark.parametrize("entries", [8, pytest.param(64, marks=pytest.mark.long)])
def test_places_and_slots_are_used_again_and_again(entries: int) -> None:
    core = native.Core(bytes(16), entries)
    for number in range(40 * entries):
        query = a_query(f"n{number}.other.test", edns=False)
        asked = parse_query(query)
        core.replay.at(NOW + number, WALL + number)
        if number % 97 == 0:
            core.forget()
            core.learn(CLIENT, INTERFACE, core.add_group(0), inf)
        reply = a_response(query, f"n{number}.other.test {1 + number % 5} A 198.18.0.1")
        flags = flags_of(asked)
        assert core.replay.note(0, flags, reply, 600, inf, inf, 7, query)
        assert core.answer(query, CLIENT, INTERFACE) == reply
        if number % 7 == 0:
            core.replay.sweep()


def test_one_round_of_sweeps_reports_every_hit(index: Index) -> None:
    core = a_core(index)
    queries = [a_query(f"n{n}.other.test", edns=False) for n in range(200)]
    for query in queries:
        note(core, query, "300 A 198.18.0.1", source=query)
        core.answer(query, CLIENT, INTERFACE)
    hits: list[tuple[bytes, int]] = []
    for _ in range(SWEEPS):
        core.replay.sweep()
        hits += core.replay.take_hits()
    assert sorted(hits) == sorted((query, 1) for query in queries)


def test_a_forgotten_answer_is_given_to_no_client(index: Index) -> None:
    """In a class of the same number, and long before its place is free again."""
    core = a_core(index)
    query = a_query("a.other.test", edns=False)
    note(core, query, "300 A 198.18.0.1")
    assert core.answer(query, CLIENT, INTERFACE) is not None  # so it would be without that
    core.forget()
    fill_it(core, index)
    assert core.answer(query, CLIENT, INTERFACE) is None
    note(core, query, "300 A 198.18.0.2")
    assert core.answer(query, CLIENT, INTERFACE).endswith(bytes((198, 18, 0, 2)))


def test_the_hits_of_what_is_forgotten_are_reported_once(index: Index) -> None:
    core = a_core(index)
    queries = [a_query(f"n{n}.other.test", edns=False) for n in range(200)]
    for query in queries:
        note(core, query, "300 A 198.18.0.1", source=query)
        core.answer(query, CLIENT, INTERFACE)
    core.forget()
    hits: list[tuple[bytes, int]] = [*core.replay.take_hits()]
    for query in queries[:50]:  # some places are another's meanwhile
        note(core, query, "300 A 198.18.0.1")
    for _ in range(ENTRIES):
        core.at(NOW, WALL)
        hits += core.replay.take_hits()
    assert sorted(hits) == sorted((query, 1) for query in queries)


@pytest.mark.parametrize("step", ["at", "sweep"])
def test_what_is_forgotten_leaves_its_room_to_others(step: str, index: Index) -> None:
    """By and by: to free it all at once would let everybody wait."""
    core = a_core(index)
    query = a_query("n00000.other.test")
    reply = a_response(query, f"other.test 300 TXT {' '.join(['x' * 200] * 4)}")
    flags = flags_of(parse_query(query))
    steps = {"at": lambda: core.at(NOW, WALL), "sweep": core.replay.sweep}
    most = MOST_OCTETS // len(reply)

    def keep_all() -> int:
        kept = (reply.replace(b"n00000", b"n%05d" % n) for n in range(most))
        return sum(core.replay.note(0, flags, one, 600, NOW + 9, WALL + 9, 7, None) for one in kept)

    assert keep_all() == most
    core.forget()
    for _ in range(ENTRIES if step == "at" else SWEEPS):
        steps[step]()
    reply = reply.replace(b"other", b"third")  # so that no place is just written over
    assert keep_all() == most


def test_long_answers_that_have_ended_make_room_for_others(index: Index) -> None:
    core = a_core(index)
    query = a_query("n00000.other.test")
    reply = a_response(query, f"other.test 5 TXT {' '.join(['x' * 200] * 4)}")
    flags = flags_of(parse_query(query))

    def is_repeated(name: bytes) -> bool:
        kept = reply.replace(b"n00000", name)
        core.replay.note(0, flags, kept, 600, NOW + 1e9, WALL + 1e9, 7, None)
        return core.answer(query.replace(b"n00000", name), CLIENT, INTERFACE) is not None

    repeated = [is_repeated(b"n%05d" % n) for n in range(2 * MOST_OCTETS // len(reply))]
    assert repeated[0]
    core.at(NOW + 6, WALL + 6)
    for _ in range(SWEEPS):
        core.replay.sweep()
    assert is_repeated(b"n99999")


def note(core: Any, query: bytes, record: str, source: object = None) -> bool:
    """Keep an answer of one record to a query."""
    flags = flags_of(parse_query(query))
    reply = a_response(query, f"other.test {record}")
    kept: bool = core.replay.note(0, flags, reply, 600, NOW + 1e9, WALL + 1e9, 7, source)
    return kept

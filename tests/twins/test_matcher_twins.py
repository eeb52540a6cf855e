# SPDX-License-Identifier: Apache-2.0
"""Both matchers against each other and against a third model without an index.

``FILTERD_FUZZ_NAMES`` is the number of names in the large run (``make fuzz``: millions).
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from filterd.base.errors import BadLabelError, FilterdError, IndexFormatError
from filterd.base.native import live_only
from filterd.lists import matcher as plain
from filterd.lists.index_format import HEADER_OCTETS, Hit, IndexHeader
from tests.support.packed_indexes import index_of, random_names, wire

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from filterd.lists.index import Index
    from tests.support.packed_indexes import Labels

native: Any = live_only("filterd.lists._matcher")
pytestmark = pytest.mark.usefixtures("needs_native")

FUZZ_NAMES = int(os.environ.get("FILTERD_FUZZ_NAMES", "8000"))
TWINS = [native and native.Matcher, plain.Matcher]

label = st.one_of(
    st.sampled_from([b"a", b"b", b"ab", b"com", b"co", b"vn", b"-", b"_", b"x" * 63, b"abcdefgh"]),
    st.text("ab-_0", min_size=1, max_size=20).map(str.encode),
)
listed_names = st.lists(st.lists(label, min_size=2, max_size=5).map(tuple), max_size=60).map(set)
odd_label = st.one_of(label, st.binary(min_size=1, max_size=20))


def model(names: set[Labels], asked: Labels) -> list[int]:
    """Return how many labels each listed ancestor has, by comparing tuples."""
    found = range(len(asked), 1, -1)
    return [count for count in found if asked[len(asked) - count :] in names]


def both(target: Path) -> list[Any]:
    octets = target.read_bytes()
    return [twin(octets, IndexHeader.parse(octets[:HEADER_OCTETS], len(octets))) for twin in TWINS]


@settings(max_examples=150, deadline=None)
@given(
    names=listed_names,
    asked=st.lists(st.lists(odd_label, max_size=6).map(tuple), max_size=20),
    set_width=st.sampled_from([2, 4]),
)
def test_twins_agree_with_a_model_without_an_index(
    tmp_path_factory: pytest.TempPathFactory,
    names: set[Labels],
    asked: list[Labels],
    set_width: int,
) -> None:
    names = {name for name in names if len(wire(name)) <= 255}
    target = tmp_path_factory.mktemp("twins") / "index"
    index_of(names, target, set_width)
    matchers = both(target)
    for labels in [*asked, *names, *((b"www", *name) for name in names)]:
        if len(wire(labels)) > 255:
            continue
        answers = [matcher.lookup(wire(labels)) for matcher in matchers]
        assert answers[0] == answers[1]
        assert [hit.labels for hit in answers[0]] == model(names, labels)
    listed = [wire(name) for name in names]
    counted = [twin.count_hits(listed) for twin in matchers]
    counted += [twin.count_hits_singly(listed) for twin in matchers]
    assert counted == [sum(len(model(names, name)) for name in names)] * 4


@given(octets=st.binary(max_size=300))
@example(octets=b"\1a" * 127 + b"\1")  # a 128th label begins where the last octet may stand
def test_twins_judge_malformed_names_alike(small: tuple[Index, Path], octets: bytes) -> None:
    answers = []
    for matcher in both(small[1]):
        try:
            answers.append(matcher.lookup(octets))
        except BadLabelError as error:
            answers.append(str(error))
    assert answers[0] == answers[1]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Index, Path]:
    target = tmp_path_factory.mktemp("small") / "index"
    names = random_names(random.Random(1), 300)
    return index_of(names, target), target


def near_misses(rng: random.Random, labels: Labels) -> Iterable[Labels]:
    """Change a listed name a little, in ways that a fingerprint could overlook."""
    place = rng.randrange(len(labels))
    one = labels[place]
    yield (*labels[:place], one + b"x", *labels[place + 1 :])
    yield (*labels[:place], b"x" + one, *labels[place + 1 :])
    yield (*labels[:place], one[:-1] + bytes((one[-1] ^ 1,)), *labels[place + 1 :])
    yield (b"".join(labels[:2]), *labels[2:])
    yield (*labels, b"com")


def test_many_names_are_found_and_near_misses_are_not(tmp_path: Path) -> None:
    rng = random.Random(FUZZ_NAMES)
    names = random_names(rng, FUZZ_NAMES)
    index = index_of(names, tmp_path / "index")
    fast, pure = both(tmp_path / "index")
    for name in names:
        asked = [(b"www", *name), name, *near_misses(rng, name)]
        for labels in asked:
            hits = fast.lookup(wire(labels))
            assert [hit.labels for hit in hits] == model(names, labels)
            if rng.random() < 0.05:
                assert hits == pure.lookup(wire(labels))
        assert index.name(fast.lookup(wire(name))[0].rank) == wire(name)


def test_twins_read_blocks_alike(small: tuple[Index, Path]) -> None:
    fast, pure = both(small[1])
    blocks = range(header_of(small[1]).block_count)
    assert [fast.block(number) for number in blocks] == [pure.block(n) for n in blocks]
    for matcher in (fast, pure):
        matcher.check()
        with pytest.raises(IndexError):
            matcher.block(len(blocks))


def header_of(target: Path) -> IndexHeader:
    octets = target.read_bytes()
    return IndexHeader.parse(octets[:HEADER_OCTETS], len(octets))


def outcome(twin: Any, octets: bytes, header: IndexHeader, asked: list[bytes]) -> list[object]:
    """Return what a matcher answers on a damaged file: hits or the class of its error."""
    matcher = twin(octets, header)
    answers = list[object]()
    for name in asked:
        try:
            answers.append(matcher.lookup(name))
        except FilterdError as error:
            answers.append(type(error))
    for number in range(header.block_count):
        try:
            answers.append(matcher.block(number))
        except FilterdError as error:
            answers.append(type(error))
    return answers


@pytest.mark.parametrize("seed", range(8))
def test_twins_fail_alike_on_a_damaged_file(small: tuple[Index, Path], seed: int) -> None:
    octets = small[1].read_bytes()
    header = IndexHeader.parse(octets[:HEADER_OCTETS], len(octets))
    asked = [wire((b"www", *name)) for name in list(random_names(random.Random(1), 300))[:40]]
    rng = random.Random(seed)
    for _ in range(12):
        damaged = bytearray(octets)
        for _flip in range(rng.choice((1, 1, 5, 50))):
            section = header.spans[rng.choice(("blocks", "slots"))]
            damaged[section.offset + rng.randrange(section.length)] = rng.randrange(256)
        answers = [outcome(twin, bytes(damaged), header, asked) for twin in TWINS]
        assert answers[0] == answers[1]


HARASS = """
import random, sys
from pathlib import Path
from filterd.base.errors import FilterdError
from filterd.lists._matcher import Matcher
from filterd.lists.index_format import HEADER_OCTETS, IndexHeader
octets = Path(sys.argv[1]).read_bytes()
header = IndexHeader.parse(octets[:HEADER_OCTETS], len(octets))
rng = random.Random(5)
names = [b"\\x01a\\x03com\\0", b"\\x03ads\\x02vn\\0"]
whole = Matcher(octets, header)
keys = [key for number in range(header.block_count) for key, _ in whole.block(number)]
for key in keys:
    names.append(b"".join(bytes((len(p),)) + p for p in reversed(key[:-1].split(b"\\0"))) + b"\\0")
body = header.spans["contents"].offset
for flip in range(int(sys.argv[2])):
    damaged = bytearray(octets)
    for _ in range(rng.choice((1, 3, 30))):
        damaged[rng.randrange(HEADER_OCTETS, body)] = rng.choice((0, 255, rng.randrange(256)))
    matcher = Matcher(bytes(damaged), header)
    for ask in [rng.choice(names) for _ in range(20)]:
        try:
            matcher.lookup(ask)
        except FilterdError:
            pass
    try:
        matcher.check()
    except FilterdError:
        pass
print("alive")
"""


def test_native_matcher_survives_thousands_of_damaged_files(small: tuple[Index, Path]) -> None:
    command = [sys.executable, "-X", "faulthandler", "-c", HARASS, str(small[1]), "4000"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("alive\n", 0), done.stderr


def test_check_catches_a_structure_that_the_digest_would_pass(small: tuple[Index, Path]) -> None:
    octets = small[1].read_bytes()
    header = IndexHeader.parse(octets[:HEADER_OCTETS], len(octets))
    offset, length = header.spans["slots"]
    emptied = octets[:offset] + bytes(length) + octets[offset + length :]
    for twin in TWINS:
        twin(octets, header).check()
        with pytest.raises(IndexFormatError, match="does not find"):
            twin(emptied, header).check()


@pytest.mark.parametrize(("twin", "lets_go"), [(TWINS[0], True), (TWINS[1], False)])
def test_native_check_lets_other_threads_run(
    small: tuple[Index, Path], twin: Any, *, lets_go: bool
) -> None:
    octets = small[1].read_bytes()
    matcher = twin(octets, header_of(small[1]))
    asked, answered = threading.Event(), threading.Event()

    def answer() -> None:
        asked.wait()
        answered.set()

    other = threading.Thread(target=answer)
    usual = sys.getswitchinterval()
    sys.setswitchinterval(
        3600
    )  # no other thread gets the interpreter unless its holder releases it
    try:
        other.start()
        asked.set()
        for _ in range(20_000 if lets_go else 20):
            matcher.check()
            if answered.is_set():
                break
        assert answered.is_set() is lets_go
    finally:
        sys.setswitchinterval(usual)
        asked.set()
        other.join()


def test_check_counts_the_names(small: tuple[Index, Path]) -> None:
    octets = small[1].read_bytes()
    header = IndexHeader.parse(octets[:HEADER_OCTETS], len(octets))
    wrong = replace(header, name_count=header.name_count - 1)
    for twin in TWINS:
        with pytest.raises(IndexFormatError, match="300 names, not 299"):
            twin(octets, wrong).check()


def test_twins_refuse_blocks_that_contradict_themselves(small: tuple[Index, Path]) -> None:
    octets = small[1].read_bytes()
    header = IndexHeader.parse(octets[:HEADER_OCTETS], len(octets))
    start, count = header.spans["blocks"].offset, octets[header.spans["blocks"].offset]
    last_set = start + header.block_octets - header.set_width
    damages = [(start, 0), (start, 33), (start + 1, 200), (start + count, 255)]
    damages += [(start + 2 * count - 1, 0), (last_set, 1)]
    for place, octet in damages:
        damaged = octets[:place] + bytes((octet,)) + octets[place + 1 :]
        for twin in TWINS:
            with pytest.raises(IndexFormatError, match="is damaged"):
                twin(damaged, header).block(0)


def test_native_matcher_refuses_a_file_shorter_than_its_header_states(
    small: tuple[Index, Path],
) -> None:
    octets = small[1].read_bytes()
    header = IndexHeader.parse(octets[:HEADER_OCTETS], len(octets))
    with pytest.raises(IndexFormatError, match="shorter"):
        native.Matcher(octets[:-64], header)


def test_hits_are_hits_in_both_twins(small: tuple[Index, Path]) -> None:
    name = next(small[0].names())
    for matcher in both(small[1]):
        (hit,) = matcher.lookup(name)
        assert (type(hit), hit) == (Hit, Hit(hit.labels, 0, 0))
        assert hash(hit) == hash(Hit(hit.labels, 0, 0))

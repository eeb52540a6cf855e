# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import contextlib
import random
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filterd.base.errors import DigestError, TooLargeError
from filterd.feed.signed import deltas
from filterd.feed.signed.deltas import pack, pack_delta, unpack, unpack_delta
from filterd.feed.version_files import MAX_VERSION_OCTETS

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Iterable

_LINES = st.sets(st.from_regex(r"[a-z0-9.-]{1,20}", fullmatch=True), max_size=60)


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in sorted(lines)).encode()


def _many(count: int, seed: int) -> bytes:
    rng = random.Random(seed)
    return _text(f"{rng.randrange(1 << 48):x}.example" for _ in range(count))


@given(_LINES, _LINES)
def test_a_difference_makes_the_new_lines_of_the_old(old: set[str], new: set[str]) -> None:
    before, after = _text(old), _text(new)
    assert unpack_delta(pack_delta(before, after), before, len(after)) == after


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_it_does_so_with_any_octets(old: bytes, new: bytes) -> None:
    assert unpack_delta(pack_delta(old, new), old, len(new)) == new
    assert unpack(pack(new), len(new)) == new


def test_packing_is_deterministic() -> None:
    content = _many(3_000, 1)
    assert pack(content) == pack(content)
    assert pack_delta(content[9_000:], content) == pack_delta(content[9_000:], content)


def test_a_small_change_of_a_long_list_costs_little() -> None:
    lines = _many(40_000, 2).splitlines(keepends=True)
    rng = random.Random(3)
    gone = set(rng.sample(lines, 100))
    new = sorted([line for line in lines if line not in gone] + _many(100, 4).splitlines(True))
    before, after = b"".join(lines), b"".join(new)
    delta = pack_delta(before, after)
    assert unpack_delta(delta, before, len(after)) == after
    assert len(delta) <= 0.02 * len(pack(after))


def test_a_difference_of_long_contents_reaches_back_all_the_way() -> None:
    old = random.Random(5).randbytes(3 << 20)
    new = old[2 << 20 :] + old[: 2 << 20]
    assert len(pack_delta(old, new)) < 1 << 10


def test_with_another_old_content_something_else_comes_out_or_nothing() -> None:
    old = _many(2_000, 6)
    new = old[:-20] + b"zzz.example\n"
    damaged = bytes([old[100] ^ 1]) + old[1:100] + bytes([old[100] ^ 1]) + old[101:]
    assert unpack_delta(pack_delta(old, new), damaged, len(new)) != new


@pytest.mark.parametrize("wrong", [b"", b"<!doctype html>", b"\x1f\x8b\x08\x00" * 9])
def test_what_is_not_packed_is_refused(wrong: bytes) -> None:
    with pytest.raises(DigestError, match="does not unpack"):
        unpack(wrong, 100)
    with pytest.raises(DigestError, match="does not unpack"):
        unpack_delta(wrong, b"old content", 100)


@pytest.mark.parametrize("length", [0, 99, 101])
def test_a_content_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(DigestError):
        unpack(pack(b"x" * 100), length)


def test_a_truncated_or_prolonged_frame_is_refused() -> None:
    content = _many(2_000, 7)
    packed = pack(content)
    for wrong in (packed[:-1], packed[: len(packed) // 2], packed + b"\0", packed + packed):
        with pytest.raises(DigestError):
            unpack(wrong, len(content))


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_flipped_octet_ends_in_an_error_or_another_content(at: int, flip: int) -> None:
    content = _many(300, 8)
    packed = bytearray(pack(content))
    packed[at % len(packed)] ^= flip
    with contextlib.suppress(DigestError):
        assert len(unpack(bytes(packed), len(content))) == len(content)


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb, length = zstd.compress(bytes(100 << 20)), 100 << 20
    with monkeypatch.context() as patched:
        patched.setattr(zstd, "ZstdDecompressor", None)
        with pytest.raises(TooLargeError, match="for each"):
            unpack(bomb, length)
        with pytest.raises(TooLargeError, match="whole feed"):
            unpack_delta(bomb, b"old content", MAX_VERSION_OCTETS + 1)
    monkeypatch.setattr(deltas, "MAX_EXPANSION", 1 << 30)
    assert len(unpack(bomb, length)) == length  # so the bound is what refuses it


def test_a_frame_that_hides_its_length_is_refused() -> None:
    compressor = zstd.ZstdCompressor()
    bomb = compressor.compress(bytes(4096)) + compressor.flush()
    assert zstd.decompress(bomb) == bytes(4096)
    with pytest.raises(DigestError):
        unpack(bomb, 4096)


def test_a_window_larger_than_the_content_is_refused() -> None:
    content = _many(4_000, 9)
    # A frame header of its own (RFC 8878, 3.1.1.1): 1 GB of window, four octets of length.
    header = bytes.fromhex("28b52ffd 80 a0") + len(content).to_bytes(4, "little")
    last_raw_block = (len(content) << 3 | 1).to_bytes(3, "little")
    greedy = header + last_raw_block + content
    assert zstd.decompress(greedy, options={zstd.DecompressionParameter.window_log_max: 31})
    with pytest.raises(DigestError):
        unpack(greedy, len(content))


def test_the_publisher_packs_nothing_that_no_appliance_takes() -> None:
    with pytest.raises(TooLargeError):
        pack(bytes(2 << 20))
    assert unpack(pack(bytes(1 << 20)), 1 << 20) == bytes(1 << 20)


def test_a_list_of_one_family_is_packed_as_loosely_as_is_allowed() -> None:
    content = b"".join(b"r%d---sn-abcdefgh.googlevideo.example\n" % (n % 9) for n in range(40_000))
    packed = pack(content)
    assert len(content) > deltas.ALWAYS_ALLOWED_OCTETS
    assert unpack(packed, len(content)) == content
    tightly = zstd.compress(content, level=19)
    with pytest.raises(TooLargeError):
        unpack(tightly, len(content))

# SPDX-License-Identifier: Apache-2.0
"""Captured DNS messages from outside the project, and a mutator of messages."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.needs import command
from tests.support.shared_data import shared

if TYPE_CHECKING:
    import random


@dataclass(frozen=True, slots=True)
class Packet:
    """One captured message. ``hint`` is what another parser made of it: a hint, not the truth."""

    message: bytes
    is_query: bool
    hint: str


def captured_packets() -> list[Packet]:
    """Return all captured messages; skip the test where they or ``zstd`` are absent."""
    path = shared("packets/payloads-dev.jsonl.zst")
    words = [command("zstd"), "-dcq", str(path)]
    text = subprocess.run(words, check=True, capture_output=True).stdout
    rows = [json.loads(line) for line in text.splitlines()]
    return [Packet(bytes.fromhex(r["hex"]), r["qr"] == "Q", r["dnspython"]) for r in rows]


def mutate(message: bytes, rng: random.Random) -> bytes:
    """Return ``message`` with one to four spoilt places."""
    octets = bytearray(message)
    for _ in range(rng.randint(1, 4)):
        rng.choice(_MUTATIONS)(octets, rng)
    return bytes(octets)


def nudge(message: bytes, rng: random.Random) -> bytes:
    """Return ``message`` with one or two octets changed, which most often leaves it readable."""
    octets = bytearray(message)
    for _ in range(1 if rng.random() < 0.7 else 2):
        _flip_bit(octets, rng)
    return bytes(octets)


def _place(octets: bytearray, rng: random.Random) -> int:
    return rng.randrange(len(octets) + 1)


def _set_octet(octets: bytearray, rng: random.Random) -> None:
    at = _place(octets, rng)
    octets[at : at + 1] = bytes((rng.choice((0, 1, 63, 64, 128, 192, 255, rng.randrange(256))),))


def _flip_bit(octets: bytearray, rng: random.Random) -> None:
    if octets:
        octets[rng.randrange(len(octets))] ^= 1 << rng.randrange(8)


def _cut(octets: bytearray, rng: random.Random) -> None:
    del octets[_place(octets, rng) :]


def _delete(octets: bytearray, rng: random.Random) -> None:
    at = _place(octets, rng)
    del octets[at : at + rng.randint(1, 8)]


def _repeat(octets: bytearray, rng: random.Random) -> None:
    at, size = _place(octets, rng), rng.randint(1, 40)
    octets[at:at] = octets[at : at + size] * rng.randint(1, 4)


def _point(octets: bytearray, rng: random.Random) -> None:
    at = _place(octets, rng)
    target = rng.randrange(max(1, len(octets)))
    octets[at : at + 2] = (0xC000 | target & 0x3FFF).to_bytes(2)


def _set_count(octets: bytearray, rng: random.Random) -> None:
    at = rng.choice((4, 6, 8, 10))
    octets[at : at + 2] = rng.choice((0, 1, 2, 3, 65535)).to_bytes(2)


_MUTATIONS = (_set_octet, _flip_bit, _cut, _delete, _repeat, _point, _set_count)

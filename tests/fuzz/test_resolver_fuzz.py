# SPDX-License-Identifier: Apache-2.0
"""Mutated queries and upstream answers through the whole chain, native and pure.

``FILTERD_FUZZ_QUERIES`` is the number (20,000 unless set), half of them for each twin,
and ``FILTERD_FUZZ_SEED`` repeats a run.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from filterd.base.native import live_only
from filterd.resolve.links import filter as filter_link
from tests.fuzz import resolver_fuzz
from tests.support import malformed
from tests.support.commands import ROOT, environment
from tests.support.packets import captured_packets
from tests.support.wire import a_query

if TYPE_CHECKING:
    from pathlib import Path

QUERIES = int(os.environ.get("FILTERD_FUZZ_QUERIES", "20000"))
SEED = int(os.environ.get("FILTERD_FUZZ_SEED", "0")) or random.randrange(1, 1 << 32)
MOST_GROWTH_OCTETS = 5 * 1024 * 1024

_TYPES = ("A", "AAAA", "HTTPS", "TXT", "CNAME", "MX", "ANY", "TYPE65280")
MALFORMED = [message for message, _ in malformed.QUERIES.values()]
SEEDS = [
    *(a_query("porn.example", qtype) for qtype in _TYPES),
    *(a_query("WWW.Porn.example", qtype, do=True, cd=True) for qtype in _TYPES),
    *(a_query("www.example.com", qtype, edns=False) for qtype in _TYPES),
    *(a_query("localhost", qtype) for qtype in _TYPES),
]


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A file of what is spoilt: captured queries, and twice as many that are well formed."""
    captured = [packet.message for packet in captured_packets() if packet.is_query]
    messages = MALFORMED + captured + SEEDS * (2 * len(captured) // len(SEEDS) + 1)
    path = tmp_path / "seeds"
    path.write_text("\n".join(message.hex() for message in messages), encoding="ascii")
    return path


def start(seeds: Path, *, pure: bool) -> subprocess.Popen[str]:
    command = (sys.executable, "-m", resolver_fuzz.__name__, str(seeds), str(QUERIES // 2))
    variables = environment() | {"FILTERD_PURE": "1" if pure else ""}
    return subprocess.Popen(
        [*command, str(SEED + pure)],
        cwd=ROOT,
        env=variables,
        stdout=subprocess.PIPE,
        text=True,
    )


def totals(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate()
    assert process.returncode == 0, f"seed {SEED}"
    found: dict[str, Any] = json.loads(out)
    return found


def test_spoilt_queries_and_answers_through_the_chain(
    seeds: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with start(seeds, pure=False) as native, start(seeds, pure=True) as pure:
        found = [totals(native), totals(pure)]
    with capsys.disabled():
        sys.stdout.write("".join(f"\n{json.dumps(one)}" for one in found))
    assert [one["native"] for one in found] == [
        live_only("filterd.lists._matcher") is not None,
        False,
    ]
    for one in found:
        assert one["errors"] == one["outcomes"]["unfiltered"] == 0
        assert one["asked_upstream"] > QUERIES // 100, "most never got far"
        assert one["grown_octets"] < MOST_GROWTH_OCTETS


def test_control_without_a_look_at_aliases_it_would_find_an_unfiltered_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filter_link.Filter, "_judge_targets", lambda _, __, ___, answer: answer)

    async def run() -> None:
        await resolver_fuzz.ResolverFuzz(SEEDS, 1, tmp_path).run(20_000)

    with pytest.raises(AssertionError, match="unfiltered"):
        asyncio.run(run())

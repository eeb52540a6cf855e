# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: T201 -- a script that prints a table
"""Measure the feed: octets a name, a night's difference, an appliance's run.

Run ``python -m tests.bench.feed_figures`` where ``../shared/data`` is. Its lists, one for
each publisher, are a feed of about a million names. In the next night half of the churn
is removed at random, and as many names are added, which were held back from the same
lists: real names at scattered places, which cost more than the families that lists
really gain.

Two ways to write the difference are measured: the feed's own
(``filterd.feed.signed.deltas``), and sorted additions beside the numbers of removed lines.

An appliance's run is a process of its own, so that its peak memory is its own; it reads
targets from a folder, so the figures contain no network. Seconds are CPU time.

Goals (issue: the central feed): at most 5 octets a name, at most 2 % for a night of
0.5 % churn, and at most 10 s and 300 MB to fetch, verify, judge and activate it.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from itertools import accumulate, chain, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from filterd.feed.signed.deltas import pack, pack_delta
from filterd.feed.signed.version_download import take
from filterd.feed.version_files import PublishedDelta, PublishedFile, digits, read_publication
from filterd.feed.versions import Versions

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

ROOT = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "lists"
_FORMATS = ("hosts", "domains", "adblock")
_LINE = b"%s\n"


class Night(NamedTuple):
    """A list on one evening and the next: names as keys, sorted."""

    path: str
    before: list[bytes]
    after: list[bytes]


def keys_of(file: Path) -> set[bytes]:
    """Return the names of a published list, by the format that finds most of them."""
    from filterd.lists.formats import FORMATS, Entry  # noqa: PLC0415 -- the measured child has none
    from filterd.lists.hostname import HostnameError, key_from_text  # noqa: PLC0415 -- as above
    from filterd.lists.public_suffix import is_public_suffix  # noqa: PLC0415 -- as above

    content = file.read_bytes()
    if file.suffix == ".zst":
        content = zstd.decompress(content)
    lines = content.decode("utf-8", "surrogateescape").split("\n")
    best = set[bytes]()
    for name in _FORMATS:
        found = set[bytes]()
        for item in FORMATS[name](lines):
            if isinstance(item, Entry):
                try:
                    found.add(key_from_text(item.name))
                except HostnameError:
                    continue
        best = max(best, found, key=len)
    return {key for key in best if not is_public_suffix(key)}


def published(*, together: bool) -> Iterator[tuple[str, set[bytes]]]:
    """Give the names of each publisher, or of all."""
    everything = set[bytes]()
    for folder in sorted(ROOT.iterdir()):
        files = (path for path in sorted(folder.rglob("*")) if path.is_file())
        files = (path for path in files if not path.name.endswith(".tar.zst"))
        keys = set(chain.from_iterable(map(keys_of, files)))
        if together:
            everything |= keys
        else:
            yield folder.name.lower(), keys
    if together:
        yield "all", everything


def nights(churn: float, most: int, *, together: bool) -> list[Night]:
    """Return each list on both evenings; with ``together`` all names are one list."""
    rng = random.Random(20260902)
    made = []
    for name, found in published(together=together):
        keys = sorted(found)[:most]
        most -= len(keys)
        changed = rng.sample(keys, round(churn * len(keys) / 2) * 2)
        new, gone = set(changed[::2]), set(changed[1::2])
        before = [key for key in keys if key not in new]
        after = [key for key in keys if key not in gone]
        made.append(Night(f"lists/feed-{name}.txt", before, after))
    return made


def text(keys: Iterable[bytes]) -> bytes:
    """Return a list as the feed has it."""
    return b"".join(_LINE % b".".join(key.split(b"\0")[-2::-1]) for key in keys)


def by_line_numbers(night: Night) -> int:
    """Return the octets of the other way: steps between removed lines, then additions."""
    after, before = set(night.after), set(night.before)
    removed = [number for number, key in enumerate(night.before) if key not in after]
    steps = [second - first for first, second in pairwise([0, *removed])]
    assert list(accumulate(steps)) == removed
    added = text(key for key in night.after if key not in before)
    numbers = b"".join(_LINE % str(step).encode() for step in steps)
    return len(zstd.compress(numbers + b"\n" + added, level=19))


def timed(work: Callable[[], bytes]) -> tuple[bytes, float]:
    """Return what work gives and its CPU seconds."""
    began = time.process_time()
    return work(), time.process_time() - began


def publish(made: list[Night], targets: Path) -> None:
    """Write the targets of both versions, and print what they cost."""
    octets = {"full": 0, "delta": 0, "lines": 0, "text": 0}
    seconds = {"full": 0.0, "delta": 0.0}
    first, second = list[Any](), list[Any]()
    for night in made:
        old, new = text(night.before), text(night.after)
        old_sha256, new_sha256 = (hashlib.sha256(one).hexdigest() for one in (old, new))
        delta, took = timed(partial(pack_delta, old, new))
        seconds["delta"] += took
        packed, took = timed(partial(pack, new))
        seconds["full"] += took
        signed = PublishedDelta(night.path, digits(old_sha256), digits(new_sha256), len(delta))
        for version, content, octets_packed in ((first, old, pack(old)), (second, new, packed)):
            digest = hashlib.sha256(content).hexdigest()
            file = PublishedFile(night.path, len(content), digest, len(octets_packed))
            version.append((file.target, file.packed_octets, file.custom))
            (targets / f"{digest}.full").write_bytes(octets_packed)
        second.append((signed.target, signed.packed_octets, signed.custom))
        (targets / f"{signed.target.rpartition('/')[2]}.delta").write_bytes(delta)
        octets["text"] += len(new)
        octets["full"] += len(packed)
        octets["delta"] += len(delta) if old_sha256 != new_sha256 else 0
        octets["lines"] += by_line_numbers(night)
    for number, version in ((1, first), (2, second)):
        (targets / f"{number}.json").write_text(json.dumps(version))
    names = sum(len(night.after) for night in made)
    print(f"{len(made)} lists, {names} names, {octets['text']} octets of text")
    print(f"full: {octets['full']} octets, {octets['full'] / names:.2f} a name (goal 5), ", end="")
    print(f"packed in {seconds['full']:.1f} s")
    for title, way in (
        ("difference, as published", "delta"),
        ("additions and line numbers", "lines"),
    ):
        share = 100 * octets[way] / octets["full"]
        print(f"{title}: {octets[way]} octets, {share:.2f} % of the full feed (goal 2 %)")
    print(f"differences packed in {seconds['delta']:.1f} s")


def peak_mb() -> float:
    """Return the most that this process has held; rusage would count its parent's too."""
    [line] = [
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line
    ]
    return int(line.split()[1]) / 1024


def take_version(targets: Path, state: Path, number: int) -> None:
    """Take a version and print what it cost; the whole work of a measured process."""
    signed = json.loads((targets / f"{number}.json").read_text())
    files = dict[str, Path]()
    for name, _, custom in signed:
        stem = custom.get("sha256") or name.rpartition("/")[2]
        files[name] = targets / f"{stem}.{'full' if custom else 'delta'}"
    versions = Versions(state)
    gc.collect()
    idle_mb = peak_mb()
    began = time.process_time()
    publication = read_publication(number, signed)
    taken = take(publication, versions, lambda target: files[target].read_bytes())
    versions.promote(str(number))
    versions.prune()
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"taking version {number}: {len(taken.in_full)} lists whole, {len(taken.by_delta)} by "
        f"difference, {taken.fetched_octets} octets fetched; {time.process_time() - began:.2f} s, "
        f"{peak_mb():.0f} MB at most ({idle_mb:.0f} before), "
        f"{used.ru_oublock * 512 / 1e6:.0f} MB written"
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Measure the feed.")
    parser.add_argument("--churn", type=float, default=0.005)
    parser.add_argument("--names", type=int, default=1 << 40, help="at most")
    parser.add_argument("--together", action="store_true", help="all names in one list")
    parser.add_argument("--take", nargs=3, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.take:
        targets, state, number = chosen.take
        take_version(Path(targets), Path(state), int(number))
        return
    if not ROOT.is_dir():
        raise SystemExit(f"{ROOT} is absent: there are no real lists to measure with")
    with tempfile.TemporaryDirectory() as name:
        targets = Path(name) / "targets"
        targets.mkdir()
        publish(nights(chosen.churn, chosen.names, together=chosen.together), targets)
        for number in (1, 2):
            command = [sys.executable, "-m", "tests.bench.feed_figures", "--take", str(targets)]
            subprocess.run([*command, str(Path(name) / "feed"), str(number)], check=True)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Damaged and hostile archives: each reader of files takes one, or refuses it in a line.

``FILTERD_FUZZ_ARCHIVES`` is the number of mutants (60 unless set), ``FILTERD_FUZZ_SEED`` their
seed. Memory that a reader may not have is a failure, too: the test has a bound of its own.
"""

from __future__ import annotations

import gzip
import os
import random
import resource
import time
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.appliance.backup import backup_file
from filterd.base.errors import FilterdError
from filterd.cli import spreadsheet
from filterd.config.imported_settings import read_pihole
from filterd.feed.followed.packed_text import packing_of
from filterd.feed.followed.text_judgement import ArrivedText
from filterd.lists.formats import FORMATS
from filterd.reports import template_check
from tests.support.hostile_archives import GOOD, archives, member, tar_gz, texts, zipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MUTANTS = int(os.environ.get("FILTERD_FUZZ_ARCHIVES", "60"))
SEED = int(os.environ.get("FILTERD_FUZZ_SEED", "1"))
MOST_OCTETS, MEMORY_OCTETS, CPU_S = 16 << 20, 1 << 30, 20.0
_LARGEST_SEED = 400_000
_BLOCK = 512


@cache
def _seeds() -> dict[str, bytes]:
    found = {**archives(), **texts()}
    parts = {"site/site.yaml": b"x: 1\n", "history.jsonl": b""}
    return {
        **{name: content for name, content in found.items() if len(content) < _LARGEST_SEED},
        "/good.tar.gz": tar_gz(member(b"domains", GOOD)),
        "/good.zip": zipped({"domains": GOOD}),
        "/book.zip": spreadsheet.to_xlsx([["a", "b"], ["c", "d"]] * 20),
        "/backup.zip": backup_file.dump(backup_file.Backup(1e9, "d", "s", parts)),
    }


class _Mutants:
    """Copies of seeds, damaged at random; of gzip what is inside, with right checksums of tar."""

    def __init__(self, seed: int) -> None:
        self._random, self._seeds = random.Random(seed), _seeds()

    def next(self) -> tuple[str, bytes]:
        """Return the path of a seed and a mutant of it."""
        name = self._random.choice(sorted(self._seeds))
        content = self._seeds[name]
        if not name.endswith("gz") or self._random.random() < 0.2:
            return name, self._damaged(content)
        inside = zlib.decompressobj(31).decompress(content, 1 << 22)
        return name, gzip.compress(self._mended(bytearray(self._damaged(inside))), 1)

    def _mended(self, content: bytearray) -> bytes:
        for at in range(0, min(len(content), 32 * _BLOCK), _BLOCK):
            if content[at + 257 : at + 262] == b"ustar" and self._random.random() < 0.8:
                content[at + 148 : at + 156] = b" " * 8
                total = sum(content[at : at + _BLOCK])
                content[at + 148 : at + 156] = b"%06o\0 " % total
        return bytes(content)

    def _damaged(self, content: bytes) -> bytes:
        draw, made = self._random, bytearray(content)
        for _ in range(draw.choice((1, 2, 4, 16))):
            at = draw.randrange(min(len(made), draw.choice((600, 2_000, 1 << 30))) + 1)
            match draw.randrange(6):
                case 0:
                    made[at : at + 1] = bytes([draw.randrange(256)])
                case 1:
                    made[at : at + draw.randrange(12)] = draw.choice((b"\0", b"\xff", b"9")) * 11
                case 2:
                    del made[at : at + draw.randrange(600)]
                case 3:
                    made[at:at] = made[max(at - 600, 0) : at]
                case 4:
                    del made[at:]
                case _:
                    other = self._seeds[draw.choice(sorted(self._seeds))]
                    begin = draw.randrange(len(other))
                    made[at:at] = other[begin : begin + _BLOCK]
        return bytes(made)


@pytest.fixture
def _little_memory() -> Iterator[None]:
    """Bound what a reader takes beside what the process has: tests before may have mapped much."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held + MEMORY_OCTETS, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def _judged(path: Path, name: str) -> None:
    number = zlib.crc32(name.encode())
    form, wanted = sorted(FORMATS)[number % len(FORMATS)], ("", "domains")[number % 2]
    ArrivedText(str(path), "one", form, packing_of(name), wanted, MOST_OCTETS).judged()


READERS: dict[str, Callable[[Path, str], object]] = {
    "a followed list": _judged,
    "settings of another filter": lambda path, _: read_pihole(path),
    "a table": lambda path, _: spreadsheet.read(path),
    "a backup": lambda path, _: backup_file.read(path),
    "a template": lambda path, _: template_check.checked(path.read_bytes()),
}


@pytest.mark.usefixtures("_little_memory")
@pytest.mark.parametrize("reader", READERS)
def test_a_mutant_is_read_or_refused_in_a_line(tmp_path: Path, reader: str) -> None:
    mutants, path = _Mutants(SEED), tmp_path / "custom.list"
    for number in range(MUTANTS):
        name, content = mutants.next()
        path.write_bytes(content)
        before = time.process_time()
        refusal = ""
        try:
            READERS[reader](path, name)
        except FilterdError as error:
            refusal = str(error)
        assert "\n" not in refusal, (number, name)
        assert time.process_time() - before < CPU_S, (number, name)


def test_control_a_reader_that_lets_an_error_through_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("filterd.feed.followed.packed_text.DAMAGED", ())
    with pytest.raises(Exception, match=r".") as found:
        test_a_mutant_is_read_or_refused_in_a_line(tmp_path, "a followed list")
    assert not isinstance(found.value, FilterdError)

# SPDX-License-Identifier: Apache-2.0
"""The index writer: packed sections are laid out, digested and synced.

The file is written under a temporary name in the folder of its target, read
back and verified there, and only then renamed: a process that opens the target finds
the old index or the new one, whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING

from filterd.errors import StoreError
from filterd.i18n import refused, say
from filterd.lists.index import Index
from filterd.lists.index_format import (
    GROUP_SLOTS,
    HEADER_OCTETS,
    SECTIONS,
    IndexHeader,
    SectionRange,
    aligned,
)
from filterd.lists.packing import Packer, fill_slots
from filterd.paths import check_room, create, install

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator

    Section = bytes | bytearray | array[int]


def sections_of(packer: Packer, contents: bytes, report: bytes) -> tuple[dict[str, Section], int]:
    """Return all sections of an index by name, and the probe limit of its table."""
    slots, probe_limit = fill_slots(packer.hashes, packer.ranks, len(packer.line_offsets))
    sections: dict[str, Section] = {
        "blocks": packer.blocks,
        "slots": slots,
        "lines": packer.lines,
        "line_offsets": packer.line_offsets,
        "contents": contents,
        "report": report,
    }
    return sections, probe_limit


def write_index(
    packer: Packer, seed: int, contents: bytes, report: bytes, target: Path | IO[bytes]
) -> None:
    """Write, verify and install an index.

    Args:
        packer: all names, packed.
        seed: the one that the packer hashed with.
        contents: the section of that name.
        report: the section of that name.
        target: the file to replace, in an existing folder; or a file to write only.

    Raises:
        StoreError: the disk refused; the old index is untouched.
    """
    sections, probe_limit = sections_of(packer, contents, report)
    header = _header(packer, sections, probe_limit, seed)
    if not isinstance(target, Path):
        target.write(header.pack())
        target.writelines(_padded(sections))
        return
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    check_room(target.parent, HEADER_OCTETS + sum(map(len, _padded(sections))))
    try:
        temporary.unlink(missing_ok=True)  # never write through a link that was left there
        with create(temporary) as file:
            file.write(header.pack())
            file.writelines(_padded(sections))
            file.flush()
            os.fsync(file.fileno())
        Index.open(temporary).verify()
        install(temporary, target)
    except OSError as error:
        raise StoreError(
            say("{target}: cannot be written: {why}", target=target, why=refused(error))
        ) from error
    finally:
        with contextlib.suppress(OSError):  # a disk error is reported above
            temporary.unlink()


def _header(
    packer: Packer, sections: dict[str, Section], probe_limit: int, seed: int
) -> IndexHeader:
    """Place the sections one after the other and digest them."""
    spans, offset = {}, HEADER_OCTETS
    for name in SECTIONS:
        length = len(memoryview(sections[name]).cast("B"))
        spans[name] = SectionRange(offset, length)
        offset = aligned(offset + length)
    digest = hashlib.sha256()
    for part in _padded(sections):
        digest.update(part)
    return IndexHeader(
        name_count=packer.name_count,
        group_count=len(sections["slots"]) // GROUP_SLOTS,
        probe_limit=probe_limit,
        set_count=len(packer.sets),
        set_width=packer.set_width,
        block_octets=packer.block_octets,
        seed=seed,
        digest=digest.digest(),
        spans=spans,
    )


def _padded(sections: dict[str, Section]) -> Iterator[memoryview | bytes]:
    """Yield the body of the file, piece by piece."""
    for name in SECTIONS:
        octets = memoryview(sections[name]).cast("B")
        yield octets
        yield bytes(aligned(len(octets)) - len(octets))

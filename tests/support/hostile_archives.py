# SPDX-License-Identifier: Apache-2.0
"""Archives and texts that ask for memory, time or a place on the disk; all are small themselves."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GOOD = b"".join(b"good%d.example\n" % number for number in range(40))
_BLOCK = 512
_HEADER = tarfile.TarInfo("x").tobuf(tarfile.USTAR_FORMAT)


def header(name: bytes, size: int, kind: bytes = tarfile.REGTYPE, **fields: bytes) -> bytes:
    """Return a header of a tar file as it is asked for, with its right checksum."""
    block = bytearray(_HEADER)
    block[:100] = name[:100].ljust(100, b"\0")
    block[124:136] = b"%011o\0" % size if 0 <= size < 1 << 33 else _base_256(size)
    block[156:157] = kind
    for at, content in fields.items():
        place = int(at.removeprefix("at_"))
        block[place : place + len(content)] = content
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _base_256(size: int) -> bytes:
    """Return a size as GNU tar writes what has no place in octal digits."""
    return (b"\x80" if size >= 0 else b"\xff") + (size % 2**88).to_bytes(11, "big")


def member(name: bytes, content: bytes, kind: bytes = tarfile.REGTYPE) -> bytes:
    """Return a header and its content, padded."""
    return header(name, len(content), kind) + content + bytes(-len(content) % _BLOCK)


def tar_gz(*parts: bytes) -> bytes:
    """Return parts, as they are, as a tar.gz."""
    return gzip.compress(b"".join(parts) + bytes(2 * _BLOCK), 1)


def zipped(members: Mapping[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def _long_name(octets: int) -> bytes:
    name = member(b"././@LongLink", b"a" * octets, tarfile.GNUTYPE_LONGNAME)
    return tar_gz(name, member(b"domains", GOOD))


def _pax(fields: bytes, kind: bytes = tarfile.XHDTYPE) -> bytes:
    return tar_gz(member(b"pax", fields, kind), member(b"domains", GOOD))


def _sparse(size: int) -> bytes:
    holes = {"at_386": b"%011o\0%011o\0" % (size, 0), "at_483": b"%011o\0" % size}
    return tar_gz(header(b"domains", 0, tarfile.GNUTYPE_SPARSE, **holes))


def _pax_sparse(numbers: int) -> bytes:
    fields = b"".join(
        b"%d %s\n" % (len(one) + 4, one)
        for one in (b"GNU.sparse.major=1", b"GNU.sparse.minor=0", b"GNU.sparse.realsize=1000")
    )
    table = b"%d\n" % numbers + b"1\n" * (2 * numbers)
    return tar_gz(member(b"pax", fields, tarfile.XHDTYPE), member(b"domains", table))


def _overlapping(times: int) -> bytes:
    """Return a zip file whose directory leads to one member many times (a.k.a. zip bomb)."""
    packed = zlib.compress(bytes(1 << 20), 9)[2:-4]
    crc, size = zlib.crc32(bytes(1 << 20)), 1 << 20
    first = b"domains"
    fields = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 33, crc, len(packed), size, len(first), 0)
    local = b"PK\3\4" + fields + first
    entries = b""
    for number in range(times):
        name = b"%07d" % number
        fields = struct.pack(
            "<HHHHHHIIIHHHHHII", 20, 20, 0, 8, 0, 33, crc, len(packed), size, 7, 0, 0, 0, 0, 0, 0
        )
        entries += b"PK\1\2" + fields + name
    end = struct.pack("<HHHHIIH", 0, 0, times, times, len(entries), len(local) + len(packed), 0)
    return local + packed + entries + b"PK\5\6" + end


def _lying_zip() -> bytes:
    """Return a zip file whose directory has another length of its member than unpacks."""
    content = bytearray(zipped({"domains": bytes(1 << 24)}))
    at = content.rfind(b"PK\1\2") + 24
    content[at : at + 4] = struct.pack("<I", 500)
    return bytes(content)


def _nested(depth: int) -> bytes:
    content = GOOD
    for _ in range(depth):
        content = gzip.compress(content)
    return content


ARCHIVES: dict[str, Callable[[], bytes]] = {
    "/long-name.tar.gz": lambda: _long_name(8 << 20),
    "/long-link.tar.gz": lambda: tar_gz(
        member(b"././@LongLink", b"a" * (8 << 20), tarfile.GNUTYPE_LONGLINK),
        member(b"domains", GOOD),
    ),
    "/pax-digits.tar.gz": lambda: _pax(b"0" * 300_000),
    "/pax-keys.tar.gz": lambda: _pax(b"1 a=" * 100_000),
    "/pax-global.tar.gz": lambda: _pax(b"0" * 300_000, tarfile.XGLTYPE),
    "/pax-sparse.tar.gz": lambda: _pax_sparse(500_000),
    "/negative.tar.gz": lambda: tar_gz(header(b"a", -(_BLOCK * 2)), member(b"domains", GOOD)),
    "/endless-skip.tar.gz": lambda: tar_gz(header(b"a", 1 << 87), member(b"domains", GOOD)),
    "/pax-size.tar.gz": lambda: _pax(b"40 size=123456789012345678901234567890\n"),
    "/exabytes.tar.gz": lambda: tar_gz(header(b"domains", 1 << 62), GOOD),
    "/holes.tar.gz": lambda: _sparse(1 << 33),
    "/chain.tar.gz": lambda: tar_gz(
        *(member(b"././@LongLink", b"a" * 200, tarfile.GNUTYPE_LONGNAME) for _ in range(3_000))
    ),
    "/many.tar.gz": lambda: tar_gz(*(header(b"%d" % one, 0) for one in range(20_000))),
    "/zeros.tar.gz": lambda: tar_gz(member(b"zeros", bytes(40 << 20)), member(b"domains", GOOD)),
    "/escape.tar.gz": lambda: tar_gz(
        header(b"domains", 0, tarfile.SYMTYPE, at_157=b"/etc/passwd"),
        member(b"../../../domains", GOOD),
    ),
    "/device.tar.gz": lambda: tar_gz(header(b"domains", 0, tarfile.CHRTYPE)),
    "/name.gz": lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * (1 << 20),
    "/empty-members.gz": lambda: gzip.compress(b"") * 20_000,
    "/nested.gz": lambda: _nested(20),
    "/bomb.gz": lambda: gzip.compress(bytes(24 << 20)),
    "/one-line.gz": lambda: gzip.compress(b"a" * (24 << 20)),
    "/newlines.gz": lambda: gzip.compress(b"\n" * (4 << 20)),
    "/overlapping.zip": lambda: _overlapping(900),
    "/lying.zip": _lying_zip,
    "/deep.zip": lambda: zipped({"a/" * 30_000 + "domains": GOOD}),
    "/directory.zip": lambda: zipped({f"{one:09}" * 20: b"" for one in range(6_000)}),
    "/lzma.zip": lambda: zipped({"domains": GOOD}, zipfile.ZIP_LZMA),
    "/bzip2.zip": lambda: zipped({"domains": bytes(1 << 22)}, zipfile.ZIP_BZIP2),
    "/list.txt.xz": lambda: lzma.compress(GOOD * 100),
    "/list.txt.zst": lambda: b"\x28\xb5\x2f\xfd" + b"\xff" * 500,
}
"""What makes each hostile archive, by the path at which it is served."""


TEXTS: dict[str, Callable[[], bytes]] = {
    "/line.txt": lambda: b"a" * (8 << 20),
    "/utf-16.txt": lambda: GOOD.decode().encode("utf-16"),
    "/octets.txt": lambda: bytes(range(1, 256)) * 4_000,
    "/surrogates.txt": lambda: b"\xed\xa0\x80\xff.example\n" * 4_000,
    "/labels.txt": lambda: (b"a." * 100_000 + b"example\n") * 20,
    "/page.txt": lambda: b"<html>" * 1_000,
}
"""What makes each hostile plain text, by its path."""


def archives() -> dict[str, bytes]:
    """Return hostile archives by the path at which they are served."""
    return {path: made() for path, made in ARCHIVES.items()}


def texts() -> dict[str, bytes]:
    """Return hostile plain texts by their paths."""
    return {path: made() for path, made in TEXTS.items()}

# SPDX-License-Identifier: Apache-2.0
"""Compress files of the feed: whole, and as the difference to an older content.

Both are Zstandard frames (RFC 8878). A difference is a frame that was compressed with the old
content before it, as ``zstd --patch-from`` does: it serves every kind of file, and applying
it is unpacking. (Sorted additions and line numbers would be smaller, 0.6 % of a full list
instead of 1.0 %, but would need a format and a hostile-input parser of their own.)

Unpacking is bounded before it begins: the content's length was signed, the frame must
announce the same, its window may not be larger, and a whole file may expand so much only.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from filterd.base.errors import DigestError, TooLargeError
from filterd.feed.version_files import MAX_VERSION_OCTETS
from filterd.texts.i18n import say

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from typing import TypeAlias

    Prefix: TypeAlias = tuple[zstd.ZstdDict, int] | None

MAX_EXPANSION = 20
"""Octets unpacked for each octet of a whole file; lists have four to five."""
ALWAYS_ALLOWED_OCTETS = 1 << 20
"""Octets that may be unpacked at any expansion: harmless, and a short table repeats itself."""

_FULL_LEVELS = (19, -5, -100)
"""Packed once, downloaded by thousands: the first takes 8 s for a million names and is a sixth
smaller than level 3. The others are for lists that would be smaller than is allowed: thousands
of names that differ in a few digits, as video hosts have them."""
_DELTA_LEVEL = 12
"""Beyond it a difference of a long list hardly shrinks and takes thirty times as long."""
_SMALLEST_WINDOW_LOG, _LARGEST_WINDOW_LOG = 10, 28


def pack(content: bytes) -> bytes:
    """Return a whole file, packed; the same content gives the same octets.

    Raises:
        TooLargeError: no appliance would unpack it.
    """
    for level in _FULL_LEVELS:
        packed = _compressed(content, level, None)
        if not _expands_too_much(len(packed), len(content)):
            break
    _check_expansion(len(packed), len(content))
    return packed


def pack_delta(old: bytes, new: bytes) -> bytes:
    """Return the difference by which ``unpack_delta`` makes ``new`` of ``old``."""
    return _compressed(new, _DELTA_LEVEL, _prefix(old))


def unpack(packed: bytes, length: int) -> bytes:
    """Return the content of a packed file; ``length`` was signed.

    Raises:
        TooLargeError: it is larger than is allowed; nothing was unpacked.
        DigestError: it is not packed, or not a content of this length.
    """
    _check_expansion(len(packed), length)
    return _decompressed(packed, length, None)


def unpack_delta(delta: bytes, old: bytes, length: int) -> bytes:
    """Return the content that a difference makes of an old one; ``length`` was signed.

    Only its SHA-256 shows whether it is the right content: with another old content the same
    difference makes something else, and no error.

    Raises:
        TooLargeError: it is larger than is allowed; nothing was unpacked.
        DigestError: it is not packed, or not a content of this length.
    """
    return _decompressed(delta, length, _prefix(old))


def _compressed(content: bytes, level: int, prefix: Prefix) -> bytes:
    if len(content) > MAX_VERSION_OCTETS:
        raise _too_large(len(content))
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: level,
        # The frame reaches back to its beginning, and so into all that stands before it.
        zstd.CompressionParameter.window_log: _window_log(len(content)),
        zstd.CompressionParameter.enable_long_distance_matching: prefix is not None,
        zstd.CompressionParameter.checksum_flag: False,  # SHA-256 is checked anyway
    }
    return zstd.compress(content, options=options, zstd_dict=prefix)


def _decompressed(packed: bytes, length: int, prefix: Prefix) -> bytes:
    if length > MAX_VERSION_OCTETS:
        raise _too_large(length)
    try:
        if zstd.get_frame_info(packed).decompressed_size != length:
            raise _not_packed(length)
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _window_log(length)}
        decompressor = zstd.ZstdDecompressor(zstd_dict=prefix, options=options)
        content = decompressor.decompress(packed, max_length=length + 1)
    except (zstd.ZstdError, EOFError) as error:
        raise _not_packed(length) from error
    if not decompressor.eof or decompressor.unused_data or len(content) != length:
        raise _not_packed(length)
    return content


def _prefix(old: bytes) -> Prefix:
    """Return what stands before a frame; less than eight octets are none to Zstandard."""
    return zstd.ZstdDict(old, is_raw=True).as_prefix if len(old) >= 8 else None


def _window_log(length: int) -> int:
    """Return the smallest window that holds a whole content."""
    return min(max(length.bit_length(), _SMALLEST_WINDOW_LOG), _LARGEST_WINDOW_LOG)


def _expands_too_much(packed: int, length: int) -> bool:
    return length > max(MAX_EXPANSION * packed, ALWAYS_ALLOWED_OCTETS)


def _check_expansion(packed: int, length: int) -> None:
    if _expands_too_much(packed, length):
        raise TooLargeError(
            say(
                "a file of the feed: {packed} octets would become {length}, more than {most} for "
                "each; the last good version stays, tell the publisher",
                packed=packed,
                length=length,
                most=MAX_EXPANSION,
            )
        )


def _too_large(length: int) -> TooLargeError:
    return TooLargeError(
        say(
            "a file of the feed: {length} octets are more than the {most} that a whole feed may "
            "have; the last good version stays, tell the publisher",
            length=length,
            most=MAX_VERSION_OCTETS,
        )
    )


def _not_packed(length: int) -> DigestError:
    return DigestError(
        say(
            "a file of the feed: it does not unpack to the {length} octets that were signed for; "
            "the last good version stays, tell the publisher",
            length=length,
        )
    )

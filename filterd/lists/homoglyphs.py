# SPDX-License-Identifier: Apache-2.0
"""Homoglyphs: plain form and skeleton of a label, which compare its look.

Two forms of a label. Its *plain* form is what a reader takes it for: accents dropped,
letters of other alphabets as the Latin ones that they look like, hyphens gone, ``rn``
read as ``m`` and ``vv`` as ``w``. Its *skeleton* is the same with each run of digits
and of the letters that digits pass for (``o``, ``i``, ``l``) as one ``#``: labels that
could be taken for each other have one skeleton, and many more have it that could not.
So a skeleton finds candidates, and never decides.

The tables follow UTS 39 for what is drawn alike, in lower case, and leave out what
no keyboard or registry in use here offers.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

IDN_PREFIX: Final = b"xn--"

_LOOKS_LIKE = str.maketrans(
    # Cyrillic, Greek, and Latin letters that no decomposition leads back to.
    "авекмнорстухѕіјһԁԛԝӏαβγεηικνορτυχωđðıłøŧɑɡɩʋ",
    "abekmhopctyxsijhdqwlabyenikvoptuxwddilotagiu",
)
_FOLDED = re.compile(rb"[0-9oil#]+")
_PLAIN = re.compile(rb"[a-z0-9]+")


def plain(label: bytes) -> bytes | None:
    """Return the plain form of a label.

    Args:
        label: of a name in lower-case wire form, without its length; an A-label is decoded.

    Returns:
        Lower-case Latin letters and digits; None where it has a letter that looks like
        none of them, and where nothing is left.
    """
    if label.startswith(IDN_PREFIX):
        try:
            text = label[len(IDN_PREFIX) :].decode("punycode")
        except UnicodeError:
            return None
        label = _drawn(text).encode("ascii", "replace")
    joined = _joined(label)
    return joined if _PLAIN.fullmatch(joined) else None


def skeleton(label: bytes) -> bytes:
    """Return the skeleton of a label, given in ASCII or in plain form."""
    return _FOLDED.sub(b"#", _joined(label))


def may_be_any(label: bytes) -> bool:
    """Return whether a label does not show its look by itself and must be decoded."""
    return label.startswith(IDN_PREFIX)


def _drawn(text: str) -> str:
    """Return a text in Latin letters that look like its own, where there are any."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(one for one in decomposed if not unicodedata.combining(one))
    return bare.translate(_LOOKS_LIKE)


def _joined(label: bytes) -> bytes:
    bare = label.replace(b"-", b"").replace(b"_", b"")
    return bare.replace(b"rn", b"m").replace(b"vv", b"w")

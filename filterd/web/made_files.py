# SPDX-License-Identifier: Apache-2.0
"""Answer with a file that an operation has made: to keep, or to look at."""

from __future__ import annotations

from typing import NamedTuple

from starlette.responses import Response

_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
)
"""A file has its styles in itself, and does nothing: it may be made of texts of others."""


class MadeFile(NamedTuple):
    """A file.

    Attributes:
        name: ASCII without quotes or spaces.
        media_type: its type.
        octets: its content.
        is_shown: the browser shows it, and does not keep it.
    """

    name: str
    media_type: str
    octets: bytes
    is_shown: bool = False

    def answer(self) -> Response:
        """Return the answer with the file."""
        kind = "inline" if self.is_shown else "attachment"
        headers = {"content-disposition": f'{kind}; filename="{self.name}"'}
        if self.is_shown:
            headers["content-security-policy"] = _POLICY
        return Response(self.octets, media_type=self.media_type, headers=headers)

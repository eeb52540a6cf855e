# SPDX-License-Identifier: Apache-2.0
"""Read the fields of a form."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from filterd.web.request_guard import malformed

if TYPE_CHECKING:
    from starlette.requests import Request

_MEDIA_TYPE = "application/x-www-form-urlencoded"
_MOST_FIELDS = 1000


async def fields_of(request: Request) -> dict[str, str]:
    """Return the fields by name; of several boxes with one name the values are lines.

    Raises:
        WebError: the body is none of a form.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _MEDIA_TYPE:
        raise malformed()
    try:
        found = parse_qsl(
            (await request.body()).decode(),
            keep_blank_values=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError as error:
        raise malformed() from error
    fields: dict[str, str] = {}
    for name, value in found:
        fields[name] = f"{fields[name]}\n{value}" if name in fields else value
    return fields

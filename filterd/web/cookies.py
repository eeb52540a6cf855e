# SPDX-License-Identifier: Apache-2.0
"""The cookies of the dashboard: their names, and how a browser keeps them.

The prefix ``__Host-`` binds a cookie to this server; no script reads it, no other site sends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import Response

SESSION, DEVICE, LANGUAGE, SETUP = "__Host-sid", "__Host-device", "__Host-lang", "__Host-setup"


def keep(response: Response, name: str, value: str, lasts_s: int | None = None) -> None:
    """Let the browser keep a cookie for a time; None: until it is closed."""
    response.set_cookie(name, value, lasts_s, secure=True, httponly=True, samesite="strict")


def forget(response: Response, name: str) -> None:
    """Let the browser forget a cookie."""
    response.delete_cookie(name, secure=True, httponly=True, samesite="strict")

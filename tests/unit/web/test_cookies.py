# SPDX-License-Identifier: Apache-2.0
"""Each cookie is of this server only, and out of reach of scripts and other sites."""

from __future__ import annotations

from starlette.responses import Response

from filterd.web import cookies


def test_a_cookie_is_kept_and_forgotten_with_the_same_safeguards() -> None:
    kept, forgotten = Response(), Response()
    cookies.keep(kept, cookies.DEVICE, "secret", 60)
    cookies.forget(forgotten, cookies.DEVICE)
    for response in (kept, forgotten):
        (header,) = response.headers.getlist("set-cookie")
        assert header.startswith("__Host-device=")
        assert {"HttpOnly", "Path=/", "SameSite=strict", "Secure"} <= set(header.split("; "))
        assert "Domain" not in header
    assert "Max-Age=60" in kept.headers["set-cookie"]
    assert "Max-Age=0" in forgotten.headers["set-cookie"]

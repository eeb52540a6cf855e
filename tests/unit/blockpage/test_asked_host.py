# SPDX-License-Identifier: Apache-2.0
"""What pupils paste is a host, or nothing."""

from __future__ import annotations

import pytest

from filterd.blockpage.asked_host import host_of


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("tiktok.com", "tiktok.com"),
        ("  https://WWW.TikTok.com:443/@x?a=b#c ", "www.tiktok.com"),
        ("lan@mail.example/x", "mail.example"),
        ("báo.vn.", "báo.vn"),
        ("127.0.0.1:8080", "127.0.0.1"),
        ("[::1]:80", "::1"),
        ("", ""),
        ("http://[::1", ""),
        ("a" * 5_000, "a" * 2_000),
        ("//a.example/x", ""),
    ],
)
def test_a_host_is_found(text: str, host: str) -> None:
    assert host_of(text) == host

# SPDX-License-Identifier: Apache-2.0
"""A QR code stands in a page without a style of its own, and has a name."""

from __future__ import annotations

from filterd.reports.qr_code import qr_code


def test_a_code_is_drawn_by_attributes_only() -> None:
    drawn = qr_code("otpauth://totp/x?secret=A", 'of "lan"')
    assert drawn.startswith('<div class="qr" role="img" aria-label="of &#34;lan&#34;"><svg')
    assert "style" not in drawn
    assert 'fill="#fff"' in drawn

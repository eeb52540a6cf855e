# SPDX-License-Identifier: Apache-2.0
"""The poster: one page, both languages, a code in the file, and no text becomes markup."""

from __future__ import annotations

from filterd.appliance.pupil_poster import poster


def test_the_poster_has_code_address_help_and_contact_in_both_languages() -> None:
    text = poster("Trường THCS Nguyễn Du", "Phòng tư vấn", "http://192.168.1.1/")
    assert text.count("<svg viewBox=") == 1  # it has the size of the style
    assert text.count("111") == 2
    assert "http://192.168.1.1/" in text
    assert "Ở trường: Phòng tư vấn" in text
    assert "At school: Phòng tư vấn" in text
    assert "<script" not in text


def test_a_contact_that_is_not_there_is_left_out_and_markup_is_text() -> None:
    text = poster("<b>&", "", "http://[fd00::1]/")
    assert "&lt;b&gt;&amp;" in text
    assert "<b>" not in text
    assert "At school" not in text

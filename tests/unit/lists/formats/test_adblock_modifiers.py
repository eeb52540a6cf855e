# SPDX-License-Identifier: Apache-2.0
"""The modifiers that are about lookups, and those that mean all there is at a name."""

from __future__ import annotations

import pytest

from filterd.lists.formats.adblock_modifiers import ModifierError, Modifiers, read_modifiers


@pytest.mark.parametrize(
    ("text", "modifiers"),
    [
        ("", Modifiers()),
        ("important", Modifiers(important=True)),
        ("important,badfilter", Modifiers(important=True, badfilter=True)),
        ("_", Modifiers()),
        ("all", Modifiers(whole=True)),
        ("popup,network,badfilter", Modifiers(badfilter=True, whole=True)),
        ("dnstype=a|TYPE65", Modifiers(types=frozenset({1, 65}))),
        ("dnstype=~AAAA", Modifiers(types=frozenset({28}), types_negated=True)),
        (
            "denyallow=a.example|müller.example",
            Modifiers(
                denyallow=frozenset({b"\x01a\x07example\x00", b"\x0dxn--mller-kva\x07example\x00"})
            ),
        ),
    ],
)
def test_modifiers_that_a_dns_filter_can_honour(text: str, modifiers: Modifiers) -> None:
    assert read_modifiers(text) == modifiers


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("third-party", "unsupported-modifier"),
        ("script,image", "unsupported-modifier"),
        ("all,all", "bad-syntax"),
        ("important,", "unsupported-modifier"),
        ("Important", "unsupported-modifier"),
        ("dnstype=", "unsupported-modifier"),
        ("dnstype=A|~A", "bad-syntax"),
        ("dnstype=A,dnstype=AAAA", "bad-syntax"),
        ("denyallow=*.example.com", "unsupported-pattern"),
        ("denyallow=~a.example", "not-a-name"),
        ("denyallow=com", "single-label"),
    ],
)
def test_others_refuse_the_rule(text: str, reason: str) -> None:
    with pytest.raises(ModifierError) as caught:
        read_modifiers(text)
    assert caught.value.reason == reason

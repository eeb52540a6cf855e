# SPDX-License-Identifier: Apache-2.0
"""Response policy zones: triggers and actions."""

from __future__ import annotations

import pytest

from filterd.lists.rules import Claim, Scope
from tests.support.parsing import EXACT, SUBDOMAINS, exception, refused, said

_HEAD = ("$TTL 2h", "$ORIGIN rpz.test.", "@ SOA ns. host. ( 1 12h", "  15m 3w 2h )", "  NS ns.")
_PASSES = exception(Scope.EXACT, specific=True)


@pytest.mark.parametrize(
    ("record", "claim"),
    [
        ("bad.example CNAME .", EXACT),
        ("bad.example CNAME *.", EXACT),
        ("bad.example CNAME rpz-drop.", EXACT),
        ("bad.example CNAME walled-garden.example.", EXACT),
        ("bad.example CNAME *.walled-garden.example.", EXACT),
        ("bad.example CNAME rpz-not.com.", EXACT),
        ("bad.example 60 IN A 192.0.2.1", EXACT),
        ('bad.example TXT "no"', EXACT),
        ("*.bad.example CNAME .", SUBDOMAINS),
        ("bad.example.rpz.test. CNAME .", EXACT),
        ("bad.example.RPZ.TEST. CNAME .", EXACT),
        ("bad.example CNAME rpz-passthru.", _PASSES),
        ("bad.example CNAME Bad.Example.", _PASSES),
        ("*.bad.example CNAME rpz-passthru.", exception(Scope.SUBDOMAINS, specific=True)),
    ],
)
def test_action_on_a_name(record: str, claim: Claim) -> None:
    assert said("rpz", *_HEAD, record) == [("bad.example", claim)]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("24.0.2.0.192.rpz-ip CNAME .", "unsupported-trigger"),
        ("32.1.2.0.192.rpz-client-ip CNAME rpz-drop.", "unsupported-trigger"),
        ("ns.example.rpz-nsdname CNAME .", "unsupported-trigger"),
        ("*.example.rpz-nsdname CNAME .", "unsupported-trigger"),
        ("32.1.2.0.192.rpz-nsip CNAME .", "unsupported-trigger"),
        ("bad.example CNAME rpz-tcp-only.", "unsupported-option"),
        ("bad.example CNAME rpz-unheard-of.", "unsupported-option"),
        ("good.example CNAME rpz-passthru", "unsupported-option"),
        ("bad.example DNAME other.example.", "unsupported-option"),
        ("* CNAME .", "everything"),
        ("com CNAME .", "single-label"),
        ("bad.example. CNAME .", "bad-syntax"),
        (r"b\.ad.example CNAME .", "not-a-name"),
    ],
)
def test_other_triggers_and_actions_are_refused(record: str, reason: str) -> None:
    assert refused("rpz", *_HEAD, record) == [reason]


@pytest.mark.parametrize("record", ["@ TXT words", "a.example RRSIG A 8 2", "@ DNSKEY 256 3 8 AA"])
def test_what_makes_a_zone_a_zone_says_nothing(record: str) -> None:
    assert said("rpz", *_HEAD, record) == []


@pytest.mark.parametrize(
    "lines",
    [
        ("bad.example CNAME .",),
        ("bad.example. CNAME .",),
        ("@ SOA ns. host. 1 2 3 4 5", "bad.example CNAME ."),
        ("rpz.test. SOA ns. host. 1 2 3 4 5", "bad.example CNAME ."),
        ("$ORIGIN test.", "rpz SOA ns. host. 1 2 3 4 5", "bad.example.rpz CNAME ."),
        (
            "$ORIGIN test.",
            "rpz SOA ns. host. 1 2 3 4 5",
            "$ORIGIN rpz.test.",
            "bad.example CNAME .",
        ),
        ("$ORIGIN rpz.test.", "bad.example CNAME ."),
        (*_HEAD, "$ORIGIN example.rpz.test.", "bad CNAME ."),
    ],
)
def test_trigger_is_the_owner_relative_to_the_apex(lines: tuple[str, ...]) -> None:
    assert said("rpz", *lines) == [("bad.example", EXACT)]


def test_local_data_of_several_types_is_one_entry() -> None:
    assert said("rpz", *_HEAD, "bad.example A 192.0.2.1", "  AAAA 2001:db8::1") == [
        ("bad.example", EXACT)
    ]

# SPDX-License-Identifier: Apache-2.0
"""dnsmasq options that block, and those that do something else."""

from __future__ import annotations

import pytest

from filterd.lists.formats.dnsmasq import parse_dnsmasq
from filterd.lists.rules import Claim, Scope
from tests.support.parsing import SUBDOMAINS, SUBTREE, exception, refused, said


@pytest.mark.parametrize(
    ("line", "claim"),
    [
        ("address=/example.com/", SUBTREE),
        ("address=/example.com/#", SUBTREE),
        ("address=/example.com/0.0.0.0", SUBTREE),
        ("address=/example.com/127.0.0.1", SUBTREE),
        ("address=/example.com/::", SUBTREE),
        ("address=/.example.com/#", SUBTREE),
        ("address = /example.com/#   # why", SUBTREE),
        ("local=/example.com/", SUBTREE),
        ("server=/example.com/", SUBTREE),
        ("address=/*.example.com/#", SUBDOMAINS),
        ("server=/example.com/#", exception(Scope.SUBTREE, specific=True)),
        ("server=/*.example.com/#", exception(Scope.SUBDOMAINS, specific=True)),
    ],
)
def test_option_about_a_name(line: str, claim: Claim) -> None:
    assert said("dnsmasq", line) == [("example.com", claim)]


def test_option_may_name_several_domains() -> None:
    assert said("dnsmasq", "address=/a.example/b.example/#") == [
        ("a.example", SUBTREE),
        ("b.example", SUBTREE),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("address=/www.google.com/216.239.38.120", "unsupported-option"),
        ("server=/corp.example/192.0.2.1", "unsupported-option"),
        ("server=192.0.2.1", "unsupported-option"),
        ("cname=a.example,b.example", "unsupported-option"),
        ("host-record=a.example,0.0.0.0", "unsupported-option"),
        ("conf-file=/etc/passwd", "unsupported-option"),
        ("bogus-priv", "unsupported-option"),
        ("address=/", "bad-syntax"),
        ("address=/#/0.0.0.0", "everything"),
        ("address=/*example.com/#", "unsupported-pattern"),
        ("address=/a*b.example/#", "unsupported-pattern"),
        ("local=//", "single-label"),
        ("local=/com/", "single-label"),
        ("local=/192.0.2.1/", "ip-address"),
        ("local=/" + "x" * 5000 + "/", "too-long"),
    ],
)
def test_other_options_are_refused(line: str, reason: str) -> None:
    assert refused("dnsmasq", line) == [reason]


def test_comments_say_nothing() -> None:
    assert list(parse_dnsmasq(["# address=/a.example/#", "", "  "])) == []

# SPDX-License-Identifier: Apache-2.0
"""Adblock rules: which are about names, and which only look so."""

from __future__ import annotations

import pytest

from filterd.lists.formats import Entry, adblock
from filterd.lists.formats.adblock import ModifierError, Modifiers, parse_adblock, read_modifiers
from filterd.lists.rules import Claim, Effect, Scope
from tests.support.parsing import EXACT, SUBDOMAINS, SUBTREE, cancelled, exception, refused, said


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


@pytest.mark.parametrize(
    ("rule", "claim"),
    [
        ("||example.com^", SUBTREE),
        ("||example.com^|", SUBTREE),
        ("||example.com|", SUBTREE),
        ("||example.com", SUBTREE),
        ("||*.example.com^", SUBDOMAINS),
        ("*.example.com^", SUBDOMAINS),
        ("*.example.com", SUBDOMAINS),
        (".example.com^", SUBDOMAINS),
        ("|example.com^", EXACT),
        ("|example.com|", EXACT),
        ("|example.com^|", EXACT),
        ("example.com", EXACT),
        ("0.0.0.0 example.com", EXACT),
        ("0.0.0.0 example.com # why", EXACT),
        ("@@||example.com^", exception(Scope.SUBTREE)),
        ("@@||example.com^|", exception(Scope.SUBTREE)),
        ("@@||*.example.com^", exception(Scope.SUBDOMAINS)),
        ("@@|example.com^", exception(Scope.EXACT)),
        ("||example.com^$important", Claim(Scope.SUBTREE, important=True)),
        ("@@||example.com^$important", exception(Scope.SUBTREE, important=True)),
        ("||example.com^$all", SUBTREE),
        ("||example.com^$document", SUBTREE),
        ("||example.com^$doc,popup,script", SUBTREE),
        ("||example.com$all", SUBTREE),
        ("|example.com^$all", EXACT),
        ("||example.com^$all,important", Claim(Scope.SUBTREE, important=True)),
        ("||example.com^$_,all,___", SUBTREE),
        ("||example.com^$dnstype=AAAA", Claim(Scope.SUBTREE, types=frozenset({28}))),
        (
            "||example.com^$dnstype=~A|~AAAA,important",
            Claim(Scope.SUBTREE, important=True, types=frozenset({1, 28}), types_negated=True),
        ),
        (
            "||example.com^$denyallow=good.example.com",
            Claim(Scope.SUBTREE, denyallow=frozenset({b"\x04good\x07example\x03com\x00"})),
        ),
    ],
)
def test_rule_about_a_name(rule: str, claim: Claim) -> None:
    assert said("adblock", rule) == [("example.com", claim)]


@pytest.mark.parametrize("line", ["", "! note", "[Adblock Plus 2.0]", "# note", "#", "#########"])
def test_blank_lines_and_comments_say_nothing(line: str) -> None:
    assert list(parse_adblock([line])) == []


@pytest.mark.parametrize(
    "rule",
    [
        "example.com##.ads",
        "example.com###ads",
        "example.com,example.net#@#.ads",
        "example.com#?#div:has(.ads)",
        "example.com#$#body { margin: 0 }",
        "example.com#%#window.ads = 0",
        "example.com#@?#.ads",
        "example.com$$script[ads]",
        "##.ads",
        "###ads",
        "#@#.ads",
    ],
)
def test_element_hiding_is_never_taken_for_a_name(rule: str) -> None:
    assert refused("adblock", rule) == ["cosmetic-rule"]


def test_control_without_looking_for_element_hiding_a_rule_would_be_misread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(adblock, "_cosmetic", lambda _: None)
    assert refused("adblock", "example.com##.ads") != ["cosmetic-rule"]
    assert list(parse_adblock(["###ads"])) == []


@pytest.mark.parametrize(
    "modifier",
    [
        "third-party",
        "3p",
        "all,third-party",
        "all,domain=example.net",
        "doc,~script",
        "~all",
        "all=1",
        "popup",
        "script,image",
        "domain=example.net",
        "client=192.0.2.1",
        "ctag=device_pc",
        "dnsrewrite=192.0.2.1",
        "important,third-party",
        "important=1",
        "dnstype",
    ],
)
def test_rule_with_a_modifier_for_browsers_is_refused_whole(modifier: str) -> None:
    assert refused("adblock", f"||example.com^${modifier}") == ["unsupported-modifier"]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("/ads[0-9]/", "regular-expression"),
        ("/ads/$important", "regular-expression"),
        ("@@/ads/", "regular-expression"),
        ("||example.com/path", "url-with-path"),
        ("||example.com^/path", "url-with-path"),
        ("@@||example.com/path$important", "url-with-path"),
        ("http://example.com^", "url-with-path"),
        ("://example.com", "url-with-path"),
        ("/banner-", "url-with-path"),
        ("||example.com^path", "unsupported-pattern"),
        ("||ex*mple.com^", "unsupported-pattern"),
        ("||example.*^", "unsupported-pattern"),
        ("||example.", "unsupported-pattern"),
        ("|example.com", "unsupported-pattern"),
        (".example.com", "unsupported-pattern"),
        ("example.com^", "unsupported-pattern"),
        ("example.com$all", "unsupported-pattern"),
        ("&campaign=$document", "unsupported-pattern"),
        ("||192.0.2.1^", "ip-address"),
        ("||com^", "single-label"),
        ("||*.com^", "single-label"),
        ("||.com^", "not-a-name"),
        ("||*^", "everything"),
        ("*", "everything"),
        ("||*^$dnstype=HTTPS", "everything"),
        ("$important", "everything"),
        ("$popup", "unsupported-modifier"),
        ("||example.com^$dnstype=A|~AAAA", "bad-syntax"),
        ("||example.com^$dnstype=NOSUCH", "bad-syntax"),
        ("||example.com^$important,important", "bad-syntax"),
        ("192.0.2.1 example.com", "not-a-sinkhole-address"),
        ("not a rule", "bad-syntax"),
        ("||" + "x" * 5000 + "^", "too-long"),
    ],
)
def test_rule_that_is_not_about_a_name_is_refused(rule: str, reason: str) -> None:
    assert refused("adblock", rule) == [reason]


@pytest.mark.parametrize("modifier", ["all", "document", "doc", "network"])
def test_an_exception_for_the_page_in_a_browser_does_not_open_the_name(modifier: str) -> None:
    assert refused("adblock", f"@@||example.com^${modifier}") == ["unsupported-modifier"]


def test_a_whole_list_of_all_is_kept() -> None:
    """A published list of uBlock has 34,370 of these lines, and nothing else."""
    rules = [f"||name{number}.example^$all" for number in range(34_370)]
    assert len([one for one in parse_adblock(rules) if isinstance(one, Entry)]) == len(rules)


def test_badfilter_cancels_the_same_rule_without_it() -> None:
    rule = "||example.com^$badfilter,important"
    assert cancelled("adblock", rule) == [("example.com", Claim(Scope.SUBTREE, important=True))]
    assert said("adblock", rule) == []


def test_exceptions_of_adblock_outrank_longer_names() -> None:
    [(_, claim)] = said("adblock", "@@||example.com^")
    assert claim.effect is Effect.EXCEPT
    assert not claim.specific


def test_equal_claims_of_a_list_are_one_object() -> None:
    rules = [f"||{name}.example^$dnstype=A,important" for name in "abc"]
    parsed = [item for item in parse_adblock(rules) if isinstance(item, Entry)]
    assert len({id(item.claim) for item in parsed}) == 1

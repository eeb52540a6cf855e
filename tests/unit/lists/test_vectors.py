# SPDX-License-Identifier: Apache-2.0
"""What other filters expect of list lines, held where it applies.

``DIFFERENCES`` has every expectation that filterd does not share and why. An
entry that is no longer needed fails the test, so the table stays true.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from publicsuffixlist import PublicSuffixList

from filterd.lists.formats import FORMATS, Entry, Problem
from filterd.lists.hostname import HostnameError, key_from_text, text_from_key
from filterd.lists.report import Reason
from filterd.lists.rules import Claim, Effect, Scope
from tests.support.parsing import EXACT, SUBDOMAINS, SUBTREE, exception, lines_of, said
from tests.support.shared_data import shared

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCAL = "a hosts file's names for the machine itself are counted, not listed"
_SINGLE = "a single label is no host on the Internet; a list may not name it"
_DENYALLOW = "a public suffix stays too much to block, whatever $denyallow or a client takes out"
_PATTERN = "a pattern over characters is no set of names that an index can hold"
_LENIENT = "hyphens may stand anywhere: the DNS allows them and such names are looked up"

DIFFERENCES: dict[str, dict[str, str]] = {
    "blocky/lines": {
        "localhost": _LOCAL,
        "::1 localhost alias": _LOCAL,
        "127.0.0.1 domain.tld alias1 alias2": _SINGLE,
        "/domain\\.(tld|local)/": "lists may not carry regular expressions",
        "/^(.*\\.)?2023\\.xn--aptslabs-6fd\\.net$/": "lists may not carry regular expressions",
    },
    "blocky/names": {
        "a": _SINGLE,
        "-": _SINGLE,
        "_": _SINGLE,
        "a.": _SINGLE,
        "_.": _SINGLE,
        "a_": _SINGLE,
        "a" * 63: _SINGLE,
        "192.168.1.1": "an address is not a name; filterd lists names",
    },
    "urlfilter/hosts": {
        "209.237.226.90  www.opensource.org": "a real address is a redirection, not a block",
        "127.0.1.1       thishost.mydomain.org  thishost": _SINGLE,
        "::1             localhost ip6-localhost ip6-loopback": _LOCAL,
    },
    "urlfilter/names": {"www.-example.com": _LENIENT},
    "hostlist-compiler/validate": {
        "||ex*.org^": _PATTERN,
        "://ww4.$denyallow=ww4.example.com": _PATTERN,
        "://example.org": _PATTERN,
        "||*.ga^$denyallow=example1.ga|example2.ga": _DENYALLOW,
        "||*.org^$denyallow=example.com": _DENYALLOW,
        "||*.asia^$denyallow=fap.bar": _DENYALLOW,
        "||xyz^$denyallow=example.com": _DENYALLOW,
        "||*.com.tr^$denyallow=example.com": _DENYALLOW,
        "||*.org^$badfilter": _DENYALLOW,
        "||*.asia^$badfilter": _DENYALLOW,
        "||xyz^$badfilter": _DENYALLOW,
        "@@||*.org^$client=127.0.0.1": _DENYALLOW,
        "||*.asia^$client=192.168.0.0/24": _DENYALLOW,
        "||xyz^$client=192.168.0.0/24": _DENYALLOW,
        "||*.co.uk^$client=127.0.0.1": _DENYALLOW,
    },
    "hostlist-compiler/hosts": {
        "fe80::1%lo0 localhost": _LOCAL,
        "ff02::3 ip6-allhosts": _LOCAL,
    },
}

_suffixes = PublicSuffixList()


def _rows(path: str) -> Iterator[dict[str, Any]]:
    for line in lines_of(shared(f"vectors/{path}")):
        yield json.loads(line)


def _hold(table: str, disagreements: set[str]) -> None:
    """Assert that exactly the expectations of the table are not held."""
    assert disagreements == set(DIFFERENCES[table])


def _names(list_format: str, *lines: str) -> list[str] | None:
    """Return the names that the lines make as A-labels, or None where any of it is refused."""
    names = []
    for item in FORMATS[list_format](lines):
        if isinstance(item, Problem):
            return None
        try:
            names.append(text_from_key(key_from_text(item.name)))
        except HostnameError:
            return None
    return names


def _blocky_format(line: str) -> str:
    """Return the format that a line shows: blocky guesses by line, filterd has it by list."""
    if line.startswith(("/", "|")):
        return "adblock"
    if line.startswith("*"):
        return "wildcard"
    return "hosts" if " " in line.partition(" #")[0].strip() else "domains"


def test_lines_of_blocky() -> None:
    disagreements = set()
    for row in _rows("blocky/list-lines.jsonl"):
        if "line" in row:
            line = row["line"]
            expected = None if row.get("error") else row["entries"]
            expected = [name.removeprefix("*.") for name in expected] if expected else expected
            if _names(_blocky_format(line), line) != expected:
                disagreements.add(line)
    _hold("blocky/lines", disagreements)


def test_names_of_blocky() -> None:
    rows = [row for row in _rows("blocky/list-lines.jsonl") if "domain" in row]
    disagreements = {
        row["domain"] for row in rows if _is_name(row["domain"]) is not row["valid_name"]
    }
    _hold("blocky/names", disagreements)


def test_hosts_lines_of_urlfilter() -> None:
    disagreements = set()
    for row in _rows("urlfilter/hostrule.jsonl"):
        expected = row.get("hosts")
        if (_names("hosts", row["line"]) or None) != expected:
            disagreements.add(row["line"])
    _hold("urlfilter/hosts", disagreements)


def test_host_names_of_urlfilter() -> None:
    rows = _rows("urlfilter/validate_host.jsonl")
    disagreements = {row["host"] for row in rows if _is_name(row["host"]) is bool(row["error"])}
    _hold("urlfilter/names", disagreements)


def test_rules_that_hostlist_compiler_keeps() -> None:
    disagreements = set()
    for row in _rows("hostlist-compiler/transforms.jsonl"):
        if row["fn"] == "transformations/validate.validate" and row["op"] == "equal":
            kept = set(row["expected"])
            rules = {rule for rule in row["args"][0] if rule and not rule.startswith("!")}
            disagreements |= {rule for rule in rules if _is_kept(rule) is not (rule in kept)}
    _hold("hostlist-compiler/validate", disagreements)


def test_hosts_lines_of_hostlist_compiler() -> None:
    disagreements = set()
    for row in _rows("hostlist-compiler/transforms.jsonl"):
        line = row["args"][0]
        if row["fn"] == "rule.isEtcHostsRule":
            hosts_line = " " in line and bool(_names("hosts", line))
            if hosts_line is not row["expected"]:
                disagreements.add(line)
    _hold("hostlist-compiler/hosts", disagreements)


def test_plain_names_of_hostlist_compiler() -> None:
    for row in _rows("hostlist-compiler/transforms.jsonl"):
        if row["fn"] == "rule.isJustDomain":
            assert bool(_names("domains", *row["args"])) is row["expected"]


def test_unicode_rules_of_hostlist_compiler_mean_their_ascii_form() -> None:
    for row in _rows("hostlist-compiler/transforms.jsonl"):
        if row["fn"] == "transformations/covert-to-ascii":
            for rule, ascii_rule in zip(row["args"][0], row["expected"], strict=True):
                assert _meaning(rule) == _meaning(ascii_rule)


def test_gravity_of_pihole() -> None:
    text = "\n".join(lines_of(shared("vectors/pihole-ftl/gravity.db.sql")))
    rows = re.findall(r"INSERT INTO (?:anti)?gravity VALUES\('([^']+)'", text)
    claims = dict(said("adblock", *rows))
    assert claims["gravity.ftl"] == EXACT
    assert claims["special.gravity.ftl"] == SUBTREE
    assert claims["antigravity.ftl"] == exception(Scope.SUBTREE)


def test_names_of_dnscrypt_proxy() -> None:
    lines = lines_of(shared("vectors/dnscrypt-proxy/example-blocked-names.txt"))
    parsed = list(FORMATS["wildcard"](lines))
    names = {item.name for item in parsed if isinstance(item, Entry)}
    assert names == {"local", "eth0.me", "workgroup"}
    reasons = {item.reason for item in parsed if isinstance(item, Problem)}
    assert reasons == {Reason.UNSUPPORTED_PATTERN}


_PDNS = {
    "nxdomain.org": {EXACT},
    "nxdomain-apex.org": {SUBDOMAINS},
    "mail.nxdomain-apix.org": {exception(Scope.EXACT, specific=True)},
    "example.net": {EXACT, SUBDOMAINS},
    "local.org": {EXACT, SUBDOMAINS},
    "local-a.org": {EXACT},
    "local-a-apex.org": {SUBDOMAINS},
}
_UNBOUND = {
    "a": {EXACT, SUBDOMAINS},
    "b.a": {EXACT},
    "c.a": {exception(Scope.EXACT, specific=True)},
    "c.g": {exception(Scope.EXACT, specific=True)},
}


def _claims(lines: list[str]) -> tuple[dict[str, set[Claim]], list[str]]:
    """Return the claims of a zone by name, and the reasons of its problems."""
    claims: dict[str, set[Claim]] = {}
    reasons = []
    for item in FORMATS["rpz"](lines):
        if isinstance(item, Problem):
            reasons.append(item.reason.value)
        else:
            claims.setdefault(item.name, set()).add(item.claim)
    return claims, reasons


def _unbound_zones() -> Iterator[list[str]]:
    for path in sorted(shared("vectors/unbound").glob("*rpz*.rpl")):
        zone: list[str] | None = None
        for line in lines_of(path):
            if line.startswith("TEMPFILE_CONTENTS"):
                zone = []
            elif line.startswith("TEMPFILE_END") and zone is not None:
                yield zone
                zone = None
            elif zone is not None:
                zone.append(line)


def test_zone_of_powerdns() -> None:
    claims, reasons = _claims(lines_of(shared("vectors/pdns/fuzzing__corpus__zones__basic.rpz")))
    assert claims == _PDNS
    assert sorted(reasons) == ["unsupported-option"] * 2 + ["unsupported-trigger"] * 6


def test_recursor_zones_of_powerdns() -> None:
    text = lines_of(shared("vectors/pdns/rpz-zones-from-config.sh.txt"))
    claims, reasons = _claims(
        [line.replace("$SOA", "a. b. 1 2 3 4 5").lstrip("\\") for line in text]
    )
    assert claims["arthur.example.net"] == {EXACT, SUBDOMAINS}
    assert claims["srv.arthur.example.net"] == {exception(Scope.EXACT, specific=True)}
    assert claims["not-rpz.example.net"] == {EXACT}
    assert "unsupported.example.net" not in claims
    assert set(reasons) == {"unsupported-option", "unsupported-trigger"}


def test_every_zone_of_unbound_is_read_without_a_syntax_error() -> None:
    zones = list(_unbound_zones())
    assert len(zones) >= 10
    for zone in zones:
        assert set(_claims(zone)[1]) <= {"unsupported-option", "unsupported-trigger"}


def test_first_zone_of_unbound_by_its_names() -> None:
    zone = next(zone for zone in _unbound_zones() if "b.a\tCNAME \t*." in zone)
    assert _claims(zone)[0] == _UNBOUND


def test_zone_of_unbound_without_an_origin() -> None:
    path = shared("vectors/unbound/rpz_reload.tdir__rpz.example.com.zone")
    assert _claims(lines_of(path)) == (
        {"foo.example.net": {EXACT}, "www.example.net": {EXACT}},
        [],
    )


def test_typed_zones_of_unbound() -> None:
    lines = lines_of(shared("vectors/unbound/local_block_a.rpl"))
    config = lines[: lines.index("stub-zone:")]
    found = {
        item.name: item.claim.types
        for item in FORMATS["unbound"](config)
        if isinstance(item, Entry) and item.claim.effect is Effect.BLOCK
    }
    assert found["example1.com."] == frozenset({1})
    assert found["example2.com."] == frozenset({28})


def _is_name(text: str) -> bool:
    try:
        key_from_text(text)
    except HostnameError:
        return False
    return True


def _meaning(rule: str) -> list[object]:
    """Return what a rule means or why it is refused, without how it is written."""
    meaning: list[object] = []
    for item in FORMATS["adblock"]([rule]):
        if isinstance(item, Problem):
            meaning.append(item.reason)
            continue
        try:
            meaning.append((key_from_text(item.name), item.claim))
        except HostnameError as error:
            meaning.append((error.reason, item.claim))
    return meaning


def _is_kept(rule: str) -> bool:
    """Return whether the compiler would keep a rule: names that are no public suffix."""
    names = _names("adblock", rule)
    return bool(names) and all(_suffixes.publicsuffix(name) != name for name in names or ())


@pytest.mark.parametrize("table", DIFFERENCES)
def test_every_difference_has_a_reason(table: str) -> None:
    assert all(DIFFERENCES[table].values())

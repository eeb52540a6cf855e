# SPDX-License-Identifier: Apache-2.0
"""Lists as published: the same list in several formats, and every format over every file."""

from __future__ import annotations

from functools import cache

import pytest

from filterd.lists.formats import FORMATS, Cancelled, Entry, Problem
from filterd.lists.hostname import HostnameError, key_from_text
from tests.support.parsing import EXACT, SUBTREE, claims_of, lines_of
from tests.support.shared_data import shared

_SUBTREE_FORMATS = ("adblock", "wildcard", "dnsmasq", "unbound")

_CLEAN = {
    "hostsVN/extensions/gambling/domain.txt.zst": "domains",
    "hostsVN/extensions/gambling/filter-VN.txt": "adblock",
    "hostsVN/extensions/gambling/hosts.zst": "hosts",
    "hostsVN/option/dnscrypt-hostsVN.txt.zst": "wildcard",
    "hostsVN/option/dnsmasq-hostsVN.conf.zst": "dnsmasq",
    "sinfonietta/pornography-hosts.zst": "hosts",
    "lightswitch05/dating-services-extended.txt.zst": "hosts",
    "blocklistproject/redirect.txt.zst": "hosts",
    "blocklistproject/alt-version/phishing-nl.txt.zst": "domains",
    "blocklistproject/dnsmasq-version/drugs-dnsmasq.txt.zst": "dnsmasq",
    "blocklistproject/adguard/drugs-ags.txt.zst": "adblock",
    "ut1/gambling/domains.zst": "domains",
    "ut1/vpn/domains.zst": "domains",
    "adguard-urlfilter-testdata/adguard_sdn_filter.txt.zst": "adblock",
    "hagezi2022/unbound/fake.blacklist.conf.zst": "unbound",
}
"""Lists of each format, kept well; at most 2 % of what they say may be refused."""

_LINES_OF_A_FOREIGN_FORMAT = [200, pytest.param(2_000, marks=pytest.mark.long)]
"""The first of each file."""


@cache
def _hagezi(list_format: str, title: str) -> list[str]:
    [path] = shared(f"lists/hagezi2022/{list_format}").glob(f"{title}.*")
    return lines_of(path)


@pytest.mark.parametrize("title", ["fake", "nosafesearch", "doh-vpn-proxy-bypass"])
def test_one_list_in_four_formats_means_the_same(title: str) -> None:
    meanings = [claims_of(name, _hagezi(name, title)) for name in _SUBTREE_FORMATS]
    assert meanings[0]
    assert all(meaning == meanings[0] for meaning in meanings)
    assert {claim for _, claim in meanings[0]} == {SUBTREE}


@pytest.mark.parametrize("title", ["fake", "nosafesearch", "doh-vpn-proxy-bypass"])
def test_hosts_and_domains_have_the_same_names_with_another_meaning(title: str) -> None:
    hosts = claims_of("hosts", _hagezi("hosts", title))
    domains = claims_of("domains", _hagezi("domains", title))
    assert {key for key, _ in hosts} == {key for key, _ in domains}
    assert {claim for _, claim in hosts} == {EXACT}
    assert {claim for _, claim in domains} == {SUBTREE}


@pytest.mark.parametrize("path", _CLEAN)
def test_little_of_a_well_kept_list_is_refused(path: str) -> None:
    entries = refusals = 0
    for item in FORMATS[_CLEAN[path]](lines_of(shared(f"lists/{path}"))):
        if isinstance(item, Entry) and _is_name(item.name):
            entries += 1
        else:
            refusals += 1
    share = refusals / (entries + refusals)
    print(f"{path}: {entries} entries, {share:.2%} refused")  # noqa: T201 -- seen with pytest -s
    assert entries > 0
    assert share <= 0.02


def test_element_hiding_lists_name_nothing() -> None:
    for title in ("abpvn_elemhide", "abpvn_adult_elemhide"):
        assert claims_of("adblock", lines_of(shared(f"lists/abpvn/src/{title}.txt"))) == set()


def test_rules_for_browsers_do_not_become_blocks() -> None:
    lines = lines_of(shared("lists/abpvn/abpvn.txt"))
    for item in FORMATS["adblock"](lines):
        if isinstance(item, Entry):
            assert "$" not in lines[item.line - 1]
            assert "/" not in lines[item.line - 1]


@pytest.mark.parametrize("most", _LINES_OF_A_FOREIGN_FORMAT)
@pytest.mark.parametrize("list_format", FORMATS)
def test_every_published_file_is_survived(list_format: str, most: int) -> None:
    for lines in _beginnings(most):
        for item in FORMATS[list_format](lines):
            assert isinstance(item, Entry | Cancelled | Problem)
            assert 1 <= item.line <= len(lines)


@cache
def _beginnings(most: int) -> list[list[str]]:
    paths = [path for path in sorted(shared("lists").rglob("*")) if path.is_file()]
    return [lines_of(path)[:most] for path in paths]


def _is_name(text: str) -> bool:
    try:
        key_from_text(text)
    except HostnameError:
        return False
    return True

# SPDX-License-Identifier: Apache-2.0
"""Public suffixes, which no list may name: strangers register names beneath them.

The Public Suffix List is read once, with its private section (``blogspot.com``
is as full of strangers as ``com.vn``), into sets of index keys, so that a check
costs a hash lookup. As the package that ships the list reads it, a rule
``*.example`` makes ``example`` itself public too.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import publicsuffixlist

from filterd.lists.hostname import key_from_name, key_from_text, name_from_key, text_from_key
from filterd.wire import name as names

if TYPE_CHECKING:
    from collections.abc import Callable


_PRIVATE = "// ===BEGIN PRIVATE DOMAINS==="
"""Before it stand the registries' suffixes, behind it those of companies."""
_OF_NOBODY = "\ntranslate.goog\n"
"""Listed to keep cookies apart. Its operator alone makes the names beneath, and a list may
have it: each is another site, seen through a translator."""
_rules_in = re.compile(r"^(?!//)\S+", re.MULTILINE).findall
"""The rules of a text, in its notation."""


class SuffixRules(NamedTuple):
    """Keys: public ones, those with only public children, and the exceptions."""

    public: frozenset[bytes]
    wildcards: frozenset[bytes]
    exceptions: frozenset[bytes]


def is_public_suffix(key: bytes) -> bool:
    """Return whether a key is a public suffix; every single label is.

    For some names: they are looked for among the rules as they are written, because to
    make keys of all of these takes a tenth of what compiling a site does.
    """
    text = text_from_key(key)
    if "xn--" in text:  # the rules have the other form of such a label
        return public_suffix_test()(key)
    parent, rules = text.partition(".")[2], _written()
    return (
        not parent
        or text in rules
        or f"*.{text}" in rules
        or (f"*.{parent}" in rules and f"!{text}" not in rules)
    )


def read_suffixes() -> None:
    """Read the list now, for processes that are forked afterwards and ask no disk.

    Raises:
        OSError: it cannot be read.
    """
    _written()


@cache
def public_suffix_test() -> Callable[[bytes], bool]:
    """Return a test for keys that has its rules ready, for a million of them."""
    public, wildcards, exceptions = suffix_rules()

    def test(key: bytes) -> bool:
        if key in public:
            return True
        parent = key[: key.rfind(b"\0", 0, -1) + 1]
        return not parent or (parent in wildcards and key not in exceptions)

    return test


def registrable(name: bytes) -> bytes:
    """Return the registered domain of a wire name; a public suffix is its own."""
    part = name
    for above in names.suffixes(name):
        key = key_from_name(above)
        if key is None or is_public_suffix(key):
            break
        part = above
    return part


@cache
def top_level_names() -> tuple[bytes, ...]:
    """Return the wire names of all top-level domains of the list, sorted."""
    rules = (rule.removeprefix("*.") for rule in _written())
    return tuple(sorted({name_from_key(_key(rule)) for rule in rules if "." not in rule}))


def public_suffixes() -> tuple[bytes, ...]:
    """Return the wire names of all listed suffixes of two labels or more, sorted."""
    return tuple(
        sorted(name_from_key(key) for key in suffix_rules().public if key.count(b"\0") > 1)
    )


_OF_SCHOOLS = frozenset(("ac", "ed", "edu", "k12", "sch", "school"))


@cache
def education_suffixes() -> tuple[bytes, ...]:
    """Return, sorted, the wire names of suffixes that registries keep for education.

    They are ``edu`` and what a rule shows beneath another domain: ``ac.uk``, ``k12.ca.us``.
    """
    rules = (rule.removeprefix("*.") for rule in _written() if not rule.startswith("!"))
    found = {_key(rule) for rule in rules if rule.partition(".")[0] in _OF_SCHOOLS and "." in rule}
    beneath = {
        _key(f"{label}.{rule[2:]}")
        for rule in _written()
        if rule.startswith("*.") and rule.count(".") == 1
        for label in _OF_SCHOOLS
    }
    kept = (found | beneath | {_key("edu")}) - _company_suffixes()
    return tuple(sorted(name_from_key(key) for key in kept))


def is_company_suffix(key: bytes) -> bool:
    """Return whether a suffix is in the list's private section.

    That section changes every week.
    """
    return key in _company_suffixes()


def has_strangers_beneath(name: bytes, *, companies: bool = True) -> bool:
    """Return whether strangers may register names beneath a wire name.

    Args:
        name: of any kind; one label that is no top-level domain is a local name.
        companies: whether companies' suffixes count beside those of registries.
    """
    if names.count_labels(name) <= 1:
        text = names.to_text(name).removesuffix(".")
        if "xn--" in text:  # as in is_public_suffix
            return name in top_level_names()
        return not _written().isdisjoint((text, f"*.{text}"))
    key = key_from_name(name)
    return key is not None and is_public_suffix(key) and (companies or not is_company_suffix(key))


@cache
def _company_suffixes() -> frozenset[bytes]:
    rules = _rules_in(_text().partition(_PRIVATE)[2])
    return frozenset(_key(rule.removeprefix("*.")) for rule in rules if not rule.startswith("!"))


@cache
def suffix_rules() -> SuffixRules:
    """Return the rules of the shipped list."""
    public, wildcards, exceptions = set[bytes](), set[bytes](), set[bytes]()
    for rule in _rules_in(_text()):
        if rule.startswith("*."):
            wildcards.add(_key(rule[2:]))
        elif rule.startswith("!"):
            exceptions.add(_key(rule[1:]))
        else:
            public.add(_key(rule))
    return SuffixRules(frozenset(public | wildcards), frozenset(wildcards), frozenset(exceptions))


@cache
def _written() -> frozenset[str]:
    """Return the rules in the notation of the list."""
    return frozenset(_rules_in(_text()))


def _text() -> str:
    """Return the list that ships with ``publicsuffixlist``, without ``_OF_NOBODY``."""
    listed = Path(publicsuffixlist.PSLFILE).read_text(encoding="utf-8")
    return listed.replace(_OF_NOBODY, "\n")


def _key(rule: str) -> bytes:
    """Return the key of a rule, which may be one label."""
    if "." in rule:
        return key_from_text(rule)
    # One label is refused, and a refusal is slow; a second one makes it a host name,
    # whose key begins with the first.
    return key_from_text(f"x.{rule}").removesuffix(b"x\0")

# SPDX-License-Identifier: Apache-2.0
"""Read ``AdGuardHome.yaml``: filters, rules of the user, rewrites."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from filterd.config.imported_settings import MOST, ImportedSettings
from filterd.documents import load
from filterd.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_REASON = "Imported from AdGuard Home"
_rule = re.compile(
    r"(?P<allow>@@)?\|\|(?P<name>[^\s/^|*$]+)\^(?:\|)?(?:\$important)?", re.ASCII
).fullmatch
_hosts = re.compile(r"(?:0\.0\.0\.0|127\.0\.0\.1|::|::1)\s+(?P<name>\S+)", re.ASCII).fullmatch


def read_adguard(path: Path) -> ImportedSettings:
    """Read the settings of AdGuard Home.

    Raises:
        ConfigError: it cannot be read, or is no YAML.
    """
    settings = _mapping(load(path).data)
    found = ImportedSettings(_REASON)
    for one in _entries(settings, "filters"):
        found.take_list(one.get("url", ""), "adblock", enabled=one.get("enabled") is not False)
    for one in _entries(settings, "whitelist_filters"):
        found.leave(one.get("url", ""), say("a list of allowed names cannot be followed"))
    for rule in _list(settings.get("user_rules")):
        _take_rule(found, str(rule).strip())
    filtering = _mapping(settings.get("filtering"))
    for part in (filtering, _mapping(settings.get("dns"))):  # of releases before 0.107.37
        for one in _entries(part, "rewrites"):
            _take_rewrite(found, one)
        _leave_services(found, part)
    for one in _entries(_mapping(settings.get("clients")), "persistent"):
        found.leave(one.get("name", ""), say("a client: write its network into `networks`"))
    return found


def _take_rule(found: ImportedSettings, rule: str) -> None:
    if not rule or rule.startswith(("!", "#")):
        return
    if match := _rule(rule):
        found.take_name(match["name"], allow=bool(match["allow"]))
    elif match := _hosts(rule):
        found.take_name(match["name"], allow=False)
    else:
        found.leave(rule, say("a rule of this form has no counterpart"))


def _take_rewrite(found: ImportedSettings, one: dict[str, Any]) -> None:
    domain, answer = str(one.get("domain", "")), str(one.get("answer", ""))
    if one.get("enabled") is False:
        found.leave(domain, say("it was switched off there"))
    elif "*" in domain or answer in ("A", "AAAA"):
        found.leave(f"{domain} {answer}", say("a rewrite of this form has no counterpart"))
    else:
        found.take_record(domain, answer)


def _leave_services(found: ImportedSettings, part: dict[str, Any]) -> None:
    blocked = part.get("blocked_services")
    ids = _mapping(blocked).get("ids") if isinstance(blocked, dict) else blocked
    for one in _list(ids):
        why = say("a blocked service: filterd policy set --grade GRADE --block-service ID")
        found.leave(one, why)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value[: 10 * MOST] if isinstance(value, list) else []


def _entries(part: dict[str, Any], key: str) -> Iterator[dict[str, Any]]:
    return (one for one in _list(part.get(key)) if isinstance(one, dict))

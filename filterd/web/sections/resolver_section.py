# SPDX-License-Identifier: Apache-2.0
"""Edit the name of the school, its local names and its upstreams. Pure."""

from __future__ import annotations

import shlex
from typing import Any

from filterd.i18n import say
from filterd.web.parameters import Text
from filterd.web.sections.site_section import (
    ITEM,
    REMOVE,
    Edits,
    Lines,
    Plain,
    SiteField,
    SiteSection,
    Values,
    edit,
    items_of,
    mapping,
    no_such_line,
    texts_of,
)

SCHOOL = SiteSection(
    id="school",
    operation="editSchool",
    title=say("School"),
    about=say("The name on pages and in reports, and the language."),
    values=lambda data, _: {
        "name": str(mapping(data, "school").get("name", "")),
        "code": str(mapping(data, "school").get("code", "")),
        "language": str(data.get("language", "vi")),
    },
    edits=lambda _, given: [
        edit(given.get("name"), "school", "name"),
        edit(given.get("code"), "school", "code"),
        edit(given.get("language"), "language"),
    ],
    fields=(
        SiteField(name="name", label=say("Name of the school"), reads=Text(200, least=1)),
        SiteField(name="code", label=say("Code of the school"), reads=Text(40)),
        SiteField(
            name="language",
            label=say("Language of filterd"),
            reads=Text(2),
            choices=lambda _: [("vi", "Tiếng Việt"), ("en", "English")],
        ),
    ),
)


def _zone(data: Plain, item: str) -> Plain:
    zones = (one for one in items_of(data, "local_zones") if isinstance(one, dict))
    return next((one for one in zones if str(one.get("name")) == item), {})


def _zone_edits(data: Plain, given: Values) -> Edits:
    item, zones = given[ITEM], items_of(data, "local_zones")
    old = _zone(data, item)
    new = {**old, "name": old.get("name", item), "records": given.get("records", [])}
    made = [new if one is old else one for one in zones] if old else [*zones, new]
    if given.get(REMOVE):
        made = [one for one in zones if one is not old]
    return [edit(made or None, "local_zones")]


ZONES = SiteSection(
    id="local-names",
    operation="editLocalZone",
    title=say("Local names"),
    about=say("Zones that filterd answers itself, such as for printers."),
    items=lambda data: [str(one.get("name")) for one in items_of(data, "local_zones")],
    item=(say("Zone, such as truong.home.arpa"), r"[^\s]{1,253}"),
    values=lambda data, item: {"records": texts_of(_zone(data, item).get("records"))},
    edits=_zone_edits,
    fields=(
        SiteField(
            name="records",
            label=say("Records, one a line"),
            reads=Lines(500, 600),
            help=say("Such as: may-in A 192.168.10.20"),
        ),
    ),
)


def _upstream_line(entry: Any) -> str:
    if not isinstance(entry, dict):
        return str(entry)
    words = [str(entry.get("server")), *(f"{key}={entry[key]}" for key in ("tls", "name")
             if entry.get(key))]  # fmt: skip
    return " ".join((*words, *(["trusted"] if entry.get("trusted") is True else [])))


def _upstream(line: str) -> Any:
    server, *words = shlex.split(line)
    if not words:
        return server
    found: Plain = {"server": server}
    for word in words:
        key, equals, value = word.partition("=")
        if word == "trusted":
            found["trusted"] = True
        elif equals and key in ("tls", "name"):
            found[key] = value
        else:
            raise no_such_line(line)
    return found


def _upstream_edits(data: Plain, given: Values) -> Edits:
    old = {_upstream_line(one): one for one in items_of(data, "upstreams")}
    wanted = [old[line] if line in old else _upstream(line) for line in given.get("servers", [])]
    return [edit(wanted or None, "upstreams")]


UPSTREAMS = SiteSection(
    id="upstreams",
    operation="editUpstreams",
    title=say("Upstreams"),
    about=say("The resolvers that are asked for names that pass."),
    values=lambda data, _: {
        "servers": [_upstream_line(one) for one in items_of(data, "upstreams")]
    },
    edits=_upstream_edits,
    fields=(
        SiteField(
            name="servers",
            label=say("Resolvers, one a line"),
            reads=Lines(20, 200),
            help=say("Such as: system, or 1.1.1.1, or 1.1.1.1 tls=strict"),
        ),
    ),
)

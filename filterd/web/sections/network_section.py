# SPDX-License-Identifier: Apache-2.0
"""Edit the school, its networks and classes, local names and upstreams. Pure."""

from __future__ import annotations

from typing import Any

from filterd.operations.parameters.scalar import Flag, Text
from filterd.policy.model import GRADES
from filterd.texts.i18n import say
from filterd.web.sections.site_section import (
    IDENTIFIER,
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
    seat_value,
    seats,
    some_items,
    texts_of,
)

_CLASS = r"[0-9A-Za-zÀ-ỹ][0-9A-Za-zÀ-ỹ._-]{0,15}"


def _network(data: Plain, item: str) -> Values:
    held = mapping(data, "networks", item)
    return {
        "seat": str(held.get("class") or held.get("grade") or ""),
        "cidrs": texts_of(held.get("cidrs")),
        "macs": texts_of(held.get("macs")),
        "interfaces": texts_of(held.get("interfaces")),
        "room": held.get("room") is True,
    }


def _network_edits(data: Plain, given: Values) -> Edits:
    item, held = given[ITEM], mapping(data, "networks", given[ITEM])
    if given.get(REMOVE):
        return [edit(None, "networks", item)]
    seat = given.get("seat", "")
    is_class = seat in mapping(data, "classes")
    lists = [
        edit(some_items(held, key, given.get(key, [])), "networks", item, key)
        for key in ("cidrs", "interfaces", "macs")
    ]
    return [
        *lists,
        edit(seat if is_class else None, "networks", item, "class"),
        edit(seat_value(seat) if seat and not is_class else None, "networks", item, "grade"),
        edit(given.get("room") or (None if held.get("room") is not False else False),
              "networks", item, "room"),
    ]  # fmt: skip


NETWORKS = SiteSection(
    id="networks",
    operation="editNetwork",
    title=say("Networks and rooms"),
    about=say("How devices are recognised, and the class or grade that they then have."),
    items=lambda data: list(mapping(data, "networks")),
    item=(say("Name of the network, such as lab-a"), IDENTIFIER),
    values=_network,
    edits=_network_edits,
    fields=(
        SiteField(
            "seat",
            say("Class or grade"),
            Text(16),
            choices=seats,
            help=say("A room with a timetable needs none."),
        ),
        SiteField(
            "cidrs",
            say("Address ranges, one a line"),
            Lines(40, 50),
            help=say("Such as 192.168.6.0/24"),
        ),
        SiteField("macs", say("MAC addresses of devices, one a line"), Lines(1000, 20)),
        SiteField("interfaces", say("Network cards of the gateway, one a line"), Lines(16, 16)),
        SiteField("room", say("A room, whose class changes by command or timetable"), Flag()),
    ),
)


def _class(data: Plain, item: str) -> Values:
    held = mapping(data, "classes", item)
    return {"grade": str(held.get("grade", "")), "teachers": texts_of(held.get("teachers"))}


def _class_edits(data: Plain, given: Values) -> Edits:
    item, held = given[ITEM], mapping(data, "classes", given[ITEM])
    if given.get(REMOVE):
        return [edit(None, "classes", item)]
    teachers = some_items(held, "teachers", given.get("teachers", []))
    return [
        edit(seat_value(given.get("grade", "")), "classes", item, "grade"),
        edit(teachers, "classes", item, "teachers"),
    ]


CLASSES = SiteSection(
    id="classes",
    operation="editClass",
    title=say("Classes"),
    about=say("Each class has a grade, and teachers, who may open and close things for it."),
    items=lambda data: list(mapping(data, "classes")),
    item=(say("Name of the class, such as 6A"), _CLASS),
    values=_class,
    edits=_class_edits,
    fields=(
        SiteField(
            "grade", say("Grade"), Text(16), choices=lambda _: [(one, one) for one in GRADES]
        ),
        SiteField("teachers", say("Accounts of the teachers, one a line"), Lines(40, 32)),
    ),
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
        SiteField("name", say("Name of the school"), Text(200, least=1)),
        SiteField("code", say("Code of the school"), Text(40)),
        SiteField(
            "language",
            say("Language of filterd"),
            Text(2),
            choices=lambda _: [("vi", "Tiếng Việt"), ("en", "English")],
        ),
    ),
)


def _zone(data: Plain, item: str) -> Plain:
    zones = (one for one in items_of(data, "local_zones") if isinstance(one, dict))
    return next((zone for zone in zones if str(zone.get("name")) == item), {})


def _zone_edits(data: Plain, given: Values) -> Edits:
    item, zones = given[ITEM], items_of(data, "local_zones")
    old = _zone(data, item)
    new = {**old, "name": old.get("name", item), "records": given.get("records", [])}
    made = [new if zone is old else zone for zone in zones] if old else [*zones, new]
    if given.get(REMOVE):
        made = [zone for zone in zones if zone is not old]
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
            "records",
            say("Records, one a line"),
            Lines(500, 600),
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
    server, *words = line.split()
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
            "servers",
            say("Resolvers, one a line"),
            Lines(20, 200),
            help=say("Such as: system, or 1.1.1.1, or 1.1.1.1 tls=strict"),
        ),
    ),
)

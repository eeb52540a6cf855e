# SPDX-License-Identifier: Apache-2.0
"""Edit the networks, rooms and classes of the site. Pure."""

from __future__ import annotations

from filterd.i18n import say
from filterd.policy.model import GRADES
from filterd.web.parameters import Flag, Text
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
    mapping,
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
            name="seat",
            label=say("Class or grade"),
            reads=Text(16),
            choices=seats,
            help=say("A room with a timetable needs none."),
        ),
        SiteField(
            name="cidrs",
            label=say("Address ranges, one a line"),
            reads=Lines(40, 50),
            help=say("Such as 192.168.6.0/24"),
        ),
        SiteField(
            name="macs",
            label=say("MAC addresses of devices, one a line"),
            reads=Lines(1000, 20),
        ),
        SiteField(
            name="interfaces",
            label=say("Network cards of the gateway, one a line"),
            reads=Lines(16, 16),
        ),
        SiteField(
            name="room",
            label=say("A room, whose class changes by command or timetable"),
            reads=Flag(),
        ),
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
            name="grade",
            label=say("Grade"),
            reads=Text(16),
            choices=lambda _: [(one, one) for one in GRADES],
        ),
        SiteField(
            name="teachers",
            label=say("Accounts of the teachers, one a line"),
            reads=Lines(40, 32),
        ),
    ),
)

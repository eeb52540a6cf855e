# SPDX-License-Identifier: Apache-2.0
"""The table of operations is sound: names, paths, roles, sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from filterd.cli import tree
from filterd.overrides.rights.roles import Role
from filterd.web import operations
from filterd.web.endpoint import AT_THE_BOX, MadeFile

if TYPE_CHECKING:
    from filterd.web.endpoint import WebEndpoint


def test_names_and_addresses_are_unique() -> None:
    assert len(operations.BY_NAME) == len(operations.ORDER)
    addresses = {(one.method, re.sub(r"\{\w+\}", "{}", one.path)) for one in operations.ORDER}
    assert len(addresses) == len(operations.ORDER)


@pytest.mark.parametrize("one", operations.ORDER, ids=lambda one: one.name)
def test_an_operation_is_whole(one: WebEndpoint) -> None:
    assert re.fullmatch(r"[a-z][A-Za-z]{2,30}", one.name)
    assert one.about.endswith(".")
    assert Role.ADMIN in one.roles or one.roles == {Role.PRINCIPAL}
    assert one.answer or one.media_types
    assert one.is_change or one.done is None
    in_path = set(re.findall(r"\{(\w+)\}", one.path))
    assert in_path <= set(one.fields.required)
    assert not (one.is_change and one.is_stream)


def test_a_fixed_address_stands_before_one_with_a_key() -> None:
    """Starlette takes the first that fits: ``/devices/unknown`` must not be a key."""
    for place, one in enumerate(operations.ORDER):
        form = re.compile(re.sub(r"\{\w+\}", "[^/]+", one.path))
        later = operations.ORDER[place + 1 :]
        hidden = [other.path for other in later if other.method == one.method]
        assert not [path for path in hidden if form.fullmatch(path)]


def test_a_file_is_kept_under_its_name_with_its_type() -> None:
    answer = MadeFile("bao-cao-2026-10.csv", "text/csv; charset=utf-8", b"a,b").answer()
    assert answer.headers["content-disposition"] == 'attachment; filename="bao-cao-2026-10.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.body == b"a,b"
    assert "content-security-policy" not in answer.headers, "that of all pages holds"


def test_a_file_that_is_shown_is_in_a_sandbox_and_loads_nothing() -> None:
    answer = MadeFile("a.html", "text/html", b"<script>alert(1)</script>", is_shown=True).answer()
    assert answer.headers["content-disposition"].startswith("inline")
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"sandbox", "default-src 'none'", "frame-ancestors 'none'"} <= set(policy)
    assert not any("script" in one for one in policy)


COMMANDS = {
    f"{one} {two}" if two else one
    for one in tree.names_beneath([])
    for two in (tree.names_beneath([one]) or [""])
}


def test_every_command_is_in_the_table_once() -> None:
    remote = {command for one in operations.ORDER for command in one.commands}
    assert COMMANDS - remote - AT_THE_BOX.keys() == set()
    assert not remote & AT_THE_BOX.keys()


def test_the_table_has_no_other_commands_of_a_group() -> None:
    named = {*AT_THE_BOX, *(command for one in operations.ORDER for command in one.commands)}
    groups = {one.partition(" ")[0] for one in COMMANDS if " " in one}
    assert {one for one in named if one.partition(" ")[0] in groups} <= COMMANDS


def test_reasons_are_sentences_to_read_after_because() -> None:
    assert all(one[0].islower() and not one.endswith(".") for one in AT_THE_BOX.values())

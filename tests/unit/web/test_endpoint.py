# SPDX-License-Identifier: Apache-2.0
"""The table of operations is sound: names, paths, roles, sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from filterd.cli import tree
from filterd.overrides.rights.roles import Role
from filterd.web import operations
from filterd.web.endpoint import MadeFile

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


_FILES = "it reads or writes files of the person at that machine"
AT_THE_MACHINE = {
    "box": "it is about the machine itself, with the rights of root, or about trust in a centre",
    "feed": "it is work of the publisher, with keys that never leave that machine",
    "network": "it is about the machine itself, with the rights of root",
    "completion": "it is for a shell",
    "help_pages": "it is for a terminal",
    "help_search": "it is for a terminal",
    "log.inspection.verify": _FILES,
    "lists.lists.build": "it is for the site's own lists, which are files of the box",
    "policy.policy.init": _FILES,
    "policy.policy.validate": _FILES,
    "school.alerts.send_test": "it reads the secrets of mail and webhook with the rights of root",
    "school.account.recover": "it is for a person who cannot sign in, and stands at the box",
}
"""Why a package, module or function of ``cli`` has commands that no operation stands for."""
REMOTE = {command for one in operations.ORDER for command in one.commands}


def _reasons(where: str) -> set[str]:
    return {one for one in AT_THE_MACHINE if f"{where}.".startswith(f"{one}.")}


def test_every_command_has_an_operation_or_is_at_the_machine_only() -> None:
    reasons = {
        name: _reasons(where) for name, where in tree._COMMANDS.items() if name not in REMOTE
    }
    assert [name for name, found in reasons.items() if not found] == []
    assert AT_THE_MACHINE.keys() == set().union(*reasons.values()), "a reason that none needs"


def test_an_operation_names_commands_that_are_there() -> None:
    assert REMOTE - tree._COMMANDS.keys() == set()

# SPDX-License-Identifier: Apache-2.0
"""People of each role, signed in to a real daemon as the web process signs them in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd import control
from filterd.overrides.rights.roles import Role
from filterd.web.visitor import Visitor

if TYPE_CHECKING:
    from pathlib import Path

BOX = "127.0.0.1"
NAMES = {
    Role.READER: "binh",
    Role.TEACHER: "lan",
    Role.PRINCIPAL: "hoa",
    Role.INSPECTOR: "minh",
    Role.ADMIN: "quan-tri",
}
"""The account of each role; lan teaches class 6A."""
CLASSES = """\
classes:
  6A: {grade: 6, teachers: [lan]}
  9B: {grade: 9, teachers: [mai]}
"""


def token_of(socket: Path, role: Role) -> str:
    """Make an account of a role, and return the token of a session of it."""
    roles = sorted({Role.READER, role})
    control.ask(socket, "account add", account=NAMES[role], roles=roles)
    code = control.ask(socket, "account code", account=NAMES[role])["code"]
    signed_in = control.ask(socket, "login-code", address=BOX, code=code)
    return str(signed_in["token"])


async def visitor_of(socket: Path, token: str) -> Visitor:
    """Return a person as operations know one, in English."""
    visitor = Visitor(socket, BOX, token)
    await visitor.meet("en")
    await visitor.identify()
    return visitor

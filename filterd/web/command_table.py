# SPDX-License-Identifier: Apache-2.0
"""THE table of the commands of ``filterd``: in the API, or at the box only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from filterd.web.operations import ORDER

if TYPE_CHECKING:
    from collections.abc import Mapping

_SERVICE = "it is a process of the box itself, which its service manager starts"
_KEYS = "it uses keys of the publisher, which never leave that machine"
_PUBLISHES = "it is work of the publisher, on files of that machine"
_FILES = "it reads or writes files of the person at that machine"
_TRUST = "trust in a publisher begins where a person compares the fingerprint"
_CERTIFICATE = "it reads or writes the key of this box"

AT_THE_BOX: Mapping[str, str] = {
    "serve": _SERVICE,
    "monitor": _SERVICE,
    "web": _SERVICE,
    "blockpage": _SERVICE,
    "poster": "it is a file to print, with the address of this box",
    "setup": "it is for a box that has no accounts yet; it has pages of its own",
    "backup": "it writes keys and passwords of the box, with the rights of root",
    "restore": "it replaces the site and the settings of the box, with the rights of root",
    "init": _FILES,
    "completion": "it is for a shell",
    "man": "it is for a terminal",
    "update": "it replaces the program with the rights of root",
    "doctor": "it examines links and ports of the box with the rights of root",
    **{
        f"release {one}": "it replaces the program with the rights of root"
        for one in ("list", "activate", "rollback", "restore", "test")
    },
    "import pihole": _FILES,
    "import adguard": _FILES,
    "lists build": "it is for the site's own lists, which are files of the box",
    "policy validate": _FILES,
    "alerts test": "it reads the secrets of mail and webhook with the rights of root",
    "feed trust": _TRUST,
    "feed init": _KEYS,
    "feed build": _PUBLISHES,
    "feed review": _PUBLISHES,
    "feed mistakes": _PUBLISHES,
    "feed publish": _KEYS,
    "feed sign": _KEYS,
    "feed sign-program": _KEYS,
    "feed release-hold": _KEYS,
    "feed rotate-key": _KEYS,
    "feed verify": _PUBLISHES,
    "feed diff": _PUBLISHES,
    "inspect verify": _FILES,
    "fleet enrol": _TRUST,
    "fleet sign": _KEYS,
    "account recover": "it is for a person who cannot sign in, and stands at the box",
    "cert make": _CERTIFICATE,
    "cert install": _CERTIFICATE,
    "cert show": _CERTIFICATE,
}
"""Why a command is at the box only."""


def operations_of(command: str) -> list[str]:
    """Return the names of the operations that stand for a command."""
    return [one.name for one in ORDER if command in one.commands]

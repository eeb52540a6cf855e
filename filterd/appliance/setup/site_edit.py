# SPDX-License-Identifier: Apache-2.0
"""Edit keys of ``site.yaml``, and put a proposed ``site.yaml`` in force.

The daemon starts ``python -m filterd.appliance.setup.site_edit``, because ruamel.yaml and pydantic
stay out of it. It sends one JSON object, ``EditRequest``, and gets one line of JSON: the
present text and data, and for edits the new text and what is wrong with it. The child writes
the compiled policy only; the caller decides whether the text takes the place of the file.

An edit sets the value at a path of keys to another one, or takes the key out for ``None``. A
value that is a mapping replaces the whole mapping.

Where the daemon must not write ``site.yaml`` the text is a proposal, which root puts in force
(``apply``). It is of the daemon's user, which could have written anything there. So it is read
and compiled with that user's rights, and nothing but ``site.yaml`` is written with root's; and
there nothing but what an administrator may edit from afar: no file, no listener, no secret.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from filterd.appliance.setup.site_writer import compile_with, read_text, rewritten
from filterd.base import bounded_child
from filterd.base.errors import ConfigError, FilterdError, to_plain
from filterd.base.paths import reading, shipped
from filterd.base.privileges import as_owner_of, own_rights
from filterd.config.build_record import SITE_FILE
from filterd.config.site_proposal import (
    LARGEST_TEXT,
    OUTCOME,
    PROPOSAL,
    ProposalOutcome,
    digest_of,
    replaced,
    too_large,
)
from filterd.config.week_schema import TIMETABLE_FILE
from filterd.documents import load, parse
from filterd.texts.i18n import language_of, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from filterd.appliance.setup.site_writer import Plain
    from filterd.base.state_folder import StateFolder
    from filterd.config.site_proposal import SiteProposal
    from filterd.operations.reload import Reloaded

EDITABLE = frozenset(
    ("school", "language", "networks", "classes", "unknown", "lessons", "holidays", "schedules",
     "scheduled", "local_zones", "log", "alerts", "report", "upstreams")
)  # fmt: skip
"""Keys that may be edited; the others name files or listeners, or have commands."""
MOST_EDITS, DEEPEST = 200, 6
_MEMORY_OCTETS, _CPU_S = 768 << 20, 60
_SECRETS = {"mail": ("server", "port", "user", "password_file"), "webhook": ("url", "token_file")}
"""Parts of ``alerts`` with a secret file, and what decides where the secret is sent."""
_logger = logging.getLogger("filterd.site")


class Edit(NamedTuple):
    """A path of keys, and the value that it gets."""

    path: tuple[str, ...]
    value: Any


def edits_of(plain: Any) -> list[Edit]:
    """Return checked edits of plain data.

    Raises:
        ConfigError: they are none, or of a key that may not be edited here.
    """
    if not isinstance(plain, list) or not 1 <= len(plain) <= MOST_EDITS:
        raise ConfigError(say("1 to {most} edits expected", most=MOST_EDITS))
    return [_edit(one) for one in plain]


def _edit(plain: Any) -> Edit:
    path = plain.get("path") if isinstance(plain, dict) else None
    if (
        not isinstance(path, list)
        or not 1 <= len(path) <= DEEPEST
        or not all(isinstance(key, str) and 0 < len(key) <= 253 for key in path)
        or plain.keys() != {"path", "value"}
    ):
        raise ConfigError(say("an edit has a path of keys and a value"))
    _check_editable(path[0])
    return Edit(tuple(path), plain["value"])


def _check_editable(key: str) -> None:
    if key not in EDITABLE:
        raise ConfigError(
            say("'{key}' is not changed here", key=key),
            path=SITE_FILE,
            hint=say("change it by hand"),
        )


def change_of(data: Plain, edits: Iterable[Edit]) -> Plain:
    """Return edits as a change, as ``site_writer.rewritten`` takes it."""
    change: Plain = {}
    for path, value in edits:
        held: Any = data
        for key in path:
            held = held.get(key) if isinstance(held, dict) else None
        if held == value and type(held) is type(value):
            continue
        at = change
        for key in path[:-1]:
            at = at.setdefault(key, {})
        at[path[-1]] = _replacing(held, value)
    return change


def _replacing(held: Any, value: Any) -> Any:
    """Return a value as a change; of two mappings, None for each key that goes."""
    if not isinstance(held, dict) or not isinstance(value, dict) or not value:
        return value
    return {
        **{key: None for key in held if key not in value},
        **{key: _replacing(held.get(key), one) for key, one in value.items()
           if key not in held or held[key] != one},
    }  # fmt: skip


def check_secrets(before: Plain, after: Plain) -> None:
    """Refuse to send a secret of the school to another place than that in the file.

    Raises:
        ConfigError: the destination of a password or token would change.
    """
    for part, keys in _SECRETS.items():
        old, new = (((one.get("alerts") or {}).get(part) or {}) for one in (before, after))
        has_secret = keys[-1] in new or keys[-1] in old
        if new and has_secret and any(old.get(key) != new.get(key) for key in keys):
            raise ConfigError(
                say("'{key}' has a secret, so its server is changed by hand only", key=part),
                path=SITE_FILE,
                hint=say("edit alerts in the file, on the gateway"),
            )


def check_edited(before: str, after: str) -> None:
    """Refuse a text that differs from another in more than an edit may change.

    Raises:
        ConfigError: it does, or is no text of a site.
    """
    old, new = _data(before), _data(after)
    for key in sorted(old.keys() | new.keys(), key=str):
        if old.get(key) != new.get(key):
            _check_editable(str(key))
    check_secrets(old, new)


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Return what the site has, and what edits would make of it.

    Args:
        request: ``config``; with ``edits`` also ``language``, ``policy`` (the file to
            compile into) and ``blocklists``.

    Raises:
        FilterdError: the file cannot be read, or the edits are none of this file.
    """
    config = Path(request["config"])
    digest = hashlib.sha256((config / SITE_FILE).read_bytes()).hexdigest()
    text, data = read_text(config)
    if len(text) > LARGEST_TEXT:
        raise too_large()
    found: dict[str, Any] = {"text": text, "digest": digest, "data": data}
    if "edits" not in request:
        return found | {"imported": _imported(config)}
    language = language_of(request["language"])
    change = change_of(data, edits_of(request["edits"]))
    new = rewritten(text, change, language)
    keys = list(_keys(change))
    found |= {"new": new, "new_digest": digest_of(new), "keys": keys, "problem": None}
    try:
        compile_with(config, new, Path(request["policy"]), Path(request["blocklists"]))
    except ConfigError as error:
        return found | {"problem": to_plain(error)}
    check_secrets(data, _data(new))
    return found


def _keys(change: Plain, beneath: str = "") -> Iterator[str]:
    """Yield the keys that a change sets, two steps deep at most: networks.lab-a."""
    for key, value in change.items():
        if isinstance(value, dict) and value and not beneath:
            yield from _keys(value, f"{key}.")
        else:
            yield f"{beneath}{key}"


def _data(text: str) -> Plain:
    data = parse(text.encode(), SITE_FILE).data
    return data if isinstance(data, dict) else {}


def _imported(config: Path) -> list[str]:
    """Return the rooms whose timetable was imported.

    ``site.yaml`` does not count for them.
    """
    path = config / TIMETABLE_FILE
    data = load(path).data if path.exists() else {}
    return sorted(map(str, data)) if isinstance(data, dict) else []


def apply(config: Path, state: StateFolder, reload: Callable[[], Reloaded]) -> None:
    """Put the proposal in force and leave its outcome.

    An error leaves the file as it was.

    Args:
        config: the folder of ``site.yaml``.
        state: with the proposal.
        reload: has the daemon take the file; returns what its command ``reload`` does.

    Raises:
        FilterdError: why it is not in force; the outcome has the same.
    """
    with as_owner_of(state.folder):
        if state.site_proposal.is_symlink():
            state.site_proposal.unlink()
        try:
            proposal = PROPOSAL.load(state.site_proposal)
        finally:
            state.site_proposal.unlink(missing_ok=True)  # one that fails is not tried again
        digest = digest_of(proposal.text)
        try:
            reloaded = _applied(config, proposal, reload)
        except FilterdError as error:
            OUTCOME.save(state.site_outcome, ProposalOutcome(digest, json.dumps(to_plain(error))))
            raise
        outcome = ProposalOutcome(digest, restart_for=reloaded.restart_for)
        OUTCOME.save(state.site_outcome, outcome)
    _logger.info(
        "site.yaml was replaced on the request of %s: %s", proposal.author[:80], digest[:12]
    )


def _applied(config: Path, proposal: SiteProposal, reload: Callable[[], Reloaded]) -> Reloaded:
    if len(proposal.text) > LARGEST_TEXT:
        raise too_large()
    with reading(config / SITE_FILE):
        former = (config / SITE_FILE).read_bytes().decode("utf-8", "replace")
    check_edited(former, proposal.text)
    with tempfile.TemporaryDirectory() as folder:
        compile_with(config, proposal.text, Path(folder) / "policy", shipped("blocklists"))
    with own_rights(), replaced(config, proposal.base, proposal.text):
        return reload()


def _answer(request: dict[str, Any], output: IO[bytes]) -> None:
    output.write(json.dumps(answer(request)).encode())


if __name__ == "__main__":
    sys.exit(bounded_child.answer(_answer, more_octets=_MEMORY_OCTETS, cpu_s=_CPU_S))

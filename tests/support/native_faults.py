# SPDX-License-Identifier: Apache-2.0
"""The native fast path with planted faults, each of which a safeguard must reveal.

Its modules are built again, in one package, with every fault of this file behind a
switch; one is switched on at a time. They are built together because they share
structs, and once a session because a build takes half a minute.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.fuzz.native.building import ROOT, Replacement, changed, compile_modules
from tests.support.needs import command

if TYPE_CHECKING:
    from types import ModuleType

    import pytest

PACKAGE = "filterd_with_faults"
MODULES = ("_core", "_datagrams")
"""Those that know each other; what else they use is filterd's own."""

SERVED_FROM = {
    "filterd.fastpath.core_filler.Core": "_core",
    "filterd.daemon.serving.answer_path.Core": "_core",
    "filterd.fastpath.udp_listener.Datagrams": "_datagrams",
    "filterd.daemon.serving.answer_path.Relay": "_datagrams",
    "tests.support.serving.Relay": "_datagrams",
}
"""Where what serves is looked up, and the module that it comes from."""

_SWITCHES = """
cdef int planted = 0
cdef unsigned int blurred = 0

def plant(int number, unsigned int flags):
    global planted, blurred
    planted, blurred = number, flags

"""

_FOR_EVER = "1e12"


class Site(NamedTuple):
    """A text that a source holds once, and what stands there instead; HERE: it is switched on."""

    module: str
    before: str
    after: str


def _core(before: str, after: str) -> Site:
    return Site("_core", before, after)


def _relay(before: str, after: str) -> Site:
    return Site("_datagrams", before, after)


def _never(site: Site) -> Site:
    """Let a condition not be met where the fault is."""
    return site._replace(after=f"(not HERE and {site.before})")


# What a question's answer is kept by.

_BLURRED = (
    _core("<uint64_t>asked.flags << 32", "<uint64_t>(asked.flags & ~blurred) << 32"),
    _core("kept.flags == asked.flags", "(kept.flags ^ asked.flags) & ~blurred == 0"),
)
_ANY_GROUP = (
    _core("| <uint32_t>client_group", "| <uint32_t>(0 if HERE else client_group)"),
    _core("kept.client_group == client_group", "(HERE or kept.client_group == client_group)"),
)
_ANY_TYPE = (
    _core("<uint64_t>asked.qtype << 48", "<uint64_t>(1 if HERE else asked.qtype) << 48"),
    _core("kept.qtype == asked.qtype", "(HERE or kept.qtype == asked.qtype)"),
)

# What is done to an answer that is kept.

_WRITTEN = "memcpy(message + asked.end, octets + asked.end, kept.length - asked.end)"
_CASE_LOST = _core(
    _WRITTEN,
    f"{_WRITTEN}\n        if HERE:\n            "
    "memcpy(message + HEADER_OCTETS, octets + HEADER_OCTETS, asked.name_octets)",
)
_ANY_SIZE = _core("if kept.length > asked.limit:", "if kept.length > asked.limit and not HERE:")
_NEVER_AGED = _core("kept.ttls):", "0 if HERE else kept.ttls):")
_CAPPED_ONCE = _core(
    "memcpy(room, octets, length)",
    """memcpy(room, octets, length)
        cdef int one
        if HERE:
            for one in range(ttls):
                put_u32(room + places[one], min(get_u32(room + places[one]), cap_ttl_s))
            cap_ttl_s = 0x7FFFFFFF""",
)
_LEAST = "min(until, self._now + least)"
_TTL_ENDS_NOTHING = _core(_LEAST, f"({_FOR_EVER} if HERE else {_LEAST})")
_NOTED = "kept.hits, kept.used_at, kept.tally = 0, self._turn, tally"
_RULE_ENDS_NOTHING = _core(
    _NOTED, f"{_NOTED}\n        if HERE:\n            kept.valid_until = {_FOR_EVER}"
)

# What the table leaves to the chain.

_LABELS = "if asked.labels < 2 or asked.labels > MOST_LABELS:"
_NOTHING_TOUCHED = _core(_LABELS, f"if HERE:\n            return False\n        {_LABELS}")
_NO_LOOKALIKES = _core(
    "if self._skeletons.hashes and", "if self._skeletons.hashes and not HERE and"
)

# The client, and the rules in force.

_OF_GROUP_0 = (
    _core("return client.client_group\n", "return 0 if HERE else client.client_group\n"),
    _core(
        "        return -1\n\n\ndef read",
        "        return -1 if not HERE or not self._group_count else 0\n\n\ndef read",
    ),
)
_KNOWN_FOR_EVER = _core("self._now < client.until", "(HERE or self._now < client.until)")
_LEARNT = "described.until, described.client_group = until, <uint16_t>client_group"
_LEARNT_FOR_EVER = _core(
    _LEARNT, f"{_LEARNT}\n        if HERE:\n            described.until = {_FOR_EVER}"
)
_SET_BACK = _never(_core("wall < self._wall", ""))
_SET = _never(_core("fabs(wall - now - self._drift_s) > STEP_S", ""))
_PAST_AN_EDGE = _never(_core("not self._since <= wall < self._until", ""))
_OTHER_DEVICES = _never(_core("self._surroundings.version != self._version", ""))

# What is relayed.

_TARGETS_UNSEEN = _relay("in resolution.targets", "in (() if HERE else resolution.targets)")
_LOG = '_log = logging.getLogger("filterd.fastpath")\n'
_LETS_THROUGH = "self._core.lets_through(target, datagram.client_group)"
_FOR_SOMEBODY = (
    _relay(
        _LOG,
        f"{_LOG}\ndef lets_somebody(core, name):\n"
        "    return any(core.lets_through(name, one) for one in range(1024))\n",
    ),
    _relay(
        _LETS_THROUGH,
        f"(lets_somebody(self._core, target) if HERE else {_LETS_THROUGH})",
    ),
)
_ANYBODY = _relay("self._core._group_of(", "not HERE and self._core._group_of(")
_ANY_EPOCH = _relay(
    "datagram.epoch != self._core.epoch\n", "not HERE and datagram.epoch != self._core.epoch\n"
)
_ANY_EPOCH_AT_FIRST = _never(_relay("datagram.epoch != self._core.epoch", ""))._replace(
    before="datagram.epoch != self._core.epoch or",
    after="(not HERE and datagram.epoch != self._core.epoch) or",
)
_NOT_REFRESHED = _relay(
    "if self._core is not None and self._core.holds(now):",
    "if HERE or self._core is not None and self._core.holds(now):",
)
_FRESH = _relay("            age_s,\n", "            0 if HERE else age_s,\n")
_UNCAPPED = _relay("            cap_ttl_s,\n", "            MAX_TTL_S if HERE else cap_ttl_s,\n")
_WHOLE = _relay(
    "if PyBytes_GET_SIZE(reply) > limit:",
    "if PyBytes_GET_SIZE(reply) > limit and not HERE:",
)
_BEYOND_AN_EDGE = _relay("if edge != INFINITY:", "if edge != INFINITY and not HERE:")
_ROOM = "waiting._datagram.epoch == self._core.epoch and self._core.replay.has_room()"
_KEPT_IN_ANY_EPOCH = _relay(_ROOM, f"(HERE or {_ROOM})")
_NOTE = "        self._note(waiting, resolution, age_s, waiting._began_at)\n"
_ANSWER = "        self._answer(waiting, resolution, age_s, opening.cached)\n"
_NOTED_TOO_LATE = (
    _relay(_NOTE, f"        if not HERE:\n    {_NOTE}"),
    _relay(_ANSWER, f"{_ANSWER}        if HERE:\n    {_NOTE}"),
)
_NEVER_OVER = _relay("if waiting._is_over:", "if waiting._is_over and not HERE:")


_PLAIN_UNSEEN = _relay("or not resolution.plain\n", "or not HERE and not resolution.plain\n")

FAULTS: dict[str, tuple[Site, ...]] = {
    "any group": _ANY_GROUP,
    "any type": _ANY_TYPE,
    "case lost": (_CASE_LOST,),
    "any size": (_ANY_SIZE,),
    "never aged": (_NEVER_AGED,),
    "beyond the TTL": (_TTL_ENDS_NOTHING, _NEVER_AGED),
    "beyond the rule": (_RULE_ENDS_NOTHING,),
    "for ever": (_TTL_ENDS_NOTHING, _RULE_ENDS_NOTHING, _NEVER_AGED),
    "capped once": (_CAPPED_ONCE,),
    "nothing touched": (_NOTHING_TOUCHED,),
    "no look-alikes": (_NO_LOOKALIKES,),
    "everybody of one group": _OF_GROUP_0,
    "known for ever": (_KNOWN_FOR_EVER,),
    "clock unseen": (_SET_BACK, _SET),
    "edges unseen": (_SET_BACK, _PAST_AN_EDGE, _LEARNT_FOR_EVER, _RULE_ENDS_NOTHING),
    "devices unseen": (_OTHER_DEVICES,),
    "targets unseen": (_TARGETS_UNSEEN,),
    "for somebody": (*_FOR_SOMEBODY, _ANYBODY),
    "plain unseen": (_PLAIN_UNSEEN,),
    "any epoch": (_ANY_EPOCH,),
    "any epoch at first": (_ANY_EPOCH, _ANY_EPOCH_AT_FIRST),
    "any epoch for anybody": (_ANY_EPOCH, _ANYBODY),
    "site unseen": (_NOT_REFRESHED,),
    "relayed as new": (_FRESH,),
    "relayed for ever": (_UNCAPPED,),
    "relayed whole": (_WHOLE,),
    "relayed beyond an edge": (_BEYOND_AN_EDGE,),
    "given up unseen": (_NEVER_OVER,),
    "kept in any epoch": (_KEPT_IN_ANY_EPOCH,),
    "noted too late": _NOTED_TOO_LATE,
}


@cache
def _built() -> tuple[TemporaryDirectory[str], dict[str, ModuleType]]:
    """Build all modules with all faults; the folder goes when this process ends."""
    command("gcc")
    folder = TemporaryDirectory(prefix="filterd-faults-")
    package = Path(folder.name) / PACKAGE
    package.mkdir()
    (package / "__init__.py").touch()
    sources = {name: source_with_faults(name) for name in MODULES}
    for name in MODULES:
        (package / f"{name}.pyx").write_text(sources[name], encoding="utf-8")
        pxd = ROOT / "filterd" / "fastpath" / f"{name}.pxd"
        if pxd.exists():
            text = _of_the_package(pxd.read_text(encoding="utf-8"))
            (package / pxd.name).write_text(text, encoding="utf-8")
    wanted = {f"{PACKAGE}.{name}": [f"{PACKAGE}/{name}.pyx"] for name in MODULES}
    compile_modules(Path(folder.name), wanted, ("-O0", "-w"))
    sys.path.append(folder.name)
    try:
        return folder, {name: import_module(f"{PACKAGE}.{name}") for name in MODULES}
    finally:
        sys.path.remove(folder.name)


def source_with_faults(name: str) -> str:
    """Return the source of a module with all faults that are in it, none switched on.

    Raises:
        ValueError: what one of them replaces does not stand there once.
    """
    path = f"filterd/fastpath/{name}.pyx"
    source = (ROOT / path).read_text(encoding="utf-8")
    numbered = [((), _BLURRED), *enumerate(FAULTS.values(), 1)]
    for number, sites in numbered:
        for site in sites:
            if site.module == name:
                after = re.sub(r"\bHERE\b", f"(planted == {number})", site.after)
                source = changed(source, Replacement(path, site.before, after))
    head, docstring, body = source.split('"""', 2)
    first = re.search(r"^(cdef|_log|@cython)", body, re.MULTILINE)
    assert first
    body = body[: first.start()] + _SWITCHES + body[first.start() :]
    return _of_the_package(f'{head}"""{docstring}"""{body}')


def _of_the_package(source: str) -> str:
    names = "|".join(MODULES)
    return re.sub(rf"\bfilterd\.fastpath\.({names}) cimport", rf"{PACKAGE}.\1 cimport", source)


def serve_with(patch: pytest.MonkeyPatch, fault: str | None = None, *, blurred: int = 0) -> None:
    """Serve everything by a native fast path with one of ``FAULTS``, or with none.

    Args:
        patch: undoes it.
        fault: its name.
        blurred: flags of a question that do not separate answers.
    """
    _, modules = _built()
    number = 0 if fault is None else 1 + list(FAULTS).index(fault)
    for module in modules.values():
        planted: Any = module
        planted.plant(number, blurred)
    for where, name in SERVED_FROM.items():
        patch.setattr(where, getattr(modules[name], where.rpartition(".")[2]))

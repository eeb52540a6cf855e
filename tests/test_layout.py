# SPDX-License-Identifier: Apache-2.0
"""The mirror law: every module has a test of its name, every test a module."""

from __future__ import annotations

import re
from functools import cache
from math import inf
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, UNIT = ROOT / "filterd", ROOT / "tests" / "unit"

WAIVED = {
    "__main__": "two lines that call cli.entry; tests/e2e run it in every test",
    "fastpath/_rate_limit": "test_rate_limit tests it compiled and as it is written",
    "wire/_codec_py": "gathers what has its tests; tests/twins compare it with native code",
}
"""Modules that are tested elsewhere, and where."""

FOLDERS = {
    "blocklists_folder": "the files of blocklists/",
    "checkout_folder": "the environment of deploy/checkout/, as it takes its name",
    "checkout_needs": "what deploy/checkout/ says that a machine lacks",
    "checkout_steps": "the steps of deploy/checkout/",
    "deploy_folder": "the files of deploy/",
    "machine_settings": "users, folders and limits of deploy/package/",
    "policies_folder": "the files of policies/",
    "unit_limits": "exposure and memory of deploy/units/",
    "locale/catalogue": "the texts of filterd/locale/vi.po",
    "fastpath/direct_forward": "``Relay``, which is native only",
    "lists/vectors": "expectations of other filters",
    "lists/real_lists": "real lists, every entry looked up again",
}
"""Tests that are about files or native code rather than a module in Python."""

_COMMANDS = ("cli", *(f"cli/{one}" for one in ("box", "feed", "lists", "log", "policy", "school")))

LISTED_BY_TABLE = {
    **dict.fromkeys(_COMMANDS, "tree.py has the commands by name"),
    "web/operations": "ORDER",
    "web/pages": "ORDER and MENU",
    "web/sections": "ORDER",
}
"""Packages of many modules of one kind, and the table that lists them."""

ONE_A_SUBJECT = (
    *_COMMANDS,
    "operations",
    "operations/parameters",
    "web/operations",
    "daemon/handlers",
)
"""Packages with a module for each subject, named as the subject is, whatever its size."""

FEW_LINES = 70
SMALL = {
    "__main__": "an entry of a process",
    "appliance/trial_dashboard": "an entry of a process",
    "base/clock": "every package is given one",
    "config/firewall_schema": "one module a key of the site",
    "control/event_stream": "quick commands do not import asyncio",
    "fastpath/core_contract": "what native code and Python both build on",
    "fastpath/rate_limit": "chooses native code",
    "daemon/manager/guarded_openings": "it keeps what it found for a status each second",
    "daemon/policy_reader": "commands read a policy without the code of the daemon",
    "daemon/safe_search_check": "an entry of a process",
    "feed/guard/__main__": "an entry of a process",
    "feed/followed/night_memory": "the guard's child imports no requests",
    "lists/listed_names": "judgements walk through names, answers do not",
    "locale/compile_catalogues": "a command of the build",
    "monitor/alert": "its severities are of the operation",
    "monitor/secret_file": "mail and webhooks load apart",
    "native_build": "a command of the build",
    "policy/firewall_settings": "what the schema and the rules of the firewall share",
    "policy/policy_file": "a format of a file",
    "reports/__main__": "an entry of a process",
    "reports/html_report": "one module a format",
    "reports/json_report": "one module a format",
    "base/socket_path": "what binds and what connects are of many packages",
    "base/time_buckets": "native code imports it",
    "upstream/transport_set": "the list of transports",
    "version": "the build reads it",
    "web/certificate_files": "commands do not import uvicorn",
    "web/pages/classes_page": "one module a subject",
    "web/wanted_change": "what forms say after a change",
    "wire/_codec_py": "the pure side of the codec",
    "wire/codec": "chooses native code",
}
"""Modules of few lines, and why each is one of its own."""


@cache
def _modules() -> set[str]:
    paths = (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
    return {str(path.with_suffix("")) for path in paths if path.name != "__init__.py"}


@cache
def _sources() -> list[Path]:
    kinds = {".py", ".pyx", ".pxd", ".pxi", ".pyi"}
    return [path for path in sorted(PACKAGE.rglob("*.p*")) if path.suffix in kinds]


@cache
def _tested() -> set[str]:
    """Return the modules that tests are named after; ``test_main`` is about ``__main__``."""
    tested, modules = set(), _modules()
    for path in UNIT.rglob("test_*.py"):
        folder = path.relative_to(UNIT).parent
        module = str(folder / path.stem.removeprefix("test_"))
        is_main = path.stem == "test_main" and module not in modules
        tested.add(str(folder / "__main__") if is_main else module)
    return tested


def test_every_module_has_a_test_of_its_own() -> None:
    assert sorted(_modules() - set(WAIVED) - _tested()) == []


def test_every_test_has_a_module() -> None:
    assert sorted(_tested() - set(FOLDERS) - _modules()) == []


def test_no_stem_stands_in_two_packages() -> None:
    """One word, one module; a command group and an operation are named as their subject."""
    named: dict[str, list[str]] = {}
    for module in sorted(_modules()):
        package, _, stem = module.rpartition("/")
        if package not in ONE_A_SUBJECT and stem != "__main__":
            named.setdefault(stem, []).append(module)
    assert [modules for modules in named.values() if len(modules) > 1] == []


def test_no_class_name_stands_in_two_modules() -> None:
    """One class name, one meaning; native twins are named as what they replace.

    A request is named as the change that it asks for.
    """
    named: dict[str, list[str]] = {}
    for module in sorted(_modules()):
        if module.startswith("operations/"):
            continue
        source = (PACKAGE / f"{module}.py").read_text(encoding="utf-8")
        for name in re.findall(r"^class (\w+)", source, re.MULTILINE):
            named.setdefault(name, []).append(module)
    assert {name: modules for name, modules in named.items() if len(modules) > 1} == {}


def test_every_package_names_its_modules() -> None:
    """A reader finds a module by the package's docstring, or by the table that it points to."""
    unnamed = []
    for module in sorted(_modules()):
        package, _, stem = module.rpartition("/")
        if not package or stem == "__main__" or package in LISTED_BY_TABLE:
            continue
        text = (PACKAGE / package / "__init__.py").read_text(encoding="utf-8").split('"""')[1]
        if re.search(rf"\b_?{stem.lstrip('_')}\b", text) is None:
            unnamed.append(module)
    assert unnamed == []


def test_what_is_waived_is_there() -> None:
    assert set(WAIVED) <= _modules()
    assert set(FOLDERS) <= _tested()


def test_every_source_begins_with_its_licence() -> None:
    licence = "# SPDX-License-Identifier: Apache-2.0\n"
    texts = {path: path.read_text(encoding="utf-8") for path in _sources()}
    assert [path for path, text in texts.items() if text and not text.startswith(licence)] == []


def test_no_module_outgrows_what_a_reader_holds_in_mind() -> None:
    """An extension, which has several sections, may be larger than a module."""
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in _sources()}
    most = {".pyx": 1_150, ".pyi": inf}
    too_long = {path: n for path, n in lines.items() if n > most.get(path.suffix, 500)}
    assert too_long == {}


def test_a_module_is_an_idea_and_not_a_function() -> None:
    """What needs few lines belongs to the neighbour that it serves."""
    modules = [module for module in _modules() if module.rpartition("/")[0] not in ONE_A_SUBJECT]
    lines = {name: (PACKAGE / f"{name}.py").read_text().count("\n") for name in modules}
    assert {name for name, count in lines.items() if count < FEW_LINES} == {*SMALL}


def test_native_code_is_in_few_files() -> None:
    """What belongs together is one extension; a declaration file is what several share."""
    assert len([path for path in _sources() if path.suffix == ".pyx"]) <= 6
    native = {".pyx", ".pxd", ".pxi"}
    assert len([path for path in _sources() if path.suffix in native]) <= 32

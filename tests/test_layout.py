# SPDX-License-Identifier: Apache-2.0
"""The mirror law: every module has a test of its own name, and no test has lost its module."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE, UNIT = ROOT / "filterd", ROOT / "tests" / "unit"

WAIVED = {
    "__main__": "two lines that call cli.entry; tests/e2e run it in every test",
    "lists/guards": "two frozen records; lists/test_refusals and policy/test_engine apply them",
    "lists/_matcher_py": "chosen by lists/matcher; tests/twins hold it against its native twin",
    "lists/_packing_py": "chosen by lists/packing; tests/twins hold it against its native twin",
    "lists/_skimming_py": "chosen by lists/skimming; tests/twins hold it against its native twin",
    "resolve/_store_py": "chosen by resolve/store; test_store tests both twins alike",
    "server/_datagrams_py": "chosen by server/datagrams; test_datagrams tests both twins alike",
    "server/_fastpath_py": "chosen by server/fastpath; tests/twins hold it against its native twin",
    "server/_question_py": "what a question may be; tests/twins hold it against ``_question.pxd``",
    "server/_relay_py": "chosen by server/relay; test_relay tests both twins alike",
    "server/_replay_py": "chosen with server/fastpath; tests/twins hold it against its native twin",
    "server/_table_py": "chosen with server/fastpath; tests/twins hold it against its native twin",
    "server/_limiter_py": "chosen by server/limiter; test_limiter tests both twins alike",
    "wire/_codec_py": "gathers what has its tests; tests/twins hold it against its native twin",
    "upstream/_flights_py": "chosen by upstream/flights; test_flights tests both twins alike",
    "upstream/_pool_py": "chosen by upstream/pool; test_pool tests both twins alike",
}
"""Modules that are tested elsewhere, and where."""

FOLDERS = {
    "blocklists_folder": "the files of blocklists/",
    "deploy_folder": "the files of deploy/",
    "policies_folder": "the files of policies/",
    "lists/vectors": "expectations of other filters",
    "lists/real_lists": "real lists, every entry looked up again",
}
"""Tests that are about files rather than a module."""


def _modules() -> set[str]:
    paths = (path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
    return {str(path.with_suffix("")) for path in paths if path.name != "__init__.py"}


def _tested() -> set[str]:
    """Return the modules that tests are named after; ``test_main`` is about ``__main__``."""
    tested, modules = set(), _modules()
    for path in UNIT.rglob("test_*.py"):
        folder = path.relative_to(UNIT).parent
        module = str(folder / path.stem.removeprefix("test_"))
        is_main = path.stem == "test_main" and module not in modules
        tested.add(str(folder / "__main__") if is_main else module)
    return tested


@pytest.mark.parametrize("module", sorted(_modules() - set(WAIVED)))
def test_the_module_has_a_test_of_its_own(module: str) -> None:
    assert module in _tested()


@pytest.mark.parametrize("tested", sorted(_tested() - set(FOLDERS)))
def test_the_test_has_a_module(tested: str) -> None:
    assert tested in _modules()


def test_what_is_waived_is_there() -> None:
    assert set(WAIVED) <= _modules()
    assert set(FOLDERS) <= _tested()


@pytest.mark.parametrize("path", sorted(ROOT.glob("filterd/**/*.py*")), ids=str)
def test_every_source_begins_with_its_licence(path: Path) -> None:
    if path.suffix in {".py", ".pyx", ".pxd", ".pyi"} and path.stat().st_size:
        first = path.read_text(encoding="utf-8").partition("\n")[0]
        assert first == "# SPDX-License-Identifier: Apache-2.0"


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=str)
def test_no_module_outgrows_what_a_reader_holds_in_mind(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400

# SPDX-License-Identifier: Apache-2.0
"""What ``.ci/newcomer.py`` takes from README, and where its user lays filterd."""

from __future__ import annotations

import re
import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.commands import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def newcomer() -> Iterator[Any]:
    spec = spec_from_file_location("newcomer", ROOT / ".ci" / "newcomer.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "newcomer", module)  # for its dataclasses
        spec.loader.exec_module(module)
        yield module


def test_the_packages_are_those_of_readme_s_first_apt_line(newcomer: Any) -> None:
    assert newcomer.packages(
        "`sudo apt install make\n  python3-venv` and `sudo apt install x`"
    ) == [
        "make",
        "python3-venv",
    ]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert {"make", "gcc", "python3-venv", "python3-dev"} <= set(newcomer.packages(readme))


def test_a_readme_without_that_line_ends_it(newcomer: Any) -> None:
    with pytest.raises(SystemExit, match="has no `sudo apt install` line"):
        newcomer.packages("install make")


def test_a_clone_lies_in_a_path_of_110_characters_with_a_space_and_a_vietnamese_letter(
    newcomer: Any,
) -> None:
    path = newcomer.MACHINES["bookworm"].checkout
    assert len(path) >= 110
    assert " " in path
    assert "ổ" in path
    assert len(newcomer.TEMPORARY) >= 90


def test_ci_tries_both_debians_one_without_ipv6_and_one_without_gcc(newcomer: Any) -> None:
    run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    tried = [newcomer.MACHINES[name] for name in re.findall(r"newcomer\.py ([a-z-]+)", run)]
    assert {one.suite for one in tried} == {"bookworm", "trixie"}
    assert {one.user for one in tried} == {newcomer.USER}
    assert not all(one.ipv6 for one in tried)
    assert not all(one.gcc for one in tried)


def test_only_pip_s_configuration_and_certificates_are_handed_in(
    newcomer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newcomer.os, "environ", {"PIP_CERT": "a", "https_proxy": "b", "HOME": "c"})
    assert newcomer.handed_in() == {"PIP_CERT": "a", "https_proxy": "b"}

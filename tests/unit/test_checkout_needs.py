# SPDX-License-Identifier: Apache-2.0
"""What a machine lacks is said at once: for a target, for a set-up, for the network."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from deploy.checkout import __main__ as entry
from deploy.checkout import package_index
from deploy.checkout.facts import Facts
from deploy.checkout.package_index import Source, read_settings, why_unreachable
from deploy.checkout.preflight import lacking, without_compiler
from deploy.checkout.project import Project
from deploy.checkout.set_up_plan import Plan
from deploy.checkout.target_needs import NEEDS, PACKAGES, Machine, judge

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
ALL = Machine(lambda _: True, headers=True, root=True, cores=2, folder=lambda _: True)
FACTS = Facts("3.13", "/usr/bin/python3.13", ".so", ("gcc",), "gcc 14", "/include", "pip.whl", "x")
INDEX = "https://index.example/simple"
PROJECT = Project("1", ("cython",), ("aiosqlite>=1",), ("pytest",), "aiosqlite==1\n")


def a_plan(folder: Path, **changed: str) -> Plan:
    """A plan of a first set-up."""
    facts = replace(FACTS, **changed)  # type: ignore[arg-type]
    return Plan(facts, PROJECT, "run", folder / ".venv", None, due={"run", "native", "messages"})


def all_is_there(_: Path, __: int) -> bool:
    return True


@pytest.mark.parametrize("target", sorted(NEEDS))
def test_a_target_lacks_nothing_where_all_is_there(target: str) -> None:
    assert judge(target, ALL) == ([], [])


def test_every_missing_thing_is_named_at_once_with_its_package() -> None:
    bare = Machine(lambda _: False, headers=False, root=False, cores=1, folder=lambda _: False)
    lacks, left_out = judge("bench-workers", bare)
    assert lacks == [
        "gcc, dnsperf, taskset and Python.h are missing: "
        "sudo apt install gcc dnsperf util-linux python3-dev",
        "it needs root: sudo make bench-workers",
        "it needs 2 cores: one serves, another asks; here is one",
    ]
    assert left_out == []


def test_a_peer_that_is_not_installed_is_left_out_and_named() -> None:
    machine = replace(ALL, has=lambda name: name != "dnsdist")
    assert judge("bench", machine) == (
        [],
        ["left out: what needs dnsdist (sudo apt install dnsdist)"],
    )


def test_another_processor_needs_its_compiler() -> None:
    machine = replace(ALL, has=lambda name: name != "aarch64-linux-gnu-gcc")
    assert judge("deb", machine) == ([], [])
    (lacks,), _ = judge("deb", machine, "trixie arm64")
    assert "sudo apt install gcc-aarch64-linux-gnu" in lacks


def test_the_table_names_targets_and_packages_that_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"(?m)^([a-z0-9-]+):", makefile))
    assert set(NEEDS) <= targets
    named = {name for one in NEEDS.values() for name in (*one.commands, *one.better)}
    assert named <= set(PACKAGES)


def test_every_target_with_commands_of_its_own_begins_with_its_set_up() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipes = re.findall(r"(?m)^([a-z0-9-]+):.*\n\t(.+)", makefile)
    first = {target: line for target, line in recipes if target not in {"help", "clean", "fuzz"}}
    assert set(NEEDS) <= set(first)
    begins = re.compile(r"\$\((run_layer|test_layer|set_up)\)")
    assert [target for target, line in first.items() if not begins.match(line)] == []


def test_an_old_python_gets_a_sentence_with_a_newer_one(tmp_path: Path) -> None:
    newer = tmp_path / "python3.13"
    newer.touch(mode=0o755)
    words = (3, 9, 2), "/usr/bin/python3", "run", str(tmp_path)
    assert entry.too_old(*words, lambda _: True) == (  # type: ignore[no-untyped-call]
        "filterd needs Python 3.11 or newer; this is 3.9 (/usr/bin/python3): "
        f"make run PYTHON={newer}"
    )
    assert entry.too_old(*words, lambda _: False).endswith("PATH-OF-A-NEWER-ONE")  # type: ignore[no-untyped-call]


def test_an_old_python_can_read_the_entry() -> None:
    """No word of a Python after 3.6 stands there."""
    import ast  # noqa: PLC0415 -- only here

    for name in ("__init__", "__main__"):
        path = ROOT / "deploy" / "checkout" / f"{name}.py"
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))
        assert "from __future__ import annotations" not in path.read_text(encoding="utf-8")


def test_all_that_a_set_up_lacks_is_said_together(tmp_path: Path) -> None:
    found = lacking(a_plan(tmp_path, pip=""), lambda _: 20, lambda _, __: False)
    assert [one.partition(":")[2].strip() or one for one in found[:1]] == [
        "sudo apt install python3-venv"
    ]
    assert any("is not yours to write" in one for one in found)
    assert any("has 20 MB free, and 300 are needed" in one for one in found)


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path: Path) -> None:
    (found,) = lacking(a_plan(tmp_path / "a" / "b"), lambda _: 20, all_is_there)
    assert found.startswith(f"{tmp_path} has 20 MB free")


def test_a_set_up_with_nothing_to_fetch_needs_neither_pip_nor_the_network(tmp_path: Path) -> None:
    plan = a_plan(tmp_path, pip="")
    plan.due = {"bytecode"}
    assert lacking(plan, lambda _: 9_999, all_is_there) == []
    assert not plan.must_fetch


@pytest.mark.parametrize(
    ("changed", "packages"),
    [
        ({"compiler": (), "include": ""}, "gcc python3-dev"),
        ({"include": ""}, "python3-dev"),
        ({"compiler": ()}, "gcc"),
    ],
)
def test_without_a_compiler_there_is_a_warning_with_the_apt_line(
    changed: dict[str, str], packages: str
) -> None:
    facts = replace(FACTS, **changed)  # type: ignore[arg-type]
    assert f"sudo apt install {packages}, and the next make compiles" in without_compiler(facts)
    assert without_compiler(FACTS) == ""


@pytest.mark.parametrize(
    ("wheel", "is_right"),
    [
        ("lxml-6.1-cp313-cp313-manylinux_2_28_x86_64.whl", True),
        ("lxml-6.1-cp311-cp311-manylinux_2_28_x86_64.whl", False),
        ("lxml-6.1-cp313-cp313-manylinux_2_28_aarch64.whl", False),
        ("idna-3.20-py3-none-any.whl", True),
        ("cryptography-50-cp311-abi3-manylinux_2_34_x86_64.whl", True),
    ],
)
def test_wheels_of_another_python_or_processor_are_refused_at_once(
    tmp_path: Path, wheel: str, is_right: bool
) -> None:
    plan = a_plan(tmp_path, machine="x86_64")
    plan.wheels = tmp_path / "wheels"
    plan.wheels.mkdir()
    (plan.wheels / wheel).touch()
    found = lacking(plan, lambda _: 9_999, all_is_there)
    assert bool(found) is not is_right
    assert all("this is Python 3.13 on x86_64: run `make wheels`" in one for one in found)


def refused(host: str, port: int) -> None:
    raise ConnectionRefusedError(111, "Connection refused", f"{host}:{port}")


def reached(_: str, __: int) -> None:
    """It answers."""


@pytest.mark.parametrize(
    ("source", "connect", "host"),
    [
        (Source((INDEX,)), refused, "index.example"),
        (Source((INDEX,)), reached, ""),
        (Source((INDEX,), proxy="proxy.example:3128"), refused, "proxy.example"),
        (Source(), refused, ""),
        (Source(("file:///srv/index",)), refused, ""),
    ],
)  # fmt: skip
def test_an_index_that_refuses_is_named_and_why(
    source: Source, connect: Callable[[str, int], None], host: str
) -> None:
    why = "Connection refused" if host else ""
    assert why_unreachable(source, "aiosqlite", connect, {}) == (host, why)


def test_a_proxy_of_the_environment_is_asked_instead_of_the_index() -> None:
    asked = list[tuple[str, int]]()
    source = Source((INDEX,))
    proxies = {"https": "http://proxy.example:8080"}
    why_unreachable(source, "a", lambda *where: asked.append(where), proxies)
    assert asked == [("proxy.example", 8080)]


def test_a_folder_that_has_the_first_package_may_have_all(tmp_path: Path) -> None:
    source = Source((INDEX,), links=(str(tmp_path),))
    assert why_unreachable(source, "aiosqlite", refused, {})[0] == "index.example"
    (tmp_path / "aiosqlite-1-py3-none-any.whl").touch()
    assert why_unreachable(source, "aiosqlite", refused, {}) == ("", "")


def test_pip_s_own_settings_say_where_packages_come_from() -> None:
    lines = [
        "global.index-url='https://one.example/simple'",
        "install.index-url='https://two.example/simple'",
        "global.find-links='/a /b'",
        ":env:.proxy='proxy.example:1'",
    ]
    assert read_settings(lines) == Source(
        ("https://two.example/simple",), ("/a", "/b"), "proxy.example:1"
    )
    assert read_settings([*lines, "global.no-index='true'"]).addresses == ()


def test_the_default_index_is_the_one_that_pip_names() -> None:
    text = (
        "-i, --index-url <url> Base URL of the Python Package Index (default https://x.example/s)."
    )
    found = package_index._DEFAULT.search(text)
    assert found
    assert found[1] == "https://x.example/s"

# SPDX-License-Identifier: Apache-2.0
"""Mistakes that are planted: which there are, what they are called, and that tests notice them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.mutants.__main__ import PACKAGES, mutants_of, sample, survivors
from tests.mutants.mutations import Mutant, Mutations
from tests.mutants.trial import Reach, Trials
from tests.support.commands import ROOT


def _mutants(source: str) -> list[Mutant]:
    return Mutations("filterd/a.py", source.encode()).all()


def _becomes(statement: str, returns: str = "int") -> set[str]:
    """Return what becomes of the last line of a function."""
    lines = "\n".join(f"    {line}" for line in statement.split("\n"))
    found = _mutants(f"def it(a, b, c) -> {returns}:\n{lines}\n")
    return {
        one.becomes for one in found if one.was == statement.rsplit("\n", maxsplit=1)[-1].strip()
    }


@pytest.mark.parametrize(
    ("statement", "becomes"),
    [
        ("return a < b", {"return (a <= b)", "return (a >= b)", "return None"}),
        ("return a is None", {"return (a is not None)", "return None"}),
        (
            "return a or not b",
            {
                "return (a and (not b))",
                "return (not b)",
                "return a",
                "return a or b",
                "return None",
            },
        ),
        ("return a + 1", {"return (a - 1)", "return a + 2", "return None"}),
        ("a.b(c)", {"pass"}),
        ("a.b = c", {"pass"}),
        ("a += b", {"pass", "a -= b"}),
        ("raise a", {"pass"}),
        ("return max(a, b)", {"return min(a, b)", "return None"}),
        ("return a(b, c=c)", {"return a(b)", "return None"}),
        ("return a[b:c]", {"return a", "return None"}),
        (
            "return b if a else c",
            {"return b", "return c", "return b if (not a) else c", "return None"},
        ),
        (
            "return [b for b in a if b]",
            {"return [b for b in a if True]", "return [b for b in a if (not b)]", "return None"},
        ),
        ("for b in a: c()", {"for b in (): c()", "for b in a: pass"}),
        ("a = 'word'", {"a = 'wordXX'"}),
        ("while a:\n  break", {"continue"}),
    ],
)
def test_each_kind_of_mistake_is_planted(statement: str, becomes: set[str]) -> None:
    assert _becomes(statement) == becomes


def test_what_returns_yes_or_no_returns_always_the_same() -> None:
    assert _becomes("return a", "bool") == {"return True", "return False"}


@pytest.mark.parametrize(
    "left_alone",
    [
        "import a",
        "__all__ = ['a', 'b']",
        "assert a < b",
        "'''One or two.'''",
        "raise ValueError('a text for people')",
        "return say('word', a=b)",
        "_log.error('%s', a)",
        "a = f'{b < c}'",
        "a: int | None",
        "a = Column(b, is_number=True)",
    ],
)
def test_what_decides_nothing_is_left_alone(left_alone: str) -> None:
    assert _becomes(left_alone) <= {"pass", "return None"}


def test_one_more_of_a_large_private_bound_is_no_mistake() -> None:
    assert _mutants("_MOST = 4 << 20\n") == []
    assert {mutant.becomes for mutant in _mutants("MOST = 200\n")} == {"MOST = 201"}
    assert {mutant.becomes for mutant in _mutants("_FEW = 4\n")} == {"_FEW = 5"}


def test_every_mistake_can_be_compiled_and_changes_the_source() -> None:
    source = (ROOT / "filterd" / "policy" / "unknown_time.py").read_bytes()
    found = Mutations("filterd/policy/unknown_time.py", source).all()
    assert len(found) > 100
    for one in found:
        planted = one.planted(source)
        compile(planted, one.file, "exec")
        assert planted != source


def test_lines_before_it_leave_a_mistake_its_name() -> None:
    source = "class A:\n    def b(self, c):\n        return c > 1\n"
    before, after = _mutants(source), _mutants(f"D = None\n\n\n{source}")
    assert [one.key for one in before] == [one.key for one in after]
    assert {one.function for one in before} == {"A.b"}
    assert [one.lines for one in before] != [one.lines for one in after]


def test_mistakes_of_a_function_that_look_alike_are_told_apart() -> None:
    """A reason to leave out one of them is none for the other."""
    found = _mutants("def a(b):\n    if b:\n        return\n    b.c()\n    return\n")
    assert [one.key[2:] for one in found if one.was == "return"] == [
        ("return", "pass", 1),
        ("return", "pass", 2),
    ]
    accounts = mutants_of("accounts")
    assert len({account.key for account in accounts}) == len(accounts)


def test_a_seed_draws_the_same_again() -> None:
    every = mutants_of("accounts")
    drawn = sample(every, 20, 7)
    assert len(drawn) == 20
    assert drawn == sample(every, 20, 7) != sample(every, 20, 8)


def test_tests_that_reach_the_line_run_and_the_quickest_first() -> None:
    (mutant, *_) = _mutants("def a(b):\n    return b\n")
    reach = Reach({"slow": 2.0, "quick": 1.0, "other": 0.5})
    reach.tests[mutant.file, 2] = {"slow", "quick"}
    reach.tests[mutant.file, 1] = {"other"}
    assert reach.of(mutant) == ["quick", "slow"]


def test_a_quick_trial_ends_where_only_mistakes_of_imports_are_left() -> None:
    """A fork has imported already, so that these need a copy."""
    at_import = next(one for one in mutants_of("feed/guard") if not one.function)
    told = list[object]()
    trials = Trials("feed/guard", [at_import], 1, lambda *one: told.append(one), is_quick=True)
    trials._try_all()
    assert told == []


def test_each_mistake_that_no_test_can_notice_is_one_of_today_and_has_its_reason() -> None:
    keys = {one.key for package in PACKAGES for one in mutants_of(package)}
    assert [key for key in survivors() if key not in keys] == []
    assert all(len(reason) > 10 for reason in survivors().values())


def test_an_unknown_package_is_refused_with_those_that_are_known() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants", "nothing"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "no such package: nothing; there are policy, resolve" in done.stderr

# SPDX-License-Identifier: Apache-2.0
"""Every test asserts something, and no test asks a yes-or-no question only to forget the answer."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from textwrap import dedent

import pytest

from tests.assertion_lint import discarded, without_assertion

ROOT = Path(__file__).resolve().parents[1]

ALSO_DO = {
    "_get": "a bench whose load it is; what is measured asserts its own answers",
    "_put_units": "writes units, and returns whether any has changed",
    "attach": "opens a day, and returns whether it has tables",
    "enter_own": "enters namespaces where it may; markers say what is skipped elsewhere",
    "let_in": "lets groups reach a socket, and returns whether the disk can tell them apart",
    "note": "keeps an answer, and returns whether there was room",
    "on_tick": "passes a moment, and returns whether the server ends",
    "run_until": "runs a command up to a moment, and returns whether that came before the end",
    "want": "chooses rows, and returns whether there are any",
    "work_out_length": "adds the end of a length, and returns whether that waits for the time",
}
"""Functions whose answer may be thrown away, as they also do something."""

RAISE = {
    "test_it_is_valid": "the validator of OpenAPI raises",
    "test_nothing_wrong_is_no_error": "what is tested raises or does nothing",
    "test_without_a_service_manager_nothing_happens": "there is nothing that could be seen",
}
"""Tests that assert nothing, and what fails instead."""


@cache
def _texts(folder: str) -> dict[str, str]:
    paths = sorted((ROOT / folder).rglob("*.py"))
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


def test_no_answer_of_a_question_is_thrown_away() -> None:
    assert discarded(_texts("tests"), _texts("filterd"), ALSO_DO) == []


def test_every_test_asserts_something_or_names_a_helper_that_does() -> None:
    silent = without_assertion(_texts("tests"))
    assert [one for one in silent if one.rpartition(" ")[2] not in RAISE] == []


def test_what_is_excepted_is_there() -> None:
    """An exception that outlives its function would excuse the next one of that name."""
    every = "\n".join([*_texts("tests").values(), *_texts("filterd").values()])
    assert [name for name in (*ALSO_DO, *RAISE) if f"def {name}(" not in every] == []


HELPERS = {
    "tests/support/school.py": dedent(
        """
        def is_blocked(name: str) -> bool:
            return ask(name).rcode == 3

        def reload(words: str) -> bool:
            return call(words).code == 0

        class School:
            def blocks(self, name: str, grades: tuple[int, ...] = (1, 2)) -> bool:
                return is_blocked(name)
        """
    ),
    "tests/support/chain.py": "def reload(words: str) -> None:\n    call(words)\n",
    "tests/support/expecting.py": dedent(
        """
        def expect(name: str) -> None:
            assert ask(name)

        def expect_all(names: list[str]) -> None:
            for one in names:
                expect(one)
        """
    ),
}
IMPORTS = "from tests.support import school\nfrom tests.support.school import is_blocked\n"


@pytest.mark.parametrize(
    "statement",
    [
        "is_blocked('a.vn')",
        "school.is_blocked('a.vn')",
        "a_school().blocks('a.vn')",
        "schools[0].blocks(\n        'a.vn'\n    )",
        "await served.is_blocked('a.vn')",
        "school.reload('lists')",
    ],
)
def test_control_a_forgotten_assert_is_found(statement: str) -> None:
    test = f"{IMPORTS}\nasync def test_it_blocks() -> None:\n    {statement}\n    assert True\n"
    (found,) = discarded({"tests/test_made_up.py": test}, HELPERS, {})
    assert found.startswith("tests/test_made_up.py:5: ")


@pytest.mark.parametrize(
    "statement",
    [
        "assert is_blocked('a.vn')",
        "blocked = is_blocked('a.vn')",
        "until(lambda: is_blocked('a.vn'))",
        "with pytest.raises(OSError):\n        is_blocked('a.vn')",
        "from tests.support.chain import reload\n    reload('lists')",
    ],
)
def test_what_is_asserted_kept_or_another_s_is_not_found(statement: str) -> None:
    test = f"{IMPORTS}\ndef test_it_blocks() -> None:\n    {statement}\n"
    assert discarded({"tests/test_made_up.py": test}, HELPERS, {}) == []


def test_control_a_test_that_asserts_nothing_is_found() -> None:
    made_up = dedent(
        """
        def test_it_blocks(school: School) -> None:
            school.blocks("a.vn")

        def test_it_is_expected() -> None:
            expect_all(["a.vn"])

        def test_it_is_refused() -> None:
            with pytest.raises(OSError):
                ask("a.vn")
        """
    )
    found = without_assertion({"tests/test_made_up.py": made_up, **HELPERS})
    assert found == ["tests/test_made_up.py:2: test_it_blocks"]

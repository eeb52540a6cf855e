# SPDX-License-Identifier: Apache-2.0
"""An operation has the fields of its request."""

from __future__ import annotations

import subprocess
import sys

from filterd.operations.exceptions import ALLOW, EXCEPTIONS, Allow
from tests.support.commands import environment

_WORKED_OUT = """
import importlib, pkgutil
from filterd import operations
from filterd.operations import answers
read, of = [], answers.of
answers.of = lambda kind: read.append(kind) or of(kind)
for one in pkgutil.walk_packages(operations.__path__, "filterd.operations."):
    importlib.import_module(one.name)
print(read)
from filterd.web import openapi, operations
openapi.description(operations.ORDER)
print(bool(read))
"""


def test_its_fields_are_those_of_its_request() -> None:
    assert ALLOW.fields is Allow.fields()


def test_to_read_changes_nothing() -> None:
    assert [one.is_change for one in (ALLOW, EXCEPTIONS)] == [True, False]


def test_schemas_are_worked_out_for_the_description_of_the_api_only() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WORKED_OUT],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split("\n")[:2] == ["[]", "True"]

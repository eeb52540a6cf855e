# SPDX-License-Identifier: Apache-2.0
"""Every module with requests is a subject, once."""

from __future__ import annotations

import re
from pathlib import Path

from filterd import operations
from filterd.operations.subjects import SUBJECTS

HERE = Path(operations.__file__).parent


def test_what_has_requests_is_in_the_list() -> None:
    named = [one.__name__.rpartition(".")[2] for one in SUBJECTS]
    text = {one.stem: one.read_text(encoding="utf-8") for one in HERE.glob("*.py")}
    defines = re.compile(r"^class \w+\(\s*OperationRequest\[", re.MULTILINE).search
    made = {stem for stem, one in text.items() if defines(one)} - {"request"}
    assert sorted(named) == sorted(made)

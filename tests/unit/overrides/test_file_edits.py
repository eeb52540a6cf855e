# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

from filterd.errors import ChangeError
from filterd.overrides.change_fields import ChangeFields
from filterd.overrides.file_edits import NoteSiteEdit

DIGEST = "0" * 64


def test_a_note_has_keys_and_a_digest() -> None:
    note = NoteSiteEdit.read(ChangeFields({"keys": ["networks.lab", "log"], "digest": DIGEST}))
    assert note == NoteSiteEdit(("log", "networks.lab"), DIGEST)


@pytest.mark.parametrize("wrong", [{"keys": "log"}, {"keys": [""]}, {"digest": "x"}, {"keys": [1]}])
def test_anything_else_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ChangeError):
        NoteSiteEdit.read(ChangeFields({"keys": ["log"], "digest": DIGEST} | wrong))

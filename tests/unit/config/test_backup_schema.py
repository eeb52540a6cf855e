# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from filterd.config.backup_schema import BackupEntry
from tests.support.backed_up_school import PUBLIC


def test_a_folder_is_enough() -> None:
    found = BackupEntry.model_validate({"to": "/media/usb", "recovery_key": PUBLIC})
    assert (found.to, found.keep, found.recovery_key) == ("/media/usb", 7, PUBLIC)


@pytest.mark.parametrize(
    "wrong", [{"to": "usb"}, {"keep": 1}, {"recovery_key": "AGE-SECRET-KEY-1"}, {"other": 1}]
)
def test_what_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BackupEntry.model_validate({"to": "/media/usb"} | wrong)

# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from filterd.base.state_folder import StateFolder
from filterd.web.certificate_files import certificate_of

if TYPE_CHECKING:
    import pytest


def test_the_service_has_its_certificate_as_a_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    state = StateFolder(Path("/s"))
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert certificate_of(state) == (
        Path("/s/web/certificate.pem"),
        Path("/s/web/key.pem"),
    )
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    assert certificate_of(state).key == Path("/run/credentials/x/key.pem")

# SPDX-License-Identifier: Apache-2.0
"""Find the certificate of the dashboard: of the service, or in the state folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from filterd.base.state_folder import StateFolder

_CREDENTIALS = "CREDENTIALS_DIRECTORY"
"""systemd.exec(5): the folder of what the unit's LoadCredential= has read."""


class Certificate(NamedTuple):
    """The files of a certificate chain and of its key, PEM."""

    chain: Path
    key: Path


def certificate_of(state: StateFolder) -> Certificate:
    """Return the files, which may not be there."""
    folder = Path(os.environ.get(_CREDENTIALS, state.web))
    return Certificate(folder / "certificate.pem", folder / "key.pem")

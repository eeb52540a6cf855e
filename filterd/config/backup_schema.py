# SPDX-License-Identifier: Apache-2.0
"""The schema of ``backup`` in ``site.yaml``: where nightly backups go."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from filterd.documents import DocumentModel


class BackupEntry(DocumentModel):
    """The nightly backup."""

    to: str = Field(pattern=r"^/.", description="A folder on another disk: a stick, a share.")
    keep: Annotated[int, Field(ge=2, le=365)] = Field(7, description="How many stay there.")
    recovery_key: Annotated[str, Field(pattern=r"^age1[0-9a-z]{58}$")] | None = Field(
        None, description="The province's key, which alone decrypts passwords and keys."
    )

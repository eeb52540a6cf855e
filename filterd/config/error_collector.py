# SPDX-License-Identifier: Apache-2.0
"""Gathers what is wrong with a site, so that one run shows everything there is to mend."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from filterd.errors import ConfigError, ConfigErrors

if TYPE_CHECKING:
    from collections.abc import Iterator


class Problems:
    """Collects errors, and raises them together."""

    def __init__(self) -> None:
        self._errors: list[ConfigError] = []

    def add(self, error: ConfigError) -> None:
        """Note one problem, or all problems of one error."""
        self._errors.extend(error.errors if isinstance(error, ConfigErrors) else (error,))

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note a ConfigError that ends the block, and go on behind it."""
        try:
            yield
        except ConfigError as error:
            self.add(error)

    def raise_if_any(self) -> None:
        """End here if anything was wrong.

        Raises:
            ConfigErrors: all that was noted, in the order of files and lines.
        """
        if self._errors:
            raise ConfigErrors(sorted(self._errors, key=lambda e: (e.path, e.line, e.column)))

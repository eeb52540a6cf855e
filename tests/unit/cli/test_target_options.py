# SPDX-License-Identifier: Apache-2.0
"""Options for audiences."""

from __future__ import annotations

import pytest

from filterd.base.errors import ConfigError
from filterd.cli.target_options import whom
from filterd.operations.parameters.audience import ChangeAudience
from filterd.policy.model import Audience


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({}, ChangeAudience(Audience.EVERYBODY, "")),
        ({"grade": "8"}, ChangeAudience(Audience.GRADE, "8")),
        ({"tier": "primary"}, ChangeAudience(Audience.TIER, "primary")),
        ({"room": "lab-a"}, ChangeAudience(Audience.NETWORK, "lab-a")),
        ({"network": "library"}, ChangeAudience(Audience.NETWORK, "library")),
        ({"client": "10.0.6.21"}, ChangeAudience(Audience.CLIENT, "10.0.6.21")),
    ],
)
def test_the_audience_is_read(options: dict[str, str], found: ChangeAudience) -> None:
    assert whom(**options) == found


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"grade": "13"}, "is not a grade"),
        ({"tier": "primery"}, "did you mean 'primary'"),
        ({"client": "lab"}, "--client 'lab' is not an address"),
        ({"grade": "8", "room": "lab-a"}, "--grade and --room exclude each other"),
    ],
)
def test_an_unknown_audience_is_refused(options: dict[str, str], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        whom(**options)

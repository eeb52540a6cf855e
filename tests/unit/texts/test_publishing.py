# SPDX-License-Identifier: Apache-2.0
"""What the publisher reads is a part of all texts."""

from __future__ import annotations

import pytest

from filterd.publish.publication import EARLY_S
from filterd.publish.sources import Outcome
from filterd.texts import publishing
from filterd.texts.messages import TEXTS


def test_its_messages_are_in_the_one_table() -> None:
    assert publishing.TEXTS.items() <= TEXTS.items()


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_of_a_source_has_words(outcome: Outcome) -> None:
    assert f"outcome.{outcome}" in publishing.TEXTS


@pytest.mark.parametrize("role", EARLY_S)
def test_every_role_whose_term_ends_has_a_remedy(role: str) -> None:
    assert f"renewal.{role}" in publishing.TEXTS

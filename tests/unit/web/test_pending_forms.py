# SPDX-License-Identifier: Apache-2.0
"""A form waits for the password of its own session, some minutes, and once."""

from __future__ import annotations

from filterd.web.pending_forms import KEPT_S, PendingForms
from tests.support.clock import FakeClock

FIELDS = {"password": "s3cret"}


def test_a_form_is_taken_once_by_its_own_session_for_its_own_operation() -> None:
    forms = PendingForms(FakeClock())
    key = forms.keep("lan", "setPassword", FIELDS)
    assert forms.take("minh", "setPassword", key) is None
    assert forms.take("lan", "addAccount", key) is None
    assert forms.take("lan", "setPassword", key) == FIELDS
    assert forms.take("lan", "setPassword", key) is None


def test_a_form_is_forgotten_after_some_minutes() -> None:
    clock = FakeClock()
    forms = PendingForms(clock)
    key = forms.keep("lan", "setPassword", FIELDS)
    clock.advance(KEPT_S)
    assert forms.take("lan", "setPassword", key) is None


def test_a_session_with_many_forms_pushes_out_only_its_own() -> None:
    forms = PendingForms(FakeClock())
    others = forms.keep("lan", "setPassword", FIELDS)
    keys = [forms.keep("minh", "setPassword", FIELDS) for _ in range(100)]
    assert forms.take("lan", "setPassword", others) == FIELDS
    assert sum(forms.take("minh", "setPassword", one) is not None for one in keys) == 4


def test_all_sessions_together_keep_a_bounded_number() -> None:
    forms = PendingForms(FakeClock())
    keys = [(str(one), forms.keep(str(one), "setPassword", FIELDS)) for one in range(100)]
    assert sum(forms.take(token, "setPassword", key) is not None for token, key in keys) == 64

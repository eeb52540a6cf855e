# SPDX-License-Identifier: Apache-2.0
"""The manager decides which devices see the dashboard; it is asked again after half a minute."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from filterd.errors import ControlError
from filterd.i18n import say
from filterd.web import admitted_devices
from filterd.web.admitted_devices import KEPT_S, AdmittedDevices
from tests.support.web_requests import FakeManager

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> FakeManager:
    return FakeManager(monkeypatch)


@pytest.fixture
def admits(manager: FakeManager) -> Callable[..., bool]:
    devices = AdmittedDevices(Path("/nowhere"), manager.clock)
    return lambda *asked: asyncio.run(devices.admits(*asked))


def test_a_decision_holds_for_half_a_minute(
    manager: FakeManager, admits: Callable[..., bool]
) -> None:
    assert admits("192.0.2.7", "")
    manager.answers["admit"] = {"admitted": False}
    assert admits("192.0.2.7", "")
    manager.clock.advance(KEPT_S)
    assert not admits("192.0.2.7", "")


def test_each_address_device_code_and_token_is_asked_about(
    manager: FakeManager, admits: Callable[..., bool]
) -> None:
    for asked in (("a", ""), ("b", ""), ("a", "device"), ("a", "", "code"), ("a", "", "", "t")):
        admits(*asked)
        admits(*asked)
    assert manager.times("admit") == 5
    assert manager.asked[-1][1] == {"act_for": "t", "address": "a", "device": "", "code": ""}


def test_what_is_remembered_is_bounded(
    manager: FakeManager, admits: Callable[..., bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admitted_devices, "_MOST", 2)
    for address in ("a", "b", "c", "a"):
        admits(address, "")
    assert manager.times("admit") == 4


def test_without_an_answer_nothing_is_admitted(
    manager: FakeManager, admits: Callable[..., bool]
) -> None:
    manager.answers["admit"] = ControlError(say("stopped"))
    with pytest.raises(ControlError):
        admits("192.0.2.7", "")

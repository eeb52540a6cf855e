# SPDX-License-Identifier: Apache-2.0
"""What probes look at is gathered; what cannot be read is the reason why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from filterd import control
from filterd.appliance import local_network
from filterd.appliance.doctor.examined_site import gather
from filterd.base.errors import ControlError, StoreError
from filterd.base.state_folder import StateFolder
from filterd.texts.i18n import say
from tests.support.clock import FakeClock
from tests.support.daemon import write_site

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.appliance.doctor.probe import ExaminedSite


class _Place:
    """A site and its state folder, without a network."""

    def __init__(self, folder: Path) -> None:
        self.config, self.state = write_site(folder / "site", port=5353), folder / "state"
        self.state.mkdir()

    def gathered(self, *, is_of_health: bool = False) -> ExaminedSite:
        return gather(self.config, StateFolder(self.state), FakeClock(), is_of_health=is_of_health)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _Place:
    async def no_network(**_: object) -> None:
        raise StoreError(say("there is no network"))

    monkeypatch.setattr(local_network, "look", no_network)
    return _Place(tmp_path)


def _daemon(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any] | ControlError) -> None:
    def ask(*_: object, **__: object) -> dict[str, Any]:
        if isinstance(answer, ControlError):
            raise answer
        return answer

    monkeypatch.setattr(control, "ask", ask)


def test_without_a_daemon_the_files_and_the_reasons_are_there(place: _Place) -> None:
    site = place.gathered()
    assert str(site.status_or_why) == "filterd is not running"
    assert str(site.network_or_why) == "there is no network"
    assert site.policy.school == "Trường mẫu"
    assert (site.is_running, site.feed, site.named_or_why) == (False, {}, None)


def test_a_daemon_that_does_not_let_in_runs(place: _Place, monkeypatch: pytest.MonkeyPatch) -> None:
    _daemon(monkeypatch, control.NotLetInError(say("not you")))
    site = place.gathered()
    assert "run it again with sudo" in str(site.status_or_why)
    assert site.is_running


@pytest.mark.parametrize("is_of_health", [False, True])
def test_what_the_files_name_is_no_part_of_a_check_of_health(
    place: _Place, monkeypatch: pytest.MonkeyPatch, *, is_of_health: bool
) -> None:
    _daemon(monkeypatch, {"feed": {"served": "12"}})
    site = place.gathered(is_of_health=is_of_health)
    assert (site.feed, site.named_or_why is None) == ({"served": "12"}, is_of_health)


def test_files_that_are_wrong_are_a_reason(place: _Place) -> None:
    (place.config / "site.yaml").write_text("listen: [nonsense]\n", encoding="utf-8")
    assert "site.yaml:1" in str(place.gathered().policy_or_why)

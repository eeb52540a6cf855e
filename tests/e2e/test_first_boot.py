# SPDX-License-Identifier: Apache-2.0
"""A claim of a set-up by pages ends where the gateway is set up in another way meanwhile."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from filterd import control
from filterd.appliance.setup.interview import KEPT, KeptAnswers
from filterd.appliance.setup.site_writer import begun
from filterd.base.errors import ControlError
from filterd.base.state_folder import StateFolder
from tests.support.commands import ROOT, environment
from tests.support.daemon import WITHIN_S
from tests.support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEVICE = "192.168.6.20"


class Box(NamedTuple):
    """A gateway whose set-up by pages is being served."""

    config: Path
    state: StateFolder
    code: str
    process: subprocess.Popen[str]

    def ask(self, command: str, token: str = "", address: str = DEVICE, **arguments: Any) -> Any:
        return control.ask(
            self.state.setup_socket, command, act_for=token, address=address, **arguments
        )

    def claim(self) -> str:
        return str(self.ask("setup-claim", code=self.code)["token"])


@contextlib.contextmanager
def setting_up(folder: Path) -> Iterator[Box]:
    config, state = folder / "site", StateFolder(folder / "state")
    config.mkdir()
    state.folder.mkdir()
    (config / "site.yaml").write_text(begun("en"), encoding="utf-8")
    words = [sys.executable, "-u", "-m", "filterd", "setup", "--web", "--config", str(config),
             "--state", str(state.folder)]  # fmt: skip
    process = subprocess.Popen(
        words, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        code = next(found[1] for line in process.stdout if (found := re.search(r"Mã: (\S+)", line)))
        until(state.setup_socket.is_socket, "the socket of the set-up")
        yield Box(config, state, code, process)
    finally:
        process.kill()
        process.communicate()


def by_name(box: Box) -> None:
    text = begun("en").replace("name: ", "name: Trường A # ")
    (box.config / "site.yaml").write_text(text, encoding="utf-8")


def by_answers(box: Box) -> None:
    KEPT.save(box.state.answers, KeptAnswers({}, is_done=True))


@pytest.mark.parametrize("elsewhere", [by_name, by_answers])
def test_neither_an_old_claim_nor_a_second_one_goes_on_after_a_set_up_elsewhere(
    tmp_path: Path, elsewhere: Callable[[Box], None]
) -> None:
    with setting_up(tmp_path) as box:
        token = box.claim()
        assert box.ask("setup-state", token)["step"] == "question"
        elsewhere(box)
        with pytest.raises(ControlError, match="already"):
            box.claim()
        box.process.wait(WITHIN_S)
        assert not box.state.setup_socket.exists()


def test_an_old_claim_finishes_nothing_after_a_set_up_elsewhere(tmp_path: Path) -> None:
    with setting_up(tmp_path) as box:
        token = box.claim()
        by_name(box)
        with pytest.raises(ControlError, match="already"):
            box.ask("setup-finish", token)
        assert box.process.wait(WITHIN_S) == 0
        assert not box.state.accounts.exists()


def test_a_pupil_on_the_same_link_does_not_keep_the_teacher_out(tmp_path: Path) -> None:
    with setting_up(tmp_path) as box:
        refusals = list[str]()
        while "try again" not in "".join(refusals[-1:]):  # each delay is twice that before
            assert len(refusals) < 20, refusals
            with pytest.raises(ControlError) as refused:
                box.ask("setup-claim", address="fe80::66%eth0", code="AAAA-BBBB-CCCC")
            refusals.append(str(refused.value))
        assert box.ask("setup-claim", address="fe80::5%eth0", code=box.code)["token"]

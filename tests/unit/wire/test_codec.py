# SPDX-License-Identifier: Apache-2.0
"""The codec that is live is the one asked for, and is one of two that are alike."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from filterd.wire import _codec_py, codec

PROGRAM = "from filterd.wire import codec; print(codec.NATIVE, codec.parse_query.__module__)"


def _run(**switches: str) -> subprocess.CompletedProcess[str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("FILTERD_")} | switches
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environ, capture_output=True, text=True, check=False
    )


def test_the_pure_codec_can_be_chosen() -> None:
    assert _run(FILTERD_PURE="1").stdout == "False filterd.wire.parsed_query\n"


def test_the_pure_codec_does_not_serve_where_the_native_one_is_required() -> None:
    run = _run(FILTERD_PURE="1", FILTERD_REQUIRE_NATIVE="1")
    assert run.returncode
    assert "filterd.wire._codec is required" in run.stderr


@pytest.mark.parametrize("name", codec.__all__)
def test_both_have_what_the_facade_offers(name: str) -> None:
    assert name == "NATIVE" or hasattr(_codec_py, name)
    assert hasattr(codec, name)

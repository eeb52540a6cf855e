# SPDX-License-Identifier: Apache-2.0
"""A request that fails says why in a line; ``test_http_download`` has the servers."""

from __future__ import annotations

import ssl

import pytest
import requests

from filterd.base.errors import FetchError, TooSlowError
from filterd.http.http_failures import failing_as, seconds_of


@pytest.mark.parametrize(
    ("wanted", "seconds"),
    [
        ("Wed, 02 Sep 2026 00:02:00 GMT", 120.0),
        ("Tue, 01 Sep 2026 00:02:00 GMT", 0.0),
        ("Wed, 02 Sep 2099 00:02:00 GMT", 86_400.0),
        ("soon", 0.0),
    ],
)
def test_a_date_of_the_servers_own_clock_sets_when_to_come_again(
    wanted: str, seconds: float
) -> None:
    assert seconds_of(wanted, "Wed, 02 Sep 2026 00:00:00 GMT") == seconds


def _verification(code: int) -> requests.exceptions.SSLError:
    cause = ssl.SSLCertVerificationError("refused")
    cause.verify_code = code
    error = requests.exceptions.SSLError("wrapped")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "why", "is_unreached"),
    [
        (requests.ConnectionError("refused"), "cannot be reached", True),
        (requests.ConnectTimeout("late"), "sent nothing for too long", True),
        (requests.ReadTimeout("late"), "sent nothing for too long", False),
        (_verification(20), "no authority that this machine trusts", False),
        (_verification(10), "is the clock of this machine right", False),
        (requests.exceptions.SSLError("no cipher"), "no secure connection", False),
    ],
)
def test_the_reason_tells_a_server_that_was_not_reached_from_another(
    error: requests.RequestException, why: str, *, is_unreached: bool
) -> None:
    with pytest.raises(FetchError, match=why) as failed, failing_as("one"):
        raise error
    assert failed.value.is_unreached is is_unreached
    assert isinstance(failed.value, TooSlowError) is isinstance(error, requests.Timeout)

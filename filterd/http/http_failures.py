# SPDX-License-Identifier: Apache-2.0
"""Turn what a request by HTTP fails with into errors of filterd, each a line.

``requests`` wraps ``urllib3``, which wraps ``http.client`` and ``ssl``: the reason is the first of
these errors.
"""

from __future__ import annotations

import http.client
import re
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import requests
import urllib3

from filterd.base.errors import CutShortError, FetchError, ForeignContentError, TooSlowError
from filterd.texts.i18n import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from filterd.texts.i18n import Sentence

_UNKNOWN_AUTHORITY = (18, 19, 20, 21)
"""``X509_V_ERR_...`` in x509_vfy.h of OpenSSL."""
_DAY_S = 86_400


@contextmanager
def failing_as(name: str) -> Iterator[None]:
    """Turn what a request fails with into a FetchError; ``name`` is what it calls it."""
    try:
        yield
    except FetchError:
        raise
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        slow = TooSlowError(say("{url}: the server sent nothing for too long", url=name))
        slow.is_unreached = isinstance(error, requests.ConnectTimeout)
        raise slow from error
    except (urllib3.exceptions.HTTPError, OSError) as error:  # those of requests, too
        raise _failure(name, error) from error


def status_error(name: str, response: requests.Response) -> FetchError:
    """Return the error for an answer with another status than was asked for."""
    code = response.status_code
    error = FetchError(say("{url}: the server answers with status {code}", url=name, code=code))
    wanted, error.status = response.headers.get("Retry-After", ""), code
    error.retry_after_s = seconds_of(wanted, response.headers.get("Date", ""))
    return error


def judge_header(name: str, response: requests.Response) -> None:
    """Check that an answer is the file itself, and not another server's page.

    Raises:
        FetchError: one of its kinds.
    """
    if response.status_code != requests.codes.ok:
        raise status_error(name, response)
    if response.headers.get("Content-Encoding", "identity") not in ("identity", ""):
        raise ForeignContentError(
            say("{url}: the answer is compressed, which was not requested", url=name)
        )
    if response.headers.get("Content-Type", "").lower().startswith("text/html"):
        raise page_error(name)


def seconds_of(retry_after: str, date: str) -> float:
    """Return the seconds of a Retry-After field; a date is by the server's clock."""
    if re.fullmatch("[0-9]{1,9}", retry_after):
        return float(min(int(retry_after), _DAY_S))
    with suppress(ValueError, TypeError, OverflowError):
        until, now = (parsedate_to_datetime(one) for one in (retry_after, date))
        return min(max((until - now).total_seconds(), 0.0), float(_DAY_S))
    return 0.0


def page_error(name: str) -> ForeignContentError:
    """Return the error for a web page in place of a file."""
    return ForeignContentError(
        say("{url}: a web page came instead; does this network want a login?", url=name)
    )


def _failure(url: str, error: Exception) -> FetchError:
    """Return why a request failed: within the file, or before it."""
    # requests and urllib3 wrap one another; the first error has the reason.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, FetchError):
            return cause
        if isinstance(cause, (http.client.IncompleteRead, urllib3.exceptions.IncompleteRead)):
            return CutShortError(
                say("{url}: the connection ended before the end of the file", url=url)
            )
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, requests.exceptions.SSLError):
        return FetchError(_insecure(url, error))
    unreached = FetchError(say("{url}: the server cannot be reached", url=url))
    unreached.is_unreached = True
    return unreached


def _insecure(url: str, error: BaseException) -> Sentence:
    """Return why there is no secure connection, and the remedy."""
    cause: BaseException | None = error
    while cause is not None:
        if getattr(cause, "verify_code", 0) in _UNKNOWN_AUTHORITY:
            return say(
                "{url}: its certificate is signed by no authority that this machine trusts; if"
                " it is the school's: add it to the machine's certificates"
                " (update-ca-certificates)",
                url=url,
            )
        cause = cause.__cause__ or cause.__context__
    return say("{url}: no secure connection; is the clock of this machine right?", url=url)


def hung_up(error: BaseException | None) -> bool:
    """Return whether a connection ended before its first octet."""
    while error is not None:
        if isinstance(error, (http.client.RemoteDisconnected, ConnectionResetError)):
            return True
        error = error.__context__
    return False

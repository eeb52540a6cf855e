# SPDX-License-Identifier: Apache-2.0
"""Say what was done to an account, its tokens and devices; secrets are shown once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from filterd.operations import accounts, api_tokens, enrolled_devices, sessions
from filterd.texts.counted import duration
from filterd.texts.i18n import say, translated
from filterd.web.endpoint import endpoint

if TYPE_CHECKING:
    from collections.abc import Callable

    from filterd.texts.i18n import Sentence
    from filterd.web.visitor import Visitor


def _done(answer: dict[str, Any], _: Visitor) -> Sentence:
    """Return a sentence on what was done."""
    match answer:
        case {"token": token}:
            return say("The token, shown only now: {token}", token=token)
        case {"uri": _}:
            return say("Confirm it with a code of the app; until then nothing is changed.")
        case {"account": account}:
            return say("Done, for the account {account}.", account=account)
    return say("Done.")


def _code_at(path: str) -> Callable[[Any, Visitor], Sentence]:
    """Return a ``done`` with the address beneath a path that takes a code once."""

    def done(answer: Any, visitor: Visitor) -> Sentence:
        for_s = translated(duration(answer["for_s"]), visitor.language)
        return say(
            "For {account}, once within {time}, at this dashboard: {path}{code}",
            account=answer["account"],
            time=for_s,
            path=path,
            code=answer["code"],
        )

    return done


END_OTHERS = endpoint(sessions.END_OTHERS, done=_done)
ADD_ACCOUNT = endpoint(accounts.ADD_ACCOUNT, done=_done)
SET_PASSWORD = endpoint(accounts.SET_PASSWORD, done=_done)
TOTP = endpoint(accounts.TOTP, done=_done, is_shown_once=True)
RECOVERY = endpoint(accounts.RECOVERY, done=_done, is_shown_once=True)
CODE = endpoint(accounts.CODE, done=_code_at("/login/code/"))
ADD_TOKEN = endpoint(api_tokens.ADD_TOKEN, done=_done)
ENROL = endpoint(enrolled_devices.ENROL, done=_code_at("/device/"))

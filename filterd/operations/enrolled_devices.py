# SPDX-License-Identifier: Apache-2.0
"""Enrol phones of the staff, on which a PIN signs in."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from filterd.accounts import account_rows
from filterd.base.value_class import frozen
from filterd.operations.accounts import ACCOUNT, WRITTEN, OneTimeCode
from filterd.operations.answers import AT, TEXT, WHOLE, each, extended, maybe, rows
from filterd.operations.api_tokens import ID, ONLY_OF, SHOWN_ID, OwnedThing
from filterd.operations.operation import ADMINS, Operation
from filterd.operations.parameters.scalar import Text
from filterd.operations.parameters.secret import Secret
from filterd.operations.request import OperationRequest
from filterd.texts.i18n import say

_SECRET = Secret(256)


@frozen(kw_only=True)
class MakeDeviceCode(OperationRequest[OneTimeCode], command="account device-code", is_guarded=True):
    """Make a code by which a device is enrolled."""

    account: Annotated[str, ACCOUNT, WRITTEN]


@frozen
class RedeemedDevice:
    """An enrolled device with the secret of its cookie."""

    id: str
    device: str = field(repr=False)
    account: str


@frozen(kw_only=True)
class RedeemDevice(OperationRequest[RedeemedDevice], command="account device-redeem", is_open=True):
    """Enrol the device that has a code."""

    code: Annotated[str, _SECRET] = field(default="", repr=False)
    name: Annotated[str, Text(64)] = ""
    pin: Annotated[str, _SECRET] = field(default="", repr=False)


@frozen(kw_only=True)
class ConfirmDevice(
    OperationRequest[OwnedThing], command="account device-confirm", is_guarded=True
):
    """Confirm that a device that waits is the person's.

    Exit code 0: done; 2: an error.
    """

    id: Annotated[str, ID, SHOWN_ID]


@frozen
class DeviceRow:
    """A device.

    Attributes:
        state: waiting, confirmed or ended.
        used_on: a day, ``2026-11-29``, or empty.
    """

    id: str
    name: str
    account: str
    state: str
    made_at: float
    ends_at: float
    used_on: str
    tries_left: int


@frozen(kw_only=True)
class ReadEnrolledDevices(OperationRequest[tuple[DeviceRow, ...]], command="account device-list"):
    """Show the devices on which a PIN signs in.

    Exit code 0: shown; 2: an error.
    """

    account: Annotated[str, ACCOUNT, ONLY_OF] = ""


@frozen(kw_only=True)
class RevokeDevice(OperationRequest[OwnedThing], command="account device-revoke"):
    """End the enrolment of a device at once.

    Such as of a lost phone. Exit code 0: done; 2: an error.
    """

    id: Annotated[str, ID, SHOWN_ID]


ENROLLED = Operation(
    name="readEnrolledDevices",
    method="GET",
    path="/accounts/devices",
    about="The enrolled devices, one's own or of an account.",
    request=ReadEnrolledDevices,
    answer=rows(
        extended(
            DeviceRow,
            {
                **each(maybe(AT), "made_at", "ends_at"),
                "used_on": maybe(TEXT),
                "tries_left": maybe(WHOLE),
            },
        )
    ),
    commands=("account device-list",),
    tag="accounts",
    listing=account_rows.ENROLLED,
)
ENROL = Operation(
    name="makeDeviceCode",
    method="POST",
    path="/accounts/devices/code",
    about="Make a code by which a device of an account is enrolled.",
    request=MakeDeviceCode,
    roles=ADMINS,
    answer=OneTimeCode,
    commands=("account device-code",),
    tag="accounts",
)
CONFIRM_DEVICE = Operation(
    name="confirmDevice",
    method="POST",
    path="/accounts/devices/{id}/confirm",
    about="Confirm that an enrolled device is the one that was meant.",
    request=ConfirmDevice,
    roles=ADMINS,
    answer=OwnedThing,
    commands=("account device-confirm",),
    tag="accounts",
    sentence=lambda done: say(
        "{account} may sign in on {name}.", name=done.name, account=done.account
    ),
)
REVOKE_DEVICE = Operation(
    name="revokeDevice",
    method="POST",
    path="/accounts/devices/{id}/revoke",
    about="Revoke an enrolled device, such as a lost phone.",
    request=RevokeDevice,
    answer=OwnedThing,
    commands=("account device-revoke",),
    tag="accounts",
    sentence=lambda done: say(
        "{account} may not sign in on {name} any more.", name=done.name, account=done.account
    ),
)

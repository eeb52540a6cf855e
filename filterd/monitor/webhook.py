# SPDX-License-Identifier: Apache-2.0
"""Post a message of alerts to a web service, as JSON.

The host must lead to public addresses, unless the site has written a private address itself:
the name of another party must not make this machine ask the networks behind it. No redirect
is followed, and errors have neither address nor token.
"""

from __future__ import annotations

import json
from contextlib import closing
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from filterd.base.addresses import is_public
from filterd.base.errors import DeliveryError, FetchError
from filterd.base.value_class import frozen
from filterd.http.http_download import Downloader, DownloadLimits, Pace, RequestPolicy
from filterd.monitor.secret_file import read_secret
from filterd.policy.reporting_settings import TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from filterd.base.clock import Clock
    from filterd.monitor.alert_message import AlertMessage
    from filterd.policy.reporting_settings import WebhookSettings

LIMITS = DownloadLimits(total_s=60.0, window_s=120.0, silence_s=20.0)


@frozen
class Webhook:
    """Posts messages as ``settings`` of a site want it.

    Attributes:
        settings: the address, and the name of the token's file.
        config: the folder of ``site.yaml``, for the token.
        clock: for the limits.
        limits: of time.
    """

    settings: WebhookSettings
    config: Path
    clock: Clock
    limits: DownloadLimits = LIMITS

    def send(self, message: AlertMessage) -> None:
        """Post a message.

        Raises:
            DeliveryError: the server or the secret file refuses.
        """
        url, headers = self.settings.url, {"Content-Type": "application/json; charset=utf-8"}
        policy = RequestPolicy(is_public_only=not _is_private(urlsplit(url).hostname or ""))
        if self.settings.token_file:
            token = read_secret(self.config, self.settings.token_file)
            if TOKEN in url:
                url = url.replace(TOKEN, quote(token, safe=":"))
            else:
                headers["Authorization"] = f"Bearer {token}"
        content = json.dumps(message.plain, ensure_ascii=False).encode()
        try:
            with closing(Downloader(Pace(self.clock, self.limits), policy)) as client:
                client.post(url, "webhook", content, headers)
        except FetchError as error:
            raise DeliveryError(error.sentence) from None  # what caused it has the address


def _is_private(host: str) -> bool:
    """Return whether a host is written as an address that is not public."""
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return False

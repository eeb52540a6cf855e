# SPDX-License-Identifier: Apache-2.0
"""Floor 3: accounts for the web and the API, and the sessions of people.

The manager keeps them and decides; a web process has no rights of its own. It sends a
person's token with each command (``control``), and the manager works out the rights of that
person by the same roles as for the groups of the gateway (``overrides.roles``)::

    sign-in (password, one-time code, PIN of a device) --> session --> token (cookie)
    account token add                                  --> API token (header)
    token + address --> Grant: account, roles, channel, scope --> Author "web:lan"
"""

# SPDX-License-Identifier: Apache-2.0
"""Floor 4: accounts for the web and the API, and the sessions of people.

The manager keeps them and decides; a web process has no rights of its own. It sends a
person's token with each command (``control``), and the manager works out the rights of that
person by the same roles as for the groups of the gateway (``overrides.rights.roles``)::

    password, code or PIN --> sign_in_delays --> password_hash --> sessions: token (cookie)
    account token-add     --> account: ApiToken (header)
    token + address       --> grant: TokenScope --> Grant: account, roles, channel
                          --> Author "web:lan"

``account`` defines what is kept, ``account_file`` keeps it, ``account_rows`` lists it.
``authenticator`` (TOTP) and ``one_time_codes`` check codes. What commands take and answer stands
in ``operations``: ``accounts``, ``sessions``, ``api_tokens``, ``enrolled_devices``.
"""

# SPDX-License-Identifier: Apache-2.0
"""Serve the control socket: one module a subject of its commands.

::

    control_server      the socket; control_followers: commands that stream
    control_caller      who asks, and with which rights
    handled             a command of a typed request; its arguments arrive checked
    status_commands     status, clock, reload; change_commands: changes of all kinds

    people              account_commands, api_token_commands, sign_in_commands; account_state;
                        account_grants: what a request may do
    school              room_commands, device_commands, exam_commands, history_commands
    the site            policy_commands, site_drafts, list_commands, restore_commands
    the log             log_commands, totals_commands, what_if_commands
    reports             report_commands, inspection_commands; gathered_facts
    pupils' page        review_commands
    the box itself      self_tests: real questions to its own sockets
"""

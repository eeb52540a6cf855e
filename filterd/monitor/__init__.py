# SPDX-License-Identifier: Apache-2.0
r"""Floor 6: metrics, health and alerts: the process of ``filterd monitor``.

It asks the control socket for ``status``, as a reader may, and nothing else. So it fails
without harm to lookups, and what it shows has no client, class, room or name. Where alerts go it
reads from ``site.yaml`` itself: it holds their secrets, and the daemon does not.

    control socket --status--> StatusSource --Observation--> watchers (alerts)
                                            \--> metrics --> HTTP on loopback (``http_service``)

``status_source``  a status, at most once a second, shared by all callers
``metrics``        a status as metrics in the text format of Prometheus
``monitor_main``   the process
``alert``          an alert and the rule that finds it; ``alert_rules`` a status as active
                   alerts; pure
``status_details`` a status as people read it, ``serving_details`` what is served; pure
``alerting``       observations as events: an alert begins, an alert ends
``alert_watch``    the watcher that sends events on, each way by an ``Outbox``
``alert_message``  events as a text and as JSON, active alerts as rows; ``mail`` and ``webhook``
                   send it
``secret_file``    the password and the token
"""

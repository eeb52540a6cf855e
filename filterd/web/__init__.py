# SPDX-License-Identifier: Apache-2.0
"""Floor 7: the dashboard and the API, a process of their own without rights.

It reads no file of filterd and keeps nothing but what a next page needs. Each request of a
browser or a program becomes commands of the control socket, with the person's token; the
manager decides (``accounts``)::

    browser --> request_guard --> page      --> Visitor.call(operation) -->+
            --> request_guard --> /do/NAME  --> Visitor.call(operation) -->+--> control socket
    program --> request_guard --> /api/v1/. --> Visitor.call(operation) -->+

An *operation* (``filterd.operations``) is one method of the API with its parameters, answer,
roles and the commands of ``filterd`` that it stands for. The description of the API is made of
them (``openapi``), and pages use nothing else. What only a person's request has, such as the
sentence after a change (``wanted_change``), is its ``endpoint``, in a module of ``operations``
here; what is in force is worked out by ``school_state``. A
command of ``filterd`` without an operation has a reason in ``tests/unit/web/test_endpoint.py``.
To add a page: its ``Page`` in a module of ``pages``, its template in ``templates``, a line in
``pages.ORDER``.

``web_main``        the process; ``https_listener`` (``certificate_files``), ``application``
``page_requests``   a ``page``; ``page_renderer`` and ``page_templates`` draw it with ``static``
                    files and the options of ``form_choices``; ``change_forms`` make its changes
``api_requests``    JSON, ``problem`` details, events (``event_responses``)
``visitor``         the person or program of a request; ``sign_in``
``protection_band`` the judgement of the protection, with a button for each remedy
``sections``        the parts of ``site.yaml`` that pages edit
``first_boot_pages``  the set-up, before there is an account
"""

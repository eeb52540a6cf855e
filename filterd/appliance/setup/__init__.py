# SPDX-License-Identifier: Apache-2.0
"""Set up one gateway: from the first question to the files of its site.

Nothing is written before the last question. By a terminal the person is root; by a browser a
child process without rights proposes what root then writes.

::

    questions           what a set-up asks, as data; in what order and when
      interview         one set-up between two questions, its answers in files
      machine_survey    the defaults
      school_answers    one answer: classes, networks, MACs, upstreams
    first_boot          a set-up by browser, before there is an account
    site_answers        answers <-> keys of site.yaml; a site that moves to another machine
      site_writer       those keys into a person's text, line by line
      site_edit         edits of the dashboard, in a child; root applies what it proposes
    web_certificate     the certificate of the dashboard
    printed_sheets      what a school hangs up: beside the box, in the classroom
"""

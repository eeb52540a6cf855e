# SPDX-License-Identifier: Apache-2.0
"""Floor 7: set up one gateway, and find what is wrong with it.

It works on the machine on which it runs, for the person in front of it; the serving processes
import nothing of it. Its rooms, each above those below it::

    update | backup         another release of filterd | the site, its history and its secrets
    setup | doctor          from the first question to site.yaml | probes, and who must do what

All of them build on, and commands call::

    releases            two on this machine, one in service; for the package and the updates
    machine_changes     users, services, packages: by programs of the system
    enrolment           the key of the gateway; what its province and a publisher's root prove
    inspection_record   signed with that key, and verified; mistake_envelope, likewise
    report_schedule     reports that are due, into folders and by mail

    trial_dashboard     the dashboard of ``serve --try``

    local_network       what this machine's kernel reports
    release_folders     the folders of releases, complete and never changed
    link_servers        questions to all servers of a link; solicitation: how they are asked
    stub_query          questions to one server, and its trial
"""

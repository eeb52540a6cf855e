# SPDX-License-Identifier: Apache-2.0
"""Floor 7: set up one gateway, and find what is wrong with it.

It works on the machine on which it runs, for the person in front of it; the serving processes
import nothing of it. A probe looks at one thing and changes nothing; a set-up writes the site's
files only after the last question.

::

    questions           what a set-up asks, as data; in what order and when
      interview         one set-up between two questions, its answers in files
      machine_survey    the defaults
      school_answers    one answer: classes, networks, MACs, upstreams
    first_boot          a set-up by browser, before there is an account
    site_answers        answers <-> keys of site.yaml; a site that moves to another machine
      site_writer       those keys into a person's text, line by line
      site_edit         edits of the dashboard, in a child; root applies what it proposes
    web_certificate     the certificate of the dashboard; trial_dashboard makes one by itself
    machine_changes     users, services, packages: by programs of the system
    enrolment           the key of the gateway; what its province and a publisher's root prove
    printed_sheets      what a school hangs up: beside the box, in the classroom
    inspection_record   signed with that key, and verified; mistake_envelope, likewise
    report_schedule     reports that are due, into folders and by mail

    examination         the table of probes; runs them all under one deadline
      examined_site     gathers what they look at
      resolver_probes   port, answers, upstreams, canaries
      service_probes    site, lists, release, sinkholes, lookups by device
      machine_probes    clock, disk, octets written, memory, kernel limits
      link_probes       placement, DHCP, IPv6, login at the switch
      bypass_probes     captive portal, other resolvers, DNS over HTTPS
        firewall_rules  what nftables does to a connection of one link
    probe               what they read: site, daemon, network; what they find: a text, a remedy

    releases            two on this machine, one in service; for the package and the updates
      self_test         what a release proves before it serves

    program_update      one update of filterd, from the offer to its end, by root
      update_decision   whether it is installed now, and why not
      update_watch      port 53, canaries and counters afterwards
      update_files      its files

    backup_file         a backup: parts, manifest, digests
      backup_parts      the parts of this gateway; its secrets, encrypted
      restore_plan      what a backup would change here
      restore_journal   puts a backup in force, whole or not at all

    local_network                                       what this machine's kernel reports
    link_servers                                        questions to all servers of a link
    stub_query                                          questions to one server, and its trial
"""

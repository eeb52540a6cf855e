# SPDX-License-Identifier: Apache-2.0
"""Hold what every package may need: errors, files, children, rights.

::

    value_class         frozen classes, which cost little where they are imported
    errors              every error that is shown to a person; clock: the time, which is injected
    paths               files that are read and replaced whole; archives: zip and tar, bounded
      state_file        frozen dataclasses as JSON and as files that show damage
      state_folder      the names of the state's files
      signed_envelope   a signed JSON document; certificate_facts: of a certificate, for people
    bounded_child       a child process with bounds of memory and time
      privileges        as whom a process acts; journal: where it says what it does
      service_manager   systemd's notices; process_memory: what the allocator gives back
      sealed_memory     memory that processes share and nobody changes
    acceptor            connections that are accepted with bounds
      socket_path       a socket whose path is too long; port_holders: who holds a port
      addresses         addresses and MACs; packet_room, time_buckets: what native code shares
    native              whether native code is there, and of which source
    protection_level    how far a school is protected, by the protection_facts of its status;
                        protection_line: what is said of one subject, and what to do
"""

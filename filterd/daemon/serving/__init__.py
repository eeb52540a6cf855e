# SPDX-License-Identifier: Apache-2.0
"""Answer: the process that owns the sockets, and those that read from them.

::

    supervisor          owns the sockets, forks the other processes and replaces them
      listening_sockets opened, or taken again from systemd's store after a restart
      worker            fastpath.udp_listener and tcp_listener in front of the chain
        tcp_listener    questions over TCP
        tls_transport   the same over TLS, while the box has a certificate
          tls_listener    records around the octets of TCP; handshakes in a thread
          tls_certificate the one of the dashboard, taken anew once it is renewed
        answer_path     the chain and the fast path of a worker; worker_status: what they count
        current_site    the site in force in a worker
        lookup_recorder what is kept of each answer, until the manager fetches it
    watchdog            who answers feeds systemd's watchdog

A question that a dead worker has not read waits in the kernel for the worker that replaces it.
"""

# SPDX-License-Identifier: Apache-2.0
"""Read the values of operations: from JSON, a form, or words of a command line.

``scalar``    texts, numbers, flags, choices, lists; ``Fields`` are those of one operation
``command_word``  how a command line writes a field
``secret``    a password, a code, a PIN: no error shows it
``time``      a time, a length
``term``      the start and end of a change
``audience``  for which clients
``target``    what is opened or closed
``room``      a network; ``device``: its MAC or address, and where devices go; ``seat``: a class
``day``       a day or a month of the calendar
``place``     where an answer of several pages goes on
``sought_names``  names that are looked for
``wire_name`` a name that the socket has in wire form, with a type of record
``report_days``, ``report_scope``  of a report: its period; for whom it is, and about whom
``trial``     what is tried instead of what is in force; ``expectation``: what is tested
"""

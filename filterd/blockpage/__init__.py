# SPDX-License-Identifier: Apache-2.0
"""Floor 6: the page for pupils: why a name is closed, and what to do.

It is a process of its own. It reads no file of filterd and has no rights. By its group it may
ask the manager three things only: the school, why a name is closed for the device at an
address, and to note a request for review (``daemon.handlers.review_commands``). It keeps answers
for seconds, and writes nothing down.

``manager_answers``  questions to the manager, with a short memory
``pupil_words``     facts as sentences, by age
``pupil_markup``    sentences as HTML without a script
``page_service``    requests and their replies; what binds a form to its page
``blockpage_main``  the process
"""

# SPDX-License-Identifier: Apache-2.0
"""Floor 6: reports of what a school filters: pages, documents, workbooks.

::

    manager --ReportFacts--> composer ----ReportDocument--> html, docx, xlsx, csv, json
    (counts, no names)       (sections in a language)        (a child process of its own)

The manager gathers the facts (``daemon.handlers.report_commands``), by the rules of k and of roles.
All formats draw the same document, so each figure is the same in all of them. Composing and
drawing are done in a bounded child process (``report_run``), because a Department's Word
template comes from outside, and python-docx takes 50 MB.

``report_period``    which days a report covers; dates and periods in words
``report_facts``     the figures and facts of a period, as the manager hands them out
``report_document``  a report as sections of texts, tables, charts: what each format draws
``report_composer``  facts and answers -> the document; of ``report_sections`` and
                     ``report_usage`` (figures of lookups); the page for parents
``charts``           charts and QR codes as SVG, for reports and the dashboard
``inspection_facts`` the facts of an inspection record, and its file as it is printed;
                     ``inspection_composer``: it -> the document
``report_formats``   THE list of formats; names of files; ``html_report``, ``csv_report``,
                     ``json_report``, ``workbook``
``word_report``      a Word file: ``template_builder`` has the built-in form, made of
                     ``administrative_styles``; ``template_check`` and ``template_sandbox`` bound
                     one from outside; ``report_fields`` and ``table_layout`` fill in and lay out;
                     ``xml_element`` types the XML
``report_run``       run the child, from the command line and the dashboard
"""

# SPDX-License-Identifier: Apache-2.0
"""The commands of ``filterd policy``: what each grade may use, and what an edit would do."""

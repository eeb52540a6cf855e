# SPDX-License-Identifier: Apache-2.0
"""The catalogues of translations: ``vi.po``, which translators edit, and ``vi.mo``, made of it."""

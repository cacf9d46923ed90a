"""
The law as a page that a lawyer can read, and what a new version of it changed: Markdown from policy tables. Pure.

Modules: `page` (the law), `comparison` (what is new), `rules` (the requirements behind), `words` (languages, lists, times).
"""

from ledger.audit.law.comparison import DIRECTIONS, Change, ChangeKind, changes, render_changes
from ledger.audit.law.page import render
from ledger.audit.law.rules import requirements_of

__all__ = ["DIRECTIONS", "Change", "ChangeKind", "changes", "render", "render_changes", "requirements_of"]

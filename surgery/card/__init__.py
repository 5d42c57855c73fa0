"""The model card of an edited model: front matter that the Hub reads, and a section for people.

Every word that comes from a file or the Hub is data here: escaped for Markdown, quoted for YAML,
and never HTML. Pure: texts in, a text out.
"""

from __future__ import annotations

from surgery.card.build import Card, Subject, make_card
from surgery.card.verified import Verified, read_verified

__all__ = ["Card", "Subject", "Verified", "make_card", "read_verified"]

"""Reports as single pages of HTML that open anywhere and ask nothing of the network."""

from __future__ import annotations

from surgery.pages.components import component_page
from surgery.pages.probe import probe_page
from surgery.pages.verify import verify_page

__all__ = ["component_page", "probe_page", "verify_page"]

"""Reports as single pages of HTML that open anywhere and ask nothing of the network; and as XML."""

from __future__ import annotations

from surgery.pages.components import component_page
from surgery.pages.junit import junit_xml
from surgery.pages.probe import probe_page
from surgery.pages.verify import verify_page

__all__ = ["component_page", "junit_xml", "probe_page", "verify_page"]

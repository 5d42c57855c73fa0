"""Is it gone, and is the rest intact: the same prompts and seeds through two models, judged."""

from __future__ import annotations

from surgery.verify.exam import BUILT_IN, Judged, Limits, compared, judged, picture_count, verify

__all__ = ["BUILT_IN", "Judged", "Limits", "compared", "judged", "picture_count", "verify"]

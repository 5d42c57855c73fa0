"""Is it gone, and is the rest intact: the same prompts and seeds through two models, judged."""

from __future__ import annotations

from surgery.verify.exam import Judged, Limits, compared, judged
from surgery.verify.plan import Plan, plan
from surgery.verify.run import run, verify
from surgery.verify.wish import Circumstance, Wish

__all__ = [
    "Circumstance",
    "Judged",
    "Limits",
    "Plan",
    "Wish",
    "compared",
    "judged",
    "plan",
    "run",
    "verify",
]

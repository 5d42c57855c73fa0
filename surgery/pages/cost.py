"""What a measurement took, in words."""

from __future__ import annotations

from surgery.pages import blocks
from surgery.pages.html import Html
from surgery.report import Cost


def cost_card(cost: Cost | None) -> Html | None:
    """A box with the denoiser runs, the time and the memory."""
    if cost is None:
        return None
    kept = {"kept from an earlier run": f"{cost.kept:,} measurements"} if cost.kept else {}
    memory = {"memory, at most": f"{cost.peak_mb:,.0f} MB"} if cost.peak_mb else {}
    return blocks.card("Cost", blocks.facts({
        "denoiser runs": cost.evaluations,
        "time": duration(cost.seconds),
        **memory,
        **kept,
    }))  # fmt: skip


def duration(seconds: float) -> str:
    """`41 s`, `12 min`, `3 h 20 min`."""
    if seconds < 120:
        return f"{seconds:.3g} s" if seconds >= 1 else "under 1 s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"

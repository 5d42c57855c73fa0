"""What `surgery probe --dry-run` shows: what would be run, from the headers alone."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from surgery.cli.page import Line, Table

if TYPE_CHECKING:
    from surgery.cli.console import Output
    from surgery.localise.wish import Wish
    from surgery.store.checkpoint import Checkpoint


def show_forecast(checkpoint: Checkpoint, wish: Wish, device: str, out: Output) -> None:
    """Count the runs for each concept that would be asked about."""
    from surgery.layout import detect
    from surgery.localise.chosen import (
        chosen_probe,
        chosen_questions,
        completed,
        study_of,
    )
    from surgery.localise.forecast import forecast
    from surgery.questions import vocabulary_of

    vocabulary, layout = vocabulary_of(checkpoint), detect(checkpoint)
    whole = completed(wish, vocabulary, device)
    probe, asked = chosen_probe(whole, layout), chosen_questions(whole, vocabulary)
    counts = [forecast(probe, layout, study_of(whole, one), whole.check or 0) for one in asked]
    found = list(zip(asked, counts, strict=True))
    rows = tuple(
        (one.concept, one.sort, f"{cost.cases:,}", f"{cost.places:,}", f"{cost.evaluations:,}")
        for one, cost in found
    )
    columns = ("concept", "kind", "cases", "places", "denoiser evaluations")
    title = f"{wish.method} on {checkpoint.address}, {layout.name}"
    document = {
        "kind": "forecast",
        "version": 1,
        "method": wish.method,
        "concepts": [{"concept": one.concept, **asdict(cost)} for one, cost in found],
    }
    total = sum(cost.evaluations for _, cost in found)
    said = f"at most {total:,} evaluations of the denoiser on one sample; nothing was run"
    table = Table(title, columns, rows, frozenset({2, 3, 4}))
    out.result(document, [one.concept for one in asked], [table, Line(said, "quiet")])

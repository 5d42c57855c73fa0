"""Brings a model from the Hub before it is edited, with a bar, and says what came."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surgery.cli.console import Output
    from surgery.cli.page import Line
    from surgery.store.checkpoint import Checkpoint


def bring(console: Output, checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with all its files on this machine."""
    from surgery.cli.page import Line
    from surgery.store.text import size

    if not (missing := checkpoint.missing_bytes):
        return checkpoint.here()
    console.talk([Line(f"downloading {size(missing)} of {checkpoint.address}", "quiet")])
    with console.progress("downloading", missing) as advance:
        return checkpoint.here(advance)


def fetched_lines(fetched: int, requests: int, total: int) -> list[Line]:
    """How much of a model on the Hub was fetched without downloading it."""
    from surgery.cli.page import Line, plural
    from surgery.store.text import size

    if not requests:
        return []
    text = f"fetched {size(fetched)} of {size(total)}"
    return [Line(f"{text} ({fetched:,} bytes) by {plural(requests, 'request')}")]

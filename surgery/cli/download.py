"""Brings a model from the Hub before it is edited, with a bar, and says what came."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from surgery.apply import ApplyReport
    from surgery.cli.console import Output
    from surgery.cli.page import Line
    from surgery.store.checkpoint import Checkpoint


@contextmanager
def brought(
    checkpoint: Checkpoint, console: Output, check: Callable[[], object] | None
) -> Iterator[Checkpoint]:
    """Yield the checkpoint with all its files on this machine.

    Args:
        check: called before anything is downloaded; None brings nothing.
    """
    from surgery.cli.page import Line
    from surgery.store.text import size

    missing = checkpoint.missing_bytes
    if check is None or not missing:
        yield checkpoint
        return
    check()
    console.talk([Line(f"downloading {size(missing)} of {checkpoint.address}", "quiet")])
    with console.progress("downloading", missing) as advance:
        here = checkpoint.here(advance)
    yield here


def fetched_lines(report: ApplyReport) -> list[Line]:
    """How much of a model on the Hub a dry run has fetched."""
    from surgery.cli.page import Line, plural
    from surgery.store.text import size

    if not report.requests:
        return []
    text = f"fetched {size(report.fetched)} of {size(report.plan.bytes_total)}"
    return [Line(f"{text} ({report.fetched:,} bytes) by {plural(report.requests, 'request')}")]

"""`surgery doctor`: whether a checkpoint is sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surgery.cli.options import AllowPickleOption, FormatOption, ModelArgument

if TYPE_CHECKING:
    from surgery.cli.page import Page, Style
    from surgery.doctor import DoctorReport

BROKEN = 3


def command(
    model: ModelArgument, allow_pickle: AllowPickleOption = False, format: FormatOption = "human"
) -> int:
    """Read a whole model and say what is broken in it, and what to do.

    Counts NaN and infinite numbers, checks stored hashes, position ids, shards, EMA copies and
    alignment, and looks for pickles under other names. Exits with 3 if something is broken.

    \b
    Examples:
      surgery doctor atelier
      surgery doctor atelier --format quiet
    """
    from contextlib import ExitStack

    from surgery.cli.console import Output
    from surgery.doctor import doctor

    out = Output(format)
    with ExitStack() as open_bars:
        report = doctor(
            model,
            allow_pickle=allow_pickle,
            watch=lambda total: open_bars.enter_context(out.progress("reading", total)),
        )
    names = [finding.where for finding in report.findings if finding.severity == "broken"]
    document = {**report.to_dict(), "sound": report.sound}
    out.result(document, names, doctor_page(report))
    return 0 if report.sound else BROKEN


def doctor_page(report: DoctorReport) -> Page:
    """A check-up for reading: what is broken, what is worth knowing, and what was read."""
    from surgery.cli.page import Line, plural
    from surgery.store.text import size

    page = [Line(report.address, "title")]
    for finding in report.findings:
        style: Style = "bad" if finding.severity == "broken" else "warn"
        page.append(Line(f"{finding.severity}: {finding.where}: {finding.what}", style))
        page.append(Line(f"  {finding.remedy}", "quiet"))
    broken = sum(finding.severity == "broken" for finding in report.findings)
    read = f"{plural(report.tensors, 'tensor')} read, {size(report.nbytes)}"
    end = f"{plural(broken, 'thing')} broken" if broken else "nothing is broken"
    page.append(Line(f"{end}; {read}", "bad" if broken else "good"))
    return page

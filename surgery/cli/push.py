"""`surgery push`: an edited model to the Hub, with its card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from surgery.cli.options import FormatOption
from surgery.cli.push_options import (
    CreatePrOption,
    MessageOption,
    OutArgument,
    PrivateOption,
    PushDryRunOption,
    RepositoryArgument,
    RevisionOption,
    TokenOption,
    VerifiedOption,
    WithUndoOption,
)

if TYPE_CHECKING:
    from surgery.cli.page import Line, Page, Table
    from surgery.report import PushReport

WORDS = {"upload": "upload", "copy": "copied by the Hub", "keep": "there already"}


def command(
    out: OutArgument,
    repository: RepositoryArgument,
    dry_run: PushDryRunOption = False,
    private: PrivateOption = False,
    create_pr: CreatePrOption = False,
    revision: RevisionOption = "main",
    message: MessageOption = "",
    token: TokenOption = None,
    report: VerifiedOption = None,
    with_undo: WithUndoOption = None,
    format: FormatOption = "human",
) -> None:
    """Push an edited model to the Hugging Face Hub, with its record and an honest card.

    All of it is one commit, on top of the one that was looked up: it is there whole or not at all,
    and never over somebody else's change. Afterwards every file is read back by its hash.

    \b
    Examples:
      surgery push out/remove_vangogh me/atelier-plain --dry-run
      surgery push out/remove_vangogh me/atelier-plain --private
    """
    from surgery.cli.console import Output
    from surgery.push import How, push
    from surgery.store.checkpoint import open_checkpoint

    console = Output(format)
    total = open_checkpoint(out).total_bytes
    with console.progress("hashing", total) as advance:
        how = How(revision, private, create_pr, message, token, report, with_undo, advance)
        done = push(out, repository, how, dry_run=dry_run)
    names = [step.path for step in done.operations if step.action != "keep"]
    console.result(done.to_dict(), names, push_page(done, card=dry_run))
    console.talk(_ending(done, dry_run))


def push_page(report: PushReport, *, card: bool) -> Page:
    """The card, if it is to be shown, and what happens to each file."""
    from surgery.cli.page import Line, Table
    from surgery.store.text import size

    page: list[Line | Table] = []
    if card:
        page.append(Line(f"README.md of {report.repository}:", "title"))
        page += [Line(f"  {line}") for line in report.card.splitlines()]
    rows = tuple((WORDS[one.action], one.path, size(one.nbytes)) for one in report.operations)
    page.append(Table("Files, all in one commit", ("", "file", "bytes"), rows, frozenset({2})))
    page += [Line(f"left out: {name}", "quiet") for name in report.left_out]
    page += [Line(f"Warning: {text}", "warn") for text in report.warnings]
    return page


def _ending(report: PushReport, dry_run: bool) -> list[Line]:
    from surgery.cli.page import Line, steps, surgery
    from surgery.store.text import size

    place = f"{report.repository}@{report.revision}"
    if dry_run and not report.is_done:
        made = "; the repository would be made" if report.creates else ""
        return [Line(f"dry run: nothing was changed{made}", "quiet")]
    if report.commit is None or report.commit == report.parent:
        return [Line(f"{place} is what is here already: nothing was pushed", "title")]
    sent = "as much as Xet did not have" if report.uploaded is None else size(report.uploaded)
    found = "; the Hub's answer was lost, the branch tells that it is there" if report.lost else ""
    page = [Line(f"pushed {report.repository}@{report.commit}: {sent} uploaded{found}", "title")]
    if report.pull_request:
        page.append(Line(f"pull request: {report.pull_request}", "title"))
    again = surgery("reproduce", f"{report.repository}@{report.commit}")
    return [*page, Line("every file was read back by its hash", "good"), *steps("next:", [again])]

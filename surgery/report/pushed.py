"""What a push did, or would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from surgery.report.base import Report


@dataclass(frozen=True, slots=True)
class Operation:
    """What happens to one file of the repository.

    Args:
        action: upload: it is sent; copy: the Hub takes it from the base's repository; keep: it is
            there already.
        nbytes: of the file.
    """

    action: Literal["upload", "copy", "keep"]
    path: str
    nbytes: int


@dataclass(frozen=True, slots=True)
class PushReport(Report):
    """A push, done or only looked up.

    Args:
        creates: whether the repository is made for it.
        parent: the commit that the branch was at.
        card: the text of README.md.
        left_out: files of the model that are not pushed: undo data, hidden files.
        commit: what is there now; None where nothing was done.
        pull_request: its address, "" for none.
        uploaded: bytes of weights that went over the network; None where that is not known.
        lost: whether the answer was lost, and the branch told that the commit is there.
    """

    kind: ClassVar[str] = "push"

    out: str
    repository: str
    revision: str
    creates: bool
    parent: str | None
    operations: tuple[Operation, ...]
    card: str
    warnings: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    commit: str | None = None
    pull_request: str = ""
    uploaded: int | None = 0
    lost: bool = False

    @property
    def is_done(self) -> bool:
        """Whether the model is on the Hub as it is here."""
        return self.commit is not None

"""push: an edited model, its record and its card to a repository on the Hub, by one commit.

Computes nothing: the record says what was measured, files are hashed and sent. Returns a
`PushReport`; prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from surgery.card import Card, Subject, Verified, make_card, read_verified
from surgery.errors import HubError, UsageError
from surgery.provenance import check_weights, recorded
from surgery.pushed_files import Files, base_of, files_of, hashed, operation
from surgery.report import PushReport, Record
from surgery.store.checkpoint import Checkpoint, open_checkpoint
from surgery.store.hub_address import HubAddress, parse
from surgery.store.hub_branch import Branch, look, make_place, moved, who_am_i
from surgery.store.hub_client import Repository
from surgery.store.hub_push import Outgoing, Wish, outgoing, send
from surgery.store.hub_session import signed_in
from surgery.store.text import quoted, visible

CARD, VERIFIED = "README.md", "verify.json"


@dataclass(frozen=True, slots=True)
class How:
    """What is pushed besides the model, and how.

    Args:
        revision: the branch; made where it is missing.
        private: whether a repository that is made now is private.
        create_pr: open a pull request instead of changing the branch.
        message: of the commit; "" for one of our own.
        token: the token to use; None takes that of `hf auth login` or HF_TOKEN.
        report: a file with what `verify` printed as JSON; None looks beside the model.
        undo: a patch or undo file to push as well.
        on_bytes: called with the number of bytes just hashed.
    """

    revision: str = "main"
    private: bool = False
    create_pr: bool = False
    message: str = ""
    token: str | None = None
    report: Path | None = None
    undo: Path | None = None
    on_bytes: Callable[[int], None] = lambda count: None


def push(
    out: str | Path, repository: str, how: How = How(), *, dry_run: bool = False
) -> PushReport:
    """Push an edited model.

    Args:
        out: a file or folder of this machine that `apply` wrote.
        repository: `org/name`.
        dry_run: look everything up and make the card, change nothing.

    Raises:
        CheckpointError: no record, or one of other weights.
        UsageError: no such name, or files that cannot be meant.
        HubError: the Hub refuses, somebody else was first, or there is no answer.
    """
    model = open_checkpoint(Path(out))
    record, address = recorded(model), _address(repository, how)
    check_weights(record, model)
    files, verified = files_of(model, how.undo), _verified(model, how.report)
    with signed_in(how.token):
        owner = None if dry_run else who_am_i(address)
        base, branch = base_of(record), look(address)
        card = make_card(_subject(model, record, (base, branch), verified))
        wanted = hashed(files, base, address.repo, how.on_bytes)
        wanted = [file for file in wanted if file.path != CARD]
        wanted.append(outgoing(CARD, card.text.encode("utf-8")))
        report = _report(model, branch, (files, wanted), card)
        new = [file for file in wanted if not file.is_there(branch.files.get(file.path))]
        if owner is None or not new:
            return report if new else replace(report, commit=branch.commit)
        place = make_place(branch, private=how.private, token_name=owner.token)
        if branch.commit not in (None, place.commit):
            raise moved(address)
        done = send(
            new, place, Wish(how.message or f"Edit: {record.name}", how.create_pr, owner.token)
        )
        return replace(
            report,
            commit=done.commit,
            pull_request=done.pull_request,
            uploaded=done.uploaded,
            lost=done.lost,
        )


def _address(repository: str, how: How) -> HubAddress:
    found = parse(repository)
    if found is None or found.path or "@" in repository or repository.startswith("hf://"):
        hint = "write it as ORG/NAME; a branch goes to --revision"
        raise UsageError(f"{quoted(repository)} is no name of a repository", hint=hint)
    if how.create_pr and how.revision != "main":
        hint = "a pull request is made against main"
        raise UsageError("--create-pr and --revision together", hint=hint)
    branch = parse(f"{repository}@{how.revision}")
    if branch is None:
        raise UsageError(f"{quoted(how.revision)} is no branch", where="--revision")
    return branch


def _verified(model: Checkpoint, report: Path | None) -> Verified | None:
    """What `verify` found: the report that is named, or the one that lies beside the model."""
    place = report or model.root.with_name(f"{model.root.name}.{VERIFIED}")
    if report is None and not place.is_file():
        return None
    try:
        text = place.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError("the report cannot be read", where=visible(str(place))) from error
    return read_verified(text, str(place))


def _subject(
    model: Checkpoint,
    record: Record,
    known: tuple[Repository | None, Branch],
    verified: Verified | None,
) -> Subject:
    base, branch = known
    alone = model.kind in {"file", "dduf"}
    base_card = _read(base)
    own = (
        None
        if alone or CARD not in model.stamps
        else model.path(CARD).read_text("utf-8", "replace")
    )
    return Subject(
        record=record,
        repository=branch.address.repo,
        file=model.root.name if alone else "",
        pipeline=_pipeline(model),
        base_card=base_card,
        # The base's own card comes along with its files; it is not about this model.
        existing=_read(branch.found) or (own if own != base_card else None),
        verified=verified,
    )


def _read(repository: Repository | None) -> str | None:
    """The card in a repository, if there is one."""
    if repository is None or CARD not in repository.files:
        return None
    try:
        return repository.fetch(CARD).read_text("utf-8", "replace")
    except HubError:
        if repository.asked.revision == repository.address.revision:
            return None
        raise


def _pipeline(model: Checkpoint) -> str:
    name = (model.json("model_index.json") or {}).get("_class_name")
    return name if isinstance(name, str) and name.isidentifier() else ""


def _report(
    model: Checkpoint, branch: Branch, content: tuple[Files, Sequence[Outgoing]], card: Card
) -> PushReport:
    files, wanted = content
    steps = (operation(file, file.is_there(branch.files.get(file.path))) for file in wanted)
    return PushReport(
        out=model.address,
        repository=branch.address.repo,
        revision=branch.address.revision,
        creates=not branch.exists,
        parent=branch.commit,
        operations=tuple(steps),
        card=card.text,
        warnings=card.warnings,
        left_out=files.left_out,
    )

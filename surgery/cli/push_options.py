"""Arguments and options of `surgery push`, spelt as in `hf`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

OutArgument = Annotated[
    Path, typer.Argument(metavar="OUT", help="A model that `apply` wrote, with its record.")
]
RepositoryArgument = Annotated[str, typer.Argument(metavar="ORG/NAME", help="Where it goes.")]
PushDryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Show the card and every operation, change nothing.")
]
PrivateOption = Annotated[
    bool, typer.Option("--private", help="Make a new repository a private one.")
]
CreatePrOption = Annotated[
    bool, typer.Option("--create-pr", help="Open a pull request, leave the branch as it is.")
]
RevisionOption = Annotated[
    str, typer.Option("--revision", metavar="BRANCH", help="The branch; made where missing.")
]
MessageOption = Annotated[
    str, typer.Option("--message", metavar="TEXT", help="Of the commit; default the recipe.")
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        metavar="TOKEN",
        help="A token for the Hub. Others on this machine can read it in a command line; better"
        " use `hf auth login` or HF_TOKEN.",
    ),
]
VerifiedOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="What `verify --format json` said; default OUT.verify.json, if it is there.",
    ),
]
WithUndoOption = Annotated[
    Path | None,
    typer.Option(
        "--with-undo",
        metavar="FILE",
        help="Also push this patch or undo file, which brings back what the edit took out.",
    ),
]

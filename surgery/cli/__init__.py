"""The command line: `app`, with a file for each command, and `main`, which returns the exit code.

0 done · 1 a bug in surgery · 2 bad usage, recipe or file · 3 a gate failed · 4 the Hub
5 too little disk or memory · 129, 130, 143 hung up, Ctrl-C, told to end · 141 the reader went away
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import Annotated

import typer

from surgery.cli import (
    apply,
    debias,
    diff,
    doctor,
    inspect,
    lora,
    patch,
    probe,
    push,
    recipe,
    reproduce,
    tune,
    undo,
    verify,
)
from surgery.version import __version__

# Typer returns this after Ctrl-C instead of letting KeyboardInterrupt through.
INTERRUPTED = 130


def _new_app() -> typer.Typer:
    return typer.Typer(
        name="surgery",
        epilog="Example: surgery apply recipes/remove_vangogh.yaml",
        no_args_is_help=True,
        # None keeps rich, which costs more than the rest of the start-up, out of --help.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        add_completion=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


app = _new_app()
app.command("apply")(apply.command)
app.command("undo")(undo.command)
app.command("lora")(lora.command)
app.command("debias")(debias.command)
app.command("tune")(tune.command)
app.command("probe")(probe.command)
app.command("inspect")(inspect.command)
app.command("diff")(diff.command)
app.command("doctor")(doctor.command)
app.command("verify")(verify.command)
app.command("reproduce")(reproduce.command)
app.command("push")(push.command)
app.add_typer(patch.app, name="patch")
app.add_typer(recipe.app, name="recipe")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"surgery {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Take a concept out of a text-to-image checkpoint, and show what is left."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code; every failure ends as one line on stderr.

    Args:
        argv: words after the program's name; None takes those of the process.
    """
    from surgery.cli.stopping import signals_raise

    with signals_raise():
        try:
            return _run(argv)
        except BaseException as error:  # noqa: BLE001 - the one place that turns errors into exit codes
            from surgery.cli.failures import report

            return report(error)


def _run(argv: Sequence[str] | None) -> int:
    from surgery.cli.console import flush

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # A name that the terminal's encoding cannot show must not end the command.
            stream.reconfigure(errors="backslashreplace")
    # pydantic, which typer loads, would look through every installed package for plugins.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    code = _narrowed(argv)(args=argv, prog_name="surgery", standalone_mode=False)
    if code == INTERRUPTED:
        raise KeyboardInterrupt
    flush()
    return code if isinstance(code, int) else 0


def _narrowed(argv: Sequence[str] | None) -> typer.Typer:
    """The command that the words begin with, alone: to set up all of them takes 10 ms."""
    first = (sys.argv[1:] if argv is None else argv)[:1]
    own = [command for command in app.registered_commands if [command.name] == list(first)]
    if not own:
        return app
    narrow = _new_app()
    narrow.callback()(root)
    narrow.registered_commands = own
    return narrow

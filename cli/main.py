"""
The `passport` command.

Here the commands are put together and errors become words and exit codes; the commands are in `cli.commands`.
"""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated, Final

import typer

from cli.commands import (
    audit,
    demo,
    doctor,
    grant,
    holder,
    log,
    member,
    policy,
    project,
    record,
    request,
    transfer,
    up,
    verify,
)
from cli.output import ERROR, complain, note
from ledger.errors import InvalidInput, LedgerError

#: Set to anything to see where an unforeseen error comes from.
_DEBUG_VARIABLE: Final = "PASSPORT_DEBUG"

app = typer.Typer(
    name="passport",
    help="Who may use which medical data for what, who did, and who was refused.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
"""The whole command line; `main` runs it."""

for _module in (up, demo, doctor, log, verify):
    _module.add_to(app)
for _group in (member, holder, record, grant, project, request, transfer, audit, policy):
    app.add_typer(_group.app)


@app.callback()
def _passport(
    *,
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True)
    ] = False,
) -> None:
    if show_version:
        print(version("medical-data-passport"))
        raise typer.Exit


def run(arguments: list[str]) -> int:
    """
    Run one command, and tell what went wrong.

    Args:
        arguments: What follows `passport` on the command line.

    Returns:
        The exit code. No error of the ledger or of usage leaves as an exception.
    """
    as_json = "--json" in arguments
    try:
        code = app(args=arguments, prog_name="passport", standalone_mode=False)
    except typer.TyperException as error:
        return _misused(error, as_json=as_json)
    except LedgerError as error:
        return complain(error, as_json=as_json)
    except (typer.Abort, KeyboardInterrupt):
        note("passport: stopped")
    except BrokenPipeError:
        # Who reads our output has gone; Python must not complain about it again when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        return complain(InvalidInput(str(error), fix="Check the path and its permissions."), as_json=as_json)
    except Exception as error:
        if os.environ.get(_DEBUG_VARIABLE):
            raise
        mistake = LedgerError(
            f"this program made a mistake: {type(error).__name__}: {error}",
            fix=f"Report it; with {_DEBUG_VARIABLE}=1 it says where.",
            code="internal",
        )
        return complain(mistake, as_json=as_json)
    else:
        return code if isinstance(code, int) else 0
    return ERROR


def _misused(error: typer.TyperException, *, as_json: bool) -> int:
    if type(error).__name__ == "NoArgsIsHelpError":
        note(error.format_message())
        return ERROR
    usage = InvalidInput(error.format_message(), fix="See `passport --help`, or --help after a command.")
    return complain(usage, as_json=as_json)


def main() -> None:
    """Run the command that the shell asks for, and end with its exit code."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

"""
The `passport` command.

Here the commands are put together and errors become words and exit codes; the commands are in `cli.commands`.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Final

import typer

from cli.output import ERROR, complain, note
from ledger.errors import InvalidInput, LedgerError

#: Set to anything to see where an unforeseen error comes from.
_DEBUG_VARIABLE: Final = "PASSPORT_DEBUG"
#: The commands, each a module of `cli.commands`, in the order of the help.
_COMMANDS: Final = (
    "up",
    "demo",
    "doctor",
    "member",
    "committee",
    "holder",
    "record",
    "grant",
    "template",
    "project",
    "request",
    "emergency",
    "attest",
    "agreement",
    "border",
    "transfer",
    "dataset",
    "lineage",
    "log",
    "verify",
    "audit",
    "policy",
)


def command_line(arguments: list[str]) -> typer.Typer:
    """
    Put the command line together: with the one command that is called, or with all of them for the help.

    The service and the chain are slow to import; who signs a request shall not wait for them.
    """
    app = typer.Typer(
        name="passport",
        help="Who may use which medical data for what, who did, and who was refused.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_passport)
    called = arguments[:1] if arguments and arguments[0] in _COMMANDS else _COMMANDS
    for name in called:
        module = import_module(f"cli.commands.{name}")
        if hasattr(module, "add_to"):
            module.add_to(app)
        else:
            app.add_typer(module.app)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        print(version("medical-data-passport"))
        raise typer.Exit


def _passport(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Take the options that stand before the command."""


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
        code = command_line(arguments)(args=arguments, prog_name="passport", standalone_mode=False)
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

"""The commands that pages tell people to run. One place, so that a renamed option is changed once."""

from __future__ import annotations

import shlex
from typing import Final

_WALLET: Final = "--wallet FILE"


def verify(origin: str, passport_id: str, *, custodian: int) -> str:
    """Return the command by which a patient checks a passport's log against the chain."""
    return f"passport verify {passport_id} --url {origin} {_WALLET} --custodian {custodian} --rpc NODE"


def grant(origin: str, verb: str, grant_id: str, *, custodian: int) -> str:
    """Return the command by which a patient gives, refuses, confirms, withdraws or repudiates a consent."""
    return f"passport grant {verb} {grant_id} --url {origin} {_WALLET} --custodian {custodian}"


def object_to_recovery(origin: str, passport_id: str, *, custodian: int) -> str:
    """Return the command by which a patient objects to a recovery."""
    return f"passport holder object {passport_id} --url {origin} {_WALLET} --custodian {custodian}"


def holder_sign_in(origin: str) -> str:
    """Return the command by which a patient gets a sign-in code."""
    return f"passport holder sign-in --url {origin} {_WALLET} --custodian NUMBER"


def member_sign_in(origin: str) -> str:
    """Return the command by which an institution gets a sign-in code."""
    return f"passport member sign-in --url {origin} --key FILE"


def act(origin: str, verb: str, number: int) -> str:
    """Return the command by which an institution approves or executes an act of the committee."""
    return f"passport committee {verb} {number} --url {origin} --key FILE"


def audit(rpc_url: str, ledger: str, *, from_block: int) -> str:
    """Return the command that replays the ledger from the chain alone."""
    return f"passport audit replay --rpc {shlex.quote(rpc_url or 'NODE')} --ledger {ledger} --from-block {from_block}"

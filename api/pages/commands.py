"""The commands that pages tell people to run. One place, so that a renamed option is changed once."""

from __future__ import annotations

import shlex
from typing import Final

_WALLET: Final = "--wallet FILE"
_KEY: Final = "--key FILE"


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


def answer(origin: str, version_id: str, what: str) -> str:
    """Return the command by which the owner of a model answers withdrawals."""
    successor = " --successor MODEL" if what in ("RETRAINED", "UNLEARNED") else ""
    return f"passport lineage answer {version_id} {what}{successor} --evidence WORDS --url {origin} {_KEY}"


def suspend(origin: str, version_id: str) -> str:
    """Return the command by which any member suspends a model whose owner owes an answer for too long."""
    return f"passport lineage suspend {version_id} --url {origin} {_KEY}"


def check(origin: str, version_id: str) -> str:
    """Return the command by which a verifier says how a version was made."""
    return f"passport lineage verify {version_id} --passed --report WORDS --url {origin} {_KEY}"


def share(origin: str, version_id: str, *, recipient: int | str = "NUMBER", options: str = "") -> str:
    """Return the command by which the owner of a version lets another member use it."""
    what = f"--with {recipient} --agreement NUMBER{_spaced(options)}"
    return f"passport lineage share {version_id} {what} --url {origin} {_KEY}"


def destroy(origin: str, dataset_id: int) -> str:
    """Return the command by which the owner of a dataset records that it was destroyed."""
    return f"passport lineage step DESTROY --dataset {dataset_id} --evidence WORDS --url {origin} {_KEY}"


def excuse_withdrawals(origin: str, dataset_id: int, withdrawals: int) -> str:
    """Return the command by which an ethics body excuses all withdrawals from a dataset, by their number."""
    what = f"--withdrawals {withdrawals} --opinion WORDS"
    return f"passport dataset excuse {dataset_id} {what} --url {origin} {_KEY}"


def transfer(origin: str, verb: str, transfer_id: str, options: str = "") -> str:
    """Return the command by which an institution does something about a transfer."""
    return f"passport transfer {verb} {transfer_id}{_spaced(options)} --url {origin} {_KEY}"


def declare(origin: str, agreement_id: int | str, options: str = "") -> str:
    """Return the command by which the provider of an agreement declares a transfer under it."""
    what = f"WORDS --agreement {agreement_id} --count NUMBER --purpose NAME --category NAME --place NUMBER"
    return f"passport transfer declare {what}{_spaced(options)} --url {origin} {_KEY}"


def agreement(origin: str, verb: str, agreement_id: int, options: str) -> str:
    """Return the command by which a side of an agreement signs or ends it."""
    return f"passport agreement {verb} {agreement_id} {options} --url {origin} {_KEY}"


def border(origin: str, verb: str, number: int | str = "", options: str = "") -> str:
    """Return the command that shows or changes something about borders."""
    return f"passport border {verb}{_spaced(str(number))}{_spaced(options)} --url {origin} {_KEY}"


def discrepancies(origin: str) -> str:
    """Return the command by which everybody reads the discrepancies."""
    return f"passport discrepancies --url {origin}"


def transfer_proof(origin: str, passport_id: str, transfer_id: str, *, custodian: int) -> str:
    """Return the command by which a patient fetches the proof that the own record was in a transfer of many."""
    return (
        f"passport transfer proof {passport_id} --transfer {transfer_id} --out proof.json --url {origin} "
        f"{_WALLET} --custodian {custodian}"
    )


def transfer_verify(ledger: str) -> str:
    """Return the command that checks such a proof against the chain, without this service."""
    return f"passport transfer verify proof.json --rpc NODE --ledger {ledger}"


def audit(rpc_url: str, ledger: str, *, from_block: int) -> str:
    """Return the command that replays the ledger from the chain alone."""
    return f"passport audit replay --rpc {shlex.quote(rpc_url or 'NODE')} --ledger {ledger} --from-block {from_block}"


def _spaced(options: str) -> str:
    return f" {options}" if options else ""

"""
Joint steps: rounds of federated training, and whatever else several members do together.

Who records the step drafts it; everybody else signs the draft, each where its key is, with a commitment to what it
contributes; who drafted it submits draft and parts. A draft is a JSON object: the body of `POST /v1/steps` with the salt
of its commitment, and what the signatures are for: the chain, the ledger, and who records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ledger.client.rest import PassportClient
from ledger.domain.lineage import Step, VersionId
from ledger.domain.records import ZERO32, Address, Salt
from ledger.domain.vocabulary import Purpose, StepKind, purpose_set
from ledger.encoding.commitments import commit_step, new_salt
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.encoding.typed_data import LedgerDomain, part_typed_data, sign
from ledger.errors import InvalidInput

#: What a draft says besides the step.
_ABOUT: Final = ("chainId", "ledger", "recorder")

Json = dict[str, Any]


def draft(client: PassportClient, body: Mapping[str, Any], *, recorder: int) -> Json:
    """
    Draft a joint step that the member *recorder* will record.

    Args:
        client: Of any service of the ledger: says which ledger this is.
        body: The step as `POST /v1/steps` takes it, without parts.
        recorder: The member's number.
    """
    spec = client.ledger()
    return {
        "chainId": int(spec["chainId"]),
        "ledger": spec["ledger"],
        "recorder": recorder,
        "salt": to_hex(new_salt()),
        **body,
    }


def step_of_draft(drafted: Mapping[str, Any]) -> Step:
    """
    Return the step of a draft as it is signed.

    Raises:
        InvalidInput: It is no draft; says what is missing or wrong.
    """
    try:
        kind = StepKind[drafted["kind"]]
        return Step(
            kind=kind,
            parameters=commit_step(
                kind.name,
                drafted["parameters"],
                drafted.get("environment", {}),
                drafted.get("evidence", ""),
                salt=Salt(bytes32(drafted["salt"])),
            ),
            inputs=tuple(VersionId(bytes32(name)) for name in drafted.get("inputs", [])),
            outputs=tuple(VersionId(bytes32(name)) for name in drafted.get("outputs", [])),
            dataset_id=int(drafted.get("datasetId", 0)),
            project_id=int(drafted.get("projectId", 0)),
            purposes=purpose_set([Purpose[name] for name in drafted.get("purposes", [])]),
            epsilon=int(drafted.get("epsilon", 0)),
            tool=bytes32(drafted["tool"]) if drafted.get("tool") else ZERO32,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidInput(
            f"this is no draft of a step: {error}",
            field="step",
            fix="passport lineage draft makes one of the body of a step.",
        ) from None


def sign_part(drafted: Mapping[str, Any], *, member_id: int, contribution: bytes, private_key: bytes) -> Json:
    """
    Take part in a drafted step. Needs no network.

    Args:
        drafted: The draft, as who will record it sent it.
        member_id: Who takes part.
        contribution: Commitment to what it contributes: its update of the model, for example.
        private_key: Of the account that signs the member's transactions, 32 bytes.

    Returns:
        The part: `memberId`, `contribution`, `signature`.

    Raises:
        InvalidInput: It is no draft.
    """
    step = step_of_draft(drafted)
    if any(drafted.get(field) is None for field in _ABOUT):
        raise InvalidInput(f"a draft names {', '.join(_ABOUT)}", field="step")
    typed = part_typed_data(
        LedgerDomain(int(drafted["chainId"]), Address(drafted["ledger"])),
        step,
        recorder=int(drafted["recorder"]),
        member_id=member_id,
        contribution=contribution,
    )
    signature = sign(typed, private_key=private_key)
    return {
        "memberId": member_id,
        "contribution": to_hex(contribution),
        "signature": to_hex(signature),
    }


def body_of(drafted: Mapping[str, Any], parts: Iterable[Json] = ()) -> Json:
    """Return the body of `POST /v1/steps` for a draft and its parts, in whatever order they came."""
    body = {field: value for field, value in drafted.items() if field not in _ABOUT}
    return {**body, "parts": sorted(parts, key=lambda part: int(part["memberId"]))}

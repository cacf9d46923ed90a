"""The routes of the REST API as methods. Requests and answers are JSON values, as docs/api.md describes them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import httpx2

from ledger.client.keys import MemberKeys
from ledger.client.transport import Transport

Json = dict[str, Any]

_PAGE = 500
_KEY_BYTES = 16


class PassportClient:
    """
    A client of one service, for one member, one holder or nobody in particular.

    Every write takes an `idempotency_key`; without one it gets a random one. Lists come whole, oldest or newest first
    as the route says, however many pages that takes.
    """

    def __init__(
        self,
        base_url: str,
        credentials: MemberKeys | str | None = None,
        *,
        patience: float = 0.0,
        http: httpx2.Client | None = None,
    ) -> None:
        """
        Name the service; nothing is sent yet.

        Args:
            base_url: Where the service is, for example `http://127.0.0.1:8080`.
            credentials: A member's keys, which sign each request; or the code of a session; or None.
            patience: For how many seconds to try again while the service or its node does not answer.
            http: Connection pool to use instead of a new one.
        """
        base = base_url.rstrip("/")
        self.base_url = base
        self._to = (
            Transport(base, credentials, patience, http) if http else Transport(base, credentials, patience)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._to.http.close()

    # The ledger and its members

    def ledger(self) -> Json:
        """Return which ledger on which chain this is, and how far the index has come."""
        return self._get("/v1/ledger")

    def members(self) -> list[Json]:
        """Return all members in the order of admission."""
        return list(self._pages("/v1/members"))

    def member(self, member_id: int) -> Json:
        """Return a member."""
        return self._get(f"/v1/members/{member_id}")

    def admit(self, admission: Json, *, idempotency_key: str | None = None) -> Json:
        """Admit an institution (committee): name, roles, purposes, jurisdiction, validTo and both public keys."""
        return self._post("/v1/members", admission, idempotency_key)

    def suspend(self, member_id: int, reason: str, *, idempotency_key: str | None = None) -> Json:
        """Suspend a member (committee)."""
        return self._post(f"/v1/members/{member_id}/suspension", {"reason": reason}, idempotency_key)

    def reinstate(self, member_id: int, *, idempotency_key: str | None = None) -> Json:
        """Let a suspended member act again (committee)."""
        return self._write("DELETE", f"/v1/members/{member_id}/suspension", None, idempotency_key)

    # Passports and records

    def register(
        self,
        bundle: Json,
        purposes: list[str],
        *,
        holder: str | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """
        Register a patient's record (custodian).

        Returns:
            `{"passport": ..., "entries": {category: number}}`.
        """
        body: Json = {"bundle": bundle, "purposes": purposes}
        if holder:
            body["holder"] = holder
        return self._post("/v1/passports", body, idempotency_key)

    def passports(self) -> list[Json]:
        """Return the passports that the caller keeps, or that are the holder's own."""
        return list(self._pages("/v1/passports"))

    def passport(self, passport_id: str) -> Json:
        """Return a passport."""
        return self._get(f"/v1/passports/{passport_id}")

    def access_log(self, passport_id: str) -> list[Json]:
        """Return who asked for a passport's data, newest first."""
        return list(self._pages(f"/v1/passports/{passport_id}/decisions"))

    def records(self) -> list[Json]:
        """Return what the caller keeps as custodian, with its own references."""
        return list(self._pages("/v1/records"))

    def release(self, passport_id: str, seq: int) -> Json:
        """Return what a decision permitted, its keys sealed to the caller; see `open_release`."""
        return self._get(f"/v1/records/{passport_id}", {"decision": seq})

    def provenance(self, passport_id: str) -> Json:
        """Return where a passport's data came from and went."""
        return self._get(f"/v1/provenance/{passport_id}")

    # Consent

    def prepare_grant(self, fields: Json) -> Json:
        """Write a grant down for the holder to read and sign: grant, text, holder, typedData. Nothing is granted."""
        return self._post("/v1/grants/preparations", fields, None)

    def relay_grant(self, grant: Json, signature: str, *, idempotency_key: str | None = None) -> Json:
        """Bring a signed grant to the ledger."""
        return self._post("/v1/grants", {"grant": grant, "signature": signature}, idempotency_key)

    def assist_grant(self, fields: Json, *, idempotency_key: str | None = None) -> Json:
        """Grant for a patient whose holder key the caller keeps as custodian."""
        return self._post("/v1/grants", {**fields, "assisted": True}, idempotency_key)

    def grants(self, passport_id: str | None = None) -> list[Json]:
        """Return the grants of a passport, or all that the caller may see."""
        return list(self._pages("/v1/grants", {"passport": passport_id}))

    def grant(self, grant_id: str) -> Json:
        """Return a grant."""
        return self._get(f"/v1/grants/{grant_id}")

    def revocation(self, grant_id: str) -> Json:
        """Return the typed data that withdraws a grant, for the holder's key."""
        return self._get(f"/v1/grants/{grant_id}/revocation")

    def revoke(
        self, grant_id: str, signature: str | None = None, *, idempotency_key: str | None = None
    ) -> Json:
        """Withdraw a grant; without a signature for a patient whose holder key the caller keeps."""
        body: Json = {"signature": signature} if signature else {"assisted": True}
        return self._post(f"/v1/grants/{grant_id}/revocation", body, idempotency_key)

    # Projects and decisions

    def file_project(self, filing: Json, *, idempotency_key: str | None = None) -> Json:
        """File a project of the caller's."""
        return self._post("/v1/projects", filing, idempotency_key)

    def projects(self) -> list[Json]:
        """Return projects in the order of filing."""
        return list(self._pages("/v1/projects"))

    def project(self, project_id: int) -> Json:
        """Return a project."""
        return self._get(f"/v1/projects/{project_id}")

    def withdraw_project(self, project_id: int, *, idempotency_key: str | None = None) -> Json:
        """Withdraw a project of the caller's."""
        return self._post(f"/v1/projects/{project_id}/withdrawal", None, idempotency_key)

    def review_project(self, project_id: int, review: Json, *, idempotency_key: str | None = None) -> Json:
        """Approve a project as an ethics or a compliance body: `{"approval", "approved", "opinion"}`."""
        return self._post(f"/v1/projects/{project_id}/reviews", review, idempotency_key)

    # The committee

    def committee(self) -> Json:
        """Return the seats and the rules."""
        return self._get("/v1/committee")

    def acts(self) -> list[Json]:
        """Return all acts, oldest first."""
        return list(self._pages("/v1/acts"))

    def set_seat(self, seat: Json, *, idempotency_key: str | None = None) -> Json:
        """Propose to seat a member: `{"memberId", "kind", "reason"}`."""
        return self._post("/v1/committee/seats", seat, idempotency_key)

    def set_rule(self, rule: Json, *, idempotency_key: str | None = None) -> Json:
        """Propose what acts of a kind need: `{"kind", "quorum", "seats", "delaySeconds", "reason"}`."""
        return self._post("/v1/committee/rules", rule, idempotency_key)

    def approve_act(self, act_id: int, *, idempotency_key: str | None = None) -> Json:
        """Approve an act."""
        return self._post(f"/v1/acts/{act_id}/approvals", None, idempotency_key)

    def execute_act(self, act_id: int, *, idempotency_key: str | None = None) -> Json:
        """Do an act that is ready."""
        return self._post(f"/v1/acts/{act_id}/execution", None, idempotency_key)

    def decide(self, requests: list[Json], *, idempotency_key: str | None = None) -> list[Json]:
        """Ask for access, 1 to 100 requests at once; returns the decisions in the same order."""
        answer = self._post("/v1/decisions", {"requests": requests}, idempotency_key)
        decisions: list[Json] = answer["decisions"]
        return decisions

    def decisions(self) -> list[Json]:
        """Return the caller's own requests and their answers, newest first."""
        return list(self._pages("/v1/decisions"))

    def decision(self, passport_id: str, seq: int) -> Json:
        """Return a decision."""
        return self._get(f"/v1/decisions/{passport_id}/{seq}")

    def policy(self, version: int | None = None, *, language: str | None = None) -> Json:
        """Return the law in force, or one of its versions; in the words of a language (`en`, `zh`) too."""
        return self._get(_law(version), {"language": language})

    def policy_page(self, version: int | None = None, *, language: str | None = None) -> str:
        """Return the law in force, or one of its versions, as Markdown in a language or in both."""
        return self._get_page(_law(version), {"language": language})

    def policy_changes(self, version: int, since: int) -> Json:
        """Return what a version of the law changed since another one."""
        return self._get(f"{_law(version)}/changes", {"since": since})

    def policy_changes_page(self, version: int, since: int, *, language: str | None = None) -> str:
        """Return what a version of the law changed since another one as Markdown."""
        return self._get_page(f"{_law(version)}/changes", {"since": since, "language": language})

    # Transfers

    def ship(self, passport_id: str, seq: int, *, idempotency_key: str | None = None) -> Json:
        """Ship a record under a permit to transfer (custodian)."""
        return self._post("/v1/transfers", {"passportId": passport_id, "decision": seq}, idempotency_key)

    def transfers(self) -> list[Json]:
        """Return the transfers that the caller sent or received, newest first."""
        return list(self._pages("/v1/transfers"))

    def transfer(self, transfer_id: str) -> Json:
        """Return a transfer."""
        return self._get(f"/v1/transfers/{transfer_id}")

    def collect(self, transfer_id: str) -> Json:
        """Return what was shipped to the caller, as a release."""
        return self._get(f"/v1/transfers/{transfer_id}/content")

    def receive(self, transfer_id: str, content: str, *, idempotency_key: str | None = None) -> Json:
        """State which content was received; see `content_received`."""
        return self._post(f"/v1/transfers/{transfer_id}/receipt", {"content": content}, idempotency_key)

    # Sessions and the service itself

    def challenge(self, holder: str) -> Json:
        """Return what a holder signs to sign in: typedData, challenge, expiresAt. See `sign_in`."""
        return self._post("/v1/sessions/challenges", {"holder": holder}, None)

    def open_session(self, holder: str, challenge: str, signature: str) -> Json:
        """Open a holder's session with a signed challenge: code, expiresAt."""
        body = {"holder": holder, "challenge": challenge, "signature": signature}
        return self._post("/v1/sessions", body, None)

    def open_member_session(self) -> Json:
        """Open a session for the pages as the member that signs the request: code, expiresAt."""
        return self._post("/v1/sessions", None, None)

    def operation(self, operation_id: str) -> Json:
        """Return how far a write of the caller's has come."""
        return self._get(f"/v1/operations/{operation_id}")

    def ready(self) -> Json:
        """Return whether the service is ready, or raise what is missing."""
        return self._get("/readyz")

    def _get(self, path: str, query: Json | None = None) -> Json:
        answer: Json = self._to.call("GET", path, query=query)
        return answer

    def _get_page(self, path: str, query: Json) -> str:
        return str(self._to.call("GET", path, query=query, accept="text/markdown"))

    def _post(self, path: str, body: Json | None, key: str | None) -> Json:
        return self._write("POST", path, body, key)

    def _write(self, method: str, path: str, body: Json | None, key: str | None) -> Json:
        name = key or secrets.token_hex(_KEY_BYTES)
        answer: Json = self._to.call(method, path, body=body, idempotency_key=name)
        return answer

    def _pages(self, path: str, query: Json | None = None) -> Iterator[Json]:
        cursor: str | None = None
        while True:
            page = self._get(path, {**(query or {}), "limit": _PAGE, "after": cursor})
            yield from page["items"]
            cursor = page.get("next")
            if not cursor:
                return


def _law(version: int | None) -> str:
    return "/v1/policy" if version is None else f"/v1/policy/{version}"

"""The routes of the REST API as methods. Requests and answers are JSON values, as docs/api.md describes them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

import httpx2

from ledger.client.keys import MemberKeys
from ledger.client.transport import Transport

Json = dict[str, Any]

_PAGE = 500
#: Most people that one request includes.
_MOST_AT_ONCE = 100
#: Records of a transfer of many that one answer hands over.
_FEW = 20
_KEY_BYTES = 16
#: What of a law is decided; the rest of what `policy` returns explains it.
_LAW_FIELDS = (
    "entries",
    "necessary",
    "classes",
    "bannedPurposes",
    "maxGrantSeconds",
    "levels",
    "emergencies",
)
_ENTRY_FIELDS = ("dataClass", "purpose", "basis", "required")


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
        """
        Admit an institution (committee, alliance): name, roles, purposes, jurisdiction, validTo and both public keys.

        Returns:
            The member; if other seats must approve it first, the operation with `actId` and `advice`.
        """
        return self._post("/v1/members", admission, idempotency_key)

    def suspend(self, member_id: int, reason: str, *, idempotency_key: str | None = None) -> Json:
        """Suspend a member (committee, alliance, regulator); returns as `admit` does."""
        return self._post(f"/v1/members/{member_id}/suspension", {"reason": reason}, idempotency_key)

    def reinstate(self, member_id: int, *, idempotency_key: str | None = None) -> Json:
        """Let a suspended member act again (committee); returns as `admit` does."""
        return self._write("DELETE", f"/v1/members/{member_id}/suspension", None, idempotency_key)

    def expel(self, member_id: int, reason: str, *, idempotency_key: str | None = None) -> Json:
        """Propose to expel a member, for good (committee)."""
        return self._post(f"/v1/members/{member_id}/expulsion", {"reason": reason}, idempotency_key)

    def license(self, member_id: int, licence: Json, *, idempotency_key: str | None = None) -> Json:
        """Propose another licence scope and end: `{"purposes", "validTo", "reason"}` (committee)."""
        return self._write("PUT", f"/v1/members/{member_id}/licence", licence, idempotency_key)

    def change_control(self, member_id: int, reason: str, *, idempotency_key: str | None = None) -> Json:
        """Record that control of a member changed hands (committee, alliance)."""
        return self._post(f"/v1/members/{member_id}/control-changes", {"reason": reason}, idempotency_key)

    def set_caps(
        self, member_id: int, caps: dict[str, int], reason: str, *, idempotency_key: str | None = None
    ) -> Json:
        """Propose how many permits a member may get in a day, by purpose (committee)."""
        body = {"caps": caps, "reason": reason}
        return self._write("PUT", f"/v1/members/{member_id}/caps", body, idempotency_key)

    def rotate_keys(self, member_id: int, keys: Json, *, idempotency_key: str | None = None) -> Json:
        """Propose to replace a member's keys: `{"signingKey", "sealingKey", "signer", "reason"}` (committee)."""
        return self._write("PUT", f"/v1/members/{member_id}/keys", keys, idempotency_key)

    def entrust(self, member_id: int, order: Json, *, idempotency_key: str | None = None) -> Json:
        """Entrust a member with acting for the caller: `{"purposes", "validTo", "agreement"}`."""
        return self._write("PUT", f"/v1/members/{member_id}/entrustment", order, idempotency_key)

    def end_entrustment(self, member_id: int, *, idempotency_key: str | None = None) -> Json:
        """End what the caller entrusted a member with."""
        return self._write("DELETE", f"/v1/members/{member_id}/entrustment", None, idempotency_key)

    # Passports and records

    def register(
        self,
        bundle: Json,
        purposes: list[str],
        *,
        holder: str | None = None,
        lock: int = 0,
        idempotency_key: str | None = None,
    ) -> Json:
        """
        Register a patient's record (custodian); with `lock` one obtained under that public emergency.

        Returns:
            `{"passport": ..., "entries": {category: number}}`.
        """
        body: Json = {"bundle": bundle, "purposes": purposes}
        if holder:
            body["holder"] = holder
        if lock:
            body["lock"] = lock
        return self._post("/v1/passports", body, idempotency_key)

    def passports(self) -> list[Json]:
        """Return the passports that a member keeps, or that a key speaks for: its own, and those of whoever lets it."""
        return list(self._pages("/v1/passports"))

    def passport(self, passport_id: str) -> Json:
        """Return a passport."""
        return self._get(f"/v1/passports/{passport_id}")

    def seal(self, passport_id: str, reason: str, *, idempotency_key: str | None = None) -> Json:
        """Seal data: no use and no destruction (custodian, regulator, committee)."""
        return self._post(f"/v1/passports/{passport_id}/seal", {"reason": reason}, idempotency_key)

    def unseal(self, passport_id: str, reason: str, *, idempotency_key: str | None = None) -> Json:
        """Propose to open sealed data again (committee)."""
        return self._post(f"/v1/passports/{passport_id}/unseal", {"reason": reason}, idempotency_key)

    def narrow(self, passport_id: str, purposes: list[str], *, idempotency_key: str | None = None) -> Json:
        """Narrow what data may ever be used for (custodian)."""
        return self._post(f"/v1/passports/{passport_id}/narrowing", {"purposes": purposes}, idempotency_key)

    def destroy(self, passport_id: str, statement: str, *, idempotency_key: str | None = None) -> Json:
        """State that data is destroyed, and have its keys destroyed (custodian)."""
        body = {"statement": statement}
        return self._post(f"/v1/passports/{passport_id}/destruction", body, idempotency_key)

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

    def amend_grant(self, grant_id: str, changes: Json) -> Json:
        """Write down a grant with some fields changed, as `prepare_grant` does; of one asked for, as asked without."""
        return self._post(f"/v1/grants/{grant_id}/amendment", changes, None)

    def ask_consent(self, fields: Json, *, idempotency_key: str | None = None) -> Json:
        """Ask a holder for consent, with the fields of a preparation; the caller is the recipient."""
        return self._post("/v1/consent-requests", fields, idempotency_key)

    def relay_grant(
        self, grant: Json, signature: str, *, signer: str | None = None, idempotency_key: str | None = None
    ) -> Json:
        """Bring a signed grant to the ledger; *signer* is the key of a delegate that signed."""
        body: Json = {"grant": grant, **_voice(signature, signer)}
        return self._post("/v1/grants", body, idempotency_key)

    def sign_grant_for(self, grant: Json, *, idempotency_key: str | None = None) -> Json:
        """Give a prepared grant for a patient whose holder key the caller keeps as custodian."""
        return self._post("/v1/grants", {"grant": grant, "assisted": True}, idempotency_key)

    def file_paper(self, fields: Json, evidence: Json, *, idempotency_key: str | None = None) -> Json:
        """File a consent on paper (custodian); *evidence* is `{"evidence": text}` or `{"hash": 0x…}`."""
        return self._post("/v1/grants", {**fields, "paper": evidence}, idempotency_key)

    def assist_grant(self, fields: Json, *, idempotency_key: str | None = None) -> Json:
        """Grant for a patient whose holder key the caller keeps as custodian."""
        return self._post("/v1/grants", {**fields, "assisted": True}, idempotency_key)

    def grants(self, passport_id: str | None = None, *, status: str | None = None) -> list[Json]:
        """Return the grants of a passport, or all that the caller may see; only those of a status if it is given."""
        return list(self._pages("/v1/grants", {"passport": passport_id, "status": status}))

    def standing(self, passport_id: str, member_id: int) -> Json:
        """Return where a member stands with a passport's holder: `{"status", "grants", ...}`."""
        return self._get(f"/v1/passports/{passport_id}/members/{member_id}/standing")

    def grant(self, grant_id: str) -> Json:
        """Return a grant."""
        return self._get(f"/v1/grants/{grant_id}")

    def revocation(self, grant_id: str) -> Json:
        """Return the typed data that withdraws a grant, for the holder's key."""
        return self._get(f"/v1/grants/{grant_id}/revocation")

    def typed_data(self, grant_id: str, act: str) -> Json:
        """Return what the holder signs: *act* is revocation, refusal, confirmation or repudiation."""
        answer: Json = self._get(f"/v1/grants/{grant_id}/{act}")["typedData"]
        return answer

    def revoke(
        self,
        grant_id: str,
        signature: str | None = None,
        *,
        signer: str | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Withdraw a grant; without a signature for a patient whose holder key the caller keeps."""
        return self._post(f"/v1/grants/{grant_id}/revocation", _voice(signature, signer), idempotency_key)

    def refuse(
        self,
        grant_id: str,
        signature: str | None = None,
        *,
        signer: str | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Refuse what was asked for; as `revoke`."""
        return self._post(f"/v1/grants/{grant_id}/refusal", _voice(signature, signer), idempotency_key)

    def confirm(
        self,
        grant_id: str,
        signature: str | None = None,
        *,
        signer: str | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Stand by a grant; as `revoke`."""
        return self._post(f"/v1/grants/{grant_id}/confirmation", _voice(signature, signer), idempotency_key)

    def repudiate(
        self,
        grant_id: str,
        signature: str | None = None,
        *,
        signer: str | None = None,
        idempotency_key: str | None = None,
    ) -> Json:
        """Declare that a grant was never given; as `revoke`."""
        return self._post(f"/v1/grants/{grant_id}/repudiation", _voice(signature, signer), idempotency_key)

    # Templates

    def templates(self) -> list[Json]:
        """Return all templates in the order of issue."""
        return list(self._pages("/v1/templates"))

    def template(self, number: int) -> Json:
        """Return a template with its notice."""
        return self._get(f"/v1/templates/{number}")

    def issue_template(self, template: Json, *, idempotency_key: str | None = None) -> Json:
        """Propose a template: purposes, categories, recipientKinds, maxSeconds, notice, reason (committee)."""
        return self._post("/v1/templates", template, idempotency_key)

    def withdraw_template(self, number: int, reason: str, *, idempotency_key: str | None = None) -> Json:
        """Propose to withdraw a template (committee)."""
        return self._post(f"/v1/templates/{number}/withdrawal", {"reason": reason}, idempotency_key)

    # Holders

    def holder(self, passport_id: str) -> Json:
        """Return who speaks for a passport's subject: key, epoch, guardians, delegates, recovery."""
        return self._get(f"/v1/passports/{passport_id}/holder")

    def prepare_holder_act(self, passport_id: str, act: Json) -> Json:
        """Return what is signed for an act: `{"act": "rotation", "holder": …}`, delegation, guardians, recovery, objection."""
        return self._post(f"/v1/passports/{passport_id}/holder/preparations", act, None)

    def rotate_holder(
        self,
        passport_id: str,
        holder: str,
        signature: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Json:
        """Replace the holder's key; without a signature the patient takes over from the caller, its custodian."""
        body: Json = {"holder": holder, **_voice(signature)}
        return self._post(f"/v1/passports/{passport_id}/holder", body, idempotency_key)

    def name_delegate(
        self,
        passport_id: str,
        delegate: str,
        valid_to: str | None,
        signature: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Json:
        """Let a key speak for the holder until a time (RFC 3339); None ends it at once."""
        body: Json = {"delegate": delegate, "validTo": valid_to, **_voice(signature)}
        return self._post(f"/v1/passports/{passport_id}/delegates", body, idempotency_key)

    def name_guardians(
        self,
        passport_id: str,
        threshold: int,
        keys: list[str],
        signature: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Json:
        """Name those who can replace a lost key together; no keys for nobody."""
        body: Json = {"threshold": threshold, "keys": keys, **_voice(signature)}
        return self._post(f"/v1/passports/{passport_id}/guardians", body, idempotency_key)

    def recover_holder(self, passport_id: str, recovery: Json, *, idempotency_key: str | None = None) -> Json:
        """Begin to replace a lost key: guardians send holder, threshold, keys, signatures; a custodian holder or none."""
        return self._post(f"/v1/passports/{passport_id}/recovery", recovery, idempotency_key)

    def object_to_recovery(
        self, passport_id: str, signature: str | None = None, *, idempotency_key: str | None = None
    ) -> Json:
        """Object to a recovery: the key is not lost."""
        return self._post(
            f"/v1/passports/{passport_id}/recovery/objection", _voice(signature), idempotency_key
        )

    def complete_recovery(self, passport_id: str, *, idempotency_key: str | None = None) -> Json:
        """Complete a recovery that nobody objected to in time."""
        return self._post(f"/v1/passports/{passport_id}/recovery/completion", None, idempotency_key)

    def was_permitted(self, question: Json) -> Json:
        """Return whether something was permitted at a time: passport, member, purpose, basis, categories, at, ..."""
        return self._get("/v1/permissions", question)

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

    # Agreements and borders

    def propose_agreement(self, agreement: Json, *, idempotency_key: str | None = None) -> Json:
        """
        Propose an agreement under which the caller will give data.

        Args:
            agreement: `{"recipient", "purposes", "categories", "validTo", "retentionSeconds", "text"}`, and
                `responseHours`, `onward` and `linkage` if they are not to be 0 and false.
            idempotency_key: A name for this change.
        """
        return self._post("/v1/agreements", agreement, idempotency_key)

    def sign_agreement(self, agreement_id: int, text: str, *, idempotency_key: str | None = None) -> Json:
        """Sign what was proposed to the caller, by the commitment to the text that it read."""
        return self._post(f"/v1/agreements/{agreement_id}/signature", {"text": text}, idempotency_key)

    def end_agreement(self, agreement_id: int, reason: str, *, idempotency_key: str | None = None) -> Json:
        """End an agreement of the caller's, or decline what was proposed."""
        return self._post(f"/v1/agreements/{agreement_id}/end", {"reason": reason}, idempotency_key)

    def agreements(self, *, member_id: int | None = None) -> list[Json]:
        """Return agreements, oldest first; those of a member on either side."""
        return list(self._pages("/v1/agreements", {"member": member_id}))

    def agreement(self, agreement_id: int) -> Json:
        """Return an agreement."""
        return self._get(f"/v1/agreements/{agreement_id}")

    def clear(self, clearance: Json, *, idempotency_key: str | None = None) -> Json:
        """
        Clear an exporter's data for a project (regulator; verifier for CERTIFICATION).

        Args:
            clearance: `{"projectId", "exporter", "path", "validFrom", "validTo", "maxPersons", "filing"}`, and
                `agreement` for the path CONTRACT.
            idempotency_key: A name for this change.
        """
        return self._post("/v1/clearances", clearance, idempotency_key)

    def withdraw_clearance(
        self, clearance_id: int, reason: str, *, idempotency_key: str | None = None
    ) -> Json:
        """Take a clearance back (its issuer, or a regulator of the exporter's jurisdiction)."""
        return self._post(f"/v1/clearances/{clearance_id}/withdrawal", {"reason": reason}, idempotency_key)

    def clearances(self, *, project_id: int | None = None, exporter: int | None = None) -> list[Json]:
        """Return clearances, oldest first."""
        return list(self._pages("/v1/clearances", {"project": project_id, "exporter": exporter}))

    def clearance(self, clearance_id: int) -> Json:
        """Return a clearance, and how many persons have crossed under it."""
        return self._get(f"/v1/clearances/{clearance_id}")

    def set_border_access(
        self, member_id: int, valid_to: str | None, *, idempotency_key: str | None = None
    ) -> Json:
        """Let a member receive data from abroad until a time; None takes it off the list (regulator)."""
        body: Json = {"validTo": valid_to} if valid_to else {}
        return self._write("PUT", f"/v1/members/{member_id}/border-access", body, idempotency_key)

    def border_access(self, member_id: int) -> Json:
        """Return until when a member may receive data from abroad."""
        return self._get(f"/v1/members/{member_id}/border-access")

    def exports(self, member_id: int, year: int | None = None) -> Json:
        """Return how many persons' data a member has exported in a calendar year (UTC+8)."""
        return self._get(f"/v1/members/{member_id}/exports", {"year": year})

    def thresholds(self) -> Json:
        """Return from how many persons in a calendar year on nothing but an assessment clears."""
        return self._get("/v1/thresholds")

    def set_thresholds(self, thresholds: Json, *, idempotency_key: str | None = None) -> Json:
        """Propose thresholds: `{"persons", "sensitivePersons", "reason"}` (committee)."""
        return self._write("PUT", "/v1/thresholds", thresholds, idempotency_key)

    # The committee

    def committee(self) -> Json:
        """Return the seats and the rules."""
        return self._get("/v1/committee")

    def acts(self) -> list[Json]:
        """Return all acts, oldest first."""
        return list(self._pages("/v1/acts"))

    def act(self, act_id: int) -> Json:
        """Return an act: what is to be done, how far it has come, and what to do next."""
        return self._get(f"/v1/acts/{act_id}")

    def set_seat(self, seat: Json, *, idempotency_key: str | None = None) -> Json:
        """Propose to seat a member: `{"memberId", "kind", "reason"}`; the committee, or as `admit` returns."""
        return self._post("/v1/committee/seats", seat, idempotency_key)

    def set_rule(self, rule: Json, *, idempotency_key: str | None = None) -> Json:
        """
        Propose what acts of a kind need: `{"kind", "quorum", "seats", "delaySeconds", "reason"}`.

        Returns:
            The committee, or as `admit` returns.
        """
        return self._post("/v1/committee/rules", rule, idempotency_key)

    def set_policy(self, law: Json, reason: str, *, idempotency_key: str | None = None) -> Json:
        """
        Propose a new version of the law: the whole of it, as `policy` returns one; what is not decided there is left out.

        Returns:
            The new law, or as `admit` returns.
        """
        body = {field: law[field] for field in _LAW_FIELDS if field in law}
        if isinstance(body.get("entries"), list):
            body["entries"] = [
                {field: entry[field] for field in _ENTRY_FIELDS if field in entry}
                for entry in body["entries"]
            ]
        if isinstance(body.get("classes"), dict):
            body["classes"] = {
                name: found for name, found in body["classes"].items() if name != "NON_SENSITIVE"
            }
        return self._post("/v1/policy", {**body, "reason": reason}, idempotency_key)

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

    def review_request(
        self, passport_id: str, seq: int, *, approved: bool, opinion: str, idempotency_key: str | None = None
    ) -> Json:
        """Answer a request that only a human's look was missing for (ethics body, regulator)."""
        body = {"approved": approved, "opinion": opinion}
        return self._post(f"/v1/decisions/{passport_id}/{seq}/reviews", body, idempotency_key)

    def repeat_request(self, passport_id: str, seq: int, *, idempotency_key: str | None = None) -> Json:
        """Ask again, word for word, as after an approval; returns the new decision."""
        return self._post(f"/v1/decisions/{passport_id}/{seq}/repetition", None, idempotency_key)

    def waiting_reviews(self) -> list[Json]:
        """Return what waits for a human and that the caller may answer."""
        return list(self._pages("/v1/reviews"))

    # Emergencies

    def open_emergency(self, emergency: Json, *, idempotency_key: str | None = None) -> Json:
        """Break the glass: `{"passportId", "reason", "statement", "sealedUntil", "sealing"}`."""
        return self._post("/v1/emergencies", emergency, idempotency_key)

    def emergencies(
        self,
        passport_id: str | None = None,
        *,
        kind: str | None = None,
        member_id: int | None = None,
        overdue: bool = False,
    ) -> list[Json]:
        """Return the emergencies that the caller may see, oldest first."""
        query = {"passport": passport_id, "kind": kind, "member": member_id, "overdue": overdue or None}
        return list(self._pages("/v1/emergencies", query))

    def emergency(self, emergency_id: int) -> Json:
        """Return an emergency."""
        return self._get(f"/v1/emergencies/{emergency_id}")

    def emergency_ratio(self) -> Json:
        """Return the share of emergencies in all decisions."""
        return self._get("/v1/emergencies/ratio")

    def review_emergency(
        self, emergency_id: int, *, justified: bool, opinion: str, idempotency_key: str | None = None
    ) -> Json:
        """Review an emergency for one record (ethics body, regulator)."""
        body = {"justified": justified, "opinion": opinion}
        return self._post(f"/v1/emergencies/{emergency_id}/reviews", body, idempotency_key)

    def declare_emergency(self, declaration: Json, *, idempotency_key: str | None = None) -> Json:
        """Propose to declare a public emergency (committee)."""
        return self._post("/v1/declarations", declaration, idempotency_key)

    def end_emergency(self, emergency_id: int, reason: str, *, idempotency_key: str | None = None) -> Json:
        """Propose to end a public emergency before its time (committee)."""
        return self._post(f"/v1/emergencies/{emergency_id}/end", {"reason": reason}, idempotency_key)

    def emergency_right(self, member_id: int) -> Json:
        """Return a member's right to emergencies."""
        return self._get(f"/v1/members/{member_id}/emergency-right")

    def restore_emergency_right(
        self, member_id: int, reason: str, *, idempotency_key: str | None = None
    ) -> Json:
        """Propose to give a member its right to emergencies back (committee)."""
        return self._post(f"/v1/members/{member_id}/emergency-right", {"reason": reason}, idempotency_key)

    # Attestations

    def attest(self, attestation: Json, *, idempotency_key: str | None = None) -> list[Json]:
        """State something of a passport, project, version or tool, or take it back; returns all statements about it."""
        answer = self._post("/v1/attestations", attestation, idempotency_key)
        statements: list[Json] = answer["items"]
        return statements

    def attestations(
        self,
        *,
        passport_id: str | None = None,
        project_id: int | None = None,
        version_id: str | None = None,
        tool: str | None = None,
    ) -> list[Json]:
        """Return the latest statements about a passport, a project, a version or a tool."""
        subjects = {"passports": passport_id, "projects": project_id, "versions": version_id, "tools": tool}
        (subject,) = [f"{kind}/{name}" for kind, name in subjects.items() if name is not None]
        return list(self._pages(f"/v1/{subject}/attestations"))

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

    # Datasets

    def declare_dataset(self, dataset: Json, *, idempotency_key: str | None = None) -> Json:
        """Declare a dataset of the caller's: purposes, categories, retainUntil, budget, description."""
        return self._post("/v1/datasets", dataset, idempotency_key)

    def datasets(self, *, owner: int | None = None) -> list[Json]:
        """Return datasets, oldest first; only those of a member if it is given."""
        return list(self._pages("/v1/datasets", {"owner": owner}))

    def dataset(self, dataset_id: int) -> Json:
        """Return a dataset."""
        return self._get(f"/v1/datasets/{dataset_id}")

    def include(self, dataset_id: int, inclusions: Json, *, idempotency_key: str | None = None) -> list[Json]:
        """Ask to include 1 to 100 `targets`: purpose, level, projectId, ...; returns the decisions in their order."""
        answer = self._post(f"/v1/datasets/{dataset_id}/inclusions", inclusions, idempotency_key)
        decisions: list[Json] = answer["decisions"]
        return decisions

    def include_all(
        self, dataset_id: int, inclusions: Json, targets: Sequence[Json], *, idempotency_key: str
    ) -> Iterator[list[Json]]:
        """
        Ask to include any number of targets, 100 at once; yields the decisions of each hundred in their order.

        The key is for the whole, and each hundred is named after it: begun again with the same key and the same targets,
        after whatever stopped it, what was answered is answered the same, and nobody is asked for twice.
        """
        for start in range(0, len(targets), _MOST_AT_ONCE):
            batch = {**inclusions, "targets": list(targets[start : start + _MOST_AT_ONCE])}
            yield self.include(dataset_id, batch, idempotency_key=f"{idempotency_key}-{start}")

    def inclusions(self, dataset_id: int) -> list[Json]:
        """Return who was included into a dataset, oldest first (its owner, auditors)."""
        return list(self._pages(f"/v1/datasets/{dataset_id}/inclusions"))

    def excuse_withdrawals(
        self, dataset_id: int, withdrawals: int, opinion: str, *, idempotency_key: str | None = None
    ) -> Json:
        """Excuse the withdrawals so far, which are so many (ethics body)."""
        body = {"withdrawals": withdrawals, "opinion": opinion}
        return self._post(f"/v1/datasets/{dataset_id}/excuse", body, idempotency_key)

    def seal_dataset(self, dataset_id: int, reason: str, *, idempotency_key: str | None = None) -> Json:
        """Seal a dataset (its owner, regulator)."""
        return self._post(f"/v1/datasets/{dataset_id}/seal", {"reason": reason}, idempotency_key)

    def unseal_dataset(self, dataset_id: int, *, idempotency_key: str | None = None) -> Json:
        """Open a sealed dataset again (regulator)."""
        return self._post(f"/v1/datasets/{dataset_id}/unseal", None, idempotency_key)

    # Lineage

    def record_step(self, step: Json, *, idempotency_key: str | None = None) -> Json:
        """Record a step: kind, inputs, outputs, parameters, ...; `outcome` says whether it stands."""
        return self._post("/v1/steps", step, idempotency_key)

    def sign_part(self, step: Json, *, recorder: int, contribution: str) -> Json:
        """Take part in a step that another member will record, with the key that the service holds; returns the part."""
        body = {"recorder": recorder, "contribution": contribution, "step": step}
        return self._post("/v1/steps/parts", body, None)

    def register_external(self, version: Json, *, idempotency_key: str | None = None) -> Json:
        """Vouch for data or a model from outside: `{"content", "kind", "purposes", "statement"}`."""
        return self._post("/v1/versions", version, idempotency_key)

    def steps(self, *, member_id: int | None = None, dataset_id: int | None = None) -> list[Json]:
        """Return steps, oldest first."""
        return list(self._pages("/v1/steps", {"member": member_id, "dataset": dataset_id}))

    def step(self, step_id: int) -> Json:
        """Return a step."""
        return self._get(f"/v1/steps/{step_id}")

    def version(self, version_id: str) -> Json:
        """Return a version."""
        return self._get(f"/v1/versions/{version_id}")

    def check_version(
        self, version_id: str, *, passed: bool, report: str, idempotency_key: str | None = None
    ) -> Json:
        """Say whether a version was made as it should (verifier)."""
        body = {"passed": passed, "report": report}
        return self._post(f"/v1/versions/{version_id}/checks", body, idempotency_key)

    def share_version(
        self,
        version_id: str,
        recipient: int,
        agreement_id: int,
        project_id: int = 0,
        *,
        idempotency_key: str | None = None,
    ) -> Json:
        """Let a member use a version of the caller's, under an agreement; abroad for a project that is cleared."""
        body = {"recipient": recipient, "agreementId": agreement_id, "projectId": project_id}
        return self._post(f"/v1/versions/{version_id}/shares", body, idempotency_key)

    def answer_withdrawal(self, version_id: str, answer: Json, *, idempotency_key: str | None = None) -> Json:
        """Answer the withdrawals that reached a model of the caller's: `{"answer", "successor", "evidence"}`."""
        return self._post(f"/v1/versions/{version_id}/answers", answer, idempotency_key)

    def suspend_model(self, version_id: str, *, idempotency_key: str | None = None) -> Json:
        """Suspend a model whose owner owes an answer for too long."""
        return self._post(f"/v1/versions/{version_id}/suspension", None, idempotency_key)

    def forward(
        self,
        version_id: str | None = None,
        *,
        dataset_id: int | None = None,
        passport_id: str | None = None,
        depth: int | None = None,
    ) -> Json:
        """Return where a version, a dataset or a passport's data went."""
        subjects = {"versions": version_id, "datasets": dataset_id, "passports": passport_id}
        (subject,) = [f"{kind}/{name}" for kind, name in subjects.items() if name is not None]
        return self._get(f"/v1/{subject}/forward", {"depth": depth})

    def back(self, version_id: str, *, depth: int | None = None) -> Json:
        """Return what a version was made of."""
        return self._get(f"/v1/versions/{version_id}/back", {"depth": depth})

    def rounds(self, version_id: str) -> Json:
        """Return the chain of models that a model was trained on from, with who took part in each round."""
        return self._get(f"/v1/versions/{version_id}/rounds")

    def lineage(self, version_id: str, standard: str = "prov-json") -> Any:
        """Return the whole lineage of a version as `prov-json`, `fhir`, `openlineage` or `card`."""
        return self._get(f"/v1/versions/{version_id}/lineage", {"format": standard})

    def trace(self, version_id: str, *, depth: int | None = None) -> Json:
        """Return the custody chain of a version and of what it is made of."""
        return self._get(f"/v1/versions/{version_id}/trace", {"depth": depth})

    def blame(self, version_id: str, *, depth: int | None = None) -> Json:
        """Return the first step in a version's ancestry that went wrong, and who is responsible."""
        return self._get(f"/v1/versions/{version_id}/blame", {"depth": depth})

    def obligations(self, *, owner: int | None = None, overdue: bool = False) -> list[Json]:
        """Return what owners of models owe to those who withdrew, the one due first first."""
        return list(self._pages("/v1/obligations", {"owner": owner, "overdue": overdue or None}))

    def impact(self, grant_id: str) -> Json:
        """Return what a consent's data is in, and what its withdrawal asks, with all versions."""
        page = self._get(f"/v1/grants/{grant_id}/impact", {"limit": _PAGE})
        versions, cursor = list(page["versions"]), page["next"]
        while cursor:
            more = self._get(f"/v1/grants/{grant_id}/impact", {"limit": _PAGE, "after": cursor})
            versions += more["versions"]
            cursor = more["next"]
        return {**page, "versions": versions, "next": None}

    # Transfers

    def ship(self, passport_id: str, seq: int, *, idempotency_key: str | None = None) -> Json:
        """Ship a record under a permit to transfer (custodian)."""
        return self._post("/v1/transfers", {"passportId": passport_id, "decision": seq}, idempotency_key)

    def transfers(self) -> list[Json]:
        """Return the transfers that the caller sent or received, newest first."""
        return list(self._pages("/v1/transfers"))

    def waiting_transfers(self) -> list[Json]:
        """Return the transfers that wait for an inspection by the caller, oldest first (regulator)."""
        return list(self._pages("/v1/transfers", {"waiting": "true"}))

    def transfer(self, transfer_id: str) -> Json:
        """Return a transfer."""
        return self._get(f"/v1/transfers/{transfer_id}")

    def collect(self, transfer_id: str) -> Json:
        """Return what was shipped to the caller of one record, as a release."""
        return self._get(f"/v1/transfers/{transfer_id}/content")

    def collect_many(self, transfer_id: str) -> Iterator[Json]:
        """Yield what was shipped to the caller of many records, in the order of the tree: place and release."""
        return self._pages(f"/v1/transfers/{transfer_id}/contents", size=_FEW)

    def declare_transfer(self, body: Json, *, idempotency_key: str | None = None) -> Json:
        """Declare a transfer of many records under an agreement (its provider)."""
        return self._post("/v1/transfers/declarations", body, idempotency_key)

    def inspect_transfer(
        self, transfer_id: str, report: str, *, released: bool, idempotency_key: str | None = None
    ) -> Json:
        """Release a transfer that crosses a border, or refuse it (regulator)."""
        body = {"released": released, "report": report}
        return self._post(f"/v1/transfers/{transfer_id}/inspection", body, idempotency_key)

    def load_transfer(
        self, transfer_id: str, permits: Sequence[tuple[str, int]], *, idempotency_key: str | None = None
    ) -> Json:
        """Load up to 100 records, each by its passport and the decision that permits it (sender)."""
        items = [{"passportId": passport, "decision": seq} for passport, seq in permits]
        return self._post(f"/v1/transfers/{transfer_id}/loads", {"items": items}, idempotency_key)

    def ship_many(self, transfer_id: str, *, idempotency_key: str | None = None) -> Json:
        """Ship what was loaded, all that was declared (sender)."""
        return self._post(f"/v1/transfers/{transfer_id}/shipment", None, idempotency_key)

    def halt_transfer(self, transfer_id: str, reasons: str, *, idempotency_key: str | None = None) -> Json:
        """Stop a transfer of many records for the time being (sender, regulator)."""
        return self._post(f"/v1/transfers/{transfer_id}/halt", {"reasons": reasons}, idempotency_key)

    def resume_transfer(self, transfer_id: str, *, idempotency_key: str | None = None) -> Json:
        """Let a halted transfer go on (whoever halted it, regulator)."""
        return self._post(f"/v1/transfers/{transfer_id}/resumption", None, idempotency_key)

    def terminate_transfer(
        self, transfer_id: str, reasons: str, *, idempotency_key: str | None = None
    ) -> Json:
        """Stop a transfer of many records for good (a side, regulator; anybody once it has lapsed)."""
        return self._post(f"/v1/transfers/{transfer_id}/termination", {"reasons": reasons}, idempotency_key)

    def report_on_transfer(
        self, transfer_id: str, report: str, *, idempotency_key: str | None = None
    ) -> Json:
        """Report on data from abroad (recipient)."""
        return self._post(f"/v1/transfers/{transfer_id}/reports", {"report": report}, idempotency_key)

    def end_border_access(self, transfer_id: str, *, idempotency_key: str | None = None) -> Json:
        """Take a recipient whose report is overdue off the list of those that may receive data from abroad."""
        return self._post(f"/v1/transfers/{transfer_id}/border-access/end", None, idempotency_key)

    def close_transfer(self, transfer_id: str, evidence: str, *, idempotency_key: str | None = None) -> Json:
        """State that what was received was destroyed or returned (recipient)."""
        return self._post(f"/v1/transfers/{transfer_id}/closure", {"evidence": evidence}, idempotency_key)

    def transfer_items(self, transfer_id: str) -> list[Json]:
        """Return the records of a transfer of many, in the order of its tree."""
        return list(self._pages(f"/v1/transfers/{transfer_id}/items"))

    def transfers_of(self, passport_id: str) -> Json:
        """Return where copies of a passport's data were sent: alone, and among many with the proof for this one."""
        return self._get(f"/v1/passports/{passport_id}/transfers")

    def discrepancies(self) -> list[Json]:
        """Return the transfers that their two sides do not tell alike; for everybody."""
        return list(self._pages("/v1/discrepancies"))

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

    def _pages(self, path: str, query: Json | None = None, *, size: int = _PAGE) -> Iterator[Json]:
        cursor: str | None = None
        while True:
            page = self._get(path, {**(query or {}), "limit": size, "after": cursor})
            yield from page["items"]
            cursor = page.get("next")
            if not cursor:
                return


def _voice(signature: str | None, signer: str | None = None) -> Json:
    """Return whose word it is: a signature and, if not the holder's own, whose; or the custodian's that keeps the key."""
    if signature is None:
        return {"assisted": True}
    return {"signature": signature, "signer": signer} if signer else {"signature": signature}


def _law(version: int | None) -> str:
    return "/v1/policy" if version is None else f"/v1/policy/{version}"

"""The life of a consent through REST, on a real chain: asked for, narrowed, given, amended, confirmed, refused, withdrawn."""

from __future__ import annotations

import secrets
import time
from typing import Any

import pytest

from ledger.client import (
    check_amendment,
    check_grant,
    sign_confirmation,
    sign_grant,
    sign_refusal,
    sign_repudiation,
    sign_revocation,
    signer_beside,
)
from ledger.domain.vocabulary import Role
from ledger.domain.wording import NOTICE
from ledger.encoding.hexadecimal import to_hex
from ledger.errors import Conflict, InvalidInput, NotFound, NotPermitted, SignatureRejected
from ledger.ports import Call
from ledger.wallet import holder_address
from tests.api.conftest import assert_page
from tests.support.world import Actor


@pytest.fixture
def ask(client, cast, preparation) -> Any:
    """Return a function by which the lab asks the patient who keeps the own key."""
    words = {name: value for name, value in preparation.items() if name != "recipient"}

    def asked(**changes: Any) -> dict[str, Any]:
        made: dict[str, Any] = client(cast.lab).ask_consent({**words, **changes})
        return made

    return asked


@pytest.fixture
def patient(client, holder_code) -> Any:
    return client(holder_code)


def give(patient, prepared: dict[str, Any], key: bytes) -> dict[str, Any]:
    """Sign what was prepared, without another look: the checks have tests of their own."""
    grant = check_grant(prepared, wanted_of(prepared))
    signature = sign_grant(patient.ledger(), grant, key)
    given: dict[str, Any] = patient.relay_grant(
        prepared["grant"], signature, signer=signer_beside(prepared["holder"], key)
    )
    return given


def wanted_of(prepared: dict[str, Any]) -> dict[str, Any]:
    """Read a prepared grant as the decision that it is."""
    from ledger.domain.days import date_of
    from ledger.domain.vocabulary import Category, GrantFlag, Level, kinds_of, names, purposes_of

    grant = prepared["grant"]
    days = {name: date_of(grant[name]) for name in ("dataFrom", "dataTo")}
    return {
        **grant,
        **{name: day.isoformat() if day else None for name, day in days.items()},
        "purposes": [purpose.name for purpose in purposes_of(grant["purposes"])],
        "categories": names(Category(grant["categories"])),
        "recipientKinds": [kind.name for kind in kinds_of(grant["recipientKinds"])],
        "flags": names(GrantFlag(grant["flags"])),
        "level": Level(grant["level"]).name,
        "useFrom": utc(grant["useFrom"]),
        "useTo": utc(grant["useTo"]),
        "language": prepared["language"],
    }


def utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def in_words(standing: dict[str, Any]) -> tuple[str, str]:
    return standing["status"], standing["statusText"]


def test_a_request_waits_for_the_patient_and_grants_nothing(client, cast, ask, patient, http, holder_code):
    """The patient reads who asks for what; the member that asks sees it too, others do not; nobody may use anything."""
    asked = ask()
    assert (asked["status"], asked["statusText"], asked["assurance"]) == (
        "requested",
        "waits for your answer",
        "NONE",
    )
    assert asked["text"].startswith(
        "Northern AI Laboratory asks for your consent to this: Northern AI Laboratory may use my diagnoses"
    )
    assert asked["words"]["purposes"] == ["AI_TRAINING"]
    assert asked in patient.grants(status="requested")
    assert asked in client(cast.lab).grants(status="requested")
    assert asked["grantId"] not in str(client(cast.outsider).grants())
    with pytest.raises(NotPermitted):
        client(cast.outsider).grant(asked["grantId"])
    (answer,) = client(cast.lab).decide(
        [
            {
                "passportId": cast.own,
                "purpose": "AI_TRAINING",
                "basis": "CONSENT",
                "operation": "READ",
                "categories": ["DIAGNOSIS"],
                "grantId": asked["grantId"],
                "projectId": cast.project,
            }
        ]
    )
    assert (answer["outcome"], "asked for, and not given" in str(answer["reasons"])) == ("DENY", True)
    page = http.get(f"/patient/passports/{cast.own}", headers={"Authorization": f"Bearer {holder_code}"})
    assert_page(page)
    assert f"passport grant accept {asked['grantId']}" in page.text
    assert f"passport grant refuse {asked['grantId']}" in page.text


def test_the_patient_gives_exactly_what_was_asked_for(cast, ask, patient):
    """Without changes the prepared grant has the id and the words of the request."""
    asked = ask(maxUses=3, level="PSEUDONYMISED")
    prepared = patient.amend_grant(asked["grantId"], {})
    assert (prepared["grant"]["grantId"], prepared["changes"]) == (asked["grantId"], [])
    check_amendment(prepared, asked, {})
    given = give(patient, prepared, cast.holder_key)
    assert (given["grantId"], given["status"], given["maxUses"], given["requestedBy"]) == (
        asked["grantId"],
        "active",
        3,
        cast.lab.member.member_id,
    )
    assert given["words"] is None
    with pytest.raises(Conflict, match="does not wait for an answer"):
        patient.refuse(
            asked["grantId"],
            sign_refusal(
                patient.ledger(),
                passport_id=cast.own,
                grant_id=asked["grantId"],
                private_key=cast.holder_key,
            ),
        )


def test_the_patient_narrows_what_was_asked_for(cast, ask, patient, preparation):
    """Under the same id less can be given; what is less is said in words."""
    asked = ask(categories=["DIAGNOSIS", "LABORATORY", "IMAGING"])
    prepared = patient.amend_grant(asked["grantId"], {"categories": ["DIAGNOSIS"], "maxUses": 1})
    assert prepared["changes"] == [
        "Narrower: no longer my laboratory results, images.",
        "Uses: 1 instead of any number.",
    ]
    check_amendment(prepared, asked, {"categories": ["DIAGNOSIS"], "maxUses": 1})
    with pytest.raises(SignatureRejected, match="another categories"):
        check_amendment(prepared, asked, {"maxUses": 1})
    given = give(patient, prepared, cast.holder_key)
    assert (given["grantId"], given["categories"]) == (asked["grantId"], ["DIAGNOSIS"])


def test_what_was_asked_for_can_be_prepared_by_its_id(cast, ask, patient, preparation):
    """A preparation may name the request that it answers; another passport's or an answered one it may not."""
    asked = ask()
    prepared = patient.prepare_grant({**preparation, "grantId": asked["grantId"]})
    check_grant(prepared, {**preparation, "grantId": asked["grantId"]})
    assert give(patient, prepared, cast.holder_key)["grantId"] == asked["grantId"]
    with pytest.raises(Conflict, match="waits for no answer"):
        patient.prepare_grant({**preparation, "grantId": asked["grantId"]})
    with pytest.raises(NotFound):
        patient.prepare_grant({**preparation, "grantId": to_hex(secrets.token_bytes(32))})


def test_a_refusal_is_final(cast, ask, patient, client):
    """What was refused can never be given, and the refusal stays on record."""
    asked = ask()
    prepared = patient.amend_grant(asked["grantId"], {})
    words = {"passport_id": cast.own, "grant_id": asked["grantId"]}
    with pytest.raises(SignatureRejected):
        patient.refuse(asked["grantId"], sign_refusal(patient.ledger(), **words, private_key=b"\7" * 32))
    refused = patient.refuse(
        asked["grantId"], sign_refusal(patient.ledger(), **words, private_key=cast.holder_key)
    )
    assert (refused["status"], refused["endedAt"] is not None) == ("refused", True)
    assert "asks for your consent" in refused["text"]
    with pytest.raises(Conflict):
        give(patient, prepared, cast.holder_key)
    assert client(cast.lab).grant(asked["grantId"])["status"] == "refused"


def test_only_an_active_member_asks_and_only_for_itself(client, cast, world, ask, preparation):
    words = {name: value for name, value in preparation.items() if name != "recipient"}
    with pytest.raises(NotPermitted, match="asks for itself"):
        ask(recipient=cast.outsider.member.member_id)
    clinic = world.admit("Curious clinic", Role.PROCESSOR)
    client(cast.committee).suspend(clinic.member.member_id, "an incident")
    with pytest.raises(NotPermitted, match="suspended"):
        client(clinic).ask_consent(words)
    with pytest.raises(NotFound):
        ask(passportId=to_hex(secrets.token_bytes(32)))
    with pytest.raises(InvalidInput, match="bans MARKETING"):
        ask(purposes=["MARKETING"])


def test_a_proposal_copied_from_another_request_says_nothing(client, cast, world, ask, patient):
    """Commitments are public: who asks with somebody else's gets nobody's words shown."""
    asked = ask()
    grant_id = to_hex(secrets.token_bytes(32))
    copied = Call("requestConsent", (cast.assisted, grant_id, asked["terms"]))
    world.done(world.service.writer.submit(cast.outsider.member.signer, copied))
    told = client(cast.hospital).grant(grant_id)
    assert (told["words"], told["text"]) == (
        None,
        "Nosy Insurance asks for your consent to this: what this service does not know.",
    )
    with pytest.raises(NotFound, match="does not know what was asked for"):
        client(cast.hospital).amend_grant(grant_id, {})
    assert client(cast.hospital).refuse(grant_id)["status"] == "refused"


def test_who_asked_sees_no_grant_to_somebody_else(client, cast, ask, patient, holder_code):
    """Given to another institution under the id that was asked for, it is none of the first one's business."""
    asked = ask()
    changes = {"recipient": cast.outsider.member.member_id}
    prepared = patient.amend_grant(asked["grantId"], changes)
    assert prepared["changes"] == ["Other recipients."]
    check_amendment(prepared, asked, changes)
    given = give(patient, prepared, cast.holder_key)
    assert client(cast.outsider).grant(given["grantId"]) == given
    with pytest.raises(NotPermitted):
        client(cast.lab).grant(given["grantId"])
    assert given["grantId"] not in str(client(cast.lab).grants())


def test_an_amendment_replaces_the_grant_and_says_what_changes(cast, patient, preparation):
    """Wider and narrower are said before signing; the old grant ends with the new one."""
    first = give(patient, patient.prepare_grant(preparation), cast.holder_key)
    changes = {"categories": ["DIAGNOSIS", "MEDICATION"], "flags": ["NO_RELINK"], "language": "zh"}
    prepared = patient.amend_grant(first["grantId"], changes)
    check_amendment(prepared, first, changes)
    assert prepared["changes"] == ["扩大：另包括用药。", "新增：不得与其他数据关联。"]
    second = give(patient, prepared, cast.holder_key)
    assert (second["supersedes"], second["language"]) == (first["grantId"], "zh")
    assert second["text"] == prepared["text"]
    assert "可将我的诊断、用药用于训练人工智能模型" in second["text"]
    assert patient.grant(first["grantId"])["status"] == "superseded"
    with pytest.raises(Conflict, match="has ended"):
        patient.amend_grant(first["grantId"], {})
    with pytest.raises(InvalidInput):
        patient.amend_grant(second["grantId"], {"purposes": None})


def test_a_wallet_signs_no_other_language_notice_or_words(patient, preparation):
    """What the wallet compares are sentence, language and notice; each of them changed is refused."""
    wanted = {**preparation, "language": "zh"}
    prepared = patient.prepare_grant(wanted)
    check_grant(prepared, wanted)
    assert prepared["notice"] == NOTICE
    with pytest.raises(SignatureRejected, match="language"):
        check_grant(prepared, preparation)
    with pytest.raises(SignatureRejected, match="notice"):
        check_grant({**prepared, "notice": "You agree to everything."}, wanted)
    with pytest.raises(SignatureRejected, match="text"):
        check_grant({**prepared, "text": patient.prepare_grant(preparation)["text"]}, wanted)
    with pytest.raises(SignatureRejected, match="language"):
        check_grant({**prepared, "language": "tlh"}, {**wanted, "language": "tlh"})


def test_paper_is_filed_confirmed_and_repudiated(client, cast, patient, preparation):
    """A consent on paper is of the lowest assurance; the patient stands by it, or says that it was never given."""
    hospital, ledger = client(cast.hospital), patient.ledger()
    filed = hospital.file_paper(preparation, {"evidence": "Form 12, box 7"})
    assert (filed["status"], filed["assurance"], filed["evidence"] is not None) == ("active", "PAPER", True)
    words = {"passport_id": cast.own, "grant_id": filed["grantId"]}
    stood_by = patient.confirm(
        filed["grantId"], sign_confirmation(ledger, **words, control=0, private_key=cast.holder_key)
    )
    assert (stood_by["assurance"], stood_by["status"]) == ("SELF", "active")
    with pytest.raises(Conflict, match="own side signed"):
        patient.repudiate(filed["grantId"], sign_repudiation(ledger, **words, private_key=cast.holder_key))

    false = hospital.file_paper(preparation, {"hash": "0x" + "ab" * 32})
    assert false["evidence"] == "0x" + "ab" * 32
    words["grant_id"] = false["grantId"]
    denied = patient.repudiate(
        false["grantId"], sign_repudiation(ledger, **words, private_key=cast.holder_key)
    )
    assert denied["status"] == "repudiated"


def test_paper_is_for_the_custodian_and_not_for_everything(client, cast, preparation, patient):
    evidence = {"evidence": "Form 12"}
    with pytest.raises(NotPermitted):
        client(cast.lab).file_paper(preparation, evidence)
    with pytest.raises(NotPermitted):
        patient.file_paper(preparation, evidence)
    hospital = client(cast.hospital)
    with pytest.raises(InvalidInput, match="separate"):
        hospital.file_paper({**preparation, "flags": ["SEPARATE"]}, evidence)
    former = hospital.file_paper(preparation, evidence)
    with pytest.raises(InvalidInput, match="does not replace"):
        hospital.file_paper({**preparation, "supersedes": former["grantId"]}, evidence)
    for nothing in (
        {},
        {"evidence": ""},
        {"evidence": "a", "hash": "0x" + "01" * 32},
        {"hash": "0x" + "00" * 32},
    ):
        with pytest.raises(InvalidInput):
            hospital.file_paper(preparation, nothing)


def test_a_change_of_control_freezes_a_grant_until_it_is_confirmed(client, cast, world, patient, preparation):
    """Sold to somebody else, the recipient uses nothing until the patient stands by the consent."""
    startup = world.admit("Startup for sale", Role.PROCESSOR)
    number = startup.member.member_id
    given = give(patient, patient.prepare_grant({**preparation, "recipient": number}), cast.holder_key)
    change_control(world, startup)
    frozen = patient.grant(given["grantId"])
    assert frozen["status"] == "frozen"
    assert "may use nothing until you confirm it" in frozen["statusText"]
    assert patient.standing(cast.own, number)["status"] == "frozen"
    (answer,) = client(startup).decide(
        [
            {
                "passportId": cast.own,
                "purpose": "AI_TRAINING",
                "basis": "CONSENT",
                "operation": "READ",
                "categories": ["DIAGNOSIS"],
                "level": "PSEUDONYMISED",
                "grantId": given["grantId"],
            }
        ]
    )
    assert answer["outcome"] == "DENY"
    assert "had changed hands since the consent was given" in str(answer["reasons"])
    words = {"passport_id": cast.own, "grant_id": given["grantId"]}
    stale = sign_confirmation(patient.ledger(), **words, control=0, private_key=cast.holder_key)
    with pytest.raises(SignatureRejected):
        patient.confirm(given["grantId"], stale)
    control = patient.member(number)["control"]
    signature = sign_confirmation(patient.ledger(), **words, control=control, private_key=cast.holder_key)
    assert patient.confirm(given["grantId"], signature)["status"] == "active"


def test_a_member_was_never_asked_or_where_it_stands(client, cast, world, patient, ask, preparation):
    """Never asked, requested, active, withdrawn: told apart; the member itself may know, another one may not."""
    stranger = world.admit("Stranger", Role.PROCESSOR)
    number = stranger.member.member_id
    assert in_words(patient.standing(cast.own, number)) == ("never-asked", "never asked")
    assert client(stranger).standing(cast.own, number)["grants"] == []
    with pytest.raises(NotPermitted):
        client(cast.lab).standing(cast.own, number)
    words = {name: value for name, value in preparation.items() if name != "recipient"}
    asked = client(stranger).ask_consent(words)
    assert in_words(patient.standing(cast.own, number)) == ("requested", "waits for your answer")
    given = give(patient, patient.amend_grant(asked["grantId"], {}), cast.holder_key)
    assert patient.standing(cast.own, number)["status"] == "active"
    patient.revoke(
        given["grantId"],
        sign_revocation(
            patient.ledger(), passport_id=cast.own, grant_id=given["grantId"], private_key=cast.holder_key
        ),
    )
    assert patient.standing(cast.own, number)["status"] == "withdrawn"
    later = give(
        patient,
        patient.prepare_grant({**preparation, "recipient": number, "useFrom": utc(time.time() + 86_400)}),
        cast.holder_key,
    )
    assert later["status"] == "pending"
    assert patient.standing(cast.own, number)["status"] == "pending"


def test_the_custodian_answers_for_an_assisted_patient(client, cast, preparation):
    """Asked for, the patient's hospital signs exactly what was prepared, and no words that nobody could read."""
    words = {name: value for name, value in preparation.items() if name != "recipient"}
    hospital = client(cast.hospital)
    asked = client(cast.lab).ask_consent({**words, "passportId": cast.assisted})
    prepared = hospital.amend_grant(asked["grantId"], {})
    unread = {**prepared["grant"], "terms": "0x" + "11" * 32}
    with pytest.raises(InvalidInput, match="not prepared here"):
        hospital.sign_grant_for(unread)
    wider = {**prepared["grant"], "categories": 0xFFFF}
    with pytest.raises(InvalidInput, match="not prepared here"):
        hospital.sign_grant_for(wider)
    with pytest.raises(NotPermitted):
        client(cast.lab).sign_grant_for(prepared["grant"])
    given = hospital.sign_grant_for(prepared["grant"])
    assert (given["grantId"], given["assurance"]) == (asked["grantId"], "ASSISTED")
    assert hospital.repudiate(given["grantId"])["status"] == "repudiated"
    again = client(cast.lab).ask_consent({**words, "passportId": cast.assisted})
    assert hospital.refuse(again["grantId"])["status"] == "refused"


def test_templates_bound_what_can_be_consented_to(client, cast, patient, preparation):
    """The committee issues one with its notice; a consent under it commits to that notice; withdrawn, it is no use."""
    committee = client(cast.committee)
    assert patient.template(1)["notice"] == NOTICE
    issued = committee.issue_template(
        {
            "purposes": ["AI_TRAINING"],
            "categories": ["DIAGNOSIS"],
            "recipientKinds": ["OTHER", "RESEARCH"],
            "maxSeconds": 40 * 86_400,
            "notice": "Your diagnoses train models, for forty days at most.",
            "reason": "Resolution 9",
        }
    )
    number = issued["template"]
    assert client().template(number) == issued
    assert issued in client().templates()
    wanted = {**preparation, "template": number}
    prepared = patient.prepare_grant(wanted)
    check_grant(prepared, wanted)
    assert prepared["notice"] == "Your diagnoses train models, for forty days at most."
    with pytest.raises(SignatureRejected, match="terms"):
        check_grant({**prepared, "notice": "Another notice."}, wanted)
    assert give(patient, prepared, cast.holder_key)["template"] == number
    with pytest.raises(InvalidInput, match="does not allow VITALS"):
        patient.prepare_grant({**wanted, "categories": ["VITALS"]})
    with pytest.raises(NotPermitted):
        client(cast.lab).withdraw_template(number, "I do not like it")
    assert committee.withdraw_template(number, "Resolution 10")["withdrawn"] is True
    with pytest.raises(InvalidInput, match="not in force"):
        patient.prepare_grant(wanted)
    with pytest.raises(Conflict, match="withdrawn before"):
        committee.withdraw_template(number, "again")
    with pytest.raises(NotFound):
        client().template(9_999)


def change_control(world, actor: Actor) -> None:
    """Let control of a member pass to somebody else, as the committee records it."""
    call = Call("changeControl", (actor.member.member_id, "0x" + "5a" * 32))
    world.done(world.service.committee.propose(world.committee.member, call, "It was sold"))


def test_who_was_not_named_speaks_for_nobody(client, cast, patient, preparation):
    """Somebody whom the holder did not name speaks for nobody; test_holders.py names one."""
    stranger = secrets.token_bytes(32)
    prepared = patient.prepare_grant(preparation)
    grant = check_grant(prepared, preparation)
    with pytest.raises(SignatureRejected, match="may not speak for the holder"):
        client(cast.lab).relay_grant(
            prepared["grant"],
            sign_grant(patient.ledger(), grant, stranger),
            signer=holder_address(stranger),
        )

"""What recipients open and what holders sign: only what is true, and only what was decided."""

from __future__ import annotations

import base64
import json
import time
from copy import deepcopy
from datetime import date
from typing import Any

import httpx2
import pytest
from eth_account import Account

from ledger.client import (
    MemberKeys,
    PassportClient,
    check_grant,
    content_received,
    open_release,
    sign_grant,
    sign_in,
    sign_revocation,
)
from ledger.client.holders import grant_of, seconds
from ledger.client.releases import receipt_of
from ledger.domain.days import day_of
from ledger.domain.records import Address, Salt
from ledger.domain.vocabulary import Category, Language, Level
from ledger.domain.wording import NOTICE, NOTICE_HASH, consent_text, terms_record
from ledger.encoding.commitments import commit_record
from ledger.encoding.hexadecimal import bytes32, to_hex
from ledger.encoding.typed_data import (
    LedgerDomain,
    grant_typed_data,
    recover,
    revocation_typed_data,
    sign_in_typed_data,
)
from ledger.errors import (
    InvalidInput,
    SignatureRejected,
    VerificationError,
)
from ledger.interop.deidentification import LABEL_SYSTEM, deidentify
from tests.cli.conftest import seal_release

LABELS = [{"system": LABEL_SYSTEM, "code": code} for code in ("PSEUDED", "ANONYED")]
URL = "http://127.0.0.1:8000"
LEDGER = {"chainId": 31337, "ledger": "0x" + "ab" * 20}
DOMAIN = LedgerDomain(31337, Address("0x" + "ab" * 20))


def terms_of(text: str) -> dict[str, Any]:
    """Return what the terms commit to for a sentence in English under the first template."""
    return terms_record(text, language=Language.EN, notice=NOTICE_HASH)


class TestRelease:
    def test_a_release_is_opened_and_equals_what_was_sealed(
        self, release: dict[str, Any], keys: MemberKeys, resources: Any
    ) -> None:
        opened = open_release(release, keys, content=bytes32(release["content"]))

        assert {category.name: entries for category, entries in resources.items()} == opened
        assert bytes32(release["content"]) == content_received(release, keys)

    def test_somebody_else_cannot_open_it(self, release: dict[str, Any]) -> None:
        with pytest.raises(VerificationError, match="cannot be decrypted"):
            open_release(release, MemberKeys.new("somebody else"))

    def test_other_content_than_the_passports_is_found(
        self, release: dict[str, Any], keys: MemberKeys
    ) -> None:
        with pytest.raises(VerificationError, match="manifest"):
            open_release(release, keys, content=bytes(32))

    def test_exchanged_plain_text_is_found_and_reported_as_another_content(
        self, release: dict[str, Any], keys: MemberKeys, resources: Any
    ) -> None:
        forged = deepcopy(resources)
        for entries in forged.values():
            entries[0]["id"] = "another"
        other = seal_release(forged, recipient=keys)
        mixed = deepcopy(release)
        for item, replacement in zip(mixed["categories"], other["categories"], strict=True):
            item["ciphertext"], item["sealedKey"] = replacement["ciphertext"], replacement["sealedKey"]

        with pytest.raises(VerificationError, match="not those that were committed to"):
            open_release(mixed, keys)
        assert bytes32(release["content"]) != content_received(mixed, keys)

    def test_a_commitment_that_fits_the_text_but_not_the_manifest_is_found(
        self, release: dict[str, Any], keys: MemberKeys, resources: Any
    ) -> None:
        other = seal_release(resources, recipient=keys)
        mixed = {**release, "categories": other["categories"]}

        with pytest.raises(VerificationError, match="not those that were committed to"):
            open_release(mixed, keys)

    def test_a_commitment_in_another_manifest_than_the_passports_is_found_and_reported(
        self, release: dict[str, Any], keys: MemberKeys, resources: Any
    ) -> None:
        other = seal_release(resources, recipient=keys)
        mixed = {
            **release,
            **{name: other[name] for name in ("categories", "manifest", "manifestSalt")},
        }

        with pytest.raises(VerificationError, match="manifest"):
            open_release(mixed, keys)
        assert bytes32(release["content"]) != content_received(mixed, keys)

    @pytest.mark.parametrize("level", [Level.PSEUDONYMISED, Level.DEIDENTIFIED])
    def test_each_level_is_opened_by_its_label(self, keys: MemberKeys, level: Level) -> None:
        resources = deidentify(
            {Category.VITALS: [{"resourceType": "Observation", "valueInteger": 3}]},
            level=level,
            secret=b"s" * 32,
            year=2026,
        )
        release = seal_release(resources, recipient=keys, level=level)

        opened = open_release(release, keys, level=level, content=bytes32(release["content"]))

        assert {"VITALS": resources[Category.VITALS]} == opened
        assert bytes32(release["content"]) == content_received(release, keys)

    def test_another_level_than_decided_is_found(self, release: dict[str, Any], keys: MemberKeys) -> None:
        with pytest.raises(VerificationError, match="is IDENTIFIED, the decision says DEIDENTIFIED"):
            open_release(release, keys, level=Level.DEIDENTIFIED)

    def test_a_manifest_that_passes_for_another_level_is_found(self, keys: MemberKeys) -> None:
        labelled = seal_release(
            {Category.VITALS: [{"meta": {"security": LABELS}}]},
            recipient=keys,
            level=Level.PSEUDONYMISED,
        )
        labelled["level"] = "DEIDENTIFIED"

        with pytest.raises(VerificationError, match="manifest"):
            open_release(labelled, keys)

    def test_data_without_the_label_of_its_level_is_found(self, keys: MemberKeys, resources: Any) -> None:
        release = seal_release(resources, recipient=keys, level=Level.PSEUDONYMISED)

        with pytest.raises(VerificationError, match="not labelled as PSEUDONYMISED"):
            open_release(release, keys)

    @pytest.mark.parametrize("level", ["AGGREGATE", "NONE", None])
    def test_a_level_that_no_record_has_is_refused(
        self, release: dict[str, Any], keys: MemberKeys, level: str | None
    ) -> None:
        with pytest.raises(VerificationError):
            open_release({**release, "level": level}, keys)

    @pytest.mark.parametrize("field", ["ciphertext", "sealedKey"])
    def test_flipped_bits_are_found(self, release: dict[str, Any], keys: MemberKeys, field: str) -> None:
        item = release["categories"][0]
        flipped = bytearray(base64.b64decode(item[field]))
        flipped[-1] ^= 1
        item[field] = base64.b64encode(flipped).decode()

        with pytest.raises(VerificationError):
            open_release(release, keys)

    def test_a_wrong_number_of_entries_is_found(self, release: dict[str, Any], keys: MemberKeys) -> None:
        release["categories"][0]["entries"] += 1

        with pytest.raises(VerificationError, match="promises"):
            open_release(release, keys)

    @pytest.mark.parametrize("broken", [{}, {"categories": [{}]}, {"categories": [{"category": "NONE"}]}])
    def test_a_malformed_release_is_a_verification_error(
        self, keys: MemberKeys, broken: dict[str, Any]
    ) -> None:
        with pytest.raises(VerificationError, match="cannot be read"):
            open_release(broken, keys)


class TestExcerpts:
    """A release of what is from some days: checked against the receipt, and by its own dates."""

    DAYS = ("2020-01-01", "2020-01-31")

    @pytest.fixture
    def dated(self) -> dict[Category, list[dict[str, Any]]]:
        return {
            Category.DIAGNOSIS: [{"resourceType": "Condition", "recordedDate": "2020-01-31T23:00:00-05:00"}],
            Category.VITALS: [
                {"resourceType": "Observation", "effectiveDateTime": day, "value": 1.0}
                for day in ("2020-01-01", "2020-01-15")
            ],
        }

    def test_it_is_opened_and_checked(self, keys: MemberKeys, dated: Any) -> None:
        release = seal_release(dated, recipient=keys, days=self.DAYS)
        receipt = bytes32(release["excerpted"]["receipt"])
        content = bytes32(release["content"])

        opened = open_release(release, keys, content=content, days=self.DAYS, receipt=receipt)

        assert {category.name: entries for category, entries in dated.items()} == opened
        assert receipt == receipt_of(release)

    @pytest.mark.parametrize(
        "days", [("2020-01-02", "2020-01-31"), (None, "2020-01-30"), ("2020-01-16", None)]
    )
    def test_what_is_of_other_days_is_found_by_its_dates(
        self, keys: MemberKeys, dated: Any, days: tuple[str | None, str | None]
    ) -> None:
        """Though custodian and ledger say that it is of these days."""
        release = seal_release(dated, recipient=keys, days=days)

        with pytest.raises(VerificationError, match="are not all from the days that it says") as found:
            open_release(release, keys, days=days, receipt=bytes32(release["excerpted"]["receipt"]))

        assert "tell the custodian" in found.value.advice

    def test_an_undated_resource_is_not_from_the_days(self, keys: MemberKeys) -> None:
        release = seal_release(
            {Category.DEVICE: [{"resourceType": "Device"}]}, recipient=keys, days=self.DAYS
        )

        with pytest.raises(VerificationError, match="DEVICE of the release are not all from the days"):
            open_release(release, keys)

    @pytest.mark.parametrize(
        ("day", "fits"), [("2020-01-15", True), ("2020", True), ("2020-02-01", False), ("2019", False)]
    )
    def test_what_was_pseudonymised_is_held_against_the_days_by_the_dates_that_it_kept(
        self, keys: MemberKeys, day: str, fits: bool
    ) -> None:
        """A year stands for an event on the day of birth: it may be of the days."""
        resource = {
            "resourceType": "Observation",
            "effectiveDateTime": "2020-01-15",
            "valueDateTime": day,
            "meta": {"security": [LABELS[0]]},
        }
        release = seal_release(
            {Category.VITALS: [resource]}, recipient=keys, level=Level.PSEUDONYMISED, days=self.DAYS
        )

        if fits:
            assert {"VITALS": [resource]} == open_release(release, keys, days=self.DAYS)
        else:
            with pytest.raises(VerificationError, match="are not all from the days that it says"):
                open_release(release, keys, days=self.DAYS)

    def test_generalised_dates_are_not_held_against_the_days(self, keys: MemberKeys) -> None:
        """They do not tell; the receipt and the label are checked all the same."""
        made = deidentify(
            {Category.VITALS: [{"resourceType": "Observation", "effectiveDateTime": "2020-01-15"}]},
            level=Level.DEIDENTIFIED,
            secret=b"s" * 32,
            year=2026,
        )
        release = seal_release(made, recipient=keys, level=Level.DEIDENTIFIED, days=self.DAYS)

        assert {"VITALS": made[Category.VITALS]} == open_release(release, keys, days=self.DAYS)
        with pytest.raises(VerificationError, match="receipt on the ledger"):
            open_release(release, keys, receipt=bytes(32))

    def test_exchanged_or_missing_excerpts_are_found(self, keys: MemberKeys, dated: Any) -> None:
        release = seal_release(dated, recipient=keys, days=self.DAYS)
        other = seal_release(dated, recipient=keys, days=self.DAYS)

        for categories in (other["categories"], release["categories"][:1], release["categories"][::-1], []):
            with pytest.raises(VerificationError, match="receipt on the ledger"):
                open_release({**release, "categories": categories}, keys)
            assert receipt_of({**release, "categories": categories}) != receipt_of(release)

    def test_a_category_does_not_pass_for_an_excerpt_nor_an_excerpt_for_a_category(
        self, keys: MemberKeys, dated: Any
    ) -> None:
        excerpts, whole = (
            seal_release(dated, recipient=keys, days=self.DAYS),
            seal_release(dated, recipient=keys),
        )

        for mixed in ({**whole, "excerpted": excerpts["excerpted"]}, {**excerpts, "excerpted": None}):
            with pytest.raises(VerificationError, match="not those that were committed to"):
                open_release(mixed, keys)

    def test_whole_categories_are_no_answer_to_a_decision_with_days(
        self, keys: MemberKeys, dated: Any
    ) -> None:
        """Nor are excerpts of some days to one without, or with others."""
        whole = seal_release(dated, recipient=keys)
        assert open_release(whole, keys, days=(None, None))
        with pytest.raises(VerificationError, match="more may have come than was permitted"):
            open_release(whole, keys, days=("2020-01-01", None))
        excerpts = seal_release(dated, recipient=keys, days=self.DAYS)
        for days in ((None, None), ("2020-01-01", None), ("2020-01-01", "2020-01-30")):
            with pytest.raises(VerificationError, match="other days than the decision names"):
                open_release(excerpts, keys, days=days)

    def test_no_content_is_computed_from_excerpts(self, keys: MemberKeys, dated: Any) -> None:
        with pytest.raises(VerificationError, match="the release is of excerpts"):
            content_received(seal_release(dated, recipient=keys, days=self.DAYS), keys)

    def test_a_release_from_before_there_were_excerpts_is_whole(self, keys: MemberKeys, dated: Any) -> None:
        release = seal_release(dated, recipient=keys)
        del release["excerpted"]

        assert open_release(release, keys, days=(None, None), content=bytes32(release["content"]))
        assert receipt_of(release) is None

    @pytest.mark.parametrize(
        "excerpted",
        [
            {},
            {"firstDay": None},
            "2020",
            {"firstDay": None, "lastDay": None, "receipt": "0x12", "receiptSalt": "0x" + "00" * 32},
        ],
    )
    def test_what_cannot_be_read_is_a_verification_error(
        self, keys: MemberKeys, dated: Any, excerpted: Any
    ) -> None:
        release = {**seal_release(dated, recipient=keys, days=self.DAYS), "excerpted": excerpted}
        for read in (lambda: open_release(release, keys), lambda: receipt_of(release)):
            with pytest.raises(VerificationError, match="cannot be read"):
                read()
        with pytest.raises(VerificationError, match="cannot be read"):
            receipt_of(
                {
                    **seal_release(dated, recipient=keys, days=self.DAYS),
                    "categories": [{"category": "VITALS"}],
                }
            )

    def test_days_that_are_none_are_a_verification_error(self, keys: MemberKeys, dated: Any) -> None:
        release = seal_release(dated, recipient=keys, days=("soon", None))

        with pytest.raises(VerificationError, match="cannot be read"):
            open_release(release, keys)


class TestHolder:
    KEY = bytes.fromhex("11" * 32)
    HOLDER = str(Account.from_key(bytes.fromhex("11" * 32)).address).lower()
    WANTED: dict[str, Any] = {  # noqa: RUF012 - never changed
        "passportId": "0x" + "aa" * 32,
        "recipient": 4,
        "purposes": ["AI_TRAINING"],
        "categories": ["DIAGNOSIS", "VITALS"],
        "useTo": "2027-01-01T00:00:00Z",
        "dataFrom": "2020-01-01",
        "dataTo": "2024-12-31",
        "level": "PSEUDONYMISED",
        "maxUses": 3,
        "flags": ["NO_RELINK"],
    }

    @pytest.fixture
    def prepared(self) -> dict[str, Any]:
        grant = {
            "grantId": "0x" + "bb" * 32,
            "passportId": self.WANTED["passportId"],
            "recipient": 4,
            "recipientKinds": 0,
            "purposes": 1 << 7,
            "categories": 0b10001,
            "useFrom": 1_700_000_000,
            "useTo": seconds("2027-01-01T00:00:00Z"),
            "dataFrom": day_of(date(2020, 1, 1)),
            "dataTo": day_of(date(2024, 12, 31)),
            "maxUses": 3,
            "level": 1,
            "flags": 2,
            "template": 1,
            "terms": "0x" + "00" * 32,
            "supersedes": "0x" + "00" * 32,
            "deadline": int(time.time()) + 600,
        }
        text = consent_text("Northern Laboratory", grant_of(grant))
        salt = Salt(b"s" * 32)
        grant["terms"] = to_hex(commit_record("terms", terms_of(text), salt=salt))
        return {
            "grant": grant,
            "text": text,
            "language": "en",
            "notice": NOTICE,
            "termsSalt": to_hex(salt),
            "holder": self.HOLDER,
            "typedData": {},
        }

    def test_a_grant_that_says_what_was_decided_is_signed(self, prepared: dict[str, Any]) -> None:
        grant = check_grant(prepared, self.WANTED)
        signature = sign_grant(LEDGER, grant, self.KEY)

        assert self.HOLDER == recover(grant_typed_data(DOMAIN, grant), bytes.fromhex(signature[2:]))

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("passportId", "0x" + "ab" * 32),
            ("recipient", 5),
            ("purposes", 0xFFFF),
            ("categories", 0xFFFF),
            ("useTo", 2_000_000_000),
            ("maxUses", 0),
            ("flags", 0),
            ("recipientKinds", 1),
            ("dataFrom", 0),
            ("dataTo", 0),
            ("level", 0),
            ("template", 2),
            ("supersedes", "0x" + "01" * 32),
            ("useFrom", 4_000_000_000),
            ("deadline", 4_000_000_000),
            ("terms", "0x" + "cc" * 32),
        ],
    )
    def test_a_grant_that_says_something_else_is_not_signed(
        self, prepared: dict[str, Any], field: str, value: Any
    ) -> None:
        prepared["grant"][field] = value

        with pytest.raises(SignatureRejected, match=field):
            check_grant(prepared, self.WANTED)

    @pytest.mark.parametrize("text", ["", "I agree.", "It may use my who you are for resale."])
    def test_a_sentence_that_the_numbers_do_not_say_is_not_signed(
        self, prepared: dict[str, Any], text: str
    ) -> None:
        prepared["text"] = text
        salt = Salt(bytes32(prepared["termsSalt"]))
        prepared["grant"]["terms"] = to_hex(commit_record("terms", terms_of(text), salt=salt))

        with pytest.raises(SignatureRejected, match="text"):
            check_grant(prepared, self.WANTED)

    def test_a_grant_to_kinds_of_members_names_them(self, prepared: dict[str, Any]) -> None:
        wanted = {**self.WANTED, "recipient": None, "recipientKinds": ["HOSPITAL", "RESEARCH"]}
        prepared["grant"] |= {"recipient": 0, "recipientKinds": 0b110}
        salt = Salt(bytes32(prepared["termsSalt"]))

        for name, is_signed in (("", True), ("Northern Laboratory ", False)):
            prepared["text"] = name + consent_text("", grant_of(prepared["grant"]))
            prepared["grant"]["terms"] = to_hex(commit_record("terms", terms_of(prepared["text"]), salt=salt))
            if is_signed:
                assert 0b110 == check_grant(prepared, wanted).recipient_kinds
                assert prepared["text"].startswith("All hospitals, research institutions may use my")
            else:
                with pytest.raises(SignatureRejected, match="text"):
                    check_grant(prepared, wanted)
        with pytest.raises(SignatureRejected, match="recipientKinds"):
            check_grant(prepared, {**wanted, "recipientKinds": ["HOSPITAL"]})

    def test_another_start_than_decided_is_not_signed(self, prepared: dict[str, Any]) -> None:
        with pytest.raises(SignatureRejected, match="useFrom"):
            check_grant(prepared, {**self.WANTED, "useFrom": "2026-01-01T00:00:00Z"})

    def test_half_a_grant_is_bad_input(self) -> None:
        with pytest.raises(InvalidInput, match="not a grant ready for signing"):
            grant_of({"grantId": "0x" + "bb" * 32})

    def test_a_withdrawal_is_signed_by_the_holder(self) -> None:
        passport, grant = "0x" + "aa" * 32, "0x" + "bb" * 32
        signature = sign_revocation(LEDGER, passport_id=passport, grant_id=grant, private_key=self.KEY)
        typed_data = revocation_typed_data(DOMAIN, passport_id=bytes32(passport), grant_id=bytes32(grant))

        assert self.HOLDER == recover(typed_data, bytes.fromhex(signature[2:]))

    def _service(self, typed_data: dict[str, Any]) -> httpx2.Client:
        def handle(request: httpx2.Request) -> httpx2.Response:
            if request.url.path == "/v1/ledger":
                return httpx2.Response(200, json=LEDGER)
            if request.url.path == "/v1/sessions/challenges":
                return httpx2.Response(
                    200,
                    json={
                        "typedData": typed_data,
                        "challenge": to_hex(b"c" * 32),
                        "expiresAt": "2027-01-01T00:00:00Z",
                    },
                )
            signature = bytes.fromhex(json.loads(request.content)["signature"][2:])
            return httpx2.Response(201, json={"code": "in", "by": recover(typed_data, signature)})

        return httpx2.Client(transport=httpx2.MockTransport(handle))

    def test_a_challenge_of_this_service_is_answered(self) -> None:
        typed_data = sign_in_typed_data(
            DOMAIN, holder=self.HOLDER, origin=URL, challenge=b"c" * 32, expires_at=9
        )

        session = sign_in(PassportClient(URL, http=self._service(typed_data)), self.KEY)

        assert {"code": "in", "by": self.HOLDER} == session

    @pytest.mark.parametrize(
        "typed_data",
        [
            sign_in_typed_data(
                DOMAIN, holder=HOLDER, origin="https://evil.example", challenge=b"c" * 32, expires_at=9
            ),
            sign_in_typed_data(DOMAIN, holder=HOLDER, origin=URL, challenge=b"d" * 32, expires_at=9),
            sign_in_typed_data(
                DOMAIN, holder="0x" + "01" * 20, origin=URL, challenge=b"c" * 32, expires_at=9
            ),
            sign_in_typed_data(
                LedgerDomain(1, DOMAIN.ledger), holder=HOLDER, origin=URL, challenge=b"c" * 32, expires_at=9
            ),
            revocation_typed_data(DOMAIN, passport_id=bytes(32), grant_id=bytes(32)),
        ],
        ids=["another origin", "another challenge", "another holder", "another chain", "no sign-in at all"],
    )
    def test_anything_else_is_not_signed(self, typed_data: dict[str, Any]) -> None:
        with pytest.raises(SignatureRejected):
            sign_in(PassportClient(URL, http=self._service(typed_data)), self.KEY)

    @pytest.mark.parametrize("text", ["soon", "2027-01-01T00:00:00", ""])
    def test_a_time_without_a_zone_is_bad_input(self, text: str) -> None:
        with pytest.raises(InvalidInput):
            seconds(text)

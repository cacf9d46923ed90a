// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttestations} from "../../contracts/interfaces/IAttestations.sol";
import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IDecisions} from "../../contracts/interfaces/IDecisions.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Facts} from "../../contracts/libraries/Facts.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {Verdict} from "../../contracts/libraries/Verdict.sol";
import {LedgerTest} from "./Base.t.sol";

/// @notice Statements of qualified members, and the facts that rest on them.
contract AttestationsTest is LedgerTest {
    IAttestations.AttestationKind private constant ENCRYPTION = IAttestations.AttestationKind.ENCRYPTION;
    IAttestations.AttestationKind private constant DEIDENTIFICATION = IAttestations
        .AttestationKind
        .DEIDENTIFICATION;
    IAttestations.AttestationKind private constant SOURCE = IAttestations.AttestationKind.SOURCE;
    IAttestations.AttestationKind private constant LICENCE = IAttestations.AttestationKind.LICENCE;

    bytes32 private constant UNKNOWN = keccak256("unknown");
    bytes32 private constant SUBJECT_PROJECT = bytes32(uint256(PROJECT));
    uint32 private constant OTHER = FOUNDED + 1; // another verifier and regulator, abroad
    uint32 private constant LATER = START + 10 * DAY;

    function setUp() public override {
        super.setUp();
        IMembers.Admission memory other = _admission(
            OTHER,
            Codes.ROLE_VERIFIER | Codes.ROLE_REGULATOR | Codes.ROLE_CUSTODIAN
        );
        other.jurisdiction = ABROAD;
        _admit(other);
    }

    /* STATE, RENEW, TAKE BACK */

    function test_WhenAttested_StatementIsOnFile() external onlyChanges(ATTESTATIONS) {
        _assertAttested(VERIFIER, PASSPORT, ENCRYPTION);
        _assertAttested(VERIFIER, PASSPORT, DEIDENTIFICATION);
        _assertAttested(HOSPITAL, PASSPORT, SOURCE);
        _assertAttested(REGULATOR, SUBJECT_PROJECT, LICENCE);
    }

    function test_WhenIssuerRenewsOrTakesBack_TheLatestCounts() external {
        _attest(VERIFIER, PASSPORT, ENCRYPTION, LATER);
        _attest(VERIFIER, PASSPORT, ENCRYPTION, LATER + 1);
        _assertStatement(PASSPORT, ENCRYPTION, VERIFIER, LATER + 1);
        vm.expectEmit(address(ledger));
        emit IAttestations.Attested(PASSPORT, ENCRYPTION, VERIFIER, 0, COMMITMENT);
        _attest(VERIFIER, PASSPORT, ENCRYPTION, 0);
        _assertStatement(PASSPORT, ENCRYPTION, VERIFIER, 0);
        _attest(OTHER, PASSPORT, ENCRYPTION, LATER); // free for another one
        _assertStatement(PASSPORT, ENCRYPTION, OTHER, LATER);
    }

    function test_RevertGiven_StatementOfAnotherStands() external {
        _attest(VERIFIER, PASSPORT, ENCRYPTION, LATER);
        vm.warp(LATER - 1);
        _expectStanding(PASSPORT, ENCRYPTION);
        _attest(OTHER, PASSPORT, ENCRYPTION, LATER + DAY);
        _expectStanding(PASSPORT, ENCRYPTION);
        _attest(OTHER, PASSPORT, ENCRYPTION, 0);
        _attest(OTHER, PASSPORT, DEIDENTIFICATION, LATER + DAY); // of another kind
        vm.warp(LATER); // the end is exclusive
        _attest(OTHER, PASSPORT, ENCRYPTION, LATER + DAY);
        _assertStatement(PASSPORT, ENCRYPTION, OTHER, LATER + DAY);
    }

    /* WHO IS QUALIFIED */

    function test_RevertWhen_MemberIsNotQualified() external {
        for (uint32 memberId = 1; memberId <= FOUNDED; ++memberId) {
            if (memberId != VERIFIER) {
                _assertNotQualified(memberId, PASSPORT, ENCRYPTION);
                _assertNotQualified(memberId, PASSPORT, DEIDENTIFICATION);
            }
            if (memberId != HOSPITAL) _assertNotQualified(memberId, PASSPORT, SOURCE);
            if (memberId != REGULATOR) _assertNotQualified(memberId, SUBJECT_PROJECT, LICENCE);
        }
    }

    function test_RevertWhen_MemberSpeaksInItsOwnCause() external {
        _issue(OTHER, _issueOf(UNKNOWN, holder));
        _assertNotQualified(OTHER, UNKNOWN, ENCRYPTION); // its own data
        _assertNotQualified(OTHER, UNKNOWN, DEIDENTIFICATION);
        bytes32 own = bytes32(uint256(_file(OTHER, _projectDraft())));
        _assertNotQualified(OTHER, own, LICENCE);
        _attest(OTHER, UNKNOWN, SOURCE, LATER);
    }

    function test_RevertGiven_SubjectIsUnknown() external {
        IAttestations.AttestationKind[3] memory ofPassports = [ENCRYPTION, DEIDENTIFICATION, SOURCE];
        for (uint256 index = 0; index < ofPassports.length; ++index) {
            _expectRevert(IPassports.Passports_Unknown.selector, UNKNOWN);
            _attest(VERIFIER, UNKNOWN, ofPassports[index], LATER);
            _expectRevert(IPassports.Passports_Unknown.selector, SUBJECT_PROJECT);
            _attest(VERIFIER, SUBJECT_PROJECT, ofPassports[index], LATER);
        }
        _expectRevert(IProjects.Projects_Unknown.selector, uint256(0));
        _attest(REGULATOR, 0, LICENCE, LATER);
        _expectRevert(IProjects.Projects_Unknown.selector, uint256(PROJECT) + 1);
        _attest(REGULATOR, bytes32(uint256(PROJECT) + 1), LICENCE, LATER);
        _expectRevert(IProjects.Projects_Unknown.selector, uint256(0));
        _attest(REGULATOR, bytes32((uint256(1) << 32) | PROJECT), LICENCE, LATER);
    }

    function test_RevertGiven_MemberIsNotActive() external {
        _suspend(VERIFIER);
        _expectRevert(IMembers.Members_NotActive.selector, VERIFIER);
        _attest(VERIFIER, PASSPORT, ENCRYPTION, LATER);
    }

    function test_WhenUnknown_AttestationIsAllZero() external view {
        _assertStatement(UNKNOWN, ENCRYPTION, 0, 0);
    }

    /* FACTS THAT REST ON STATEMENTS */

    /// @dev Core privacy, for training: a separate grant, and an emergency, and encryption. Each is missing once.
    function test_WhenDataIsOfCorePrivacy_AllThreeAreNeeded() external {
        uint32 emergency = _declare(_declaration());
        _giveCore(OTHER_GRANT, Codes.FLAG_SEPARATE);
        _giveCore(UNKNOWN, 0);
        Terms terms = TermsLib
            .pack(Codes.AI_TRAINING, Codes.CONSENT, Codes.READ, Codes.GENOMICS, PROJECT)
            .atLevel(Codes.PSEUDONYMISED);
        Terms under = terms.under(emergency);

        _assertMissing(Facts.ENCRYPTED, _askLab(OTHER_GRANT, under));
        _attest(VERIFIER, PASSPORT, ENCRYPTION, LATER);
        _assertMissing(0, _askLab(OTHER_GRANT, under));
        _assertMissing(Facts.EMERGENCY_IN_FORCE, _askLab(OTHER_GRANT, terms));
        _assertMissing(Facts.GRANT_SEPARATE, _askLab(UNKNOWN, under));
        vm.assertEq(1, ledger.emergencyOf(emergency).used, "used by the permit alone");
    }

    /// @dev All statements stand; a verdict tells of those alone that the law asks for.
    function test_WhenFactIsNotRequired_ItIsNotAmongThoseThatHeld() external {
        uint32 required = _requiredFor(Codes.SENSITIVE, Codes.AI_TRAINING, Codes.CONSENT);
        _attest(VERIFIER, PASSPORT, ENCRYPTION, LATER);
        _attest(VERIFIER, PASSPORT, DEIDENTIFICATION, LATER);
        _attest(HOSPITAL, PASSPORT, SOURCE, LATER);
        _attest(REGULATOR, SUBJECT_PROJECT, LICENCE, LATER);
        Terms terms = _trainingTerms().atLevel(Codes.DEIDENTIFIED);
        uint32[4] memory stated = [
            Facts.ENCRYPTED,
            Facts.DEIDENTIFIED,
            Facts.SOURCE_DECLARED,
            Facts.MODEL_LICENSED
        ];
        uint32 all = stated[0] | stated[1] | stated[2] | stated[3];
        for (uint256 index = 0; index < stated.length; ++index) {
            _require(Codes.SENSITIVE, Codes.AI_TRAINING, Codes.CONSENT, required | stated[index]);
            Verdict verdict = _askLab(GRANT, terms);
            _assertMissing(0, verdict);
            vm.assertEq(stated[index], verdict.facts() & all, "facts that held");
        }
    }

    function test_WhenStatementEnds_SoDoesTheFact() external {
        uint32 required = _requiredFor(Codes.SENSITIVE, Codes.AI_TRAINING, Codes.CONSENT);
        _require(Codes.SENSITIVE, Codes.AI_TRAINING, Codes.CONSENT, required | Facts.ENCRYPTED);
        _attest(VERIFIER, PASSPORT, ENCRYPTION, LATER);
        vm.warp(LATER - 1);
        _assertMissing(0, _askLab(GRANT, _trainingTerms()));
        vm.warp(LATER);
        _assertMissing(Facts.ENCRYPTED, _askLab(GRANT, _trainingTerms()));
        vm.warp(LATER - 1);
        _attest(VERIFIER, PASSPORT, ENCRYPTION, 0);
        _assertMissing(Facts.ENCRYPTED, _askLab(GRANT, _trainingTerms()));
    }

    /// @dev Class 3 serves public health without a grant, from a declared source and verifiably de-identified.
    function test_WhenDutyIsLegal_SourceAndDeidentificationAreNeeded() external {
        _assertMissing(Facts.SOURCE_DECLARED | Facts.DEIDENTIFIED, _askForHealth(LAB, 0));
        _attest(HOSPITAL, PASSPORT, SOURCE, LATER);
        _assertMissing(Facts.DEIDENTIFIED, _askForHealth(LAB, 0));
        _attest(VERIFIER, PASSPORT, DEIDENTIFICATION, LATER);
        _assertMissing(0, _askForHealth(LAB, 0));
        _assertMissing(Facts.SOURCE_DECLARED | Facts.DEIDENTIFIED, _askForHealthOf(OTHER_PASSPORT));
    }

    /// @dev What was checked is no excuse to ask for more than it: the request or the data is de-identified itself.
    function test_WhenAskedForAsRecorded_ACheckedDeidentificationDoesNotCount() external {
        _attest(HOSPITAL, PASSPORT, SOURCE, LATER);
        _attest(VERIFIER, PASSPORT, DEIDENTIFICATION, LATER);
        Terms less = TermsLib
            .pack(Codes.PUBLIC_HEALTH, Codes.LEGAL_DUTY, Codes.READ, Codes.VITALS, 0)
            .atLevel(Codes.PSEUDONYMISED);
        _assertMissing(Facts.DEIDENTIFIED, _decide(LAB, _request(PASSPORT, 0, less)));
        _assertMissing(0, _decide(LAB, _request(PASSPORT, 0, less.atLevel(Codes.AGGREGATE))));
    }

    function test_WhenVerifierIsTheRequesterOrItsController_ItsWordDoesNotCount() external {
        _attest(HOSPITAL, PASSPORT, SOURCE, LATER);
        _attest(VERIFIER, PASSPORT, DEIDENTIFICATION, LATER);
        _assertMissing(Facts.DEIDENTIFIED, _askForHealth(VERIFIER, 0));
        _assertMissing(Facts.DEIDENTIFIED, _askForHealth(LAB, VERIFIER));
        _assertMissing(0, _askForHealth(LAB, CLINIC));
    }

    function test_WhenModelIsDeployed_ItsLicenceIsNeeded() external {
        IProjects.Filing memory filing = _projectDraft();
        filing.purposes = _bit(Codes.AI_INFERENCE);
        uint32 projectId = _file(LAB, filing);
        _approve(projectId);
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        given.purposes = _bit(Codes.AI_INFERENCE);
        _give(given);
        Terms terms = TermsLib.pack(Codes.AI_INFERENCE, Codes.CONSENT, Codes.READ, ASKED, projectId);
        terms = terms.atLevel(Codes.PSEUDONYMISED);
        _attest(REGULATOR, SUBJECT_PROJECT, LICENCE, LATER); // another project's
        _assertMissing(Facts.MODEL_LICENSED, _askLab(OTHER_GRANT, terms));
        _attest(REGULATOR, bytes32(uint256(projectId)), LICENCE, LATER);
        _assertMissing(0, _askLab(OTHER_GRANT, terms));
    }

    /* HELPERS */

    function _giveCore(bytes32 grantId, uint8 flags) private {
        IConsents.Grant memory given = _grantOf(grantId, PASSPORT);
        given.categories = Codes.GENOMICS;
        given.flags = flags;
        _give(given);
    }

    function _askLab(bytes32 grantId, Terms terms) private returns (Verdict) {
        return _decide(LAB, _request(PASSPORT, grantId, terms));
    }

    function _healthTerms() private pure returns (Terms) {
        return
            TermsLib.pack(Codes.PUBLIC_HEALTH, Codes.LEGAL_DUTY, Codes.READ, Codes.VITALS, 0).atLevel(
                Codes.DEIDENTIFIED
            );
    }

    function _askForHealth(uint32 memberId, uint32 controller) private returns (Verdict) {
        return _decide(memberId, _request(PASSPORT, 0, _healthTerms().onBehalfOf(controller)));
    }

    function _askForHealthOf(bytes32 passportId) private returns (Verdict) {
        return _decide(LAB, _request(passportId, 0, _healthTerms()));
    }

    function _assertAttested(uint32 memberId, bytes32 subject, IAttestations.AttestationKind kind) private {
        vm.expectEmit(address(ledger));
        emit IAttestations.Attested(subject, kind, memberId, LATER, COMMITMENT);
        _attest(memberId, subject, kind, LATER);
        _assertStatement(subject, kind, memberId, LATER);
    }

    function _assertStatement(
        bytes32 subject,
        IAttestations.AttestationKind kind,
        uint32 issuer,
        uint32 validTo
    ) private view {
        vm.assertEq(
            abi.encode(IAttestations.Attestation(issuer, validTo)),
            abi.encode(ledger.attestationOf(subject, kind)),
            "attestation"
        );
    }

    function _assertNotQualified(
        uint32 memberId,
        bytes32 subject,
        IAttestations.AttestationKind kind
    ) private {
        _expectRevert(IAttestations.Attestations_NotQualified.selector, uint256(kind), memberId);
        _attest(memberId, subject, kind, LATER);
    }

    function _expectStanding(bytes32 subject, IAttestations.AttestationKind kind) private {
        _expectRevert(IAttestations.Attestations_Standing.selector, subject, uint256(kind));
    }

    function _assertMissing(uint32 missing, Verdict verdict) private pure {
        vm.assertEq(missing, verdict.missing(), "missing");
        vm.assertEq(missing == 0 ? Codes.PERMIT : Codes.DENY, verdict.outcome(), "outcome");
    }
}

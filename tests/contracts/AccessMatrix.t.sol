// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../../contracts/interfaces/IAgreements.sol";
import {IAttestations} from "../../contracts/interfaces/IAttestations.sol";
import {IBorders} from "../../contracts/interfaces/IBorders.sol";
import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {ITemplates} from "../../contracts/interfaces/ITemplates.sol";
import {IDatasets} from "../../contracts/interfaces/IDatasets.sol";
import {IDecisions} from "../../contracts/interfaces/IDecisions.sol";
import {ILineage} from "../../contracts/interfaces/ILineage.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";
import {ITransfers} from "../../contracts/interfaces/ITransfers.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {TermsLib} from "../../contracts/libraries/Terms.sol";
import {ILedger, LedgerTest} from "./Base.t.sol";

/// @notice Every function that changes state, tried by every role, in a world in which the call itself is in order.
/// @dev Above each row stands `// matrix: <name of the function>`: a test in Python compares these with the ABI.
contract AccessMatrixTest is LedgerTest {
    bytes4 private constant DONE = 0;
    bytes4 private constant NOT_COMMITTEE = ICommittee.Committee_Only.selector;
    bytes4 private constant NO_SEAT = ICommittee.Committee_NoSeat.selector;
    bytes4 private constant NOT_MEMBER = IMembers.Members_NotMember.selector;
    bytes4 private constant NOT_ACTIVE = IMembers.Members_NotActive.selector;
    bytes4 private constant NO_ROLE = IMembers.Members_MissingRole.selector;
    bytes4 private constant NOT_CUSTODIAN = IPassports.Passports_NotCustodian.selector;
    bytes4 private constant NOT_PROJECT_OWNER = IProjects.Projects_NotOwner.selector;
    bytes4 private constant NOT_QUALIFIED = IAttestations.Attestations_NotQualified.selector;
    bytes4 private constant NOT_RECIPIENT = ITransfers.Transfers_NotRecipient.selector;
    bytes4 private constant NOT_IN_POSITION = ITransfers.Transfers_NotQualified.selector;
    bytes4 private constant NOT_DATASET_OWNER = IDatasets.Datasets_NotQualified.selector;
    bytes4 private constant NOT_VERSION_OWNER = ILineage.Lineage_NotQualified.selector;
    bytes4 private constant NOT_SHARER = IShares.Shares_NotQualified.selector;
    bytes4 private constant BAD_PART = ILineage.Lineage_BadPart.selector;
    bytes4 private constant NOT_PARTY = IAgreements.Agreements_NotParty.selector;
    bytes4 private constant NOT_CLEARER = IBorders.Borders_NotQualified.selector;
    bytes4 private constant FOUNDED_ALREADY = ILedger.GovernanceOffice_Founded.selector;

    uint32 private constant AUDITOR = FOUNDED + 1; // a member that owns nothing here
    uint32 private constant ROLES = AUDITOR; // members 1 to this one are tried
    uint32 private constant SUSPENDED_ALREADY = FOUNDED + 2;
    uint32 private constant SECOND_SEAT = FOUNDED + 3;
    uint32 private constant THIRD_SEAT = FOUNDED + 4;
    uint32 private constant UNSEATED = FOUNDED + 5;
    uint32 private constant NEXT = FOUNDED + 6;
    bytes32 private constant NEW = keccak256("new");
    bytes32 private constant SEALED_PASSPORT = keccak256("sealed passport");
    bytes32 private constant ASKED_GRANT = keccak256("grant that was asked for");
    bytes32 private constant INCLUDED_GRANT = keccak256("grant that somebody was included under");
    bytes32 private constant PAPER_GRANT = keccak256("grant on paper");
    uint40 private constant UNUSED_PERMIT = 1;
    uint40 private constant WAITING = 2;
    uint32 private constant WITHDRAWN_DATASET = 1;
    uint32 private constant SEALED_DATASET = 2;
    uint256 private constant UNVERIFIED = 0; // versions of the lab's
    uint256 private constant VERIFIED = 1;
    uint256 private constant OWING_MODEL = 2;

    uint32 private _individual;
    uint32 private _public;
    uint32 private _actToApprove;
    uint32 private _actToExecute;
    bytes[] private _guardians;
    bytes[] private _signatures;

    /// @dev What each role gets: DONE or the selector of an error. Members by their number.
    struct Outcomes {
        bytes4 stranger;
        bytes4 committee; // the ledger itself, when it does an act; a member of the committee is another role
        bytes4[ROLES + 1] active;
        bytes4[ROLES + 1] inactive; // suspended or expelled
    }

    function setUp() public override {
        super.setUp();
        _admit(AUDITOR, Codes.ROLE_AUDITOR);
        _admit(SUSPENDED_ALREADY, Codes.ROLE_PROCESSOR);
        _suspend(SUSPENDED_ALREADY);
        _admit(SECOND_SEAT, Codes.ROLE_COMMITTEE);
        _admit(THIRD_SEAT, Codes.ROLE_COMMITTEE);
        _admit(UNSEATED, Codes.ROLE_COMMITTEE);
        _issue(HOSPITAL, _issueOf(SEALED_PASSPORT, holder));
        _seal(SEALED_PASSPORT);
        _askTransfer();
        _askTransfer();
        _decide(LAB, _compelled());
        _as(HOSPITAL);
        ledger.ship(TRANSFER, PASSPORT, 0, CONTENT);
        _as(LAB);
        ledger.requestConsent(PASSPORT, ASKED_GRANT, COMMITMENT);
        _as(HOSPITAL);
        ledger.fileConsent(_grantOf(PAPER_GRANT, PASSPORT), COMMITMENT);
        _individual = _open(RESCUE, PASSPORT);
        _public = _declare(_declaration());
        _nameGuardians();
        _proposeActs();
        _makeData();
    }

    function _compelled() private pure returns (IDecisions.Request memory) {
        return
            _request(
                PASSPORT,
                0,
                TermsLib.pack(Codes.OPERATIONS, Codes.COMPELLED, Codes.READ, Codes.DIAGNOSIS, 0)
            );
    }

    /// @dev Of OTHER_PASSPORT: the stranger alone.
    function _nameGuardians() private {
        _guardians.push(abi.encodePacked(vm.addr(STRANGER_KEY)));
        bytes32 guardians = keccak256(abi.encode(uint8(1), _guardians));
        bytes memory signature = _signedHash(OTHER_HOLDER_KEY, _guardiansHash(OTHER_PASSPORT, guardians));
        ledger.nameGuardians(OTHER_PASSPORT, guardians, signature);
        _signatures.push(_signedHash(STRANGER_KEY, _recoveryHash(OTHER_PASSPORT, delegate)));
    }

    /// @dev The second seat proposes: what is about members needs another one, what is about the law an hour.
    function _proposeActs() private {
        _asCommittee();
        ledger.setSeat(SECOND_SEAT, ICommittee.SeatKind.LAW);
        _asCommittee();
        ledger.setSeat(THIRD_SEAT, ICommittee.SeatKind.PATIENTS);
        _asCommittee();
        ledger.setRule(ICommittee.ActKind.MEMBERS, ICommittee.Rule(2, 0, 0));
        _asCommittee();
        ledger.setRule(ICommittee.ActKind.LAW, ICommittee.Rule(1, 0, 1 hours));
        _as(SECOND_SEAT);
        _actToApprove = ledger.propose(abi.encodeCall(ledger.setCaps, (LAB, 1)), COMMITMENT);
        _as(SECOND_SEAT);
        _actToExecute = ledger.propose(abi.encodeCall(ledger.withdrawTemplate, (TEMPLATE)), COMMITMENT);
    }

    /// @dev Of the lab: two datasets, one of which was sealed, and a model of the other, reached by a withdrawal.
    function _makeData() private {
        _declareDataset(LAB, _plan());
        _declareDataset(LAB, _plan());
        _sealDataset(REGULATOR, SEALED_DATASET);
        IConsents.Grant memory given = _grantOf(INCLUDED_GRANT, PASSPORT);
        given.flags = Codes.FLAG_ONWARD;
        _give(given);
        _decide(LAB, _request(PASSPORT, INCLUDED_GRANT, _inclusionTerms(WITHDRAWN_DATASET)));
        _attest(ALLIANCE, TOOL, IAttestations.AttestationKind.TOOL, MEMBERSHIP_END);
        _record(LAB, _collection(WITHDRAWN_DATASET, _versionId(UNVERIFIED)));
        _record(LAB, _collection(WITHDRAWN_DATASET, _versionId(VERIFIED)));
        _as(VERIFIER);
        ledger.verifyVersion(_versionId(VERIFIED), true, COMMITMENT);
        ILineage.Step memory training = _stepOf(ILineage.StepKind.TRAIN);
        training.projectId = PROJECT;
        training.purposes = _bit(Codes.AI_TRAINING);
        training.inputs = _list(_versionId(VERIFIED));
        training.outputs = _list(_versionId(OWING_MODEL));
        vm.assertEq(0, _record(LAB, training), "missing");
        _revoke(PASSPORT, INCLUDED_GRANT);
    }

    /// @dev The stranger, now a member, takes part in a collection of the lab's.
    function _jointCollection() private returns (ILineage.Step memory step, ILineage.Part[] memory parts) {
        IMembers.Admission memory admission = _admission(NEXT, Codes.ROLE_PROCESSOR);
        admission.signer = vm.addr(OTHER_HOLDER_KEY);
        _admit(admission);
        step = _collection(WITHDRAWN_DATASET, NEW);
        parts = new ILineage.Part[](1);
        parts[0] = _part(OTHER_HOLDER_KEY, LAB, NEXT, step);
    }

    function test_Matrix_Members() external {
        Outcomes memory expected = _withRole(ALLIANCE);
        expected.committee = DONE;
        // matrix: admit
        _row(abi.encodeCall(ledger.admit, (_admission(NEXT, Codes.ROLE_AUDITOR))), expected);
        // matrix: changeControl
        _row(abi.encodeCall(ledger.changeControl, (AUDITOR, COMMITMENT)), expected);

        expected.active[REGULATOR] = DONE;
        // matrix: suspend
        _row(abi.encodeCall(ledger.suspend, (UNSEATED, COMMITMENT)), expected);

        // matrix: reinstate
        _row(abi.encodeCall(ledger.reinstate, (SUSPENDED_ALREADY)), _committeeOnly());
        // matrix: expel
        _row(abi.encodeCall(ledger.expel, (SUSPENDED_ALREADY, COMMITMENT)), _committeeOnly());
        // matrix: rotateKeys
        _row(abi.encodeCall(ledger.rotateKeys, (AUDITOR, _signer(NEXT), NEW, NEW)), _committeeOnly());
        // matrix: license
        _row(abi.encodeCall(ledger.license, (SUSPENDED_ALREADY, 1, MEMBERSHIP_END)), _committeeOnly());
        // matrix: setCaps
        _row(abi.encodeCall(ledger.setCaps, (AUDITOR, 1)), _committeeOnly());

        // matrix: entrust
        _row(
            abi.encodeCall(ledger.entrust, (SUSPENDED_ALREADY, 1, MEMBERSHIP_END, COMMITMENT)),
            _anyActive()
        );
    }

    function test_Matrix_Committee() external {
        Outcomes memory expected = _all(NO_SEAT, NOT_ACTIVE);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[COMMITTEE] = DONE;
        // matrix: propose
        _row(abi.encodeCall(ledger.propose, (abi.encodeCall(ledger.setCaps, (LAB, 1)), NEW)), expected);
        // matrix: approve
        _row(abi.encodeCall(ledger.approve, (_actToApprove)), expected);

        // matrix: setSeat
        _row(abi.encodeCall(ledger.setSeat, (SECOND_SEAT, ICommittee.SeatKind.MEDICINE)), _committeeOnly());
        // matrix: setRule
        _row(
            abi.encodeCall(ledger.setRule, (ICommittee.ActKind.LAW, ICommittee.Rule(1, 0, 0))),
            _committeeOnly()
        );

        vm.warp(START + 1 hours);
        // matrix: execute
        _row(abi.encodeCall(ledger.execute, (_actToExecute)), _all(DONE, DONE));
    }

    function test_Matrix_Founding() external {
        IMembers.Admission memory founder = _admission(NEXT, Codes.ROLE_COMMITTEE);
        IPolicy.Table memory law = ledger.policy();
        ITemplates.Template memory template = ledger.templateOf(TEMPLATE);
        Outcomes memory expected = _all(FOUNDED_ALREADY, FOUNDED_ALREADY);
        // matrix: found
        _row(abi.encodeCall(ledger.found, (founder, law, template, ledger.thresholds())), expected);
    }

    function test_Matrix_PolicyAndTemplates() external {
        // matrix: setPolicy
        _row(abi.encodeCall(ledger.setPolicy, (ledger.policy())), _committeeOnly());
        // matrix: issueTemplate
        _row(abi.encodeCall(ledger.issueTemplate, (ledger.templateOf(TEMPLATE))), _committeeOnly());
        // matrix: withdrawTemplate
        _row(abi.encodeCall(ledger.withdrawTemplate, (TEMPLATE)), _committeeOnly());
    }

    function test_Matrix_Emergencies() external {
        // matrix: openEmergency
        _row(abi.encodeCall(ledger.openEmergency, (PASSPORT, 1, 0, COMMITMENT)), _withRole(RESCUE));

        Outcomes memory expected = _withRole(ETHICS);
        expected.active[REGULATOR] = DONE;
        // matrix: reviewEmergency
        _row(abi.encodeCall(ledger.reviewEmergency, (_individual, true, COMMITMENT)), expected);

        // matrix: declareEmergency
        _row(abi.encodeCall(ledger.declareEmergency, (_declaration(), COMMITMENT)), _committeeOnly());
        // matrix: endEmergency
        _row(abi.encodeCall(ledger.endEmergency, (_public)), _committeeOnly());
        // matrix: restoreEmergencyRight
        _row(abi.encodeCall(ledger.restoreEmergencyRight, (RESCUE)), _committeeOnly());
    }

    function test_Matrix_Passports() external {
        Outcomes memory expected = _withRole(HOSPITAL);
        expected.active[CLINIC] = DONE;
        // matrix: issue
        _row(abi.encodeCall(ledger.issue, (_one(_issueOf(NEW, holder)))), expected);

        // matrix: commitContent
        _row(abi.encodeCall(ledger.commitContent, (PASSPORT, NEW)), _custodianOnly());
        // matrix: narrow
        _row(abi.encodeCall(ledger.narrow, (PASSPORT, 1)), _custodianOnly());
        // matrix: destroy
        _row(abi.encodeCall(ledger.destroy, (PASSPORT, COMMITMENT)), _custodianOnly());

        expected = _custodianOnly();
        expected.committee = expected.active[REGULATOR] = DONE;
        // matrix: seal
        _row(abi.encodeCall(ledger.seal, (PASSPORT, COMMITMENT)), expected);
        // matrix: unseal
        _row(abi.encodeCall(ledger.unseal, (SEALED_PASSPORT)), _committeeOnly());
    }

    /// @dev The holder's signature counts, not who submits it.
    function test_Matrix_Holders() external {
        IPassports.Custody self = IPassports.Custody.SELF;
        bytes memory signature = _signedHash(HOLDER_KEY, _rotationHash(PASSPORT, delegate, self));
        // matrix: rotateHolder
        _row(abi.encodeCall(ledger.rotateHolder, (PASSPORT, delegate, self, signature)), _anyone());
        signature = _signedHash(HOLDER_KEY, _guardiansHash(PASSPORT, NEW));
        // matrix: nameGuardians
        _row(abi.encodeCall(ledger.nameGuardians, (PASSPORT, NEW, signature)), _anyone());
        uint32 until = MEMBERSHIP_END;
        signature = _signedHash(HOLDER_KEY, _delegationHash(PASSPORT, delegate, until));
        // matrix: nameDelegate
        _row(abi.encodeCall(ledger.nameDelegate, (PASSPORT, delegate, until, signature)), _anyone());
        // matrix: recover
        _row(
            abi.encodeCall(ledger.recover, (OTHER_PASSPORT, delegate, 1, _guardians, _signatures)),
            _anyone()
        );
        // matrix: recoverAtCounter
        _row(abi.encodeCall(ledger.recoverAtCounter, (PASSPORT, delegate, self)), _custodianOnly());

        _as(HOSPITAL);
        ledger.recoverAtCounter(PASSPORT, delegate, self);
        uint32 readyAt = START + 7 days;
        signature = _signedHash(HOLDER_KEY, _objectionHash(PASSPORT, readyAt));
        // matrix: cancelRecovery
        _row(abi.encodeCall(ledger.cancelRecovery, (PASSPORT, signature)), _anyone());
        vm.warp(readyAt);
        // matrix: completeRecovery
        _row(abi.encodeCall(ledger.completeRecovery, (PASSPORT)), _anyone());
    }

    /// @dev The same goes for consents.
    function test_Matrix_Consents() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        // matrix: grant
        _row(abi.encodeCall(ledger.grant, (_one(given), _one(_signed(HOLDER_KEY, given)))), _anyone());
        IConsents.Proof memory proof = _proof(_revocationHash(PASSPORT, GRANT));
        // matrix: revoke
        _row(abi.encodeCall(ledger.revoke, (PASSPORT, GRANT, proof)), _anyone());
        proof = _proof(_refusalHash(PASSPORT, ASKED_GRANT));
        // matrix: refuse
        _row(abi.encodeCall(ledger.refuse, (PASSPORT, ASKED_GRANT, proof)), _anyone());
        proof = _proof(_confirmationHash(PASSPORT, GRANT, 0));
        // matrix: confirm
        _row(abi.encodeCall(ledger.confirm, (PASSPORT, GRANT, proof)), _anyone());
        proof = _proof(_repudiationHash(PASSPORT, PAPER_GRANT));
        // matrix: repudiate
        _row(abi.encodeCall(ledger.repudiate, (PASSPORT, PAPER_GRANT, proof)), _anyone());

        // matrix: requestConsent
        _row(abi.encodeCall(ledger.requestConsent, (PASSPORT, NEW, COMMITMENT)), _anyActive());
        // matrix: fileConsent
        _row(abi.encodeCall(ledger.fileConsent, (given, COMMITMENT)), _custodianOnly());
    }

    function test_Matrix_ProjectsAndAttestations() external {
        // matrix: fileProject
        _row(abi.encodeCall(ledger.fileProject, (_projectDraft(), COMMITMENT)), _anyActive());

        Outcomes memory expected = _all(NOT_PROJECT_OWNER, NOT_PROJECT_OWNER);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[LAB] = expected.inactive[LAB] = DONE;
        // matrix: withdrawProject
        _row(abi.encodeCall(ledger.withdrawProject, (PROJECT)), expected);

        // matrix: reviewProject
        _row(
            abi.encodeCall(ledger.reviewProject, (PROJECT, IProjects.Approval.ETHICS, true, COMMITMENT)),
            _withRole(ETHICS)
        );

        expected = _all(NOT_QUALIFIED, NOT_ACTIVE);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[HOSPITAL] = DONE;
        IAttestations.AttestationKind source = IAttestations.AttestationKind.SOURCE;
        // matrix: attest
        _row(abi.encodeCall(ledger.attest, (PASSPORT, source, MEMBERSHIP_END, COMMITMENT)), expected);
    }

    function test_Matrix_Decisions() external {
        Outcomes memory expected = _all(DONE, DONE);
        expected.stranger = expected.committee = NOT_MEMBER;
        // matrix: decide
        _row(abi.encodeCall(ledger.decide, (_one(_request(PASSPORT, GRANT, _trainingTerms())))), expected);

        // matrix: reviewRequest
        _row(
            abi.encodeCall(ledger.reviewRequest, (_compelled(), LAB, WAITING, true, COMMITMENT)),
            _withRole(REGULATOR)
        );

        expected = _all(NOT_CUSTODIAN, NOT_CUSTODIAN);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[HOSPITAL] = expected.inactive[HOSPITAL] = DONE;
        // matrix: recordRelease
        _row(abi.encodeCall(ledger.recordRelease, (PASSPORT, 0, COMMITMENT)), expected);
    }

    function test_Matrix_Transfers() external {
        // matrix: ship
        _row(abi.encodeCall(ledger.ship, (NEW, PASSPORT, UNUSED_PERMIT, CONTENT)), _custodianOnly());

        Outcomes memory expected = _all(NOT_RECIPIENT, NOT_ACTIVE);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[LAB] = DONE;
        // matrix: receiveTransfer
        _row(abi.encodeCall(ledger.receiveTransfer, (TRANSFER, CONTENT)), expected);

        // Who reports and closes does so whatever its status.
        _as(LAB);
        ledger.receiveTransfer(TRANSFER, CONTENT);
        expected.active[LAB] = expected.inactive[LAB] = DONE;
        for (uint32 memberId = 1; memberId <= ROLES; ++memberId) {
            if (memberId != LAB) expected.inactive[memberId] = NOT_RECIPIENT;
        }
        // matrix: closeTransfer
        _row(abi.encodeCall(ledger.closeTransfer, (TRANSFER, COMMITMENT)), expected);
    }

    /// @dev From the hospital to the lab, stored abroad.
    function test_Matrix_TransfersOfMany() external {
        uint32 agreement = _agree(HOSPITAL, _limitsFor(LAB));
        _openBorder(LAB, MEMBERSHIP_END);
        _clear(PROJECT, HOSPITAL, MEMBERSHIP_END);
        ITransfers.Consignment memory consignment;
        consignment.agreementId = agreement;
        consignment.projectId = PROJECT;
        consignment.count = 1;
        consignment.purposes = _bit(Codes.AI_TRAINING);
        consignment.categories = ASKED;
        consignment.places = new uint16[](1);
        consignment.places[0] = ABROAD;
        bytes32 many = keccak256("transfer of many");

        Outcomes memory expected = _all(NOT_PARTY, NOT_PARTY);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[HOSPITAL] = expected.inactive[HOSPITAL] = DONE; // on record, as refused
        // matrix: declareTransfer
        _row(abi.encodeCall(ledger.declareTransfer, (many, consignment, COMMITMENT)), expected);

        _as(HOSPITAL);
        ledger.declareTransfer(many, consignment, COMMITMENT);
        // matrix: inspectTransfer
        _row(abi.encodeCall(ledger.inspectTransfer, (many, true, COMMITMENT)), _withRole(REGULATOR));

        expected = _all(NOT_IN_POSITION, NOT_IN_POSITION);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[HOSPITAL] = expected.inactive[HOSPITAL] = expected.active[REGULATOR] = DONE;
        // matrix: haltTransfer
        _row(abi.encodeCall(ledger.haltTransfer, (many, COMMITMENT)), expected);

        expected.active[LAB] = DONE;
        // What it rests on has lapsed with either side: then any member may.
        expected.inactive[LAB] = DONE;
        // matrix: terminateTransfer
        _row(abi.encodeCall(ledger.terminateTransfer, (many, COMMITMENT)), expected);

        _as(HOSPITAL);
        ledger.haltTransfer(many, COMMITMENT);
        expected = _all(NOT_IN_POSITION, NOT_ACTIVE);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[HOSPITAL] = expected.active[REGULATOR] = DONE;
        // matrix: resumeTransfer
        _row(abi.encodeCall(ledger.resumeTransfer, (many)), expected);
        _as(HOSPITAL);
        ledger.resumeTransfer(many);
        _as(REGULATOR);
        ledger.inspectTransfer(many, true, COMMITMENT);

        ITransfers.Item[] memory items = new ITransfers.Item[](1);
        items[0] = ITransfers.Item(PASSPORT, UNUSED_PERMIT, CONTENT);
        expected = _all(NOT_IN_POSITION, NOT_ACTIVE);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[HOSPITAL] = DONE;
        // matrix: loadTransfer
        _row(abi.encodeCall(ledger.loadTransfer, (many, items)), expected);
        _as(HOSPITAL);
        ledger.loadTransfer(many, items);
        // matrix: shipTransfer
        _row(abi.encodeCall(ledger.shipTransfer, (many)), expected);

        _as(HOSPITAL);
        ledger.shipTransfer(many);
        bytes32 root = ledger.transferOf(many).content;
        _as(LAB);
        ledger.receiveTransfer(many, root);
        expected = _all(NOT_RECIPIENT, NOT_RECIPIENT);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[LAB] = expected.inactive[LAB] = DONE;
        // matrix: reportTransfer
        _row(abi.encodeCall(ledger.reportTransfer, (many, COMMITMENT)), expected);

        vm.warp(START + 90 days);
        expected = _all(DONE, DONE);
        expected.stranger = expected.committee = NOT_MEMBER;
        // matrix: endBorderAccess
        _row(abi.encodeCall(ledger.endBorderAccess, (many)), expected);
    }

    /// @dev What the lab received it passes on to the auditor.
    function test_Matrix_Onward() external {
        IAgreements.Limits memory limits = _limitsFor(LAB);
        limits.onward = true;
        ITransfers.Consignment memory consignment;
        consignment.agreementId = _agree(HOSPITAL, limits);
        consignment.count = 1;
        consignment.purposes = _bit(Codes.AI_TRAINING) | _bit(Codes.PRIMARY_CARE);
        consignment.categories = ASKED;
        consignment.places = new uint16[](1);
        consignment.places[0] = CHINA;
        bytes32 many = keccak256("transfer of many");
        ITransfers.Item[] memory items = new ITransfers.Item[](1);
        items[0] = ITransfers.Item(PASSPORT, UNUSED_PERMIT, CONTENT);
        _as(HOSPITAL);
        ledger.declareTransfer(many, consignment, COMMITMENT);
        _as(HOSPITAL);
        ledger.loadTransfer(many, items);
        _as(HOSPITAL);
        ledger.shipTransfer(many);
        bytes32 root = ledger.transferOf(many).content;
        _as(LAB);
        ledger.receiveTransfer(many, root);

        // Back to the hospital, whose care of its own patient needs no consent.
        _decide(
            HOSPITAL,
            _request(
                PASSPORT,
                0,
                TermsLib.pack(Codes.PRIMARY_CARE, Codes.CUSTODIAN_CARE, Codes.TRANSFER, ASKED, 0)
            )
        );
        uint40 seq = _passport(PASSPORT).size - 1;
        consignment.agreementId = _agree(LAB, _limitsFor(HOSPITAL));
        consignment.parent = many;
        _as(LAB);
        ledger.declareTransfer(NEW, consignment, COMMITMENT);
        ITransfers.Provenance[] memory provenances = new ITransfers.Provenance[](1);
        provenances[0] = ITransfers.Provenance(UNUSED_PERMIT, CONTENT, 0, new bytes32[](0));
        items[0].seq = seq;
        Outcomes memory expected = _all(NOT_IN_POSITION, NOT_ACTIVE);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[LAB] = DONE;
        // matrix: loadOnward
        _row(abi.encodeCall(ledger.loadOnward, (NEW, items, provenances)), expected);
    }

    function test_Matrix_Agreements() external {
        // matrix: proposeAgreement
        _row(abi.encodeCall(ledger.proposeAgreement, (_limitsFor(UNSEATED), COMMITMENT)), _anyActive());

        uint32 agreementId = _propose(HOSPITAL, _limitsFor(LAB));
        Outcomes memory expected = _all(NOT_PARTY, NOT_ACTIVE);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[LAB] = DONE;
        // matrix: signAgreement
        _row(abi.encodeCall(ledger.signAgreement, (agreementId, COMMITMENT)), expected);

        expected = _all(NOT_PARTY, NOT_PARTY);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[HOSPITAL] = expected.inactive[HOSPITAL] = DONE;
        expected.active[LAB] = expected.inactive[LAB] = DONE;
        // matrix: endAgreement
        _row(abi.encodeCall(ledger.endAgreement, (agreementId, COMMITMENT)), expected);
    }

    function test_Matrix_Borders() external {
        // matrix: setBorderAccess
        _row(abi.encodeCall(ledger.setBorderAccess, (UNSEATED, MEMBERSHIP_END)), _withRole(REGULATOR));
        IBorders.Clearance memory clearance = _clearanceOf(PROJECT, HOSPITAL, MEMBERSHIP_END);
        // matrix: clear
        _row(abi.encodeCall(ledger.clear, (clearance, COMMITMENT)), _withRole(REGULATOR));
        // matrix: setThresholds
        _row(abi.encodeCall(ledger.setThresholds, (IBorders.Thresholds(2, 1))), _committeeOnly());
        // matrix: countCrossing
        _row(
            abi.encodeCall(ledger.countCrossing, (IBorders.Crossing(PROJECT, HOSPITAL, LAB, true, PASSPORT))),
            _committeeOnly()
        );

        uint32 clearanceId = _clear(PROJECT, HOSPITAL, MEMBERSHIP_END);
        Outcomes memory expected = _all(NOT_CLEARER, NOT_ACTIVE);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[REGULATOR] = DONE;
        // matrix: withdrawClearance
        _row(abi.encodeCall(ledger.withdrawClearance, (clearanceId, COMMITMENT)), expected);
    }

    function test_Matrix_Datasets() external {
        // matrix: declareDataset
        _row(abi.encodeCall(ledger.declareDataset, (_plan(), COMMITMENT)), _anyActive());
        // matrix: excuseWithdrawals
        _row(abi.encodeCall(ledger.excuseWithdrawals, (WITHDRAWN_DATASET, 1, COMMITMENT)), _withRole(ETHICS));
        // matrix: unsealDataset
        _row(abi.encodeCall(ledger.unsealDataset, (SEALED_DATASET)), _withRole(REGULATOR));

        Outcomes memory expected = _all(NOT_DATASET_OWNER, NOT_ACTIVE);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[LAB] = expected.active[REGULATOR] = DONE;
        // matrix: sealDataset
        _row(abi.encodeCall(ledger.sealDataset, (WITHDRAWN_DATASET, COMMITMENT)), expected);
    }

    function test_Matrix_Lineage() external {
        bytes32 versionId = _versionId(UNVERIFIED);
        // matrix: verifyVersion
        _row(abi.encodeCall(ledger.verifyVersion, (versionId, true, COMMITMENT)), _withRole(VERIFIER));

        // matrix: registerExternal
        _row(
            abi.encodeCall(ledger.registerExternal, (NEW, ILineage.VersionKind.DATA, 1, COMMITMENT)),
            _anyActive()
        );

        Outcomes memory expected = _all(NOT_SHARER, NOT_ACTIVE);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[LAB] = DONE;
        versionId = _versionId(OWING_MODEL); // nobody's data: a withdrawal does not keep it
        _as(VERIFIER);
        ledger.verifyVersion(versionId, true, COMMITMENT);
        uint32 agreementId = _agree(LAB, _limitsFor(UNSEATED));
        // matrix: shareVersion
        _row(abi.encodeCall(ledger.shareVersion, (versionId, UNSEATED, agreementId, 0)), expected);

        // Whoever takes part says who records the step.
        expected = _all(BAD_PART, BAD_PART);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[LAB] = expected.inactive[LAB] = DONE;
        (ILineage.Step memory joint, ILineage.Part[] memory parts) = _jointCollection();
        // matrix: recordJointStep
        _row(abi.encodeCall(ledger.recordJointStep, (joint, parts)), expected);

        // Every member records what it did, and answers for its models, whatever its status.
        expected = _all(DONE, DONE);
        expected.stranger = expected.committee = NOT_MEMBER;
        ILineage.Step memory step = _collection(WITHDRAWN_DATASET, NEW);
        // matrix: recordStep
        _row(abi.encodeCall(ledger.recordStep, (step)), expected);

        versionId = _versionId(OWING_MODEL);
        vm.warp(START + 31 days);
        // matrix: suspendOverdue
        _row(abi.encodeCall(ledger.suspendOverdue, (versionId)), expected);

        expected = _all(NOT_VERSION_OWNER, NOT_VERSION_OWNER);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[LAB] = expected.inactive[LAB] = DONE;
        ILineage.Answer answer = ILineage.Answer.RETIRED;
        // matrix: answerWithdrawal
        _row(abi.encodeCall(ledger.answerWithdrawal, (versionId, answer, 0, COMMITMENT)), expected);
    }

    /* HELPERS */

    function _proof(bytes32 structHash) private view returns (IConsents.Proof memory) {
        return _own(_signedHash(HOLDER_KEY, structHash));
    }

    function _anyone() private pure returns (Outcomes memory) {
        return _all(DONE, DONE);
    }

    function _anyActive() private pure returns (Outcomes memory expected) {
        expected = _all(DONE, NOT_ACTIVE);
        expected.stranger = expected.committee = NOT_MEMBER;
    }

    function _committeeOnly() private pure returns (Outcomes memory expected) {
        expected = _all(NOT_COMMITTEE, NOT_COMMITTEE);
        expected.committee = DONE;
    }

    /// @dev Only this member has the role.
    function _withRole(uint32 memberId) private pure returns (Outcomes memory expected) {
        expected = _all(NO_ROLE, NOT_ACTIVE);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[memberId] = DONE;
    }

    function _custodianOnly() private pure returns (Outcomes memory expected) {
        expected = _all(NOT_CUSTODIAN, NOT_ACTIVE);
        expected.stranger = expected.committee = NOT_MEMBER;
        expected.active[HOSPITAL] = DONE;
    }

    /// @dev The same for every active and every inactive caller; strangers count as active ones.
    function _all(bytes4 active, bytes4 inactive) private pure returns (Outcomes memory expected) {
        expected.stranger = expected.committee = active;
        for (uint32 memberId = 1; memberId <= ROLES; ++memberId) {
            expected.active[memberId] = active;
            expected.inactive[memberId] = inactive;
        }
    }

    function _row(bytes memory call_, Outcomes memory expected) private {
        _cell("stranger", STRANGER, call_, expected.stranger);
        _cell("committee", address(ledger), call_, expected.committee);
        string[ROLES + 1] memory names = [
            "",
            "member of the committee",
            "hospital",
            "lab",
            "clinic",
            "ethics body",
            "compliance body",
            "regulator",
            "verifier",
            "rescue",
            "alliance",
            "auditor"
        ];
        for (uint32 memberId = 1; memberId <= ROLES; ++memberId) {
            _cell(names[memberId], _signer(memberId), call_, expected.active[memberId]);
            uint256 snapshot = vm.snapshotState();
            _suspend(memberId);
            _cell(
                string.concat("suspended ", names[memberId]),
                _signer(memberId),
                call_,
                expected.inactive[memberId]
            );
            _expel(memberId);
            _cell(
                string.concat("expelled ", names[memberId]),
                _signer(memberId),
                call_,
                expected.inactive[memberId]
            );
            vm.revertToState(snapshot);
        }
    }

    function _cell(string memory role, address caller, bytes memory call_, bytes4 expected) private {
        uint256 snapshot = vm.snapshotState();
        vm.prank(caller);
        (bool done, bytes memory answer) = address(ledger).call(call_);
        bytes4 outcome = done ? DONE : bytes4(answer);
        vm.assertEq(bytes32(expected), bytes32(outcome), role);
        vm.assertEq(expected == DONE, done, role);
        vm.revertToState(snapshot);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAgreements} from "../../contracts/interfaces/IAgreements.sol";
import {IAttestations} from "../../contracts/interfaces/IAttestations.sol";
import {IBorders} from "../../contracts/interfaces/IBorders.sol";
import {ICommittee} from "../../contracts/interfaces/ICommittee.sol";
import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IDatasets} from "../../contracts/interfaces/IDatasets.sol";
import {IDecisions} from "../../contracts/interfaces/IDecisions.sol";
import {IEmergencies} from "../../contracts/interfaces/IEmergencies.sol";
import {IHolders} from "../../contracts/interfaces/IHolders.sol";
import {ILineage} from "../../contracts/interfaces/ILineage.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {IReleases} from "../../contracts/interfaces/IReleases.sol";
import {IReviews} from "../../contracts/interfaces/IReviews.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";
import {ITemplates} from "../../contracts/interfaces/ITemplates.sol";
import {ITransfers} from "../../contracts/interfaces/ITransfers.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {Verdict} from "../../contracts/libraries/Verdict.sol";

/// @notice The ledger as its callers see it: five contracts under one address. The tests import no implementation:
/// they run the bytecode that the build wrote, and compile without it.
interface ILedger is
    IMembers,
    IPolicy,
    IEmergencies,
    ICommittee,
    IPassports,
    IHolders,
    IConsents,
    ITemplates,
    IProjects,
    IAttestations,
    IDecisions,
    IReviews,
    IReleases,
    IDatasets,
    ILineage,
    IAgreements,
    IShares,
    IBorders,
    ITransfers
{
    error Forwards_NoOffice(address office);
    error GovernanceOffice_Founded();
    error GovernanceOffice_FounderNotCommittee();

    function eip712Domain()
        external
        view
        returns (
            bytes1,
            string memory name,
            string memory version,
            uint256 chainId,
            address ledger,
            bytes32,
            uint256[] memory
        );
    function found(
        Admission calldata founder,
        Table calldata table,
        Template calldata template,
        Thresholds calldata thresholds_
    ) external;
    function OFFICE() external view returns (address);
}

/// @notice The cheat codes of the test runner that the suite uses.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function addr(uint256 privateKey) external pure returns (address);
    function assertEq(address expected, address actual, string calldata why) external pure;
    function assertEq(bool expected, bool actual, string calldata why) external pure;
    function assertEq(bytes calldata expected, bytes calldata actual, string calldata why) external pure;
    function assertEq(bytes32 expected, bytes32 actual, string calldata why) external pure;
    function assertEq(uint256 expected, uint256 actual, string calldata why) external pure;
    function assertLe(uint256 left, uint256 right, string calldata why) external pure;
    function assertTrue(bool condition, string calldata why) external pure;
    function assume(bool condition) external pure;
    function chainId(uint256 id) external;
    function cool(address target) external;
    function expectEmit(address emitter) external;
    function expectRevert() external;
    function expectRevert(bytes calldata data) external;
    function getCode(string calldata artifact) external view returns (bytes memory);
    function getBlockTimestamp() external view returns (uint256);
    function getRecordedLogs() external returns (Log[] memory);
    function prank(address sender) external;
    function recordLogs() external;
    function revertToState(uint256 snapshot) external returns (bool);
    function sign(uint256 privateKey, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function snapshotState() external returns (uint256 snapshot);
    function store(address target, bytes32 slot, bytes32 value) external;
    function warp(uint256 timestamp) external;
}

/// @notice Actors, builders and signatures. Everything here is internal: what extends it may be a fuzzing target.
/// @dev Hashes are written out again here instead of being imported from PassportHash, so that the tests have their
/// own opinion on what a holder signs.
abstract contract Base {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev The optimizer may move a read of block.timestamp across vm.warp: tests use these and vm.getBlockTimestamp().
    uint32 internal constant START = 1_800_000_000;
    uint32 internal constant DAY = 1 days;
    uint32 internal constant MEMBERSHIP_END = START + 3650 * DAY;
    uint32 internal constant PROJECT_END = START + 365 * DAY;
    uint32 internal constant GRANT_END = START + 100 * DAY;
    uint32 internal constant RETENTION_END = START + 300 * DAY;

    uint32 internal constant COMMITTEE = 1;
    uint32 internal constant HOSPITAL = 2; // custodian of PASSPORT
    uint32 internal constant LAB = 3; // recipient of GRANT, owner of PROJECT
    uint32 internal constant CLINIC = 4; // custodian of OTHER_PASSPORT
    uint32 internal constant ETHICS = 5; // approved PROJECT
    uint32 internal constant COMPLIANCE = 6; // approved PROJECT too
    uint32 internal constant REGULATOR = 7;
    uint32 internal constant VERIFIER = 8;
    uint32 internal constant RESCUE = 9; // may open emergencies
    uint32 internal constant ALLIANCE = 10;
    uint32 internal constant FOUNDED = 10; // members in the beginning
    uint32 internal constant NOBODY = 99;
    uint32 internal constant PROJECT = 1;
    uint32 internal constant TEMPLATE = 1; // as wide as the law
    uint16 internal constant CHINA = 156;
    uint16 internal constant ABROAD = 40;

    bytes32 internal constant PASSPORT = keccak256("passport");
    bytes32 internal constant OTHER_PASSPORT = keccak256("other passport");
    bytes32 internal constant GRANT = keccak256("grant");
    bytes32 internal constant OTHER_GRANT = keccak256("other grant");
    bytes32 internal constant TRANSFER = keccak256("transfer");
    bytes32 internal constant COMMITMENT = keccak256("commitment");
    bytes32 internal constant CONTENT = keccak256("content");
    bytes32 internal constant TOOL = keccak256("tool");
    address internal constant STRANGER = address(0xBAD);

    uint256 internal constant HOLDER_KEY = 0xA11CE;
    uint256 internal constant OTHER_HOLDER_KEY = 0xB0B;
    uint256 internal constant STRANGER_KEY = 0xBAD;
    uint256 internal constant SECP256K1_N =
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    uint16 internal constant BANNED = uint16(0xF000);
    uint16 internal constant LAWFUL_PURPOSES = uint16(0x0FFF);
    uint16 internal constant ASKED = Codes.DIAGNOSIS | Codes.LABORATORY;

    ILedger internal ledger;

    /* WORLD */

    function _deploy() internal {
        vm.warp(START);
        ledger = _create(_admission(COMMITTEE, Codes.ROLE_COMMITTEE));
        _admit(HOSPITAL, Codes.ROLE_CUSTODIAN);
        _admit(LAB, Codes.ROLE_PROCESSOR);
        _admit(CLINIC, Codes.ROLE_CUSTODIAN);
        _admit(ETHICS, Codes.ROLE_ETHICS);
        _admit(COMPLIANCE, Codes.ROLE_COMPLIANCE);
        _admit(REGULATOR, Codes.ROLE_REGULATOR);
        _admit(VERIFIER, Codes.ROLE_VERIFIER);
        _admit(RESCUE, Codes.ROLE_EMERGENCY);
        _admit(ALLIANCE, Codes.ROLE_ALLIANCE);
    }

    /// @dev The bytecode that the build wrote, with what its constructors take.
    function _create(IMembers.Admission memory founder) internal returns (ILedger) {
        return _create(_createOffice(), founder);
    }

    function _createOffice() internal returns (address) {
        address exchange = _create(vm.getCode("ExchangeOffice"));
        address lineage = _create(bytes.concat(vm.getCode("LineageOffice"), abi.encode(exchange)));
        address records = _create(bytes.concat(vm.getCode("RecordsOffice"), abi.encode(lineage)));
        return _create(bytes.concat(vm.getCode("GovernanceOffice"), abi.encode(records)));
    }

    function _create(address office, IMembers.Admission memory founder) internal returns (ILedger) {
        bytes memory code = bytes.concat(
            vm.getCode("PassportLedger"),
            abi.encode(office, founder, COMMITMENT)
        );
        return ILedger(_create(code));
    }

    function _create(bytes memory code) internal returns (address created) {
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
            if iszero(created) {
                returndatacopy(code, 0, returndatasize())
                revert(code, returndatasize())
            }
        }
    }

    /* MEMBERS */

    /// @dev The account of the member with this number.
    function _signer(uint32 memberId) internal pure returns (address) {
        return address(uint160(0x10000) + memberId);
    }

    function _as(uint32 memberId) internal {
        vm.prank(_signer(memberId));
    }

    /// @dev The ledger calls itself: what it does when an act is done. Committee.t.sol is about how that comes.
    function _asCommittee() internal {
        vm.prank(address(ledger));
    }

    function _admission(uint32 memberId, uint16 roles) internal pure returns (IMembers.Admission memory) {
        return
            IMembers.Admission({
                signer: _signer(memberId),
                roles: roles,
                purposes: type(uint16).max,
                jurisdiction: CHINA,
                validTo: MEMBERSHIP_END,
                kind: _kindOf(memberId),
                signingKey: bytes32(uint256(0x51600) + memberId),
                sealingKey: bytes32(uint256(0x5EA00) + memberId),
                name: "Institution"
            });
    }

    function _kindOf(uint32 memberId) internal pure returns (IMembers.MemberKind) {
        if (memberId == HOSPITAL || memberId == CLINIC) return IMembers.MemberKind.HOSPITAL;
        if (memberId == LAB) return IMembers.MemberKind.RESEARCH;
        return IMembers.MemberKind.AUTHORITY;
    }

    function _admit(uint32 memberId, uint16 roles) internal {
        _admit(_admission(memberId, roles));
    }

    function _admit(IMembers.Admission memory admission) internal returns (uint32) {
        _asCommittee();
        return ledger.admit(admission);
    }

    function _suspend(uint32 memberId) internal {
        _asCommittee();
        ledger.suspend(memberId, COMMITMENT);
    }

    function _reinstate(uint32 memberId) internal {
        _asCommittee();
        ledger.reinstate(memberId);
    }

    function _expel(uint32 memberId) internal {
        _asCommittee();
        ledger.expel(memberId, COMMITMENT);
    }

    function _changeControl(uint32 memberId) internal {
        _asCommittee();
        ledger.changeControl(memberId, COMMITMENT);
    }

    /// @dev The controller lets the processor act for it, for AI training.
    function _entrust(uint32 controller, uint32 processor, uint32 validTo) internal {
        _as(controller);
        ledger.entrust(processor, _bit(Codes.AI_TRAINING), validTo, COMMITMENT);
    }

    function _setCap(uint32 memberId, uint8 purpose, uint16 cap) internal {
        _asCommittee();
        ledger.setCaps(memberId, uint256(cap) << (16 * uint256(purpose)));
    }

    /* PASSPORTS */

    function _issueOf(bytes32 passportId, address holder) internal pure returns (IPassports.Issue memory) {
        return _issueOf(passportId, abi.encodePacked(holder));
    }

    function _issueOf(
        bytes32 passportId,
        bytes memory holder
    ) internal pure returns (IPassports.Issue memory) {
        return
            IPassports.Issue({
                passportId: passportId,
                holder: holder,
                custody: IPassports.Custody.SELF,
                purposes: LAWFUL_PURPOSES,
                level: Codes.IDENTIFIED,
                lock: 0,
                content: CONTENT
            });
    }

    function _one(IPassports.Issue memory given) internal pure returns (IPassports.Issue[] memory issues) {
        issues = new IPassports.Issue[](1);
        issues[0] = given;
    }

    function _issue(uint32 custodian, IPassports.Issue memory given) internal {
        _as(custodian);
        ledger.issue(_one(given));
    }

    function _seal(bytes32 passportId) internal {
        _asCommittee();
        ledger.seal(passportId, COMMITMENT);
    }

    function _destroy(uint32 custodian, bytes32 passportId) internal {
        _as(custodian);
        ledger.destroy(passportId, COMMITMENT);
    }

    /* CONSENTS */

    /// @dev Consent to AI training for the lab.
    function _grantOf(bytes32 grantId, bytes32 passportId) internal pure returns (IConsents.Grant memory) {
        return
            IConsents.Grant({
                grantId: grantId,
                passportId: passportId,
                recipient: LAB,
                recipientKinds: 0,
                purposes: _bit(Codes.AI_TRAINING),
                categories: ASKED,
                useFrom: START,
                useTo: GRANT_END,
                dataFrom: 0,
                dataTo: 0,
                maxUses: 0,
                level: Codes.IDENTIFIED,
                flags: 0,
                template: TEMPLATE,
                terms: COMMITMENT,
                supersedes: 0,
                deadline: START + 3650 * DAY
            });
    }

    function _one(IConsents.Grant memory given) internal pure returns (IConsents.Grant[] memory grants) {
        grants = new IConsents.Grant[](1);
        grants[0] = given;
    }

    /// @dev The holder's own signature.
    function _own(bytes memory signature) internal pure returns (IConsents.Proof memory) {
        return IConsents.Proof({signer: "", signature: signature});
    }

    /// @dev The signature of a delegate that is an account.
    function _delegates(uint256 key, bytes32 structHash) internal view returns (IConsents.Proof memory) {
        return
            IConsents.Proof({
                signer: abi.encodePacked(vm.addr(key)),
                signature: _signedHash(key, structHash)
            });
    }

    function _one(IConsents.Proof memory proof) internal pure returns (IConsents.Proof[] memory proofs) {
        proofs = new IConsents.Proof[](1);
        proofs[0] = proof;
    }

    function _one(bytes memory signature) internal pure returns (IConsents.Proof[] memory) {
        return _one(_own(signature));
    }

    /// @dev What should be stored of a grant that was just given.
    function _stateOf(
        IConsents.Grant memory given,
        uint16 control,
        IConsents.Assurance assurance
    ) internal pure returns (IConsents.GrantState memory state) {
        state.recipient = given.recipient;
        state.recipientKinds = given.recipientKinds;
        state.purposes = given.purposes;
        state.categories = given.categories;
        state.useFrom = given.useFrom;
        state.useTo = given.useTo;
        state.dataFrom = given.dataFrom;
        state.dataTo = given.dataTo;
        state.maxUses = given.maxUses;
        state.control = control;
        state.level = given.level;
        state.flags = given.flags;
        state.status = IConsents.GrantStatus.ACTIVE;
        state.assurance = assurance;
    }

    /// @dev Grant with a signature by HOLDER_KEY.
    function _give(IConsents.Grant memory given) internal {
        _give(given, _signed(HOLDER_KEY, given));
    }

    function _give(IConsents.Grant memory given, bytes memory signature) internal {
        ledger.grant(_one(given), _one(signature));
    }

    function _revoke(bytes32 passportId, bytes32 grantId) internal {
        ledger.revoke(passportId, grantId, _own(_signedRevocation(HOLDER_KEY, passportId, grantId)));
    }

    function _domainSeparator(uint256 chainId, address ledger_) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    keccak256(
                        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                    ),
                    keccak256("PassportLedger"),
                    keccak256("1"),
                    chainId,
                    ledger_
                )
            );
    }

    function _digest(bytes32 structHash) internal view returns (bytes32) {
        return _digest(_domainSeparator(block.chainid, address(ledger)), structHash);
    }

    function _digest(bytes32 domainSeparator, bytes32 structHash) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domainSeparator, structHash));
    }

    function _grantHash(IConsents.Grant memory g) internal pure returns (bytes32) {
        bytes memory start = abi.encode(
            keccak256(
                "Grant(bytes32 grantId,bytes32 passportId,uint32 recipient,uint16 recipientKinds,uint16 purposes,uint16 categories,uint32 useFrom,uint32 useTo,uint16 dataFrom,uint16 dataTo,uint16 maxUses,uint8 level,uint8 flags,uint32 template,bytes32 terms,bytes32 supersedes,uint32 deadline)"
            ),
            g.grantId,
            g.passportId,
            g.recipient,
            g.recipientKinds,
            g.purposes
        );
        bytes memory middle = abi.encode(g.categories, g.useFrom, g.useTo, g.dataFrom, g.dataTo, g.maxUses);
        bytes memory end = abi.encode(g.level, g.flags, g.template, g.terms, g.supersedes, g.deadline);
        return keccak256(bytes.concat(start, middle, end));
    }

    function _revocationHash(bytes32 passportId, bytes32 grantId) internal pure returns (bytes32) {
        return _pairHash("Revocation(bytes32 passportId,bytes32 grantId)", passportId, grantId);
    }

    function _refusalHash(bytes32 passportId, bytes32 grantId) internal pure returns (bytes32) {
        return _pairHash("Refusal(bytes32 passportId,bytes32 grantId)", passportId, grantId);
    }

    function _repudiationHash(bytes32 passportId, bytes32 grantId) internal pure returns (bytes32) {
        return _pairHash("Repudiation(bytes32 passportId,bytes32 grantId)", passportId, grantId);
    }

    function _pairHash(
        string memory type_,
        bytes32 passportId,
        bytes32 grantId
    ) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(bytes(type_)), passportId, grantId));
    }

    function _confirmationHash(
        bytes32 passportId,
        bytes32 grantId,
        uint16 control
    ) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    keccak256("Confirmation(bytes32 passportId,bytes32 grantId,uint16 control)"),
                    passportId,
                    grantId,
                    control
                )
            );
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev A signature for this ledger on this chain.
    function _signedHash(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        return _sign(key, _digest(structHash));
    }

    function _signed(uint256 key, IConsents.Grant memory given) internal view returns (bytes memory) {
        return _sign(key, _digest(_grantHash(given)));
    }

    function _signedRevocation(
        uint256 key,
        bytes32 passportId,
        bytes32 grantId
    ) internal view returns (bytes memory) {
        return _sign(key, _digest(_revocationHash(passportId, grantId)));
    }

    /* HOLDERS */

    /// @dev What the holder as it is now signs to hand over to another key.
    function _rotationHash(
        bytes32 passportId,
        bytes memory newHolder,
        IPassports.Custody custody
    ) internal view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    keccak256("Rotation(bytes32 passportId,bytes holder,uint8 custody,uint16 epoch)"),
                    passportId,
                    keccak256(newHolder),
                    custody,
                    _epochOf(passportId)
                )
            );
    }

    function _guardiansHash(bytes32 passportId, bytes32 guardians) internal view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    keccak256("Guardians(bytes32 passportId,bytes32 guardians,uint16 epoch,uint32 nonce)"),
                    passportId,
                    guardians,
                    _epochOf(passportId),
                    ledger.nonceOf(passportId)
                )
            );
    }

    function _recoveryHash(bytes32 passportId, bytes memory newHolder) internal view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    keccak256("Recovery(bytes32 passportId,bytes holder,uint16 epoch,uint32 nonce)"),
                    passportId,
                    keccak256(newHolder),
                    _epochOf(passportId),
                    ledger.nonceOf(passportId)
                )
            );
    }

    function _objectionHash(bytes32 passportId, uint32 readyAt) internal view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    keccak256("Objection(bytes32 passportId,uint32 readyAt,uint16 epoch)"),
                    passportId,
                    readyAt,
                    _epochOf(passportId)
                )
            );
    }

    function _delegationHash(
        bytes32 passportId,
        bytes memory delegate,
        uint32 validTo
    ) internal view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    keccak256(
                        "Delegation(bytes32 passportId,bytes delegate,uint32 validTo,uint16 epoch,uint32 nonce)"
                    ),
                    passportId,
                    keccak256(delegate),
                    validTo,
                    _epochOf(passportId),
                    ledger.nonceOf(passportId)
                )
            );
    }

    function _epochOf(bytes32 passportId) private view returns (uint16) {
        return ledger.passportOf(passportId).epoch;
    }

    /* AGREEMENTS AND BORDERS */

    /// @dev All that is lawful, for as long as memberships last.
    function _limitsFor(uint32 recipient) internal pure returns (IAgreements.Limits memory) {
        return
            IAgreements.Limits({
                recipient: recipient,
                purposes: LAWFUL_PURPOSES,
                categories: type(uint16).max,
                validTo: MEMBERSHIP_END,
                retentionSeconds: 365 * DAY,
                responseHours: 24,
                onward: false,
                linkage: false
            });
    }

    function _propose(uint32 provider, IAgreements.Limits memory limits) internal returns (uint32) {
        _as(provider);
        return ledger.proposeAgreement(limits, COMMITMENT);
    }

    /// @dev An agreement in force.
    function _agree(uint32 provider, IAgreements.Limits memory limits) internal returns (uint32 agreementId) {
        agreementId = _propose(provider, limits);
        _as(limits.recipient);
        ledger.signAgreement(agreementId, COMMITMENT);
    }

    /// @dev The regulator lets a member receive data from abroad.
    function _openBorder(uint32 memberId, uint32 validTo) internal {
        _as(REGULATOR);
        ledger.setBorderAccess(memberId, validTo);
    }

    /// @dev By assessment, for more persons than there are.
    function _clearanceOf(
        uint32 projectId,
        uint32 exporter,
        uint32 validTo
    ) internal pure returns (IBorders.Clearance memory) {
        return
            IBorders.Clearance({
                exporter: exporter,
                issuer: 0,
                agreement: 0,
                validFrom: START,
                validTo: validTo,
                maxPersons: type(uint32).max,
                persons: 0,
                path: IBorders.Path.ASSESSMENT,
                projectId: projectId
            });
    }

    /// @dev A regulator of the exporter's country lets its data go to a project abroad.
    function _clear(uint32 projectId, uint32 exporter, uint32 validTo) internal returns (uint32) {
        return _clear(REGULATOR, _clearanceOf(projectId, exporter, validTo));
    }

    function _clear(uint32 issuer, IBorders.Clearance memory clearance) internal returns (uint32) {
        _as(issuer);
        return ledger.clear(clearance, COMMITMENT);
    }

    /* PROJECTS AND ATTESTATIONS */

    function _projectDraft() internal pure returns (IProjects.Filing memory) {
        return
            IProjects.Filing({
                purposes: _bit(Codes.AI_TRAINING),
                categories: type(uint16).max,
                techniques: 1,
                highestClass: Codes.CORE_PRIVACY,
                validFrom: START,
                validTo: PROJECT_END,
                agreement: COMMITMENT
            });
    }

    function _file(uint32 memberId, IProjects.Filing memory filing) internal returns (uint32) {
        _as(memberId);
        return ledger.fileProject(filing, COMMITMENT);
    }

    /// @dev Both bodies approve.
    function _approve(uint32 projectId) internal {
        _reviewProject(ETHICS, projectId, IProjects.Approval.ETHICS, true);
        _reviewProject(COMPLIANCE, projectId, IProjects.Approval.COMPLIANCE, true);
    }

    function _reviewProject(
        uint32 memberId,
        uint32 projectId,
        IProjects.Approval approval,
        bool approved
    ) internal {
        _as(memberId);
        ledger.reviewProject(projectId, approval, approved, COMMITMENT);
    }

    function _attest(
        uint32 memberId,
        bytes32 subject,
        IAttestations.AttestationKind kind,
        uint32 validTo
    ) internal {
        _as(memberId);
        ledger.attest(subject, kind, validTo, COMMITMENT);
    }

    /* EMERGENCIES */

    function _open(uint32 memberId, bytes32 passportId) internal returns (uint32) {
        _as(memberId);
        return ledger.openEmergency(passportId, 1, 0, COMMITMENT);
    }

    function _reviewEmergency(uint32 memberId, uint32 emergencyId, bool justified) internal {
        _as(memberId);
        ledger.reviewEmergency(emergencyId, justified, COMMITMENT);
    }

    /// @dev Training and public health with what training asks for, for ten days from now on.
    function _declaration() internal view returns (IEmergencies.Declaration memory) {
        uint32 time = uint32(vm.getBlockTimestamp());
        return
            IEmergencies.Declaration({
                purposes: _bit(Codes.AI_TRAINING) | _bit(Codes.PUBLIC_HEALTH),
                categories: ASKED | Codes.VITALS | Codes.GENOMICS,
                from: time,
                until: time + 10 * DAY,
                maxRecords: 1000,
                jurisdiction: 0
            });
    }

    function _declare(IEmergencies.Declaration memory declaration) internal returns (uint32) {
        _asCommittee();
        return ledger.declareEmergency(declaration, COMMITMENT);
    }

    /* DATASETS AND LINEAGE */

    /// @dev For AI training, with what training asks for.
    function _plan() internal pure returns (IDatasets.Plan memory) {
        return
            IDatasets.Plan({
                purposes: _bit(Codes.AI_TRAINING),
                categories: ASKED,
                retainUntil: RETENTION_END,
                budget: 0
            });
    }

    function _declareDataset(uint32 owner, IDatasets.Plan memory plan) internal returns (uint32) {
        _as(owner);
        return ledger.declareDataset(plan, COMMITMENT);
    }

    function _sealDataset(uint32 memberId, uint32 datasetId) internal {
        _as(memberId);
        ledger.sealDataset(datasetId, COMMITMENT);
    }

    function _unsealDataset(uint32 memberId, uint32 datasetId) internal {
        _as(memberId);
        ledger.unsealDataset(datasetId);
    }

    function _excuse(uint32 memberId, uint32 datasetId) internal {
        _excuse(memberId, datasetId, uint32(ledger.withdrawalsOf(datasetId).length));
    }

    function _excuse(uint32 memberId, uint32 datasetId, uint32 withdrawals) internal {
        _as(memberId);
        ledger.excuseWithdrawals(datasetId, withdrawals, COMMITMENT);
    }

    /// @dev The lab takes what it may train on into a dataset.
    function _inclusionTerms(uint32 datasetId) internal pure returns (Terms) {
        return _inclusionTerms(datasetId, PROJECT);
    }

    function _inclusionTerms(uint32 datasetId, uint32 projectId) internal pure returns (Terms) {
        return
            TermsLib
                .pack(Codes.AI_TRAINING, Codes.CONSENT, Codes.INCLUDE, ASKED, projectId)
                .atLevel(Codes.PSEUDONYMISED)
                .into(datasetId);
    }

    /// @dev A version for tests to name.
    function _versionId(uint256 number) internal pure returns (bytes32) {
        return keccak256(abi.encode("version", number));
    }

    function _stepOf(ILineage.StepKind kind) internal pure returns (ILineage.Step memory step) {
        step.kind = kind;
        step.tool = TOOL;
        step.parameters = COMMITMENT;
    }

    /// @dev A collection of a dataset as it is now.
    function _collection(uint32 datasetId, bytes32 made) internal pure returns (ILineage.Step memory step) {
        step = _stepOf(ILineage.StepKind.COLLECT);
        step.datasetId = datasetId;
        step.outputs = _list(made);
    }

    /// @dev The destruction of a dataset.
    function _destruction(uint32 datasetId) internal pure returns (ILineage.Step memory step) {
        step = _stepOf(ILineage.StepKind.DESTROY);
        step.datasetId = datasetId;
    }

    /// @dev Records a step; returns what it lacks.
    function _record(uint32 memberId, ILineage.Step memory step) internal returns (uint32 missing) {
        _as(memberId);
        (, missing) = ledger.recordStep(step);
    }

    /// @dev What a member signs that takes part in a step.
    function _partHash(
        uint32 recorder,
        ILineage.Part memory part,
        ILineage.Step memory step
    ) internal pure returns (bytes32) {
        string memory stepType =
            "Step(uint8 kind,uint32 datasetId,uint32 projectId,uint16 purposes,uint64 epsilon,bytes32[] inputs,bytes32[] outputs,bytes32 tool,bytes32 parameters)";
        bytes memory first = abi.encode(
            keccak256(bytes(stepType)),
            step.kind,
            step.datasetId,
            step.projectId,
            step.purposes
        );
        bytes memory second = abi.encode(
            step.epsilon,
            keccak256(abi.encodePacked(step.inputs)),
            keccak256(abi.encodePacked(step.outputs)),
            step.tool,
            step.parameters
        );
        string memory partType = "Part(uint32 recorder,uint32 memberId,bytes32 contribution,Step step)";
        return
            keccak256(
                abi.encode(
                    keccak256(abi.encodePacked(partType, stepType)),
                    recorder,
                    part.memberId,
                    part.contribution,
                    keccak256(bytes.concat(first, second))
                )
            );
    }

    /// @dev A part in a step that a member signs with this key for a recorder.
    function _part(
        uint256 key,
        uint32 recorder,
        uint32 memberId,
        ILineage.Step memory step
    ) internal view returns (ILineage.Part memory part) {
        part.memberId = memberId;
        part.contribution = keccak256(abi.encode("contribution", memberId));
        part.signature = _signedHash(key, _partHash(recorder, part, step));
    }

    function _list(bytes32 one) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = one;
    }

    function _list(bytes32 one, bytes32 two) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](2);
        (list[0], list[1]) = (one, two);
    }

    function _list(bytes32 one, bytes32 two, bytes32 three) internal pure returns (bytes32[] memory list) {
        list = new bytes32[](3);
        (list[0], list[1], list[2]) = (one, two, three);
    }

    /* POLICY */

    /// @dev Put one entry into the law.
    function _require(uint8 dataClass, uint8 purpose, uint8 basis, uint32 required) internal {
        IPolicy.Table memory law = ledger.policy();
        uint256 index = (uint256(dataClass) - 1) * 16 + purpose;
        uint256 shift = 32 * uint256(basis);
        law.required[index] &= ~(uint256(type(uint32).max) << shift);
        law.required[index] |= uint256(required) << shift;
        _asCommittee();
        ledger.setPolicy(law);
    }

    /// @dev What the law in force requires.
    function _requiredFor(uint8 dataClass, uint8 purpose, uint8 basis) internal view returns (uint32) {
        uint256 word = ledger.policy().required[(uint256(dataClass) - 1) * 16 + purpose];
        return uint32(word >> (32 * uint256(basis)));
    }

    /* DECISIONS */

    /// @dev Sensitive data for AI training by consent, pseudonymised.
    function _trainingTerms() internal pure returns (Terms) {
        return _trainingTerms(PROJECT);
    }

    function _trainingTerms(uint32 projectId) internal pure returns (Terms) {
        return
            TermsLib.pack(Codes.AI_TRAINING, Codes.CONSENT, Codes.READ, ASKED, projectId).atLevel(
                Codes.PSEUDONYMISED
            );
    }

    function _transferTerms() internal pure returns (Terms) {
        return
            TermsLib.pack(Codes.AI_TRAINING, Codes.CONSENT, Codes.TRANSFER, ASKED, PROJECT).atLevel(
                Codes.PSEUDONYMISED
            );
    }

    function _request(
        bytes32 passportId,
        bytes32 grantId,
        Terms terms
    ) internal pure returns (IDecisions.Request memory) {
        return
            IDecisions.Request({
                passportId: passportId,
                grantId: grantId,
                commitment: COMMITMENT,
                terms: terms
            });
    }

    /// @dev Each request as a batch of its own.
    function _each(
        IDecisions.Request[] memory requests
    ) internal pure returns (IDecisions.Batch[] memory batches) {
        batches = new IDecisions.Batch[](requests.length);
        for (uint256 index = 0; index < requests.length; ++index) {
            batches[index] = _one(requests[index])[0];
        }
    }

    function _one(
        IDecisions.Request memory request
    ) internal pure returns (IDecisions.Batch[] memory batches) {
        batches = new IDecisions.Batch[](1);
        batches[0].terms = request.terms;
        batches[0].commitment = request.commitment;
        batches[0].targets = new IDecisions.Target[](1);
        batches[0].targets[0] = IDecisions.Target(request.passportId, request.grantId);
    }

    function _decide(uint32 memberId, IDecisions.Request memory request) internal returns (Verdict verdict) {
        _as(memberId);
        Verdict[] memory verdicts = ledger.decide(_one(request));
        if (verdicts.length == 1) return verdicts[0]; // after an expected revert there are none
    }

    /// @dev The lab asks for the data of PASSPORT under GRANT.
    function _decide(Terms terms) internal returns (Verdict) {
        return _decide(LAB, _request(PASSPORT, GRANT, terms));
    }

    /// @dev The lab asks to have the data of PASSPORT sent to it.
    function _askTransfer() internal returns (Verdict) {
        return _decide(_transferTerms());
    }

    /// @dev The word that a decision should be packed into, after the comment of `Verdict`.
    function _packed(
        uint40 seq,
        uint32 version,
        uint8 dataClass,
        uint8 outcome,
        uint32 facts,
        uint32 missing
    ) internal pure returns (Verdict) {
        bytes memory word = abi.encodePacked(bytes13(0), missing, facts, outcome, dataClass, version, seq);
        return Verdict.wrap(uint256(bytes32(word)));
    }

    /// @dev One step of the fold that `head` is, after the comment of `IDecisions.head`.
    function _fold(
        bytes32 head,
        uint32 memberId,
        IDecisions.Request memory request,
        Verdict verdict
    ) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    head,
                    request.passportId,
                    request.grantId,
                    memberId,
                    request.terms,
                    verdict,
                    request.commitment
                )
            );
    }

    /* SMALL THINGS */

    function _bit(uint8 purpose) internal pure returns (uint16) {
        return uint16(1 << purpose);
    }

    function _expectRevert(bytes4 selector) internal {
        vm.expectRevert(abi.encodePacked(selector));
    }

    function _expectRevert(bytes4 selector, bytes32 a) internal {
        vm.expectRevert(abi.encodePacked(selector, a));
    }

    function _expectRevert(bytes4 selector, uint256 a) internal {
        vm.expectRevert(abi.encodePacked(selector, a));
    }

    function _expectRevert(bytes4 selector, address a) internal {
        vm.expectRevert(abi.encodeWithSelector(selector, a));
    }

    function _expectRevert(bytes4 selector, uint256 a, uint256 b) internal {
        vm.expectRevert(abi.encodePacked(selector, a, b));
    }

    function _expectRevert(bytes4 selector, bytes32 a, uint256 b) internal {
        vm.expectRevert(abi.encodePacked(selector, a, b));
    }

    function _expectRevert(bytes4 selector, bytes32 a, IPassports.PassportStatus status) internal {
        vm.expectRevert(abi.encodePacked(selector, a, uint256(status)));
    }

    function _expectRevert(bytes4 selector, bytes32 a, IConsents.GrantStatus status) internal {
        vm.expectRevert(abi.encodePacked(selector, a, uint256(status)));
    }

    function _expectRevert(bytes4 selector, uint256 a, IDatasets.DatasetStatus status) internal {
        vm.expectRevert(abi.encodePacked(selector, a, uint256(status)));
    }

    function _expectRevert(bytes4 selector, ILineage.StepKind kind) internal {
        vm.expectRevert(abi.encodePacked(selector, uint256(kind)));
    }

    function _expectRevert(bytes4 selector, bytes32 a, uint256 b, uint256 c) internal {
        vm.expectRevert(abi.encodePacked(selector, a, b, c));
    }

    /// @dev The caller is not the committee itself.
    function _expectOnly(uint32 memberId) internal {
        _expectRevert(ICommittee.Committee_Only.selector, _signer(memberId));
    }
}

/// @notice A ledger with ten members, two passports, one project and one grant, and a way to say what changed.
abstract contract LedgerTest is Base {
    // Parts of the ledger's state.
    uint256 internal constant NOTHING = 0;
    uint256 internal constant MEMBERS = 1 << 0;
    uint256 internal constant POLICY = 1 << 1;
    uint256 internal constant PASSPORTS = 1 << 2;
    uint256 internal constant GRANTS = 1 << 3;
    uint256 internal constant PROJECTS = 1 << 4;
    uint256 internal constant HEAD = 1 << 5;
    uint256 internal constant TRANSFERS = 1 << 6;
    uint256 internal constant COMMITTEE_ACTS = 1 << 7;
    uint256 internal constant EMERGENCIES = 1 << 8;
    uint256 internal constant HOLDERS = 1 << 9;
    uint256 internal constant TEMPLATES = 1 << 10;
    uint256 internal constant ATTESTATIONS = 1 << 11;
    uint256 internal constant CAPS = 1 << 12;
    uint256 internal constant ENTRUSTMENTS = 1 << 13;
    uint256 internal constant DATASETS = 1 << 14; // and what the grants remember of them
    uint256 internal constant LINEAGE = 1 << 15;
    uint256 internal constant PARTS = 16;

    uint256 internal constant DELEGATE_KEY = 0xDE1E;

    address internal holder = vm.addr(HOLDER_KEY);
    address internal otherHolder = vm.addr(OTHER_HOLDER_KEY);
    bytes internal delegate = abi.encodePacked(vm.addr(DELEGATE_KEY));

    function setUp() public virtual {
        _deploy();
        _issue(HOSPITAL, _issueOf(PASSPORT, holder));
        _issue(CLINIC, _issueOf(OTHER_PASSPORT, otherHolder));
        _file(LAB, _projectDraft());
        _approve(PROJECT);
        _give(_grantOf(GRANT, PASSPORT));
    }

    /// @dev Asserts that the test changes these parts of the ledger's state and no other: effect and no side effect.
    modifier onlyChanges(uint256 parts) {
        bytes32[PARTS] memory before = _fingerprint();
        _;
        _assertOnlyChanged(before, parts);
    }

    function _assertOnlyChanged(bytes32[PARTS] memory before, uint256 parts) internal view {
        bytes32[PARTS] memory current = _fingerprint();
        uint256 changed;
        for (uint256 part = 0; part < PARTS; ++part) {
            if (before[part] != current[part]) changed |= 1 << part;
        }
        vm.assertEq(parts, changed, "the parts of the state that changed");
    }

    function _fingerprint() internal view returns (bytes32[PARTS] memory prints) {
        prints[0] = _membersPrint();
        prints[1] = keccak256(abi.encode(ledger.policyVersion(), ledger.policy()));
        prints[2] = keccak256(abi.encode(_passport(PASSPORT), _passport(OTHER_PASSPORT)));
        prints[3] = keccak256(
            abi.encode(
                ledger.grantOf(PASSPORT, GRANT),
                ledger.grantOf(PASSPORT, OTHER_GRANT),
                ledger.grantOf(OTHER_PASSPORT, GRANT),
                ledger.grantOf(OTHER_PASSPORT, OTHER_GRANT)
            )
        );
        prints[4] = _projectsPrint();
        prints[5] = ledger.head();
        prints[6] = _transfersPrint();
        prints[7] = _committeePrint();
        prints[8] = _emergenciesPrint();
        prints[9] = _holdersPrint();
        prints[10] = _templatesPrint();
        prints[11] = _attestationsPrint();
        prints[12] = _capsPrint();
        prints[13] = _entrustmentsPrint();
        prints[14] = _datasetsPrint();
        prints[15] = _lineagePrint();
    }

    function _membersPrint() private view returns (bytes32 print) {
        uint32 count = ledger.memberCount();
        for (uint32 memberId = 0; memberId <= count + 1; ++memberId) {
            IMembers.Member memory member = ledger.memberOf(memberId);
            print = keccak256(abi.encode(print, count, member, ledger.memberIdOf(member.signer)));
        }
    }

    function _projectsPrint() private view returns (bytes32 print) {
        uint32 count = ledger.projectCount();
        for (uint32 projectId = 0; projectId <= count + 1; ++projectId) {
            print = keccak256(abi.encode(print, count, ledger.projectOf(projectId)));
        }
    }

    function _transfersPrint() private view returns (bytes32 print) {
        print = keccak256(abi.encode(ledger.transferOf(0), ledger.transferOf(TRANSFER)));
        for (uint40 seq = 0; seq < 4; ++seq) {
            print = keccak256(
                abi.encode(
                    print,
                    ledger.transferPermit(PASSPORT, seq),
                    ledger.transferPermit(OTHER_PASSPORT, seq)
                )
            );
        }
    }

    function _committeePrint() private view returns (bytes32 print) {
        (uint32[] memory memberIds, ICommittee.SeatKind[] memory kinds) = ledger.seats();
        uint32 count = ledger.actCount();
        print = keccak256(abi.encode(memberIds, kinds, count));
        for (uint8 kind = 0; kind <= uint8(type(ICommittee.ActKind).max); ++kind) {
            print = keccak256(abi.encode(print, ledger.ruleOf(ICommittee.ActKind(kind))));
        }
        for (uint32 actId = 0; actId <= count + 1; ++actId) {
            print = keccak256(abi.encode(print, ledger.actOf(actId)));
        }
    }

    function _emergenciesPrint() private view returns (bytes32 print) {
        uint32 count = ledger.emergencyCount();
        for (uint32 emergencyId = 0; emergencyId <= count + 1; ++emergencyId) {
            print = keccak256(abi.encode(print, count, ledger.emergencyOf(emergencyId)));
        }
        for (uint32 memberId = 1; memberId <= FOUNDED; ++memberId) {
            print = keccak256(abi.encode(print, ledger.emergencyRightOf(memberId)));
        }
    }

    function _holdersPrint() private view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    ledger.nonceOf(PASSPORT),
                    ledger.nonceOf(OTHER_PASSPORT),
                    ledger.recoveryOf(PASSPORT),
                    ledger.recoveryOf(OTHER_PASSPORT),
                    ledger.delegateUntil(PASSPORT, delegate),
                    ledger.delegateUntil(OTHER_PASSPORT, delegate)
                )
            );
    }

    function _templatesPrint() private view returns (bytes32 print) {
        uint32 count = ledger.templateCount();
        for (uint32 template = 0; template <= count + 1; ++template) {
            print = keccak256(abi.encode(print, count, ledger.templateOf(template)));
        }
    }

    function _attestationsPrint() private view returns (bytes32 print) {
        bytes32[3] memory subjects = [PASSPORT, OTHER_PASSPORT, bytes32(uint256(PROJECT))];
        for (uint256 index = 0; index < subjects.length; ++index) {
            for (uint8 kind = 0; kind <= uint8(type(IAttestations.AttestationKind).max); ++kind) {
                IAttestations.Attestation memory attestation = ledger.attestationOf(
                    subjects[index],
                    IAttestations.AttestationKind(kind)
                );
                print = keccak256(abi.encode(print, attestation));
            }
        }
    }

    function _capsPrint() private view returns (bytes32 print) {
        for (uint32 memberId = 1; memberId <= CLINIC; ++memberId) {
            (uint256 caps, uint256 used) = ledger.capsOf(memberId, START / DAY);
            (, uint256 next) = ledger.capsOf(memberId, START / DAY + 1);
            print = keccak256(abi.encode(print, caps, used, next));
        }
    }

    function _entrustmentsPrint() private view returns (bytes32 print) {
        for (uint32 controller = HOSPITAL; controller <= CLINIC; ++controller) {
            for (uint32 processor = HOSPITAL; processor <= CLINIC; ++processor) {
                print = keccak256(abi.encode(print, ledger.entrustmentOf(controller, processor)));
            }
        }
    }

    function _datasetsPrint() private view returns (bytes32 print) {
        uint32 count = ledger.datasetCount();
        print = keccak256(abi.encode(count, ledger.inclusionsOf(GRANT), ledger.inclusionsOf(OTHER_GRANT)));
        for (uint32 datasetId = 0; datasetId <= count + 1; ++datasetId) {
            print = keccak256(
                abi.encode(print, ledger.datasetOf(datasetId), ledger.withdrawalsOf(datasetId))
            );
        }
    }

    function _lineagePrint() private view returns (bytes32 print) {
        print = bytes32(uint256(ledger.stepCount()));
        for (uint256 number = 0; number < 12; ++number) {
            bytes32 versionId = _versionId(number);
            ILineage.Version memory version = ledger.versionOf(versionId);
            print = keccak256(abi.encode(print, version, ledger.originsOf(versionId)));
            for (uint32 memberId = 1; memberId <= FOUNDED; ++memberId) {
                print = keccak256(abi.encode(print, ledger.shareOf(versionId, memberId)));
            }
        }
    }

    function _passport(bytes32 passportId) internal view returns (IPassports.Passport memory) {
        return ledger.passportOf(passportId);
    }

    function _assertStatus(IPassports.PassportStatus expected) internal view {
        vm.assertEq(uint256(expected), uint256(_passport(PASSPORT).status), "status of the passport");
    }
}

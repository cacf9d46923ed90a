// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IDecisions} from "../../contracts/interfaces/IDecisions.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IPolicy} from "../../contracts/interfaces/IPolicy.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {ITransfers} from "../../contracts/interfaces/ITransfers.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {Terms, TermsLib} from "../../contracts/libraries/Terms.sol";
import {Verdict} from "../../contracts/libraries/Verdict.sol";

/// @notice The ledger as its callers see it. The tests import no implementation: they run the bytecode that the build
/// wrote, and compile without it.
interface ILedger is IMembers, IPolicy, IPassports, IConsents, IProjects, IDecisions, ITransfers {
    error PassportLedger_FounderNotCommittee();
    error PassportLedger_CommitteeRequired();

    function acceptOwnership() external;
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
    function owner() external view returns (address);
    function pendingOwner() external view returns (address);
    function renounceOwnership() external;
    function transferOwnership(address newOwner) external;
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
    function warp(uint256 timestamp) external;
}

/// @notice Actors, builders and signatures. Everything here is internal: what extends it may be a fuzzing target.
/// @dev Hashes are written out again here instead of being imported from PassportHash, so that the tests have their
/// own opinion on what a holder signs.
abstract contract Base {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev The optimizer may move a read of block.timestamp across vm.warp: tests use these and vm.getBlockTimestamp().
    uint40 internal constant START = 1_800_000_000;
    uint40 internal constant DAY = 1 days;
    uint40 internal constant MEMBERSHIP_END = START + 3650 * DAY;
    uint40 internal constant PROJECT_END = START + 365 * DAY;
    uint40 internal constant GRANT_END = START + 100 * DAY;

    uint32 internal constant COMMITTEE = 1;
    uint32 internal constant HOSPITAL = 2; // custodian of PASSPORT
    uint32 internal constant LAB = 3; // recipient of GRANT, owner of PROJECT
    uint32 internal constant CLINIC = 4; // custodian of OTHER_PASSPORT
    uint32 internal constant NOBODY = 99;
    uint32 internal constant PROJECT = 1;

    bytes32 internal constant PASSPORT = keccak256("passport");
    bytes32 internal constant OTHER_PASSPORT = keccak256("other passport");
    bytes32 internal constant GRANT = keccak256("grant");
    bytes32 internal constant OTHER_GRANT = keccak256("other grant");
    bytes32 internal constant TRANSFER = keccak256("transfer");
    bytes32 internal constant COMMITMENT = keccak256("commitment");
    bytes32 internal constant CONTENT = keccak256("content");
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
    }

    /// @dev The bytecode that the build wrote, with the founder as the constructor's argument.
    function _create(IMembers.Admission memory founder) internal returns (ILedger created) {
        bytes memory code = bytes.concat(vm.getCode("PassportLedger"), abi.encode(founder));
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
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

    function _admission(uint32 memberId, uint16 roles) internal pure returns (IMembers.Admission memory) {
        return
            IMembers.Admission({
                signer: _signer(memberId),
                roles: roles,
                purposes: type(uint16).max,
                jurisdiction: 156,
                validTo: MEMBERSHIP_END,
                signingKey: bytes32(uint256(0x51600) + memberId),
                sealingKey: bytes32(uint256(0x5EA00) + memberId),
                name: "Institution"
            });
    }

    function _admit(uint32 memberId, uint16 roles) internal {
        _admit(_admission(memberId, roles));
    }

    function _admit(IMembers.Admission memory admission) internal returns (uint32) {
        _as(COMMITTEE);
        return ledger.admit(admission);
    }

    function _suspend(uint32 memberId) internal {
        _as(COMMITTEE);
        ledger.suspend(memberId, COMMITMENT);
    }

    /* PASSPORTS */

    function _issueOf(bytes32 passportId, address holder) internal pure returns (IPassports.Issue memory) {
        return
            IPassports.Issue({
                passportId: passportId,
                holder: holder,
                custody: IPassports.Custody.SELF,
                purposes: LAWFUL_PURPOSES,
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
        _as(COMMITTEE);
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
                purposes: _bit(Codes.AI_TRAINING),
                categories: ASKED,
                useFrom: START,
                useTo: GRANT_END,
                maxUses: 0,
                flags: 0,
                terms: COMMITMENT,
                supersedes: 0,
                deadline: START + 3650 * DAY
            });
    }

    function _one(IConsents.Grant memory given) internal pure returns (IConsents.Grant[] memory grants) {
        grants = new IConsents.Grant[](1);
        grants[0] = given;
    }

    function _one(bytes memory signature) internal pure returns (bytes[] memory signatures) {
        signatures = new bytes[](1);
        signatures[0] = signature;
    }

    /// @dev Grant with a signature by HOLDER_KEY.
    function _give(IConsents.Grant memory given) internal {
        _give(given, _signed(HOLDER_KEY, given));
    }

    function _give(IConsents.Grant memory given, bytes memory signature) internal {
        ledger.grant(_one(given), _one(signature));
    }

    function _revoke(bytes32 passportId, bytes32 grantId) internal {
        ledger.revoke(passportId, grantId, _signedRevocation(HOLDER_KEY, passportId, grantId));
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
                "Grant(bytes32 grantId,bytes32 passportId,uint32 recipient,uint16 purposes,uint16 categories,uint40 useFrom,uint40 useTo,uint24 maxUses,uint8 flags,bytes32 terms,bytes32 supersedes,uint40 deadline)"
            ),
            g.grantId,
            g.passportId,
            g.recipient,
            g.purposes,
            g.categories
        );
        return
            keccak256(
                bytes.concat(
                    start,
                    abi.encode(g.useFrom, g.useTo, g.maxUses, g.flags, g.terms, g.supersedes, g.deadline)
                )
            );
    }

    function _revocationHash(bytes32 passportId, bytes32 grantId) internal pure returns (bytes32) {
        return
            keccak256(
                abi.encode(keccak256("Revocation(bytes32 passportId,bytes32 grantId)"), passportId, grantId)
            );
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
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

    /* PROJECTS */

    function _projectDraft() internal pure returns (IProjects.Project memory) {
        return
            IProjects.Project({
                memberId: 0,
                purposes: _bit(Codes.AI_TRAINING),
                categories: type(uint16).max,
                techniques: 1,
                highestClass: Codes.CORE_PRIVACY,
                withdrawn: false,
                validFrom: START,
                validTo: PROJECT_END,
                agreement: COMMITMENT
            });
    }

    function _file(uint32 memberId, IProjects.Project memory project) internal returns (uint32) {
        _as(memberId);
        return ledger.fileProject(project, COMMITMENT);
    }

    /* DECISIONS */

    /// @dev Sensitive data for AI training by consent.
    function _trainingTerms() internal pure returns (Terms) {
        return TermsLib.pack(Codes.AI_TRAINING, Codes.CONSENT, Codes.READ, ASKED, PROJECT);
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

    function _one(
        IDecisions.Request memory request
    ) internal pure returns (IDecisions.Request[] memory requests) {
        requests = new IDecisions.Request[](1);
        requests[0] = request;
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
        return _decide(TermsLib.pack(Codes.AI_TRAINING, Codes.CONSENT, Codes.TRANSFER, ASKED, PROJECT));
    }

    /// @dev The word that a decision should be packed into, after the comment of `Verdict`.
    function _packed(
        uint40 seq,
        uint32 version,
        Terms terms,
        uint8 dataClass,
        uint8 outcome,
        uint32 facts,
        uint32 missing
    ) internal pure returns (Verdict) {
        bytes memory high = abi.encodePacked(
            uint32(0),
            missing,
            facts,
            outcome,
            dataClass,
            terms.operation()
        );
        return
            Verdict.wrap(
                uint256(
                    bytes32(
                        abi.encodePacked(
                            high,
                            terms.basis(),
                            terms.purpose(),
                            terms.categories(),
                            terms.project(),
                            version,
                            seq
                        )
                    )
                )
            );
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
                abi.encode(head, request.passportId, request.grantId, memberId, verdict, request.commitment)
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
}

/// @notice A ledger with four members, two passports, one project and one grant, and a way to say what changed.
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
    uint256 internal constant OWNER = 1 << 7;
    uint256 internal constant PARTS = 8;

    address internal holder = vm.addr(HOLDER_KEY);
    address internal otherHolder = vm.addr(OTHER_HOLDER_KEY);

    function setUp() public virtual {
        _deploy();
        _issue(HOSPITAL, _issueOf(PASSPORT, holder));
        _issue(CLINIC, _issueOf(OTHER_PASSPORT, otherHolder));
        _file(LAB, _projectDraft());
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

    function _fingerprint() private view returns (bytes32[PARTS] memory prints) {
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
        prints[7] = keccak256(abi.encode(ledger.owner(), ledger.pendingOwner()));
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

    function _passport(bytes32 passportId) internal view returns (IPassports.Passport memory) {
        return ledger.passportOf(passportId);
    }

    function _assertStatus(IPassports.PassportStatus expected) internal view {
        vm.assertEq(uint256(expected), uint256(_passport(PASSPORT).status), "status of the passport");
    }
}

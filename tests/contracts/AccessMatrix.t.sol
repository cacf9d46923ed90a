// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";

import {IConsents} from "../../contracts/interfaces/IConsents.sol";
import {IMembers} from "../../contracts/interfaces/IMembers.sol";
import {IPassports} from "../../contracts/interfaces/IPassports.sol";
import {IProjects} from "../../contracts/interfaces/IProjects.sol";
import {ITransfers} from "../../contracts/interfaces/ITransfers.sol";
import {Codes} from "../../contracts/libraries/Codes.sol";
import {ILedger, LedgerTest} from "./Base.t.sol";

/// @notice Every function that changes state, tried by every role, in a world in which the call itself is in order.
/// @dev Above each row stands `// matrix: <name of the function>`: a test in Python compares these with the ABI.
contract AccessMatrixTest is LedgerTest {
    bytes4 private constant DONE = 0;
    bytes4 private constant NOT_OWNER = Ownable.OwnableUnauthorizedAccount.selector;
    bytes4 private constant NOT_MEMBER = IMembers.Members_NotMember.selector;
    bytes4 private constant NOT_ACTIVE = IMembers.Members_NotActive.selector;
    bytes4 private constant NO_ROLE = IMembers.Members_MissingRole.selector;
    bytes4 private constant NOT_CUSTODIAN = IPassports.Passports_NotCustodian.selector;
    bytes4 private constant NOT_PROJECT_OWNER = IProjects.Projects_NotOwner.selector;
    bytes4 private constant NOT_RECIPIENT = ITransfers.Transfers_NotRecipient.selector;
    bytes4 private constant NEVER = ILedger.PassportLedger_CommitteeRequired.selector;

    uint32 private constant AUDITOR = 5;
    uint32 private constant SUSPENDED_ALREADY = 6;
    uint32 private constant NEXT = 7;
    bytes32 private constant NEW = keccak256("new");
    bytes32 private constant SEALED_PASSPORT = keccak256("sealed passport");
    uint40 private constant UNUSED_PERMIT = 1;

    function setUp() public override {
        super.setUp();
        _admit(AUDITOR, Codes.ROLE_AUDITOR);
        _admit(SUSPENDED_ALREADY, Codes.ROLE_PROCESSOR);
        _suspend(SUSPENDED_ALREADY);
        _issue(HOSPITAL, _issueOf(SEALED_PASSPORT, holder));
        _seal(SEALED_PASSPORT);
        _askTransfer();
        _askTransfer();
        _as(HOSPITAL);
        ledger.ship(TRANSFER, PASSPORT, 0, CONTENT);
    }

    /// @dev What each role gets: DONE or the selector of an error. The last two are suspended before they try.
    struct Outcomes {
        bytes4 stranger;
        bytes4 committee; // owner of the ledger, and a member
        bytes4 auditor; // a member that owns nothing here
        bytes4 clinic; // custodian of another passport
        bytes4 hospital; // custodian of the passport
        bytes4 lab; // recipient, owner of the project
        bytes4 suspendedHospital;
        bytes4 suspendedLab;
    }

    function test_Matrix_Members() external {
        Outcomes memory ownerOnly = _all(NOT_OWNER);
        ownerOnly.committee = DONE;
        // matrix: admit
        _row(abi.encodeCall(ledger.admit, (_admission(NEXT, Codes.ROLE_AUDITOR))), ownerOnly);
        // matrix: suspend
        _row(abi.encodeCall(ledger.suspend, (AUDITOR, COMMITMENT)), ownerOnly);
        // matrix: reinstate
        _row(abi.encodeCall(ledger.reinstate, (SUSPENDED_ALREADY)), ownerOnly);
        // matrix: rotateKeys
        _row(abi.encodeCall(ledger.rotateKeys, (AUDITOR, _signer(NEXT), NEW, NEW)), ownerOnly);
    }

    function test_Matrix_Ownership() external {
        Outcomes memory expected = _all(NOT_OWNER);
        expected.committee = DONE;
        // matrix: transferOwnership
        _row(abi.encodeCall(ledger.transferOwnership, (_signer(AUDITOR))), expected);

        expected.committee = NEVER;
        // matrix: renounceOwnership
        _row(abi.encodeCall(ledger.renounceOwnership, ()), expected);

        _as(COMMITTEE);
        ledger.transferOwnership(_signer(AUDITOR));
        expected = _all(NOT_OWNER);
        expected.auditor = DONE; // the heir
        // matrix: acceptOwnership
        _row(abi.encodeCall(ledger.acceptOwnership, ()), expected);
    }

    function test_Matrix_Policy() external {
        Outcomes memory ownerOnly = _all(NOT_OWNER);
        ownerOnly.committee = DONE;
        // matrix: setPolicy
        _row(abi.encodeCall(ledger.setPolicy, (ledger.policy())), ownerOnly);
    }

    function test_Matrix_Passports() external {
        Outcomes memory expected = _all(NO_ROLE);
        expected.stranger = NOT_MEMBER;
        expected.clinic = expected.hospital = DONE;
        expected.suspendedHospital = expected.suspendedLab = NOT_ACTIVE;
        // matrix: issue
        _row(abi.encodeCall(ledger.issue, (_one(_issueOf(NEW, holder)))), expected);

        // matrix: commitContent
        _row(abi.encodeCall(ledger.commitContent, (PASSPORT, NEW)), _custodianOnly());
        // matrix: narrow
        _row(abi.encodeCall(ledger.narrow, (PASSPORT, 1)), _custodianOnly());
        // matrix: destroy
        _row(abi.encodeCall(ledger.destroy, (PASSPORT, COMMITMENT)), _custodianOnly());

        expected = _custodianOnly();
        expected.committee = DONE;
        // matrix: seal
        _row(abi.encodeCall(ledger.seal, (PASSPORT, COMMITMENT)), expected);

        expected = _all(NOT_OWNER);
        expected.committee = DONE;
        // matrix: unseal
        _row(abi.encodeCall(ledger.unseal, (SEALED_PASSPORT)), expected);
    }

    /// @dev The holder's signature counts, not who submits it.
    function test_Matrix_Consents() external {
        IConsents.Grant memory given = _grantOf(OTHER_GRANT, PASSPORT);
        // matrix: grant
        _row(abi.encodeCall(ledger.grant, (_one(given), _one(_signed(HOLDER_KEY, given)))), _all(DONE));
        // matrix: revoke
        _row(
            abi.encodeCall(ledger.revoke, (PASSPORT, GRANT, _signedRevocation(HOLDER_KEY, PASSPORT, GRANT))),
            _all(DONE)
        );
    }

    function test_Matrix_Projects() external {
        Outcomes memory expected = _all(DONE);
        expected.stranger = NOT_MEMBER;
        expected.suspendedHospital = expected.suspendedLab = NOT_ACTIVE;
        // matrix: fileProject
        _row(abi.encodeCall(ledger.fileProject, (_projectDraft(), COMMITMENT)), expected);

        expected = _all(NOT_PROJECT_OWNER);
        expected.stranger = NOT_MEMBER;
        expected.lab = expected.suspendedLab = DONE;
        // matrix: withdrawProject
        _row(abi.encodeCall(ledger.withdrawProject, (PROJECT)), expected);
    }

    function test_Matrix_Decisions() external {
        Outcomes memory expected = _all(DONE);
        expected.stranger = NOT_MEMBER;
        // matrix: decide
        _row(abi.encodeCall(ledger.decide, (_one(_request(PASSPORT, GRANT, _trainingTerms())))), expected);

        expected = _all(NOT_CUSTODIAN);
        expected.stranger = NOT_MEMBER;
        expected.hospital = expected.suspendedHospital = DONE;
        // matrix: recordRelease
        _row(abi.encodeCall(ledger.recordRelease, (PASSPORT, 0, COMMITMENT)), expected);
    }

    function test_Matrix_Transfers() external {
        // matrix: ship
        _row(abi.encodeCall(ledger.ship, (NEW, PASSPORT, UNUSED_PERMIT, CONTENT)), _custodianOnly());

        Outcomes memory expected = _all(NOT_RECIPIENT);
        expected.stranger = NOT_MEMBER;
        expected.lab = DONE;
        expected.suspendedHospital = expected.suspendedLab = NOT_ACTIVE;
        // matrix: receiveTransfer
        _row(abi.encodeCall(ledger.receiveTransfer, (TRANSFER, CONTENT)), expected);
    }

    /* HELPERS */

    function _custodianOnly() private pure returns (Outcomes memory expected) {
        expected = _all(NOT_CUSTODIAN);
        expected.stranger = NOT_MEMBER;
        expected.hospital = DONE;
        expected.suspendedHospital = expected.suspendedLab = NOT_ACTIVE;
    }

    function _all(bytes4 outcome) private pure returns (Outcomes memory) {
        return Outcomes(outcome, outcome, outcome, outcome, outcome, outcome, outcome, outcome);
    }

    function _row(bytes memory call_, Outcomes memory expected) private {
        _cell("stranger", STRANGER, call_, expected.stranger);
        _cell("committee", _signer(COMMITTEE), call_, expected.committee);
        _cell("auditor", _signer(AUDITOR), call_, expected.auditor);
        _cell("clinic", _signer(CLINIC), call_, expected.clinic);
        _cell("hospital", _signer(HOSPITAL), call_, expected.hospital);
        _cell("lab", _signer(LAB), call_, expected.lab);

        uint256 snapshot = vm.snapshotState();
        _suspend(HOSPITAL);
        _suspend(LAB);
        _cell("suspended hospital", _signer(HOSPITAL), call_, expected.suspendedHospital);
        _cell("suspended lab", _signer(LAB), call_, expected.suspendedLab);
        vm.revertToState(snapshot);
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

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IAttestations} from "../interfaces/IAttestations.sol";
import {ICommittee} from "../interfaces/ICommittee.sol";
import {IConsents} from "../interfaces/IConsents.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {IPassports} from "../interfaces/IPassports.sol";
import {Codes} from "../libraries/Codes.sol";
import {State} from "./State.sol";

/// @title Guards
/// @notice Who may do what: checks that several modules share.
abstract contract Guards is State {
    /// @dev Only the ledger itself, when it does what the committee decided.
    modifier onlyCommittee() {
        require(msg.sender == address(this), ICommittee.Committee_Only(msg.sender));
        _;
    }

    /// @dev The committee, or an active member with one of these roles; returns 0 for the committee.
    function _committeeOr(uint16 roles) internal view returns (uint32 memberId) {
        if (msg.sender == address(this)) return 0;
        return _callerWith(roles);
    }

    /// @dev The active member behind the caller, which has one of these roles.
    function _callerWith(uint16 roles) internal view returns (uint32 memberId) {
        memberId = _activeCallerId();
        require(_members[memberId].roles & roles != 0, IMembers.Members_MissingRole(memberId, roles));
    }

    /// @dev The member behind the caller, whatever its status.
    function _callerId() internal view returns (uint32 memberId) {
        memberId = _memberIds[msg.sender];
        require(memberId != 0, IMembers.Members_NotMember(msg.sender));
    }

    /// @dev The active member behind the caller.
    function _activeCallerId() internal view returns (uint32 memberId) {
        memberId = _callerId();
        require(_isActive(_members[memberId]), IMembers.Members_NotActive(memberId));
    }

    function _isActive(IMembers.Member storage member) internal view returns (bool) {
        return member.status == IMembers.MemberStatus.ACTIVE && block.timestamp < member.validTo;
    }

    function _knownMember(uint32 memberId) internal view returns (IMembers.Member storage member) {
        member = _members[memberId];
        require(member.status != IMembers.MemberStatus.NONE, IMembers.Members_Unknown(memberId));
    }

    function _knownPassport(bytes32 passportId) internal view returns (IPassports.Passport storage passport) {
        passport = _passports[passportId];
        require(passport.status != IPassports.PassportStatus.NONE, IPassports.Passports_Unknown(passportId));
    }

    /// @dev A passport kept by the active member behind the caller.
    function _ownPassport(bytes32 passportId) internal view returns (IPassports.Passport storage passport) {
        passport = _knownPassport(passportId);
        uint32 caller = _activeCallerId();
        require(passport.custodian == caller, IPassports.Passports_NotCustodian(passportId, caller));
    }

    function _requireOpen(bytes32 passportId, IPassports.Passport storage passport) internal view {
        IPassports.PassportStatus status = passport.status;
        require(
            status == IPassports.PassportStatus.OPEN,
            IPassports.Passports_WrongStatus(passportId, status)
        );
    }

    /// @dev Whether a controller's order to a processor covers a purpose and has not ended.
    function _isEntrusted(uint32 controller, uint32 processor, uint8 purpose) internal view returns (bool) {
        IMembers.Entrustment storage order = _entrustments[controller][processor];
        return _has(order.purposes, purpose) && block.timestamp < order.validTo;
    }

    /// @dev Whether a grant has not ended and is within its use period.
    function _isLive(IConsents.GrantState storage state) internal view returns (bool) {
        return
            state.status == IConsents.GrantStatus.ACTIVE &&
            block.timestamp >= state.useFrom &&
            block.timestamp < state.useTo;
    }

    /// @dev Who states something of a subject, in a statement that is in force; 0 if nobody.
    function _attestedBy(bytes32 subject, IAttestations.AttestationKind kind) internal view returns (uint32) {
        IAttestations.Attestation storage attestation = _attestations[subject][kind];
        return block.timestamp < attestation.validTo ? attestation.issuer : 0;
    }

    /// @dev Whether the subject's own key signed these words.
    function _requireHolder(bytes32 passportId, bytes32 structHash, bytes calldata signature) internal view {
        require(
            SignatureChecker.isValidSignatureNow(
                _passports[passportId].holder,
                _hashTypedDataV4(structHash),
                signature
            ),
            IConsents.Consents_InvalidSignature(passportId)
        );
    }

    function _delegateKey(uint16 epoch, bytes memory signer) internal pure returns (bytes32) {
        return keccak256(abi.encode(epoch, signer));
    }

    /// @dev Bit n for code n.
    function _has(uint256 set, uint8 code) internal pure returns (bool) {
        return (set >> code) & 1 != 0;
    }

    /// @dev Whether it can be a holder's key: an account, or a verifier that has code with a key after it. A precompile
    /// has none, and some of them answer whatever they are asked. Bounded, so that whoever indexes keys can.
    function _isKey(bytes memory key) internal view returns (bool) {
        if (key.length == 20) return true;
        return key.length > 20 && key.length <= 512 && address(bytes20(key)).code.length != 0;
    }

    function _isLevel(uint8 level) internal pure returns (bool) {
        return level < Codes.LEVELS;
    }
}

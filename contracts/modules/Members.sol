// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICommittee} from "../interfaces/ICommittee.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {Codes} from "../libraries/Codes.sol";
import {Guards} from "./Guards.sol";

/// @title Members
/// @notice The whitelist.
abstract contract Members is IMembers, Guards {
    /* COMMITTEE, ALLIANCE, REGULATORS */

    /// @inheritdoc IMembers
    function admit(Admission calldata admission) external returns (uint32 memberId) {
        uint16 reserved = admission.roles & Codes.COMMITTEE_ROLES;
        require(_committeeOr(Codes.ROLE_ALLIANCE) == 0 || reserved == 0, Members_RoleReserved(reserved));
        return _admit(admission);
    }

    /// @inheritdoc IMembers
    function suspend(uint32 memberId, bytes32 reasons) external {
        require(
            _committeeOr(Codes.ROLE_ALLIANCE | Codes.ROLE_REGULATOR) == 0 ||
                _seats[memberId].kind == ICommittee.SeatKind.NONE,
            Members_HoldsSeat(memberId)
        );
        _changeStatus(memberId, MemberStatus.SUSPENDED);
        emit MemberSuspended(memberId, reasons);
    }

    /// @inheritdoc IMembers
    function reinstate(uint32 memberId) external onlyCommittee {
        _changeStatus(memberId, MemberStatus.ACTIVE);
        emit MemberReinstated(memberId);
    }

    /// @inheritdoc IMembers
    function expel(uint32 memberId, bytes32 reasons) external onlyCommittee {
        _changeStatus(memberId, MemberStatus.EXPELLED);
        emit MemberExpelled(memberId, reasons);
    }

    /// @inheritdoc IMembers
    function rotateKeys(
        uint32 memberId,
        address signer,
        bytes32 signingKey,
        bytes32 sealingKey
    ) external onlyCommittee {
        Member storage member = _knownMember(memberId);
        require(signer != address(0) && signingKey != 0 && sealingKey != 0, Members_Incomplete());
        delete _memberIds[member.signer];
        _claimKeys(memberId, signer, signingKey);
        member.signer = signer;
        member.signingKey = signingKey;
        member.sealingKey = sealingKey;
        emit MemberKeysRotated(memberId, signer, signingKey, sealingKey);
    }

    /// @inheritdoc IMembers
    function license(uint32 memberId, uint16 purposes, uint32 validTo) external onlyCommittee {
        Member storage member = _knownMember(memberId);
        require(member.status != MemberStatus.EXPELLED, Members_AlreadySet(memberId));
        member.purposes = purposes;
        member.validTo = validTo;
        emit MemberLicensed(memberId, purposes, validTo);
    }

    /// @inheritdoc IMembers
    function changeControl(uint32 memberId, bytes32 reasons) external {
        _committeeOr(Codes.ROLE_ALLIANCE);
        uint16 control = ++_knownMember(memberId).control;
        emit MemberControlChanged(memberId, control, reasons);
    }

    /// @inheritdoc IMembers
    function setCaps(uint32 memberId, uint256 caps) external onlyCommittee {
        _knownMember(memberId);
        _caps[memberId] = caps;
        emit MemberCapsSet(memberId, caps);
    }

    /* MEMBERS */

    /// @inheritdoc IMembers
    function entrust(uint32 processor, uint16 purposes, uint32 validTo, bytes32 agreement) external {
        uint32 controller = _activeCallerId();
        _knownMember(processor);
        require(processor != controller, Members_SelfEntrustment(processor));
        _entrustments[controller][processor] = Entrustment(purposes, validTo);
        emit MemberEntrusted(controller, processor, purposes, validTo, agreement);
    }

    /* VIEWS */

    /// @inheritdoc IMembers
    function memberOf(uint32 memberId) external view returns (Member memory) {
        return _members[memberId];
    }

    /// @inheritdoc IMembers
    function memberIdOf(address signer) external view returns (uint32) {
        return _memberIds[signer];
    }

    /// @inheritdoc IMembers
    function memberCount() external view returns (uint32) {
        return _counts.members;
    }

    /// @inheritdoc IMembers
    function capsOf(uint32 memberId, uint256 day) external view returns (uint256 caps, uint256 used) {
        return (_caps[memberId], _capUses[memberId][day]);
    }

    /// @inheritdoc IMembers
    function entrustmentOf(uint32 controller, uint32 processor) external view returns (Entrustment memory) {
        return _entrustments[controller][processor];
    }

    /* INTERNALS */

    function _admit(Admission calldata admission) internal returns (uint32 memberId) {
        uint256 nameLength = bytes(admission.name).length;
        require(
            admission.signer != address(0) &&
                admission.signingKey != 0 &&
                admission.sealingKey != 0 &&
                admission.roles != 0 &&
                admission.roles & ~Codes.ROLES == 0 &&
                admission.validTo > block.timestamp &&
                nameLength != 0 &&
                nameLength <= 64,
            Members_Incomplete()
        );
        memberId = ++_counts.members;
        _claimKeys(memberId, admission.signer, admission.signingKey);
        _members[memberId] = Member({
            signer: admission.signer,
            roles: admission.roles,
            purposes: admission.purposes,
            jurisdiction: admission.jurisdiction,
            validTo: admission.validTo,
            status: MemberStatus.ACTIVE,
            kind: admission.kind,
            control: 0,
            signingKey: admission.signingKey,
            sealingKey: admission.sealingKey
        });
        emit MemberAdmitted(
            memberId,
            admission.signer,
            admission.roles,
            admission.purposes,
            admission.jurisdiction,
            admission.validTo,
            admission.kind,
            admission.signingKey,
            admission.sealingKey,
            admission.name
        );
    }

    function _claimKeys(uint32 memberId, address signer, bytes32 signingKey) private {
        require(
            _memberIds[signer] == 0 && signer != address(this),
            Members_KeyInUse(bytes32(uint256(uint160(signer))))
        );
        uint32 holder = _signingKeys[signingKey];
        require(holder == 0 || holder == memberId, Members_KeyInUse(signingKey));
        _memberIds[signer] = memberId;
        _signingKeys[signingKey] = memberId;
    }

    function _changeStatus(uint32 memberId, MemberStatus status) private {
        Member storage member = _knownMember(memberId);
        MemberStatus former = member.status;
        require(former != status && former != MemberStatus.EXPELLED, Members_AlreadySet(memberId));
        member.status = status;
    }
}

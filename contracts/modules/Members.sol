// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";

import {IMembers} from "../interfaces/IMembers.sol";

/// @title Members
/// @notice The whitelist.
abstract contract Members is IMembers, Ownable2Step {
    /* STORAGE */

    uint32 private _memberCount;
    mapping(uint32 memberId => Member member) internal _members;
    mapping(address signer => uint32 memberId) private _memberIds;
    /// @dev Keys that were rotated away stay taken: an old signature never becomes another member's.
    mapping(bytes32 signingKey => uint32 memberId) private _signingKeys;

    /* COMMITTEE */

    /// @inheritdoc IMembers
    function admit(Admission calldata admission) external onlyOwner returns (uint32 memberId) {
        return _admit(admission);
    }

    /// @inheritdoc IMembers
    function suspend(uint32 memberId, bytes32 reasonCommitment) external onlyOwner {
        _changeStatus(memberId, MemberStatus.SUSPENDED);
        emit MemberSuspended(memberId, reasonCommitment);
    }

    /// @inheritdoc IMembers
    function reinstate(uint32 memberId) external onlyOwner {
        _changeStatus(memberId, MemberStatus.ACTIVE);
        emit MemberReinstated(memberId);
    }

    /// @inheritdoc IMembers
    function rotateKeys(
        uint32 memberId,
        address signer,
        bytes32 signingKey,
        bytes32 sealingKey
    ) external onlyOwner {
        Member storage member = _knownMember(memberId);
        require(signer != address(0) && signingKey != 0 && sealingKey != 0, Members_Incomplete());
        if (member.signer == owner()) _transferOwnership(signer);
        delete _memberIds[member.signer];
        _claimKeys(memberId, signer, signingKey);
        member.signer = signer;
        member.signingKey = signingKey;
        member.sealingKey = sealingKey;
        emit MemberKeysRotated(memberId, signer, signingKey, sealingKey);
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
        return _memberCount;
    }

    /* INTERNALS */

    function _admit(Admission memory admission) internal returns (uint32 memberId) {
        uint256 nameLength = bytes(admission.name).length;
        require(
            admission.signer != address(0) &&
                admission.signingKey != 0 &&
                admission.sealingKey != 0 &&
                admission.roles != 0 &&
                admission.validTo > block.timestamp &&
                nameLength != 0 &&
                nameLength <= 64,
            Members_Incomplete()
        );
        memberId = ++_memberCount;
        _claimKeys(memberId, admission.signer, admission.signingKey);
        _members[memberId] = Member({
            signer: admission.signer,
            roles: admission.roles,
            purposes: admission.purposes,
            jurisdiction: admission.jurisdiction,
            validTo: admission.validTo,
            status: MemberStatus.ACTIVE,
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
            admission.signingKey,
            admission.sealingKey,
            admission.name
        );
    }

    /// @dev The member behind the caller, whatever its status.
    function _callerId() internal view returns (uint32 memberId) {
        memberId = _memberIds[msg.sender];
        require(memberId != 0, Members_NotMember(msg.sender));
    }

    /// @dev The active member behind the caller.
    function _activeCallerId() internal view returns (uint32 memberId) {
        memberId = _callerId();
        require(_isActive(_members[memberId]), Members_NotActive(memberId));
    }

    function _isActive(Member storage member) internal view returns (bool) {
        return member.status == MemberStatus.ACTIVE && block.timestamp < member.validTo;
    }

    function _knownMember(uint32 memberId) internal view returns (Member storage member) {
        member = _members[memberId];
        require(member.status != MemberStatus.NONE, Members_Unknown(memberId));
    }

    function _claimKeys(uint32 memberId, address signer, bytes32 signingKey) private {
        require(_memberIds[signer] == 0, Members_KeyInUse(bytes32(uint256(uint160(signer)))));
        uint32 holder = _signingKeys[signingKey];
        require(holder == 0 || holder == memberId, Members_KeyInUse(signingKey));
        _memberIds[signer] = memberId;
        _signingKeys[signingKey] = memberId;
    }

    function _changeStatus(uint32 memberId, MemberStatus status) private {
        Member storage member = _knownMember(memberId);
        require(member.status != status, Members_AlreadySet(memberId));
        member.status = status;
    }
}

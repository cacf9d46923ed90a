// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITransfers} from "../interfaces/ITransfers.sol";
import {IMembers} from "../interfaces/IMembers.sol";
import {IPassports} from "../interfaces/IPassports.sol";
import {Guards} from "./Guards.sol";

/// @title Transfers
/// @notice Custody moving between two members.
abstract contract Transfers is ITransfers, Guards {
    /// @dev How long after its decision a permit can be used.
    uint256 private constant _PERMIT_SECONDS = 1 hours;

    /* MEMBERS */

    /// @inheritdoc ITransfers
    function ship(bytes32 transferId, bytes32 passportId, uint40 seq, bytes32 content) external {
        IPassports.Passport storage passport = _ownPassport(passportId);
        _requireOpen(passportId, passport);
        uint32 recipient = _standingPermit(passportId, seq);
        require(recipient != 0, Transfers_NotPermitted(passportId, seq));
        require(content != 0, Transfers_NoContent(transferId));
        Transfer storage transfer = _transfers[transferId];
        require(transferId != 0 && transfer.status == TransferStatus.NONE, Transfers_Exists(transferId));
        delete _permits[passportId][seq];
        transfer.sender = passport.custodian;
        transfer.recipient = recipient;
        transfer.seq = seq;
        transfer.shippedAt = uint40(block.timestamp);
        transfer.status = TransferStatus.SHIPPED;
        transfer.passportId = passportId;
        transfer.content = content;
        emit TransferShipped(transferId, passportId, recipient, passport.custodian, seq, content);
    }

    /// @inheritdoc ITransfers
    function receiveTransfer(bytes32 transferId, bytes32 content) external {
        Transfer storage transfer = _transfers[transferId];
        require(transfer.status != TransferStatus.NONE, Transfers_Unknown(transferId));
        uint32 caller = _activeCallerId();
        require(transfer.recipient == caller, Transfers_NotRecipient(transferId, caller));
        require(transfer.status == TransferStatus.SHIPPED, Transfers_AlreadyReceived(transferId));
        require(content != 0, Transfers_NoContent(transferId));
        bool matched = content == transfer.content;
        transfer.status = matched ? TransferStatus.RECEIVED : TransferStatus.DISPUTED;
        transfer.receivedAt = uint40(block.timestamp);
        emit TransferReceived(transferId, transfer.passportId, caller, content, matched);
    }

    /* VIEWS */

    /// @inheritdoc ITransfers
    function transferOf(bytes32 transferId) external view returns (Transfer memory) {
        return _transfers[transferId];
    }

    /// @inheritdoc ITransfers
    function transferPermit(bytes32 passportId, uint40 seq) external view returns (uint32 recipient) {
        return _standingPermit(passportId, seq);
    }

    /* INTERNALS */

    /// @dev The recipient of an unused permit that still stands: not too old, the recipient active, the principal too and
    /// controlled as it was, still entrusting the recipient if it is another, and what the permit rested on, a grant or an
    /// emergency, still in force.
    function _standingPermit(bytes32 passportId, uint40 seq) private view returns (uint32) {
        Permit storage permit = _permits[passportId][seq];
        uint32 recipient = permit.recipient;
        if (recipient == 0 || block.timestamp > permit.decidedAt + _PERMIT_SECONDS) return 0;
        bytes32 grantId = permit.grantId;
        if (grantId != 0 && !_isLive(_grants[passportId][grantId])) return 0;
        uint32 emergency = permit.emergency;
        if (emergency != 0 && block.timestamp >= _emergencies[emergency].until) return 0;
        uint32 principal = permit.principal;
        IMembers.Member storage member = _members[principal];
        if (!_isActive(member) || member.control != permit.control) return 0;
        if (principal == recipient) return recipient;
        return
            _isActive(_members[recipient]) && _isEntrusted(principal, recipient, permit.purpose)
                ? recipient
                : 0;
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITransfers} from "../interfaces/ITransfers.sol";
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

    /// @dev The recipient of an unused permit that still stands: not too old, the recipient active and controlled as it
    /// was, and what it rested on, a grant or an emergency, still in force.
    function _standingPermit(bytes32 passportId, uint40 seq) private view returns (uint32) {
        Permit storage permit = _permits[passportId][seq];
        uint32 recipient = permit.recipient;
        bool inTime = block.timestamp <= permit.decidedAt + _PERMIT_SECONDS;
        bytes32 grantId = permit.grantId;
        bool consented = grantId == 0 || _isLive(_grants[passportId][grantId]);
        uint32 emergency = permit.emergency;
        bool urgent = emergency == 0 || block.timestamp < _emergencies[emergency].until;
        bool controlled = _members[recipient].control == permit.control;
        return inTime && consented && urgent && controlled && _isActive(_members[recipient]) ? recipient : 0;
    }
}

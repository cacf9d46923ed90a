// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDecisions} from "../interfaces/IDecisions.sol";
import {ITransfers} from "../interfaces/ITransfers.sol";
import {Codes} from "../libraries/Codes.sol";
import {Consents} from "./Consents.sol";

/// @title Transfers
/// @notice Custody moving between two members.
abstract contract Transfers is ITransfers, Consents {
    /* STORAGE */

    mapping(bytes32 transferId => Transfer transfer) private _transfers;
    /// @dev Written by a permitted decision with operation TRANSFER, cleared when it is used.
    struct Permit {
        // slot 0
        uint32 recipient;
        uint40 decidedAt;
        // slot 1
        bytes32 grantId; // grant that the decision rested on, or 0
    }

    mapping(bytes32 passportId => mapping(uint40 seq => Permit permit)) private _permits;

    /// @dev How long after its decision a permit can be used.
    uint256 private constant _PERMIT_SECONDS = 1 hours;

    /* MEMBERS */

    /// @inheritdoc ITransfers
    function ship(bytes32 transferId, bytes32 passportId, uint40 seq, bytes32 content) external {
        Passport storage passport = _ownPassport(passportId);
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

    function _permitTransfer(IDecisions.Request calldata request, uint40 seq, uint32 recipient) internal {
        bytes32 grantId = request.terms.basis() == Codes.CONSENT ? request.grantId : bytes32(0);
        _permits[request.passportId][seq] = Permit(recipient, uint40(block.timestamp), grantId);
    }

    /// @dev The recipient of an unused permit that still stands: not too old, the recipient active, and the grant it
    /// rested on, if it named one, still live.
    function _standingPermit(bytes32 passportId, uint40 seq) private view returns (uint32) {
        Permit storage permit = _permits[passportId][seq];
        bool inTime = block.timestamp <= permit.decidedAt + _PERMIT_SECONDS;
        bytes32 grantId = permit.grantId;
        bool consented = grantId == 0 || _isLive(_grants[passportId][grantId]);
        return inTime && consented && _isActive(_members[permit.recipient]) ? permit.recipient : 0;
    }
}

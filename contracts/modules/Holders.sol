// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IHolders} from "../interfaces/IHolders.sol";
import {IPassports} from "../interfaces/IPassports.sol";
import {PassportHash} from "../libraries/PassportHash.sol";
import {Guards} from "./Guards.sol";

/// @title Holders
/// @notice Who speaks for a subject.
abstract contract Holders is IHolders, Guards {
    /// @dev Most guardians of one passport.
    uint256 private constant _MAX_GUARDIANS = 16;

    /* ANYONE, WITH THE HOLDER'S SIGNATURE */

    /// @inheritdoc IHolders
    function rotateHolder(
        bytes32 passportId,
        bytes calldata holder,
        IPassports.Custody custody,
        bytes calldata signature
    ) external {
        IPassports.Passport storage passport = _knownPassport(passportId);
        _requireHolder(
            passportId,
            PassportHash.rotationHash(passportId, holder, uint8(custody), passport.epoch),
            signature
        );
        _replaceHolder(passportId, passport, holder, custody);
    }

    /// @inheritdoc IHolders
    function nameGuardians(bytes32 passportId, bytes32 guardians, bytes calldata signature) external {
        uint16 epoch = _knownPassport(passportId).epoch;
        _requireHolder(
            passportId,
            PassportHash.guardiansHash(passportId, guardians, epoch, _useNonce(passportId)),
            signature
        );
        _guardians[passportId] = guardians;
        emit GuardiansNamed(passportId, guardians);
    }

    /// @inheritdoc IHolders
    function cancelRecovery(bytes32 passportId, bytes calldata signature) external {
        uint16 epoch = _knownPassport(passportId).epoch;
        uint32 readyAt = _recoveries[passportId].readyAt;
        require(readyAt != 0, Holders_NoRecovery(passportId));
        _requireHolder(passportId, PassportHash.objectionHash(passportId, readyAt, epoch), signature);
        delete _recoveries[passportId];
        emit RecoveryCancelled(passportId);
    }

    /// @inheritdoc IHolders
    function nameDelegate(
        bytes32 passportId,
        bytes calldata delegate,
        uint32 validTo,
        bytes calldata signature
    ) external {
        require(_isKey(delegate), Holders_BadKey());
        uint16 epoch = _knownPassport(passportId).epoch;
        _requireHolder(
            passportId,
            PassportHash.delegationHash(passportId, delegate, validTo, epoch, _useNonce(passportId)),
            signature
        );
        _delegates[passportId][_delegateKey(epoch, delegate)] = validTo;
        emit DelegateNamed(passportId, delegate, validTo);
    }

    /* GUARDIANS AND CUSTODIANS */

    /// @inheritdoc IHolders
    function recover(
        bytes32 passportId,
        bytes calldata holder,
        uint8 threshold,
        bytes[] calldata keys,
        bytes[] calldata signatures
    ) external {
        IPassports.Passport storage passport = _knownPassport(passportId);
        require(
            _guardians[passportId] == keccak256(abi.encode(threshold, keys)) &&
                threshold != 0 &&
                keys.length <= _MAX_GUARDIANS &&
                keys.length == signatures.length,
            Holders_BadGuardians(passportId)
        );
        bytes32 digest = _hashTypedDataV4(
            PassportHash.recoveryHash(passportId, holder, passport.epoch, _useNonce(passportId))
        );
        uint256 signed = 0;
        for (uint256 index = 0; index < keys.length; ++index) {
            if (signatures[index].length == 0) continue;
            for (uint256 earlier = 0; earlier < index; ++earlier) {
                require(keccak256(keys[earlier]) != keccak256(keys[index]), Holders_BadGuardians(passportId));
            }
            require(
                SignatureChecker.isValidSignatureNow(keys[index], digest, signatures[index]),
                Holders_BadGuardians(passportId)
            );
            ++signed;
        }
        require(signed >= threshold, Holders_BadGuardians(passportId));
        _startRecovery(passportId, holder, IPassports.Custody.SELF, false);
    }

    /// @inheritdoc IHolders
    function recoverAtCounter(
        bytes32 passportId,
        bytes calldata holder,
        IPassports.Custody custody
    ) external {
        _ownPassport(passportId);
        require(_guardians[passportId] == 0, Holders_BadGuardians(passportId));
        _startRecovery(passportId, holder, custody, true);
    }

    /* ANYONE */

    /// @inheritdoc IHolders
    function completeRecovery(bytes32 passportId) external {
        Recovery memory recovery = _recoveries[passportId];
        require(recovery.readyAt != 0, Holders_NoRecovery(passportId));
        require(block.timestamp >= recovery.readyAt, Holders_TooEarly(passportId, recovery.readyAt));
        _replaceHolder(passportId, _passports[passportId], recovery.holder, recovery.custody);
    }

    /* VIEWS */

    /// @inheritdoc IHolders
    function recoveryOf(bytes32 passportId) external view returns (Recovery memory) {
        return _recoveries[passportId];
    }

    /// @inheritdoc IHolders
    function delegateUntil(bytes32 passportId, bytes calldata delegate) external view returns (uint32) {
        return _delegates[passportId][_delegateKey(_passports[passportId].epoch, delegate)];
    }

    /// @inheritdoc IHolders
    function nonceOf(bytes32 passportId) external view returns (uint32) {
        return _nonces[passportId];
    }

    /* INTERNALS */

    /// @dev The nonce that the next signature must name, which is spent by asking.
    function _useNonce(bytes32 passportId) private returns (uint32 nonce) {
        nonce = _nonces[passportId];
        _nonces[passportId] = nonce + 1;
    }

    function _startRecovery(
        bytes32 passportId,
        bytes calldata holder,
        IPassports.Custody custody,
        bool byCustodian
    ) private {
        require(_isKey(holder), Holders_BadKey());
        uint32 readyAt = uint32(block.timestamp) + _limits.recoverySeconds;
        _recoveries[passportId] = Recovery(holder, custody, readyAt);
        emit RecoveryStarted(passportId, holder, custody, readyAt, byCustodian);
    }

    /// @dev A new key is a new epoch: what the old one signed and nobody has used yet is void, delegates and guardians
    /// included.
    function _replaceHolder(
        bytes32 passportId,
        IPassports.Passport storage passport,
        bytes memory holder,
        IPassports.Custody custody
    ) private {
        require(_isKey(holder), Holders_BadKey());
        uint16 epoch = ++passport.epoch;
        passport.holder = holder;
        passport.custody = custody;
        delete _recoveries[passportId];
        delete _guardians[passportId];
        emit HolderRotated(passportId, holder, custody, epoch);
    }
}

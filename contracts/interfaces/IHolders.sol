// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPassports} from "./IPassports.sol";

/// @title IHolders
/// @notice Who speaks for a subject: its key, what replaces a lost one, and who may speak for it for a time.
/// @dev A signature by a key names the passport's epoch, so none outlives the key. One that names guardians or delegates
/// or starts a recovery names the passport's nonce too, so none is good twice: who was a delegate cannot become one again
/// with the words that made it one, and a recovery that was objected to cannot be started again.
interface IHolders {
    /// @notice A replacement of a lost key that waits for an objection.
    struct Recovery {
        bytes holder; // the key to be
        IPassports.Custody custody;
        uint32 readyAt; // from when it can be completed, seconds since the Unix epoch; 0 if there is none
    }

    /// @notice The holder's key was replaced; the old one, and everybody it had named to speak for it, is dead at once.
    event HolderRotated(bytes32 indexed passportId, bytes holder, IPassports.Custody custody, uint16 epoch);
    /// @notice The holder named those who can replace a lost key together.
    event GuardiansNamed(bytes32 indexed passportId, bytes32 guardians);
    /// @notice Somebody began to replace a lost key: the notice to the holder, who can object until `readyAt`.
    event RecoveryStarted(
        bytes32 indexed passportId,
        bytes holder,
        IPassports.Custody custody,
        uint32 readyAt,
        bool byCustodian
    );
    /// @notice The holder objected: the key is not lost.
    event RecoveryCancelled(bytes32 indexed passportId);
    /// @notice The holder let somebody speak for it until a time; at once over if the time is 0.
    event DelegateNamed(bytes32 indexed passportId, bytes delegate, uint32 validTo);

    /// @notice Thrown when a key is neither an account nor a verifier with code and a key after it.
    error Holders_BadKey();
    /// @notice Thrown when no recovery is under way.
    error Holders_NoRecovery(bytes32 passportId);
    /// @notice Thrown when the time for objections is not over.
    error Holders_TooEarly(bytes32 passportId, uint32 readyAt);
    /// @notice Thrown when the guardians given are not those on file, or too few of them signed, or one twice.
    error Holders_BadGuardians(bytes32 passportId);

    /// @notice Replace the holder's key: rotation, or taking over from a custodian that assisted.
    /// @dev Anyone may relay. Reverts with Passports_Unknown, Holders_BadKey or Consents_InvalidSignature.
    /// @param passportId The passport.
    /// @param holder The new key.
    /// @param custody Who keeps it.
    /// @param signature The old key's over `Rotation(bytes32 passportId,bytes holder,uint8 custody,uint16 epoch)`.
    function rotateHolder(
        bytes32 passportId,
        bytes calldata holder,
        IPassports.Custody custody,
        bytes calldata signature
    ) external;

    /// @notice Name those who can replace a lost key together.
    /// @param passportId The passport.
    /// @param guardians `keccak256(abi.encode(uint8 threshold, bytes[] keys))`; 0 for nobody.
    /// @param signature The holder's over `Guardians(bytes32 passportId,bytes32 guardians,uint16 epoch,uint32 nonce)`.
    function nameGuardians(bytes32 passportId, bytes32 guardians, bytes calldata signature) external;

    /// @notice Begin to replace a lost key, as guardians.
    /// @param passportId The passport.
    /// @param holder The key to be.
    /// @param threshold How many must sign, as named.
    /// @param keys All guardians, as named.
    /// @param signatures One per guardian in the same order, empty for those who did not sign, over
    /// `Recovery(bytes32 passportId,bytes holder,uint16 epoch,uint32 nonce)`.
    function recover(
        bytes32 passportId,
        bytes calldata holder,
        uint8 threshold,
        bytes[] calldata keys,
        bytes[] calldata signatures
    ) external;

    /// @notice Begin to replace a lost key at the custodian's counter, if the holder named no guardians.
    /// @dev Only the passport's active custodian.
    /// @param passportId The passport.
    /// @param holder The key to be.
    /// @param custody Who will keep it.
    function recoverAtCounter(bytes32 passportId, bytes calldata holder, IPassports.Custody custody) external;

    /// @notice Object to a recovery: the key is not lost.
    /// @param passportId The passport.
    /// @param signature The holder's over `Objection(bytes32 passportId,uint32 readyAt,uint16 epoch)`.
    function cancelRecovery(bytes32 passportId, bytes calldata signature) external;

    /// @notice Complete a recovery that nobody objected to in time. Anyone may.
    /// @param passportId The passport.
    function completeRecovery(bytes32 passportId) external;

    /// @notice Let somebody speak for the subject until a time: a guardian of a minor, a relative, a lawyer.
    /// @param passportId The passport.
    /// @param delegate The key that may sign grants and withdrawals besides the holder's.
    /// @param validTo Until when, exclusive; 0 to end it at once.
    /// @param signature The holder's over
    /// `Delegation(bytes32 passportId,bytes delegate,uint32 validTo,uint16 epoch,uint32 nonce)`.
    function nameDelegate(
        bytes32 passportId,
        bytes calldata delegate,
        uint32 validTo,
        bytes calldata signature
    ) external;

    /// @notice The recovery under way; all zero if there is none.
    /// @param passportId The passport.
    function recoveryOf(bytes32 passportId) external view returns (Recovery memory);

    /// @notice How many of the signatures that are good once a passport has taken so far: the next one names this number.
    /// @param passportId The passport.
    function nonceOf(bytes32 passportId) external view returns (uint32);

    /// @notice Until when a key may speak for the holder as it is now; 0 if it may not.
    /// @param passportId The passport.
    /// @param delegate The key.
    function delegateUntil(bytes32 passportId, bytes calldata delegate) external view returns (uint32);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Forwards
/// @notice A function that this contract lacks is another contract's, whose code runs on this one's storage.
/// @dev The other contract is named once, at deployment, and nobody can name another: this is no upgradeable proxy.
abstract contract Forwards {
    /// @notice The contract whose code runs for every function that this one does not have.
    address public immutable OFFICE;

    /// @notice Thrown when the office named has no code.
    error Forwards_NoOffice(address office);

    constructor(address office) {
        require(office.code.length != 0, Forwards_NoOffice(office));
        OFFICE = office;
    }

    /// @notice Every other function.
    // solhint-disable-next-line no-complex-fallback
    fallback() external {
        address office = OFFICE;
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, 0, calldatasize())
            let done := delegatecall(gas(), office, free, calldatasize(), 0, 0)
            returndatacopy(free, 0, returndatasize())
            if iszero(done) {
                revert(free, returndatasize())
            }
            return(free, returndatasize())
        }
    }
}

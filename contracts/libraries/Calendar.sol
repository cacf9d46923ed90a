// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Calendar
/// @notice Calendar years, in which exports are counted.
library Calendar {
    /// @dev The law that the thresholds are from counts from midnight in Beijing.
    uint256 private constant _OFFSET = 8 hours;
    /// @dev From 1 March of the year 0 to the Unix epoch, in days.
    uint256 private constant _EPOCH = 719_468;
    uint256 private constant _DAYS_OF_400_YEARS = 146_097;

    /// @notice The Gregorian year of a time, in UTC+8.
    /// @dev Years are counted from 1 March, so that a leap day ends one.
    /// @param time Seconds since the Unix epoch.
    function yearOf(uint256 time) internal pure returns (uint256) {
        uint256 day = (time + _OFFSET) / 1 days + _EPOCH;
        uint256 era = day / _DAYS_OF_400_YEARS;
        day %= _DAYS_OF_400_YEARS;
        uint256 year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        uint256 dayOfYear = day - (365 * year + year / 4 - year / 100);
        bool isJanuaryOrFebruary = dayOfYear >= 306;
        return era * 400 + year + (isJanuaryOrFebruary ? 1 : 0);
    }
}

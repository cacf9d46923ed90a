// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IBorders
/// @notice What data needs to cross a border: an importer on the list for crossing borders, a clearance by one of three
/// paths, and room below the thresholds that count persons.
interface IBorders {
    /// @notice The three paths by which data may leave a country.
    enum Path {
        NONE,
        ASSESSMENT, // a regulator assessed the export
        CONTRACT, // exporter and importer signed the standard contract, and a regulator acknowledged its filing
        CERTIFICATION // an independent body certified the protection
    }

    /// @notice What clears the data of one exporter for one project. Fits in two slots.
    struct Clearance {
        // slot 0
        uint32 exporter; // member that keeps the data
        uint32 issuer;
        uint32 agreement; // standard contract that it rests on, or 0
        uint32 validFrom; // seconds since the Unix epoch, inclusive
        uint32 validTo; // exclusive
        uint32 maxPersons; // how many persons it is good for
        uint32 persons; // how many have crossed under it
        Path path;
        // slot 1
        uint32 projectId;
    }

    /// @notice From how many persons in a calendar year on nothing but an assessment clears. Fits in a single slot.
    struct Thresholds {
        uint32 persons; // whatever of them is exported
        uint32 sensitivePersons; // of whom data of class 1 or 2 is
    }

    /// @notice How many persons' data an exporter has exported in a calendar year; each counts once. Fits in a single slot.
    struct Exports {
        uint32 persons;
        uint32 sensitivePersons;
    }

    /// @notice One request that would take data across a border.
    struct Crossing {
        uint32 projectId;
        uint32 exporter;
        uint32 importer;
        bool sensitive;
        bytes32 passportId;
    }

    /// @notice A member was put on the list for crossing borders, or taken off with `validTo` 0.
    event BorderAccessSet(uint32 indexed memberId, uint32 indexed regulator, uint32 validTo);
    /// @notice A clearance was given. It takes the place of the one before it for that project and exporter.
    event ClearanceIssued(
        uint32 indexed clearanceId,
        uint32 indexed projectId,
        uint32 indexed exporter,
        Clearance clearance,
        bytes32 filing
    );
    /// @notice A clearance was taken back.
    event ClearanceWithdrawn(uint32 indexed clearanceId, uint32 indexed memberId, bytes32 reasons);
    /// @notice The thresholds changed.
    event ThresholdsSet(Thresholds thresholds);

    /// @notice Thrown when project, exporter, path, period, number of persons, contract or filing are missing or do not fit.
    error Borders_Incomplete();
    /// @notice Thrown when no clearance has this number.
    error Borders_Unknown(uint32 clearanceId);
    /// @notice Thrown when the caller may not clear this, take it back, or put the member on the list.
    error Borders_NotQualified(uint32 memberId);
    /// @notice Thrown when the clearance has ended.
    error Borders_Over(uint32 clearanceId);
    /// @notice Thrown when a certification would take the place of a regulator's clearance that is in force.
    error Borders_Standing(uint32 clearanceId);
    /// @notice Thrown when nothing clears the data for the border.
    error Borders_NotCleared(uint32 projectId, uint32 exporter);

    /// @notice Put a member on the list of those that may receive data from abroad, or take it off.
    /// @dev Only an active member with the role REGULATOR, not for itself. Reverts with Members_MissingRole,
    /// Members_Unknown or Borders_NotQualified.
    /// @param memberId The member.
    /// @param validTo Until when, exclusive; 0 to take it off.
    function setBorderAccess(uint32 memberId, uint32 validTo) external;

    /// @notice Clear an exporter's data for a project of a member's abroad.
    /// @dev Only an active member of the exporter's jurisdiction that is neither exporter nor importer, with the role
    /// REGULATOR; VERIFIER for the path CERTIFICATION, which takes the place of no clearance by another path that is in
    /// force. Reverts with Members_MissingRole, Projects_Unknown, Members_Unknown, Borders_NotQualified,
    /// Borders_Incomplete or Borders_Standing.
    /// @param clearance What clears; `issuer` and `persons` are not read.
    /// @param filing Commitment to what was filed.
    /// @return clearanceId The number of the clearance, counted from 1.
    function clear(Clearance calldata clearance, bytes32 filing) external returns (uint32 clearanceId);

    /// @notice Take a clearance back.
    /// @dev Only its issuer, or an active member with the role REGULATOR of the exporter's jurisdiction. Reverts with
    /// Borders_Unknown, Borders_NotQualified or Borders_Over.
    /// @param clearanceId The clearance.
    /// @param reasons Commitment to the reasons.
    function withdrawClearance(uint32 clearanceId, bytes32 reasons) external;

    /// @notice Change the thresholds.
    /// @dev Only the committee. Reverts with Borders_Incomplete if one is zero.
    /// @param thresholds The new ones.
    function setThresholds(Thresholds calldata thresholds) external;

    /// @notice Count the person that a permit takes across a border. What was counted in the year, or under the
    /// clearance, is not counted again.
    /// @dev Only the ledger itself, when it decides.
    /// @param crossing What crosses.
    function countCrossing(Crossing calldata crossing) external;

    /// @notice Whether data may cross: the importer is on the list, the clearance in force and good for one more person,
    /// and the thresholds are not reached or the clearance is by assessment.
    /// @param crossing What would cross.
    function mayCross(Crossing calldata crossing) external view returns (bool);

    /// @notice Until when a member may receive data from abroad, exclusive; 0 if it never could.
    /// @param memberId The member.
    function borderAccessOf(uint32 memberId) external view returns (uint32 validTo);

    /// @notice A clearance as stored; all zero for an unknown number.
    /// @param clearanceId The clearance.
    function clearanceOf(uint32 clearanceId) external view returns (Clearance memory);

    /// @notice The clearance that counts for a project and an exporter, in force or not; 0 if there never was one.
    /// @param projectId The project.
    /// @param exporter The member that keeps the data.
    function clearanceFor(uint32 projectId, uint32 exporter) external view returns (uint32 clearanceId);

    /// @notice How many clearances were ever given.
    function clearanceCount() external view returns (uint32);

    /// @notice The thresholds in force.
    function thresholds() external view returns (Thresholds memory);

    /// @notice How many persons' data an exporter has exported in a calendar year.
    /// @param exporter The member.
    /// @param year The year, in UTC+8.
    function exportsOf(uint32 exporter, uint256 year) external view returns (Exports memory);
}

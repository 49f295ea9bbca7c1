// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IBoundedPause
/// @notice A pause that ends by itself, cannot be renewed at will, and takes no time away from anybody.
///
/// One pause lasts at most `MAX_PAUSE`, and the next can start only `MIN_PAUSE_GAP` after its end, so whoever may pause can
/// delay money but never hold it. Terms that were running when it began (a thaw, a ticket's expiry) end later by its length.
interface IBoundedPause {
    /// @notice Nothing moves money until `end` (unix seconds), or until `Unpaused`.
    event Paused(address indexed by, uint256 end);

    /// @notice The pause ended early.
    event Unpaused(address indexed by);

    error Unauthorised(address caller);
    error PausedUntil(uint256 end);
    error NotPaused();
    error PausedTooRecently(uint256 possibleFrom);

    /// @notice Pauses for `MAX_PAUSE` from now on. For accounts that `AUTHORITY` lets call it without delay.
    function pause() external;

    /// @notice Ends the pause now. For accounts that `AUTHORITY` lets call it without delay.
    function unpause() external;

    /// @notice The last pause, running or over, in unix seconds; both are 0 when there never was one.
    function lastPause() external view returns (uint40 start, uint40 end);

    /// @notice The OpenZeppelin AccessManager that says who may pause; the zero address means nobody ever.
    function AUTHORITY() external view returns (address);

    /// @notice Seconds that a pause lasts at most.
    function MAX_PAUSE() external view returns (uint40);

    /// @notice Seconds between the end of a pause and the earliest start of the next: 30 days, or the longest ticket lifetime
    /// where that is longer.
    function MIN_PAUSE_GAP() external view returns (uint40);
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AuthorityUtils} from "@openzeppelin/contracts/access/manager/AuthorityUtils.sol";
import {Accounting} from "./Accounting.sol";
import {IBoundedPause} from "./interfaces/IBoundedPause.sol";

/// @title BoundedPause
/// @dev Terms are kept in *active time*, a clock that stands still during pauses, and so need no correction when a pause
/// comes. Only a ticket's expiry is fixed in wall time by its signature; `_payableUntil` extends it.
abstract contract BoundedPause is IBoundedPause {
    /// @dev One slot. `start == end == 0` before the first pause; `pausedBefore` sums the earlier ones.
    struct PauseState {
        uint40 start;
        uint40 end;
        uint40 pausedBefore;
    }

    PauseState private _pause;

    /// @inheritdoc IBoundedPause
    address public immutable AUTHORITY;

    /// @inheritdoc IBoundedPause
    uint40 public constant MAX_PAUSE = 72 hours;
    /// @inheritdoc IBoundedPause
    uint40 public immutable MIN_PAUSE_GAP;

    /// @param longestTerm of what a pause extends once only, in seconds: none of it meets two pauses
    constructor(address authority, uint40 longestTerm) {
        AUTHORITY = authority;
        MIN_PAUSE_GAP = longestTerm > 30 days ? longestTerm : 30 days;
    }

    /// @inheritdoc IBoundedPause
    function pause() external {
        _requireAuthority();
        PauseState memory p = _pause;
        if (p.end != 0 && block.timestamp < p.end + MIN_PAUSE_GAP) revert PausedTooRecently(p.end + MIN_PAUSE_GAP);
        p.pausedBefore += p.end - p.start;
        p.start = uint40(block.timestamp);
        p.end = p.start + MAX_PAUSE;
        _pause = p;
        emit Paused(msg.sender, p.end);
    }

    /// @inheritdoc IBoundedPause
    function unpause() external {
        _requireAuthority();
        if (block.timestamp >= _pause.end) revert NotPaused();
        _pause.end = uint40(block.timestamp);
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc IBoundedPause
    function lastPause() external view returns (uint40 start, uint40 end) {
        return (_pause.start, _pause.end);
    }

    /// @dev Asked afresh each time, so that the authority can take a role away at once. Roles with a delay do not count: a
    /// pause that must be announced is none.
    function _requireAuthority() internal view {
        (bool immediate,) = AuthorityUtils.canCallWithDelay(AUTHORITY, msg.sender, address(this), msg.sig);
        // No code answers for the zero address, and a call to no code succeeds with nothing returned: not immediate.
        if (!immediate) revert Unauthorised(msg.sender);
    }

    /// @dev Reverts while a pause lasts.
    function _requireUnpaused() internal view {
        uint256 end = _pause.end;
        if (block.timestamp < end) revert PausedUntil(end);
    }

    function _pauseState() internal view returns (PauseState memory) {
        return _pause;
    }

    /// @dev Unix seconds less all paused time; stands still while paused.
    function _activeTime(PauseState memory p) internal view returns (uint40) {
        return Accounting.activeTime(p.start, p.end, p.pausedBefore, uint40(block.timestamp));
    }

    /// @dev The unix second at which active time reaches `active`, if the pause that runs lasts to its end.
    function _wallTime(PauseState memory p, uint40 active) internal pure returns (uint40) {
        return Accounting.wallTime(p.start, p.end, p.pausedBefore, active);
    }
}

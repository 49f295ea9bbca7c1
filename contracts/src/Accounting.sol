// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Accounting
/// @dev The arithmetic of money and time, pure and on plain values, so that a model checker can follow it: formal/ proves about
/// these very functions what the contracts rely on.
library Accounting {
    /// @dev An allocation after `draw` of it was paid. What thaws pays first: the rest is the recipient's credit. `draw` is
    /// at most `amount`, and `thawing` at most that too.
    function drawn(uint96 amount, uint96 thawing, uint40 thawEnd, uint96 draw)
        internal
        pure
        returns (uint96, uint96, uint40)
    {
        // Cannot wrap: draw is at most amount, and is subtracted from thawing only when that is more.
        unchecked {
            uint96 stillThawing = thawing > draw ? thawing - draw : 0;
            return (amount - draw, stillThawing, stillThawing == 0 ? 0 : thawEnd);
        }
    }

    /// @dev What is left of a balance and an allocation when, of the sum that a signer may spend of them, `left` is left: a
    /// session key spends the allocation alone, the payer its balance first.
    function booked(uint256 balance, uint256 allocated, uint256 left, bool bySession)
        internal
        pure
        returns (uint256, uint256)
    {
        if (bySession) return (balance, left);
        // Cannot wrap: all are sums of less than 2^97, left is at most both together, and fromBalance at most either.
        unchecked {
            uint256 spent = balance + allocated - left;
            uint256 fromBalance = spent < balance ? spent : balance;
            return (balance - fromBalance, allocated - (spent - fromBalance));
        }
    }

    /// @dev What a session key can still allocate on `today`.
    function leftOfCap(uint96 dailyCap, uint96 spent, uint24 day, uint24 today) internal pure returns (uint96) {
        if (day != today) return dailyCap;
        return dailyCap > spent ? dailyCap - spent : 0;
    }

    /// @dev `time` less all paused time up to it, where [start, end) is the last pause, running or over, and earlier ones took
    /// `pausedBefore`: a clock that stands still during pauses.
    function activeTime(uint40 start, uint40 end, uint40 pausedBefore, uint40 time) internal pure returns (uint40) {
        uint40 until = time < end ? time : end;
        return time - pausedBefore - (until - start);
    }

    /// @dev The second in which active time reaches `active`, if a running pause lasts to its end. Exact for what was not yet
    /// reached when the last pause began.
    function wallTime(uint40 start, uint40 end, uint40 pausedBefore, uint40 active) internal pure returns (uint40) {
        uint40 before = active + pausedBefore;
        return before < start ? before : before + (end - start);
    }

    /// @dev The last second in which what expires at `expiry` still counts. What had not expired when the last pause began
    /// gets its length on top. Nothing signed before the end of that pause lives longer than `lifetime` beyond it, so
    /// whatever was signed later gains no more than that leaves.
    function payableUntil(uint40 start, uint40 end, uint40 expiry, uint40 lifetime) internal pure returns (uint256) {
        if (start == 0 || expiry < start) return expiry;
        uint256 length = end - start;
        uint256 extended = expiry + length;
        uint256 last = uint256(end) + length + lifetime;
        if (extended > last) extended = last;
        return extended > expiry ? extended : expiry;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Accounting} from "../src/Accounting.sol";

/// @dev What the contracts rely on of their arithmetic, for every input there is: prove.js has the compiler's model checker prove
/// each assertion. A `require` says what a caller grants.
contract Proofs {
    /// Drawing takes exactly what it is told, what thaws first, and leaves a well-formed allocation.
    function drawn(uint96 amount, uint96 thawing, uint40 thawEnd, uint96 draw) external pure {
        require(thawing <= amount && draw <= amount && (thawing == 0) == (thawEnd == 0));
        (uint96 a, uint96 t, uint40 e) = Accounting.drawn(amount, thawing, thawEnd, draw);
        assert(a == amount - draw);
        assert(t <= a);
        assert((t == 0) == (e == 0));
        assert(e == 0 || e == thawEnd);
        uint96 credit = amount - thawing;
        // Credit falls by what the thawing part did not cover, and by no more.
        assert(draw <= thawing ? a - t == credit : a - t == credit - (draw - thawing));
    }

    /// Booking makes and loses nothing, spends the balance first, and keeps session keys away from it.
    function booked(uint256 balance, uint256 allocated, uint256 left, bool bySession) external pure {
        require(balance <= type(uint96).max && allocated <= type(uint96).max);
        require(left <= (bySession ? allocated : balance + allocated));
        (uint256 b, uint256 a) = Accounting.booked(balance, allocated, left, bySession);
        assert(b <= balance && a <= allocated);
        if (bySession) {
            assert(b == balance && a == left);
        } else {
            assert(b + a == left);
            assert(b == 0 || a == allocated);
        }
    }

    function leftOfCap(uint96 cap, uint96 spent, uint24 day, uint24 today) external pure {
        uint96 left = Accounting.leftOfCap(cap, spent, day, today);
        assert(left <= cap);
        assert(day == today || left == cap);
        assert(day != today || left == 0 || uint256(left) + spent == cap);
    }

    /// @dev The last pause of a contract, as its functions leave it, at a second inside the times there are.
    function _pause(uint40 start, uint40 end, uint40 before, uint40 time) private pure {
        require(start <= end && start <= time && time < 2 ** 39 && end <= start + 72 hours && before <= start);
    }

    /// Active time never runs backwards, never faster than the clock, and stands still in a pause.
    function activeTime(uint40 start, uint40 end, uint40 before, uint40 time, uint40 later) external pure {
        _pause(start, end, before, time);
        require(time <= later && later < 2 ** 39);
        uint40 a = Accounting.activeTime(start, end, before, time);
        uint40 b = Accounting.activeTime(start, end, before, later);
        assert(a <= time);
        assert(a <= b && b - a <= later - time);
        assert(later > end || a == b);
        assert(time < end || b - a == later - time);
    }

    /// A term that runs ends at its wall time: not a second before, and at it.
    function wallTime(uint40 start, uint40 end, uint40 before, uint40 time, uint40 term) external pure {
        _pause(start, end, before, time);
        require(term <= 90 days);
        uint40 active = Accounting.activeTime(start, end, before, time) + term;
        uint40 wall = Accounting.wallTime(start, end, before, active);
        assert(wall >= time || time < end);
        if (wall >= time && wall >= end) {
            assert(Accounting.activeTime(start, end, before, wall) == active);
            assert(wall == end || wall == 0 || Accounting.activeTime(start, end, before, wall - 1) < active);
        }
    }

    /// An expiry moves by the length of a pause or not at all, never backwards, and never further.
    function payableUntil(uint40 start, uint40 end, uint40 expiry, uint40 lifetime) external pure {
        require(start <= end && end < 2 ** 39 && expiry < 2 ** 39 && lifetime <= 90 days);
        uint256 until = Accounting.payableUntil(start, end, expiry, lifetime);
        assert(until >= expiry);
        assert(until <= uint256(expiry) + (end - start));
        assert(start != 0 || until == expiry);
        assert(expiry >= start || until == expiry);
        // Whatever could be signed before the pause was over gains all of it.
        if (start != 0 && expiry >= start && expiry <= uint256(end) + lifetime) {
            assert(until == uint256(expiry) + (end - start));
        }
    }

    function payableUntil_isMonotone(uint40 start, uint40 end, uint40 a, uint40 b, uint40 lifetime) external pure {
        require(start <= end && end < 2 ** 39 && a <= b && b < 2 ** 39 && lifetime <= 90 days);
        assert(Accounting.payableUntil(start, end, a, lifetime) <= Accounting.payableUntil(start, end, b, lifetime));
    }

    /// No thaw outruns a ticket: one that was accepted when the thaw began, inside the longest lifetime, can be paid until the
    /// thaw is over, whatever pause comes in between.
    function thaw_outlastsTickets(uint40 began, uint40 thaw, uint40 expiry, uint40 start, uint40 length) external pure {
        require(began > 0 && began < 2 ** 38 && thaw <= 90 days && expiry < began + thaw);
        require(length <= 72 hours && start >= began && start < began + thaw);
        uint40 thawEnd = Accounting.wallTime(start, start + length, 0, began + thaw);
        assert(Accounting.payableUntil(start, start + length, expiry, thaw) < thawEnd);
    }
}

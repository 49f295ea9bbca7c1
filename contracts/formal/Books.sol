// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Accounting} from "../src/Accounting.sol";

/// @dev The escrow's ledgers of two accounts, A's allocation to B and one lane, moved by the escrow's own arithmetic. Each function
/// takes any state in which the books balance, does one thing, and asserts that they still do: by induction they do after call
/// sequences of any length.
contract Books {
    /// @dev What holds before and after every call: all that is held is owed and the other way round, so no sum of ledgers wraps.
    function _balanced(uint96 held, uint96 a, uint96 b, uint96 allocated, uint96 thawing, uint40 thawEnd)
        private
        pure
        returns (bool)
    {
        return uint256(a) + b + allocated == held && thawing <= allocated && (thawing == 0) == (thawEnd == 0);
    }

    function opening() external pure {
        assert(_balanced(0, 0, 0, 0, 0, 0));
    }

    function deposit(uint96 held, uint96 a, uint96 b, uint96 allocated, uint96 thawing, uint40 thawEnd, uint96 amount)
        external
        pure
    {
        require(_balanced(held, a, b, allocated, thawing, thawEnd));
        require(uint256(held) + amount <= type(uint96).max);
        assert(_balanced(held + amount, a + amount, b, allocated, thawing, thawEnd));
    }

    function withdraw(uint96 held, uint96 a, uint96 b, uint96 allocated, uint96 thawing, uint40 thawEnd, uint96 amount)
        external
        pure
    {
        require(_balanced(held, a, b, allocated, thawing, thawEnd));
        require(amount <= a);
        assert(_balanced(held - amount, a - amount, b, allocated, thawing, thawEnd));
    }

    function allocate(uint96 held, uint96 a, uint96 b, uint96 allocated, uint96 thawing, uint40 thawEnd, uint96 amount)
        external
        pure
    {
        require(_balanced(held, a, b, allocated, thawing, thawEnd));
        require(amount <= a);
        assert(_balanced(held, a - amount, b, allocated + amount, thawing, thawEnd));
    }

    function release(uint96 held, uint96 a, uint96 b, uint96 allocated, uint96 thawing, uint40 thawEnd) external pure {
        require(_balanced(held, a, b, allocated, thawing, thawEnd));
        assert(_balanced(held, a + thawing, b, allocated - thawing, 0, 0));
    }

    /// @dev A ticket or a settlement of A, or of a session key of A's, for B.
    function redeem(
        uint96 held,
        uint96 a,
        uint96 b,
        uint96 allocated,
        uint96 thawing,
        uint40 thawEnd,
        uint96 value,
        bool bySession
    ) external pure {
        require(_balanced(held, a, b, allocated, thawing, thawEnd));
        uint256 funds = bySession ? allocated : uint256(a) + allocated;
        require(value <= funds);
        (uint256 balanceLeft, uint256 allocatedLeft) = Accounting.booked(a, allocated, funds - value, bySession);
        // The casts that the escrow makes cut nothing off, and what `Accounting.drawn` asks for is granted: Proofs.drawn has the rest.
        assert(balanceLeft <= a && allocatedLeft <= allocated);
        assert(balanceLeft + b + value + allocatedLeft == held);
    }

    /// @dev Two payments in a row out of one purse, by different signers, as a run has them.
    function redeemTwice(uint96 a, uint96 allocated, uint96 first, uint96 second, bool firstBySession, bool secondBySession)
        external
        pure
    {
        require(uint256(a) + allocated <= type(uint96).max);
        uint256 funds = firstBySession ? allocated : uint256(a) + allocated;
        require(first <= funds);
        (uint256 balance, uint256 left) = Accounting.booked(a, allocated, funds - first, firstBySession);
        funds = secondBySession ? left : balance + left;
        require(second <= funds);
        (uint256 balance2, uint256 left2) = Accounting.booked(balance, left, funds - second, secondBySession);
        assert(balance2 + left2 + first + second == uint256(a) + allocated);
        assert(balance2 <= balance && balance <= a && left2 <= left && left <= allocated);
    }
}

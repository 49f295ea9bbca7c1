// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EscrowTest} from "./EscrowTest.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

/// @dev A payer that signs one nonce twice.
contract EquivocationTest is EscrowTest {
    function setUp() public override {
        super.setUp();
        _allocate(payer, recipient, 10 * FACE);
        _fund(payer, FACE);
    }

    function _flag(uint256 keyA, ITicketEscrow.Ticket memory a, uint256 keyB, ITicketEscrow.Ticket memory b) private {
        (bytes32 rA, bytes32 vsA) = _sign(keyA, a);
        (bytes32 rB, bytes32 vsB) = _sign(keyB, b);
        vm.prank(stranger);
        escrow.flagEquivocation(a, rA, vsA, b, rB, vsB);
    }

    function _pair() private view returns (ITicketEscrow.Ticket memory a, ITicketEscrow.Ticket memory b) {
        (a, b) = (_ticket(1), _ticket(1));
        ++b.salt;
    }

    function test_equivocation_flagsThePayerAndEndsItsAllocating() public {
        (ITicketEscrow.Ticket memory a, ITicketEscrow.Ticket memory b) = _pair();
        assertFalse(escrow.isFlagged(payer));
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.PayerFlagged(payer, recipient, stranger, 1, 1);
        _flag(payerKey, a, payerKey, b);
        assertTrue(escrow.isFlagged(payer));
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.PayerIsFlagged.selector, payer));
        vm.prank(payer);
        escrow.allocate(recipient, 1);
    }

    /// The flag repudiates nothing and locks up nothing.
    function test_equivocation_leavesMoneyAndTicketsAsTheyWere() public {
        (ITicketEscrow.Ticket memory a, ITicketEscrow.Ticket memory b) = _pair();
        _flag(payerKey, a, payerKey, b);
        assertEq(_balance(payer), FACE);
        _redeem(_ticket(2));
        _redeem(_ticket(3));
        assertEq(_balance(recipient), 2 * FACE);
        vm.startPrank(payer);
        escrow.thawAllocation(recipient, 9 * FACE);
        vm.warp(START + THAW);
        escrow.releaseAllocation(recipient);
        escrow.withdraw(payable(payer), 9 * FACE);
        vm.stopPrank();
        assertTrue(escrow.isFlagged(payer));
    }

    function test_equivocation_needsTwoTicketsOfOneNonce() public {
        (ITicketEscrow.Ticket memory a, ITicketEscrow.Ticket memory b) = _pair();
        bytes4 none = ITicketEscrow.NoEquivocation.selector;
        (bytes32 rA, bytes32 vsA) = _sign(payerKey, a);
        vm.expectRevert(none); // the same ticket sent twice is the same bytes
        escrow.flagEquivocation(a, rA, vsA, a, rA, vsA);
        for (uint256 i = 0; i < 5; ++i) {
            (, b) = _pair();
            uint256 key = payerKey;
            if (i == 0) b.nonce = 2;
            if (i == 1) b.lane = 2;
            if (i == 2) b.recipient = stranger;
            if (i == 3) (b.payer, key) = (payer2, payer2Key);
            if (i == 4) key = payer2Key;
            (bytes32 rB, bytes32 vsB) = _sign(key, b);
            vm.expectRevert(none);
            escrow.flagEquivocation(a, rA, vsA, b, rB, vsB);
        }
        assertFalse(escrow.isFlagged(payer));
    }

    function test_equivocation_isFlaggedOnce() public {
        (ITicketEscrow.Ticket memory a, ITicketEscrow.Ticket memory b) = _pair();
        _flag(payerKey, a, payerKey, b);
        (bytes32 rA, bytes32 vsA) = _sign(payerKey, a);
        (bytes32 rB, bytes32 vsB) = _sign(payerKey, b);
        vm.expectRevert(ITicketEscrow.NoEquivocation.selector);
        escrow.flagEquivocation(a, rA, vsA, b, rB, vsB);
    }

    function test_equivocation_bySessionKeysConvictsTheirPayer() public {
        (address hot, uint256 hotKey) = makeAddrAndKey("session key");
        vm.prank(payer);
        escrow.setSession(hot, START + 1 days, 0);
        (ITicketEscrow.Ticket memory a, ITicketEscrow.Ticket memory b) = _pair();
        _flag(payerKey, a, hotKey, b);
        assertTrue(escrow.isFlagged(payer));
    }

    /// An old session key that leaks convicts nobody, neither with new tickets nor with old ones.
    function test_equivocation_byAnEndedSessionKeyConvictsNobody() public {
        (address hot, uint256 hotKey) = makeAddrAndKey("session key");
        vm.prank(payer);
        escrow.setSession(hot, START + 1 days, 0);
        vm.warp(START + 1 days + 1);
        (ITicketEscrow.Ticket memory a, ITicketEscrow.Ticket memory b) = _pair();
        for (uint256 i = 0; i < 2; ++i) {
            if (i == 1) (a.expiry, b.expiry) = (START + 1 days, START + 1 days);
            (bytes32 rA, bytes32 vsA) = _sign(hotKey, a);
            (bytes32 rB, bytes32 vsB) = _sign(hotKey, b);
            vm.expectRevert(ITicketEscrow.NoEquivocation.selector);
            escrow.flagEquivocation(a, rA, vsA, b, rB, vsB);
        }
    }

    function test_equivocation_zeroPayerIsNotConvictedByFailedRecovery() public {
        (ITicketEscrow.Ticket memory a, ITicketEscrow.Ticket memory b) = _pair();
        (a.payer, b.payer) = (address(0), address(0));
        vm.expectRevert(ITicketEscrow.NoEquivocation.selector);
        escrow.flagEquivocation(a, 0, 0, b, 0, 0);
    }
}

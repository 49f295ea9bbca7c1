// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {IBoundedPause} from "../src/interfaces/IBoundedPause.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

contract PauseTest is EscrowTest {
    uint64 private constant PAUSER_ROLE = 1;
    AccessManager private manager;
    address private pauser = makeAddr("pauser");
    address private slow = makeAddr("pauser with a delay");
    uint40 private maxPause;
    uint40 private gap;

    function setUp() public override {
        super.setUp();
        manager = new AccessManager(address(this));
        escrow =
            ITicketEscrow(deployCode("TicketEscrow.sol:TicketEscrow", abi.encode(address(0), THAW, address(manager))));
        bytes4[] memory functions = new bytes4[](2);
        functions[0] = IBoundedPause.pause.selector;
        functions[1] = IBoundedPause.unpause.selector;
        manager.setTargetFunctionRole(address(escrow), functions, PAUSER_ROLE);
        manager.grantRole(PAUSER_ROLE, pauser, 0);
        manager.grantRole(PAUSER_ROLE, slow, 1 hours);
        maxPause = escrow.MAX_PAUSE();
        gap = escrow.MIN_PAUSE_GAP();
        _allocate(payer, recipient, 10 * FACE);
    }

    function _pause() private {
        vm.prank(pauser);
        escrow.pause();
    }

    function _expectPaused(uint256 end) private {
        vm.expectRevert(abi.encodeWithSelector(IBoundedPause.PausedUntil.selector, end));
    }

    function test_pause_isThePausersAlone() public {
        address[3] memory others = [stranger, payer, slow];
        for (uint256 i = 0; i < 3; ++i) {
            vm.startPrank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IBoundedPause.Unauthorised.selector, others[i]));
            escrow.pause();
            vm.stopPrank();
        }
        vm.expectEmit(address(escrow));
        emit IBoundedPause.Paused(pauser, START + maxPause);
        _pause();
        vm.expectRevert(abi.encodeWithSelector(IBoundedPause.Unauthorised.selector, stranger));
        vm.prank(stranger);
        escrow.unpause();
        manager.revokeRole(PAUSER_ROLE, pauser);
        vm.expectRevert(abi.encodeWithSelector(IBoundedPause.Unauthorised.selector, pauser));
        vm.prank(pauser);
        escrow.unpause();
    }

    function test_pause_withoutAuthorityIsNobodys() public {
        ITicketEscrow e = _deploy(THAW);
        vm.expectRevert(abi.encodeWithSelector(IBoundedPause.Unauthorised.selector, pauser));
        vm.prank(pauser);
        e.pause();
    }

    function test_pause_stopsAllThatMovesMoneyAndNothingElse() public {
        _fund(payer, 2 * FACE);
        vm.prank(payer);
        escrow.setSession(pauser, START + 30 days, FACE);
        vm.prank(payer);
        escrow.thawAllocation(recipient, FACE);
        vm.warp(START + THAW);
        _pause();
        uint256 end = START + THAW + maxPause;
        ITicketEscrow.Ticket memory t = _ticket(1);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        bytes memory run = _run(_tickets(1, 1), 0);
        vm.deal(payer, 1 ether);
        vm.startPrank(payer);
        _expectPaused(end);
        escrow.deposit{value: 1}();
        _expectPaused(end);
        escrow.depositFor{value: 1}(recipient);
        _expectPaused(end);
        escrow.depositToken(recipient, 1);
        _expectPaused(end);
        escrow.withdraw(payable(payer), 1);
        _expectPaused(end);
        escrow.allocate(recipient, 1);
        _expectPaused(end);
        escrow.releaseAllocation(recipient);
        vm.stopPrank();
        vm.startPrank(recipient);
        _expectPaused(end);
        escrow.redeem(t, RAND, r, vs);
        _expectPaused(end);
        escrow.redeemBatch(run, 0);
        _expectPaused(end);
        escrow.redeemBatchTo(run, 0, payable(recipient));
        _expectPaused(end);
        escrow.redeemBatchOf(recipient, run, 0);
        ITicketEscrow.Settlement memory s = ITicketEscrow.Settlement(payer, recipient, 1, 1, 2, FACE, t.expiry);
        _expectPaused(end);
        escrow.settle(s, r, vs);
        vm.stopPrank();
        ITicketEscrow.RedeemOrder memory o =
            ITicketEscrow.RedeemOrder(recipient, keccak256(run), 0, 0, address(0), 0, type(uint40).max);
        (r, vs) = vm.signCompact(recipientKey, escrow.redeemOrderDigest(o));
        _expectPaused(end);
        escrow.redeemFor(o, run, r, vs);
        vm.startPrank(pauser); // it is a session key of the payer's as well
        _expectPaused(end);
        escrow.allocateFrom(payer, recipient, 1);
        _expectPaused(end);
        escrow.releaseAllocationOf(payer, recipient);
        vm.stopPrank();

        vm.startPrank(payer);
        escrow.thawAllocation(recipient, 2 * FACE);
        escrow.revokeSession(pauser);
        vm.stopPrank();
        vm.prank(recipient);
        escrow.setOperator(stranger, true);
    }

    function test_pause_endsByItselfAndCannotBeRenewedAtOnce() public {
        _pause();
        vm.expectRevert(
            abi.encodeWithSelector(IBoundedPause.PausedTooRecently.selector, START + maxPause + uint256(gap))
        );
        vm.prank(pauser);
        escrow.pause();
        vm.warp(START + maxPause - 1);
        _expectPaused(START + maxPause);
        vm.prank(payer);
        escrow.allocate(recipient, 1);
        vm.warp(START + maxPause);
        _fund(payer, FACE);
        vm.expectRevert(IBoundedPause.NotPaused.selector);
        vm.prank(pauser);
        escrow.unpause();
        vm.warp(START + maxPause + gap - 1);
        vm.expectRevert(
            abi.encodeWithSelector(IBoundedPause.PausedTooRecently.selector, START + maxPause + uint256(gap))
        );
        vm.prank(pauser);
        escrow.pause();
        vm.warp(START + maxPause + gap);
        _pause();
        (uint40 start, uint40 end) = escrow.lastPause();
        assertEq(start, START + maxPause + gap);
        assertEq(end, START + 2 * maxPause + gap);
    }

    function test_pause_extendsAnExpiryByItsLength() public {
        ITicketEscrow.Ticket memory t = _ticket(1); // 10 minutes
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        vm.warp(START + 4 minutes);
        _pause();
        vm.warp(START + 24 hours);
        vm.prank(pauser);
        escrow.unpause();
        uint256 length = 24 hours - 4 minutes;
        assertEq(escrow.payableUntil(t.expiry), t.expiry + length);
        vm.warp(t.expiry + length + 1);
        _expectRefusal(ITicketEscrow.Refusal.Expired);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
        vm.warp(t.expiry + length);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
        assertEq(_balance(recipient), FACE);
    }

    function test_pause_revivesNothingThatHadExpired() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        vm.warp(t.expiry + 1);
        _pause();
        vm.warp(t.expiry + 2);
        vm.prank(pauser);
        escrow.unpause();
        assertEq(escrow.payableUntil(t.expiry), t.expiry);
        _expectRefusal(ITicketEscrow.Refusal.Expired);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
    }

    /// A ticket that was signed well after a pause gains nothing from it.
    function test_pause_extendsNoLaterTicket() public {
        _pause();
        vm.warp(START + 10 days);
        uint40 expiry = uint40(vm.getBlockTimestamp()) + THAW / 2;
        assertEq(escrow.payableUntil(expiry), expiry);
    }

    /// Paused time takes nothing from a ticket: whatever its expiry, it is redeemable after the pause for as long as it would have
    /// been without; and it gains no more than that.
    function testFuzz_pause_costsATicketNoTime(uint40 lifetime, uint40 begins, uint40 lasts) public {
        lifetime = uint40(bound(lifetime, 1, THAW));
        begins = uint40(bound(begins, 0, lifetime));
        lasts = uint40(bound(lasts, 1, maxPause));
        uint40 expiry = START + lifetime;
        vm.warp(START + begins);
        _pause();
        vm.warp(START + begins + lasts);
        if (lasts < maxPause) {
            vm.prank(pauser);
            escrow.unpause();
        }
        assertEq(escrow.payableUntil(expiry), expiry + lasts);
    }

    function testFuzz_payableUntil_isMonotoneAndBounded(uint40 a, uint40 b, uint40 lasts) public {
        a = uint40(bound(a, START - 1 days, START + 60 days));
        b = uint40(bound(b, a, START + 60 days));
        lasts = uint40(bound(lasts, 1, maxPause - 1));
        _pause();
        vm.warp(START + lasts);
        vm.prank(pauser);
        escrow.unpause();
        assertLe(escrow.payableUntil(a), escrow.payableUntil(b));
        assertGe(escrow.payableUntil(a), a);
        assertLe(escrow.payableUntil(a), uint256(a) + lasts);
    }

    function test_pause_extendsAThawByItsLength() public {
        vm.prank(payer);
        escrow.thawAllocation(recipient, FACE);
        vm.warp(START + THAW / 2);
        _pause();
        (,, uint40 thawEnd) = escrow.allocation(payer, recipient);
        assertEq(thawEnd, START + THAW + maxPause, "as if the pause ran to its end");
        vm.warp(START + THAW / 2 + 5 hours);
        vm.prank(pauser);
        escrow.unpause();
        (,, thawEnd) = escrow.allocation(payer, recipient);
        assertEq(thawEnd, START + THAW + 5 hours);
        vm.warp(thawEnd - 1);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.StillThawing.selector, thawEnd));
        vm.prank(payer);
        escrow.releaseAllocation(recipient);
        vm.warp(thawEnd);
        vm.prank(payer);
        assertEq(escrow.releaseAllocation(recipient), FACE);
    }

    function test_pause_leavesAThawThatBeganLaterAlone() public {
        _pause();
        vm.warp(START + maxPause);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.AllocationThawStarted(payer, recipient, FACE, START + maxPause + THAW);
        vm.prank(payer);
        escrow.thawAllocation(recipient, FACE);
        vm.warp(START + maxPause + THAW);
        vm.prank(payer);
        escrow.releaseAllocation(recipient);
    }

    function test_thaw_thatBeginsInAPauseStartsAtItsEnd() public {
        _pause();
        vm.warp(START + 1 hours);
        vm.prank(payer);
        escrow.thawAllocation(recipient, FACE);
        (,, uint40 thawEnd) = escrow.allocation(payer, recipient);
        assertEq(thawEnd, START + maxPause + THAW);
    }

    /// Over several pauses no ticket is out of reach of its allocation: the thaw outlasts every ticket that was good at its start.
    function testFuzz_thaw_outlastsTickets(uint40[3] memory waits, uint40[3] memory lengths, uint40 lifetime) public {
        lifetime = uint40(bound(lifetime, 1, THAW - 1));
        for (uint256 i = 0; i < 3; ++i) {
            vm.warp(vm.getBlockTimestamp() + gap + bound(waits[i], 0, 2 * THAW));
            uint40 now_ = uint40(vm.getBlockTimestamp());
            vm.prank(payer);
            escrow.thawAllocation(recipient, (i + 1) * FACE);
            uint40 expiry = now_ + lifetime;
            vm.warp(now_ + bound(waits[i] >> 8, 0, THAW));
            _pause();
            vm.warp(vm.getBlockTimestamp() + bound(lengths[i], 0, maxPause - 1));
            vm.prank(pauser);
            escrow.unpause();
            (,, uint40 thawEnd) = escrow.allocation(payer, recipient);
            assertGt(thawEnd, escrow.payableUntil(expiry));
        }
    }
}

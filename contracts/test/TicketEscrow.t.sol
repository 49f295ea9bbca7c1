// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EscrowTest} from "./EscrowTest.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

contract FundsTest is EscrowTest {
    function test_constructor_refusesAThawPeriodOutOfRange() public {
        vm.expectRevert();
        this.deploy(0);
        vm.expectRevert();
        this.deploy(90 days + 1);
        assertEq(this.deploy(1).THAW_PERIOD(), 1);
        assertEq(this.deploy(90 days).THAW_PERIOD(), 90 days);
    }

    /// No ticket of an acceptable lifetime meets two pauses.
    function test_constructor_pausesAreAtLeastAThawApart() public {
        assertEq(this.deploy(1 hours).MIN_PAUSE_GAP(), 30 days);
        assertEq(this.deploy(45 days).MIN_PAUSE_GAP(), 45 days);
    }

    function deploy(uint40 thawPeriod) external returns (ITicketEscrow) {
        return _deploy(thawPeriod);
    }

    function test_deposit_creditsTheSender() public {
        vm.deal(payer, 3 ether);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.Deposited(payer, payer, 2 ether);
        vm.prank(payer);
        escrow.deposit{value: 2 ether}();
        (uint256 balance, bool opened) = escrow.account(payer);
        assertEq(balance, 2 ether);
        assertTrue(opened);
    }

    function test_deposit_refusesNothingAndNobody() public {
        vm.expectRevert(ITicketEscrow.ZeroAmount.selector);
        escrow.deposit();
        vm.expectRevert(ITicketEscrow.ZeroAmount.selector);
        escrow.depositFor(payer);
        vm.deal(address(this), 1);
        vm.expectRevert(ITicketEscrow.ZeroAddress.selector);
        escrow.depositFor{value: 1}(address(0));
    }

    function test_plainTransfer_isRefused() public {
        vm.deal(payer, 1 ether);
        vm.prank(payer);
        (bool sent,) = address(escrow).call{value: 1 ether}("");
        assertFalse(sent);
    }

    /// Everything held fits 96 bits, so that no ledger entry can wrap.
    function test_deposits_areCappedAt96Bits() public {
        vm.deal(address(this), uint256(type(uint96).max) + 1);
        escrow.depositFor{value: type(uint96).max}(payer);
        vm.expectRevert(ITicketEscrow.DepositCapExceeded.selector);
        escrow.depositFor{value: 1}(payer2);
        assertEq(_balance(payer), type(uint96).max);
        vm.prank(payer);
        escrow.allocate(recipient, type(uint96).max);
        assertEq(_allocation(payer, recipient), type(uint96).max);
    }

    function test_deposits_countWhatWasForcedIn() public {
        vm.deal(address(escrow), type(uint96).max);
        vm.deal(address(this), 1);
        vm.expectRevert(ITicketEscrow.DepositCapExceeded.selector);
        escrow.depositFor{value: 1}(payer);
    }

    /// Third-party funding that ended another's withdrawal delay was a way to grief.
    function test_depositFor_neverTouchesAThaw() public {
        _allocate(payer, recipient, 5 ether);
        vm.prank(payer);
        escrow.thawAllocation(recipient, 2 ether);
        vm.warp(START + 10 minutes);
        vm.deal(stranger, 1 ether);
        vm.prank(stranger);
        escrow.depositFor{value: 1 ether}(payer);
        (uint256 amount, uint256 thawing, uint256 thawEnd) = escrow.allocation(payer, recipient);
        assertEq(amount, 5 ether);
        assertEq(thawing, 2 ether);
        assertEq(thawEnd, START + THAW);
    }

    function test_withdraw_isImmediateAndGoesWhereItIsTold() public {
        _fund(payer, 3 ether);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.Withdrawn(payer, stranger, 1 ether);
        vm.prank(payer);
        escrow.withdraw(payable(stranger), 1 ether);
        assertEq(stranger.balance, 1 ether);
        assertEq(_balance(payer), 2 ether);
    }

    function test_withdraw_refusesMoreThanTheBalance() public {
        _fund(payer, 1 ether);
        _allocate(payer, recipient, 1 ether);
        vm.startPrank(payer);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.InsufficientBalance.selector, 1 ether, 1 ether + 1));
        escrow.withdraw(payable(payer), 1 ether + 1);
        vm.expectRevert(ITicketEscrow.ZeroAmount.selector);
        escrow.withdraw(payable(payer), 0);
        vm.expectRevert(ITicketEscrow.ZeroAddress.selector);
        escrow.withdraw(payable(address(0)), 1);
        // Neither wraps nor truncates to 96 bits.
        vm.expectRevert(
            abi.encodeWithSelector(ITicketEscrow.InsufficientBalance.selector, 1 ether, (uint256(1) << 96) + 1)
        );
        escrow.withdraw(payable(payer), (uint256(1) << 96) + 1);
    }

    function test_withdraw_cannotBeReentered() public {
        Reenterer thief = new Reenterer(escrow);
        _fund(address(thief), 1 ether);
        _fund(payer, 10 ether);
        thief.steal(1 ether);
        assertTrue(thief.tried(), "the attack must have run");
        assertEq(address(thief).balance, 1 ether);
        assertEq(_balance(address(thief)), 0);
        assertEq(address(escrow).balance, 10 ether);
    }

    function test_withdraw_revertsWhenTheMoneyIsNotTaken() public {
        _fund(payer, 1 ether);
        vm.prank(payer);
        vm.expectRevert(ITicketEscrow.WithdrawalFailed.selector);
        escrow.withdraw(payable(address(escrow)), 1 ether);
        assertEq(_balance(payer), 1 ether);
    }

    function test_allocate_movesBalanceToThePair() public {
        _fund(payer, 3 ether);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.Allocated(payer, recipient, 2 ether);
        vm.prank(payer);
        escrow.allocate(recipient, 2 ether);
        assertEq(_balance(payer), 1 ether);
        assertEq(_allocation(payer, recipient), 2 ether);
        assertEq(_allocation(recipient, payer), 0);
    }

    function test_allocate_refusals() public {
        _fund(payer, 1 ether);
        vm.startPrank(payer);
        vm.expectRevert(ITicketEscrow.SelfAllocation.selector);
        escrow.allocate(payer, 1);
        vm.expectRevert(ITicketEscrow.ZeroAddress.selector);
        escrow.allocate(address(0), 1);
        vm.expectRevert(ITicketEscrow.ZeroAmount.selector);
        escrow.allocate(recipient, 0);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.InsufficientBalance.selector, 1 ether, 2 ether));
        escrow.allocate(recipient, 2 ether);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.InsufficientBalance.selector, 1 ether, uint256(1) << 96));
        escrow.allocate(recipient, uint256(1) << 96);
    }

    function test_thaw_releasesAfterItsPeriodAndNotBefore() public {
        _allocate(payer, recipient, 5 ether);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.AllocationThawStarted(payer, recipient, 3 ether, START + THAW);
        vm.prank(payer);
        escrow.thawAllocation(recipient, 3 ether);

        vm.warp(START + THAW - 1);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.StillThawing.selector, START + THAW));
        vm.prank(payer);
        escrow.releaseAllocation(recipient);

        vm.warp(START + THAW);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.AllocationReleased(payer, recipient, 3 ether);
        vm.prank(payer);
        assertEq(escrow.releaseAllocation(recipient), 3 ether);
        assertEq(_balance(payer), 3 ether);
        (uint256 amount, uint256 thawing, uint256 thawEnd) = escrow.allocation(payer, recipient);
        assertEq(amount, 2 ether);
        assertEq(thawing, 0);
        assertEq(thawEnd, 0);
    }

    function test_thaw_raisingStartsAnewLoweringKeepsTheEndZeroCancels() public {
        _allocate(payer, recipient, 5 ether);
        vm.startPrank(payer);
        escrow.thawAllocation(recipient, 1 ether);
        vm.warp(START + 100);
        escrow.thawAllocation(recipient, 2 ether);
        (, uint256 thawing, uint256 thawEnd) = escrow.allocation(payer, recipient);
        assertEq(thawing, 2 ether);
        assertEq(thawEnd, START + 100 + THAW);

        vm.warp(START + 200);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.AllocationThawReduced(payer, recipient, 1 ether);
        escrow.thawAllocation(recipient, 1 ether);
        (, thawing, thawEnd) = escrow.allocation(payer, recipient);
        assertEq(thawing, 1 ether);
        assertEq(thawEnd, START + 100 + THAW);

        escrow.thawAllocation(recipient, 0);
        (, thawing, thawEnd) = escrow.allocation(payer, recipient);
        assertEq(thawing, 0);
        assertEq(thawEnd, 0);
        vm.warp(START + 10 * THAW);
        vm.expectRevert(ITicketEscrow.NothingThawing.selector);
        escrow.releaseAllocation(recipient);

        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.InsufficientAllocation.selector, 5 ether, 5 ether + 1));
        escrow.thawAllocation(recipient, 5 ether + 1);
    }

    /// A thaw left standing after its release would make later money releasable at once.
    function test_release_endsTheThawSoThatLaterMoneyIsProtected() public {
        _allocate(payer, recipient, 1 ether);
        vm.prank(payer);
        escrow.thawAllocation(recipient, 1 ether);
        vm.warp(START + THAW);
        vm.prank(payer);
        escrow.releaseAllocation(recipient);
        _allocate(payer, recipient, 1 ether);
        vm.prank(payer);
        vm.expectRevert(ITicketEscrow.NothingThawing.selector);
        escrow.releaseAllocation(recipient);
    }

    /// What is added while an older part thaws is credit at once and never part of that thaw.
    function test_topUp_neverBecomesReleasable() public {
        _allocate(payer, recipient, 2 ether);
        vm.prank(payer);
        escrow.thawAllocation(recipient, 2 ether);
        _allocate(payer, recipient, 3 ether);
        vm.warp(START + THAW);
        vm.prank(payer);
        assertEq(escrow.releaseAllocation(recipient), 2 ether);
        assertEq(_allocation(payer, recipient), 3 ether);
    }

    function test_release_isPerPair() public {
        _allocate(payer, recipient, 2 ether);
        _allocate(payer2, recipient, 2 ether);
        vm.prank(payer);
        escrow.thawAllocation(recipient, 2 ether);
        vm.warp(START + THAW);
        vm.prank(payer2);
        vm.expectRevert(ITicketEscrow.NothingThawing.selector);
        escrow.releaseAllocation(recipient);
        vm.prank(recipient);
        vm.expectRevert(ITicketEscrow.NothingThawing.selector);
        escrow.releaseAllocation(recipient);
    }

    /// The thawing part pays first, so a redemption never turns protected money into releasable money.
    function testFuzz_redemption_takesTheThawingPartFirst(uint96 alloc, uint96 thawing, uint96 face) public {
        alloc = uint96(bound(alloc, 1, 1e24));
        thawing = uint96(bound(thawing, 0, alloc));
        face = uint96(bound(face, 1, alloc));
        _allocate(payer, recipient, alloc);
        if (thawing != 0) {
            vm.prank(payer);
            escrow.thawAllocation(recipient, thawing);
        }
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.faceValue = face;
        _redeem(t);
        (uint256 amount, uint256 left, uint256 thawEnd) = escrow.allocation(payer, recipient);
        assertEq(amount, alloc - face);
        assertEq(left, thawing > face ? thawing - face : 0);
        assertEq(thawEnd == 0, left == 0);
        // Credit is touched only by what the thawing part did not cover.
        uint256 credit = alloc - thawing;
        assertEq(amount - left, face > thawing ? credit - (face - thawing) : credit);
    }
}

/// @dev Tries to take its balance again while it is being paid.
contract Reenterer {
    ITicketEscrow private immutable ESCROW;
    bool public tried;

    constructor(ITicketEscrow escrow) {
        ESCROW = escrow;
    }

    function steal(uint256 amount) external {
        ESCROW.withdraw(payable(address(this)), amount);
    }

    receive() external payable {
        tried = true;
        try ESCROW.withdraw(payable(address(this)), msg.value) {
            revert("paid twice");
        } catch {}
        try ESCROW.allocate(msg.sender, msg.value) {
            revert("spent twice");
        } catch {}
    }
}

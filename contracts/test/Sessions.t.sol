// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EscrowTest} from "./EscrowTest.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

contract SessionsTest is EscrowTest {
    address private hot;
    uint256 private hotKey;
    uint40 private constant UNTIL = START + 30 days;

    function setUp() public override {
        super.setUp();
        (hot, hotKey) = makeAddrAndKey("session key");
        _allocate(payer, recipient, 10 * FACE);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.SessionSet(payer, hot, UNTIL, 5 * FACE);
        vm.prank(payer);
        escrow.setSession(hot, UNTIL, 5 * FACE);
    }

    function _redeemBy(uint256 key, ITicketEscrow.Ticket memory t) private {
        (bytes32 r, bytes32 vs) = _sign(key, t);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
    }

    function _refusedBy(uint256 key, ITicketEscrow.Ticket memory t, ITicketEscrow.Refusal reason) private {
        (bytes32 r, bytes32 vs) = _sign(key, t);
        _expectRefusal(reason);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
    }

    function test_session_signsForItsPayerOutOfTheAllocation() public {
        _fund(payer, 3 * FACE);
        _redeemBy(hotKey, _ticket(1));
        assertEq(_balance(recipient), FACE);
        assertEq(_balance(payer), 3 * FACE, "a session key must not reach the balance");
        assertEq(_allocation(payer, recipient), 9 * FACE);
    }

    function test_session_cannotReachTheBalance() public {
        _fund(payer2, 3 * FACE);
        vm.prank(payer2);
        escrow.setSession(hot, UNTIL, 0);
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.payer = payer2;
        _refusedBy(hotKey, t, ITicketEscrow.Refusal.Underfunded);
        bytes memory run = _runFrom(payer2, hotKey, 1, 2);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.PaidBelowMinimum.selector, 0, 0));
        _redeemBatch(run, 0);
    }

    function test_session_ofAnotherPayerSignsNothing() public {
        (, uint256 strangerKey) = makeAddrAndKey("nobody's session");
        _refusedBy(strangerKey, _ticket(1), ITicketEscrow.Refusal.BadSignature);
        _allocate(payer2, recipient, FACE);
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.payer = payer2;
        _refusedBy(hotKey, t, ITicketEscrow.Refusal.BadSignature);
    }

    function test_session_ticketMustExpireWithinItsValidity() public {
        vm.warp(UNTIL - 1 minutes);
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.expiry = UNTIL + 1;
        _refusedBy(hotKey, t, ITicketEscrow.Refusal.SessionEnded);
        t.expiry = UNTIL;
        vm.warp(UNTIL);
        _redeemBy(hotKey, t);
        assertEq(_balance(recipient), FACE);
    }

    /// What recipients accepted before a revocation stays good; what the key signs for later does not.
    function test_revocation_thawsAndRepudiatesNothing() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.expiry = START + THAW; // the longest lifetime a recipient accepts
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.SessionRevoked(payer, hot, START + THAW);
        vm.prank(payer);
        escrow.revokeSession(hot);
        ITicketEscrow.Ticket memory late = _ticket(2);
        late.expiry = START + THAW + 1;
        _refusedBy(hotKey, late, ITicketEscrow.Refusal.SessionEnded);
        vm.warp(START + THAW);
        _redeemBy(hotKey, t);
        assertEq(_balance(recipient), FACE);
    }

    function test_revocation_neverLengthensASession() public {
        vm.warp(UNTIL - 10);
        vm.prank(payer);
        escrow.revokeSession(hot);
        (uint40 validUntil, uint96 cap, uint96 left) = escrow.session(payer, hot);
        assertEq(validUntil, UNTIL);
        assertEq(cap, 0);
        assertEq(left, 0);
        vm.warp(UNTIL + 1);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.SessionInvalid.selector, payer, hot));
        vm.prank(payer);
        escrow.revokeSession(hot);
    }

    function test_setSession_refusals() public {
        vm.startPrank(payer);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.SessionShortened.selector, UNTIL));
        escrow.setSession(hot, UNTIL - 1, 1);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.SessionInvalid.selector, payer, payer));
        escrow.setSession(payer, UNTIL, 1);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.SessionInvalid.selector, payer, address(0)));
        escrow.setSession(address(0), UNTIL, 1);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.SessionInvalid.selector, payer, stranger));
        escrow.setSession(stranger, START, 1);
        escrow.setSession(hot, UNTIL + 1, 1);
    }

    /// The cap binds what a key allocates on one day, and only that.
    function test_cap_bindsAllocatingPerDay() public {
        _fund(payer, 20 * FACE);
        vm.startPrank(hot);
        escrow.allocateFrom(payer, stranger, 3 * FACE);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.SessionCapExceeded.selector, 2 * FACE, 2 * FACE + 1));
        escrow.allocateFrom(payer, stranger, 2 * FACE + 1);
        escrow.allocateFrom(payer, recipient, 2 * FACE);
        (,, uint96 left) = escrow.session(payer, hot);
        assertEq(left, 0);
        vm.warp(START + 1 days);
        (,, left) = escrow.session(payer, hot);
        assertEq(left, 5 * FACE);
        escrow.allocateFrom(payer, stranger, 5 * FACE);
        vm.stopPrank();
        assertEq(_allocation(payer, stranger), 8 * FACE);
        assertEq(_balance(payer), 10 * FACE);
        // Redemptions are past the cap's reach.
        for (uint64 n = 1; n <= 12; ++n) {
            _redeemBy(hotKey, _ticket(n));
        }
        assertEq(_balance(recipient), 12 * FACE);
    }

    function test_cap_loweredBelowWhatWasSpentLeavesNothing() public {
        _fund(payer, 9 * FACE);
        vm.prank(hot);
        escrow.allocateFrom(payer, stranger, 4 * FACE);
        vm.prank(payer);
        escrow.setSession(hot, UNTIL, 3 * FACE);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.SessionCapExceeded.selector, 0, 1));
        vm.prank(hot);
        escrow.allocateFrom(payer, stranger, 1);
        vm.prank(payer);
        escrow.setSession(hot, UNTIL, 6 * FACE);
        vm.prank(hot);
        escrow.allocateFrom(payer, stranger, 2 * FACE);
    }

    function testFuzz_cap_neverLetsMoreThroughOnOneDay(uint96[8] memory amounts, uint32[8] memory pauses) public {
        _fund(payer, 100 * FACE);
        uint256 day = START / 1 days;
        uint256 spent;
        for (uint256 i = 0; i < 8; ++i) {
            vm.warp(vm.getBlockTimestamp() + pauses[i] % 12 hours);
            if (vm.getBlockTimestamp() / 1 days != day) (day, spent) = (vm.getBlockTimestamp() / 1 days, 0);
            uint256 amount = bound(amounts[i], 1, 6 * FACE);
            vm.prank(hot);
            try escrow.allocateFrom(payer, stranger, amount) {
                spent += amount;
            } catch {
                assertGt(spent + amount, 5 * FACE);
            }
            assertLe(spent, 5 * FACE);
        }
    }

    function test_session_thawsAndReleasesToItsPayer() public {
        vm.startPrank(hot);
        escrow.thawAllocationOf(payer, recipient, 4 * FACE);
        vm.warp(START + THAW);
        assertEq(escrow.releaseAllocationOf(payer, recipient), 4 * FACE);
        vm.stopPrank();
        assertEq(_balance(payer), 4 * FACE);
        assertEq(_balance(hot), 0);
    }

    function test_session_functionsRefuseStrangersAndEndedSessions() public {
        for (uint256 i = 0; i < 2; ++i) {
            address who = i == 0 ? stranger : hot;
            if (i == 1) vm.warp(UNTIL + 1);
            bytes memory invalid = abi.encodeWithSelector(ITicketEscrow.SessionInvalid.selector, payer, who);
            vm.startPrank(who);
            vm.expectRevert(invalid);
            escrow.allocateFrom(payer, recipient, 1);
            vm.expectRevert(invalid);
            escrow.thawAllocationOf(payer, recipient, 1);
            vm.expectRevert(invalid);
            escrow.releaseAllocationOf(payer, recipient);
            vm.stopPrank();
        }
    }

    function test_revokedSession_allocatesNothingAtOnce() public {
        _fund(payer, FACE);
        vm.prank(payer);
        escrow.revokeSession(hot);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.SessionCapExceeded.selector, 0, 1));
        vm.prank(hot);
        escrow.allocateFrom(payer, recipient, 1);
    }

    /// One run may hold tickets of the payer and of its session keys: each draws on what its signer may spend.
    function test_run_ofSeveralSignersIsPaidInOrder() public {
        (address hot2, uint256 hot2Key) = makeAddrAndKey("second session key");
        vm.prank(payer);
        escrow.setSession(hot2, UNTIL, 0);
        _fund(payer, 2 * FACE);
        uint256[5] memory keys = [payerKey, hotKey, payerKey, hot2Key, payerKey];
        ITicketEscrow.Ticket[] memory tickets = _tickets(1, 5);
        assertEq(_redeemBatch(_signedBy(keys, tickets, 5 * FACE), 0), 5 * FACE);
        // The payer's three took the balance and one face value of the allocation, the keys' two the allocation.
        assertEq(_balance(payer), 0);
        assertEq(_allocation(payer, recipient), 7 * FACE);
    }

    function test_run_stopsAtAStrangersSignature() public {
        (, uint256 strangerKey) = makeAddrAndKey("nobody's session");
        uint256[5] memory keys = [hotKey, hotKey, strangerKey, payerKey, payerKey];
        assertEq(_redeemBatch(_signedBy(keys, _tickets(1, 5), 0), 0), 2 * FACE);
        assertEq(_watermark(1), 2);
    }

    function testFuzz_run_ofSeveralSignersEqualsSingles(uint256 dice) public {
        _fund(payer, 1 + dice % (4 * uint256(FACE)));
        vm.startPrank(payer);
        escrow.thawAllocation(recipient, 6 * FACE);
        vm.warp(START + THAW);
        escrow.releaseAllocation(recipient);
        escrow.withdraw(payable(stranger), 6 * FACE);
        vm.stopPrank();
        uint256[5] memory keys;
        for (uint256 i = 0; i < 5; ++i) {
            keys[i] = (dice >> (100 + i)) % 2 == 0 ? payerKey : hotKey;
        }
        ITicketEscrow.Ticket[] memory tickets = _tickets(1, 5);
        bytes memory run = _signedBy(keys, tickets, 0);
        uint256 state = vm.snapshotState();
        uint256 paid;
        for (uint256 i = 0; i < 5; ++i) {
            (bytes32 r, bytes32 vs) = _sign(keys[i], tickets[i]);
            vm.prank(recipient);
            try escrow.redeem(tickets[i], RAND, r, vs) {
                paid += FACE;
            } catch {
                break;
            }
        }
        uint256 balance = _balance(payer);
        uint256 allocated = _allocation(payer, recipient);
        vm.revertToState(state);
        assertEq(_redeemBatch(run, 0), paid);
        assertEq(_balance(payer), balance);
        assertEq(_allocation(payer, recipient), allocated);
    }

    function _signedBy(uint256[5] memory keys, ITicketEscrow.Ticket[] memory tickets, uint256 minPayout)
        private
        view
        returns (bytes memory run)
    {
        ITicketEscrow.Ticket memory t = tickets[0];
        run = abi.encodePacked(t.payer, t.lane, t.faceValue, t.expiry, RAND, uint96(minPayout), uint16(tickets.length));
        for (uint256 i = 0; i < tickets.length; ++i) {
            (bytes32 r, bytes32 vs) = _sign(keys[i], tickets[i]);
            run = bytes.concat(run, abi.encodePacked(tickets[i].nonce, tickets[i].salt, tickets[i].winProb, r, vs));
        }
    }
}

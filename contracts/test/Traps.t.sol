// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EscrowTest} from "./EscrowTest.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

/// @dev The traps that designs of this kind fell into, one test each. Where the contract cannot keep a rule by itself, the test
/// shows what happens to a recipient or payer that breaks it, so that the rule's reason stays true.
contract TrapsTest is EscrowTest {
    function setUp() public override {
        super.setUp();
        _allocate(payer, recipient, 10 * FACE);
    }

    function _refused(uint256 key, ITicketEscrow.Ticket memory t, ITicketEscrow.Refusal reason) private {
        (bytes32 r, bytes32 vs) = _sign(key, t);
        _expectRefusal(reason);
        vm.prank(t.recipient);
        escrow.redeem(t, RAND, r, vs);
    }

    /// A balance that is read before and written after the other side's is minted out of nothing when both are one account.
    function test_trap01_selfPayment_mintsNothing() public {
        _fund(payer, 2 * FACE);
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.recipient = payer;
        _refused(payerKey, t, ITicketEscrow.Refusal.SelfPayment);
        // By a relayer, an operator or a pay-out the payer does not get around it either.
        ITicketEscrow.Ticket[] memory tickets = new ITicketEscrow.Ticket[](1);
        tickets[0] = t;
        bytes memory run = _run(tickets, 0);
        bytes memory nothing = abi.encodeWithSelector(ITicketEscrow.PaidBelowMinimum.selector, 0, 0);
        vm.startPrank(payer);
        vm.expectRevert(nothing);
        escrow.redeemBatchTo(run, 0, payable(payer));
        escrow.setOperator(recipient, true);
        vm.stopPrank();
        vm.expectRevert(nothing);
        vm.prank(recipient);
        escrow.redeemBatchOf(payer, run, 0);
        ITicketEscrow.RedeemOrder memory o =
            ITicketEscrow.RedeemOrder(payer, keccak256(run), 0, 0, address(0), 0, type(uint40).max);
        (bytes32 r, bytes32 vs) = vm.signCompact(payerKey, escrow.redeemOrderDigest(o));
        vm.expectRevert(nothing);
        escrow.redeemFor(o, run, r, vs);
        // A relayer that is the payer: debits come first, credits are added to what they left.
        run = _run(_tickets(1, 3), 0);
        o = ITicketEscrow.RedeemOrder(recipient, keccak256(run), 0, FACE, address(0), 0, type(uint40).max);
        (r, vs) = vm.signCompact(recipientKey, escrow.redeemOrderDigest(o));
        vm.prank(payer);
        escrow.redeemFor(o, run, r, vs);
        assertEq(_balance(payer) + _balance(recipient) + _allocation(payer, recipient), address(escrow).balance);
    }

    /// `min(thawing, allocation)` at the end of a thaw lets a redemption eat the part that is not thawing, and a top-up after
    /// it thaws at once.
    function test_trap02_thawingPartPaysFirst_andATopUpNeverThaws() public {
        vm.prank(payer);
        escrow.thawAllocation(recipient, 6 * FACE);
        for (uint64 n = 1; n <= 5; ++n) {
            _redeem(_ticket(n));
        }
        (uint256 amount, uint256 thawing,) = escrow.allocation(payer, recipient);
        assertEq(amount - thawing, 4 * FACE, "the recipient's credit must be untouched");
        assertEq(thawing, FACE);
        _allocate(payer, recipient, 9 * FACE);
        vm.warp(START + THAW);
        vm.prank(payer);
        assertEq(escrow.releaseAllocation(recipient), FACE);
        assertEq(_allocation(payer, recipient), 13 * FACE);
    }

    /// Keyed by lane, an allocation would have to be held once for every lane.
    function test_trap03_allocationIsPerPair_notPerLane() public {
        for (uint16 lane = 0; lane < 10; ++lane) {
            ITicketEscrow.Ticket memory t = _ticket(1);
            t.lane = lane * 6553;
            _redeem(t);
        }
        assertEq(_balance(recipient), 10 * FACE);
        ITicketEscrow.Ticket memory last = _ticket(1);
        last.lane = type(uint16).max;
        _refused(payerKey, last, ITicketEscrow.Refusal.Underfunded);
    }

    /// A slot that is cleared with every withdrawal costs 17,100 more at the next income.
    function test_trap04_drainedAccount_keepsASentinel() public {
        _redeem(_ticket(1));
        vm.prank(recipient);
        escrow.withdraw(payable(recipient), FACE);
        (uint256 balance, bool opened) = escrow.account(recipient);
        assertEq(balance, 0);
        assertTrue(opened);
        assertTrue(vm.load(address(escrow), keccak256(abi.encode(recipient, ACCOUNTS_SLOT))) != 0);
    }

    /// One run whose payer has no money, whose signature is bad, or that expired, must not take the others down.
    function test_trap05_badRun_isSkippedUnchanged_andAGlobalMinimumHolds() public {
        bytes memory good = _run(_tickets(1, 2), 2 * FACE);
        bytes memory poor = _runFrom(payer2, payer2Key, 1, 2);
        _fund(payer2, FACE); // pays one of two, below the run's own minimum
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.RunStopped(payer2, recipient, 1, 2, ITicketEscrow.Refusal.Underfunded);
        assertEq(_redeemBatch(bytes.concat(poor, good), 2 * FACE), 2 * FACE);
        assertEq(_balance(payer2), FACE, "the skipped run must be unchanged");
        assertEq(escrow.laneWatermark(payer2, recipient, 1), 0);
        bytes memory more = bytes.concat(poor, _run(_tickets(3, 2), 2 * FACE));
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.PaidBelowMinimum.selector, 2 * FACE, 2 * FACE + 1));
        _redeemBatch(more, 2 * FACE + 1);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.PaidBelowMinimum.selector, 0, 0));
        _redeemBatch(poor, 0);
    }

    function test_trap06_prefixStops_watermarkIsTheLastPaid_andRunsShareState() public {
        ITicketEscrow.Ticket[] memory tickets = _tickets(1, 6);
        tickets[3].nonce = 3; // not ascending
        bytes memory run = _run(tickets, 0);
        assertEq(_redeemBatch(run, 0), 3 * FACE);
        assertEq(_watermark(1), 3);
        // Two runs of one payer and lane: the second sees what the first paid.
        bytes memory ten = bytes.concat(_run(_tickets(4, 5), 0), _run(_tickets(7, 5), 0), _run(_tickets(9, 5), 0));
        assertEq(_redeemBatch(ten, 0), 7 * FACE); // 4 to 8; 7 is used; 9 and 10 exhaust the allocation
        assertEq(_watermark(1), 10);
    }

    /// A nonce above 64 bits passes a comparison of words and moves the watermark back when it is cut off.
    function test_trap07_dirtyHighBits_neverMoveTheWatermarkBack() public {
        _redeem(_ticket(9));
        ITicketEscrow.Ticket memory t = _ticket(7);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        bytes memory call = abi.encodeCall(escrow.redeem, (t, RAND, r, vs));
        call[4 + 32 * 3 + 23] = 0x01; // bit 64 of the nonce
        vm.prank(recipient);
        (bool ok,) = address(escrow).call(call);
        assertFalse(ok);
        assertEq(_watermark(1), 9);
        ITicketEscrow.Settlement memory s = ITicketEscrow.Settlement(payer, recipient, 1, 3, 4, FACE, type(uint40).max);
        (r, vs) = vm.signCompact(payerKey, escrow.settlementDigest(s));
        call = abi.encodeCall(escrow.settle, (s, r, vs));
        call[4 + 32 * 3 + 23] = 0x01; // bit 64 of fromNonce
        vm.prank(recipient);
        (ok,) = address(escrow).call(call);
        assertFalse(ok);
        assertEq(_watermark(1), 9);
    }

    /// A recipient that redeems a huge nonce ends the lane, and only that: it keeps a window off chain.
    function test_trap08_hugeNonce_endsOnlyItsLane() public {
        _redeem(_ticket(type(uint64).max));
        _refused(payerKey, _ticket(type(uint64).max), ITicketEscrow.Refusal.NonceUsed);
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.lane = 2;
        _redeem(t);
        assertEq(_balance(recipient), 2 * FACE);
    }

    /// Neither revoking a key, nor lowering its cap, nor a contract that changes its mind takes back an issued winner.
    function test_trap09_nothingRepudiatesAnIssuedWinner() public {
        (address hot, uint256 hotKey) = makeAddrAndKey("session key");
        vm.startPrank(payer);
        escrow.setSession(hot, START + 10 days, FACE);
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.expiry = START + THAW;
        escrow.setSession(hot, START + 10 days, 0);
        escrow.revokeSession(hot);
        vm.stopPrank();
        (bytes32 r, bytes32 vs) = _sign(hotKey, t);
        vm.warp(START + THAW);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
        assertEq(_balance(recipient), FACE);
        // What outlives the session was refusable from the start, and by the same rule on chain.
        t.nonce = 2;
        t.expiry = START + THAW + 1;
        _refused(hotKey, t, ITicketEscrow.Refusal.SessionEnded);
        // A contract's own signature does not count at all.
        t = _ticket(3);
        t.payer = address(new Wavering());
        _allocateAs(t.payer);
        _refused(payerKey, t, ITicketEscrow.Refusal.BadSignature);
    }

    function _allocateAs(address from) private {
        _fund(from, FACE);
        vm.prank(from);
        escrow.allocate(recipient, FACE);
    }

    /// A payer empties its balance within one transaction, thaw or no thaw; credit is what no thaw takes before a ticket ends.
    function test_trap10_balanceProtectsNobody_allocationDoes() public {
        _fund(payer, 5 * FACE);
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.recipient = payer2; // a friend of the payer
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        vm.prank(payer2);
        escrow.redeem(t, RAND, r, vs);
        vm.startPrank(payer);
        escrow.allocate(payer2, 2 * FACE);
        escrow.withdraw(payable(payer), 2 * FACE);
        escrow.thawAllocation(recipient, 10 * FACE);
        vm.stopPrank();
        assertEq(_balance(payer), 0);
        t = _ticket(1);
        t.expiry = START + THAW - 1; // ends inside the thaw, so it was credit when it was accepted
        (r, vs) = _sign(payerKey, t);
        vm.warp(t.expiry);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
        assertEq(_balance(recipient), FACE);
    }

    /// One secret serves any number of tickets until it is shown once, and a call that reverts shows it too: from then on the
    /// payer can choose salts that lose.
    function test_trap11_disclosedRand_letsThePayerChooseTheDraw() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.winProb = ALWAYS / 2;
        _refusedOrNot(t);
        // The reverted call's data holds the rand. The payer signs only what loses now.
        for (uint64 n = 2; n < 32; ++n) {
            t.nonce = n;
            while (escrow.isWinning(RAND, escrow.ticketDigest(t), t.winProb)) ++t.salt;
            _refused(payerKey, t, ITicketEscrow.Refusal.NotWinning);
        }
    }

    function _refusedOrNot(ITicketEscrow.Ticket memory t) private {
        while (escrow.isWinning(RAND, escrow.ticketDigest(t), t.winProb)) ++t.salt;
        _refused(payerKey, t, ITicketEscrow.Refusal.NotWinning);
    }

    /// A secret derived from the same seed and parameters is the same secret: after one set was redeemed, tickets of its twin
    /// have a known draw. The hash alone shows a payer the reuse.
    function test_trap12_reusedSeed_yieldsAKnownRand() public {
        bytes32 rand = keccak256(abi.encode("seed", payer, FACE));
        bytes32 again = keccak256(abi.encode("seed", payer, FACE));
        bytes32 fresh = keccak256(abi.encode("another seed", payer, FACE));
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.recipientRandHash = keccak256(abi.encodePacked(rand));
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        vm.prank(recipient);
        escrow.redeem(t, rand, r, vs);
        ITicketEscrow.Ticket memory twin = _ticket(2);
        twin.recipientRandHash = keccak256(abi.encodePacked(again));
        twin.winProb = ALWAYS / 2;
        assertEq(twin.recipientRandHash, t.recipientRandHash);
        while (escrow.isWinning(rand, escrow.ticketDigest(twin), twin.winProb)) ++twin.salt;
        (r, vs) = _sign(payerKey, twin);
        _expectRefusal(ITicketEscrow.Refusal.NotWinning);
        vm.prank(recipient);
        escrow.redeem(twin, again, r, vs);
        // Of a fresh seed the payer's choice says nothing: the disclosed rand is not the preimage.
        twin.recipientRandHash = keccak256(abi.encodePacked(fresh));
        (r, vs) = _sign(payerKey, twin);
        _expectRefusal(ITicketEscrow.Refusal.WrongRand);
        vm.prank(recipient);
        escrow.redeem(twin, rand, r, vs);
    }

    /// With a salt it can predict a recipient grinds a secret that wins; a second signature over one nonce is a second draw,
    /// and convicts the payer that was talked into it.
    function test_trap13_predictableSalt_orASecondSignature_isASecondDraw() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.winProb = ALWAYS / 16;
        bytes32 rand = RAND;
        for (uint256 tries = 0;; ++tries) {
            assertLt(tries, 1000);
            rand = keccak256(abi.encode(rand));
            t.recipientRandHash = keccak256(abi.encodePacked(rand));
            if (escrow.isWinning(rand, escrow.ticketDigest(t), t.winProb)) break;
        }
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        uint256 state = vm.snapshotState();
        vm.prank(recipient);
        escrow.redeem(t, rand, r, vs);
        assertEq(_balance(recipient), FACE);
        vm.revertToState(state);

        ITicketEscrow.Ticket memory second = _ticket(1);
        second.salt = t.salt + 1;
        assertTrue(escrow.ticketDigest(second) != escrow.ticketDigest(t));
        (bytes32 r2, bytes32 vs2) = _sign(payerKey, second);
        escrow.flagEquivocation(t, r, vs, second, r2, vs2);
        assertTrue(escrow.isFlagged(payer));
        // Of the two draws one at most is paid.
        vm.prank(recipient);
        escrow.redeem(second, RAND, r2, vs2);
        _expectRefusal(ITicketEscrow.Refusal.NonceUsed);
        vm.prank(recipient);
        escrow.redeem(t, rand, r, vs);
    }

    /// 2^64 - 1 compared by "less than" alone loses once in 2^64.
    function test_trap14_alwaysWins_isATestOfItsOwn() public view {
        // No draw of 2^64 - 1 can be found; that the comparison is not the reason is seen one below.
        for (uint256 i = 0; i < 64; ++i) {
            bytes32 digest = keccak256(abi.encode(i));
            uint64 draw = uint64(uint256(keccak256(abi.encodePacked(RAND, digest))));
            assertTrue(escrow.isWinning(RAND, digest, ALWAYS));
            assertFalse(escrow.isWinning(RAND, digest, draw), "a draw equal to the probability loses");
        }
    }

    function test_trap15_depositsTogether_stayBelow96Bits() public {
        uint256 room = type(uint96).max - address(escrow).balance;
        vm.deal(address(this), room + 1);
        vm.expectRevert(ITicketEscrow.DepositCapExceeded.selector);
        escrow.depositFor{value: room + 1}(stranger);
        escrow.depositFor{value: room}(stranger);
        // The greatest amounts there can be still add up.
        vm.prank(stranger);
        escrow.allocate(payer, room);
        _redeem(_ticket(1));
        assertEq(_allocation(stranger, payer), room);
        vm.deal(address(this), 1);
        vm.expectRevert(ITicketEscrow.DepositCapExceeded.selector);
        escrow.depositFor{value: 1}(stranger);
    }

    /// An operator that redeems the highest nonce first burns the winners below: it is trusted, and loses that at once.
    function test_trap16_operatorCanBurnWinners_andIsRevokedAtOnce() public {
        vm.prank(recipient);
        escrow.setOperator(stranger, true);
        ITicketEscrow.Ticket memory high = _ticket(9);
        (bytes32 r, bytes32 vs) = _sign(payerKey, high);
        vm.prank(stranger);
        escrow.redeem(high, RAND, r, vs);
        _refused(payerKey, _ticket(5), ITicketEscrow.Refusal.NonceUsed);
        vm.prank(recipient);
        escrow.setOperator(stranger, false);
        high = _ticket(20);
        (r, vs) = _sign(payerKey, high);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.NotRecipient.selector, stranger));
        vm.prank(stranger);
        escrow.redeem(high, RAND, r, vs);
        _redeem(_ticket(10));
    }

    /// The contract cannot know how long tickets may live: a recipient refuses what outlives a thaw.
    function test_trap17_longExpiry_isTheRecipientsToRefuse() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.expiry = START + THAW + 1;
        vm.startPrank(payer);
        escrow.thawAllocation(recipient, 10 * FACE);
        vm.warp(START + THAW);
        escrow.releaseAllocation(recipient);
        escrow.withdraw(payable(payer), 10 * FACE);
        vm.stopPrank();
        _refused(payerKey, t, ITicketEscrow.Refusal.Underfunded);
    }
}

/// @dev Approves what it likes when it likes.
contract Wavering {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return this.isValidSignature.selector;
    }
}

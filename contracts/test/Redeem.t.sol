// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EscrowTest} from "./EscrowTest.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

contract RedeemTest is EscrowTest {
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    function setUp() public override {
        super.setUp();
        _allocate(payer, recipient, 10 * FACE);
    }

    // --------------------------------------------------------------- single

    function test_redeem_paysFaceValueToTheRecipientsBalance() public {
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.Redeemed(payer, recipient, 1, 5, 1, FACE);
        _redeem(_ticket(5));
        assertEq(_balance(recipient), FACE);
        assertEq(_allocation(payer, recipient), 9 * FACE);
        assertEq(_watermark(1), 5);
    }

    function test_redeem_drawsOnTheBalanceFirstAndMayBeSplit() public {
        _fund(payer, FACE + FACE / 4);
        _redeem(_ticket(1));
        assertEq(_balance(payer), FACE / 4);
        assertEq(_allocation(payer, recipient), 10 * FACE);
        _redeem(_ticket(2));
        assertEq(_balance(payer), 0);
        assertEq(_allocation(payer, recipient), 9 * FACE + FACE / 4);
    }

    function test_income_isSpendableAsTheRecipientsOwnDeposit() public {
        _redeem(_ticket(1));
        vm.prank(recipient);
        escrow.allocate(stranger, FACE / 2);
        assertEq(_allocation(recipient, stranger), FACE / 2);
        vm.prank(recipient);
        escrow.withdraw(payable(recipient), FACE / 2);
        assertEq(recipient.balance, FACE / 2);
    }

    function test_redeem_refusesALosingTicket() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.winProb = 0;
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        _expectRefusal(ITicketEscrow.Refusal.NotWinning);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
    }

    function test_redeem_refusesAfterExpiryAndPaysInItsLastSecond() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        vm.warp(t.expiry + 1);
        _expectRefusal(ITicketEscrow.Refusal.Expired);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
        vm.warp(t.expiry);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
        assertEq(_balance(recipient), FACE);
    }

    function test_redeem_refusesAnotherRand() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        _expectRefusal(ITicketEscrow.Refusal.WrongRand);
        vm.prank(recipient);
        escrow.redeem(t, keccak256("another"), r, vs);
    }

    function test_redeem_refusesAZeroFaceValue() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.faceValue = 0;
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        _expectRefusal(ITicketEscrow.Refusal.ZeroFaceValue);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
    }

    /// Money never pays a ticket in part: the ticket would be used up for dust.
    function test_dustGriefing_underfundedTicketIsNotConsumed() public {
        _allocate(payer2, recipient, FACE - 1);
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.payer = payer2;
        (bytes32 r, bytes32 vs) = _sign(payer2Key, t);
        _expectRefusal(ITicketEscrow.Refusal.Underfunded);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
        assertEq(escrow.laneWatermark(payer2, recipient, 1), 0);
        _fund(payer2, 1);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
        assertEq(_balance(recipient), FACE);
    }

    /// A cached balance would mint money when payer and recipient are one account.
    function test_selfPayment_mintsNothing() public {
        _fund(payer, 2 * FACE);
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.recipient = payer;
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        _expectRefusal(ITicketEscrow.Refusal.SelfPayment);
        vm.prank(payer);
        escrow.redeem(t, RAND, r, vs);

        ITicketEscrow.Ticket[] memory tickets = new ITicketEscrow.Ticket[](1);
        tickets[0] = t;
        bytes memory run = _run(tickets, 0);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.PaidBelowMinimum.selector, 0, 0));
        vm.prank(payer);
        escrow.redeemBatch(run, 0);
        assertEq(_balance(payer), 2 * FACE);
    }

    /// Two accounts that pay each other in one batch's reach conserve the sum.
    function test_selfPayment_throughAPartnerConservesMoney() public {
        _fund(payer, FACE);
        _redeem(_ticket(1));
        ITicketEscrow.Ticket memory t = _ticket(1);
        (t.payer, t.recipient) = (recipient, payer);
        (bytes32 r, bytes32 vs) = _sign(recipientKey, t);
        vm.prank(payer);
        escrow.redeem(t, RAND, r, vs);
        assertEq(_balance(payer), FACE);
        assertEq(_balance(recipient), 0);
        assertEq(address(escrow).balance, 11 * FACE);
    }

    function test_replay_refusedOnNonceChainAndContract() public {
        ITicketEscrow.Ticket memory t = _ticket(3);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        vm.startPrank(recipient);
        escrow.redeem(t, RAND, r, vs);
        _expectRefusal(ITicketEscrow.Refusal.NonceUsed);
        escrow.redeem(t, RAND, r, vs);
        vm.stopPrank();

        ITicketEscrow.Ticket memory lower = _ticket(2);
        (bytes32 r2, bytes32 vs2) = _sign(payerKey, lower);
        _expectRefusal(ITicketEscrow.Refusal.NonceUsed);
        vm.prank(recipient);
        escrow.redeem(lower, RAND, r2, vs2);

        // A fork of the chain computes another separator; so does a second deployment.
        ITicketEscrow.Ticket memory next = _ticket(4);
        (r, vs) = _sign(payerKey, next);
        uint256 chain = block.chainid;
        vm.chainId(chain + 1);
        _expectRefusal(ITicketEscrow.Refusal.BadSignature);
        vm.prank(recipient);
        escrow.redeem(next, RAND, r, vs);
        vm.chainId(chain);

        ITicketEscrow other = _deploy(THAW);
        vm.deal(address(this), FACE);
        other.depositFor{value: FACE}(payer);
        _expectRefusal(ITicketEscrow.Refusal.BadSignature);
        vm.prank(recipient);
        other.redeem(next, RAND, r, vs);
    }

    function test_nonceZero_isNeverPaid() public {
        ITicketEscrow.Ticket memory t = _ticket(0);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        _expectRefusal(ITicketEscrow.Refusal.NonceUsed);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
    }

    /// Only the recipient redeems: whoever else redeemed the highest nonce would burn the winners below it.
    function test_frontRunner_cannotRedeemForTheRecipient() public {
        ITicketEscrow.Ticket memory t = _ticket(9);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        address[2] memory others = [payer, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.NotRecipient.selector, others[i]));
            vm.prank(others[i]);
            escrow.redeem(t, RAND, r, vs);
        }
        bytes memory run = _run(_tickets(9, 1), 0);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.PaidBelowMinimum.selector, 0, 0));
        vm.prank(stranger);
        escrow.redeemBatch(run, 0);
        assertEq(_watermark(1), 0);
        assertEq(escrow.laneWatermark(payer, stranger, 1), 0);
    }

    /// The two encodings of one signature gave two draws elsewhere. Here the second form of s is refused, and the
    /// draw does not read the signature.
    function test_signatureEncoding_givesNoSecondDraw() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(payerKey, escrow.ticketDigest(t));
        bytes32 mirrored = bytes32(ORDER - uint256(s));
        bytes32 vs = bytes32(uint256(mirrored) | (uint256(v == 27 ? 1 : 0) << 255));
        _expectRefusal(ITicketEscrow.Refusal.BadSignature);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
    }

    function test_highS_isRefused() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        (bytes32 r,) = _sign(payerKey, t);
        // One above half the group order: high, and still below 2^255, so the compact form can carry it.
        bytes32 high = bytes32(ORDER / 2 + 1);
        _expectRefusal(ITicketEscrow.Refusal.BadSignature);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, high);
    }

    /// A failed recovery yields the zero address; that account must not count as the signer.
    function test_zeroPayer_matchesNoFailedRecovery() public {
        vm.deal(address(escrow), address(escrow).balance + 1 ether);
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.payer = address(0);
        // Give the zero account money that no deposit could give it.
        bytes32 slot = keccak256(abi.encode(address(0), ACCOUNTS_SLOT));
        vm.store(address(escrow), slot, bytes32(uint256(1 ether)));
        assertEq(_balance(address(0)), 1 ether, "the account mapping moved");
        _expectRefusal(ITicketEscrow.Refusal.BadSignature);
        vm.prank(recipient);
        escrow.redeem(t, RAND, bytes32(0), bytes32(0));
    }

    /// Contract accounts could repudiate what they signed; they cannot be payers.
    function test_contractPayer_isRefused() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.payer = address(new SaysYes());
        _fund(t.payer, 1 ether);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        _expectRefusal(ITicketEscrow.Refusal.BadSignature);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
    }

    // -------------------------------------------------------------- lottery

    function testFuzz_lottery_isTheLow64BitsAndTheMaximumIsCertain(bytes32 rand, bytes32 digest) public view {
        uint64 draw = uint64(uint256(keccak256(abi.encodePacked(rand, digest))));
        assertTrue(escrow.isWinning(rand, digest, ALWAYS));
        assertFalse(escrow.isWinning(rand, digest, 0));
        if (draw != ALWAYS) {
            assertEq(escrow.isWinning(rand, digest, draw), draw == ALWAYS);
            assertTrue(escrow.isWinning(rand, digest, draw + 1));
        }
    }

    /// The draw follows the salt, which the payer picks at random: a recipient that grinds its secret against nonces
    /// it can predict learns nothing, and one secret serves many tickets until it is first disclosed.
    function test_saltDecidesTheDraw_soPredictableNoncesCannotBeGround() public view {
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.winProb = ALWAYS / 2;
        uint256 wins;
        for (uint64 salt = 0; salt < 64; ++salt) {
            t.salt = salt;
            if (escrow.isWinning(RAND, escrow.ticketDigest(t), t.winProb)) ++wins;
        }
        assertGt(wins, 12);
        assertLt(wins, 52);
    }

    /// Wins over many salts follow the win probability: chi-square with one degree of freedom, below its 1-in-10^6 value.
    function test_lottery_frequencyPassesChiSquare() public view {
        uint64[4] memory probs = [ALWAYS / 100, ALWAYS / 4, ALWAYS / 2, ALWAYS / 10 * 9];
        uint256 n = 3000;
        ITicketEscrow.Ticket memory t = _ticket(1);
        for (uint256 p = 0; p < probs.length; ++p) {
            t.winProb = probs[p];
            uint256 wins;
            for (uint64 salt = 0; salt < n; ++salt) {
                t.salt = salt;
                if (escrow.isWinning(RAND, escrow.ticketDigest(t), t.winProb)) ++wins;
            }
            // chi2 = (wins - np)^2 / (np(1-p)), all scaled by 2^64.
            uint256 expected = n * uint256(probs[p]);
            uint256 d = wins << 64 > expected ? (wins << 64) - expected : expected - (wins << 64);
            uint256 variance = expected / 1e6 * (uint256(ALWAYS) - probs[p]) / uint256(ALWAYS) * 1e6;
            uint256 chi2x1000 = (d >> 32) * (d >> 32) * 1000 / variance;
            assertLt(chi2x1000, 23_928);
        }
    }

    // ---------------------------------------------------------------- lanes

    /// Capital is per pair: all lanes draw on one allocation.
    function test_lanes_drawOnOneAllocation() public {
        for (uint16 lane = 0; lane < 10; ++lane) {
            ITicketEscrow.Ticket memory t = _ticket(1);
            t.lane = lane;
            _redeem(t);
        }
        assertEq(_allocation(payer, recipient), 0);
        assertEq(_balance(recipient), 10 * FACE);
    }

    /// Paying a huge nonce ends its own lane and no other; a recipient keeps a window off chain.
    function test_hugeNonce_endsOnlyItsLane() public {
        _redeem(_ticket(type(uint64).max));
        ITicketEscrow.Ticket memory t = _ticket(1);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        _expectRefusal(ITicketEscrow.Refusal.NonceUsed);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
        t.lane = 2;
        _redeem(t);
        assertEq(_balance(recipient), 2 * FACE);
    }

    /// A nonce wider than 64 bits cannot slip through a comparison and be cut off when it is stored.
    function test_dirtyHighBits_areRefused() public {
        ITicketEscrow.Ticket memory t = _ticket(7);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        bytes memory call = abi.encodeCall(escrow.redeem, (t, RAND, r, vs));
        uint256[6] memory narrow = [uint256(2), 3, 4, 5, 6, 8]; // lane, nonce, faceValue, winProb, expiry, salt
        for (uint256 i = 0; i < narrow.length; ++i) {
            bytes memory dirty = bytes.concat(call);
            dirty[4 + 32 * narrow[i]] = 0x01;
            vm.prank(recipient);
            (bool ok,) = address(escrow).call(dirty);
            assertFalse(ok);
        }
        vm.prank(recipient);
        (bool paid,) = address(escrow).call(call);
        assertTrue(paid, "the clean call must pay");
    }

    /// The contract cannot know the longest lifetime; a recipient must refuse what outlives a thaw.
    function test_longExpiry_isTheRecipientsToRefuse() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        t.expiry = type(uint40).max;
        vm.prank(payer);
        escrow.thawAllocation(recipient, 10 * FACE);
        vm.warp(START + THAW);
        vm.prank(payer);
        escrow.releaseAllocation(recipient);
        vm.prank(payer);
        escrow.withdraw(payable(payer), 10 * FACE);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        _expectRefusal(ITicketEscrow.Refusal.Underfunded);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
    }

    /// Throughout a thaw the allocation pays, in its last second too.
    function test_thaw_leavesTicketsRedeemableUntilItsEnd() public {
        vm.prank(payer);
        escrow.thawAllocation(recipient, 10 * FACE);
        vm.warp(START + THAW - 1);
        _redeem(_ticket(1));
        assertEq(_balance(recipient), FACE);
    }

    /// A balance protects nobody: its owner empties it at once. The allocation still pays.
    function test_balance_isNoCreditAllocationIs() public {
        _fund(payer, 5 * FACE);
        vm.startPrank(payer);
        escrow.withdraw(payable(payer), 3 * FACE);
        escrow.allocate(stranger, 2 * FACE);
        vm.stopPrank();
        for (uint64 n = 1; n <= 10; ++n) {
            _redeem(_ticket(n));
        }
        assertEq(_balance(recipient), 10 * FACE);
        assertEq(_allocation(payer, stranger), 2 * FACE);
    }

    /// One recipient's redemptions never touch what is allocated to another.
    function test_isolation_otherAllocationsAreUntouched() public {
        _allocate(payer, stranger, 5 * FACE);
        for (uint64 n = 1; n <= 10; ++n) {
            _redeem(_ticket(n));
        }
        ITicketEscrow.Ticket memory t = _ticket(11);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        _expectRefusal(ITicketEscrow.Refusal.Underfunded);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
        assertEq(_allocation(payer, stranger), 5 * FACE);
    }

    /// An account drained to zero keeps its slot, so that its next income costs no fresh one.
    function test_drainedAccount_keepsItsSlot() public {
        _redeem(_ticket(1));
        vm.prank(recipient);
        escrow.withdraw(payable(recipient), FACE);
        (uint256 balance, bool opened) = escrow.account(recipient);
        assertEq(balance, 0);
        assertTrue(opened);
        assertTrue(vm.load(address(escrow), keccak256(abi.encode(recipient, ACCOUNTS_SLOT))) != 0);
    }

    function test_ticketDigest_isEip712() public view {
        ITicketEscrow.Ticket memory t = _ticket(77);
        bytes32 domain = keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Kinora TicketEscrow"),
                keccak256("1"),
                block.chainid,
                address(escrow)
            )
        );
        assertEq(escrow.DOMAIN_SEPARATOR(), domain);
        bytes32 structHash = keccak256(bytes.concat(escrow.TICKET_TYPEHASH(), abi.encode(t)));
        assertEq(escrow.ticketDigest(t), keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        (, string memory name, string memory version, uint256 chainId, address verifying,,) =
            IERC5267(address(escrow)).eip712Domain();
        assertEq(name, "Kinora TicketEscrow");
        assertEq(version, "1");
        assertEq(chainId, block.chainid);
        assertEq(verifying, address(escrow));
    }

    // ---------------------------------------------------------------- batch

    function test_batch_paysARunInOneEvent() public {
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.Redeemed(payer, recipient, 1, 10, 10, 10 * FACE);
        assertEq(_redeemBatch(_run(_tickets(1, 10), 10 * FACE), 10 * FACE), 10 * FACE);
        assertEq(_balance(recipient), 10 * FACE);
        assertEq(_watermark(1), 10);
    }

    function test_batch_probabilityIsPerTicket() public {
        ITicketEscrow.Ticket[] memory tickets = _tickets(1, 3);
        for (uint256 i = 0; i < 3; ++i) {
            tickets[i].winProb = ALWAYS / 4 * uint64(i + 1);
            while (!escrow.isWinning(RAND, escrow.ticketDigest(tickets[i]), tickets[i].winProb)) {
                ++tickets[i].salt;
            }
        }
        assertEq(_redeemBatch(_run(tickets, 3 * FACE), 0), 3 * FACE);
    }

    /// A run stops at the first ticket it cannot pay in full; the watermark is the last one paid.
    function test_prefixStop_paysInFullAndLeavesTheRest() public {
        bytes memory run = _run(_tickets(1, 12), 0);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.RunStopped(payer, recipient, 1, 11, ITicketEscrow.Refusal.Underfunded);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.Redeemed(payer, recipient, 1, 10, 10, 10 * FACE);
        assertEq(_redeemBatch(run, 0), 10 * FACE);
        assertEq(_watermark(1), 10);
        _fund(payer, 2 * FACE);
        assertEq(_redeemBatch(_run(_tickets(11, 2), 2 * FACE), 2 * FACE), 2 * FACE);
    }

    function test_prefixStop_everyReasonStopsWithoutLosingThePrefix() public {
        for (uint256 i = 0; i < 3; ++i) {
            uint256 state = vm.snapshotState();
            ITicketEscrow.Ticket[] memory tickets = _tickets(1, 4);
            ITicketEscrow.Refusal want;
            if (i == 0) {
                tickets[2].winProb = 0;
                want = ITicketEscrow.Refusal.NotWinning;
            } else if (i == 1) {
                tickets[2].nonce = 2;
                want = ITicketEscrow.Refusal.NonceUsed;
            }
            bytes memory run = _run(tickets, 0);
            if (i == 2) {
                run[85 + 2 * 88 + 30] ^= 0x01; // in r of the third
                want = ITicketEscrow.Refusal.BadSignature;
            }
            vm.expectEmit(address(escrow));
            emit ITicketEscrow.RunStopped(payer, recipient, 1, tickets[2].nonce, want);
            assertEq(_redeemBatch(run, 0), 2 * FACE);
            assertEq(_watermark(1), 2);
            vm.revertToState(state);
        }
    }

    /// Below the run's own minimum nothing of it is paid and nothing consumed.
    function test_minPayout_leavesARunUnchanged() public {
        bytes memory good = _runFrom(payer2, payer2Key, 1, 1);
        _allocate(payer2, recipient, FACE);
        bytes memory run = _run(_tickets(1, 12), 11 * FACE);
        assertEq(_redeemBatch(bytes.concat(run, good), 0), FACE);
        assertEq(_watermark(1), 0);
        assertEq(_allocation(payer, recipient), 10 * FACE);
    }

    function test_minPayout_aboveTheRunsSumIsToldApart() public {
        bytes memory good = _runFrom(payer2, payer2Key, 1, 1);
        _allocate(payer2, recipient, FACE);
        bytes memory run = _run(_tickets(1, 2), 2 * FACE + 1);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.RunStopped(payer, recipient, 1, 2, ITicketEscrow.Refusal.BelowMinPayout);
        assertEq(_redeemBatch(bytes.concat(run, good), 0), FACE);
        assertEq(_watermark(1), 0);
    }

    /// One bad run of any kind never reverts the others.
    function test_badRun_isSkippedAndTheOthersArePaid() public {
        _fund(payer2, FACE);
        bytes memory good = _runFrom(payer2, payer2Key, 1, 1);
        for (uint256 i = 0; i < 6; ++i) {
            uint256 state = vm.snapshotState();
            ITicketEscrow.Ticket[] memory tickets = _tickets(1, 1);
            uint256 key = payerKey;
            bytes32 rand = RAND;
            ITicketEscrow.Refusal want;
            if (i == 0) {
                tickets[0].expiry = START - 1;
                want = ITicketEscrow.Refusal.Expired;
            } else if (i == 1) {
                key = payer2Key;
                want = ITicketEscrow.Refusal.BadSignature;
            } else if (i == 2) {
                tickets[0].faceValue = 11 * FACE;
                want = ITicketEscrow.Refusal.Underfunded;
            } else if (i == 3) {
                (tickets[0].payer, key) = (recipient, recipientKey);
                want = ITicketEscrow.Refusal.SelfPayment;
            } else if (i == 4) {
                tickets[0].faceValue = 0;
                want = ITicketEscrow.Refusal.ZeroFaceValue;
            } else {
                rand = keccak256("another"); // another hash, so another digest
                want = ITicketEscrow.Refusal.BadSignature;
            }
            bytes memory bad = _run(key, tickets, rand, 0);
            vm.expectEmit(address(escrow));
            emit ITicketEscrow.RunStopped(tickets[0].payer, recipient, 1, 1, want);
            assertEq(_redeemBatch(bytes.concat(bad, good), FACE), FACE);
            assertEq(_watermark(1), 0);
            assertEq(_balance(recipient), FACE);
            vm.revertToState(state);
            assertEq(_redeemBatch(bytes.concat(good, bad), FACE), FACE);
            vm.revertToState(state);
        }
    }

    function test_batch_revertsWhenNothingOrTooLittleIsPaid() public {
        bytes memory run = _run(_tickets(1, 1), FACE);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.PaidBelowMinimum.selector, FACE, FACE + 1));
        _redeemBatch(run, FACE + 1);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.PaidBelowMinimum.selector, 0, 0));
        _redeemBatch("", 0);
        _redeemBatch(run, FACE);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.PaidBelowMinimum.selector, 0, 0));
        _redeemBatch(run, 0);
    }

    /// A second run of the same payer and lane sees what the first did.
    function test_batch_twoRunsOfOneLaneShareState() public {
        bytes memory first = _run(_tickets(1, 4), 4 * FACE);
        bytes memory second = _run(_tickets(5, 4), 4 * FACE);
        assertEq(_redeemBatch(bytes.concat(first, second), 8 * FACE), 8 * FACE);
        assertEq(_watermark(1), 8);
        assertEq(_allocation(payer, recipient), 2 * FACE);
    }

    function test_batch_theSameRunTwicePaysOnce() public {
        bytes memory run = _run(_tickets(1, 4), 4 * FACE);
        assertEq(_redeemBatch(bytes.concat(run, run), 4 * FACE), 4 * FACE);
        assertEq(_balance(recipient), 4 * FACE);
    }

    function test_batch_twoRunsCannotSpendOneBalanceTwice() public {
        bytes memory first = _run(_tickets(1, 6), 6 * FACE);
        bytes memory second = _run(_tickets(7, 6), 6 * FACE);
        assertEq(_redeemBatch(bytes.concat(first, second), 0), 6 * FACE);
        assertEq(_allocation(payer, recipient), 4 * FACE);
    }

    function test_batch_refusesWhatIsNotRuns() public {
        bytes memory run = _run(_tickets(1, 2), 0);
        bytes memory cut = new bytes(run.length - 1);
        for (uint256 i = 0; i < cut.length; ++i) {
            cut[i] = run[i];
        }
        vm.expectRevert(ITicketEscrow.MalformedRuns.selector);
        _redeemBatch(cut, 0);
        vm.expectRevert(ITicketEscrow.MalformedRuns.selector);
        _redeemBatch(bytes.concat(run, hex"00"), 0);
        bytes memory none = new bytes(85);
        vm.expectRevert(ITicketEscrow.MalformedRuns.selector);
        _redeemBatch(none, 0);
        vm.expectRevert(ITicketEscrow.MalformedRuns.selector);
        _redeemBatch(new bytes(84), 0);
        assertEq(_watermark(1), 0);
    }

    function testFuzz_batch_garbageNeverPays(bytes memory garbage) public {
        vm.prank(recipient);
        try escrow.redeemBatch(garbage, 0) {
            fail();
        } catch {}
        assertEq(_balance(recipient), 0);
        assertEq(_allocation(payer, recipient), 10 * FACE);
    }

    /// Any bit of a valid run changed either leaves it unpaid or changes nothing but the minimum.
    function testFuzz_batch_oneChangedBitNeverPaysOtherwise(uint256 bit) public {
        bytes memory run = _run(_tickets(1, 1), 0);
        bit = bound(bit, 0, run.length * 8 - 1);
        uint256 at = bit / 8;
        run[at] ^= bytes1(uint8(1 << (bit % 8)));
        bool onlyTheMinimum = at >= 71 && at < 83;
        vm.prank(recipient);
        try escrow.redeemBatch(run, 0) returns (uint256 paid) {
            assertTrue(onlyTheMinimum);
            assertEq(paid, FACE);
        } catch {
            assertEq(_balance(recipient), 0);
        }
    }

    /// A batch does exactly what its tickets do one by one, each run up to its first refusal.
    function testFuzz_batch_equalsSequenceOfSingles(uint256 seed) public {
        uint256 rounds = 3;
        _fund(payer, 1 + seed % (8 * uint256(FACE)));
        _fund(payer2, 1 + (seed >> 32) % (8 * uint256(FACE)));
        ITicketEscrow.Ticket[][] memory runs = new ITicketEscrow.Ticket[][](rounds);
        uint256[] memory keys = new uint256[](rounds);
        bytes memory encoded;
        for (uint256 i = 0; i < rounds; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(seed, i)));
            ITicketEscrow.Ticket[] memory tickets = _tickets(uint64(dice % 6), 1 + (dice >> 8) % 6);
            bool second = (dice >> 16) % 2 == 0;
            keys[i] = second ? payer2Key : payerKey;
            for (uint256 k = 0; k < tickets.length; ++k) {
                if (second) tickets[k].payer = payer2;
                uint256 d = (dice >> (32 + 8 * k)) % 12;
                if (d == 0) tickets[k].winProb = 0;
                if (d == 1) tickets[k].winProb = ALWAYS / 2;
                if (d == 2 && k > 0) tickets[k].nonce = tickets[k - 1].nonce;
            }
            runs[i] = tickets;
            encoded = bytes.concat(encoded, _run(keys[i], tickets, RAND, 0));
        }

        uint256 state = vm.snapshotState();
        uint256 paid;
        for (uint256 i = 0; i < rounds; ++i) {
            for (uint256 k = 0; k < runs[i].length; ++k) {
                (bytes32 r, bytes32 vs) = _sign(keys[i], runs[i][k]);
                vm.prank(recipient);
                try escrow.redeem(runs[i][k], RAND, r, vs) {
                    paid += FACE;
                } catch {
                    break;
                }
            }
        }
        bytes32 bySingles = _fingerprint();
        vm.revertToState(state);
        vm.prank(recipient);
        try escrow.redeemBatch(encoded, 0) returns (uint256 batchPaid) {
            assertEq(batchPaid, paid);
        } catch {
            assertEq(paid, 0);
        }
        assertEq(_fingerprint(), bySingles);
    }

    function _fingerprint() private view returns (bytes32) {
        return keccak256(
            abi.encode(
                _balance(payer),
                _balance(payer2),
                _balance(recipient),
                _allocation(payer, recipient),
                _allocation(payer2, recipient),
                escrow.laneWatermark(payer, recipient, 1),
                escrow.laneWatermark(payer2, recipient, 1)
            )
        );
    }
}

/// @dev A contract account that approves every signature.
contract SaysYes {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return this.isValidSignature.selector;
    }
}

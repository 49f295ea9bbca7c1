// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EscrowTest} from "../EscrowTest.sol";
import {IBoundedPause} from "../../src/interfaces/IBoundedPause.sol";
import {ITicketEscrow} from "../../src/interfaces/ITicketEscrow.sol";

/// @dev Four accounts that pay each other, thaw, withdraw and redeem, time that passes, and a griefer. Every action checks what it
/// may change and, in a pause, that it changes nothing; the invariants check the sums.
abstract contract Market is EscrowTest {
    uint256 internal constant N = 4;
    uint16 internal constant LANES = 3;

    address[N] public accounts;
    uint256[N] internal keys;
    address[N] public hot; // a session key of each account
    uint256[N] internal hotKeys;
    uint256 public moneyIn;
    uint256 public moneyOut;
    uint256 public winsPaid;
    uint256 public replaysTried;
    uint256 public released;
    uint256 public drawnOnAllocation;
    uint256 public drawnOnThawing;
    mapping(bytes32 ticketKey => uint256) internal timesPaid;
    uint256 public maxTimesPaid;
    uint256 public bySessionPaid;

    struct Issued {
        ITicketEscrow.Ticket ticket;
        uint256 payerIndex;
        uint256 recipientIndex;
        bool bySession;
    }

    Issued[] internal issued;

    /// @dev What the market knows of the last pause, apart from the contract.
    uint256 internal pauseStart;
    uint256 internal pauseEnd;

    struct Run {
        ITicketEscrow.Ticket[] tickets;
        bytes encoded;
        uint256 minPayout;
        uint64 mark; // the lane's watermark before
    }

    /// @dev Everything one pair can lose, before an action.
    struct Pair {
        uint256 amount;
        uint256 thawing;
        uint256 thawEnd;
    }

    constructor(ITicketEscrow target) {
        escrow = target;
        stranger = makeAddr("stranger");
        for (uint256 i = 0; i < N; ++i) {
            (accounts[i], keys[i]) = makeAddrAndKey(string.concat("account", vm.toString(i)));
            (hot[i], hotKeys[i]) = makeAddrAndKey(string.concat("session", vm.toString(i)));
        }
    }

    // ------------------------------------------------------ payers and time

    function _inPause() internal view returns (bool) {
        return vm.getBlockTimestamp() < pauseEnd;
    }

    /// @dev Tells the next call to fail when it falls into a pause.
    function _refusedInPause() internal returns (bool paused) {
        paused = _inPause();
        if (paused) vm.expectRevert(abi.encodeWithSelector(IBoundedPause.PausedUntil.selector, pauseEnd));
    }

    function deposit(uint256 who, uint256 amount) external {
        amount = bound(amount, 1, 6 * uint256(FACE));
        vm.deal(accounts[who % N], amount);
        vm.prank(accounts[who % N]);
        bool paused = _refusedInPause();
        escrow.deposit{value: amount}();
        if (!paused) moneyIn += amount;
    }

    /// @dev Whoever funds, thaws, or fails to, leaves every pair as it was.
    function meddle(uint256 who, uint256 other, uint256 amount) external {
        Pair[N][N] memory before = _pairs();
        amount = bound(amount, 1, FACE);
        vm.deal(stranger, amount);
        vm.startPrank(stranger);
        bool paused = _refusedInPause();
        escrow.depositFor{value: amount}(accounts[who % N]);
        if (!paused) moneyIn += amount;
        escrow.thawAllocation(accounts[other % N], 0);
        try escrow.releaseAllocation(accounts[other % N]) {
            fail();
        } catch {}
        try escrow.withdraw(payable(stranger), amount) {
            fail();
        } catch {}
        vm.stopPrank();
        _assertPairsKept(before, N, N);
    }

    function withdraw(uint256 who, uint256 amount) external {
        address account = accounts[who % N];
        uint256 balance = _balance(account);
        if (balance == 0) return;
        Pair[N][N] memory before = _pairs();
        amount = bound(amount, 1, balance);
        uint256 had = stranger.balance;
        vm.prank(account);
        if (_refusedInPause()) amount = 0;
        escrow.withdraw(payable(stranger), amount == 0 ? balance : amount);
        assertEq(stranger.balance - had, amount);
        moneyOut += amount;
        _assertPairsKept(before, N, N);
    }

    function allocate(uint256 from, uint256 to, uint256 amount) external {
        (from, to) = _pair(from, to);
        uint256 balance = _balance(accounts[from]);
        if (balance == 0) return;
        Pair[N][N] memory before = _pairs();
        // Most of it, so that redemptions reach allocations.
        amount = bound(amount, balance / 2 + 1, balance);
        bool flagged = escrow.isFlagged(accounts[from]);
        vm.prank(accounts[from]);
        if (_inPause() || flagged) {
            if (!_refusedInPause()) {
                vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.PayerIsFlagged.selector, accounts[from]));
            }
            escrow.allocate(accounts[to], amount);
            return;
        }
        escrow.allocate(accounts[to], amount);
        Pair memory p = _read(from, to);
        assertEq(p.amount, before[from][to].amount + amount);
        assertEq(p.thawing, before[from][to].thawing, "a top-up must not thaw");
        assertEq(p.thawEnd, before[from][to].thawEnd);
        _assertPairsKept(before, from, to);
    }

    function thaw(uint256 from, uint256 to, uint256 amount) external {
        (from, to) = _pair(from, to);
        Pair[N][N] memory before = _pairs();
        Pair memory b = before[from][to];
        amount = bound(amount, 0, b.amount);
        vm.prank(accounts[from]);
        escrow.thawAllocation(accounts[to], amount);
        Pair memory p = _read(from, to);
        assertEq(p.amount, b.amount);
        assertEq(p.thawing, amount);
        if (amount > b.thawing) assertEq(p.thawEnd, (_inPause() ? pauseEnd : vm.getBlockTimestamp()) + THAW);
        else assertEq(p.thawEnd, amount == 0 ? 0 : b.thawEnd);
        _assertPairsKept(before, from, to);
    }

    function release(uint256 from, uint256 to) external {
        (from, to) = _pair(from, to);
        Pair[N][N] memory before = _pairs();
        Pair memory b = before[from][to];
        uint256 balance = _balance(accounts[from]);
        bool ripe = b.thawing != 0 && vm.getBlockTimestamp() >= b.thawEnd && !_inPause();
        vm.prank(accounts[from]);
        try escrow.releaseAllocation(accounts[to]) returns (uint256 amount) {
            assertTrue(ripe, "released before its time");
            assertEq(amount, b.thawing);
            assertEq(_balance(accounts[from]), balance + amount);
            assertEq(_read(from, to).amount, b.amount - amount);
            ++released;
        } catch {
            assertFalse(ripe, "a thawed part must be releasable");
        }
        _assertPairsKept(before, from, to);
    }

    function pass(uint256 time) external {
        vm.warp(vm.getBlockTimestamp() + bound(time, 1, THAW));
    }

    // ------------------------------------------------------------ recipients

    /// @dev One ticket, certain, doubtful or long expired, redeemed alone.
    function redeem(uint256 from, uint256 to, uint256 dice) external {
        (from, to) = _pair(from, to);
        _redeemOne(_issue(from, to, dice), false);
    }

    /// @dev A ticket that was issued before, whatever became of it.
    function replay(uint256 which) external {
        if (issued.length == 0) return;
        ++replaysTried;
        _redeemOne(which % issued.length, false);
    }

    /// @dev Somebody else redeems a recipient's ticket.
    function steal(uint256 which) external {
        if (issued.length == 0) return;
        _redeemOne(which % issued.length, true);
    }

    /// @dev Two runs to one recipient, of one or two payers and lanes.
    function redeemBatch(uint256 from, uint256 from2, uint256 to, uint256 dice) external {
        (from, to) = _pair(from, to);
        from2 = from2 % N == to ? from : from2 % N;
        Run memory a = _randomRun(from, to, dice >> 8, dice % 3 * FACE);
        Run memory b = _randomRun(from2, to, dice >> 64, 0);
        Pair[N][N] memory before = _pairs();
        uint256 income = _balance(accounts[to]);
        vm.prank(accounts[to]);
        try escrow.redeemBatch(bytes.concat(a.encoded, b.encoded), dice % 5 * FACE) returns (uint256 paid) {
            assertFalse(_inPause());
            assertEq(_balance(accounts[to]) - income, paid);
            _assertPaid(a, b, paid);
        } catch {
            assertEq(_balance(accounts[to]), income);
            assertEq(_mark(a.tickets[0]), a.mark, "a reverted batch consumed a ticket");
            assertEq(_mark(b.tickets[0]), b.mark, "a reverted batch consumed a ticket");
        }
        _assertOnlyRecipientsPairsFell(before, to);
    }

    // ------------------------------------------------------------- checking

    function totalBalances() external view returns (uint256 sum) {
        for (uint256 i = 0; i < N; ++i) {
            sum += _balance(accounts[i]);
        }
        sum += _balance(stranger);
    }

    function totalAllocations() external view returns (uint256 sum) {
        for (uint256 i = 0; i < N; ++i) {
            for (uint256 k = 0; k < N; ++k) {
                sum += _read(i, k).amount;
            }
        }
    }

    function assertThawsAreWellFormed() external view {
        for (uint256 i = 0; i < N; ++i) {
            for (uint256 k = 0; k < N; ++k) {
                Pair memory p = _read(i, k);
                assertLe(p.thawing, p.amount);
                assertEq(p.thawing == 0, p.thawEnd == 0);
                assertLe(p.thawEnd, vm.getBlockTimestamp() + THAW + escrow.MAX_PAUSE());
                if (i == k) assertEq(p.amount, 0);
            }
        }
    }

    function _pair(uint256 from, uint256 to) internal pure returns (uint256, uint256) {
        from %= N;
        to %= N;
        return (from, from == to ? (to + 1) % N : to);
    }

    function _read(uint256 from, uint256 to) internal view returns (Pair memory p) {
        (p.amount, p.thawing, p.thawEnd) = escrow.allocation(accounts[from], accounts[to]);
    }

    function _pairs() internal view returns (Pair[N][N] memory all) {
        for (uint256 i = 0; i < N; ++i) {
            for (uint256 k = 0; k < N; ++k) {
                all[i][k] = _read(i, k);
            }
        }
    }

    function _assertPairsKept(Pair[N][N] memory before, uint256 exceptFrom, uint256 exceptTo) internal view {
        for (uint256 i = 0; i < N; ++i) {
            for (uint256 k = 0; k < N; ++k) {
                if (i != exceptFrom || k != exceptTo) {
                    assertEq(
                        keccak256(abi.encode(_read(i, k))), keccak256(abi.encode(before[i][k])), "another pair changed"
                    );
                }
            }
        }
    }

    /// @dev A redemption lowers allocations for its recipient only, and ends no other thaw.
    function _assertOnlyRecipientsPairsFell(Pair[N][N] memory before, uint256 to) internal {
        for (uint256 i = 0; i < N; ++i) {
            for (uint256 k = 0; k < N; ++k) {
                Pair memory p = _read(i, k);
                if (k != to) {
                    assertEq(keccak256(abi.encode(p)), keccak256(abi.encode(before[i][k])), "isolation");
                } else {
                    assertLe(p.amount, before[i][k].amount);
                    uint256 fell = before[i][k].amount - p.amount;
                    uint256 melted = before[i][k].thawing - p.thawing;
                    if (fell != 0) ++drawnOnAllocation;
                    if (melted != 0) ++drawnOnThawing;
                    assertEq(melted, fell < before[i][k].thawing ? fell : before[i][k].thawing, "thawing part first");
                }
            }
        }
    }

    function _mark(ITicketEscrow.Ticket memory t) internal view returns (uint64) {
        return escrow.laneWatermark(t.payer, t.recipient, t.lane);
    }

    function _notePaid(ITicketEscrow.Ticket memory t) internal {
        uint256 times = ++timesPaid[keccak256(abi.encode(t.payer, t.recipient, t.lane, t.nonce))];
        if (times > maxTimesPaid) maxTimesPaid = times;
        ++winsPaid;
    }

    function _assertPaid(Run memory a, Run memory b, uint256 paid) internal {
        if (a.tickets[0].payer == b.tickets[0].payer && a.tickets[0].lane == b.tickets[0].lane) {
            // Which run a nonce was paid in cannot be told from outside; the sum can.
            assertEq(paid % FACE, 0);
            assertGe(_mark(a.tickets[0]), a.mark, "a watermark fell");
            return;
        }
        assertEq(paid, (_countPaid(a) + _countPaid(b)) * FACE, "paid other than whole face values");
    }

    /// @dev Counts the tickets of a run that the watermark passed: those that were paid.
    function _countPaid(Run memory run) internal returns (uint256 counted) {
        uint64 end = _mark(run.tickets[0]);
        assertGe(end, run.mark, "a watermark fell");
        for (uint256 i = 0; i < run.tickets.length; ++i) {
            if (run.tickets[i].nonce > run.mark && run.tickets[i].nonce <= end) {
                ++counted;
                assertGe(_lives(run.tickets[i].expiry), vm.getBlockTimestamp(), "an expired ticket was paid");
                _notePaid(run.tickets[i]);
            }
        }
        if (counted != 0) assertGe(counted * FACE, run.minPayout);
    }

    // -------------------------------------------------------------- tickets

    /// @dev The last second of an expiry by the market's own reckoning.
    function _lives(uint256 expiry) internal view returns (uint256) {
        if (pauseStart == 0 || expiry < pauseStart) return expiry;
        uint256 length = pauseEnd - pauseStart;
        // Signed at the end of the pause at the latest, and for no longer than a thaw.
        uint256 signable = pauseEnd + THAW;
        if (expiry <= signable) return expiry + length;
        return expiry > signable + length ? expiry : signable + length;
    }

    /// @dev Whether a session key may sign what expires then.
    function _covers(uint256 payerIndex, uint256 expiry) internal view returns (bool) {
        (uint40 validUntil,,) = escrow.session(accounts[payerIndex], hot[payerIndex]);
        return validUntil != 0 && validUntil >= expiry;
    }

    function _make(uint256 from, uint256 to, uint256 dice) internal view returns (ITicketEscrow.Ticket memory t) {
        t.payer = accounts[from];
        t.recipient = accounts[to];
        t.lane = uint16(dice % LANES);
        t.nonce = _mark(t) + uint64(1 + (dice >> 8) % 3);
        if ((dice >> 16) % 8 == 0) t.nonce -= 1; // used, when it equals the watermark
        t.faceValue = FACE;
        t.winProb = (dice >> 24) % 4 == 0 ? ALWAYS / 2 : ALWAYS;
        t.expiry = uint40(vm.getBlockTimestamp());
        if ((dice >> 32) % 8 == 0) t.expiry -= 1;
        else t.expiry += uint40((dice >> 40) % THAW);
        t.recipientRandHash = keccak256(abi.encodePacked(RAND));
        t.salt = uint64(dice >> 64) / 2;
    }

    function _issue(uint256 from, uint256 to, uint256 dice) internal returns (uint256) {
        issued.push(Issued(_make(from, to, dice), from, to, (dice >> 48) % 3 == 0));
        return issued.length - 1;
    }

    function _redeemOne(uint256 which, bool byAnother) internal {
        Issued memory it = issued[which];
        ITicketEscrow.Ticket memory t = it.ticket;
        Pair[N][N] memory before = _pairs();
        uint256 funds = before[it.payerIndex][it.recipientIndex].amount;
        if (!it.bySession) funds += _balance(t.payer);
        uint256 payersBalance = _balance(t.payer);
        uint256 income = _balance(t.recipient);
        uint64 mark = _mark(t);
        bool payable_ = !byAnother && !_inPause() && t.nonce > mark && _lives(t.expiry) >= vm.getBlockTimestamp()
            && funds >= t.faceValue && escrow.isWinning(RAND, escrow.ticketDigest(t), t.winProb)
            && (!it.bySession || _covers(it.payerIndex, t.expiry));
        (bytes32 r, bytes32 vs) = _sign(it.bySession ? hotKeys[it.payerIndex] : keys[it.payerIndex], t);
        vm.prank(byAnother ? stranger : t.recipient);
        try escrow.redeem(t, RAND, r, vs) {
            assertTrue(payable_, "paid what must not be paid");
            assertEq(_balance(t.recipient), income + t.faceValue);
            assertEq(_mark(t), t.nonce);
            if (it.bySession) {
                ++bySessionPaid;
                assertEq(_balance(t.payer), payersBalance, "a session key reached the balance");
            }
            _notePaid(t);
        } catch {
            assertFalse(payable_, "refused what must be paid");
            assertEq(_mark(t), mark);
            assertEq(_balance(t.recipient), income);
        }
        _assertOnlyRecipientsPairsFell(before, it.recipientIndex);
    }

    function _randomRun(uint256 from, uint256 to, uint256 dice, uint256 minPayout)
        internal
        view
        returns (Run memory run)
    {
        run.tickets = new ITicketEscrow.Ticket[](1 + dice % 4);
        for (uint256 i = 0; i < run.tickets.length; ++i) {
            ITicketEscrow.Ticket memory t = _make(from, to, dice >> 4);
            t.nonce += uint64(i);
            t.salt += uint64(i % 2);
            t.winProb = (dice >> (16 + i)) % 8 == 0 ? 0 : ALWAYS;
            run.tickets[i] = t;
        }
        run.mark = _mark(run.tickets[0]);
        run.minPayout = minPayout;
        run.encoded = _run(keys[from], run.tickets, RAND, minPayout);
    }
}

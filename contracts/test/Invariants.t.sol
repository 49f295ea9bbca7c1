// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EscrowTest} from "./EscrowTest.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

/// @dev Four accounts that pay each other, thaw, withdraw and redeem, and a stranger that meddles. Every action checks what it
/// may change; the invariants check the sums.
contract Market is EscrowTest {
    uint256 internal constant N = 4;
    uint16 internal constant LANES = 3;

    address[N] public accounts;
    uint256[N] private keys;
    uint256 public moneyIn;
    uint256 public moneyOut;
    uint256 public winsPaid;
    uint256 public replaysTried;
    uint256 public released;
    uint256 public drawnOnAllocation;
    uint256 public drawnOnThawing;
    mapping(bytes32 ticketKey => uint256) private timesPaid;
    uint256 public maxTimesPaid;

    struct Issued {
        ITicketEscrow.Ticket ticket;
        uint256 payerIndex;
        uint256 recipientIndex;
    }

    Issued[] private issued;

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
        }
    }

    // -------------------------------------------------------------- actions

    function deposit(uint256 who, uint256 amount) external {
        amount = bound(amount, 1, 6 * uint256(FACE));
        vm.deal(accounts[who % N], amount);
        vm.prank(accounts[who % N]);
        escrow.deposit{value: amount}();
        moneyIn += amount;
    }

    /// @dev Whoever funds, thaws, or fails to, leaves every pair as it was.
    function meddle(uint256 who, uint256 other, uint256 amount) external {
        Pair[N][N] memory before = _pairs();
        amount = bound(amount, 1, FACE);
        vm.deal(stranger, amount);
        vm.startPrank(stranger);
        escrow.depositFor{value: amount}(accounts[who % N]);
        moneyIn += amount;
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
        escrow.withdraw(payable(stranger), amount);
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
        vm.prank(accounts[from]);
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
        if (amount > b.thawing) assertEq(p.thawEnd, vm.getBlockTimestamp() + THAW);
        else assertEq(p.thawEnd, amount == 0 ? 0 : b.thawEnd);
        _assertPairsKept(before, from, to);
    }

    function release(uint256 from, uint256 to) external {
        (from, to) = _pair(from, to);
        Pair[N][N] memory before = _pairs();
        Pair memory b = before[from][to];
        uint256 balance = _balance(accounts[from]);
        bool ripe = b.thawing != 0 && vm.getBlockTimestamp() >= b.thawEnd;
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
                assertLe(p.thawEnd, vm.getBlockTimestamp() + THAW);
                if (i == k) assertEq(p.amount, 0);
            }
        }
    }

    function _pair(uint256 from, uint256 to) private pure returns (uint256, uint256) {
        from %= N;
        to %= N;
        return (from, from == to ? (to + 1) % N : to);
    }

    function _read(uint256 from, uint256 to) private view returns (Pair memory p) {
        (p.amount, p.thawing, p.thawEnd) = escrow.allocation(accounts[from], accounts[to]);
    }

    function _pairs() private view returns (Pair[N][N] memory all) {
        for (uint256 i = 0; i < N; ++i) {
            for (uint256 k = 0; k < N; ++k) {
                all[i][k] = _read(i, k);
            }
        }
    }

    function _assertPairsKept(Pair[N][N] memory before, uint256 exceptFrom, uint256 exceptTo) private view {
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
    function _assertOnlyRecipientsPairsFell(Pair[N][N] memory before, uint256 to) private {
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

    function _mark(ITicketEscrow.Ticket memory t) private view returns (uint64) {
        return escrow.laneWatermark(t.payer, t.recipient, t.lane);
    }

    function _notePaid(ITicketEscrow.Ticket memory t) private {
        uint256 times = ++timesPaid[keccak256(abi.encode(t.payer, t.recipient, t.lane, t.nonce))];
        if (times > maxTimesPaid) maxTimesPaid = times;
        ++winsPaid;
    }

    function _assertPaid(Run memory a, Run memory b, uint256 paid) private {
        if (a.tickets[0].payer == b.tickets[0].payer && a.tickets[0].lane == b.tickets[0].lane) {
            // Which run a nonce was paid in cannot be told from outside; the sum can.
            assertEq(paid % FACE, 0);
            assertGe(_mark(a.tickets[0]), a.mark, "a watermark fell");
            return;
        }
        assertEq(paid, (_countPaid(a) + _countPaid(b)) * FACE, "paid other than whole face values");
    }

    /// @dev Counts the tickets of a run that the watermark passed: those that were paid.
    function _countPaid(Run memory run) private returns (uint256 counted) {
        uint64 end = _mark(run.tickets[0]);
        assertGe(end, run.mark, "a watermark fell");
        for (uint256 i = 0; i < run.tickets.length; ++i) {
            if (run.tickets[i].nonce > run.mark && run.tickets[i].nonce <= end) {
                ++counted;
                assertGe(run.tickets[i].expiry, vm.getBlockTimestamp(), "an expired ticket was paid");
                _notePaid(run.tickets[i]);
            }
        }
        if (counted != 0) assertGe(counted * FACE, run.minPayout);
    }

    // -------------------------------------------------------------- tickets

    function _make(uint256 from, uint256 to, uint256 dice) private view returns (ITicketEscrow.Ticket memory t) {
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

    function _issue(uint256 from, uint256 to, uint256 dice) private returns (uint256) {
        issued.push(Issued(_make(from, to, dice), from, to));
        return issued.length - 1;
    }

    function _redeemOne(uint256 which, bool byAnother) private {
        Issued memory it = issued[which];
        ITicketEscrow.Ticket memory t = it.ticket;
        Pair[N][N] memory before = _pairs();
        uint256 funds = _balance(t.payer) + before[it.payerIndex][it.recipientIndex].amount;
        uint256 income = _balance(t.recipient);
        uint64 mark = _mark(t);
        bool payable_ = !byAnother && t.nonce > mark && t.expiry >= vm.getBlockTimestamp() && funds >= t.faceValue
            && escrow.isWinning(RAND, escrow.ticketDigest(t), t.winProb);
        (bytes32 r, bytes32 vs) = _sign(keys[it.payerIndex], t);
        vm.prank(byAnother ? stranger : t.recipient);
        try escrow.redeem(t, RAND, r, vs) {
            assertTrue(payable_, "paid what must not be paid");
            assertEq(_balance(t.recipient), income + t.faceValue);
            assertEq(_mark(t), t.nonce);
            _notePaid(t);
        } catch {
            assertFalse(payable_, "refused what must be paid");
            assertEq(_mark(t), mark);
            assertEq(_balance(t.recipient), income);
        }
        _assertOnlyRecipientsPairsFell(before, it.recipientIndex);
    }

    function _randomRun(uint256 from, uint256 to, uint256 dice, uint256 minPayout)
        private
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

contract InvariantsTest is EscrowTest {
    Market private market;

    function setUp() public override {
        super.setUp();
        market = new Market(escrow);
        bytes4[] memory actions = new bytes4[](11);
        actions[0] = Market.deposit.selector;
        actions[1] = Market.meddle.selector;
        actions[2] = Market.withdraw.selector;
        actions[3] = Market.allocate.selector;
        actions[4] = Market.thaw.selector;
        actions[5] = Market.release.selector;
        actions[6] = Market.pass.selector;
        actions[7] = Market.redeem.selector;
        actions[8] = Market.replay.selector;
        actions[9] = Market.steal.selector;
        actions[10] = Market.redeemBatch.selector;
        targetSelector(FuzzSelector(address(market), actions));
        targetContract(address(market));
    }

    function invariant_books() public view {
        // Solvency and conservation: what is held is what is owed is what came in less what went out.
        uint256 owed = market.totalBalances() + market.totalAllocations();
        assertEq(address(escrow).balance, owed, "solvency");
        assertEq(market.moneyIn() - market.moneyOut(), owed, "conservation");
        // Each (payer, recipient, lane, nonce) pays at most once; the actions check that watermarks only rise.
        assertLe(market.maxTimesPaid(), 1, "single payout");
        // The thawing part is inside the allocation, and its end is set exactly while there is one.
        market.assertThawsAreWellFormed();
    }

    /// The actions reach what they are there to test.
    function test_market_paysReplaysAndReleases() public {
        for (uint256 i = 0; i < 60; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(i)));
            uint256 to = i + 1 + dice % 3;
            market.deposit(i, 4 * uint256(FACE));
            market.allocate(i, to, type(uint256).max - dice);
            market.thaw(i, to, dice >> 8);
            market.redeem(i, to, dice >> 16);
            market.redeemBatch(i, dice >> 24, to, dice >> 32);
            market.replay(dice);
            market.steal(dice);
            market.meddle(dice, i, dice);
            market.pass(THAW / 3);
            market.release(dice, dice >> 8);
            market.withdraw(dice >> 16, dice);
        }
        assertGt(market.winsPaid(), 40);
        assertGt(market.drawnOnAllocation(), 10);
        assertGt(market.drawnOnThawing(), 5);
        assertGt(market.released(), 3);
        invariant_books();
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Market} from "./Market.sol";
import {IBoundedPause} from "../../src/interfaces/IBoundedPause.sol";
import {ITicketEscrow} from "../../src/interfaces/ITicketEscrow.sol";

/// @dev Joins session keys, operators, relayers, settlements, pay-outs, a pauser and a prosecutor to the market.
contract Crowd is Market {
    address public immutable PAUSER;
    address public relayer = makeAddr("relayer");
    address public operator = makeAddr("operator");
    mapping(address payer => mapping(uint256 day => uint256)) private allocatedOnDay;
    uint256 public settled;
    uint256 public relayed;
    uint256 public operated;
    uint256 public pauses;
    uint256 public flagged;
    uint256 public paidOut;
    uint256 public sessionAllocated;

    constructor(ITicketEscrow target, address pauser) Market(target) {
        PAUSER = pauser;
    }

    // ------------------------------------------------------------- sessions

    function setSession(uint256 who, uint40 validFor, uint256 cap) external {
        who %= N;
        uint40 validUntil = uint40(vm.getBlockTimestamp() + bound(validFor, 1, 2 * THAW));
        (uint40 old,,) = escrow.session(accounts[who], hot[who]);
        vm.prank(accounts[who]);
        if (validUntil < old) {
            vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.SessionShortened.selector, old));
        }
        escrow.setSession(hot[who], validUntil, uint96(bound(cap, FACE, 6 * uint256(FACE))));
    }

    function revokeSession(uint256 who) external {
        who %= N;
        (uint40 old,,) = escrow.session(accounts[who], hot[who]);
        if (old < vm.getBlockTimestamp()) return;
        vm.prank(accounts[who]);
        escrow.revokeSession(hot[who]);
        (uint40 validUntil,, uint96 left) = escrow.session(accounts[who], hot[who]);
        assertEq(left, 0);
        uint256 thawed = vm.getBlockTimestamp() + THAW;
        assertEq(validUntil, old < thawed ? old : thawed, "a revocation repudiates what was signed, or lengthens");
    }

    function allocateBySession(uint256 from, uint256 to, uint256 amount) external {
        (from, to) = _pair(from, to);
        (, uint96 cap, uint96 left) = escrow.session(accounts[from], hot[from]);
        uint256 balance = _balance(accounts[from]);
        amount = bound(amount, 1, 3 * uint256(FACE));
        bool may = amount <= left && amount <= balance && !_inPause() && !escrow.isFlagged(accounts[from]);
        Pair[N][N] memory before = _pairs();
        vm.prank(hot[from]);
        try escrow.allocateFrom(accounts[from], accounts[to], amount) {
            assertTrue(may, "a session key allocated what it must not");
            assertEq(_read(from, to).amount, before[from][to].amount + amount);
            uint256 spent = allocatedOnDay[accounts[from]][vm.getBlockTimestamp() / 1 days] += amount;
            // Caps change; the greatest there can be binds every day.
            assertLe(spent, 6 * FACE, "above any daily cap");
            assertLe(amount, cap);
            ++sessionAllocated;
        } catch {
            assertFalse(may, "a session key may allocate inside its cap");
        }
        _assertPairsKept(before, from, to);
    }

    // ----------------------------------------------------- other recipients

    /// @dev One payment for a range of nonces; whatever tickets of it there are pay nothing afterwards.
    function settle(uint256 from, uint256 to, uint256 dice) external {
        (from, to) = _pair(from, to);
        ITicketEscrow.Ticket memory t = _make(from, to, dice);
        uint64 mark = _mark(t);
        if ((dice >> 104) % 3 == 0) t.nonce = mark; // reaches back to what was paid
        ITicketEscrow.Settlement memory s = ITicketEscrow.Settlement(
            t.payer,
            t.recipient,
            t.lane,
            t.nonce,
            t.nonce + uint64((dice >> 80) % 4),
            FACE * uint96((dice >> 88) % 3),
            t.expiry
        );
        bool bySession = (dice >> 96) % 3 == 0;
        Pair[N][N] memory before = _pairs();
        uint256 funds = before[from][to].amount + (bySession ? 0 : _balance(t.payer));
        uint256 income = _balance(t.recipient);
        bool payable_ = !_inPause() && s.fromNonce > mark && s.amount != 0 && s.amount <= funds
            && _lives(s.expiry) >= vm.getBlockTimestamp() && (!bySession || _covers(from, s.expiry));
        (bytes32 r, bytes32 vs) = vm.signCompact(bySession ? hotKeys[from] : keys[from], escrow.settlementDigest(s));
        vm.prank(s.recipient);
        try escrow.settle(s, r, vs) {
            assertTrue(payable_, "settled what must not be");
            assertEq(_balance(t.recipient), income + s.amount);
            assertEq(_mark(t), s.toNonce);
            for (uint64 n = s.fromNonce; n <= s.toNonce; ++n) {
                t.nonce = n;
                _notePaid(t);
            }
            ++settled;
        } catch {
            assertFalse(payable_, "refused what must be settled");
            assertEq(_mark(t), mark);
        }
        _assertOnlyRecipientsPairsFell(before, to);
    }

    /// @dev A run by an operator, or paid out, or by a relayer: each does what redeemBatch does and moves the proceeds.
    function redeemOtherwise(uint256 from, uint256 to, uint256 dice) external {
        (from, to) = _pair(from, to);
        Run memory run = _randomRun(from, to, dice >> 8, dice % 3 * FACE);
        Pair[N][N] memory before = _pairs();
        address recipient_ = accounts[to];
        uint256 income = _balance(recipient_);
        uint256 kind = (dice >> 128) % 3;
        uint256 paid;
        if (kind == 0) {
            bool allowed = escrow.isOperator(recipient_, operator);
            vm.prank(operator);
            try escrow.redeemBatchOf(recipient_, run.encoded, 0) returns (uint256 p) {
                assertTrue(allowed);
                paid = p;
                ++operated;
            } catch {}
            assertEq(_balance(recipient_), income + paid);
        } else if (kind == 1) {
            uint256 had = stranger.balance;
            vm.prank(recipient_);
            try escrow.redeemBatchTo(run.encoded, 0, payable(stranger)) returns (uint256 p) {
                paid = p;
                moneyOut += p;
                ++paidOut;
            } catch {}
            assertEq(_balance(recipient_), income);
            assertEq(stranger.balance, had + paid);
        } else {
            paid = _relay(run, to, dice >> 136);
        }
        if (paid != 0) assertFalse(_inPause());
        assertEq(paid, _countPaid(run) * FACE, "paid other than whole face values");
        _assertOnlyRecipientsPairsFell(before, to);
    }

    function _relay(Run memory run, uint256 to, uint256 dice) private returns (uint256 paid) {
        address recipient_ = accounts[to];
        uint96 fee = uint96(dice % FACE);
        ITicketEscrow.RedeemOrder memory o = ITicketEscrow.RedeemOrder(
            recipient_,
            keccak256(run.encoded),
            0,
            fee,
            dice % 2 == 0 ? address(0) : stranger,
            escrow.orderNonce(recipient_),
            type(uint40).max
        );
        (bytes32 r, bytes32 vs) = vm.signCompact(keys[to], escrow.redeemOrderDigest(o));
        uint256 income = _balance(recipient_);
        uint256 earned = _balance(relayer);
        vm.prank(relayer);
        try escrow.redeemFor(o, run.encoded, r, vs) returns (uint256 p) {
            paid = p;
            assertEq(_balance(relayer), earned + fee);
            assertEq(_balance(recipient_), income + (o.to == address(0) ? p - fee : 0));
            if (o.to != address(0)) moneyOut += p - fee;
            ++relayed;
            vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.OrderNonceWrong.selector, o.orderNonce + 1));
            escrow.redeemFor(o, run.encoded, r, vs);
        } catch {
            assertEq(_balance(relayer), earned);
            assertEq(escrow.orderNonce(recipient_), o.orderNonce);
        }
    }

    function setOperator(uint256 who, bool allowed) external {
        vm.prank(accounts[who % N]);
        escrow.setOperator(operator, allowed);
    }

    // --------------------------------------------------------------- pauser

    function pause() external {
        bool may = pauseEnd == 0 || vm.getBlockTimestamp() >= pauseEnd + escrow.MIN_PAUSE_GAP();
        vm.prank(PAUSER);
        try escrow.pause() {
            assertTrue(may, "paused again too soon");
            pauseStart = vm.getBlockTimestamp();
            pauseEnd = pauseStart + escrow.MAX_PAUSE();
            ++pauses;
        } catch {
            assertFalse(may);
        }
    }

    function unpause() external {
        bool may = _inPause();
        vm.prank(PAUSER);
        try escrow.unpause() {
            assertTrue(may);
            pauseEnd = vm.getBlockTimestamp();
        } catch {
            assertFalse(may);
        }
    }

    /// @dev Long enough for the next pause.
    function passLong(uint256 time) external {
        vm.warp(vm.getBlockTimestamp() + bound(time, 1 days, 31 days));
    }

    // ------------------------------------------------------------- griefers

    function pauseByAnother(uint256 who) external {
        vm.prank(accounts[who % N]);
        vm.expectRevert(abi.encodeWithSelector(IBoundedPause.Unauthorised.selector, accounts[who % N]));
        escrow.pause();
    }

    /// @dev Two tickets of one nonce by the payer, or one of them forged.
    function accuse(uint256 from, uint256 to, uint256 dice) external {
        if (dice % 4 != 0) return; // a flagged payer allocates no more
        (from, to) = _pair(from, to);
        ITicketEscrow.Ticket memory a = _make(from, to, dice >> 8);
        ITicketEscrow.Ticket memory b = _make(from, to, dice >> 8);
        b.salt += 1;
        bool forged = dice % 8 == 0;
        bool may = !forged && !escrow.isFlagged(a.payer);
        bytes32 money = keccak256(abi.encode(_pairs(), _balance(a.payer)));
        (bytes32 rA, bytes32 vsA) = _sign(keys[from], a);
        (bytes32 rB, bytes32 vsB) = _sign(forged ? keys[to] : keys[from], b);
        vm.prank(stranger);
        try escrow.flagEquivocation(a, rA, vsA, b, rB, vsB) {
            assertTrue(may, "flagged without proof");
            ++flagged;
        } catch {
            assertFalse(may);
        }
        assertEq(keccak256(abi.encode(_pairs(), _balance(a.payer))), money, "a flag moves no money");
    }

    function totalElsewhere() external view returns (uint256 sum) {
        sum = _balance(relayer) + _balance(operator);
        for (uint256 i = 0; i < N; ++i) {
            sum += _balance(hot[i]);
        }
    }
}

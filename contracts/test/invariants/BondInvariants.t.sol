// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {BondTest} from "../BondTest.sol";
import {ITranscoderBond} from "../../src/interfaces/ITranscoderBond.sol";

/// @dev A transcoder that bonds, unbonds, equivocates and defends itself, reporters, a pauser, and time.
contract Court is BondTest {
    uint256 public bonded;
    uint256 public returned;
    uint256 public rewarded;
    uint256 public burned;
    uint256 public rebutted;
    uint256 public slashedWhileUnbonding;
    bytes32[] public claims;
    uint256 private attempts;
    mapping(bytes32 claim => bytes32) private attemptOf;
    address private constant NOBODY = 0x000000000000000000000000000000000000dEaD;

    function deposit(uint256 amount) external {
        if (_paused()) return;
        amount = bound(amount, 1, 2 * uint256(SLASH));
        _bond(amount);
        bonded += amount;
    }

    function unbond(uint256 amount) external {
        (uint96 held,,) = bond.bondOf(transcoder);
        vm.prank(transcoder);
        bond.unbond(bound(amount, 0, held));
    }

    function release() external {
        (uint96 held, uint96 unbonding, uint40 end) = bond.bondOf(transcoder);
        bool may = unbonding != 0 && vm.getBlockTimestamp() >= end && !_paused();
        uint256 had = transcoder.balance;
        vm.prank(transcoder);
        try bond.release(payable(transcoder)) returns (uint256 amount) {
            assertTrue(may, "released before its time");
            assertEq(amount, unbonding);
            assertEq(transcoder.balance, had + amount);
            returned += amount;
            (uint96 left,,) = bond.bondOf(transcoder);
            assertEq(left, held - amount);
        } catch {
            assertFalse(may);
        }
    }

    /// @dev Whatever is unbonding, an equivocation of the past takes its slash at once while there is a bond.
    function report(uint256 dice) external {
        bytes32 attempt = dice % 3 == 0 && attempts != 0 ? bytes32(1 + dice % attempts) : bytes32(++attempts);
        (uint96 held, uint96 unbonding,) = bond.bondOf(transcoder);
        bytes32 id = bond.claimIdOf(orchestrator, transcoder, keccak256("lease"), attempt);
        (ITranscoderBond.ClaimState state,,,,) = bond.claimOf(id);
        bool may = held != 0 && state == ITranscoderBond.ClaimState.None && !_paused();
        try this.doReport(attempt) {
            assertTrue(may, "an attempt was judged twice");
            (uint96 left,,) = bond.bondOf(transcoder);
            assertEq(held - left, held < SLASH ? held : SLASH, "all that can be slashed is set aside");
            if (unbonding != 0) ++slashedWhileUnbonding;
            claims.push(id);
            attemptOf[id] = attempt;
        } catch {
            assertFalse(may);
        }
    }

    function doReport(bytes32 attempt) external {
        _report(attempt);
    }

    function rebut(uint256 which) external {
        if (claims.length == 0) return;
        bytes32 id = claims[which % claims.length];
        (ITranscoderBond.ClaimState state,,, uint96 amount, uint40 until) = bond.claimOf(id);
        ITranscoderBond.Assignment memory other = _assignment(attemptOf[id]);
        other.seq += 1;
        bytes memory signature = _signed(orchestratorKey, bond.assignmentDigest(other));
        (uint96 held,,) = bond.bondOf(transcoder);
        bool may = state == ITranscoderBond.ClaimState.Open && vm.getBlockTimestamp() <= until;
        try bond.rebut(id, other, signature) {
            assertTrue(may, "rebutted too late or twice");
            (uint96 now_,,) = bond.bondOf(transcoder);
            assertEq(now_, held + amount);
            ++rebutted;
        } catch {
            assertFalse(may);
        }
    }

    function slash(uint256 which) external {
        if (claims.length == 0) return;
        bytes32 id = claims[which % claims.length];
        (ITranscoderBond.ClaimState state,,, uint96 amount, uint40 until) = bond.claimOf(id);
        bool may = state == ITranscoderBond.ClaimState.Open && vm.getBlockTimestamp() > until && !_paused();
        uint256 rich = reporter.balance;
        uint256 ashes = NOBODY.balance;
        try bond.slash(id) {
            assertTrue(may, "slashed inside the dispute window, or twice");
            uint256 reward = reporter.balance - rich;
            assertEq(reward, uint256(amount) * SHARE / 10_000);
            assertEq(NOBODY.balance - ashes, amount - reward);
            rewarded += reward;
            burned += amount - reward;
        } catch {
            assertFalse(may);
        }
    }

    function pass(uint256 time) external {
        vm.warp(vm.getBlockTimestamp() + bound(time, 1, 4 days));
    }

    function pause(bool end) external {
        vm.prank(pauser);
        if (end) try bond.unpause() {} catch {} else try bond.pause() {} catch {}
    }

    function openClaims() external view returns (uint256 sum) {
        for (uint256 i = 0; i < claims.length; ++i) {
            (,,, uint96 amount,) = bond.claimOf(claims[i]);
            sum += amount;
        }
    }

    function theBond() external view returns (ITranscoderBond, address) {
        return (bond, transcoder);
    }

    function _paused() private view returns (bool) {
        (, uint40 end) = bond.lastPause();
        return vm.getBlockTimestamp() < end;
    }
}

contract BondInvariantsTest is BondTest {
    Court private court;

    function setUp() public override {
        court = new Court();
        court.setUp();
        court.deposit(2 * uint256(SLASH));
        bytes4[] memory actions = new bytes4[](8);
        actions[0] = Court.deposit.selector;
        actions[1] = Court.unbond.selector;
        actions[2] = Court.release.selector;
        actions[3] = Court.report.selector;
        actions[4] = Court.rebut.selector;
        actions[5] = Court.slash.selector;
        actions[6] = Court.pass.selector;
        actions[7] = Court.pause.selector;
        targetSelector(FuzzSelector(address(court), actions));
        targetContract(address(court));
    }

    /// Every wei bonded is still bonded, set aside for a claim, returned, or slashed.
    function invariant_bonds() public view {
        (ITranscoderBond it, address owner) = court.theBond();
        (uint96 held, uint96 unbonding, uint40 end) = it.bondOf(owner);
        assertEq(address(it).balance, held + court.openClaims(), "solvency");
        assertEq(
            court.bonded(),
            held + court.openClaims() + court.returned() + court.rewarded() + court.burned(),
            "conservation"
        );
        assertLe(unbonding, held);
        assertEq(unbonding == 0, end == 0);
    }

    function test_court_reachesEveryPath() public {
        for (uint256 i = 0; i < 60; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(i)));
            court.deposit(dice);
            court.unbond(dice >> 8);
            court.report(dice);
            if (i % 7 == 0) court.pause(false);
            if (i % 3 == 0) court.rebut(i % 6 == 0 ? i / 2 : dice);
            court.pass(dice);
            court.slash(dice);
            court.slash(i / 2);
            if (i % 7 == 3) court.pause(true);
            if (i % 5 == 0) court.pass(4 days);
            court.release();
        }
        assertGt(court.returned(), 0);
        assertGt(court.burned(), 0);
        assertGt(court.rebutted(), 2);
        assertGt(court.slashedWhileUnbonding(), 3);
        invariant_bonds();
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {EscrowTest} from "../EscrowTest.sol";
import {Crowd} from "./Crowd.sol";
import {IBoundedPause} from "../../src/interfaces/IBoundedPause.sol";
import {ITicketEscrow} from "../../src/interfaces/ITicketEscrow.sol";

contract InvariantsTest is EscrowTest {
    Crowd private crowd;

    function setUp() public override {
        super.setUp();
        AccessManager manager = new AccessManager(address(this));
        address pauser = makeAddr("pauser");
        escrow =
            ITicketEscrow(deployCode("TicketEscrow.sol:TicketEscrow", abi.encode(address(0), THAW, address(manager))));
        bytes4[] memory functions = new bytes4[](2);
        functions[0] = IBoundedPause.pause.selector;
        functions[1] = IBoundedPause.unpause.selector;
        manager.setTargetFunctionRole(address(escrow), functions, 1);
        manager.grantRole(1, pauser, 0);
        crowd = new Crowd(escrow, pauser);

        // Money, allocations and sessions to begin with, so that short sequences reach redemptions.
        for (uint256 i = 0; i < 4; ++i) {
            crowd.deposit(i, 6 * uint256(FACE));
            crowd.allocate(i, i + 1, 0);
            crowd.deposit(i, 2 * uint256(FACE));
            crowd.setSession(i, 2 * THAW, 4 * uint256(FACE));
        }

        bytes4[] memory actions = new bytes4[](22);
        actions[0] = crowd.deposit.selector;
        actions[1] = crowd.meddle.selector;
        actions[2] = crowd.withdraw.selector;
        actions[3] = crowd.allocate.selector;
        actions[4] = crowd.thaw.selector;
        actions[5] = crowd.release.selector;
        actions[6] = crowd.pass.selector;
        actions[7] = crowd.redeem.selector;
        actions[8] = crowd.replay.selector;
        actions[9] = crowd.steal.selector;
        actions[10] = crowd.redeemBatch.selector;
        actions[11] = crowd.setSession.selector;
        actions[12] = crowd.revokeSession.selector;
        actions[13] = crowd.allocateBySession.selector;
        actions[14] = crowd.settle.selector;
        actions[15] = crowd.redeemOtherwise.selector;
        actions[16] = crowd.setOperator.selector;
        actions[17] = crowd.pause.selector;
        actions[18] = crowd.unpause.selector;
        actions[19] = crowd.passLong.selector;
        actions[20] = crowd.accuse.selector;
        actions[21] = crowd.pauseByAnother.selector;
        targetSelector(FuzzSelector(address(crowd), actions));
        targetContract(address(crowd));
    }

    function invariant_books() public view {
        // Solvency and conservation: what is held is what is owed is what came in less what went out.
        uint256 owed = crowd.totalBalances() + crowd.totalAllocations() + crowd.totalElsewhere();
        assertEq(address(escrow).balance, owed, "solvency");
        assertEq(crowd.moneyIn() - crowd.moneyOut(), owed, "conservation");
        // Each (payer, recipient, lane, nonce) pays at most once, as a ticket or in a settlement; the actions check that
        // watermarks only rise.
        assertLe(crowd.maxTimesPaid(), 1, "single payout");
        // The thawing part is inside the allocation, and its end is set exactly while there is one.
        crowd.assertThawsAreWellFormed();
        // No pause is longer than it may be.
        (uint40 start, uint40 end) = escrow.lastPause();
        assertLe(end - start, escrow.MAX_PAUSE());
    }

    /// The actions reach what they are there to test.
    function test_crowd_reachesEveryPath() public {
        for (uint256 i = 0; i < 100; ++i) {
            uint256 dice = uint256(keccak256(abi.encode(i)));
            uint256 to = i + 1 + dice % 3;
            crowd.deposit(i, 4 * uint256(FACE));
            crowd.allocate(i, to, type(uint256).max - dice);
            crowd.setSession(i, uint40(dice >> 200), dice >> 8);
            crowd.setOperator(to, true);
            crowd.thaw(i, to, dice >> 8);
            crowd.redeem(i, to, dice >> 16);
            crowd.redeemBatch(i, dice >> 24, to, dice >> 32);
            crowd.allocateBySession(i, to, dice >> 40);
            crowd.settle(i, to, dice >> 48);
            crowd.redeemOtherwise(i, to, dice);
            crowd.replay(dice);
            crowd.steal(dice);
            crowd.meddle(dice, i, dice);
            crowd.pass(THAW / 3);
            crowd.release(dice, dice >> 8);
            crowd.withdraw(dice >> 16, dice);
            if (i % 12 == 0) crowd.revokeSession(i);
            if (i % 20 == 0) {
                crowd.pause();
                crowd.deposit(i, FACE);
                crowd.allocate(i, to, dice);
                crowd.redeem(i, to, dice >> 16);
                crowd.thaw(i, to, dice);
                crowd.pass(dice >> 32);
                crowd.unpause();
            }
            if (i % 10 == 0) crowd.passLong(dice);
            if (i > 80) crowd.accuse(i, to, dice);
        }
        assertGt(crowd.winsPaid(), 100);
        assertGt(crowd.drawnOnAllocation(), 10);
        assertGt(crowd.drawnOnThawing(), 5);
        assertGt(crowd.released(), 3);
        assertGt(crowd.bySessionPaid(), 3);
        assertGt(crowd.sessionAllocated(), 3);
        assertGt(crowd.settled(), 5);
        assertGt(crowd.relayed(), 3);
        assertGt(crowd.operated(), 3);
        assertGt(crowd.paidOut(), 3);
        assertGt(crowd.pauses(), 1);
        assertGt(crowd.flagged(), 0);
        invariant_books();
    }
}

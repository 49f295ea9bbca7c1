// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {stdJson} from "forge-std/StdJson.sol";
import {BondTest} from "./BondTest.sol";
import {IBoundedPause} from "../src/interfaces/IBoundedPause.sol";
import {ITranscoderBond} from "../src/interfaces/ITranscoderBond.sol";

contract TranscoderBondTest is BondTest {
    using stdJson for string;

    address private constant NOBODY = 0x000000000000000000000000000000000000dEaD;

    // ---------------------------------------------------------------- stake

    function test_bond_unbondsAfterItsPeriodAndNotBefore() public {
        vm.expectEmit(address(bond));
        emit ITranscoderBond.Bonded(address(this), transcoder, 3 ether);
        _bond(3 ether);
        vm.expectEmit(address(bond));
        emit ITranscoderBond.UnbondingStarted(transcoder, 2 ether, START + UNBONDING);
        vm.startPrank(transcoder);
        bond.unbond(2 ether);
        vm.warp(START + UNBONDING - 1);
        vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.StillUnbonding.selector, START + UNBONDING));
        bond.release(payable(transcoder));
        vm.warp(START + UNBONDING);
        vm.expectRevert(ITranscoderBond.ZeroAddress.selector);
        bond.release(payable(address(0)));
        vm.expectEmit(address(bond));
        emit ITranscoderBond.Unbonded(transcoder, transcoder, 2 ether);
        assertEq(bond.release(payable(transcoder)), 2 ether);
        assertEq(transcoder.balance, 2 ether);
        vm.expectRevert(ITranscoderBond.NothingUnbonding.selector);
        bond.release(payable(transcoder));
        (uint96 amount, uint96 unbonding, uint40 end) = bond.bondOf(transcoder);
        assertEq(amount, 1 ether);
        assertEq(unbonding, 0);
        assertEq(end, 0);
    }

    function test_unbond_raisingStartsAnewLoweringKeepsTheEndZeroCancels() public {
        _bond(5 ether);
        vm.startPrank(transcoder);
        bond.unbond(1 ether);
        vm.warp(START + 100);
        bond.unbond(2 ether);
        (, uint96 unbonding, uint40 end) = bond.bondOf(transcoder);
        assertEq(end, START + 100 + UNBONDING);
        vm.warp(START + 200);
        bond.unbond(1 ether);
        (, unbonding, end) = bond.bondOf(transcoder);
        assertEq(unbonding, 1 ether);
        assertEq(end, START + 100 + UNBONDING);
        bond.unbond(0);
        (, unbonding, end) = bond.bondOf(transcoder);
        assertEq(end, 0);
        vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.InsufficientBond.selector, 5 ether, 5 ether + 1));
        bond.unbond(5 ether + 1);
    }

    function test_bond_byOthersNeverTouchesAnUnbonding() public {
        _bond(1 ether);
        vm.prank(transcoder);
        bond.unbond(1 ether);
        _bond(4 ether);
        (uint96 amount, uint96 unbonding, uint40 end) = bond.bondOf(transcoder);
        assertEq(amount, 5 ether);
        assertEq(unbonding, 1 ether);
        assertEq(end, START + UNBONDING);
    }

    function test_bond_refusals() public {
        vm.expectRevert(ITranscoderBond.ZeroAmount.selector);
        bond.bond(transcoder);
        vm.deal(address(this), 1);
        vm.expectRevert(ITranscoderBond.ZeroAddress.selector);
        bond.bond{value: 1}(address(0));
    }

    function test_release_cannotBeReentered() public {
        BondThief thief = new BondThief(bond);
        vm.deal(address(this), 1 ether);
        bond.bond{value: 1 ether}(address(thief));
        _bond(5 ether);
        thief.unbond();
        vm.warp(START + UNBONDING);
        thief.release();
        assertTrue(thief.tried(), "the attack must have run");
        assertEq(address(thief).balance, 1 ether);
        assertEq(address(bond).balance, 5 ether);
    }

    function test_constructor_unbondingIsLongerThanADispute() public {
        this.implementation(SLASH, SHARE, WINDOW, WINDOW + 1);
        vm.expectRevert();
        this.implementation(SLASH, SHARE, WINDOW, WINDOW);
        vm.expectRevert();
        this.implementation(0, SHARE, WINDOW, UNBONDING);
        vm.expectRevert();
        this.implementation(SLASH, 2001, WINDOW, UNBONDING);
        vm.expectRevert();
        this.implementation(SLASH, SHARE, 0, UNBONDING);
    }

    function implementation(uint96 amount, uint16 share, uint40 window, uint40 unbonding) external returns (address) {
        return _implementation(amount, share, window, unbonding);
    }

    // ------------------------------------------------------------- slashing

    function test_slash_paysTheReporterAndBurnsTheRest() public {
        _bond(3 ether);
        bytes32 id = bond.claimIdOf(orchestrator, transcoder, keccak256("lease"), "attempt");
        vm.expectEmit(address(bond));
        emit ITranscoderBond.EquivocationReported(id, transcoder, reporter, orchestrator, "attempt", SLASH);
        assertEq(_report("attempt"), id);
        (uint96 amount,,) = bond.bondOf(transcoder);
        assertEq(amount, 2 ether, "set aside at once");
        vm.warp(START + WINDOW);
        vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.StillDisputable.selector, START + WINDOW));
        bond.slash(id);
        vm.warp(START + WINDOW + 1);
        vm.expectEmit(address(bond));
        emit ITranscoderBond.Slashed(id, transcoder, reporter, 0.2 ether, 0.8 ether);
        bond.slash(id);
        assertEq(reporter.balance, 0.2 ether);
        assertEq(NOBODY.balance, 0.8 ether);
        assertEq(address(bond).balance, 2 ether);
        vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.ClaimNotOpen.selector, id));
        bond.slash(id);
    }

    /// Somebody who equivocates and starts to unbond in the same moment is still there to be slashed.
    function test_slash_reachesWhatIsUnbonding() public {
        _bond(1 ether);
        vm.prank(transcoder);
        bond.unbond(1 ether);
        vm.warp(START + UNBONDING - 1);
        bytes32 id = _report("attempt");
        vm.warp(START + UNBONDING);
        vm.prank(transcoder);
        vm.expectRevert(ITranscoderBond.NothingUnbonding.selector);
        bond.release(payable(transcoder));
        vm.warp(START + UNBONDING + WINDOW);
        bond.slash(id);
        assertEq(NOBODY.balance, 0.8 ether);
    }

    function test_slash_takesWhatIsUnbondingFirst_andNoMoreThanThereIs() public {
        _bond(1.5 ether);
        vm.prank(transcoder);
        bond.unbond(1.2 ether);
        _report("one");
        (uint96 amount, uint96 unbonding, uint40 end) = bond.bondOf(transcoder);
        assertEq(amount, 0.5 ether);
        assertEq(unbonding, 0.2 ether);
        assertEq(end, START + UNBONDING);
        _report("two");
        (amount, unbonding, end) = bond.bondOf(transcoder);
        assertEq(amount, 0);
        assertEq(end, 0);
        ITranscoderBond.Assignment memory assignment = _assignment("three");
        ITranscoderBond.Receipt memory a = _receipt(assignment, "one");
        ITranscoderBond.Receipt memory b = _receipt(assignment, "two");
        bytes[3] memory signatures = _signatures(assignment, a, b);
        vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.NothingBonded.selector, transcoder));
        bond.report(assignment, a, b, signatures);
    }

    function test_report_onceForAnAttempt() public {
        _bond(9 ether);
        bytes32 id = _report("attempt");
        ITranscoderBond.Assignment memory assignment = _assignment("attempt");
        ITranscoderBond.Receipt memory a = _receipt(assignment, "three");
        ITranscoderBond.Receipt memory b = _receipt(assignment, "four");
        bytes[3] memory signatures = _signatures(assignment, a, b);
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.ClaimExists.selector, id));
            bond.report(assignment, a, b, signatures);
            if (i == 0) {
                vm.warp(START + WINDOW + 1);
                bond.slash(id);
            }
        }
    }

    /// Sending a segment twice begins two attempts: two receipts of them prove nothing.
    function test_report_twoAttemptsAreNoEquivocation() public {
        _bond(1 ether);
        ITranscoderBond.Assignment memory assignment = _assignment("first");
        ITranscoderBond.Receipt memory a = _receipt(assignment, "one");
        ITranscoderBond.Receipt memory b = _receipt(_assignment("second"), "two");
        bytes[3] memory signatures = _signatures(assignment, a, b);
        vm.expectRevert(ITranscoderBond.NotOneAttempt.selector);
        bond.report(assignment, a, b, signatures);
    }

    function test_report_everyFieldMustBeThatOfTheAttempt() public {
        _bond(1 ether);
        ITranscoderBond.Assignment memory assignment = _assignment("attempt");
        for (uint256 i = 0; i < 7; ++i) {
            ITranscoderBond.Receipt memory a = _receipt(assignment, "one");
            ITranscoderBond.Receipt memory b = _receipt(assignment, "two");
            bytes4 want = ITranscoderBond.NotOneAttempt.selector;
            if (i == 0) b.orchestrator = reporter;
            if (i == 1) b.transcoder = reporter;
            if (i == 2) b.lease = "another";
            if (i == 3) b.seq += 1;
            if (i == 4) b.source = "another"; // other bytes give other output: no fault
            if (i == 5) (b.renditions[1].output, want) = ("one", ITranscoderBond.NoEquivocation.selector);
            if (i == 6) (b.renditions[1].profile, want) = ("1080p", ITranscoderBond.NoEquivocation.selector);
            bytes[3] memory signatures = _signatures(assignment, a, b);
            vm.expectRevert(want);
            bond.report(assignment, a, b, signatures);
        }
    }

    /// Without the orchestrator's signature on that attempt, and without the transcoder's on both receipts, there is no case.
    function test_report_needsAllThreeSignatures() public {
        _bond(1 ether);
        (, uint256 otherKey) = makeAddrAndKey("somebody else");
        ITranscoderBond.Assignment memory assignment = _assignment("attempt");
        ITranscoderBond.Receipt memory a = _receipt(assignment, "one");
        ITranscoderBond.Receipt memory b = _receipt(assignment, "two");
        for (uint256 i = 0; i < 3; ++i) {
            bytes[3] memory signatures = _signatures(assignment, a, b);
            bytes32 digest = i == 0 ? bond.assignmentDigest(assignment) : bond.receiptDigest(i == 1 ? a : b);
            address expected = i == 0 ? orchestrator : transcoder;
            signatures[i] = _signed(otherKey, digest);
            vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.BadSignature.selector, expected));
            bond.report(assignment, a, b, signatures);
            signatures[i] = hex"00";
            vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.BadSignature.selector, expected));
            bond.report(assignment, a, b, signatures);
        }
        // Signed for another chain it counts nowhere else.
        bytes[3] memory here = _signatures(assignment, a, b);
        vm.chainId(block.chainid + 1);
        vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.BadSignature.selector, orchestrator));
        bond.report(assignment, a, b, here);
    }

    function test_report_zeroAccountsMatchNoFailedRecovery() public {
        ITranscoderBond.Assignment memory assignment = _assignment("attempt");
        (assignment.orchestrator, assignment.transcoder) = (address(0), address(0));
        ITranscoderBond.Receipt memory a = _receipt(assignment, "one");
        ITranscoderBond.Receipt memory b = _receipt(assignment, "two");
        bytes[3] memory none = [bytes(new bytes(65)), new bytes(65), new bytes(65)];
        vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.BadSignature.selector, address(0)));
        bond.report(assignment, a, b, none);
    }

    // ------------------------------------------------------------- rebuttal

    /// An orchestrator that signs one attempt id for two segments provokes two receipts; its second assignment clears the
    /// transcoder, for good.
    function test_rebuttal_ofAReusedAttemptClearsTheTranscoder() public {
        _bond(3 ether);
        bytes32 id = _report("attempt");
        ITranscoderBond.Assignment memory other = _assignment("attempt");
        other.incarnation += 1;
        bytes memory signature = _signed(orchestratorKey, bond.assignmentDigest(other));
        vm.warp(START + WINDOW);
        vm.expectEmit(address(bond));
        emit ITranscoderBond.ClaimRebutted(id, transcoder, SLASH);
        bond.rebut(id, other, signature);
        (uint96 amount,,) = bond.bondOf(transcoder);
        assertEq(amount, 3 ether);
        vm.warp(START + WINDOW + 1);
        vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.ClaimNotOpen.selector, id));
        bond.slash(id);
        (ITranscoderBond.ClaimState state,,,,) = bond.claimOf(id);
        assertTrue(state == ITranscoderBond.ClaimState.Rebutted);
    }

    function test_rebuttal_refusals() public {
        _bond(3 ether);
        bytes32 id = _report("attempt");
        // The very assignment again is no second one, whatever its signature.
        ITranscoderBond.Assignment memory other = _assignment("attempt");
        bytes memory signature = _signed(orchestratorKey, bond.assignmentDigest(other));
        vm.expectRevert(ITranscoderBond.NoRebuttal.selector);
        bond.rebut(id, other, signature);
        // Another attempt, another orchestrator.
        other = _assignment("another");
        signature = _signed(orchestratorKey, bond.assignmentDigest(other));
        vm.expectRevert(ITranscoderBond.NoRebuttal.selector);
        bond.rebut(id, other, signature);
        other = _assignment("attempt");
        other.orchestrator = transcoder;
        signature = _signed(transcoderKey, bond.assignmentDigest(other));
        vm.expectRevert(ITranscoderBond.NoRebuttal.selector);
        bond.rebut(id, other, signature);
        // Not signed by the orchestrator.
        other = _assignment("attempt");
        other.seq = 1;
        signature = _signed(transcoderKey, bond.assignmentDigest(other));
        vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.BadSignature.selector, orchestrator));
        bond.rebut(id, other, signature);
        // Too late, or of no claim.
        signature = _signed(orchestratorKey, bond.assignmentDigest(other));
        vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.ClaimNotOpen.selector, bytes32(0)));
        bond.rebut(0, other, signature);
        vm.warp(START + WINDOW + 1);
        vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.DisputeOver.selector, START + WINDOW));
        bond.rebut(id, other, signature);
    }

    // ------------------------------------------------------ pause, upgrades

    function test_pause_stopsSlashingAndLengthensUnbondingAndDisputes() public {
        _bond(3 ether);
        bytes32 id = _report("attempt");
        vm.prank(transcoder);
        bond.unbond(1 ether);
        vm.warp(START + 1 days);
        vm.prank(pauser);
        bond.pause();
        uint256 end = START + 1 days + bond.MAX_PAUSE();
        bytes memory paused = abi.encodeWithSelector(IBoundedPause.PausedUntil.selector, end);
        vm.warp(end - 1);
        vm.expectRevert(paused);
        bond.slash(id);
        vm.expectRevert(paused);
        vm.prank(transcoder);
        bond.release(payable(transcoder));
        vm.warp(end);
        (,, uint40 unbondEnd) = bond.bondOf(transcoder);
        assertEq(unbondEnd, START + UNBONDING + 3 days);
        (,,,, uint40 disputableUntil) = bond.claimOf(id);
        assertEq(disputableUntil, START + WINDOW + 3 days);
        vm.warp(disputableUntil);
        vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.StillDisputable.selector, disputableUntil));
        bond.slash(id);
        vm.warp(disputableUntil + 1);
        bond.slash(id);
        vm.warp(unbondEnd - 1);
        vm.expectRevert(abi.encodeWithSelector(ITranscoderBond.StillUnbonding.selector, unbondEnd));
        vm.prank(transcoder);
        bond.release(payable(transcoder));
        vm.warp(unbondEnd);
        vm.prank(transcoder);
        assertEq(bond.release(payable(transcoder)), 1 ether);
    }

    /// An upgrade takes longer than unbonding, so nobody's stake comes under rules it did not accept.
    function test_upgrade_onlyByGovernanceAndOnlyAfterTheDelay() public {
        _bond(3 ether);
        address next = _implementation(2 ether, 1000, WINDOW, UNBONDING);
        bytes memory upgrade = abi.encodeCall(UUPSUpgradeable.upgradeToAndCall, (next, ""));
        address[3] memory others = [governance, pauser, reporter];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IBoundedPause.Unauthorised.selector, others[i]));
            vm.prank(others[i]);
            UUPSUpgradeable(address(bond)).upgradeToAndCall(next, "");
        }
        vm.startPrank(governance);
        vm.expectRevert();
        manager.execute(address(bond), upgrade);
        (bytes32 operation,) = manager.schedule(address(bond), upgrade, 0);
        vm.warp(START + UPGRADE_DELAY - 1);
        vm.expectRevert(abi.encodeWithSelector(IAccessManager.AccessManagerNotReady.selector, operation));
        manager.execute(address(bond), upgrade);
        assertEq(bond.SLASH(), 1 ether);
        vm.warp(START + UPGRADE_DELAY);
        manager.execute(address(bond), upgrade);
        vm.stopPrank();
        assertEq(bond.SLASH(), 2 ether);
        (uint96 amount,,) = bond.bondOf(transcoder);
        assertEq(amount, 3 ether);
        assertGt(UPGRADE_DELAY, UNBONDING);
    }

    function test_implementation_cannotBeUpgradedByItself() public {
        address implementation_ = _implementation(SLASH, SHARE, WINDOW, UNBONDING);
        vm.expectRevert(UUPSUpgradeable.UUPSUnauthorizedCallContext.selector);
        vm.prank(governance);
        UUPSUpgradeable(implementation_).upgradeToAndCall(implementation_, "");
    }

    // -------------------------------------------------------------- vectors

    /// The digests are those that Go signs.
    function test_vectors_ofTheProtocolAgree() public {
        string memory json = vm.readFile("../internal/protocol/testdata/eip712.json");
        vm.chainId(json.readUint(".domain.chainId"));
        escrowAddress = json.readAddress(".domain.verifyingContract");
        bond = ITranscoderBond(_implementation(SLASH, SHARE, WINDOW, UNBONDING));
        uint256 assignments;
        uint256 receipts;
        for (uint256 i = 0; vm.keyExistsJson(json, string.concat(".vectors[", vm.toString(i), "]")); ++i) {
            string memory at = string.concat(".vectors[", vm.toString(i), "].");
            bytes memory type_ = bytes(json.readString(string.concat(at, "type")));
            bytes32 digest;
            if (_startsWith(type_, "Assignment(")) {
                digest = bond.assignmentDigest(_assignmentAt(json, string.concat(at, "message.")));
                ++assignments;
            } else if (_startsWith(type_, "Receipt(")) {
                digest = bond.receiptDigest(_receiptAt(json, string.concat(at, "message.")));
                ++receipts;
            } else {
                continue;
            }
            assertEq(digest, json.readBytes32(string.concat(at, "digest")));
        }
        assertGt(assignments, 0);
        assertGt(receipts, 0);
    }

    function _startsWith(bytes memory s, bytes memory prefix) private pure returns (bool) {
        for (uint256 i = 0; i < prefix.length; ++i) {
            if (i >= s.length || s[i] != prefix[i]) return false;
        }
        return true;
    }

    function _assignmentAt(string memory json, string memory at)
        private
        pure
        returns (ITranscoderBond.Assignment memory a)
    {
        a.orchestrator = json.readAddress(string.concat(at, "orchestrator"));
        a.transcoder = json.readAddress(string.concat(at, "transcoder"));
        a.lease = json.readBytes32(string.concat(at, "lease"));
        a.stream = json.readString(string.concat(at, "stream"));
        a.incarnation = uint32(json.readUint(string.concat(at, "incarnation")));
        a.seq = uint64(json.readUint(string.concat(at, "seq")));
        a.attempt = json.readBytes32(string.concat(at, "attempt"));
    }

    function _receiptAt(string memory json, string memory at) private view returns (ITranscoderBond.Receipt memory r) {
        r.orchestrator = json.readAddress(string.concat(at, "orchestrator"));
        r.transcoder = json.readAddress(string.concat(at, "transcoder"));
        r.lease = json.readBytes32(string.concat(at, "lease"));
        r.seq = uint64(json.readUint(string.concat(at, "seq")));
        r.attempt = json.readBytes32(string.concat(at, "attempt"));
        r.source = json.readBytes32(string.concat(at, "source"));
        uint256 n;
        while (vm.keyExistsJson(json, string.concat(at, "renditions[", vm.toString(n), "]"))) ++n;
        r.renditions = new ITranscoderBond.RenditionReceipt[](n);
        for (uint256 i = 0; i < n; ++i) {
            string memory of_ = string.concat(at, "renditions[", vm.toString(i), "].");
            r.renditions[i] = ITranscoderBond.RenditionReceipt({
                profile: json.readBytes32(string.concat(of_, "profile")),
                output: json.readBytes32(string.concat(of_, "output")),
                pixels: uint64(json.readUint(string.concat(of_, "pixels"))),
                frames: uint32(json.readUint(string.concat(of_, "frames"))),
                firstPts: int64(json.readInt(string.concat(of_, "first_pts"))),
                lastPts: int64(json.readInt(string.concat(of_, "last_pts")))
            });
        }
    }
}

/// @dev Tries to take its bond again while it is being paid.
contract BondThief {
    ITranscoderBond private immutable BOND;
    bool public tried;

    constructor(ITranscoderBond bond) {
        BOND = bond;
    }

    function unbond() external {
        BOND.unbond(1 ether);
    }

    function release() external {
        BOND.release(payable(address(this)));
    }

    receive() external payable {
        tried = true;
        try BOND.release(payable(address(this))) {
            revert("released twice");
        } catch {}
    }
}

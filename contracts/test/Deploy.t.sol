// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {Deploy} from "../script/Deploy.s.sol";
import {IBoundedPause} from "../src/interfaces/IBoundedPause.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

contract DeployTest is Test {
    Deploy private script;
    Deploy.Settings private s;

    function setUp() public {
        vm.warp(1_700_000_000);
        script = new Deploy();
        s.deployer = address(script); // a test's calls come from the script itself
        s.governance = makeAddr("governance");
        s.pauser = makeAddr("pauser");
        s.delay = 8 days;
        s.thawPeriod = 24 hours;
        s.slashAmount = 1 ether;
        s.reporterShare = 2000;
        s.disputeWindow = 3 days;
        s.unbondingPeriod = 7 days;
    }

    function test_deploy_verifiesAndGivesRolesAway() public {
        Deploy.Deployment memory d = script.deploy(s);
        script.verify(s, d);
        vm.prank(s.pauser);
        IBoundedPause(d.escrow).pause();
        vm.prank(s.pauser);
        IBoundedPause(d.bond).pause();
        vm.expectRevert();
        vm.prank(s.deployer);
        IAccessManager(d.authority).grantRole(0, s.deployer, 0);
    }

    function _wrong(Deploy.Settings memory other, Deploy.Deployment memory d, string memory what) private {
        vm.expectRevert(abi.encodeWithSelector(Deploy.Wrong.selector, what));
        script.verify(other, d);
    }

    /// The check is none if it lets something else pass.
    function test_verify_findsWhatIsWrong() public {
        Deploy.Deployment memory d = script.deploy(s);
        Deploy.Settings memory other = s;
        other.delay = 47 hours;
        _wrong(other, d, "the delay is shorter than 48 hours");
        other.delay = 7 days;
        _wrong(other, d, "an upgrade must take longer than unbonding");
        other.delay = 9 days;
        _wrong(other, d, "governance's role or delay");
        other.delay = s.delay;
        other.pauser = makeAddr("another pauser");
        _wrong(other, d, "the pauser's role");
        other.pauser = s.governance;
        _wrong(other, d, "roles are not apart");
        other.pauser = s.pauser;
        other.thawPeriod = 23 hours;
        _wrong(
            other,
            d,
            string.concat("the code at ", vm.toString(d.escrow), " is not that of TicketEscrow.sol:TicketEscrow")
        );
        other.thawPeriod = s.thawPeriod;
        script.verify(other, d);

        // Other code that answers alike.
        bytes memory code = d.escrow.code;
        code[code.length - 1] ^= 0x01;
        vm.etch(d.escrow, code);
        _wrong(
            s, d, string.concat("the code at ", vm.toString(d.escrow), " is not that of TicketEscrow.sol:TicketEscrow")
        );
    }

    function test_verify_findsAnAdminThatStayed() public {
        Deploy.Deployment memory d = script.deploy(s);
        vm.prank(s.governance);
        IAccessManager(d.authority)
            .schedule(d.authority, abi.encodeCall(IAccessManager.grantRole, (0, s.deployer, 0)), 0);
        vm.warp(vm.getBlockTimestamp() + s.delay);
        vm.prank(s.governance);
        IAccessManager(d.authority).grantRole(0, s.deployer, 0);
        _wrong(s, d, "the deployer is still an admin");
    }
}

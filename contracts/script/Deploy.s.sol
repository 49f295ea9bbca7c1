// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Script} from "forge-std/Script.sol";
import {stdJson} from "forge-std/StdJson.sol";
import {StdCheats} from "forge-std/StdCheats.sol";
import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {IBoundedPause} from "../src/interfaces/IBoundedPause.sol";
import {IServiceRegistry} from "../src/interfaces/IServiceRegistry.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";
import {ITranscoderBond} from "../src/interfaces/ITranscoderBond.sol";

/// @title Deploy
/// @notice Deploys the contracts of one market, gives every role away, checks the result, and writes the addresses to
/// deployments/CHAINID.json. `check()` reads that file and checks what is on the chain, at any later time. docs/contracts.md
/// lists the environment variables.
contract Deploy is Script, StdCheats {
    using stdJson for string;

    uint64 internal constant ADMIN_ROLE = 0;
    uint64 internal constant PAUSER_ROLE = 1;
    bytes32 private constant IMPLEMENTATION_SLOT = bytes32(uint256(keccak256("eip1967.proxy.implementation")) - 1);
    uint32 private constant MIN_DELAY = 48 hours;

    struct Settings {
        address deployer;
        address governance;
        address pauser;
        uint32 delay; // before anything governance does
        address asset;
        uint40 thawPeriod;
        uint96 slashAmount;
        uint16 reporterShare;
        uint40 disputeWindow;
        uint40 unbondingPeriod;
    }

    struct Deployment {
        address authority;
        address escrow;
        address bondImplementation;
        address bond;
        address registry;
    }

    error Wrong(string what);

    // ---------------------------------------------------------- entry points

    function run() external {
        Settings memory s = settings();
        vm.startBroadcast(s.deployer);
        Deployment memory d = deploy(s);
        vm.stopBroadcast();
        verify(s, d);
        write(s, d);
    }

    /// @notice Checks the contracts that deployments/CHAINID.json names, as they are on the chain.
    function check() external {
        string memory json = vm.readFile(path());
        Settings memory s;
        s.deployer = json.readAddress(".deployer");
        s.governance = json.readAddress(".governance");
        s.pauser = json.readAddress(".pauser");
        s.delay = uint32(json.readUint(".delay"));
        s.asset = json.readAddress(".asset");
        s.thawPeriod = uint40(json.readUint(".thaw_period"));
        s.slashAmount = uint96(json.readUint(".slash_amount"));
        s.reporterShare = uint16(json.readUint(".reporter_share"));
        s.disputeWindow = uint40(json.readUint(".dispute_window"));
        s.unbondingPeriod = uint40(json.readUint(".unbonding_period"));
        Deployment memory d;
        d.authority = json.readAddress(".authority");
        d.escrow = json.readAddress(".escrow");
        d.bondImplementation = json.readAddress(".bond_implementation");
        d.bond = json.readAddress(".bond");
        d.registry = json.readAddress(".registry");
        verify(s, d);
    }

    function settings() public view returns (Settings memory s) {
        s.deployer = vm.envOr("DEPLOYER", msg.sender);
        s.governance = vm.envAddress("GOVERNANCE");
        s.pauser = vm.envAddress("PAUSER");
        s.delay = uint32(vm.envOr("DELAY", uint256(8 days)));
        s.asset = vm.envOr("ASSET", address(0));
        s.thawPeriod = uint40(vm.envOr("THAW_PERIOD", uint256(24 hours)));
        s.slashAmount = uint96(vm.envOr("SLASH_AMOUNT", uint256(0.05 ether)));
        s.reporterShare = uint16(vm.envOr("REPORTER_SHARE", uint256(2000)));
        s.disputeWindow = uint40(vm.envOr("DISPUTE_WINDOW", uint256(3 days)));
        s.unbondingPeriod = uint40(vm.envOr("UNBONDING_PERIOD", uint256(7 days)));
    }

    // ---------------------------------------------------------------- stages

    function deploy(Settings memory s) public returns (Deployment memory d) {
        d.authority = deployCode("Authority.sol:Authority", abi.encode(s.deployer));
        d.escrow = deployCode("TicketEscrow.sol:TicketEscrow", abi.encode(s.asset, s.thawPeriod, d.authority));
        d.bondImplementation = deployCode("TranscoderBond.sol:TranscoderBond", bondArguments(s, d));
        d.bond = deployCode("TranscoderBondProxy.sol:TranscoderBondProxy", abi.encode(d.bondImplementation));
        d.registry = deployCode("ServiceRegistry.sol:ServiceRegistry");

        IAccessManager authority = IAccessManager(d.authority);
        bytes4[] memory pausing = new bytes4[](2);
        pausing[0] = IBoundedPause.pause.selector;
        pausing[1] = IBoundedPause.unpause.selector;
        authority.setTargetFunctionRole(d.escrow, pausing, PAUSER_ROLE);
        authority.setTargetFunctionRole(d.bond, pausing, PAUSER_ROLE);
        authority.grantRole(PAUSER_ROLE, s.pauser, 0);
        // Everything else, upgrades of the bond among it, is governance's, after the delay.
        authority.grantRole(ADMIN_ROLE, s.governance, s.delay);
        authority.renounceRole(ADMIN_ROLE, s.deployer);
    }

    /// @notice Reverts with what is not as the settings say.
    function verify(Settings memory s, Deployment memory d) public {
        if (s.delay < MIN_DELAY) revert Wrong("the delay is shorter than 48 hours");
        if (s.delay <= s.unbondingPeriod) revert Wrong("an upgrade must take longer than unbonding");
        if (s.governance == s.deployer || s.pauser == s.governance) revert Wrong("roles are not apart");

        // The code is what these sources give: built once more at the same addresses, and put back.
        _requireCode("Authority.sol:Authority", abi.encode(s.deployer), d.authority);
        _requireCode("TicketEscrow.sol:TicketEscrow", abi.encode(s.asset, s.thawPeriod, d.authority), d.escrow);
        _requireCode("TranscoderBond.sol:TranscoderBond", bondArguments(s, d), d.bondImplementation);
        _requireCode("TranscoderBondProxy.sol:TranscoderBondProxy", abi.encode(d.bondImplementation), d.bond);
        _requireCode("ServiceRegistry.sol:ServiceRegistry", "", d.registry);

        _verifyEscrow(s, d);
        _verifyBond(s, d);
        _verifyRoles(s, d);
        if (IServiceRegistry(d.registry).MAX_URI() == 0) revert Wrong("the registry does not answer");
    }

    function write(Settings memory s, Deployment memory d) public {
        string memory key = "deployment";
        key.serialize("chain_id", block.chainid);
        key.serialize("deployer", s.deployer);
        key.serialize("governance", s.governance);
        key.serialize("pauser", s.pauser);
        key.serialize("delay", uint256(s.delay));
        key.serialize("asset", s.asset);
        key.serialize("thaw_period", uint256(s.thawPeriod));
        key.serialize("slash_amount", vm.toString(s.slashAmount));
        key.serialize("reporter_share", uint256(s.reporterShare));
        key.serialize("dispute_window", uint256(s.disputeWindow));
        key.serialize("unbonding_period", uint256(s.unbondingPeriod));
        key.serialize("authority", d.authority);
        key.serialize("bond_implementation", d.bondImplementation);
        key.serialize("bond", d.bond);
        key.serialize("registry", d.registry);
        vm.writeJson(key.serialize("escrow", d.escrow), path());
    }

    function path() public view returns (string memory) {
        return string.concat("deployments/", vm.toString(block.chainid), ".json");
    }

    function bondArguments(Settings memory s, Deployment memory d) public pure returns (bytes memory) {
        return abi.encode(d.escrow, s.slashAmount, s.reporterShare, s.disputeWindow, s.unbondingPeriod, d.authority);
    }

    // ---------------------------------------------------------------- checks

    function _requireCode(string memory artifact, bytes memory arguments, address at) private {
        bytes32 found = at.codehash;
        uint256 state = vm.snapshotState();
        deployCodeTo(artifact, arguments, at);
        bytes32 wanted = at.codehash;
        vm.revertToState(state);
        if (found != wanted) {
            revert Wrong(string.concat("the code at ", vm.toString(at), " is not that of ", artifact));
        }
    }

    function _verifyEscrow(Settings memory s, Deployment memory d) private view {
        ITicketEscrow escrow = ITicketEscrow(d.escrow);
        if (escrow.ASSET() != s.asset) revert Wrong("the escrow's asset");
        if (escrow.THAW_PERIOD() != s.thawPeriod) revert Wrong("the escrow's thaw period");
        if (escrow.AUTHORITY() != d.authority) revert Wrong("the escrow's authority");
        (, string memory name, string memory version, uint256 chainId, address verifying,,) =
            IERC5267(d.escrow).eip712Domain();
        if (
            keccak256(bytes(name)) != keccak256("Kinora TicketEscrow") || keccak256(bytes(version)) != keccak256("1")
                || chainId != block.chainid || verifying != d.escrow
        ) revert Wrong("the escrow's EIP-712 domain");
        bytes32 domainType =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        if (
            escrow.DOMAIN_SEPARATOR()
                != keccak256(
                    abi.encode(domainType, keccak256("Kinora TicketEscrow"), keccak256("1"), block.chainid, d.escrow)
                )
        ) revert Wrong("the escrow's domain separator");
    }

    function _verifyBond(Settings memory s, Deployment memory d) private view {
        ITranscoderBond bond = ITranscoderBond(d.bond);
        if (address(uint160(uint256(vm.load(d.bond, IMPLEMENTATION_SLOT)))) != d.bondImplementation) {
            revert Wrong("the bond's implementation");
        }
        if (bond.ESCROW() != d.escrow) revert Wrong("the bond's escrow");
        if (bond.AUTHORITY() != d.authority) revert Wrong("the bond's authority");
        if (bond.SLASH() != s.slashAmount || bond.REPORTER_SHARE() != s.reporterShare) {
            revert Wrong("the bond's slash");
        }
        if (bond.DISPUTE_WINDOW() != s.disputeWindow || bond.UNBONDING_PERIOD() != s.unbondingPeriod) {
            revert Wrong("the bond's periods");
        }
    }

    function _verifyRoles(Settings memory s, Deployment memory d) private view {
        IAccessManager authority = IAccessManager(d.authority);
        (bool isMember,) = authority.hasRole(ADMIN_ROLE, s.deployer);
        if (isMember) revert Wrong("the deployer is still an admin");
        uint32 delay;
        (isMember, delay) = authority.hasRole(ADMIN_ROLE, s.governance);
        if (!isMember || delay != s.delay) revert Wrong("governance's role or delay");
        (isMember, delay) = authority.hasRole(PAUSER_ROLE, s.pauser);
        if (!isMember || delay != 0) revert Wrong("the pauser's role");
        address[2] memory targets = [d.escrow, d.bond];
        for (uint256 i = 0; i < 2; ++i) {
            if (
                authority.getTargetFunctionRole(targets[i], IBoundedPause.pause.selector) != PAUSER_ROLE
                    || authority.getTargetFunctionRole(targets[i], IBoundedPause.unpause.selector) != PAUSER_ROLE
            ) revert Wrong("who may pause");
        }
        if (authority.getTargetFunctionRole(d.bond, UUPSUpgradeable.upgradeToAndCall.selector) != ADMIN_ROLE) {
            revert Wrong("who may upgrade the bond");
        }
        (bool immediate, uint32 upgradeDelay) =
            authority.canCall(s.governance, d.bond, UUPSUpgradeable.upgradeToAndCall.selector);
        if (immediate || upgradeDelay != s.delay) revert Wrong("the delay of an upgrade");
    }
}

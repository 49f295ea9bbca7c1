// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Test} from "forge-std/Test.sol";
import {IBoundedPause} from "../src/interfaces/IBoundedPause.sol";
import {ITranscoderBond} from "../src/interfaces/ITranscoderBond.sol";

/// @dev A bond behind its proxy, an orchestrator, a transcoder, and the messages between them.
abstract contract BondTest is Test {
    uint40 internal constant START = 1_700_000_000;
    uint40 internal constant WINDOW = 3 days;
    uint40 internal constant UNBONDING = 7 days;
    uint96 internal constant SLASH = 1 ether;
    uint16 internal constant SHARE = 2000;
    uint32 internal constant UPGRADE_DELAY = 8 days;
    uint64 internal constant PAUSER_ROLE = 1;
    uint64 internal constant ADMIN_ROLE = 0;

    AccessManager internal manager;
    ITranscoderBond internal bond;
    address internal escrowAddress = makeAddr("escrow");
    address internal governance = makeAddr("governance");
    address internal pauser = makeAddr("pauser");
    address internal orchestrator;
    uint256 internal orchestratorKey;
    address internal transcoder;
    uint256 internal transcoderKey;
    address internal reporter = makeAddr("reporter");

    function setUp() public virtual {
        vm.warp(START);
        (orchestrator, orchestratorKey) = makeAddrAndKey("orchestrator");
        (transcoder, transcoderKey) = makeAddrAndKey("transcoder");
        manager = new AccessManager(address(this));
        bond = ITranscoderBond(
            deployCode(
                "TranscoderBondProxy.sol:TranscoderBondProxy",
                abi.encode(_implementation(SLASH, SHARE, WINDOW, UNBONDING))
            )
        );
        bytes4[] memory functions = new bytes4[](2);
        functions[0] = IBoundedPause.pause.selector;
        functions[1] = IBoundedPause.unpause.selector;
        manager.setTargetFunctionRole(address(bond), functions, PAUSER_ROLE);
        manager.grantRole(PAUSER_ROLE, pauser, 0);
        manager.grantRole(ADMIN_ROLE, governance, UPGRADE_DELAY);
        manager.renounceRole(ADMIN_ROLE, address(this));
    }

    function _implementation(uint96 amount, uint16 share, uint40 window, uint40 unbonding) internal returns (address) {
        return deployCode(
            "TranscoderBond.sol:TranscoderBond",
            abi.encode(escrowAddress, amount, share, window, unbonding, address(manager))
        );
    }

    function _bond(uint256 amount) internal {
        vm.deal(address(this), amount);
        bond.bond{value: amount}(transcoder);
    }

    function _assignment(bytes32 attempt) internal view returns (ITranscoderBond.Assignment memory) {
        return ITranscoderBond.Assignment({
            orchestrator: orchestrator,
            transcoder: transcoder,
            lease: keccak256("lease"),
            stream: "camera-1",
            incarnation: 2,
            seq: 77,
            attempt: attempt
        });
    }

    /// @dev A receipt of two renditions that answers `a`; `output` decides what the second one is.
    function _receipt(ITranscoderBond.Assignment memory a, bytes32 output)
        internal
        pure
        returns (ITranscoderBond.Receipt memory r)
    {
        r.orchestrator = a.orchestrator;
        r.transcoder = a.transcoder;
        r.lease = a.lease;
        r.seq = a.seq;
        r.attempt = a.attempt;
        r.source = keccak256("source");
        r.renditions = new ITranscoderBond.RenditionReceipt[](2);
        r.renditions[0] =
            ITranscoderBond.RenditionReceipt(keccak256("360p"), keccak256("same"), 1000, 60, -3003, 174174);
        r.renditions[1] = ITranscoderBond.RenditionReceipt(keccak256("720p"), output, 4000, 60, -3003, 174174);
    }

    function _signed(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _signatures(
        ITranscoderBond.Assignment memory assignment,
        ITranscoderBond.Receipt memory a,
        ITranscoderBond.Receipt memory b
    ) internal view returns (bytes[3] memory signatures) {
        signatures[0] = _signed(orchestratorKey, bond.assignmentDigest(assignment));
        signatures[1] = _signed(transcoderKey, bond.receiptDigest(a));
        signatures[2] = _signed(transcoderKey, bond.receiptDigest(b));
    }

    /// @dev Reports an equivocation on `attempt`.
    function _report(bytes32 attempt) internal returns (bytes32) {
        ITranscoderBond.Assignment memory assignment = _assignment(attempt);
        ITranscoderBond.Receipt memory a = _receipt(assignment, "one");
        ITranscoderBond.Receipt memory b = _receipt(assignment, "two");
        bytes[3] memory signatures = _signatures(assignment, a, b);
        vm.prank(reporter);
        return bond.report(assignment, a, b, signatures);
    }
}

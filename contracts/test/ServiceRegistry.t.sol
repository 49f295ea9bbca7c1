// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {IServiceRegistry} from "../src/interfaces/IServiceRegistry.sol";

contract ServiceRegistryTest is Test {
    IServiceRegistry private registry;
    address private orchestrator = makeAddr("orchestrator");

    function setUp() public {
        registry = IServiceRegistry(deployCode("ServiceRegistry.sol:ServiceRegistry"));
    }

    function test_register_keepsTheHashAndTellsTheUri() public {
        vm.expectEmit(address(registry));
        emit IServiceRegistry.Registered(orchestrator, keccak256("document"), "https://o.example/kinora.json");
        vm.startPrank(orchestrator);
        registry.register(keccak256("document"), "https://o.example/kinora.json");
        assertEq(registry.infoHashOf(orchestrator), keccak256("document"));
        registry.register(keccak256("another"), "");
        assertEq(registry.infoHashOf(orchestrator), keccak256("another"));
        assertEq(registry.infoHashOf(address(this)), 0);
    }

    function test_register_writesOneSlot() public {
        vm.record();
        vm.prank(orchestrator);
        registry.register(keccak256("document"), "https://o.example/kinora.json");
        (, bytes32[] memory writes) = vm.accesses(address(registry));
        assertEq(writes.length, 1);
    }

    function test_unregister_removesTheCallerAlone() public {
        registry.register("mine", "");
        vm.startPrank(orchestrator);
        vm.expectRevert(abi.encodeWithSelector(IServiceRegistry.NotRegistered.selector, orchestrator));
        registry.unregister();
        registry.register("theirs", "");
        vm.expectEmit(address(registry));
        emit IServiceRegistry.Unregistered(orchestrator);
        registry.unregister();
        assertEq(registry.infoHashOf(orchestrator), 0);
        assertEq(registry.infoHashOf(address(this)), "mine");
    }

    function test_register_refusals() public {
        vm.expectRevert(IServiceRegistry.ZeroHash.selector);
        registry.register(0, "https://o.example");
        string memory long = string(new bytes(registry.MAX_URI() + 1));
        vm.expectRevert(abi.encodeWithSelector(IServiceRegistry.UriTooLong.selector, registry.MAX_URI() + 1));
        registry.register("hash", long);
        registry.register("hash", string(new bytes(registry.MAX_URI())));
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {console2} from "forge-std/console2.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

/// @dev Prints whole-transaction gas, calldata and 21,000 included, when run with --isolate. See gas.sh.
contract GasTest is EscrowTest {
    function setUp() public override {
        super.setUp();
        _fund(payer, 10 ether);
        _fund(payer2, 10 ether);
        _allocate(payer, recipient, 1 ether);
        _allocate(payer2, recipient, 1 ether);
        _fund(recipient, 1 ether);
    }

    function _print(string memory name) private view {
        console2.log(string.concat("GAS ", name), vm.lastCallGas().gasTotalUsed);
    }

    function _batch(string memory name, bytes memory runs) private {
        vm.prank(recipient);
        escrow.redeemBatch(runs, 1);
        _print(name);
    }

    /// @dev The first redemption of a pair opens its lane; what follows is steady.
    function _open(address from, uint256 key) private {
        bytes memory run = _runFrom(from, key, 1, 1);
        vm.prank(recipient);
        escrow.redeemBatch(run, 1);
    }

    function test_gas_deposit() public {
        vm.deal(payer, 1 ether);
        vm.prank(payer);
        escrow.deposit{value: 1 ether}();
        _print("deposit");
    }

    function test_gas_allocate() public {
        vm.prank(payer);
        escrow.allocate(recipient, 1 ether);
        _print("allocate_top_up");
    }

    function test_gas_withdraw() public {
        vm.deal(payer, 1 ether);
        vm.prank(payer);
        escrow.withdraw(payable(payer), 1 ether);
        _print("withdraw");
    }

    function test_gas_redeemSingle() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
        _print("redeem_first_pair");
        t = _ticket(2);
        (r, vs) = _sign(payerKey, t);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
        _print("redeem_single_steady");
    }

    function test_gas_redeemOneInABatch() public {
        _batch("redeem_first_pair_packed", _runFrom(payer, payerKey, 1, 1));
        _batch("redeem_single_packed", _runFrom(payer, payerKey, 2, 1));
    }

    function test_gas_redeemSingleFromAllocation() public {
        _open(payer, payerKey);
        uint256 all = _balance(payer);
        vm.prank(payer);
        escrow.withdraw(payable(payer), all);
        _batch("redeem_single_allocation", _runFrom(payer, payerKey, 2, 1));
    }

    function test_gas_redeemBatch10() public {
        _open(payer, payerKey);
        _batch("redeem_batch10", _runFrom(payer, payerKey, 2, 10));
    }

    function test_gas_redeemBatch50() public {
        _open(payer, payerKey);
        _batch("redeem_batch50", _runFrom(payer, payerKey, 2, 50));
    }

    /// @dev What a second payer with one ticket, and with ten, adds to a batch of ten.
    function test_gas_furtherPayer() public {
        _open(payer, payerKey);
        _open(payer2, payer2Key);
        bytes memory ten = _runFrom(payer, payerKey, 2, 10);
        bytes memory one = _runFrom(payer2, payer2Key, 2, 1);
        bytes memory more = _runFrom(payer2, payer2Key, 2, 10);
        uint256 state = vm.snapshotState();
        vm.prank(recipient);
        escrow.redeemBatch(ten, 1);
        uint256 alone = vm.lastCallGas().gasTotalUsed;
        vm.revertToState(state);
        vm.prank(recipient);
        escrow.redeemBatch(bytes.concat(ten, one), 1);
        console2.log("GAS further_payer_1_ticket", vm.lastCallGas().gasTotalUsed - alone);
        vm.revertToState(state);
        vm.prank(recipient);
        escrow.redeemBatch(bytes.concat(ten, more), 1);
        console2.log("GAS further_payer_10_tickets", vm.lastCallGas().gasTotalUsed - alone);
    }
}

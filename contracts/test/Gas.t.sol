// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {console2} from "forge-std/console2.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {Token} from "./mocks/Tokens.sol";
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

    function _andPay(string memory name) private {
        _open(payer, payerKey);
        bytes memory run = _runFrom(payer, payerKey, 2, 1);
        vm.prank(recipient);
        escrow.redeemBatchTo(run, 1, payable(recipient));
        _print(name);
    }

    function test_gas_redeemAndPayNative() public {
        vm.deal(recipient, 1 ether);
        _andPay("redeem_and_pay_native");
    }

    function test_gas_redeemAndPayErc20() public {
        Token token = new Token();
        escrow =
            ITicketEscrow(deployCode("TicketEscrow.sol:TicketEscrow", abi.encode(address(token), THAW, address(0))));
        token.mint(recipient, 1 ether);
        token.mint(payer, 10 ether);
        vm.startPrank(payer);
        token.approve(address(escrow), 10 ether);
        escrow.depositToken(payer, 10 ether);
        vm.stopPrank();
        _andPay("redeem_and_pay_erc20");
    }

    function test_gas_redeemSignedByASession() public {
        (address hot, uint256 hotKey) = makeAddrAndKey("session key");
        vm.prank(payer);
        escrow.setSession(hot, type(uint40).max, 1 ether);
        _print("set_session");
        _open(payer, payerKey);
        _batch("redeem_single_session", _runFrom(payer, hotKey, 2, 1));
        _batch("redeem_batch10_session", _runFrom(payer, hotKey, 3, 10));
        vm.prank(hot);
        escrow.allocateFrom(payer, recipient, FACE);
        _print("allocate_by_session");
    }

    function test_gas_relayAndOperate() public {
        address relayer = makeAddr("relayer");
        _fund(relayer, 1);
        _open(payer, payerKey);
        bytes memory run = _runFrom(payer, payerKey, 2, 1);
        ITicketEscrow.RedeemOrder memory o =
            ITicketEscrow.RedeemOrder(recipient, keccak256(run), FACE, FACE / 10, address(0), 0, type(uint40).max);
        (bytes32 r, bytes32 vs) = vm.signCompact(recipientKey, escrow.redeemOrderDigest(o));
        vm.prank(relayer);
        escrow.redeemFor(o, run, r, vs);
        _print("redeem_for_single");
        vm.prank(recipient);
        escrow.setOperator(relayer, true);
        run = _runFrom(payer, payerKey, 3, 1);
        vm.prank(relayer);
        escrow.redeemBatchOf(recipient, run, 1);
        _print("redeem_by_operator_single");
    }

    function test_gas_settle() public {
        _open(payer, payerKey);
        ITicketEscrow.Settlement memory s =
            ITicketEscrow.Settlement(payer, recipient, 1, 2, 1000, FACE, type(uint40).max);
        (bytes32 r, bytes32 vs) = vm.signCompact(payerKey, escrow.settlementDigest(s));
        vm.prank(recipient);
        escrow.settle(s, r, vs);
        _print("settle_pair");
    }
}

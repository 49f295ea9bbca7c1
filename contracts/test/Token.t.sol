// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EscrowTest} from "./EscrowTest.sol";
import {FeeToken, HookThief, HookToken, SilentToken, Token} from "./mocks/Tokens.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

/// @dev The same source holding an ERC-20 token.
contract TokenTest is EscrowTest {
    Token private token;

    function setUp() public override {
        super.setUp();
        token = new Token();
        escrow = _deployFor(address(token));
    }

    function _deployFor(address asset) private returns (ITicketEscrow) {
        return ITicketEscrow(deployCode("TicketEscrow.sol:TicketEscrow", abi.encode(asset, THAW, address(0))));
    }

    function _fund(address owner, uint256 amount) internal override {
        token.mint(address(this), amount);
        token.approve(address(escrow), amount);
        escrow.depositToken(owner, amount);
    }

    function test_token_isDepositedAllocatedRedeemedAndWithdrawn() public {
        token.mint(payer, 5 * FACE);
        vm.startPrank(payer);
        token.approve(address(escrow), 5 * FACE);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.Deposited(payer, payer, 5 * FACE);
        escrow.depositToken(payer, 5 * FACE);
        escrow.allocate(recipient, 5 * FACE);
        vm.stopPrank();
        _redeem(_ticket(1));
        assertEq(_balance(recipient), FACE);
        bytes memory run = _run(_tickets(2, 3), 3 * FACE);
        vm.prank(recipient);
        escrow.redeemBatchTo(run, 0, payable(stranger));
        assertEq(token.balanceOf(stranger), 3 * FACE);
        vm.prank(recipient);
        escrow.withdraw(payable(recipient), FACE);
        assertEq(token.balanceOf(recipient), FACE);
        assertEq(token.balanceOf(address(escrow)), FACE);
        assertEq(_allocation(payer, recipient), FACE);
    }

    function test_token_escrowRefusesTheNativeAssetAndTheOtherWayRound() public {
        vm.deal(payer, 1 ether);
        vm.startPrank(payer);
        vm.expectRevert(ITicketEscrow.WrongAsset.selector);
        escrow.deposit{value: 1}();
        vm.expectRevert(ITicketEscrow.WrongAsset.selector);
        escrow.depositFor{value: 1}(payer);
        ITicketEscrow native = _deploy(THAW);
        vm.expectRevert(ITicketEscrow.WrongAsset.selector);
        native.depositToken(payer, 1);
        vm.stopPrank();
        vm.expectRevert();
        this.deployFor(makeAddr("no code here"));
        assertEq(escrow.ASSET(), address(token));
        assertEq(native.ASSET(), address(0));
    }

    function deployFor(address asset) external returns (ITicketEscrow) {
        return _deployFor(asset);
    }

    function test_token_depositRefusals() public {
        vm.expectRevert(ITicketEscrow.ZeroAddress.selector);
        escrow.depositToken(address(0), 1);
        vm.expectRevert(ITicketEscrow.ZeroAmount.selector);
        escrow.depositToken(payer, 0);
        vm.expectRevert(); // nothing approved
        escrow.depositToken(payer, 1);
    }

    function test_token_withdrawalToTheEscrowItselfIsRefused() public {
        _fund(payer, FACE);
        vm.prank(payer);
        vm.expectRevert(ITicketEscrow.WithdrawalFailed.selector);
        escrow.withdraw(payable(address(escrow)), FACE);
        assertEq(_balance(payer), FACE);
    }

    function test_token_thatTakesAFeeIsRefused() public {
        FeeToken fee = new FeeToken();
        ITicketEscrow e = _deployFor(address(fee));
        fee.mint(address(this), 1 ether);
        fee.approve(address(e), 1 ether);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.TransferMismatch.selector, 0.99 ether, 1 ether));
        e.depositToken(payer, 1 ether);
    }

    function test_token_thatSaysNothingWorks() public {
        SilentToken silent = new SilentToken();
        ITicketEscrow e = _deployFor(address(silent));
        silent.mint(payer, 1 ether);
        vm.startPrank(payer);
        silent.approve(address(e), 1 ether);
        e.depositToken(payer, 1 ether);
        e.withdraw(payable(stranger), 1 ether);
        assertEq(silent.balanceOf(stranger), 1 ether);
    }

    /// Two deposits that overlap would both count what arrived once.
    function test_token_depositCannotBeReentered() public {
        HookToken hook = new HookToken();
        ITicketEscrow e = _deployFor(address(hook));
        HookThief thief = new HookThief(e, hook);
        hook.mint(address(thief), 3 ether);
        hook.hook(address(thief));
        thief.deposit(2 ether);
        assertTrue(thief.tried(), "the attack must have run");
        (uint256 balance,) = e.account(address(thief));
        assertEq(balance, 2 ether);
        assertEq(hook.balanceOf(address(e)), 2 ether);
    }

    function test_token_depositsAreCappedAt96Bits() public {
        _fund(payer, type(uint96).max);
        token.mint(address(this), 1);
        token.approve(address(escrow), 1);
        vm.expectRevert(ITicketEscrow.DepositCapExceeded.selector);
        escrow.depositToken(payer, 1);
        assertEq(_balance(payer), type(uint96).max);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EscrowTest} from "./EscrowTest.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

/// @dev Redemption by somebody else: operators, relayers.
contract RelayTest is EscrowTest {
    address private operator = makeAddr("operator");
    address private relayer = makeAddr("relayer");

    function setUp() public override {
        super.setUp();
        _allocate(payer, recipient, 10 * FACE);
    }

    // ------------------------------------------------------------ operators

    function test_operator_redeemsToTheRecipientsBalance() public {
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.OperatorSet(recipient, operator, true);
        vm.prank(recipient);
        escrow.setOperator(operator, true);
        assertTrue(escrow.isOperator(recipient, operator));

        ITicketEscrow.Ticket memory t = _ticket(1);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        bytes memory run = _run(_tickets(2, 3), 3 * FACE);
        vm.startPrank(operator);
        escrow.redeem(t, RAND, r, vs);
        assertEq(escrow.redeemBatchOf(recipient, run, 3 * FACE), 3 * FACE);
        vm.stopPrank();
        assertEq(_balance(recipient), 4 * FACE);
        assertEq(_balance(operator), 0);
    }

    function test_operator_isRevokedAtOnce() public {
        vm.startPrank(recipient);
        escrow.setOperator(operator, true);
        escrow.setOperator(operator, false);
        vm.stopPrank();
        bytes memory run = _run(_tickets(1, 3), 0);
        bytes memory refused = abi.encodeWithSelector(ITicketEscrow.NotRecipient.selector, operator);
        vm.expectRevert(refused);
        vm.prank(operator);
        escrow.redeemBatchOf(recipient, run, 0);
        ITicketEscrow.Ticket memory t = _ticket(1);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        vm.expectRevert(refused);
        vm.prank(operator);
        escrow.redeem(t, RAND, r, vs);
    }

    function test_operator_ofOneRecipientIsNoOtherRecipients() public {
        vm.prank(stranger);
        escrow.setOperator(operator, true);
        bytes memory run = _run(_tickets(1, 1), 0);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.NotRecipient.selector, operator));
        vm.prank(operator);
        escrow.redeemBatchOf(recipient, run, 0);
    }

    function test_redeemBatchTo_paysOutAndLeavesTheBalanceAlone() public {
        _fund(recipient, FACE);
        bytes memory run = _run(_tickets(1, 3), 3 * FACE);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.Withdrawn(recipient, stranger, 3 * FACE);
        vm.prank(recipient);
        assertEq(escrow.redeemBatchTo(run, 0, payable(stranger)), 3 * FACE);
        assertEq(stranger.balance, 3 * FACE);
        assertEq(_balance(recipient), FACE);
        bytes memory more = _run(_tickets(4, 1), 0);
        vm.expectRevert(ITicketEscrow.ZeroAddress.selector);
        vm.prank(recipient);
        escrow.redeemBatchTo(more, 0, payable(address(0)));
    }

    // --------------------------------------------------------------- orders

    function _order(bytes memory runs, uint96 fee, address to) private view returns (ITicketEscrow.RedeemOrder memory) {
        return ITicketEscrow.RedeemOrder({
            recipient: recipient,
            runsHash: keccak256(runs),
            minTotal: FACE,
            fee: fee,
            to: to,
            orderNonce: escrow.orderNonce(recipient),
            deadline: uint40(vm.getBlockTimestamp()) + 1 hours
        });
    }

    function _relay(ITicketEscrow.RedeemOrder memory o, bytes memory runs, uint256 key) private returns (uint256) {
        (bytes32 r, bytes32 vs) = vm.signCompact(key, escrow.redeemOrderDigest(o));
        vm.prank(relayer);
        return escrow.redeemFor(o, runs, r, vs);
    }

    function test_redeemFor_paysTheRecipientAndTheRelayersFee() public {
        bytes memory run = _run(_tickets(1, 3), 3 * FACE);
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.OrderRelayed(recipient, relayer, 0, FACE / 10);
        assertEq(_relay(_order(run, FACE / 10, address(0)), run, recipientKey), 3 * FACE);
        assertEq(_balance(recipient), 3 * FACE - FACE / 10);
        assertEq(_balance(relayer), FACE / 10);
        assertEq(escrow.orderNonce(recipient), 1);
    }

    /// A recipient without gas gets its first gas this way.
    function test_redeemFor_canPayOutToAnAddress() public {
        bytes memory run = _run(_tickets(1, 3), 3 * FACE);
        _relay(_order(run, FACE / 10, recipient), run, recipientKey);
        assertEq(recipient.balance, 3 * FACE - FACE / 10);
        assertEq(_balance(recipient), 0);
    }

    function test_redeemFor_paysItsFeeOnce() public {
        // Two runs, of which one cannot be paid yet: the order must not earn a second fee when it can.
        bytes memory later = _runFrom(payer2, payer2Key, 1, 1);
        bytes memory runs = bytes.concat(_run(_tickets(1, 1), FACE), later);
        ITicketEscrow.RedeemOrder memory o = _order(runs, FACE / 10, address(0));
        _relay(o, runs, recipientKey);
        _allocate(payer2, recipient, FACE);
        (bytes32 r, bytes32 vs) = vm.signCompact(recipientKey, escrow.redeemOrderDigest(o));
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.OrderNonceWrong.selector, 1));
        vm.prank(relayer);
        escrow.redeemFor(o, runs, r, vs);
    }

    function test_redeemFor_refusals() public {
        bytes memory run = _run(_tickets(1, 2), 0);
        ITicketEscrow.RedeemOrder memory o = _order(run, FACE / 10, address(0));
        (bytes32 r, bytes32 vs) = vm.signCompact(recipientKey, escrow.redeemOrderDigest(o));
        vm.startPrank(relayer);

        bytes memory other = _run(_tickets(1, 1), 0);
        vm.expectRevert(ITicketEscrow.OrderMismatch.selector);
        escrow.redeemFor(o, other, r, vs);

        o.fee += 1;
        vm.expectRevert(ITicketEscrow.OrderSignatureInvalid.selector);
        escrow.redeemFor(o, run, r, vs);
        o.fee -= 1;
        o.to = relayer;
        vm.expectRevert(ITicketEscrow.OrderSignatureInvalid.selector);
        escrow.redeemFor(o, run, r, vs);
        o.to = address(0);

        vm.warp(o.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.OrderExpired.selector, o.deadline));
        escrow.redeemFor(o, run, r, vs);
        vm.warp(START);

        // A payer signs no order for its recipient.
        (r, vs) = vm.signCompact(payerKey, escrow.redeemOrderDigest(o));
        vm.expectRevert(ITicketEscrow.OrderSignatureInvalid.selector);
        escrow.redeemFor(o, run, r, vs);
        vm.stopPrank();

        // The runs pay less than the order asks, or than the fee: nothing happens.
        o.minTotal = 2 * FACE + 1;
        (r, vs) = vm.signCompact(recipientKey, escrow.redeemOrderDigest(o));
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.PaidBelowMinimum.selector, 2 * FACE, 2 * FACE + 1));
        vm.prank(relayer);
        escrow.redeemFor(o, run, r, vs);
        o.minTotal = 0;
        o.fee = 2 * FACE + 2;
        (r, vs) = vm.signCompact(recipientKey, escrow.redeemOrderDigest(o));
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.PaidBelowMinimum.selector, 2 * FACE, 2 * FACE + 2));
        vm.prank(relayer);
        escrow.redeemFor(o, run, r, vs);
        assertEq(escrow.orderNonce(recipient), 0);
        assertEq(_watermark(1), 0);
    }

    function test_redeemFor_feeMayTakeAll() public {
        bytes memory run = _run(_tickets(1, 1), 0);
        _relay(_order(run, FACE, recipient), run, recipientKey);
        assertEq(_balance(relayer), FACE);
        assertEq(recipient.balance, 0);
    }

    function test_cancelOrders_withdrawsWhatWasSigned() public {
        bytes memory run = _run(_tickets(1, 1), 0);
        ITicketEscrow.RedeemOrder memory o = _order(run, FACE / 10, address(0));
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.OrdersCancelled(recipient, 1);
        vm.prank(recipient);
        escrow.cancelOrders();
        (bytes32 r, bytes32 vs) = vm.signCompact(recipientKey, escrow.redeemOrderDigest(o));
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.OrderNonceWrong.selector, 1));
        vm.prank(relayer);
        escrow.redeemFor(o, run, r, vs);
    }

    /// The relayer may be the payer itself, or the recipient: money is conserved.
    function test_redeemFor_byThePayerConservesMoney() public {
        _fund(payer, FACE);
        bytes memory run = _run(_tickets(1, 2), 0);
        ITicketEscrow.RedeemOrder memory o = _order(run, FACE / 2, address(0));
        (bytes32 r, bytes32 vs) = vm.signCompact(recipientKey, escrow.redeemOrderDigest(o));
        vm.prank(payer);
        escrow.redeemFor(o, run, r, vs);
        assertEq(_balance(payer), FACE / 2);
        assertEq(_balance(recipient), 2 * FACE - FACE / 2);
        assertEq(_allocation(payer, recipient), 9 * FACE);
    }

    /// What the receiver of a pay-out returns costs the relayer nothing.
    function test_redeemFor_isNotBombedWithReturnData() public {
        bytes memory run = _run(_tickets(1, 1), 0);
        ITicketEscrow.RedeemOrder memory o = _order(run, 0, address(new ReturnBomb()));
        (bytes32 r, bytes32 vs) = vm.signCompact(recipientKey, escrow.redeemOrderDigest(o));
        vm.prank(relayer);
        escrow.redeemFor(o, run, r, vs);
        // The bomb's own memory costs about 740,000; copying what it returned would cost that again.
        assertLt(vm.lastCallGas().gasTotalUsed, 1_400_000);
    }

    function test_redeemOrderDigest_isEip712() public view {
        ITicketEscrow.RedeemOrder memory o = _order("runs", 7, stranger);
        bytes32 structHash = keccak256(bytes.concat(escrow.REDEEM_ORDER_TYPEHASH(), abi.encode(o)));
        assertEq(
            escrow.REDEEM_ORDER_TYPEHASH(),
            keccak256(
                "RedeemOrder(address recipient,bytes32 runsHash,uint96 minTotal,uint96 fee,address to,uint64 orderNonce,uint40 deadline)"
            )
        );
        assertEq(
            escrow.redeemOrderDigest(o), keccak256(abi.encodePacked(hex"1901", escrow.DOMAIN_SEPARATOR(), structHash))
        );
    }
}

contract ReturnBomb {
    receive() external payable {
        assembly {
            return(0, 600000)
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EscrowTest} from "./EscrowTest.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

contract SettlementTest is EscrowTest {
    function setUp() public override {
        super.setUp();
        _allocate(payer, recipient, 10 * FACE);
    }

    function _settlement(uint64 from, uint64 to, uint96 amount) private view returns (ITicketEscrow.Settlement memory) {
        return ITicketEscrow.Settlement({
            payer: payer,
            recipient: recipient,
            lane: 1,
            fromNonce: from,
            toNonce: to,
            amount: amount,
            expiry: uint40(vm.getBlockTimestamp()) + 10 minutes
        });
    }

    function _settle(uint256 key, ITicketEscrow.Settlement memory s) private {
        (bytes32 r, bytes32 vs) = vm.signCompact(key, escrow.settlementDigest(s));
        vm.prank(s.recipient);
        escrow.settle(s, r, vs);
    }

    function _refused(uint256 key, ITicketEscrow.Settlement memory s, ITicketEscrow.Refusal reason) private {
        (bytes32 r, bytes32 vs) = vm.signCompact(key, escrow.settlementDigest(s));
        _expectRefusal(reason);
        vm.prank(s.recipient);
        escrow.settle(s, r, vs);
    }

    function test_settlement_paysItsAmountForTheRange() public {
        vm.expectEmit(address(escrow));
        emit ITicketEscrow.PairSettled(payer, recipient, 1, 1, 9, 4 * FACE);
        _settle(payerKey, _settlement(1, 9, 4 * FACE));
        assertEq(_balance(recipient), 4 * FACE);
        assertEq(_watermark(1), 9);
        assertEq(_allocation(payer, recipient), 6 * FACE);
    }

    /// No nonce pays twice: neither a ticket after its settlement, nor a settlement over a paid ticket, nor two of them.
    function test_settlement_neverPaysANonceTwice() public {
        _redeem(_ticket(5));
        _refused(payerKey, _settlement(5, 9, FACE), ITicketEscrow.Refusal.NonceUsed);
        _refused(payerKey, _settlement(1, 9, FACE), ITicketEscrow.Refusal.NonceUsed);
        ITicketEscrow.Settlement memory s = _settlement(6, 9, FACE);
        _settle(payerKey, s);
        _refused(payerKey, s, ITicketEscrow.Refusal.NonceUsed);
        _refused(payerKey, _settlement(9, 12, FACE), ITicketEscrow.Refusal.NonceUsed);
        for (uint64 n = 6; n <= 9; ++n) {
            ITicketEscrow.Ticket memory t = _ticket(n);
            (bytes32 r, bytes32 vs) = _sign(payerKey, t);
            _expectRefusal(ITicketEscrow.Refusal.NonceUsed);
            vm.prank(recipient);
            escrow.redeem(t, RAND, r, vs);
        }
        _redeem(_ticket(10));
        assertEq(_balance(recipient), 3 * FACE);
    }

    function test_settlement_refusals() public {
        _refused(payerKey, _settlement(3, 2, FACE), ITicketEscrow.Refusal.BadRange);
        _refused(payerKey, _settlement(0, 2, FACE), ITicketEscrow.Refusal.NonceUsed);
        _refused(payerKey, _settlement(1, 2, 0), ITicketEscrow.Refusal.ZeroFaceValue);
        _refused(payerKey, _settlement(1, 2, 10 * FACE + 1), ITicketEscrow.Refusal.Underfunded);
        _refused(payer2Key, _settlement(1, 2, FACE), ITicketEscrow.Refusal.BadSignature);
        ITicketEscrow.Settlement memory s = _settlement(1, 2, FACE);
        s.expiry = START - 1;
        _refused(payerKey, s, ITicketEscrow.Refusal.Expired);
        s = _settlement(1, 2, FACE);
        s.recipient = payer;
        _refused(payerKey, s, ITicketEscrow.Refusal.SelfPayment);

        s = _settlement(1, 2, FACE);
        (bytes32 r, bytes32 vs) = vm.signCompact(payerKey, escrow.settlementDigest(s));
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.NotRecipient.selector, stranger));
        vm.prank(stranger);
        escrow.settle(s, r, vs);
        assertEq(_watermark(1), 0);
    }

    function test_settlement_ofASessionKeyDrawsOnTheAllocationAlone() public {
        (address hot, uint256 hotKey) = makeAddrAndKey("session key");
        vm.prank(payer);
        escrow.setSession(hot, START + 1 days, 0);
        _fund(payer, 5 * FACE);
        _refused(hotKey, _settlement(1, 2, 10 * FACE + 1), ITicketEscrow.Refusal.Underfunded);
        _settle(hotKey, _settlement(1, 2, 10 * FACE));
        assertEq(_balance(payer), 5 * FACE);
        assertEq(_allocation(payer, recipient), 0);
    }

    /// A ticket's signature is none of a settlement, and the other way round: the types differ.
    function test_settlement_isNoTicket() public {
        ITicketEscrow.Ticket memory t = _ticket(1);
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        _expectRefusal(ITicketEscrow.Refusal.BadSignature);
        vm.prank(recipient);
        escrow.settle(_settlement(1, 1, FACE), r, vs);
    }

    function test_settlementDigest_isEip712() public view {
        ITicketEscrow.Settlement memory s = _settlement(3, 9, 77);
        assertEq(
            escrow.SETTLEMENT_TYPEHASH(),
            keccak256(
                "Settlement(address payer,address recipient,uint16 lane,uint64 fromNonce,uint64 toNonce,uint96 amount,uint40 expiry)"
            )
        );
        bytes32 structHash = keccak256(bytes.concat(escrow.SETTLEMENT_TYPEHASH(), abi.encode(s)));
        assertEq(
            escrow.settlementDigest(s), keccak256(abi.encodePacked(hex"1901", escrow.DOMAIN_SEPARATOR(), structHash))
        );
    }

    function testFuzz_settlement_andTicketsOfOneLaneAreDisjoint(uint64 mark, uint64 from, uint64 to) public {
        mark = uint64(bound(mark, 1, 1000));
        from = uint64(bound(from, 0, 1100));
        to = uint64(bound(to, 0, 1200));
        _redeem(_ticket(mark));
        ITicketEscrow.Settlement memory s = _settlement(from, to, FACE);
        (bytes32 r, bytes32 vs) = vm.signCompact(payerKey, escrow.settlementDigest(s));
        vm.prank(recipient);
        try escrow.settle(s, r, vs) {
            assertGt(from, mark);
            assertGe(to, from);
            assertEq(_watermark(1), to);
        } catch {
            assertTrue(from <= mark || to < from);
            assertEq(_watermark(1), mark);
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

/// @dev An escrow, some accounts with keys, and the payer's and recipient's side of a ticket.
abstract contract EscrowTest is Test {
    uint40 internal constant THAW = 1 hours;
    uint40 internal constant START = 1_700_000_000;
    uint96 internal constant FACE = 1e15;
    uint64 internal constant ALWAYS = type(uint64).max;
    /// @dev Where the account mapping lies, for tests that write what no call can.
    uint256 internal constant ACCOUNTS_SLOT = 1;
    bytes32 internal constant RAND = keccak256("a recipient's secret");

    ITicketEscrow internal escrow;
    address internal payer;
    uint256 internal payerKey;
    address internal payer2;
    uint256 internal payer2Key;
    address internal recipient;
    uint256 internal recipientKey;
    address internal stranger;

    function setUp() public virtual {
        vm.warp(START);
        escrow = _deploy(THAW);
        (payer, payerKey) = makeAddrAndKey("payer");
        (payer2, payer2Key) = makeAddrAndKey("payer2");
        (recipient, recipientKey) = makeAddrAndKey("recipient");
        stranger = makeAddr("stranger");
    }

    function _deploy(uint40 thawPeriod) internal returns (ITicketEscrow) {
        return
            ITicketEscrow(deployCode("TicketEscrow.sol:TicketEscrow", abi.encode(address(0), thawPeriod, address(0))));
    }

    // --------------------------------------------------------------- money

    function _fund(address owner, uint256 amount) internal virtual {
        vm.deal(address(this), amount);
        escrow.depositFor{value: amount}(owner);
    }

    /// @dev Gives `from` an allocation for `to` and leaves its balance as it was.
    function _allocate(address from, address to, uint256 amount) internal {
        _fund(from, amount);
        vm.prank(from);
        escrow.allocate(to, amount);
    }

    function _balance(address owner) internal view returns (uint256 balance) {
        (balance,) = escrow.account(owner);
    }

    function _allocation(address from, address to) internal view returns (uint256 amount) {
        (amount,,) = escrow.allocation(from, to);
    }

    function _watermark(uint16 lane) internal view returns (uint64) {
        return escrow.laneWatermark(payer, recipient, lane);
    }

    // -------------------------------------------------------------- tickets

    /// @dev A certain winner from `payer` to `recipient` on lane 1.
    function _ticket(uint64 nonce) internal view returns (ITicketEscrow.Ticket memory) {
        return ITicketEscrow.Ticket({
            payer: payer,
            recipient: recipient,
            lane: 1,
            nonce: nonce,
            faceValue: FACE,
            winProb: ALWAYS,
            expiry: uint40(vm.getBlockTimestamp()) + 10 minutes,
            recipientRandHash: keccak256(abi.encodePacked(RAND)),
            salt: uint64(uint256(keccak256(abi.encode("salt", nonce))))
        });
    }

    function _tickets(uint64 first, uint256 count) internal view returns (ITicketEscrow.Ticket[] memory tickets) {
        tickets = new ITicketEscrow.Ticket[](count);
        for (uint64 i = 0; i < count; ++i) {
            tickets[i] = _ticket(first + i);
        }
    }

    function _sign(uint256 key, ITicketEscrow.Ticket memory t) internal view returns (bytes32 r, bytes32 vs) {
        return vm.signCompact(key, escrow.ticketDigest(t));
    }

    function _redeem(ITicketEscrow.Ticket memory t) internal {
        (bytes32 r, bytes32 vs) = _sign(payerKey, t);
        vm.prank(recipient);
        escrow.redeem(t, RAND, r, vs);
    }

    function _expectRefusal(ITicketEscrow.Refusal reason) internal {
        vm.expectRevert(abi.encodeWithSelector(ITicketEscrow.TicketRefused.selector, reason));
    }

    /// @dev Encodes tickets of one set, signed with `key`, as redeemBatch takes them.
    function _run(uint256 key, ITicketEscrow.Ticket[] memory tickets, bytes32 rand, uint256 minPayout)
        internal
        view
        returns (bytes memory run)
    {
        ITicketEscrow.Ticket memory t = tickets[0];
        run = abi.encodePacked(t.payer, t.lane, t.faceValue, t.expiry, rand, uint96(minPayout), uint16(tickets.length));
        for (uint256 i = 0; i < tickets.length; ++i) {
            t = tickets[i];
            (bytes32 r, bytes32 vs) = _sign(key, t);
            run = bytes.concat(run, abi.encodePacked(t.nonce, t.salt, t.winProb, r, vs));
        }
    }

    function _run(ITicketEscrow.Ticket[] memory tickets, uint256 minPayout) internal view returns (bytes memory) {
        return _run(payerKey, tickets, RAND, minPayout);
    }

    /// @dev A run of certain winners from `from`, all or nothing.
    function _runFrom(address from, uint256 key, uint64 first, uint256 count) internal view returns (bytes memory) {
        ITicketEscrow.Ticket[] memory tickets = _tickets(first, count);
        for (uint256 i = 0; i < count; ++i) {
            tickets[i].payer = from;
        }
        return _run(key, tickets, RAND, uint256(FACE) * count);
    }

    function _redeemBatch(bytes memory runs, uint256 minTotal) internal returns (uint256) {
        vm.prank(recipient);
        return escrow.redeemBatch(runs, minTotal);
    }
}

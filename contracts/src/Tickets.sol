// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ITicketEscrow} from "./interfaces/ITicketEscrow.sol";

/// @title Tickets
/// @dev The pure part of a ticket: its struct hash, its draw, its packed form. internal/ticket mirrors it in Go.
library Tickets {
    bytes32 internal constant TICKET_TYPEHASH = keccak256(
        "Ticket(address payer,address recipient,uint16 lane,uint64 nonce,uint96 faceValue,uint64 winProb,uint40 expiry,bytes32 recipientRandHash,uint64 salt)"
    );
    bytes32 internal constant SETTLEMENT_TYPEHASH = keccak256(
        "Settlement(address payer,address recipient,uint16 lane,uint64 fromNonce,uint64 toNonce,uint96 amount,uint40 expiry)"
    );
    bytes32 internal constant REDEEM_ORDER_TYPEHASH = keccak256(
        "RedeemOrder(address recipient,bytes32 runsHash,uint96 minTotal,uint96 fee,address to,uint64 orderNonce,uint40 deadline)"
    );

    uint256 internal constant RUN_HEADER_BYTES = 85;
    uint256 internal constant RUN_TICKET_BYTES = 88;

    /// @dev The words of a ticket's EIP-712 struct hash in their order. All are value types, so the struct lies in
    /// memory exactly as `abi.encode` would write it, and is written once per run.
    struct Typed {
        bytes32 typeHash;
        address payer;
        address recipient;
        uint16 lane;
        uint64 nonce;
        uint96 faceValue;
        uint64 winProb;
        uint40 expiry;
        bytes32 recipientRandHash;
        uint64 salt;
    }

    function typed(ITicketEscrow.Ticket calldata ticket) internal pure returns (Typed memory) {
        return Typed({
            typeHash: TICKET_TYPEHASH,
            payer: ticket.payer,
            recipient: ticket.recipient,
            lane: ticket.lane,
            nonce: ticket.nonce,
            faceValue: ticket.faceValue,
            winProb: ticket.winProb,
            expiry: ticket.expiry,
            recipientRandHash: ticket.recipientRandHash,
            salt: ticket.salt
        });
    }

    function structHash(Typed memory t) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(t, 0x140)
        }
    }

    function structHash(ITicketEscrow.Settlement calldata s) internal pure returns (bytes32) {
        return keccak256(abi.encode(SETTLEMENT_TYPEHASH, s));
    }

    function structHash(ITicketEscrow.RedeemOrder calldata o) internal pure returns (bytes32) {
        return keccak256(abi.encode(REDEEM_ORDER_TYPEHASH, o));
    }

    function randHash(bytes32 recipientRand) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            mstore(0x00, recipientRand)
            hash := keccak256(0x00, 0x20)
        }
    }

    function wins(bytes32 recipientRand, bytes32 digest, uint64 winProb) internal pure returns (bool) {
        uint256 draw;
        assembly ("memory-safe") {
            mstore(0x00, recipientRand)
            mstore(0x20, digest)
            draw := keccak256(0x00, 0x40)
        }
        // The maximum is a certainty, not 1 - 2^-64.
        return uint64(draw) < winProb || winProb == type(uint64).max;
    }

    /// @dev The header of a run of which at least RUN_HEADER_BYTES are there, without its rand and minimum.
    function header(bytes calldata run)
        internal
        pure
        returns (address payer, uint16 lane, uint96 faceValue, uint40 expiry, uint16 count)
    {
        assembly ("memory-safe") {
            let head := calldataload(run.offset) // payer, lane, the first 80 bits of the face value
            payer := shr(96, head)
            lane := and(shr(80, head), 0xffff)
            let money := calldataload(add(run.offset, 22)) // face value, expiry, the first 120 bits of the rand
            faceValue := shr(160, money)
            expiry := and(shr(120, money), 0xffffffffff)
            count := and(calldataload(add(run.offset, 53)), 0xffff) // ends with it
        }
    }

    /// @dev The recipient's secret in the header of a run.
    function randOf(bytes calldata run) internal pure returns (bytes32 recipientRand) {
        assembly ("memory-safe") {
            recipientRand := calldataload(add(run.offset, 39))
        }
    }

    /// @dev The least that a run must pay, of its header.
    function minPayoutOf(bytes calldata run) internal pure returns (uint96 minPayout) {
        assembly ("memory-safe") {
            minPayout := shr(160, calldataload(add(run.offset, 71)))
        }
    }

    /// @dev The ticket at byte `offset` of a run whose length was checked. Shifts leave no dirty bits: a nonce is 64 bits.
    function at(bytes calldata run, uint256 offset)
        internal
        pure
        returns (uint64 nonce, uint64 salt, uint64 winProb, bytes32 r, bytes32 vs)
    {
        assembly ("memory-safe") {
            let p := add(run.offset, offset)
            let head := calldataload(p)
            nonce := shr(192, head)
            salt := and(shr(128, head), 0xffffffffffffffff)
            winProb := and(shr(64, head), 0xffffffffffffffff)
            r := calldataload(add(p, 24))
            vs := calldataload(add(p, 56))
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {ITranscoderBond} from "./interfaces/ITranscoderBond.sol";

/// @title Receipts
/// @dev The EIP-712 hashes of the market's messages, as internal/protocol has them in Go.
library Receipts {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant ASSIGNMENT_TYPEHASH = keccak256(
        "Assignment(address orchestrator,address transcoder,bytes32 lease,string stream,uint32 incarnation,uint64 seq,bytes32 attempt)"
    );
    bytes32 private constant RENDITION_RECEIPT_TYPEHASH = keccak256(
        "RenditionReceipt(bytes32 profile,bytes32 output,uint64 pixels,uint32 frames,int64 firstPts,int64 lastPts)"
    );
    bytes32 private constant RECEIPT_TYPEHASH = keccak256(
        "Receipt(address orchestrator,address transcoder,bytes32 lease,uint64 seq,bytes32 attempt,bytes32 source,RenditionReceipt[] renditions)RenditionReceipt(bytes32 profile,bytes32 output,uint64 pixels,uint32 frames,int64 firstPts,int64 lastPts)"
    );

    /// @dev The domain of the market that an escrow stands behind, computed anew each time: behind a proxy, and after a fork
    /// of the chain, a stored one would be wrong.
    function domainSeparator(address escrow) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("Kinora"), keccak256("1"), block.chainid, escrow));
    }

    function digest(bytes32 separator, ITranscoderBond.Assignment calldata a) internal pure returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(
            separator,
            keccak256(
                abi.encode(
                    ASSIGNMENT_TYPEHASH,
                    a.orchestrator,
                    a.transcoder,
                    a.lease,
                    keccak256(bytes(a.stream)),
                    a.incarnation,
                    a.seq,
                    a.attempt
                )
            )
        );
    }

    function digest(bytes32 separator, ITranscoderBond.Receipt calldata r) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](r.renditions.length);
        for (uint256 i = 0; i < hashes.length; ++i) {
            hashes[i] = keccak256(abi.encode(RENDITION_RECEIPT_TYPEHASH, r.renditions[i]));
        }
        return MessageHashUtils.toTypedDataHash(
            separator,
            keccak256(
                abi.encode(
                    RECEIPT_TYPEHASH,
                    r.orchestrator,
                    r.transcoder,
                    r.lease,
                    r.seq,
                    r.attempt,
                    r.source,
                    keccak256(abi.encodePacked(hashes))
                )
            )
        );
    }
}

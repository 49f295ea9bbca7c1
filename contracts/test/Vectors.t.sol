// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {stdJson} from "forge-std/StdJson.sol";
import {EscrowTest} from "./EscrowTest.sol";
import {ITicketEscrow} from "../src/interfaces/ITicketEscrow.sol";

/// @dev Holds the contract to testdata/ticket-vectors.json, which the Go package internal/ticket writes and checks.
contract VectorsTest is EscrowTest {
    using stdJson for string;

    /// @dev Runs `check` on every entry of a list, each in a call and on a state of its own: every read copies the whole
    /// file into memory that only the end of the call frees.
    function _forEach(string memory list, function(uint256) external check, uint256 atLeast) private {
        uint256 count = this.count(list);
        assertGe(count, atLeast);
        uint256 state = vm.snapshotState();
        for (uint256 i = 0; i < count; ++i) {
            check(i);
            vm.revertToState(state);
        }
    }

    function count(string calldata list) external view returns (uint256 n) {
        string memory json = _json();
        while (vm.keyExistsJson(json, string.concat(".", list, "[", vm.toString(n), "]"))) ++n;
    }

    function _json() private view returns (string memory) {
        return vm.readFile("testdata/ticket-vectors.json");
    }

    function _at(string memory list, uint256 i, string memory field) private pure returns (string memory) {
        return string.concat(".", list, "[", vm.toString(i), "].", field);
    }

    /// @dev The contract of a vector: at its address, built on its chain.
    function _escrowOf(string memory json, string memory list, uint256 i) private {
        vm.chainId(json.readUint(_at(list, i, "chain_id")));
        address at = json.readAddress(_at(list, i, "escrow"));
        if (at.code.length == 0) {
            deployCodeTo("TicketEscrow.sol:TicketEscrow", abi.encode(address(0), THAW, address(0)), at);
        }
        escrow = ITicketEscrow(at);
    }

    function _ticketOf(string memory json, string memory list, uint256 i)
        private
        pure
        returns (ITicketEscrow.Ticket memory t)
    {
        t.payer = json.readAddress(_at(list, i, "signed.ticket.payer"));
        t.recipient = json.readAddress(_at(list, i, "signed.ticket.recipient"));
        t.lane = uint16(json.readUint(_at(list, i, "signed.ticket.lane")));
        t.nonce = uint64(json.readUint(_at(list, i, "signed.ticket.ticket_nonce")));
        t.faceValue = uint96(json.readUint(_at(list, i, "signed.ticket.face_value")));
        t.winProb = uint64(json.readUint(_at(list, i, "signed.ticket.win_prob")));
        t.expiry = uint40(json.readUint(_at(list, i, "signed.ticket.expiry")));
        t.recipientRandHash = json.readBytes32(_at(list, i, "signed.ticket.recipient_rand_hash"));
        t.salt = uint64(json.readUint(_at(list, i, "signed.ticket.salt")));
    }

    /// Digest, draw, signature and payout of every ticket.
    function test_tickets_agree() public {
        _forEach("tickets", this.checkTicket, 50);
    }

    function checkTicket(uint256 i) external {
        string memory json = _json();
        _escrowOf(json, "tickets", i);
        ITicketEscrow.Ticket memory t = _ticketOf(json, "tickets", i);
        string memory name = json.readString(_at("tickets", i, "name"));
        bytes32 digest = json.readBytes32(_at("tickets", i, "digest"));
        bytes32 rand = json.readBytes32(_at("tickets", i, "recipient_rand"));
        bool wins = json.readBool(_at("tickets", i, "wins"));
        assertEq(escrow.ticketDigest(t), digest, name);
        assertEq(keccak256(abi.encodePacked(rand)), t.recipientRandHash, name);
        assertEq(escrow.isWinning(rand, digest, t.winProb), wins, name);

        vm.warp(t.expiry);
        _fund(t.payer, t.faceValue);
        bytes32 r = json.readBytes32(_at("tickets", i, "r"));
        bytes32 vs = json.readBytes32(_at("tickets", i, "vs"));
        if (t.nonce == 0) _expectRefusal(ITicketEscrow.Refusal.NonceUsed);
        else if (!wins) _expectRefusal(ITicketEscrow.Refusal.NotWinning);
        vm.prank(t.recipient);
        escrow.redeem(t, rand, r, vs);
        assertEq(_balance(t.recipient), wins && t.nonce != 0 ? t.faceValue : 0, name);
    }

    function test_draws_agree() public {
        _forEach("draws", this.checkDraw, 8);
    }

    function checkDraw(uint256 i) external view {
        string memory json = _json();
        bytes32 rand = json.readBytes32(_at("draws", i, "recipient_rand"));
        bytes32 digest = json.readBytes32(_at("draws", i, "digest"));
        uint64 draw = uint64(json.readUint(_at("draws", i, "draw")));
        assertFalse(escrow.isWinning(rand, digest, 0));
        assertFalse(escrow.isWinning(rand, digest, draw));
        assertTrue(escrow.isWinning(rand, digest, draw + 1));
        assertTrue(escrow.isWinning(rand, digest, ALWAYS));
    }

    /// What Go refuses to verify, the contract refuses to pay, and for the signature alone.
    function test_refusedSignatures_agree() public {
        _forEach("refused", this.checkRefused, 8);
    }

    function checkRefused(uint256 i) external {
        string memory json = _json();
        _escrowOf(json, "refused", i);
        ITicketEscrow.Ticket memory t = _ticketOf(json, "refused", i);
        if (t.payer != address(0)) _fund(t.payer, t.faceValue);
        else vm.store(address(escrow), keccak256(abi.encode(t.payer, ACCOUNTS_SLOT)), bytes32(uint256(t.faceValue)));
        assertTrue(
            escrow.isWinning(json.readBytes32(_at("refused", i, "recipient_rand")), escrow.ticketDigest(t), t.winProb)
        );
        bytes32 rand = json.readBytes32(_at("refused", i, "recipient_rand"));
        bytes32 r = json.readBytes32(_at("refused", i, "r"));
        bytes32 vs = json.readBytes32(_at("refused", i, "vs"));
        _expectRefusal(ITicketEscrow.Refusal.BadSignature);
        vm.prank(t.recipient);
        escrow.redeem(t, rand, r, vs);
    }

    /// The packed calldata that Go encodes is paid in full.
    function test_runs_agree() public {
        _forEach("runs", this.checkRun, 3);
    }

    function checkRun(uint256 i) external {
        string memory json = _json();
        _escrowOf(json, "runs", i);
        address from = json.readAddress(_at("runs", i, "payer"));
        address to = json.readAddress(_at("runs", i, "recipient"));
        uint16 lane = uint16(json.readUint(_at("runs", i, "lane")));
        uint256 paid = json.readUint(_at("runs", i, "paid"));
        bytes memory encoded = json.readBytes(_at("runs", i, "encoded"));
        _fund(from, paid);
        vm.prank(to);
        assertEq(escrow.redeemBatch(encoded, paid), paid);
        assertEq(escrow.laneWatermark(from, to, lane), json.readUint(_at("runs", i, "last_nonce")));
        assertEq(_balance(to), paid);
    }

    // --------------------------------------------- messages beside the ticket

    function _messages() private returns (string memory json) {
        json = vm.readFile("testdata/message-vectors.json");
        vm.chainId(json.readUint(".chain_id"));
        address at = json.readAddress(".escrow");
        deployCodeTo("TicketEscrow.sol:TicketEscrow", abi.encode(address(0), THAW, address(0)), at);
        escrow = ITicketEscrow(at);
    }

    /// Digest and signature of every settlement, and that it is paid.
    function test_settlements_agree() public {
        string memory json = _messages();
        uint256 i = 0;
        for (; vm.keyExistsJson(json, string.concat(".settlements[", vm.toString(i), "]")); ++i) {
            ITicketEscrow.Settlement memory s;
            s.payer = json.readAddress(_at("settlements", i, "payer"));
            s.recipient = json.readAddress(_at("settlements", i, "recipient"));
            s.lane = uint16(json.readUint(_at("settlements", i, "lane")));
            s.fromNonce = uint64(json.readUint(_at("settlements", i, "from_nonce")));
            s.toNonce = uint64(json.readUint(_at("settlements", i, "to_nonce")));
            s.amount = uint96(json.readUint(_at("settlements", i, "amount")));
            s.expiry = uint40(json.readUint(_at("settlements", i, "expiry")));
            assertEq(escrow.settlementDigest(s), json.readBytes32(_at("settlements", i, "digest")));
            uint256 state = vm.snapshotState();
            vm.warp(s.expiry);
            _fund(s.payer, s.amount);
            vm.prank(s.recipient);
            escrow.settle(
                s, json.readBytes32(_at("settlements", i, "r")), json.readBytes32(_at("settlements", i, "vs"))
            );
            assertEq(_balance(s.recipient), s.amount);
            assertEq(escrow.laneWatermark(s.payer, s.recipient, s.lane), s.toNonce);
            vm.revertToState(state);
        }
        assertGe(i, 4);
    }

    function test_orders_agree() public {
        string memory json = _messages();
        uint256 i = 0;
        for (; vm.keyExistsJson(json, string.concat(".orders[", vm.toString(i), "]")); ++i) {
            ITicketEscrow.RedeemOrder memory o;
            o.recipient = json.readAddress(_at("orders", i, "recipient"));
            o.runsHash = json.readBytes32(_at("orders", i, "runs_hash"));
            o.minTotal = uint96(json.readUint(_at("orders", i, "min_total")));
            o.fee = uint96(json.readUint(_at("orders", i, "fee")));
            o.to = json.readAddress(_at("orders", i, "to"));
            o.orderNonce = uint64(json.readUint(_at("orders", i, "order_nonce")));
            o.deadline = uint40(json.readUint(_at("orders", i, "deadline")));
            bytes32 digest = json.readBytes32(_at("orders", i, "digest"));
            assertEq(escrow.redeemOrderDigest(o), digest);
            bytes memory signature = json.readBytes(_at("orders", i, "signature"));
            assertEq(
                ecrecover(
                    digest,
                    uint8(signature[64]),
                    json.readBytes32(_at("orders", i, "r")),
                    bytes32(uint256(json.readBytes32(_at("orders", i, "vs"))) & type(uint256).max >> 1)
                ),
                o.recipient
            );
        }
        assertGe(i, 3);
    }
}

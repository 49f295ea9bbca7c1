// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {Accounting} from "./Accounting.sol";
import {BoundedPause} from "./BoundedPause.sol";
import {EscrowLedger} from "./EscrowLedger.sol";
import {Tickets} from "./Tickets.sol";
import {ITicketEscrow} from "./interfaces/ITicketEscrow.sol";

/// @title TicketEscrow
/// @notice Immutable: no owner, no upgrade. On the way of a ticket to the recipient's balance no other contract is called.
contract TicketEscrow is EscrowLedger, EIP712 {
    /// @dev One slot per lane: the highest nonce paid. 192 bits are free.
    mapping(address payer => mapping(address recipient => mapping(uint16 lane => uint64))) private _watermarks;
    mapping(address recipient => mapping(address operator => bool)) private _operators;

    /// @inheritdoc ITicketEscrow
    bytes32 public constant TICKET_TYPEHASH = Tickets.TICKET_TYPEHASH;
    /// @inheritdoc ITicketEscrow
    bytes32 public constant SETTLEMENT_TYPEHASH = Tickets.SETTLEMENT_TYPEHASH;
    /// @inheritdoc ITicketEscrow
    bytes32 public constant REDEEM_ORDER_TYPEHASH = Tickets.REDEEM_ORDER_TYPEHASH;

    /// @param asset an ERC-20 token that moves exactly what it is told, or the zero address for the native asset
    /// @param thawPeriod seconds, 1 to 90 days; at least the longest ticket lifetime that recipients accept
    /// @param authority an AccessManager that says who may pause; the zero address for an escrow nobody can pause
    constructor(address asset, uint40 thawPeriod, address authority)
        EscrowLedger(asset, thawPeriod)
        BoundedPause(authority, thawPeriod)
        EIP712("Kinora TicketEscrow", "1")
    {}

    // ----------------------------------------------------------- redemption

    /// @inheritdoc ITicketEscrow
    function redeem(Ticket calldata ticket, bytes32 recipientRand, bytes32 r, bytes32 vs) external {
        _onlyRecipientOrOperator(ticket.recipient);
        _requireUnpaused();
        if (Tickets.randHash(recipientRand) != ticket.recipientRandHash) revert TicketRefused(Refusal.WrongRand);

        Tickets.Typed memory t = Tickets.typed(ticket);
        mapping(uint16 => uint64) storage lanes = _watermarks[t.payer][t.recipient];
        Purse memory purse = _open(t.payer, t.recipient, t.faceValue);
        Refusal reason = _refusalOfRun(t);
        address signer;
        if (reason == Refusal.None) {
            (reason, signer) = _refusalOfTicket(t, lanes[t.lane], recipientRand, r, vs, _domainSeparatorV4());
        }
        if (reason == Refusal.None && signer != t.payer) reason = _turnTo(purse, t, signer);
        if (reason == Refusal.None && t.faceValue > purse.left) reason = Refusal.Underfunded;
        if (reason != Refusal.None) revert TicketRefused(reason);

        purse.left -= t.faceValue;
        lanes[t.lane] = t.nonce;
        _close(purse, t.payer, t.recipient);
        emit Redeemed(t.payer, t.recipient, t.lane, t.nonce, 1, t.faceValue);
        _credit(t.recipient, t.faceValue);
    }

    /// @inheritdoc ITicketEscrow
    function redeemBatch(bytes calldata runs, uint256 minTotal) external returns (uint256 paid) {
        paid = _redeemRuns(msg.sender, runs, minTotal);
        _credit(msg.sender, paid);
    }

    /// @inheritdoc ITicketEscrow
    function redeemBatchOf(address recipient, bytes calldata runs, uint256 minTotal) external returns (uint256 paid) {
        _onlyRecipientOrOperator(recipient);
        paid = _redeemRuns(recipient, runs, minTotal);
        _credit(recipient, paid);
    }

    /// @inheritdoc ITicketEscrow
    function redeemBatchTo(bytes calldata runs, uint256 minTotal, address payable to) external returns (uint256 paid) {
        paid = _redeemRuns(msg.sender, runs, minTotal);
        _payOut(msg.sender, to, paid);
    }

    /// @inheritdoc ITicketEscrow
    function redeemFor(RedeemOrder calldata order, bytes calldata runs, bytes32 r, bytes32 vs)
        external
        returns (uint256 paid)
    {
        if (block.timestamp > order.deadline) revert OrderExpired(order.deadline);
        if (keccak256(runs) != order.runsHash) revert OrderMismatch();
        uint64 number = _accounts[order.recipient].orderNonce;
        if (order.orderNonce != number) revert OrderNonceWrong(number);
        (address signer, ECDSA.RecoverError failure,) =
            ECDSA.tryRecover(_hashTypedDataV4(Tickets.structHash(order)), r, vs);
        if (failure != ECDSA.RecoverError.NoError || signer != order.recipient) revert OrderSignatureInvalid();

        _accounts[order.recipient].orderNonce = number + 1;
        paid = _redeemRuns(order.recipient, runs, order.minTotal > order.fee ? order.minTotal : order.fee);
        if (order.fee != 0) _credit(msg.sender, order.fee);
        emit OrderRelayed(order.recipient, msg.sender, number, order.fee);
        uint256 rest = paid - order.fee;
        if (order.to == address(0)) _credit(order.recipient, rest);
        else if (rest != 0) _payOut(order.recipient, payable(order.to), rest);
    }

    /// @inheritdoc ITicketEscrow
    function cancelOrders() external {
        uint64 next = _accounts[msg.sender].orderNonce + 1;
        _accounts[msg.sender].orderNonce = next;
        emit OrdersCancelled(msg.sender, next);
    }

    /// @inheritdoc ITicketEscrow
    function setOperator(address operator, bool allowed) external {
        _operators[msg.sender][operator] = allowed;
        emit OperatorSet(msg.sender, operator, allowed);
    }

    /// @inheritdoc ITicketEscrow
    function settle(Settlement calldata s, bytes32 r, bytes32 vs) external {
        _onlyRecipientOrOperator(s.recipient);
        _requireUnpaused();
        // What a ticket and a settlement are both refused for.
        Tickets.Typed memory t;
        t.payer = s.payer;
        t.recipient = s.recipient;
        t.faceValue = s.amount;
        t.expiry = s.expiry;
        Refusal reason = _refusalOfRun(t);
        if (reason == Refusal.None && s.toNonce < s.fromNonce) reason = Refusal.BadRange;
        if (reason == Refusal.None && s.fromNonce <= _watermarks[s.payer][s.recipient][s.lane]) {
            reason = Refusal.NonceUsed;
        }
        Purse memory purse = _open(s.payer, s.recipient, s.amount);
        if (reason == Refusal.None) {
            (address signer, ECDSA.RecoverError failure,) =
                ECDSA.tryRecover(_hashTypedDataV4(Tickets.structHash(s)), r, vs);
            if (failure != ECDSA.RecoverError.NoError) reason = Refusal.BadSignature;
            else if (signer != s.payer) reason = _turnTo(purse, t, signer);
        }
        if (reason == Refusal.None && s.amount > purse.left) reason = Refusal.Underfunded;
        if (reason != Refusal.None) revert TicketRefused(reason);

        purse.left -= s.amount;
        _watermarks[s.payer][s.recipient][s.lane] = s.toNonce;
        _close(purse, s.payer, s.recipient);
        emit PairSettled(s.payer, s.recipient, s.lane, s.fromNonce, s.toNonce, s.amount);
        _credit(s.recipient, s.amount);
    }

    /// @inheritdoc ITicketEscrow
    function flagEquivocation(Ticket calldata a, bytes32 rA, bytes32 vsA, Ticket calldata b, bytes32 rB, bytes32 vsB)
        external
    {
        if (
            a.payer != b.payer || a.recipient != b.recipient || a.lane != b.lane || a.nonce != b.nonce
                || _accounts[a.payer].flagged
        ) revert NoEquivocation();
        bytes32 digestA = _hashTypedDataV4(Tickets.structHash(Tickets.typed(a)));
        bytes32 digestB = _hashTypedDataV4(Tickets.structHash(Tickets.typed(b)));
        if (digestA == digestB || !_convicts(a, digestA, rA, vsA) || !_convicts(b, digestB, rB, vsB)) {
            revert NoEquivocation();
        }
        _accounts[a.payer].flagged = true;
        emit PayerFlagged(a.payer, a.recipient, msg.sender, a.lane, a.nonce);
    }

    // ----------------------------------------------------------------- runs

    /// @dev Pays all it can of `runs` and returns the sum, which the caller has to credit: last and by addition, so that no
    /// debit can be overwritten by it.
    function _redeemRuns(address recipient, bytes calldata runs, uint256 minTotal) private returns (uint256 paid) {
        _requireUnpaused();
        bytes32 domain = _domainSeparatorV4();
        while (runs.length != 0) {
            if (runs.length < Tickets.RUN_HEADER_BYTES) revert MalformedRuns();
            (,,,, uint16 count) = Tickets.header(runs);
            uint256 size = Tickets.RUN_HEADER_BYTES + uint256(count) * Tickets.RUN_TICKET_BYTES;
            if (count == 0 || runs.length < size) revert MalformedRuns();
            paid += _redeemRun(recipient, runs[:size], domain);
            runs = runs[size:];
        }
        if (paid == 0 || paid < minTotal) revert PaidBelowMinimum(paid, minTotal);
    }

    /// @dev Pays the longest payable prefix of one run, or nothing. Reads all state afresh, so that two runs may share
    /// payer and lane.
    function _redeemRun(address recipient, bytes calldata run, bytes32 domain) private returns (uint256 amount) {
        Tickets.Typed memory t;
        t.typeHash = Tickets.TICKET_TYPEHASH;
        t.recipient = recipient;
        uint16 count;
        (t.payer, t.lane, t.faceValue, t.expiry, count) = Tickets.header(run);
        bytes32 recipientRand = Tickets.randOf(run);
        t.recipientRandHash = Tickets.randHash(recipientRand);

        mapping(uint16 => uint64) storage lanes = _watermarks[t.payer][recipient];
        uint256 lastNonce = lanes[t.lane];
        uint256 tickets;
        Refusal reason = _refusalOfRun(t);
        if (reason != Refusal.None) {
            (t.nonce,,,,) = Tickets.at(run, Tickets.RUN_HEADER_BYTES);
            emit RunStopped(t.payer, recipient, t.lane, t.nonce, reason);
            return 0;
        }

        Purse memory purse = _open(t.payer, recipient, uint256(t.faceValue) * count);
        uint256 left = purse.left;
        address signer = t.payer;
        for (uint256 at = Tickets.RUN_HEADER_BYTES; at < run.length; at += Tickets.RUN_TICKET_BYTES) {
            bytes32 r;
            bytes32 vs;
            (t.nonce, t.salt, t.winProb, r, vs) = Tickets.at(run, at);
            address by;
            (reason, by) = _refusalOfTicket(t, lastNonce, recipientRand, r, vs, domain);
            if (by != signer && reason == Refusal.None) {
                purse.left = left;
                reason = _turnTo(purse, t, by);
                left = purse.left;
                signer = by;
            }
            if (left < t.faceValue && reason == Refusal.None) reason = Refusal.Underfunded;
            if (reason != Refusal.None) {
                emit RunStopped(t.payer, recipient, t.lane, t.nonce, reason);
                break;
            }
            // Cannot wrap: faceValue <= left; tickets fits uint16.
            unchecked {
                left -= t.faceValue;
                amount += t.faceValue;
                ++tickets;
            }
            lastNonce = t.nonce;
        }
        purse.left = left;

        if (amount == 0) return 0;
        if (amount < Tickets.minPayoutOf(run)) {
            if (reason == Refusal.None) {
                emit RunStopped(t.payer, recipient, t.lane, t.nonce, Refusal.BelowMinPayout);
            }
            return 0;
        }
        lanes[t.lane] = uint64(lastNonce);
        _close(purse, t.payer, recipient);
        emit Redeemed(t.payer, recipient, t.lane, uint64(lastNonce), tickets, amount);
    }

    /// @dev What refuses every ticket of a run.
    function _refusalOfRun(Tickets.Typed memory t) private view returns (Refusal) {
        if (t.payer == t.recipient) return Refusal.SelfPayment;
        if (t.faceValue == 0) return Refusal.ZeroFaceValue;
        if (block.timestamp > t.expiry && block.timestamp > _payableUntil(t.expiry)) {
            return Refusal.Expired;
        }
        return Refusal.None;
    }

    /// @dev What refuses this ticket, its money and its signer's right apart, and who signed it. Cheap checks first.
    function _refusalOfTicket(
        Tickets.Typed memory t,
        uint256 lastNonce,
        bytes32 recipientRand,
        bytes32 r,
        bytes32 vs,
        bytes32 domain
    ) private pure returns (Refusal, address) {
        if (t.nonce <= lastNonce) return (Refusal.NonceUsed, address(0));
        bytes32 digest = MessageHashUtils.toTypedDataHash(domain, Tickets.structHash(t));
        if (!Tickets.wins(recipientRand, digest, t.winProb)) return (Refusal.NotWinning, address(0));
        // Rejects high s and the zero address; a payer of zero matches no signature.
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, r, vs);
        if (failure != ECDSA.RecoverError.NoError) return (Refusal.BadSignature, address(0));
        return (Refusal.None, signer);
    }

    // ---------------------------------------------------------------- purse

    /// @dev What a redemption may draw of one payer's money for one recipient. `left` is what the signer at hand can still
    /// spend of it: the payer itself the balance and then the allocation, a session key the allocation alone.
    struct Purse {
        uint256 balance; // as drawn so far by earlier signers
        uint256 allocated; // likewise; 0 until it is loaded
        uint256 left;
        uint256 stored; // the balance in storage
        uint256 storedAllocation;
        bool loaded;
        bool session;
    }

    /// @dev Opens a purse for tickets signed by the payer. Leaves the allocation's slot alone when the balance covers
    /// `needed`.
    function _open(address payer, address recipient, uint256 needed) private view returns (Purse memory purse) {
        purse.balance = purse.stored = purse.left = _accounts[payer].balance;
        if (purse.balance < needed) _load(purse, payer, recipient);
    }

    function _load(Purse memory purse, address payer, address recipient) private view {
        purse.loaded = true;
        purse.allocated = purse.storedAllocation = _allocations[payer][recipient].amount;
        purse.left += purse.allocated;
    }

    /// @dev Books what the signer at hand spent.
    function _book(Purse memory purse) private pure {
        (purse.balance, purse.allocated) = Accounting.booked(purse.balance, purse.allocated, purse.left, purse.session);
    }

    /// @dev Goes on with tickets of another signer, or says why it may not sign this one.
    function _turnTo(Purse memory purse, Tickets.Typed memory t, address signer) private view returns (Refusal) {
        if (signer != t.payer) {
            uint40 validUntil = _sessions[t.payer][signer].validUntil;
            if (validUntil == 0) return Refusal.BadSignature;
            // Against the expiry and not the clock: what was signed in time stays good, also after the session.
            if (validUntil < t.expiry) return Refusal.SessionEnded;
        }
        if (!purse.loaded) _load(purse, t.payer, t.recipient);
        _book(purse);
        purse.session = signer != t.payer;
        purse.left = purse.session ? purse.allocated : purse.balance + purse.allocated;
        return Refusal.None;
    }

    /// @dev Writes back what was drawn.
    function _close(Purse memory purse, address payer, address recipient) private {
        _book(purse);
        if (purse.balance != purse.stored) _accounts[payer].balance = uint96(purse.balance);
        if (purse.allocated != purse.storedAllocation) {
            _drawAllocation(payer, recipient, uint96(purse.storedAllocation - purse.allocated));
        }
    }

    /// @dev Whether the signature of this digest, the ticket's, is one its payer answers for.
    function _convicts(Ticket calldata ticket, bytes32 digest, bytes32 r, bytes32 vs) private view returns (bool) {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, r, vs);
        if (failure != ECDSA.RecoverError.NoError) return false;
        if (signer == ticket.payer) return true;
        return block.timestamp <= ticket.expiry && ticket.expiry <= _sessions[ticket.payer][signer].validUntil;
    }

    function _onlyRecipientOrOperator(address recipient) private view {
        // Anybody else could redeem a high nonce and so burn the winners below it.
        if (msg.sender != recipient && !_operators[recipient][msg.sender]) revert NotRecipient(msg.sender);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ITicketEscrow
    function isOperator(address recipient, address operator) external view returns (bool) {
        return _operators[recipient][operator];
    }

    /// @inheritdoc ITicketEscrow
    function laneWatermark(address payer, address recipient, uint16 lane) external view returns (uint64) {
        return _watermarks[payer][recipient][lane];
    }

    /// @inheritdoc ITicketEscrow
    function ticketDigest(Ticket calldata ticket) external view returns (bytes32) {
        return _hashTypedDataV4(Tickets.structHash(Tickets.typed(ticket)));
    }

    /// @inheritdoc ITicketEscrow
    function settlementDigest(Settlement calldata settlement) external view returns (bytes32) {
        return _hashTypedDataV4(Tickets.structHash(settlement));
    }

    /// @inheritdoc ITicketEscrow
    function redeemOrderDigest(RedeemOrder calldata order) external view returns (bytes32) {
        return _hashTypedDataV4(Tickets.structHash(order));
    }

    /// @inheritdoc ITicketEscrow
    function isWinning(bytes32 recipientRand, bytes32 digest, uint64 winProb) external pure returns (bool) {
        return Tickets.wins(recipientRand, digest, winProb);
    }

    /// @inheritdoc ITicketEscrow
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {ITicketEscrow} from "./interfaces/ITicketEscrow.sol";

/// @title TicketEscrow
/// @notice Immutable: no owner, no upgrade, no external call but the transfer of a withdrawal.
/// @dev Every amount is at most 2^96 - 1 because the contract's whole native balance is, so sums of ledger entries fit
/// uint96 (`_credit`) and a product of uint96 and uint16 fits uint256.
contract TicketEscrow is ITicketEscrow, EIP712 {
    // -------------------------------------------------------------- storage

    /// @dev One slot. `opened` stays set for ever once the account was credited, so that an account drained to zero
    /// does not pay for a fresh slot at its next income. 152 bits are free.
    struct Account {
        uint96 balance;
        bool opened;
    }

    /// @dev One slot per (payer, recipient), shared by all lanes of the pair so that capital is not split between them.
    /// `thawing <= amount` always; `thawEnd` is zero exactly when `thawing` is. 24 bits are free.
    struct Allocation {
        uint96 amount;
        uint96 thawing;
        uint40 thawEnd;
    }

    mapping(address owner => Account) private _accounts;
    mapping(address payer => mapping(address recipient => Allocation)) private _allocations;
    /// @dev One slot per lane: the highest nonce paid. 192 bits are free.
    mapping(address payer => mapping(address recipient => mapping(uint16 lane => uint64))) private _watermarks;

    /// @inheritdoc ITicketEscrow
    uint40 public immutable THAW_PERIOD;

    uint256 private constant MAX_THAW_PERIOD = 90 days;

    /// @inheritdoc ITicketEscrow
    bytes32 public constant TICKET_TYPEHASH = keccak256(
        "Ticket(address payer,address recipient,uint16 lane,uint64 nonce,uint96 faceValue,uint64 winProb,uint40 expiry,bytes32 recipientRandHash,uint64 salt)"
    );

    uint256 private constant RUN_HEADER_BYTES = 85;
    uint256 private constant RUN_TICKET_BYTES = 88;

    /// @param thawPeriod seconds, 1 to 90 days; at least the longest ticket lifetime that recipients accept
    constructor(uint40 thawPeriod) EIP712("Kinora TicketEscrow", "1") {
        if (thawPeriod == 0 || thawPeriod > MAX_THAW_PERIOD) revert ThawPeriodOutOfRange(thawPeriod);
        THAW_PERIOD = thawPeriod;
    }

    // ---------------------------------------------------------------- funds

    /// @inheritdoc ITicketEscrow
    function deposit() external payable {
        _deposit(msg.sender);
    }

    /// @inheritdoc ITicketEscrow
    function depositFor(address owner) external payable {
        if (owner == address(0)) revert ZeroAddress();
        _deposit(owner);
    }

    /// @inheritdoc ITicketEscrow
    function withdraw(address payable to, uint256 amount) external {
        if (to == address(0)) revert ZeroAddress();
        if (amount == 0) revert ZeroAmount();
        _debit(msg.sender, amount);
        emit Withdrawn(msg.sender, to, amount);
        (bool sent,) = to.call{value: amount}("");
        if (!sent) revert WithdrawalFailed();
    }

    /// @inheritdoc ITicketEscrow
    function allocate(address recipient, uint256 amount) external {
        if (recipient == address(0)) revert ZeroAddress();
        if (recipient == msg.sender) revert SelfAllocation();
        if (amount == 0) revert ZeroAmount();
        _debit(msg.sender, amount);
        // Cannot wrap: amount came out of a balance, and balances and allocations together fit uint96.
        unchecked {
            _allocations[msg.sender][recipient].amount += uint96(amount);
        }
        emit Allocated(msg.sender, recipient, amount);
    }

    /// @inheritdoc ITicketEscrow
    function thawAllocation(address recipient, uint256 amount) external {
        Allocation memory a = _allocations[msg.sender][recipient];
        if (amount > a.amount) revert InsufficientAllocation(a.amount, amount);
        if (amount > a.thawing) {
            a.thawEnd = uint40(block.timestamp) + THAW_PERIOD;
            emit AllocationThawStarted(msg.sender, recipient, amount, a.thawEnd);
        } else {
            if (amount == 0) a.thawEnd = 0;
            emit AllocationThawReduced(msg.sender, recipient, amount);
        }
        a.thawing = uint96(amount);
        _allocations[msg.sender][recipient] = a;
    }

    /// @inheritdoc ITicketEscrow
    function releaseAllocation(address recipient) external returns (uint256 released) {
        Allocation memory a = _allocations[msg.sender][recipient];
        if (a.thawing == 0) revert NothingThawing();
        if (block.timestamp < a.thawEnd) revert StillThawing(a.thawEnd);
        released = a.thawing;
        // The thaw ends with its release, so that a later allocation starts protected.
        _allocations[msg.sender][recipient] = Allocation({amount: a.amount - a.thawing, thawing: 0, thawEnd: 0});
        _credit(msg.sender, released);
        emit AllocationReleased(msg.sender, recipient, released);
    }

    // ----------------------------------------------------------- redemption

    /// @dev The words of a ticket's EIP-712 struct hash in their order. All are value types, so the struct lies in
    /// memory exactly as `abi.encode` would write it, and is written once per run.
    struct TypedTicket {
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

    /// @inheritdoc ITicketEscrow
    function redeem(Ticket calldata ticket, bytes32 recipientRand, bytes32 r, bytes32 vs) external {
        // Only the recipient: anybody else could redeem a high nonce and so burn the winners below it.
        if (ticket.recipient != msg.sender) revert NotRecipient(msg.sender);
        if (_randHash(recipientRand) != ticket.recipientRandHash) revert TicketRefused(Refusal.WrongRand);

        TypedTicket memory t = _typed(ticket);
        uint256 balance = _accounts[t.payer].balance;
        uint256 funds = balance;
        if (funds < t.faceValue) funds += _allocations[t.payer][msg.sender].amount;

        Refusal reason = _refusalOfRun(t);
        if (reason == Refusal.None) {
            reason = _refusalOfTicket(
                t, _watermarks[t.payer][msg.sender][t.lane], funds, recipientRand, r, vs, _domainSeparatorV4()
            );
        }
        if (reason != Refusal.None) revert TicketRefused(reason);

        _settle(t, balance, t.nonce, 1, t.faceValue);
        _credit(msg.sender, t.faceValue);
    }

    /// @inheritdoc ITicketEscrow
    function redeemBatch(bytes calldata runs, uint256 minTotal) external returns (uint256 paid) {
        bytes32 domain = _domainSeparatorV4();
        while (runs.length != 0) {
            if (runs.length < RUN_HEADER_BYTES) revert MalformedRuns();
            uint256 count = uint16(bytes2(runs[83:85]));
            uint256 size = RUN_HEADER_BYTES + count * RUN_TICKET_BYTES;
            if (count == 0 || runs.length < size) revert MalformedRuns();
            paid += _redeemRun(runs[:size], domain);
            runs = runs[size:];
        }
        if (paid == 0 || paid < minTotal) revert PaidBelowMinimum(paid, minTotal);
        // Credited last and by addition: no debit of this call can be overwritten by it.
        _credit(msg.sender, paid);
    }

    /// @dev Pays the longest payable prefix of one run, or nothing. Reads all state afresh, so that two runs may share
    /// payer and lane.
    function _redeemRun(bytes calldata run, bytes32 domain) private returns (uint256 amount) {
        TypedTicket memory t;
        t.typeHash = TICKET_TYPEHASH;
        t.payer = address(bytes20(run[0:20]));
        t.recipient = msg.sender;
        t.lane = uint16(bytes2(run[20:22]));
        t.faceValue = uint96(bytes12(run[22:34]));
        t.expiry = uint40(bytes5(run[34:39]));
        bytes32 recipientRand = bytes32(run[39:71]);
        t.recipientRandHash = _randHash(recipientRand);

        uint256 balance = _accounts[t.payer].balance;
        uint256 lastNonce = _watermarks[t.payer][msg.sender][t.lane];
        uint256 tickets;
        Refusal reason = _refusalOfRun(t);

        uint256 funds = balance;
        if (funds < uint256(t.faceValue) * uint16(bytes2(run[83:85]))) {
            funds += _allocations[t.payer][msg.sender].amount;
        }
        for (uint256 at = RUN_HEADER_BYTES; at < run.length; at += RUN_TICKET_BYTES) {
            bytes32 r;
            bytes32 vs;
            (t.nonce, t.salt, t.winProb, r, vs) = _ticketAt(run, at);
            if (reason == Refusal.None) {
                reason = _refusalOfTicket(t, lastNonce, funds, recipientRand, r, vs, domain);
            }
            if (reason != Refusal.None) {
                emit RunStopped(t.payer, msg.sender, t.lane, t.nonce, reason);
                break;
            }
            // Cannot wrap: _refusalOfTicket found faceValue <= funds; tickets fits uint16.
            unchecked {
                funds -= t.faceValue;
                amount += t.faceValue;
                ++tickets;
            }
            lastNonce = t.nonce;
        }

        if (amount == 0) return 0;
        if (amount < uint96(bytes12(run[71:83]))) {
            if (reason == Refusal.None) {
                emit RunStopped(t.payer, msg.sender, t.lane, t.nonce, Refusal.BelowMinPayout);
            }
            return 0;
        }
        _settle(t, balance, lastNonce, tickets, amount);
    }

    /// @dev What refuses every ticket of a run.
    function _refusalOfRun(TypedTicket memory t) private view returns (Refusal) {
        if (t.payer == msg.sender) return Refusal.SelfPayment;
        if (t.faceValue == 0) return Refusal.ZeroFaceValue;
        if (block.timestamp > t.expiry) return Refusal.Expired;
        return Refusal.None;
    }

    /// @dev What refuses this ticket. Cheap checks first.
    function _refusalOfTicket(
        TypedTicket memory t,
        uint256 lastNonce,
        uint256 funds,
        bytes32 recipientRand,
        bytes32 r,
        bytes32 vs,
        bytes32 domain
    ) private pure returns (Refusal) {
        if (t.nonce <= lastNonce) return Refusal.NonceUsed;
        if (t.faceValue > funds) return Refusal.Underfunded;
        bytes32 digest = MessageHashUtils.toTypedDataHash(domain, _structHash(t));
        if (!_wins(recipientRand, digest, t.winProb)) return Refusal.NotWinning;
        // Rejects high s and the zero address; a payer of zero matches no signature.
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, r, vs);
        if (failure != ECDSA.RecoverError.NoError || signer != t.payer) return Refusal.BadSignature;
        return Refusal.None;
    }

    /// @dev Debits `amount` from the payer, balance first, and moves the watermark. `amount` is covered by `balance` plus
    /// the allocation. Takes the thawing part of an allocation first: what is not thawing is the recipient's credit.
    function _settle(TypedTicket memory t, uint256 balance, uint256 lastNonce, uint256 tickets, uint256 amount)
        private
    {
        _watermarks[t.payer][msg.sender][t.lane] = uint64(lastNonce);
        if (amount <= balance) {
            _accounts[t.payer].balance = uint96(balance - amount);
        } else {
            if (balance != 0) _accounts[t.payer].balance = 0;
            uint96 rest = uint96(amount - balance);
            Allocation memory a = _allocations[t.payer][msg.sender];
            a.amount -= rest;
            a.thawing = a.thawing > rest ? a.thawing - rest : 0;
            if (a.thawing == 0) a.thawEnd = 0;
            _allocations[t.payer][msg.sender] = a;
        }
        emit Redeemed(t.payer, msg.sender, t.lane, uint64(lastNonce), tickets, amount);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ITicketEscrow
    function account(address owner) external view returns (uint96 balance, bool opened) {
        Account memory a = _accounts[owner];
        return (a.balance, a.opened);
    }

    /// @inheritdoc ITicketEscrow
    function allocation(address payer, address recipient)
        external
        view
        returns (uint96 amount, uint96 thawing, uint40 thawEnd)
    {
        Allocation memory a = _allocations[payer][recipient];
        return (a.amount, a.thawing, a.thawEnd);
    }

    /// @inheritdoc ITicketEscrow
    function laneWatermark(address payer, address recipient, uint16 lane) external view returns (uint64) {
        return _watermarks[payer][recipient][lane];
    }

    /// @inheritdoc ITicketEscrow
    function ticketDigest(Ticket calldata ticket) external view returns (bytes32) {
        return _hashTypedDataV4(_structHash(_typed(ticket)));
    }

    /// @inheritdoc ITicketEscrow
    function isWinning(bytes32 recipientRand, bytes32 digest, uint64 winProb) external pure returns (bool) {
        return _wins(recipientRand, digest, winProb);
    }

    /// @inheritdoc ITicketEscrow
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    // ------------------------------------------------------------- accounts

    function _deposit(address owner) private {
        if (msg.value == 0) revert ZeroAmount();
        // The native balance is the sum of all ledgers (plus what was forced in), so this bounds every uint96.
        if (address(this).balance > type(uint96).max) revert DepositCapExceeded();
        _credit(owner, msg.value);
        emit Deposited(msg.sender, owner, msg.value);
    }

    function _credit(address owner, uint256 amount) private {
        // Cannot wrap: all ledgers together are bounded by _deposit.
        unchecked {
            _accounts[owner] = Account({balance: _accounts[owner].balance + uint96(amount), opened: true});
        }
    }

    function _debit(address owner, uint256 amount) private {
        uint256 balance = _accounts[owner].balance;
        if (amount > balance) revert InsufficientBalance(balance, amount);
        _accounts[owner].balance = uint96(balance - amount);
    }

    // -------------------------------------------------------------- tickets

    function _typed(Ticket calldata ticket) private pure returns (TypedTicket memory) {
        return TypedTicket({
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

    function _structHash(TypedTicket memory t) private pure returns (bytes32 structHash) {
        assembly ("memory-safe") {
            structHash := keccak256(t, 0x140)
        }
    }

    function _randHash(bytes32 recipientRand) private pure returns (bytes32 randHash) {
        assembly ("memory-safe") {
            mstore(0x00, recipientRand)
            randHash := keccak256(0x00, 0x20)
        }
    }

    function _wins(bytes32 recipientRand, bytes32 digest, uint64 winProb) private pure returns (bool) {
        uint256 draw;
        assembly ("memory-safe") {
            mstore(0x00, recipientRand)
            mstore(0x20, digest)
            draw := keccak256(0x00, 0x40)
        }
        // The maximum is a certainty, not 1 - 2^-64.
        return uint64(draw) < winProb || winProb == type(uint64).max;
    }

    /// @dev The ticket at byte `at` of a run whose length was checked. Shifts leave no dirty bits: a nonce is 64 bits.
    function _ticketAt(bytes calldata run, uint256 at)
        private
        pure
        returns (uint64 nonce, uint64 salt, uint64 winProb, bytes32 r, bytes32 vs)
    {
        assembly ("memory-safe") {
            let p := add(run.offset, at)
            let head := calldataload(p)
            nonce := shr(192, head)
            salt := and(shr(128, head), 0xffffffffffffffff)
            winProb := and(shr(64, head), 0xffffffffffffffff)
            r := calldataload(add(p, 24))
            vs := calldataload(add(p, 56))
        }
    }
}

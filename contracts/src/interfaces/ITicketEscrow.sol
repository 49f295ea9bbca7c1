// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IBoundedPause} from "./IBoundedPause.sol";

/// @title ITicketEscrow
/// @notice Holds the one asset (the chain's own, or an ERC-20 token) that backs probabilistic tickets, and pays winning
/// tickets. Amounts are in the asset's smallest unit, called wei here for both.
///
/// A *payer* signs tickets off chain; a *recipient* redeems the few that win. Each account has one balance: what it
/// deposited plus what it earned, spendable as its own deposit and withdrawable at any time. Out of its balance a payer
/// *allocates* an amount to one recipient. Only an allocation is credit: it can pay nobody else, and it leaves the pair
/// only by a winning ticket or after a thaw of `THAW_PERIOD`.
///
/// Why the balance has no thaw of its own: a payer can always empty its balance at once, by a winning ticket to an
/// account it controls or by an allocation elsewhere, so a delay on withdrawing would protect no recipient and would
/// lock up earned income. Recipients therefore give no credit on a balance.
///
/// A payer may let *session keys* sign for it, so that its own key stays off streaming machines. A ticket signed by one
/// draws on allocations alone, and a session key may allocate no more than its daily cap: whoever steals it gets at
/// most that and what is allocated to accounts it controls. Caps bind allocating, never redeeming: a ticket once signed
/// cannot be repudiated by them, nor by revoking the key, which takes `THAW_PERIOD`.
///
/// A recipient redeems by itself, through *operators* it trusts, or, without gas of its own, through any relayer for a
/// fee that it signed.
///
/// Rules a recipient keeps off chain, because the contract cannot see them:
/// - credit counts only `amount - thawing` of its allocation;
/// - a ticket expires sooner than `THAW_PERIOD` after it was accepted, so that no thaw outruns a winner;
/// - a ticket signed by a session key expires no later than the session is valid;
/// - a ticket nonce is accepted only inside a window above the lane's watermark, since paying a huge one ends the lane;
/// - `recipientRand` is disclosed by the first call, simulation or transaction that carries it: close the parameter set
///   first, and never use that value again.
interface ITicketEscrow is IBoundedPause {
    // ---------------------------------------------------------------- types

    /// @notice EIP-712 `Ticket`, domain {name "Kinora TicketEscrow", version "1", chainId, verifyingContract}.
    /// @param payer the account that signed, or for which a session key of it signed. A contract can only pay by session
    /// keys: its own signatures can be repudiated and are not accepted
    /// @param recipient the account that is paid; it, its operators, or a relayer with its order redeem
    /// @param lane sequence of its own inside the pair; each lane keeps one nonce watermark
    /// @param nonce above the lane's watermark, so the first usable value is 1
    /// @param faceValue wei paid in full when the ticket wins
    /// @param winProb probability in units of 2^-64; `type(uint64).max` always wins
    /// @param expiry last second, unix time, in which the ticket pays
    /// @param recipientRandHash keccak256 of the 32 bytes the recipient keeps secret until it redeems
    /// @param salt unpredictable number chosen by the payer
    struct Ticket {
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

    /// @notice EIP-712 `Settlement`: one payment instead of the draws of a lane's nonces `fromNonce` to `toNonce`. It
    /// pays only while none of them was paid, and afterwards none of them pays, so no nonce is ever paid twice.
    struct Settlement {
        address payer;
        address recipient;
        uint16 lane;
        uint64 fromNonce;
        uint64 toNonce;
        uint96 amount;
        uint40 expiry;
    }

    /// @notice EIP-712 `RedeemOrder`: a recipient asks anybody to redeem its runs for a fee.
    /// @param runsHash keccak256 of the runs as `redeemBatch` takes them
    /// @param minTotal wei that the runs must pay together, the fee included
    /// @param fee wei of it that go to the balance of whoever sends the transaction
    /// @param to where the rest is paid out to; the zero address leaves it on the recipient's balance
    /// @param orderNonce the recipient's `orderNonce`, so that each order pays at most one fee
    /// @param deadline last second, unix time, in which it can be carried out
    struct RedeemOrder {
        address recipient;
        bytes32 runsHash;
        uint96 minTotal;
        uint96 fee;
        address to;
        uint64 orderNonce;
        uint40 deadline;
    }

    /// @notice Why a ticket or a settlement was not paid. The numbers are frozen.
    enum Refusal {
        None,
        SelfPayment,
        ZeroFaceValue,
        Expired,
        NonceUsed,
        WrongRand,
        NotWinning,
        BadSignature,
        Underfunded,
        BelowMinPayout,
        SessionEnded,
        BadRange
    }

    // --------------------------------------------------------------- events

    /// @notice `funder` added `amount` wei to the balance of `account`.
    event Deposited(address indexed funder, address indexed account, uint256 amount);

    /// @notice `account` took `amount` wei out of its balance, paid to `to`.
    event Withdrawn(address indexed account, address indexed to, uint256 amount);

    /// @notice `amount` wei moved from the payer's balance to its allocation for `recipient`.
    event Allocated(address indexed payer, address indexed recipient, uint256 amount);

    /// @notice `thawing` wei of the allocation may be released from `thawEnd` (unix seconds) on.
    event AllocationThawStarted(address indexed payer, address indexed recipient, uint256 thawing, uint256 thawEnd);

    /// @notice The thawing part was lowered to `thawing` wei, its end unchanged; zero cancels the thaw.
    event AllocationThawReduced(address indexed payer, address indexed recipient, uint256 thawing);

    /// @notice `amount` wei of the allocation went back to the payer's balance.
    event AllocationReleased(address indexed payer, address indexed recipient, uint256 amount);

    /// @notice `tickets` tickets of one run were paid, `amount` wei in all; the lane's watermark is now `lastNonce`.
    event Redeemed(
        address indexed payer, address indexed recipient, uint16 lane, uint64 lastNonce, uint256 tickets, uint256 amount
    );

    /// @notice A run stopped at the ticket `nonce`: it and what follows it in the run stay unpaid and unconsumed. Unless
    /// a `Redeemed` of the same run follows, nothing of the run was paid. It tells the recipient why, and proves nothing
    /// against the payer but for `Underfunded` and `SessionEnded`, which come after the signature: other tickets may be
    /// forged.
    event RunStopped(address indexed payer, address indexed recipient, uint16 lane, uint64 nonce, Refusal reason);

    /// @notice The payer paid `amount` wei for the nonces `fromNonce` to `toNonce` of a lane together; its watermark is
    /// now `toNonce`.
    event PairSettled(
        address indexed payer, address indexed recipient, uint16 lane, uint64 fromNonce, uint64 toNonce, uint256 amount
    );

    /// @notice `relayer` carried out the recipient's order and got `fee` wei of what its runs paid.
    event OrderRelayed(address indexed recipient, address indexed relayer, uint64 orderNonce, uint256 fee);

    /// @notice The recipient withdrew every order it signed with a number below `orderNonce`.
    event OrdersCancelled(address indexed recipient, uint64 orderNonce);

    /// @notice `operator` may, or may no longer, redeem for the recipient.
    event OperatorSet(address indexed recipient, address indexed operator, bool allowed);

    /// @notice `signer` signs tickets for the payer that expire by `validUntil`, and allocates up to `dailyCap` wei a day.
    event SessionSet(address indexed payer, address indexed signer, uint40 validUntil, uint96 dailyCap);

    /// @notice `signer` allocates nothing more, and its tickets count only when they expire by `validUntil`.
    event SessionRevoked(address indexed payer, address indexed signer, uint40 validUntil);

    /// @notice The payer signed two different tickets with one nonce, as `reporter` proved. It can allocate no more.
    event PayerFlagged(
        address indexed payer, address indexed recipient, address indexed reporter, uint16 lane, uint64 nonce
    );

    // --------------------------------------------------------------- errors

    error ThawPeriodOutOfRange(uint256 thawPeriod);
    error ZeroAmount();
    error ZeroAddress();
    error SelfAllocation();
    /// @notice A call for the native asset to an escrow of a token, or the other way round.
    error WrongAsset();
    /// @notice The token moved another amount than asked; such tokens are not supported.
    error TransferMismatch(uint256 received, uint256 amount);
    /// @notice All deposits together are bounded by 2^96 - 1 wei.
    error DepositCapExceeded();
    error PayerIsFlagged(address payer);
    error SessionInvalid(address payer, address signer);
    /// @notice A session's validity cannot be shortened but by revoking it, which takes `THAW_PERIOD`.
    error SessionShortened(uint256 validUntil);
    error SessionCapExceeded(uint256 left, uint256 amount);
    error OrderExpired(uint256 deadline);
    error OrderMismatch();
    error OrderNonceWrong(uint256 expected);
    error OrderSignatureInvalid();
    error NoEquivocation();
    error InsufficientBalance(uint256 balance, uint256 amount);
    error InsufficientAllocation(uint256 allocation, uint256 amount);
    error NothingThawing();
    error StillThawing(uint256 thawEnd);
    error WithdrawalFailed();
    error NotRecipient(address caller);
    error TicketRefused(Refusal reason);
    error MalformedRuns();
    error PaidBelowMinimum(uint256 paid, uint256 minTotal);

    // ---------------------------------------------------------------- funds

    /// @notice Adds the value sent to the caller's balance. For the native asset.
    function deposit() external payable;

    /// @notice Adds the value sent to the balance of `account`. Touches no allocation and no thaw. For the native asset.
    function depositFor(address account) external payable;

    /// @notice Pulls `amount` of the token from the caller, which approved it, to the balance of `account`.
    function depositToken(address account, uint256 amount) external;

    /// @notice Takes `amount` wei out of the caller's balance, at once, and sends it to `to`.
    function withdraw(address payable to, uint256 amount) external;

    /// @notice Moves `amount` wei from the caller's balance to its allocation for `recipient`. A thaw in progress keeps
    /// its size and its end: what is added is credit, not part of the thaw.
    function allocate(address recipient, uint256 amount) external;

    /// @notice Sets how much of the caller's allocation for `recipient` is thawing. Raising it starts the whole thawing
    /// part anew, lowering it keeps the end, zero cancels.
    /// @param amount wei, at most the allocation
    function thawAllocation(address recipient, uint256 amount) external;

    /// @notice Moves the thawed part of the caller's allocation for `recipient` back to the caller's balance.
    /// @return released wei
    function releaseAllocation(address recipient) external returns (uint256 released);

    // ------------------------------------------------------------- sessions

    /// @notice Lets `signer` sign for the caller, or changes what it may. Its validity never gets shorter.
    /// @param signer an account with a key of its own
    /// @param validUntil last second, unix time, by which its tickets expire
    /// @param dailyCap wei that it may allocate per UTC day
    function setSession(address signer, uint40 validUntil, uint96 dailyCap) external;

    /// @notice Ends a session: it allocates nothing more from now on, and its tickets count when they expire within
    /// `THAW_PERIOD`, which covers all that recipients accepted before.
    function revokeSession(address signer) external;

    /// @notice `allocate` from the payer's balance by one of its session keys, inside the key's daily cap.
    function allocateFrom(address payer, address recipient, uint256 amount) external;

    /// @notice `thawAllocation` of the payer's allocation by one of its session keys.
    function thawAllocationOf(address payer, address recipient, uint256 amount) external;

    /// @notice `releaseAllocation` to the payer's balance by one of its session keys.
    function releaseAllocationOf(address payer, address recipient) external returns (uint256 released);

    // ----------------------------------------------------------- redemption

    /// @notice Pays one winning ticket in full to its recipient's balance, or reverts with `TicketRefused`. A ticket that
    /// the payer signed draws on its balance first and on its allocation for the recipient after that; one that a session
    /// key signed draws on the allocation alone. For the recipient and its operators.
    /// @param recipientRand preimage of `recipientRandHash`
    /// @param r signature
    /// @param vs signature in the compact form of EIP-2098: `s`, with the recovery bit on top
    function redeem(Ticket calldata ticket, bytes32 recipientRand, bytes32 r, bytes32 vs) external;

    /// @notice Pays runs of winning tickets to the caller's balance. Each run stops at its first ticket that cannot be
    /// paid in full; what came before it is paid when it reaches the run's own `minPayout`, else the run is left
    /// unchanged. Other runs are unaffected. Reverts with `PaidBelowMinimum` when nothing, or less than `minTotal`, was
    /// paid.
    /// @param runs concatenated big-endian runs. Header, 85 bytes: payer 20, lane 2, faceValue 12, expiry 5,
    /// recipientRand 32, minPayout 12, number of tickets 2 (at least one). Each ticket, 88 bytes, nonces ascending:
    /// nonce 8, salt 8, winProb 8, r 32, vs 32. The recipient is the caller.
    /// @param minTotal wei
    /// @return paid wei credited to the caller
    function redeemBatch(bytes calldata runs, uint256 minTotal) external returns (uint256 paid);

    /// @notice `redeemBatch` for `recipient` by one of its operators.
    function redeemBatchOf(address recipient, bytes calldata runs, uint256 minTotal) external returns (uint256 paid);

    /// @notice `redeemBatch` whose proceeds are paid out to `to` instead of credited.
    function redeemBatchTo(bytes calldata runs, uint256 minTotal, address payable to) external returns (uint256 paid);

    /// @notice `redeemBatch` by anybody, as the recipient ordered it with its signature. The caller gets the fee on its
    /// balance. It learns the rands: the recipient closes their sets before it signs.
    function redeemFor(RedeemOrder calldata order, bytes calldata runs, bytes32 r, bytes32 vs)
        external
        returns (uint256 paid);

    /// @notice Withdraws every order the caller signed so far.
    function cancelOrders() external;

    /// @notice Lets `operator` redeem for the caller, or no longer, both at once. An operator is trusted: redeeming a
    /// high nonce first, it burns the winners below.
    function setOperator(address operator, bool allowed) external;

    /// @notice Pays a settlement in full to its recipient's balance, out of the same money as a ticket of its signer, or
    /// reverts with `TicketRefused`. For the recipient and its operators.
    function settle(Settlement calldata settlement, bytes32 r, bytes32 vs) external;

    /// @notice Flags a payer that signed two different tickets with one (recipient, lane, nonce). What it signed is paid
    /// as before. A session key convicts its payer only while it is valid and with tickets that have not expired, so that
    /// an old key that leaks does not.
    function flagEquivocation(Ticket calldata a, bytes32 rA, bytes32 vsA, Ticket calldata b, bytes32 rB, bytes32 vsB)
        external;

    // ---------------------------------------------------------------- views

    /// @notice The balance of `owner` in wei, and whether its slot was ever used.
    function account(address owner) external view returns (uint96 balance, bool opened);

    /// @notice The allocation of `payer` for `recipient` in wei, the part of it that is thawing, and the unix second
    /// from which that part can be released (0 when nothing thaws); a pause puts that off by its length.
    function allocation(address payer, address recipient)
        external
        view
        returns (uint96 amount, uint96 thawing, uint40 thawEnd);

    /// @notice What `setSession` and `revokeSession` left of a session, and how much it can still allocate today.
    function session(address payer, address signer)
        external
        view
        returns (uint40 validUntil, uint96 dailyCap, uint96 left);

    /// @notice Whether `operator` may redeem for `recipient`.
    function isOperator(address recipient, address operator) external view returns (bool);

    /// @notice Whether the payer was proven to have signed one nonce twice.
    function isFlagged(address payer) external view returns (bool);

    /// @notice The number that the recipient's next order must carry.
    function orderNonce(address recipient) external view returns (uint64);

    /// @notice The last second, unix time, in which a ticket with this expiry pays: later than it, by the length of the
    /// last pause, when that came in between.
    function payableUntil(uint40 expiry) external view returns (uint256);

    /// @notice The highest ticket nonce paid on a lane; 0 when none was.
    function laneWatermark(address payer, address recipient, uint16 lane) external view returns (uint64 lastNonce);

    /// @notice The EIP-712 digest that the payer signs.
    function ticketDigest(Ticket calldata ticket) external view returns (bytes32);

    /// @notice The EIP-712 digest that the payer, or a session key of it, signs.
    function settlementDigest(Settlement calldata settlement) external view returns (bytes32);

    /// @notice The EIP-712 digest that the recipient signs.
    function redeemOrderDigest(RedeemOrder calldata order) external view returns (bytes32);

    /// @notice Whether a ticket with this digest wins: the low 64 bits of keccak256(recipientRand ‖ digest) are below
    /// `winProb`, or `winProb` is the maximum. Signature bytes have no part in it. Asking someone else's node
    /// discloses `recipientRand`.
    function isWinning(bytes32 recipientRand, bytes32 digest, uint64 winProb) external pure returns (bool);

    /// @notice The EIP-712 domain separator on the present chain.
    function DOMAIN_SEPARATOR() external view returns (bytes32);

    /// @notice The EIP-712 type hash of `Ticket`.
    function TICKET_TYPEHASH() external view returns (bytes32);

    /// @notice The EIP-712 type hash of `Settlement`.
    function SETTLEMENT_TYPEHASH() external view returns (bytes32);

    /// @notice The EIP-712 type hash of `RedeemOrder`.
    function REDEEM_ORDER_TYPEHASH() external view returns (bytes32);

    /// @notice The token held; the zero address stands for the chain's native asset.
    function ASSET() external view returns (address);

    /// @notice Seconds between the start of a thaw and the first possible release.
    function THAW_PERIOD() external view returns (uint40);
}

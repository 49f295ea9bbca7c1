// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title ITicketEscrow
/// @notice Holds the native asset that backs probabilistic tickets, and pays winning tickets.
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
/// Rules a recipient keeps off chain, because the contract cannot see them:
/// - credit counts only `amount - thawing` of its allocation;
/// - a ticket expires sooner than `THAW_PERIOD` after it was accepted, so that no thaw outruns a winner;
/// - a ticket nonce is accepted only inside a window above the lane's watermark, since paying a huge one ends the lane;
/// - `recipientRand` is disclosed by the first call, simulation or transaction that carries it: close the parameter set
///   first, and never use that value again.
interface ITicketEscrow {
    // ---------------------------------------------------------------- types

    /// @notice EIP-712 `Ticket`, domain {name "Kinora TicketEscrow", version "1", chainId, verifyingContract}.
    /// @param payer the account that signed, an EOA: contract signatures can be repudiated and are not accepted
    /// @param recipient the only account that can redeem
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

    /// @notice Why a ticket was not paid. The numbers are frozen.
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
        BelowMinPayout
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
    /// against the payer: cheap checks come before the signature, so the ticket may be forged.
    event RunStopped(address indexed payer, address indexed recipient, uint16 lane, uint64 nonce, Refusal reason);

    // --------------------------------------------------------------- errors

    error ThawPeriodOutOfRange(uint256 thawPeriod);
    error ZeroAmount();
    error ZeroAddress();
    error SelfAllocation();
    /// @notice All deposits together are bounded by 2^96 - 1 wei.
    error DepositCapExceeded();
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

    /// @notice Adds the value sent to the caller's balance.
    function deposit() external payable;

    /// @notice Adds the value sent to the balance of `account`. Touches no allocation and no thaw.
    function depositFor(address account) external payable;

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

    // ----------------------------------------------------------- redemption

    /// @notice Pays one winning ticket in full to the caller's balance, from the payer's balance first and from its
    /// allocation for the caller after that, or reverts with `TicketRefused`.
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

    // ---------------------------------------------------------------- views

    /// @notice The balance of `owner` in wei, and whether its slot was ever used.
    function account(address owner) external view returns (uint96 balance, bool opened);

    /// @notice The allocation of `payer` for `recipient` in wei, the part of it that is thawing, and the unix second
    /// from which that part can be released (0 when nothing thaws).
    function allocation(address payer, address recipient)
        external
        view
        returns (uint96 amount, uint96 thawing, uint40 thawEnd);

    /// @notice The highest ticket nonce paid on a lane; 0 when none was.
    function laneWatermark(address payer, address recipient, uint16 lane) external view returns (uint64 lastNonce);

    /// @notice The EIP-712 digest that the payer signs.
    function ticketDigest(Ticket calldata ticket) external view returns (bytes32);

    /// @notice Whether a ticket with this digest wins: the low 64 bits of keccak256(recipientRand ‖ digest) are below
    /// `winProb`, or `winProb` is the maximum. Signature bytes have no part in it. Asking someone else's node
    /// discloses `recipientRand`.
    function isWinning(bytes32 recipientRand, bytes32 digest, uint64 winProb) external pure returns (bool);

    /// @notice The EIP-712 domain separator on the present chain.
    function DOMAIN_SEPARATOR() external view returns (bytes32);

    /// @notice The EIP-712 type hash of `Ticket`.
    function TICKET_TYPEHASH() external view returns (bytes32);

    /// @notice Seconds between the start of a thaw and the first possible release.
    function THAW_PERIOD() external view returns (uint40);
}

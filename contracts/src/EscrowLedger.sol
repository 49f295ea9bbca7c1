// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Accounting} from "./Accounting.sol";
import {BoundedPause} from "./BoundedPause.sol";
import {ITicketEscrow} from "./interfaces/ITicketEscrow.sol";

/// @title EscrowLedger
/// @notice The money of the escrow: balances, allocations, and who may set them.
/// @dev Every amount is at most 2^96 - 1 because all the contract holds is, so sums of ledger entries fit uint96
/// (`_credit`) and a product of uint96 and uint16 fits uint256.
abstract contract EscrowLedger is ITicketEscrow, BoundedPause, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev One slot. `opened` stays set for ever once the account was credited, so that an account drained to zero does
    /// not pay for a fresh slot at its next income. 80 bits are free.
    struct Account {
        uint96 balance;
        bool opened;
        bool flagged;
        uint64 orderNonce;
    }

    /// @dev One slot per (payer, recipient), shared by all lanes of the pair so that capital is not split between them.
    /// `thawing <= amount` always; `thawEnd`, in active time, is zero exactly when `thawing` is. 24 bits are free.
    struct Allocation {
        uint96 amount;
        uint96 thawing;
        uint40 thawEnd;
    }

    /// @dev One slot. `spent` counts for `day` (unix days) only.
    struct Session {
        uint40 validUntil;
        uint96 dailyCap;
        uint96 spent;
        uint24 day;
    }

    mapping(address owner => Account) internal _accounts;
    mapping(address payer => mapping(address recipient => Allocation)) internal _allocations;
    mapping(address payer => mapping(address signer => Session)) internal _sessions;

    /// @inheritdoc ITicketEscrow
    address public immutable ASSET;

    /// @inheritdoc ITicketEscrow
    uint40 public immutable THAW_PERIOD;

    uint256 private constant MAX_THAW_PERIOD = 90 days;

    /// @dev `Account.opened` as it lies in the slot.
    uint256 private constant OPENED = 1 << 96;

    constructor(address asset, uint40 thawPeriod) {
        if (thawPeriod == 0 || thawPeriod > MAX_THAW_PERIOD) revert ThawPeriodOutOfRange(thawPeriod);
        if (asset != address(0) && asset.code.length == 0) revert WrongAsset();
        ASSET = asset;
        THAW_PERIOD = thawPeriod;
    }

    // ------------------------------------------------------------- balances

    /// @inheritdoc ITicketEscrow
    function deposit() external payable {
        _deposit(msg.sender);
    }

    /// @inheritdoc ITicketEscrow
    function depositFor(address owner) external payable {
        _deposit(owner);
    }

    /// @inheritdoc ITicketEscrow
    function depositToken(address owner, uint256 amount) external nonReentrant {
        _requireUnpaused();
        if (ASSET == address(0)) revert WrongAsset();
        if (owner == address(0)) revert ZeroAddress();
        if (amount == 0) revert ZeroAmount();
        uint256 held = IERC20(ASSET).balanceOf(address(this));
        IERC20(ASSET).safeTransferFrom(msg.sender, address(this), amount);
        // Credited after the transfer, since only then it is known what arrived. What a token's hook does meanwhile can take
        // money out, which makes this fail, but by the guard put none in.
        uint256 holds = IERC20(ASSET).balanceOf(address(this));
        uint256 received = holds > held ? holds - held : 0;
        if (received != amount) revert TransferMismatch(received, amount);
        if (holds > type(uint96).max) revert DepositCapExceeded();
        _credit(owner, amount);
        emit Deposited(msg.sender, owner, amount);
    }

    /// @inheritdoc ITicketEscrow
    function withdraw(address payable to, uint256 amount) external {
        _requireUnpaused();
        if (amount == 0) revert ZeroAmount();
        _debit(msg.sender, amount);
        _payOut(msg.sender, to, amount);
    }

    // ---------------------------------------------------------- allocations

    /// @inheritdoc ITicketEscrow
    function allocate(address recipient, uint256 amount) external {
        _allocate(msg.sender, recipient, amount);
    }

    /// @inheritdoc ITicketEscrow
    function thawAllocation(address recipient, uint256 amount) external {
        _thaw(msg.sender, recipient, amount);
    }

    /// @inheritdoc ITicketEscrow
    function releaseAllocation(address recipient) external returns (uint256 released) {
        return _release(msg.sender, recipient);
    }

    // ------------------------------------------------------------- sessions

    /// @inheritdoc ITicketEscrow
    function setSession(address signer, uint40 validUntil, uint96 dailyCap) external {
        if (signer == address(0) || signer == msg.sender) revert SessionInvalid(msg.sender, signer);
        Session storage s = _sessions[msg.sender][signer];
        if (validUntil <= block.timestamp) revert SessionInvalid(msg.sender, signer);
        if (validUntil < s.validUntil) revert SessionShortened(s.validUntil);
        s.validUntil = validUntil;
        s.dailyCap = dailyCap;
        emit SessionSet(msg.sender, signer, validUntil, dailyCap);
    }

    /// @inheritdoc ITicketEscrow
    function revokeSession(address signer) external {
        Session storage s = _sessions[msg.sender][signer];
        uint40 validUntil = s.validUntil;
        if (validUntil < block.timestamp) revert SessionInvalid(msg.sender, signer);
        uint40 thawed = uint40(block.timestamp) + THAW_PERIOD;
        if (validUntil > thawed) validUntil = thawed;
        s.validUntil = validUntil;
        s.dailyCap = 0;
        emit SessionRevoked(msg.sender, signer, validUntil);
    }

    /// @inheritdoc ITicketEscrow
    function allocateFrom(address payer, address recipient, uint256 amount) external {
        Session memory s = _validSession(payer, msg.sender);
        uint24 today = uint24(block.timestamp / 1 days);
        uint256 left = _leftToday(s, today);
        if (amount > left) revert SessionCapExceeded(left, amount);
        // Cannot wrap: what was spent and what is left make up the cap.
        s.spent = (s.day == today ? s.spent : 0) + uint96(amount);
        s.day = today;
        _sessions[payer][msg.sender] = s;
        _allocate(payer, recipient, amount);
    }

    /// @inheritdoc ITicketEscrow
    function thawAllocationOf(address payer, address recipient, uint256 amount) external {
        _validSession(payer, msg.sender);
        _thaw(payer, recipient, amount);
    }

    /// @inheritdoc ITicketEscrow
    function releaseAllocationOf(address payer, address recipient) external returns (uint256 released) {
        _validSession(payer, msg.sender);
        return _release(payer, recipient);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ITicketEscrow
    function account(address owner) external view returns (uint96 balance, bool opened) {
        return (_accounts[owner].balance, _accounts[owner].opened);
    }

    /// @inheritdoc ITicketEscrow
    function isFlagged(address payer) external view returns (bool) {
        return _accounts[payer].flagged;
    }

    /// @inheritdoc ITicketEscrow
    function orderNonce(address recipient) external view returns (uint64) {
        return _accounts[recipient].orderNonce;
    }

    /// @inheritdoc ITicketEscrow
    function allocation(address payer, address recipient)
        external
        view
        returns (uint96 amount, uint96 thawing, uint40 thawEnd)
    {
        Allocation memory a = _allocations[payer][recipient];
        return (a.amount, a.thawing, a.thawing == 0 ? 0 : _wallTime(_pauseState(), a.thawEnd));
    }

    /// @inheritdoc ITicketEscrow
    function session(address payer, address signer)
        external
        view
        returns (uint40 validUntil, uint96 dailyCap, uint96 left)
    {
        Session memory s = _sessions[payer][signer];
        bool valid = block.timestamp <= s.validUntil;
        return (s.validUntil, s.dailyCap, valid ? _leftToday(s, uint24(block.timestamp / 1 days)) : 0);
    }

    /// @inheritdoc ITicketEscrow
    function payableUntil(uint40 expiry) external view returns (uint256) {
        return _payableUntil(expiry);
    }

    // ------------------------------------------------------------- internal

    function _deposit(address owner) private {
        _requireUnpaused();
        if (ASSET != address(0)) revert WrongAsset();
        if (owner == address(0)) revert ZeroAddress();
        if (msg.value == 0) revert ZeroAmount();
        // The native balance is the sum of all ledgers (plus what was forced in), so this bounds every uint96.
        if (address(this).balance > type(uint96).max) revert DepositCapExceeded();
        _credit(owner, msg.value);
        emit Deposited(msg.sender, owner, msg.value);
    }

    function _allocate(address payer, address recipient, uint256 amount) private {
        _requireUnpaused();
        if (recipient == address(0)) revert ZeroAddress();
        if (recipient == payer) revert SelfAllocation();
        if (amount == 0) revert ZeroAmount();
        if (_accounts[payer].flagged) revert PayerIsFlagged(payer);
        _debit(payer, amount);
        // Cannot wrap: amount came out of a balance, and balances and allocations together fit uint96.
        unchecked {
            _allocations[payer][recipient].amount += uint96(amount);
        }
        emit Allocated(payer, recipient, amount);
    }

    function _thaw(address payer, address recipient, uint256 amount) private {
        Allocation memory a = _allocations[payer][recipient];
        if (amount > a.amount) revert InsufficientAllocation(a.amount, amount);
        if (amount > a.thawing) {
            PauseState memory p = _pauseState();
            a.thawEnd = _activeTime(p) + THAW_PERIOD;
            emit AllocationThawStarted(payer, recipient, amount, _wallTime(p, a.thawEnd));
        } else {
            if (amount == 0) a.thawEnd = 0;
            emit AllocationThawReduced(payer, recipient, amount);
        }
        a.thawing = uint96(amount);
        _allocations[payer][recipient] = a;
    }

    function _release(address payer, address recipient) private returns (uint256 released) {
        _requireUnpaused();
        PauseState memory p = _pauseState();
        Allocation memory a = _allocations[payer][recipient];
        if (a.thawing == 0) revert NothingThawing();
        if (_activeTime(p) < a.thawEnd) revert StillThawing(_wallTime(p, a.thawEnd));
        released = a.thawing;
        // The thaw ends with its release, so that a later allocation starts protected.
        _allocations[payer][recipient] = Allocation({amount: a.amount - a.thawing, thawing: 0, thawEnd: 0});
        _credit(payer, released);
        emit AllocationReleased(payer, recipient, released);
    }

    /// @dev The last second in which what expires at `expiry` pays. No acceptable ticket lives longer than a thaw.
    function _payableUntil(uint40 expiry) internal view returns (uint256) {
        PauseState memory p = _pauseState();
        return Accounting.payableUntil(p.start, p.end, expiry, THAW_PERIOD);
    }

    /// @dev `amount` is at most the allocation.
    function _drawAllocation(address payer, address recipient, uint96 amount) internal {
        Allocation memory a = _allocations[payer][recipient];
        (a.amount, a.thawing, a.thawEnd) = Accounting.drawn(a.amount, a.thawing, a.thawEnd, amount);
        _allocations[payer][recipient] = a;
    }

    function _credit(address owner, uint256 amount) internal {
        Account storage a = _accounts[owner];
        // One write. The balance is the lowest field and cannot carry into the next: all ledgers together fit uint96.
        assembly ("memory-safe") {
            sstore(a.slot, or(add(sload(a.slot), amount), OPENED))
        }
    }

    function _debit(address owner, uint256 amount) private {
        uint256 balance = _accounts[owner].balance;
        if (amount > balance) revert InsufficientBalance(balance, amount);
        _accounts[owner].balance = uint96(balance - amount);
    }

    /// @dev Sends out what was taken from `owner`, whose ledger is already written: the receiver may call back.
    function _payOut(address owner, address payable to, uint256 amount) internal {
        if (to == address(0)) revert ZeroAddress();
        if (to == address(this)) revert WithdrawalFailed();
        emit Withdrawn(owner, to, amount);
        if (ASSET != address(0)) IERC20(ASSET).safeTransfer(to, amount);
        // Whoever relays an order pays the gas: what the receiver returns is not copied.
        else if (!LowLevelCall.callNoReturn(to, amount, "")) revert WithdrawalFailed();
    }

    function _validSession(address payer, address signer) private view returns (Session memory s) {
        s = _sessions[payer][signer];
        if (block.timestamp > s.validUntil) revert SessionInvalid(payer, signer);
    }

    function _leftToday(Session memory s, uint24 today) private pure returns (uint96) {
        return Accounting.leftOfCap(s.dailyCap, s.spent, s.day, today);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {UUPSUpgradeable} from "@openzeppelin/contracts/proxy/utils/UUPSUpgradeable.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {Accounting} from "./Accounting.sol";
import {BoundedPause} from "./BoundedPause.sol";
import {Receipts} from "./Receipts.sol";
import {ITranscoderBond} from "./interfaces/ITranscoderBond.sol";

/// @title TranscoderBond
/// @notice Upgradeable, by whom `AUTHORITY` lets, since what counts as a provable fault will change, and stakes cannot move to
/// another contract without unbonding. The delay that the authority puts before an upgrade is to be longer than
/// `UNBONDING_PERIOD`, so that whoever does not like one is gone before it.
/// @dev Runs behind an ERC-1967 proxy. Every parameter is an immutable of the implementation, so there is nothing to initialise.
/// A later implementation keeps the storage below and adds to its end.
contract TranscoderBond is ITranscoderBond, BoundedPause, UUPSUpgradeable {
    /// @dev One slot. `unbonding <= amount` always; `unbondEnd`, in active time, is zero exactly when `unbonding` is.
    struct Bond {
        uint96 amount;
        uint96 unbonding;
        uint40 unbondEnd;
    }

    /// @dev Four slots. `amount` left the bond and is owed to it, or to the reporter and the fire. `windowEnd` is in active time.
    struct Claim {
        address transcoder;
        uint96 amount;
        address reporter;
        uint40 windowEnd;
        ClaimState state;
        address orchestrator;
        bytes32 attempt;
        bytes32 assignment; // its digest
    }

    mapping(address transcoder => Bond) private _bonds;
    mapping(bytes32 id => Claim) private _claims;

    /// @inheritdoc ITranscoderBond
    address public immutable ESCROW;
    /// @inheritdoc ITranscoderBond
    uint96 public immutable SLASH;
    /// @inheritdoc ITranscoderBond
    uint16 public immutable REPORTER_SHARE;
    /// @inheritdoc ITranscoderBond
    uint40 public immutable DISPUTE_WINDOW;
    /// @inheritdoc ITranscoderBond
    uint40 public immutable UNBONDING_PERIOD;

    uint16 private constant MAX_REPORTER_SHARE = 2000;
    uint40 private constant MAX_UNBONDING_PERIOD = 365 days;
    address private constant NOBODY = 0x000000000000000000000000000000000000dEaD;

    /// @param escrow whose chain and address are the domain of the market's messages
    /// @param slashAmount wei for one equivocation
    /// @param reporterShare of it in ten-thousandths, at most 2,000: whoever reports itself loses
    /// @param disputeWindow seconds
    /// @param unbondingPeriod seconds, longer than the dispute window
    constructor(
        address escrow,
        uint96 slashAmount,
        uint16 reporterShare,
        uint40 disputeWindow,
        uint40 unbondingPeriod,
        address authority
    ) BoundedPause(authority, 0) {
        if (
            escrow == address(0) || slashAmount == 0 || reporterShare > MAX_REPORTER_SHARE || disputeWindow == 0
                || unbondingPeriod <= disputeWindow || unbondingPeriod > MAX_UNBONDING_PERIOD
        ) revert ParametersOutOfRange();
        ESCROW = escrow;
        SLASH = slashAmount;
        REPORTER_SHARE = reporterShare;
        DISPUTE_WINDOW = disputeWindow;
        UNBONDING_PERIOD = unbondingPeriod;
    }

    // ----------------------------------------------------------------- bond

    /// @inheritdoc ITranscoderBond
    function bond(address transcoder) external payable {
        _requireUnpaused();
        if (transcoder == address(0)) revert ZeroAddress();
        if (msg.value == 0) revert ZeroAmount();
        // There is less of the asset than 2^96 wei, and all that is owed here is held here.
        _bonds[transcoder].amount += uint96(msg.value);
        emit Bonded(msg.sender, transcoder, msg.value);
    }

    /// @inheritdoc ITranscoderBond
    function unbond(uint256 amount) external {
        Bond memory b = _bonds[msg.sender];
        if (amount > b.amount) revert InsufficientBond(b.amount, amount);
        if (amount > b.unbonding) {
            PauseState memory p = _pauseState();
            b.unbondEnd = _activeTime(p) + UNBONDING_PERIOD;
            emit UnbondingStarted(msg.sender, amount, _wallTime(p, b.unbondEnd));
        } else {
            if (amount == 0) b.unbondEnd = 0;
            emit UnbondingReduced(msg.sender, amount);
        }
        b.unbonding = uint96(amount);
        _bonds[msg.sender] = b;
    }

    /// @inheritdoc ITranscoderBond
    function release(address payable to) external returns (uint256 released) {
        _requireUnpaused();
        if (to == address(0)) revert ZeroAddress();
        PauseState memory p = _pauseState();
        Bond memory b = _bonds[msg.sender];
        if (b.unbonding == 0) revert NothingUnbonding();
        if (_activeTime(p) < b.unbondEnd) revert StillUnbonding(_wallTime(p, b.unbondEnd));
        released = b.unbonding;
        _bonds[msg.sender] = Bond({amount: b.amount - b.unbonding, unbonding: 0, unbondEnd: 0});
        emit Unbonded(msg.sender, to, released);
        if (!LowLevelCall.callNoReturn(to, released, "")) revert TransferFailed();
    }

    // ------------------------------------------------------------- slashing

    /// @inheritdoc ITranscoderBond
    function report(
        Assignment calldata assignment,
        Receipt calldata a,
        Receipt calldata b,
        bytes[3] calldata signatures
    ) external returns (bytes32 id) {
        _requireUnpaused();
        _requireOneAttempt(assignment, a);
        _requireOneAttempt(assignment, b);
        if (a.source != b.source) revert NotOneAttempt();
        if (!_equivocates(a.renditions, b.renditions)) revert NoEquivocation();

        bytes32 separator = Receipts.domainSeparator(ESCROW);
        bytes32 assigned = Receipts.digest(separator, assignment);
        _requireSigned(assigned, signatures[0], assignment.orchestrator);
        _requireSigned(Receipts.digest(separator, a), signatures[1], assignment.transcoder);
        _requireSigned(Receipts.digest(separator, b), signatures[2], assignment.transcoder);

        // One claim for an attempt, however many receipts there are of it, and none after it was decided.
        id = claimIdOf(assignment.orchestrator, assignment.transcoder, assignment.lease, assignment.attempt);
        if (_claims[id].state != ClaimState.None) revert ClaimExists(id);
        uint96 amount = _take(assignment.transcoder);
        _claims[id] = Claim({
            transcoder: assignment.transcoder,
            amount: amount,
            reporter: msg.sender,
            windowEnd: _activeTime(_pauseState()) + DISPUTE_WINDOW,
            state: ClaimState.Open,
            orchestrator: assignment.orchestrator,
            attempt: assignment.attempt,
            assignment: assigned
        });
        emit EquivocationReported(
            id, assignment.transcoder, msg.sender, assignment.orchestrator, assignment.attempt, amount
        );
    }

    /// @inheritdoc ITranscoderBond
    function rebut(bytes32 id, Assignment calldata other, bytes calldata signature) external {
        Claim storage c = _claims[id];
        if (c.state != ClaimState.Open) revert ClaimNotOpen(id);
        PauseState memory p = _pauseState();
        if (_activeTime(p) > c.windowEnd) revert DisputeOver(_wallTime(p, c.windowEnd));
        bytes32 digest = Receipts.digest(Receipts.domainSeparator(ESCROW), other);
        if (other.orchestrator != c.orchestrator || other.attempt != c.attempt || digest == c.assignment) {
            revert NoRebuttal();
        }
        _requireSigned(digest, signature, other.orchestrator);

        (address transcoder, uint96 amount) = (c.transcoder, c.amount);
        c.state = ClaimState.Rebutted;
        c.amount = 0;
        _bonds[transcoder].amount += amount;
        emit ClaimRebutted(id, transcoder, amount);
    }

    /// @inheritdoc ITranscoderBond
    function slash(bytes32 id) external {
        _requireUnpaused();
        Claim storage c = _claims[id];
        if (c.state != ClaimState.Open) revert ClaimNotOpen(id);
        PauseState memory p = _pauseState();
        if (_activeTime(p) <= c.windowEnd) revert StillDisputable(_wallTime(p, c.windowEnd));
        uint256 amount = c.amount;
        uint256 reward = amount * REPORTER_SHARE / 10_000;
        c.state = ClaimState.Slashed;
        c.amount = 0;
        // A reporter that takes no money does not save the transcoder: its share burns with the rest.
        if (reward != 0 && !LowLevelCall.callNoReturn(c.reporter, reward, "")) reward = 0;
        if (!LowLevelCall.callNoReturn(NOBODY, amount - reward, "")) revert TransferFailed();
        emit Slashed(id, c.transcoder, c.reporter, reward, amount - reward);
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ITranscoderBond
    function bondOf(address transcoder) external view returns (uint96 amount, uint96 unbonding, uint40 unbondEnd) {
        Bond memory b = _bonds[transcoder];
        return (b.amount, b.unbonding, b.unbonding == 0 ? 0 : _wallTime(_pauseState(), b.unbondEnd));
    }

    /// @inheritdoc ITranscoderBond
    function claimOf(bytes32 id)
        external
        view
        returns (ClaimState state, address transcoder, address reporter, uint96 amount, uint40 disputableUntil)
    {
        Claim memory c = _claims[id];
        disputableUntil = c.state == ClaimState.None ? 0 : _wallTime(_pauseState(), c.windowEnd);
        return (c.state, c.transcoder, c.reporter, c.amount, disputableUntil);
    }

    /// @inheritdoc ITranscoderBond
    function claimIdOf(address orchestrator, address transcoder, bytes32 lease, bytes32 attempt)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(orchestrator, transcoder, lease, attempt));
    }

    /// @inheritdoc ITranscoderBond
    function assignmentDigest(Assignment calldata assignment) external view returns (bytes32) {
        return Receipts.digest(Receipts.domainSeparator(ESCROW), assignment);
    }

    /// @inheritdoc ITranscoderBond
    function receiptDigest(Receipt calldata receipt) external view returns (bytes32) {
        return Receipts.digest(Receipts.domainSeparator(ESCROW), receipt);
    }

    // ------------------------------------------------------------- internal

    /// @dev Takes the slash out of a bond, what is unbonding first.
    function _take(address transcoder) private returns (uint96 amount) {
        Bond memory b = _bonds[transcoder];
        amount = b.amount < SLASH ? b.amount : SLASH;
        if (amount == 0) revert NothingBonded(transcoder);
        (b.amount, b.unbonding, b.unbondEnd) = Accounting.drawn(b.amount, b.unbonding, b.unbondEnd, amount);
        _bonds[transcoder] = b;
    }

    function _requireOneAttempt(Assignment calldata a, Receipt calldata r) private pure {
        if (
            r.orchestrator != a.orchestrator || r.transcoder != a.transcoder || r.lease != a.lease || r.seq != a.seq
                || r.attempt != a.attempt
        ) revert NotOneAttempt();
    }

    function _requireSigned(bytes32 digest, bytes calldata signature, address signer) private pure {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure != ECDSA.RecoverError.NoError || recovered != signer) revert BadSignature(signer);
    }

    /// @dev Whether some profile has one output here and another there. Ladders are short.
    function _equivocates(RenditionReceipt[] calldata a, RenditionReceipt[] calldata b) private pure returns (bool) {
        for (uint256 i = 0; i < a.length; ++i) {
            for (uint256 k = 0; k < b.length; ++k) {
                if (a[i].profile == b[k].profile && a[i].output != b[k].output) return true;
            }
        }
        return false;
    }

    /// @dev Through the authority's own delay: it calls this itself when that has passed.
    function _authorizeUpgrade(address) internal view override {
        _requireAuthority();
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IBoundedPause} from "./IBoundedPause.sol";

/// @title ITranscoderBond
/// @notice A transcoder's stake, lost in part when it is proven to have said two things about one piece of work.
///
/// The one fault that a chain can judge is *equivocation*: two receipts of a transcoder for the same orchestrator, lease,
/// sequence number, attempt, source and profile with different outputs. The proof needs the orchestrator's signature on that
/// very attempt as well, so nobody can provoke a fault by sending a segment twice: a second try is another attempt, signed
/// with another id. An orchestrator that signs one attempt id twice could; the transcoder then shows the second assignment,
/// which clears it for good, within `DISPUTE_WINDOW` of the report. Nothing is taken before that has passed.
///
/// Unbonding takes longer than a dispute, and what is unbonding is lost first. Whether content was encoded well is no matter
/// of this contract: it never holds the money of tickets.
interface ITranscoderBond is IBoundedPause {
    // ---------------------------------------------------------------- types

    /// @notice EIP-712 `Assignment`, domain {name "Kinora", version "1", chainId, verifyingContract = the escrow}.
    struct Assignment {
        address orchestrator;
        address transcoder;
        bytes32 lease;
        string stream;
        uint32 incarnation;
        uint64 seq;
        bytes32 attempt;
    }

    /// @notice EIP-712 `RenditionReceipt`, part of a `Receipt`.
    struct RenditionReceipt {
        bytes32 profile;
        bytes32 output;
        uint64 pixels;
        uint32 frames;
        int64 firstPts;
        int64 lastPts;
    }

    /// @notice EIP-712 `Receipt`, of the same domain.
    struct Receipt {
        address orchestrator;
        address transcoder;
        bytes32 lease;
        uint64 seq;
        bytes32 attempt;
        bytes32 source;
        RenditionReceipt[] renditions;
    }

    /// @notice What became of a reported attempt. The numbers are frozen.
    enum ClaimState {
        None,
        Open,
        Slashed,
        Rebutted
    }

    // --------------------------------------------------------------- events

    /// @notice `funder` added `amount` wei to the transcoder's bond.
    event Bonded(address indexed funder, address indexed transcoder, uint256 amount);

    /// @notice `unbonding` wei of the bond may be taken out from `unbondEnd` (unix seconds) on.
    event UnbondingStarted(address indexed transcoder, uint256 unbonding, uint256 unbondEnd);

    /// @notice The unbonding part was lowered to `unbonding` wei, its end unchanged; zero cancels it.
    event UnbondingReduced(address indexed transcoder, uint256 unbonding);

    /// @notice `amount` wei of the bond went to `to`.
    event Unbonded(address indexed transcoder, address indexed to, uint256 amount);

    /// @notice `reporter` proved an equivocation. `amount` wei of the bond are set aside until it is slashed or rebutted.
    event EquivocationReported(
        bytes32 indexed claim,
        address indexed transcoder,
        address indexed reporter,
        address orchestrator,
        bytes32 attempt,
        uint256 amount
    );

    /// @notice The orchestrator had signed the attempt id twice: `amount` wei are part of the bond again.
    event ClaimRebutted(bytes32 indexed claim, address indexed transcoder, uint256 amount);

    /// @notice `reward` wei went to the reporter, the `burned` rest to nobody.
    event Slashed(
        bytes32 indexed claim, address indexed transcoder, address indexed reporter, uint256 reward, uint256 burned
    );

    // --------------------------------------------------------------- errors

    error ParametersOutOfRange();
    error ZeroAmount();
    error ZeroAddress();
    error InsufficientBond(uint256 bond, uint256 amount);
    error NothingUnbonding();
    error StillUnbonding(uint256 unbondEnd);
    error TransferFailed();
    error NothingBonded(address transcoder);
    /// @notice The two receipts and the assignment are not all of one attempt.
    error NotOneAttempt();
    error BadSignature(address expected);
    /// @notice No profile has two different outputs.
    error NoEquivocation();
    error ClaimExists(bytes32 claim);
    error ClaimNotOpen(bytes32 claim);
    error StillDisputable(uint256 until);
    error DisputeOver(uint256 since);
    error NoRebuttal();

    // ----------------------------------------------------------------- bond

    /// @notice Adds the value sent to the bond of `transcoder`. Touches no unbonding.
    function bond(address transcoder) external payable;

    /// @notice Sets how much of the caller's bond is unbonding. Raising it starts the whole part anew, lowering it keeps the
    /// end, zero cancels.
    function unbond(uint256 amount) external;

    /// @notice Takes the unbonded part of the caller's bond out to `to`.
    function release(address payable to) external returns (uint256 released);

    // ------------------------------------------------------------- slashing

    /// @notice Proves an equivocation and sets `SLASH`, or the whole bond if that is less, aside.
    /// @param assignment of the attempt, signed by its orchestrator
    /// @param a one receipt of the attempt, signed by its transcoder
    /// @param b another one
    /// @param signatures of the assignment, of `a` and of `b`, 65 bytes each
    /// @return claim what `rebut` and `slash` take
    function report(
        Assignment calldata assignment,
        Receipt calldata a,
        Receipt calldata b,
        bytes[3] calldata signatures
    ) external returns (bytes32 claim);

    /// @notice Clears the transcoder with another assignment of the same attempt id, signed by the same orchestrator.
    function rebut(bytes32 claim, Assignment calldata other, bytes calldata signature) external;

    /// @notice Pays the reporter its share of an undisputed claim and burns the rest. For anybody.
    function slash(bytes32 claim) external;

    // ---------------------------------------------------------------- views

    /// @notice A transcoder's bond in wei, what of it is unbonding, and from when that can be taken out (0: nothing is).
    function bondOf(address transcoder) external view returns (uint96 amount, uint96 unbonding, uint40 unbondEnd);

    /// @notice A claim; `disputableUntil` is the last second, unix time, of its dispute window.
    function claimOf(bytes32 claim)
        external
        view
        returns (ClaimState state, address transcoder, address reporter, uint96 amount, uint40 disputableUntil);

    /// @notice The claim that a report about this attempt has or would have.
    function claimIdOf(address orchestrator, address transcoder, bytes32 lease, bytes32 attempt)
        external
        pure
        returns (bytes32);

    /// @notice The EIP-712 digest that the orchestrator signs.
    function assignmentDigest(Assignment calldata assignment) external view returns (bytes32);

    /// @notice The EIP-712 digest that the transcoder signs.
    function receiptDigest(Receipt calldata receipt) external view returns (bytes32);

    /// @notice The escrow whose market's messages count here.
    function ESCROW() external view returns (address);

    /// @notice Wei taken for one proven equivocation.
    function SLASH() external view returns (uint96);

    /// @notice The reporter's part of a slash in ten-thousandths.
    function REPORTER_SHARE() external view returns (uint16);

    /// @notice Seconds between a report and the slash.
    function DISPUTE_WINDOW() external view returns (uint40);

    /// @notice Seconds between the start of unbonding and the first possible release.
    function UNBONDING_PERIOD() external view returns (uint40);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Facts, Phase } from "../libraries/Lifecycle.sol";
import { Payout } from "./IRewardTreasury.sol";

/// @dev How an order ended. None while it is not sealed.
enum Outcome {
    None,
    /// the best eligible model won; winner, its validators and the aggregators are paid
    Won,
    /// the client withheld the test data; the revealed providers share the reward
    Shared,
    /// nobody claimed, revealed or validated, or nothing was eligible; the client has the reward back
    Refunded
}

/// @dev `sequence` orders claims: a replaced claim moves to the end. `modelIndex` is set by the reveal.
struct Claim {
    bytes32 commitment;
    uint64 sequence;
    bool revealed;
    bool slashed;
    uint16 modelIndex;
}

/// @dev A revealed model; its MID is `modelRoot`, `cid` that of its manifest.
struct Model {
    address provider;
    uint64 sequence;
    bytes32 modelRoot;
    bytes32 cid;
}

/// @dev One validator's scores for all models of an order. `vStake` is behind each of them, `locked` is their sum.
struct ScoreSheet {
    bytes32 commitment;
    uint256 vStake;
    uint256 locked;
    bool revealed;
    bool slashed;
}

/// @dev What the live validations of one model say. `score` has a meaning only if `distinct == 1`.
struct Tally {
    uint32 live;
    uint32 distinct;
    int64 score;
    bool eligible;
}

/// @dev How an order was settled. `payoutsHash = keccak256(abi.encode(oid, payouts, tax))`.
struct Settlement {
    Outcome outcome;
    uint16 modelIndex;
    int64 score;
    uint64 sealedAt;
    address winner;
    bytes32 payoutsHash;
}

/// @title The proof-of-training protocol: claim, reveal, validate, verify, finalize (paper, 2.3)
interface IProofOfTraining {
    event Claimed(
        uint256 indexed oid, address indexed provider, bytes32 commitment, uint64 sequence, uint256 locked
    );
    event Revealed(
        uint256 indexed oid, address indexed provider, uint16 modelIndex, bytes32 modelRoot, bytes32 cid
    );
    event ScoresCommitted(
        uint256 indexed oid, address indexed validator, bytes32 commitment, uint256 vStake, uint256 locked
    );
    /// @notice A higher vStake took this validator's place; its lock is free again.
    event ValidatorDisplaced(uint256 indexed oid, address indexed validator, address indexed by);
    event ScoresRevealed(uint256 indexed oid, address indexed validator, int64[] scores);
    event ClaimSlashed(uint256 indexed oid, address indexed provider, uint256 amount, address reporter);
    event ScoresSlashed(uint256 indexed oid, address indexed validator, uint256 amount, address reporter);
    event DisputeOpened(uint256 indexed oid, uint32 openDisputes);
    event DisputeClosed(uint256 indexed oid, uint32 openDisputes, uint64 challengeUntil);
    event ValidationRemoved(
        uint256 indexed oid, address indexed validator, uint16 modelIndex, address challenger, uint256 slashed
    );
    event OrderSealed(uint256 indexed oid, Outcome outcome, Settlement settlement, Payout[] payouts, uint256 tax);

    error WrongPhase(uint256 oid, Phase expected, Phase actual);
    error NotActive(address account, uint256 expected, uint256 actual);
    error TooManyClaims(uint256 oid, uint256 maximum);
    error TooManyValidators(uint256 oid, uint256 lowestVStake, uint256 actual);
    error VStakeTooSmall(uint256 expected, uint256 actual);
    error AlreadyCommitted(uint256 oid, address account);
    error NothingCommitted(uint256 oid, address account);
    error AlreadyRevealed(uint256 oid, address account);
    error CommitmentRequired();
    error WrongOpening(bytes32 expected, bytes32 actual);
    error WrongScoreCount(uint256 expected, uint256 actual);
    error ScoreOutOfRange(uint256 modelIndex, int64 score);
    error NotSlashable(uint256 oid, address account);
    error UnknownModel(uint256 oid, uint256 modelIndex);
    error NoSuchValidation(uint256 oid, address validator, uint256 modelIndex);
    error OnlyCourt(address expected, address actual);
    error NoOpenDispute(uint256 oid);

    /// @notice Commits the caller, an active provider, to a model: keccak256(abi.encode(oid, provider, modelRoot, cid,
    /// salt)). Phase Training. Replaces the caller's earlier claim. The first one locks the order's claim bond.
    function claim(uint256 oid, bytes32 commitment) external;

    /// @notice Opens the caller's claim. Phase Reveal.
    function reveal(uint256 oid, bytes32 modelRoot, bytes32 cid, bytes32 salt) external;

    /// @notice Commits the caller, an active validator, to its scores of all revealed models: keccak256(abi.encode(oid,
    /// validator, scores, salt)). Phase ScoreCommit. Locks vStake for each revealed model. When the order has all the
    /// validators it admits, a higher vStake displaces the lowest (the latest of them on a tie).
    function commitScores(uint256 oid, bytes32 commitment, uint256 vStake) external;

    /// @notice Opens the caller's scores, one for each model in order of reveal; `ScoreFunctions.ABSTAIN` for a model
    /// that could not be scored. Phase ScoreReveal.
    function revealScores(uint256 oid, int64[] calldata scores, bytes32 salt) external;

    /// @notice Slashes the bond of a claim that was not revealed in time. Anyone; the caller gets the reporter's share.
    function slashUnrevealedClaim(uint256 oid, address provider) external;

    /// @notice Slashes the stake behind scores that were not revealed in time. Anyone, like above.
    function slashUnrevealedScores(uint256 oid, address validator) external;

    /// @notice Finalize (paper 2.4): computes winner and split, slashes what was not revealed (reporter's share to the
    /// caller), frees all other locks and hands the escrow to the treasury. Anyone, phase Sealable.
    function seal(uint256 oid) external;

    /// @notice Keeps the order from being sealed while a dispute is open. Court only, phase Challenge.
    function disputeOpened(uint256 oid) external;

    /// @notice Ends one dispute; challenges stay possible until `challengeUntil` at least. Court only.
    function disputeClosed(uint256 oid, uint64 challengeUntil) external;

    /// @notice Removes a validation proven false from eligibility and slashes its vStake, the challenger's share to
    /// `challenger`. The validator's other stake stays untouched. Court only, while a dispute is open.
    function removeValidation(uint256 oid, address validator, uint16 modelIndex, address challenger) external;

    function phaseOf(uint256 oid) external view returns (Phase);

    function factsOf(uint256 oid) external view returns (Facts memory);

    function claimOf(uint256 oid, address provider) external view returns (Claim memory);

    function claimantsOf(uint256 oid) external view returns (address[] memory);

    function modelsOf(uint256 oid) external view returns (Model[] memory);

    function validatorsOf(uint256 oid) external view returns (address[] memory);

    function sheetOf(uint256 oid, address validator) external view returns (ScoreSheet memory);

    function scoresOf(uint256 oid, address validator) external view returns (int64[] memory);

    function isRemoved(uint256 oid, address validator, uint16 modelIndex) external view returns (bool);

    function tallyOf(uint256 oid, uint16 modelIndex) external view returns (Tally memory);

    function settlementOf(uint256 oid) external view returns (Settlement memory);
}

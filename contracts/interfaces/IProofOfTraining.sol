// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Facts, Phase } from "../libraries/Lifecycle.sol";
import { Payout } from "./IRewardTreasury.sol";

/// @dev How an order ended. None while it is not sealed.
enum Outcome {
    None,
    /// the best eligible model won; winner, its validators and the aggregators are paid
    Won,
    /// the client withheld the test data; the revealed providers whose models are not void share the reward
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

/// @dev One validator's scores for all models of an order. `vStake` is behind each of them; `locked` is what is locked
/// now: vStake for each model whose validation was not removed, and nothing once slashed or sealed.
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

/// @dev One validation as it stands: whose it is, what it says, what is behind it. `version` counts who has taken it over.
struct Seat {
    address holder;
    int64 score;
    uint256 stake;
    uint24 version;
    bool live;
}

/// @dev How an order was settled. `payoutsHash = keccak256(abi.encode(oid, payouts, tax))`. `modelIndex`, `score` and
/// `winner` have a meaning only if Won. Payouts by outcome:
/// - Won: the winner, then the winning model's validators. Each validator has reward * validatorSharePpm split by vStake,
///   rounded down; the winner has all the rest but the tax, reward * aggregatorTaxPpm rounded down.
/// - Shared: the revealed providers whose models are not void, in order of reveal, equal parts of reward less tax; the first has the dust.
/// - Refunded: the client alone, no tax.
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
    event Claimed(uint256 indexed oid, address indexed provider, bytes32 commitment, uint64 sequence, uint256 locked);
    event Revealed(uint256 indexed oid, address indexed provider, uint16 modelIndex, bytes32 modelRoot, bytes32 cid);
    event ScoresCommitted(
        uint256 indexed oid, address indexed validator, bytes32 commitment, uint256 vStake, uint256 locked
    );
    /// @notice `by` with a higher vStake took this validator's place; its lock is free again.
    event ValidatorDisplaced(uint256 indexed oid, address indexed validator, address indexed by);
    event ScoresRevealed(uint256 indexed oid, address indexed validator, int64[] scores);
    event ClaimSlashed(uint256 indexed oid, address indexed provider, uint256 amount, address reporter);
    event ScoresSlashed(uint256 indexed oid, address indexed validator, uint256 amount, address reporter);
    event DisputeOpened(uint256 indexed oid, uint32 openDisputes);
    event DisputeClosed(uint256 indexed oid, uint32 openDisputes, uint64 challengeUntil);
    /// @notice The validation no longer counts; `slashed` is what its validator lost for it. Proven false, or of a void
    /// model; a validation that is revealed when its model is void already costs nothing, and has no challenger.
    event ValidationRemoved(
        uint256 indexed oid, address indexed validator, uint16 modelIndex, address challenger, uint256 slashed
    );
    /// @notice Nobody could post a leaf of the model when `reporter` asked for it; `slashed` of the provider's bond is
    /// gone.
    event ModelVoided(
        uint256 indexed oid, uint16 indexed modelIndex, address indexed provider, address reporter, uint256 slashed
    );
    /// @notice Nobody could post a leaf of the test set when `reporter` asked for it.
    event TestVoided(uint256 indexed oid, address reporter);
    /// @notice `holder` has proven the validation false and put its own score in its place.
    event SeatTaken(
        uint256 indexed oid, address indexed validator, uint16 modelIndex, address indexed holder, int64 score
    );
    event SeatReleased(uint256 indexed oid, address indexed validator, uint16 modelIndex, address indexed holder);
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
    error OnlyAvailability(address expected, address actual);
    error NotACourt(address actual);
    /// @notice Disputes and requests begin in ScoreCommit, ScoreReveal and Challenge.
    error NotContestable(uint256 oid, Phase actual);
    error ModelAlreadyVoid(uint256 oid, uint256 modelIndex);
    error TestAlreadyVoid(uint256 oid);
    error NoOpenDispute(uint256 oid);

    /// @notice Commits the caller, an active provider, to a model: keccak256(abi.encode(oid, provider, modelRoot, cid,
    /// salt)). Phase Training. The first claim locks the order's claim bond; another one by the same caller replaces it,
    /// moves to the end of the sequence and locks nothing more.
    /// @dev Reverts with WrongPhase, CommitmentRequired, TooManyClaims, NotActive, the vault's InsufficientFreeBond.
    /// Emits Claimed.
    function claim(uint256 oid, bytes32 commitment) external;

    /// @notice Opens the caller's claim. Phase Reveal. The claim bond stays locked until the order is sealed.
    /// @dev Reverts with WrongPhase, NothingCommitted, AlreadyRevealed, WrongOpening. Emits Revealed.
    function reveal(uint256 oid, bytes32 modelRoot, bytes32 cid, bytes32 salt) external;

    /// @notice Commits the caller, an active validator, to its scores of all revealed models: keccak256(abi.encode(oid,
    /// validator, scores, salt)). Phase ScoreCommit, once. Locks vStake for each revealed model. When the order has all
    /// the validators it admits, a higher vStake displaces the lowest (the latest of them on a tie), whose commitment is
    /// forgotten and who may commit again.
    /// @dev Reverts with WrongPhase, CommitmentRequired, AlreadyCommitted, VStakeTooSmall, NotActive,
    /// TooManyValidators, the vault's InsufficientFreeBond. Emits ValidatorDisplaced, ScoresCommitted.
    function commitScores(uint256 oid, bytes32 commitment, uint256 vStake) external;

    /// @notice Opens the caller's scores, one for each model in order of reveal; `ScoreFunctions.ABSTAIN` for a model
    /// that could not be scored. Phase ScoreReveal. A committed score outside its range cannot be revealed.
    /// @dev Reverts with WrongPhase, NothingCommitted, AlreadyRevealed, WrongScoreCount, WrongOpening,
    /// ScoreOutOfRange. Emits ScoresRevealed.
    function revealScores(uint256 oid, int64[] calldata scores, bytes32 salt) external;

    /// @notice Slashes the bond of a claim that was not revealed in time. Anyone, from the end of the reveal window until
    /// the order is sealed; the caller gets the reporter's share, the rest is burned.
    /// @dev Reverts with NotSlashable. Emits ClaimSlashed.
    function slashUnrevealedClaim(uint256 oid, address provider) external;

    /// @notice Slashes all the stake behind scores that were not revealed in time. Anyone, from the end of the validation
    /// window until the order is sealed, unless the test set is void; shares like above.
    /// @dev Reverts with NotSlashable. Emits ScoresSlashed.
    function slashUnrevealedScores(uint256 oid, address validator) external;

    /// @notice Slashes the vStake of a validation of a void model that was revealed before the model was found void: the
    /// validator claimed to have evaluated what it could not show. Anyone, once, until the order is sealed or its test set
    /// is void; the dispute's share goes to who asked for the model's data, the rest is burned.
    /// @dev Reverts with NotSlashable. Emits ValidationRemoved.
    function slashVoidValidation(uint256 oid, address validator, uint16 modelIndex) external;

    /// @notice Finalize (paper 2.4): computes winner and split, slashes what was not revealed (reporter's share to the
    /// caller), frees all other locks and hands the escrow to the treasury. Anyone, once, phase Sealable. When the test
    /// set is void no scores are slashed for not being revealed.
    /// @dev Reverts with WrongPhase. Emits ClaimSlashed, ScoresSlashed, OrderSealed.
    function seal(uint256 oid) external;

    /// @notice Keeps the order from being sealed while a dispute or a request is open. The two courts only, phases
    /// ScoreCommit to Challenge.
    /// @dev Reverts with NotACourt, NotContestable. Emits DisputeOpened.
    function disputeOpened(uint256 oid) external;

    /// @notice Ends one dispute or request; challenges stay possible until `challengeUntil` at least, and never less long than an
    /// earlier call has promised. The two courts only.
    /// @dev Reverts with NotACourt, NoOpenDispute. Emits DisputeClosed with the time in force.
    function disputeClosed(uint256 oid, uint64 challengeUntil) external;

    /// @notice Takes a validation proven false out of the tally and slashes the stake behind it, the challenger's share to
    /// `challenger`, the rest burned; the validator's other stake stays untouched. The challenger's own `score` takes its
    /// place, backed by the `challengeStake` that the challenger has locked: it counts like any other, is paid like any other by that stake, and can be
    /// challenged like any other. So one honest verifier is enough even where every validator lies about every model. A
    /// score outside its range, such as an abstention, takes no place. A place that was emptied before, by a challenger
    /// without a score, can be taken too, as long as the model has fewer validations than the order needs; nobody is
    /// slashed then. Court only, while a dispute is open.
    /// @dev Reverts with OnlyCourt, NoOpenDispute, UnknownModel, NoSuchValidation (not revealed, an abstention, of what is
    /// void, or removed before and not needed). Emits ValidationRemoved, SeatTaken.
    /// @return seated whether the score took the place, and the challenger's stake stays locked therefore
    function replaceValidation(uint256 oid, address validator, uint16 modelIndex, address challenger, int64 score)
        external
        returns (bool seated);

    /// @notice Frees the stake behind a place that a challenger took and nobody has proven false. Anyone, once, when the
    /// order is sealed.
    /// @dev Reverts with WrongPhase, NoSuchValidation. Emits SeatReleased.
    function releaseSeat(uint256 oid, address validator, uint16 modelIndex) external;

    /// @notice Nobody could post a leaf of the model: it can neither win nor share any more, and its provider's claim bond
    /// is slashed, the dispute's share to `reporter`, the rest burned. AvailabilityCourt only, while a request is open.
    /// @dev Reverts with OnlyAvailability, NoOpenDispute, UnknownModel, ModelAlreadyVoid. Emits ModelVoided.
    function voidModel(uint256 oid, uint16 modelIndex, address reporter) external;

    /// @notice Nobody could post a leaf of the test set: the providers whose models are not void share the reward, and
    /// validators get all stake back that was not slashed before. AvailabilityCourt only, while a request is open.
    /// @dev Reverts with OnlyAvailability, NoOpenDispute, TestAlreadyVoid. Emits TestVoided.
    function voidTest(uint256 oid, address reporter) external;

    /// @return the phase at the present block's timestamp; None for an unknown order
    function phaseOf(uint256 oid) external view returns (Phase);

    /// @return everything besides the clock that decides the phase
    function factsOf(uint256 oid) external view returns (Facts memory);

    /// @return all zero when `provider` has not claimed
    function claimOf(uint256 oid, address provider) external view returns (Claim memory);

    /// @return in order of their first claims
    function claimantsOf(uint256 oid) external view returns (address[] memory);

    /// @return in order of reveal, the order of `modelIndex`
    function modelsOf(uint256 oid) external view returns (Model[] memory);

    /// @dev Reverts with UnknownModel.
    function modelAt(uint256 oid, uint16 modelIndex) external view returns (Model memory);

    /// @return in order of commitment, but a validator who displaced another sits in its place
    function validatorsOf(uint256 oid) external view returns (address[] memory);

    /// @return all zero when `validator` has not committed or was displaced
    function sheetOf(uint256 oid, address validator) external view returns (ScoreSheet memory);

    /// @return the revealed scores by `modelIndex`; empty when none are
    function scoresOf(uint256 oid, address validator) external view returns (int64[] memory);

    /// @notice The validation of `modelIndex` that `validator` revealed, or whoever took its place. All zero if there is
    /// none.
    function seatOf(uint256 oid, address validator, uint16 modelIndex) external view returns (Seat memory);

    /// @return one revealed score, which may be an abstention, or removed
    /// @dev Reverts with NoSuchValidation when the validator has revealed none for the model.
    function scoreOf(uint256 oid, address validator, uint16 modelIndex) external view returns (int64);

    /// @return whether the validation was removed: by the court, or because the model is void
    function isRemoved(uint256 oid, address validator, uint16 modelIndex) external view returns (bool);

    /// @return whether the validation counts: revealed, not removed, no abstention, and neither the model nor the test set
    /// is void
    function isLive(uint256 oid, address validator, uint16 modelIndex) external view returns (bool);

    /// @return whether nobody could post the model's data
    function isVoid(uint256 oid, uint16 modelIndex) external view returns (bool);

    /// @return whether nobody could post the test set's data
    function isTestVoid(uint256 oid) external view returns (bool);

    /// @dev Reverts with UnknownModel.
    function tallyOf(uint256 oid, uint16 modelIndex) external view returns (Tally memory);

    /// @return all zero while the order is not sealed
    function settlementOf(uint256 oid) external view returns (Settlement memory);

    function orderBook() external view returns (address);

    function vault() external view returns (address);

    function treasury() external view returns (address);

    /// @return the court that decides disputes
    function court() external view returns (address);

    /// @return the court that decides whether data can be had
    function availability() external view returns (address);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev Whether updates are posted as they are, or masked (docs/secure-aggregation.md).
enum Mode {
    None,
    Plain,
    Secure
}

/// @dev The rules that a contract can decide; numbers are those of `offchain/federated/aggregation/rule.py`.
enum AggregationRule {
    None,
    Mean,
    Median,
    TrimmedMean,
    ClippedMean,
    Krum,
    MultiKrum
}

enum OptimizerKind {
    None,
    FedAvg,
    FedAvgM,
    FedAdam
}

/// @dev Derived from stored ends, facts and the time; docs/federated.md has the table.
enum TaskPhase {
    None,
    Joining,
    Keys,
    Shares,
    Commit,
    Reveal,
    Request,
    Answer,
    Unmask,
    Aggregate,
    Challenge,
    Settle,
    Over
}

/// @dev Parameters as `offchain/federated/aggregation/rule.py` defines them.
struct RuleTerms {
    AggregationRule rule;
    uint32 parameter;
    uint32 selected;
}

/// @dev Q16 numbers as `offchain/federated/server_optimizer.py` defines them.
struct OptimizerTerms {
    OptimizerKind kind;
    uint32 learningRate;
    uint32 beta1;
    uint32 beta2;
    uint32 tau;
}

/// @dev RDP orders with cost of one release and limit at each, in nano-nats; up to 8, or none
/// (`offchain/federated/privacy/budget.py`).
struct PrivacyTerms {
    uint32[] orders;
    uint64[] costs;
    uint64[] limits;
}

/// @dev Durations in seconds.
struct FederatedWindows {
    uint32 join;
    uint32 keys;
    uint32 shares;
    uint32 commit;
    uint32 reveal;
    uint32 request;
    uint32 answer;
    uint32 unmask;
    uint32 aggregate;
    uint32 challenge;
    uint32 move;
}

/// @dev What a client asks for; fixed for good at `create`.
struct FederatedTerms {
    /// keccak256 and SHA-256 digest of the manifest: model spec, data format, local settings (offchain/federated/manifest.py)
    bytes32 specHash;
    bytes32 specCid;
    /// the result of "round 0"
    bytes32 modelRoot;
    bytes32 modelCid;
    /// [1, 2^24]
    uint32 dimension;
    /// [1, 10,000]
    uint32 rounds;
    /// [2, maximumParticipants] and [.., 128]
    uint16 minimumParticipants;
    uint16 maximumParticipants;
    Mode mode;
    /// secure mode: intended members of a group; else 0
    uint16 groupSize;
    /// [1, 24]
    uint8 scaleBits;
    /// largest sample count that an update may claim as its weight [1, 2^20]
    uint32 maximumSamples;
    RuleTerms rule;
    OptimizerTerms optimizer;
    PrivacyTerms privacy;
    FederatedWindows windows;
    /// for one round, in wei [1, 2^90]
    uint256 reward;
    /// least stake of a participant, in wei [1, 2^90]
    uint256 bond;
    /// lost by a leader that does not post in time [1, bond]
    uint256 leaderPenalty;
    /// locked by who says it cannot get an update [1, 2^90]; 4 x requestBond x minimumParticipants >= reward
    uint256 requestBond;
    /// part of the round's reward [0, 500,000]
    uint32 leaderSharePpm;
    /// Merkle root of the accounts that may join; 0: anyone
    bytes32 allowRoot;
}

struct TaskState {
    address client;
    /// 0 while joining; rounds count up from 1
    uint32 round;
    uint32 failedInARow;
    /// participants ever (the next index), and those neither excluded nor gone
    uint16 participants;
    uint16 active;
    bool over;
    uint64 joinEnds;
    bytes32 seed;
    /// the model in force: root of the last final result
    bytes32 modelRoot;
    /// what the client can take back now, in wei
    uint256 refundable;
}

/// @dev The round that is on. Ends are points in time, 0 while unknown.
struct RoundState {
    uint64 keysEnd;
    uint64 sharesEnd;
    uint64 commitEnds;
    uint64 revealEnds;
    uint64 requestEnds;
    uint64 answerEnds;
    uint64 unmaskEnds;
    uint64 postEnds;
    uint64 challengeEnds;
    uint16 committed;
    uint16 openRequests;
    uint16 openDisputes;
    uint16 attempt;
    /// bitmaps over participants' indices
    uint128 revealed;
    uint128 included;
    uint128 barred;
    /// counts postings of the task, so that a dispute knows its own
    uint32 posting;
    /// of the posting in force; leader is the participant's index
    uint16 leader;
    bytes32 resultRoot;
    bytes32 measuresRoot;
    uint128 selection;
}

struct Participant {
    address account;
    uint96 stake;
    /// commitment, then the root of the update (or of the masked vector)
    bytes32 word;
    /// secure mode: root over the commitments to its seeds
    bytes32 seedsRoot;
    uint32 samples;
    /// last round in which it committed
    uint32 round;
    uint32 releases;
    bool excluded;
    bool gone;
}

/// @dev What remains of a round for ever.
struct RoundRecord {
    bool failed;
    uint16 leader;
    uint128 included;
    uint128 claimed;
    bytes32 resultRoot;
    bytes32 measuresRoot;
}

/// @dev What the court has to know of a posting.
struct Posting {
    uint32 posting;
    address leader;
    uint64 challengeEnds;
    uint16 columns;
    uint32 dimension;
    Mode mode;
    RuleTerms rule;
    OptimizerTerms optimizer;
    uint32 moveSeconds;
    bytes32 previousRoot;
    bytes32 resultRoot;
    bytes32 measuresRoot;
    uint128 selection;
}

/// @title Federated tasks and their rounds (docs/federated.md)
interface IFederatedTraining {
    // Helper K1 completes: events for every change, errors with expected and actual, NatSpec for each function.

    function create(FederatedTerms calldata terms) external returns (uint256 task);
    function join(uint256 task, uint96 stake, bytes32[] calldata proof) external returns (uint16 index);
    function leave(uint256 task) external;
    function start(uint256 task) external;
    function cancel(uint256 task) external;
    /// @notice Pays the client what is refundable.
    function withdraw(uint256 task) external;

    function postKeys(uint256 task, bytes32 encryptionKey, bytes32 maskKey, bytes32 seedCommitment) external;
    function postShares(uint256 task, bytes32 seedsRoot, bytes32 hash, bytes32 cid) external;
    function commit(uint256 task, bytes32 commitment) external;
    function postMasked(uint256 task, bytes32 maskedRoot, bytes32 cid) external;
    function reveal(uint256 task, bytes32 updateRoot, bytes32 cid, uint32 samples, bytes32 salt) external;
    function request(uint256 task, uint16 index, uint32 chunk) external;
    function answer(uint256 task, uint16 index, bytes calldata content, bytes32[] calldata proof) external;
    function expire(uint256 task, uint16 index) external;
    function postUnmask(uint256 task, bytes32 hash, bytes32 cid) external;
    function post(
        uint256 task,
        bytes32 resultRoot,
        bytes32 resultCid,
        bytes32 measuresRoot,
        bytes32 measuresCid,
        uint128 selection
    ) external;
    function replaceLeader(uint256 task) external;
    function finalize(uint256 task) external;
    function fail(uint256 task) external;
    /// @notice Pays participant `index` its part of a final round's reward; anyone may call.
    function claimReward(uint256 task, uint32 round, uint16 index, bytes calldata row, bytes32[] calldata proof)
        external;

    /// @notice Court only.
    function disputeOpened(uint256 task) external;
    function disputeClosed(uint256 task, uint32 posting) external;
    function leaderProvenWrong(uint256 task, uint32 posting, address challenger) external;

    function taskCount() external view returns (uint256);
    function termsOf(uint256 task) external view returns (FederatedTerms memory);
    function taskOf(uint256 task) external view returns (TaskState memory);
    function roundOf(uint256 task) external view returns (RoundState memory);
    function recordOf(uint256 task, uint32 round) external view returns (RoundRecord memory);
    function participantAt(uint256 task, uint16 index) external view returns (Participant memory);
    /// @return index plus one, 0 for who never joined
    function placeOf(uint256 task, address account) external view returns (uint16);
    function phaseOf(uint256 task) external view returns (TaskPhase);
    /// @return the participant whose turn it is to post, in phase Aggregate
    function leaderOf(uint256 task) external view returns (uint16 index);
    /// @return what is posted; reverts when nothing is
    function postingOf(uint256 task) external view returns (Posting memory);
    /// @return root of the update in this column of the posting in force, plain mode
    function columnRoot(uint256 task, uint16 column) external view returns (bytes32);
    /// @return weights of all columns, plain mode
    function columnWeights(uint256 task) external view returns (uint32[] memory);
    function releasesOf(uint256 task, address account) external view returns (uint32);
}

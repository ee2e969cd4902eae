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
    Over,
    /// proofs of accuracy are awaited; comes after Answer
    Prove
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

/// @dev Durations in seconds: join [1, 365 days], others [1, 30 days], and 0 where the mode has no such phase.
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
    /// from the draw of the chunks; 0 without proofs of accuracy
    uint32 prove;
}

/// @dev Proofs of accuracy that all owe in every round (docs/federated.md, Proofs of accuracy); all 0: none.
struct AccuracyTerms {
    /// key of a registered verifier (IVerifierRegistry)
    bytes32 verifier;
    /// root over the hashes of the test chunks, and how many there are [1, 65,536]
    bytes32 chunkRoot;
    uint32 chunks;
    /// chunks that each proves in a round, the same for all [1, min(chunks, 64)]
    uint16 draws;
    /// right samples over all draws, below which an update is left out [baseline + 1, all]
    uint32 minimumCorrect;
    /// what exceeds it is paid
    uint32 baseline;
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
    /// secure mode: intended members of a group [3, 128]; else 0
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
    uint96 reward;
    /// least stake of a participant, in wei [1, 2^90]; also the unit of weights in the draw of leaders
    uint96 bond;
    /// lost by a leader that does not post in time [1, bond]
    uint96 leaderPenalty;
    /// locked by who says it cannot get an update [1, 2^90]; 4 x requestBond >= reward / minimumParticipants and >= the leader's part
    uint96 requestBond;
    /// part of the round's reward [0, 500,000]
    uint32 leaderSharePpm;
    /// Merkle root of the accounts that may join; 0: anyone
    bytes32 allowRoot;
    AccuracyTerms accuracy;
}

struct TaskState {
    address client;
    /// 0 while joining; rounds count up from 1
    uint32 round;
    uint32 failedInARow;
    /// places ever taken (the next index that is new), and those whose participants are neither excluded nor gone
    uint16 participants;
    uint16 active;
    bool over;
    uint64 joinEnds;
    /// who is active, a bit for each index; and who may not lead in this task
    uint128 present;
    uint128 barred;
    /// of the round that is on, and what has been mixed for the next
    bytes32 seed;
    bytes32 nextSeed;
    /// the model in force: root of the last final result
    bytes32 modelRoot;
    /// what the client can take back now, in wei
    uint256 refundable;
}

/// @dev The round that is on. Ends are points in time, 0 while unknown.
struct RoundState {
    uint64 began;
    uint64 keysEnd;
    uint64 sharesEnd;
    uint64 commitEnds;
    uint64 revealEnds;
    uint64 requestEnds;
    /// while requests are open, when they expire; then when the last was closed, or `requestEnds`
    uint64 answerEnds;
    uint64 unmaskEnds;
    uint64 postEnds;
    uint64 challengeEnds;
    uint16 committed;
    uint16 openRequests;
    uint16 openDisputes;
    uint16 attempt;
    /// bitmaps over participants' indices: revealed (or posted masked vectors), and those of them that were not dropped
    uint128 revealed;
    uint128 included;
    /// secure mode: who was active when the round began, and who has posted keys, shares and what unmasks
    uint128 roster;
    uint128 keyed;
    uint128 shared;
    uint128 answered;
    /// number of the latest posting of the task, so that a dispute knows its own, and whether it is in force
    uint32 posting;
    bool posted;
    /// of the posting in force; leader is the participant's index
    uint16 leader;
    bytes32 resultRoot;
    bytes32 measuresRoot;
    uint128 selection;
    /// proofs of accuracy: who has committed to a model, and when their proofs were counted (0: not yet)
    uint128 modelled;
    uint64 countedAt;
}

struct Participant {
    address account;
    uint96 stake;
    /// commitment, then the root of the update (or of the masked vector)
    bytes32 word;
    /// secure mode: root over the commitments to its seeds
    bytes32 seedsRoot;
    uint32 samples;
    /// last round in which it committed (secure mode: posted keys); it cannot leave in that round
    uint32 round;
    /// counted at the commit (secure mode: with the masked vector)
    uint32 releases;
    bool excluded;
    bool gone;
}

/// @dev What remains of a round for ever; all zero until it is final or failed.
struct RoundRecord {
    bool isFinal;
    bool failed;
    uint16 leader;
    uint128 included;
    uint128 claimed;
    bytes32 resultRoot;
    bytes32 measuresRoot;
    /// secure mode: what `SecureGroups` needs
    bytes32 seed;
    uint128 roster;
    uint128 answered;
}

/// @dev How a final round of a task with proofs of accuracy is paid; all zero for others.
struct AccuracyRecord {
    /// the round of AccuracyProofs that has the counts
    bytes32 proofRound;
    /// whose updates are in the result
    uint128 rewarded;
    /// right samples above the baseline, of all of them together
    uint32 merits;
    /// of the pool, what division leaves: the leader's
    uint96 dust;
}

/// @dev A question for a chunk of an update. One round's end removes them all.
struct UpdateRequest {
    address asker;
    uint32 chunk;
    uint32 round;
    bool open;
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

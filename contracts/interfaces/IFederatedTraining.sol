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
    uint256 reward;
    /// least stake of a participant, in wei [1, 2^90]; also the unit of weights in the draw of leaders
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
    bool final_;
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

/// @title Federated tasks and their rounds (docs/federated.md)
/// @notice Holds the rewards that clients escrow; stakes stay in the vault, locked by this contract: participants' in
/// their role, requesters' as verifiers. No call depends on one particular account: where a participant does not do what it should,
/// anyone can go on without it. All that is stored can be rebuilt from the events.
/// @dev Functions that take a task revert with UnknownTask when there is none, and with WrongPhase out of their phase.
interface IFederatedTraining {
    event TaskCreated(uint256 indexed task, address indexed client, uint64 joinEnds, FederatedTerms terms);
    /// @notice `account` holds place `index`, with all of `stake` locked; also when it comes back to its old place.
    event Joined(uint256 indexed task, address indexed account, uint16 index, uint96 stake);
    event Left(uint256 indexed task, address indexed account, uint16 index, uint96 unlocked);
    /// @notice `roster` are the indices of all active participants, a bit each.
    event RoundBegun(uint256 indexed task, uint32 indexed round, bytes32 seed, uint128 roster, uint64 commitEnds);
    event KeysPosted(uint256 indexed task, uint32 indexed round, uint16 indexed index, bytes32 hash, bytes32 cid);
    event SharesPosted(
        uint256 indexed task, uint32 indexed round, uint16 indexed index, bytes32 seedsRoot, bytes32 hash, bytes32 cid
    );
    event Committed(
        uint256 indexed task, uint32 indexed round, uint16 indexed index, bytes32 commitment, uint32 releases
    );
    event MaskedPosted(
        uint256 indexed task, uint32 indexed round, uint16 indexed index, bytes32 root, bytes32 cid, uint32 releases
    );
    /// @notice Everybody had done what the phase was for, so it ended at once.
    event CommitsClosed(uint256 indexed task, uint32 indexed round, uint64 at);
    event Revealed(
        uint256 indexed task,
        uint32 indexed round,
        uint16 indexed index,
        bytes32 updateRoot,
        bytes32 cid,
        uint32 samples,
        bytes32 salt
    );
    event RevealsClosed(uint256 indexed task, uint32 indexed round, uint64 at);
    event Requested(
        uint256 indexed task, uint32 indexed round, uint16 indexed index, uint32 chunk, address asker, uint256 bond
    );
    /// @notice The asker's bond went to the update's author, whoever answered.
    event Answered(
        uint256 indexed task, uint32 indexed round, uint16 indexed index, uint32 chunk, address asker, bytes content
    );
    /// @notice The asker has its bond back, for nobody answered.
    event RequestExpired(uint256 indexed task, uint32 indexed round, uint16 indexed index, uint32 chunk, address asker);
    /// @notice The update is out of the round.
    event Dropped(uint256 indexed task, uint32 indexed round, uint16 indexed index);
    /// @notice The participant lost `stake`, all that it had in the task, and is no longer active.
    event Excluded(uint256 indexed task, uint32 indexed round, uint16 indexed index, uint96 stake);
    event UnmaskPosted(uint256 indexed task, uint32 indexed round, uint16 indexed index, bytes32 hash, bytes32 cid);
    event ResultPosted(
        uint256 indexed task,
        uint32 indexed round,
        uint16 indexed leader,
        uint32 posting,
        bytes32 resultRoot,
        bytes32 resultCid,
        bytes32 measuresRoot,
        bytes32 measuresCid,
        uint128 selection,
        uint64 challengeEnds
    );
    /// @notice The leader at `attempt` did not post, lost `penalty` and leads no more in this task.
    event LeaderReplaced(
        uint256 indexed task,
        uint32 indexed round,
        uint16 indexed index,
        uint16 attempt,
        uint256 penalty,
        uint64 postEnds
    );
    /// @notice The posting is void; the next leader has until `postEnds`. Excluded follows.
    event LeaderWrong(
        uint256 indexed task,
        uint32 indexed round,
        uint16 indexed index,
        uint32 posting,
        address challenger,
        uint64 postEnds
    );
    event DisputeOpened(uint256 indexed task, uint32 indexed posting, uint16 open);
    event DisputeClosed(uint256 indexed task, uint32 indexed posting, uint16 open);
    event RoundFinal(uint256 indexed task, uint32 indexed round, uint16 leader, uint128 included, bytes32 resultRoot);
    event RoundFailed(uint256 indexed task, uint32 indexed round, uint8 failedInARow);
    /// @notice After `rounds` rounds, final or failed; 0 when it was cancelled.
    event TaskOver(uint256 indexed task, uint32 rounds);
    /// @notice The client can take back `amount` more, `refundable` in all.
    event Refunded(uint256 indexed task, uint256 amount, uint256 refundable);
    event Withdrawn(uint256 indexed task, address indexed client, uint256 amount);
    event RewardPaid(uint256 indexed task, uint32 indexed round, uint16 indexed index, address account, uint256 amount);

    error TermOutOfBounds(string name, uint256 actual, uint256 minimum, uint256 maximum);
    error UnknownTask(uint256 task);
    error WrongPhase(uint256 task, TaskPhase expected, TaskPhase actual);
    error WrongMode(uint256 task, Mode expected, Mode actual);
    error NotAllowed(uint256 task, address account);
    error StakeTooSmall(uint256 expected, uint256 actual);
    error NoPlaceLeft(uint256 task);
    error AlreadyJoined(uint256 task, address account);
    error NotAParticipant(uint256 task, address account);
    /// @notice Who takes part in a round stays until it ends.
    error BoundUntilRoundEnds(uint256 task, uint32 round);
    error TooFewParticipants(uint256 expected, uint256 actual);
    error EnoughParticipants(uint256 expected, uint256 actual);
    error TooEarly(uint64 expected, uint64 actual);
    error TooLate(uint64 expected, uint64 actual);
    error ZeroWord();
    error AlreadyDone(uint256 task, uint16 index);
    /// @notice What has to come first in this round has not been done by this participant.
    error NotDoneBefore(uint256 task, uint16 index);
    error WrongOpening(bytes32 expected, bytes32 actual);
    error SamplesOutOfBounds(uint256 maximum, uint256 actual);
    error PrivacyBudgetSpent(uint256 task, uint16 index, uint32 releases);
    error NotIncluded(uint256 task, uint32 round, uint16 index);
    error ChunkOutOfRange(uint256 count, uint256 actual);
    error EnoughRequests(uint256 task, uint16 index);
    error NotRequested(uint256 task, uint16 index, uint32 chunk);
    error WrongLength(uint256 expected, uint256 actual);
    error NotTheLeader(address expected, address actual);
    error WrongSelection(uint256 expected, uint256 actual);
    error NobodyCanLead(uint256 task);
    /// @notice The round can still become final.
    error NotFailed(uint256 task);
    /// @notice The included updates or groups are too few for the task or its rule.
    error TooFewColumns(uint256 task, uint256 actual);
    error NothingRefundable(uint256 task);
    error OnlyCourt(address expected, address actual);
    error WrongPosting(uint32 expected, uint32 actual);
    error NotFinal(uint256 task, uint32 round);
    error AlreadyClaimed(uint256 task, uint32 round, uint16 index);

    // Tasks

    /// @notice Puts a task and escrows `reward` for each of its `rounds`. Anyone; needs an allowance.
    /// @dev Reverts with TermOutOfBounds, the token's errors. Emits TaskCreated.
    /// @return task ids count up from 1
    function create(FederatedTerms memory terms) external returns (uint256 task);

    /// @notice Takes a place in the task, with `stake` of the caller's free bond as Participant locked. Anyone with a
    /// proof against `allowRoot`, while places are free and the task is not over. Who left comes back to its old place.
    /// @dev Reverts with WrongPhase (over), AlreadyJoined, StakeTooSmall, NotAllowed, NoPlaceLeft, the vault's errors.
    /// Emits Joined.
    /// @return index the caller's place: the number that stands for it in the task
    function join(uint256 task, uint96 stake, bytes32[] calldata proof) external returns (uint16 index);

    /// @notice Gives the place up and frees the stake. Participants, while they take no part in the round that is on.
    /// @dev Reverts with NotAParticipant, BoundUntilRoundEnds. Emits Left.
    function leave(uint256 task) external;

    /// @notice Begins the first round. Anyone, once the time for joining is over and enough came, or all places are taken.
    /// @dev Reverts with TooFewParticipants, TooEarly. Emits RoundBegun.
    function start(uint256 task) external;

    /// @notice Ends a task that too few have joined in time. Anyone.
    /// @dev Reverts with TooEarly, EnoughParticipants. Emits TaskOver, Refunded.
    function cancel(uint256 task) external;

    /// @notice Pays the client what is refundable. Anyone.
    /// @dev Reverts with NothingRefundable. Emits Withdrawn.
    function withdraw(uint256 task) external;

    // Rounds

    /// @notice Secure mode: says which keys the caller has for this round (hash and CID of its KEYS file). Members of the
    /// round's roster, in phase Keys, once.
    /// @dev Reverts with WrongMode, NotAParticipant, NotDoneBefore (not of the roster), AlreadyDone, ZeroWord,
    /// PrivacyBudgetSpent. Emits KeysPosted.
    function postKeys(uint256 task, bytes32 hash, bytes32 cid) external;

    /// @notice Secure mode: the caller's shares (hash and CID of its SHARES file, root over the commitments to its
    /// seeds). Who has posted keys, in phase Shares, once.
    /// @dev Reverts with WrongMode, NotAParticipant, NotDoneBefore, AlreadyDone, ZeroWord. Emits SharesPosted.
    function postShares(uint256 task, bytes32 seedsRoot, bytes32 hash, bytes32 cid) external;

    /// @notice Plain mode: commits to an update, which counts as a release. Participants, in phase Commit, once a round.
    /// @dev Reverts with WrongMode, NotAParticipant, AlreadyDone, ZeroWord, PrivacyBudgetSpent. Emits Committed, and
    /// CommitsClosed with the last of all active.
    function commit(uint256 task, bytes32 commitment) external;

    /// @notice Secure mode: the root and the CID of the caller's masked vector, which counts as a release. Who has posted
    /// shares, in phase Commit, once.
    /// @dev Reverts with WrongMode, NotAParticipant, NotDoneBefore, AlreadyDone, ZeroWord, PrivacyBudgetSpent. Emits
    /// MaskedPosted, and CommitsClosed with the last of all who posted shares.
    function postMasked(uint256 task, bytes32 maskedRoot, bytes32 cid) external;

    /// @notice Plain mode: opens a commitment, `keccak256(abi.encode(chain id, this contract, task, round, sender,
    /// updateRoot, cid, samples, salt))`. Who committed, in phase Reveal, once. The salt goes into the next seed.
    /// @dev Reverts with NotAParticipant, NotDoneBefore, AlreadyDone, ZeroWord, SamplesOutOfBounds, WrongOpening. Emits
    /// Revealed, and RevealsClosed with the last of all who committed.
    function reveal(uint256 task, bytes32 updateRoot, bytes32 cid, uint32 samples, bytes32 salt) external;

    /// @notice Asks for a chunk of the update (masked vector) of participant `index`; `requestBond` of the caller's free
    /// bond as Verifier is locked. Anyone, in phase Request, four times for each update in a round.
    /// @dev Reverts with NotIncluded, ChunkOutOfRange, EnoughRequests, the vault's errors. Emits Requested.
    function request(uint256 task, uint16 index, uint32 chunk) external;

    /// @notice Shows the chunk asked for. Anyone, before the time for answers is over; the asker's bond goes to the
    /// update's author, so nobody gains from repeating an answer that it saw. The fourth answer drops the update from the round.
    /// @dev Reverts with TooLate, NotRequested, WrongLength, WrongOpening, WrongProofLength. Emits Answered, Dropped.
    function answer(uint256 task, uint16 index, uint32 chunk, bytes calldata content, bytes32[] calldata proof) external;

    /// @notice Closes the requests about `index` that nobody has answered in time: the update is dropped, its author
    /// excluded and its stake slashed, `disputeSharePpm` of it to the first asker; all askers' bonds are free. Anyone.
    /// @dev Reverts with TooEarly, NotRequested. Emits RequestExpired, Dropped, Excluded.
    function expire(uint256 task, uint16 index) external;

    /// @notice Secure mode: what unmasks the caller's group (hash and CID of its UNMASK file). Who has posted a masked
    /// vector that was not dropped, in phase Unmask, once.
    /// @dev Reverts with NotAParticipant, NotIncluded, AlreadyDone, ZeroWord. Emits UnmaskPosted.
    function postUnmask(uint256 task, bytes32 hash, bytes32 cid) external;

    /// @notice Posts the round's result and measures. The leader, in phase Aggregate, until it is replaced.
    /// @dev Reverts with TooFewColumns, NobodyCanLead, NotTheLeader, ZeroWord, WrongSelection. Emits ResultPosted.
    function post(
        uint256 task,
        bytes32 resultRoot,
        bytes32 resultCid,
        bytes32 measuresRoot,
        bytes32 measuresCid,
        uint128 selection
    ) external;

    /// @notice Replaces a leader that has not posted in time: it pays `leaderPenalty` of its stake, `reporterSharePpm` of
    /// that to the caller, and leads no more in this task. Anyone, in phase Aggregate.
    /// @dev Reverts with TooFewColumns, TooEarly, NobodyCanLead. Emits LeaderReplaced.
    function replaceLeader(uint256 task) external;

    /// @notice Makes the posting the task's model and begins the next round, or ends the task. Anyone, in phase Settle.
    /// @dev Emits RoundFinal, then RoundBegun or TaskOver and Refunded.
    function finalize(uint256 task) external;

    /// @notice Gives a round up that cannot become final any more: too few have committed, revealed or stayed included, or
    /// nobody is left to lead. Its reward goes back to the client. Anyone, after phase Commit, unless requests are open.
    /// @dev Reverts with NotFailed. Emits RoundFailed, Refunded, then RoundBegun or TaskOver.
    function fail(uint256 task) external;

    /// @notice Pays participant `index` its part of a final round's reward, once; anyone may call. `row` is row 0 of the
    /// measures. With the leader's claim the pool of a round to which nobody contributed goes back to the client.
    /// @dev Reverts with NotFinal, NotIncluded, AlreadyClaimed, WrongLength, WrongOpening, WrongProofLength. Emits
    /// RewardPaid, Refunded.
    function claimReward(uint256 task, uint32 round, uint16 index, bytes calldata row, bytes32[] calldata proof)
        external;

    // Court

    /// @notice A game about the posting in force begins: the round cannot become final before it is closed. Court only, until
    /// `challengeEnds` of the posting, though other games make the phase longer.
    /// @dev Reverts with OnlyCourt, TooLate. Emits DisputeOpened.
    function disputeOpened(uint256 task) external;

    /// @notice A game ended without a verdict against the leader. Court only; nothing happens when the posting is no longer in force.
    /// @dev Reverts with OnlyCourt. Emits DisputeClosed.
    function disputeClosed(uint256 task, uint32 posting) external;

    /// @notice The posting is void, and its other games are moot. The leader loses its stake in the task, `disputeSharePpm`
    /// of it to `challenger`, and is excluded; the round goes back to Aggregate. Court only.
    /// @dev Reverts with OnlyCourt, WrongPosting. Emits LeaderWrong, Excluded.
    function leaderProvenWrong(uint256 task, uint32 posting, address challenger) external;

    // Views

    /// @return how many tasks there are; also the id of the latest
    function taskCount() external view returns (uint256);
    function termsOf(uint256 task) external view returns (FederatedTerms memory);
    function taskOf(uint256 task) external view returns (TaskState memory);
    function roundOf(uint256 task) external view returns (RoundState memory);
    function recordOf(uint256 task, uint32 round) external view returns (RoundRecord memory);
    function participantAt(uint256 task, uint16 index) external view returns (Participant memory);
    /// @return index plus one, 0 for who holds no place
    function placeOf(uint256 task, address account) external view returns (uint16);
    /// @return the questions asked about an update, those of earlier rounds among them
    function requestsOf(uint256 task, uint16 index) external view returns (UpdateRequest[4] memory);
    /// @return None for an unknown task
    function phaseOf(uint256 task) external view returns (TaskPhase);
    /// @return index the participant whose turn it is to post; reverts as `post` does
    function leaderOf(uint256 task) external view returns (uint16 index);
    /// @return what is posted; reverts with WrongPhase when nothing is
    function postingOf(uint256 task) external view returns (Posting memory);
    /// @return root of the update in this column of the round that is on, plain mode
    function columnRoot(uint256 task, uint16 column) external view returns (bytes32);
    /// @return weights of all columns of the round that is on: sample counts, in secure mode survivors
    function columnWeights(uint256 task) external view returns (uint32[] memory);
    /// @return for each column of the round that is on whose updates it is made of, a bit for each index
    function columnsOf(uint256 task) external view returns (uint128[] memory);
    function releasesOf(uint256 task, address account) external view returns (uint32);
    /// @return the token that rewards are in
    function token() external view returns (address);
    function vault() external view returns (address);
    function parameters() external view returns (address);
    /// @return the court whose verdicts count
    function federatedCourt() external view returns (address);
}

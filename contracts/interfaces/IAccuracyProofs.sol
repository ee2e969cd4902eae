// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev Of one account in one round; derived from facts and the time.
enum ProverStatus {
    None,
    /// committed; the draw is not fixed, or proofs are missing and there is still time. In a round that is over: the draw
    /// lapsed, so nothing was asked and the bond returns
    Committed,
    /// all draws proven, the minimum reached
    Accepted,
    /// all draws proven, the minimum missed: the bond returns
    BelowMinimum,
    /// the time is over and proofs are missing: the bond can be slashed
    NoShow,
    Slashed
}

/// @dev Of a round; derived from the time and from whether the draw was fixed.
enum ProofPhase {
    None,
    Commit,
    /// commits are over; the block whose hash draws the chunks is to come, or waits to be read
    Draw,
    Prove,
    /// nobody committed, all have proven (in a gated round), the time is up, or the draw lapsed for good
    Over
}

/// @dev What a round asks for; fixed for good when it is opened.
struct ProofTerms {
    /// key of a registered verifier
    bytes32 verifier;
    /// root over the chunks' hashes (docs/proofs.md, Test set)
    bytes32 chunkRoot;
    /// [1, 65,536]
    uint32 chunks;
    /// chunks that each prover proves, the same for all [1, min(chunks, 64)]; `chunks`: the count is exact
    uint16 draws;
    /// right samples over all draws, below which a prover is not accepted
    uint32 minimumCorrect;
    /// [1, 256]
    uint16 maximumProvers;
    /// seconds, from opening; each [1, 30 days]
    uint32 commitSeconds;
    uint32 proveSeconds;
    /// locked by each prover, in wei; may be 0, and is in a gated round: nobody may lock another's money
    uint96 bond;
    /// only the opener commits, for the accounts it chooses (`commitFor`)
    bool gated;
}

/// @title Commit, draw, prove: accuracy on a committed test set, by proof (docs/proofs.md)
/// @notice A round belongs to whoever opened it. Provers commit to a model; then the hash of a later block draws chunks, the
/// same for all; each proves every drawn chunk. No model and no test sample is shown.
interface IAccuracyProofs {
    event ProofRoundOpened(bytes32 indexed round, address indexed opener, ProofTerms terms);
    event CommitsEnded(bytes32 indexed round, uint64 commitUntil);
    event ModelCommitted(bytes32 indexed round, address indexed account, uint256 modelHash, uint256 index);
    /// @notice The chunks will be drawn by the hash of `drawBlock`.
    event DrawScheduled(bytes32 indexed round, uint64 drawBlock);
    event ChunksDrawn(bytes32 indexed round, bytes32 seed, uint64 proveUntil);
    /// @notice `total` right samples in the draws that are proven.
    event ChunkProven(bytes32 indexed round, address indexed account, uint256 draw, uint256 correct, uint256 total);
    /// @notice What the proven count says, in ppm, rounded down. `exact`: all chunks were drawn, so it is the accuracy on the
    /// test set; else with 95 % confidence the accuracy is at least this (Clopper and Pearson 1934; docs/proofs.md,
    /// Confidence, says of what).
    event BoundPublished(bytes32 indexed round, address indexed account, uint256 boundPpm, bool exact);
    event NoShowSlashed(
        bytes32 indexed round, address indexed account, address indexed reporter, uint256 paid, uint256 burned
    );
    event ProofBondReturned(bytes32 indexed round, address indexed account, uint256 amount);

    error UnknownRound(bytes32 round);
    error RoundExists(bytes32 round);
    error TermOutOfRange(string term, uint256 least, uint256 most, uint256 actual);
    error WrongProofPhase(bytes32 round, ProofPhase expected, ProofPhase actual);
    error NotTheOpener(bytes32 round, address expected, address actual);
    error RoundIsGated(bytes32 round, bool actual);
    error RoundIsFull(bytes32 round, uint256 maximum);
    error AlreadyCommitted(bytes32 round, address account);
    error NotInField(uint256 actual);
    error NotCommitted(bytes32 round, address account);
    error DrawTooEarly(bytes32 round, uint64 expected, uint64 actual);
    error DrawOutOfRange(uint256 expected, uint256 actual);
    error AlreadyProven(bytes32 round, address account, uint256 draw);
    error WrongChunk(bytes32 expected, bytes32 actual);
    error CountOutOfRange(uint256 expected, uint256 actual);
    error InvalidProof(bytes32 round, address account, uint256 draw);
    error NotProven(bytes32 round, address account, ProverStatus actual);
    error WrongBound(uint256 correct, uint256 outOf, uint256 actual);
    error NotANoShow(bytes32 round, address account, ProverStatus actual);
    error NothingToReturn(bytes32 round, address account);

    /// @notice Anyone. `key` is the opener's own; the round's id is `roundId(opener, key)`.
    /// @dev Reverts with RoundExists, TermOutOfRange, IVerifierRegistry.UnknownVerifier. Emits ProofRoundOpened.
    function open(bytes32 key, ProofTerms calldata terms) external returns (bytes32 round);

    /// @notice The opener of a gated round, while commits are open: ends them now.
    /// @dev Reverts with NotTheOpener, RoundIsGated (it is not), WrongProofPhase. Emits CommitsEnded.
    function endCommits(bytes32 round) external;

    /// @notice Anyone, in a round that is not gated. Takes the bond (needs an allowance). One commitment for each account.
    /// Who commits to another's hash gains nothing, for the account is in it, and loses the bond.
    /// @dev Reverts with WrongProofPhase, RoundIsGated, NotInField, RoundIsFull, AlreadyCommitted. Emits ModelCommitted.
    function commit(bytes32 round, uint256 modelHash) external;

    /// @notice The opener of a gated round, for an account.
    function commitFor(bytes32 round, address account, uint256 modelHash) external;

    /// @notice Anyone, once commits are over. The first call names the block after it, the next reads that block's hash and
    /// fixes the draw. If nobody came within 256 blocks it names another, at most three in all: who dislikes a draw could
    /// wait for a better one only while nobody else calls, and only twice. Then the round is over and bonds return. The
    /// proofs' clock starts when the draw is fixed.
    /// @dev Reverts with WrongProofPhase, DrawTooEarly. Emits DrawScheduled or ChunksDrawn.
    function draw(bytes32 round) external;

    /// @notice Anyone, for an account that has committed.
    /// @param drawIndex 0 .. draws - 1, in any order, each once
    /// @param chunkHash of the drawn chunk, with its path to the root
    function submit(
        bytes32 round,
        address account,
        uint256 drawIndex,
        uint256 chunkHash,
        bytes32[] calldata path,
        uint256 correct,
        bytes calldata proof
    ) external;

    /// @notice Anyone, once all draws of the account are proven: puts on record what the count says. A call of its own, for a
    /// proof need not pay for it; the caller brings the number (`boundOf`), for checking it is cheaper than finding it.
    /// @dev Reverts with NotProven, WrongBound. Emits BoundPublished.
    function publishBound(bytes32 round, address account, uint256 boundPpm) external;

    /// @notice Anyone, after the proofs' time: the reporter's share to the caller, the rest is burned.
    function slashNoShow(bytes32 round, address account) external;

    /// @notice Anyone: sends the bond back to a prover that has proven all draws, or of a round whose draw was never needed.
    function returnBond(bytes32 round, address account) external;

    /// @notice Reverts as `open` would for these terms: for who opens rounds later, by terms that it fixes now.
    function check(ProofTerms calldata terms) external view;

    function roundId(address opener, bytes32 key) external view returns (bytes32);

    function termsOf(bytes32 round) external view returns (ProofTerms memory);

    function phaseOf(bytes32 round) external view returns (ProofPhase);

    /// @notice Ends of the commits and of the proofs (0 while the draw is not fixed), in seconds of the chain's clock.
    function endsOf(bytes32 round) external view returns (uint64 commitUntil, uint64 proveUntil);

    /// @return drawBlock whose hash draws; 0 before the first call of `draw`
    /// @return attempts blocks that were named so far, of three
    /// @return seed 0 while the draw is not fixed
    function drawOf(bytes32 round) external view returns (uint64 drawBlock, uint256 attempts, bytes32 seed);

    /// @notice The chunk of a draw; reverts unless the draw is fixed.
    function chunkOf(bytes32 round, uint256 drawIndex) external view returns (uint256);

    /// @return status derived from facts and the time
    /// @return modelHash 0 where the account has not committed
    /// @return correct right samples in the draws that are proven
    /// @return proven how many draws are proven
    function proverOf(bytes32 round, address account)
        external
        view
        returns (ProverStatus status, uint256 modelHash, uint256 correct, uint256 proven);

    function hasProven(bytes32 round, address account, uint256 drawIndex) external view returns (bool);

    /// @notice Provers that have committed, and those whose status is final (accepted or below the minimum), which are
    /// counted in gated rounds only.
    function countsOf(bytes32 round) external view returns (uint256 committed, uint256 proven);

    /// @notice What the account's count says; reverts with NotProven. Costs much more than `publishBound` with its answer.
    /// @return boundPpm share or lower bound, in ppm, rounded down
    /// @return exact whether all chunks were drawn
    function boundOf(bytes32 round, address account) external view returns (uint256 boundPpm, bool exact);

    /// @notice Lower end of the one-sided 95 % interval, in ppm, rounded down (Clopper and Pearson 1934).
    /// @dev Reverts with CountOutOfRange if `correct` is above `outOf`, or `outOf` above 2^32 - 1.
    function lowerBoundPpm(uint256 correct, uint256 outOf) external pure returns (uint256);

    /// @notice The public input `prover` that a proof of this account in this round has.
    function binding(bytes32 round, address account) external view returns (uint256);

    function token() external view returns (address);

    function parameters() external view returns (address);

    function registry() external view returns (address);
}

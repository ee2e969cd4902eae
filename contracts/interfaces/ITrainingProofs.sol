// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @dev Of a run; derived from facts and the time.
enum RunStatus {
    None,
    /// waits for the trainer's commitment
    Open,
    /// the trainer did not commit in time; nothing is locked
    Lapsed,
    /// committed; the block whose hash draws the steps is to come, or waits to be read
    Drawing,
    /// drawn; proofs are missing and there is still time
    Proving,
    /// all drawn steps are proven: the bond returns
    Accepted,
    /// the draw was not fixed, or proofs are missing, and the time is over: the bond can be slashed
    NoShow,
    Slashed
}

/// @dev What a run is held to; fixed for good when it is opened.
struct RunTerms {
    /// key of a registered IStepProofVerifier
    bytes32 verifier;
    /// hash of the state before step 0: one that everybody can compute, or that was opened to who needs to know
    uint256 initialState;
    /// root over the batches' hashes, agreed before the training (leaves `abi.encode(12, batchHash)`)
    bytes32 batchRoot;
    /// the batch of step i is number `keccak256(abi.encode(scheduleSeed, i)) mod batches`
    bytes32 scheduleSeed;
    /// who trains, proves and bonds
    address trainer;
    /// locked by the trainer, in wei; may be 0
    uint96 bond;
    /// [1, 2^20]
    uint32 batches;
    /// [1, 2^20]
    uint32 steps;
    /// steps that are drawn and proven [1, min(steps, 64)]; `steps`: the whole run is proven
    uint16 draws;
    /// seconds, from opening [1, 365 days]
    uint32 commitSeconds;
    /// seconds, from the commitment until the draw must be fixed, and from then until all is proven [1, 30 days]
    uint32 proveSeconds;
}

/// @dev A leaf of the run's tree: a state and the batch of the step that follows (0 after the last).
struct StepLeaf {
    uint256 stateHash;
    uint256 batchHash;
    bytes32[] path;
}

/// @title A whole run of training, proven by sampled steps (docs/training-proofs.md)
/// @notice The trainer commits to all states of the run, then the hash of a later block draws steps, and each drawn step is
/// proven: the state after it is exactly one step of the agreed arithmetic, with the scheduled batch, from the state before.
/// @dev No state and no sample is shown. What acceptance means: if f of T steps are false, all draws miss them with
/// probability at most (1 - f / T)^draws. A single false step escapes with 1 - draws / T, so the bond must exceed what
/// one is worth; with `draws == steps` nothing escapes.
interface ITrainingProofs {
    event RunOpened(bytes32 indexed run, address indexed opener, address indexed trainer, RunTerms terms);
    event RunCommitted(bytes32 indexed run, address indexed trainer, bytes32 root, uint256 finalState);
    /// @notice The steps will be drawn by the hash of `drawBlock`.
    event StepDrawScheduled(bytes32 indexed run, uint64 drawBlock);
    event StepsDrawn(bytes32 indexed run, bytes32 seed, uint64 proveUntil);
    event StepProven(bytes32 indexed run, uint256 draw, uint256 step);
    /// @notice All drawn steps are proven.
    event RunAccepted(bytes32 indexed run, address indexed trainer, uint256 finalState, uint256 steps, uint256 draws);
    event RunSlashed(
        bytes32 indexed run, address indexed trainer, address indexed reporter, uint256 paid, uint256 burned
    );
    event RunBondReturned(bytes32 indexed run, address indexed trainer, uint256 amount);

    error UnknownRun(bytes32 run);
    error RunExists(bytes32 run);
    error RunTermOutOfRange(string term, uint256 least, uint256 most, uint256 actual);
    error WrongRunStatus(bytes32 run, RunStatus expected, RunStatus actual);
    error NotTheTrainer(bytes32 run, address expected, address actual);
    error StateNotInField(uint256 actual);
    error WrongState(uint256 expected, uint256 actual);
    error WrongLeaf(uint256 index, bytes32 expected, bytes32 actual);
    error WrongBatch(uint256 expected, bytes32 expectedRoot, bytes32 actual);
    error StepDrawTooEarly(bytes32 run, uint64 expected, uint64 actual);
    error StepDrawOutOfRange(uint256 expected, uint256 actual);
    error StepAlreadyProven(bytes32 run, uint256 draw);
    error InvalidStepProof(bytes32 run, uint256 draw);
    error NoBondToReturn(bytes32 run);
    error NoTrainer();

    /// @notice Anyone. `key` is the opener's own; the run's id is `runId(opener, key)`. Binds the trainer to nothing.
    function open(bytes32 key, RunTerms calldata terms) external returns (bytes32 run);

    /// @notice The trainer, in time, once. Takes the bond (needs an allowance). The draw's block is the next one.
    /// @param root over `steps + 1` leaves `abi.encode(10, stateHash, batchHash)`, in order
    /// @param first leaf 0: of the initial state
    /// @param last leaf `steps`: of the final state; its batch means nothing
    function commit(bytes32 run, bytes32 root, StepLeaf calldata first, StepLeaf calldata last) external;

    /// @notice Anyone, after the draw's block: fixes the draw, and the proofs' clock starts. If nobody came within 256 blocks,
    /// the call names another block, twice at most. A trainer may let a draw that it dislikes pass, so who waits for the
    /// proofs should call; that the draw is fixed at all is for the trainer to see to.
    function draw(bytes32 run) external;

    /// @notice Anyone, who has the proof, in time.
    /// @param drawIndex 0 .. draws - 1, in any order, each once
    /// @param before leaf `stepOf(run, drawIndex)`
    /// @param next the leaf after it; its batch is not looked at, but bound by the path
    /// @param batchPath from `before.batchHash` at `batchOf(run, step)` to the batches' root
    function submit(
        bytes32 run,
        uint256 drawIndex,
        StepLeaf calldata before,
        StepLeaf calldata next,
        bytes32[] calldata batchPath,
        bytes calldata proof
    ) external;

    /// @notice Anyone, after the proofs' time: the reporter's share to the caller, the rest is burned.
    function slashNoShow(bytes32 run) external;

    /// @notice Anyone: sends the bond of an accepted run back to the trainer.
    function returnBond(bytes32 run) external;

    function runId(address opener, bytes32 key) external view returns (bytes32);

    function termsOf(bytes32 run) external view returns (RunTerms memory);

    function statusOf(bytes32 run) external view returns (RunStatus);

    /// @notice What is known of a run so far; zeros before.
    /// @return commitUntil seconds of the chain's clock
    /// @return proveUntil seconds of the chain's clock; 0 while the draw is not fixed
    /// @return root of the run's tree
    /// @return finalState hash of the state after the last step
    /// @return drawBlock whose hash draws
    /// @return proven how many draws are proven
    /// @return returned whether the bond went back
    function runOf(bytes32 run)
        external
        view
        returns (
            uint64 commitUntil,
            uint64 proveUntil,
            bytes32 root,
            uint256 finalState,
            uint64 drawBlock,
            uint256 proven,
            bool returned
        );

    /// @notice The step of a draw; reverts unless the draw is fixed.
    function stepOf(bytes32 run, uint256 drawIndex) external view returns (uint256 step);

    function isProven(bytes32 run, uint256 drawIndex) external view returns (bool);

    /// @notice The batch that the schedule names for a step.
    function batchOf(bytes32 run, uint256 step) external view returns (uint256 batch);

    function token() external view returns (address);

    function parameters() external view returns (address);

    function registry() external view returns (address);

    /// @notice The public input `prover` of the run's proofs: keccak256(abi.encode(chain id, this, run, trainer)) >> 8.
    function binding(bytes32 run) external view returns (uint256);
}

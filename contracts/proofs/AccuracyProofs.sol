// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ERC20Burnable } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IAccuracyProofs, ProofPhase, ProofTerms, ProverStatus } from "../interfaces/IAccuracyProofs.sol";
import { IAccuracyVerifier } from "../interfaces/IAccuracyVerifier.sol";
import { IParameters } from "../interfaces/IParameters.sol";
import { IVerifierRegistry } from "../interfaces/IVerifierRegistry.sol";
import { IndexedMerkle } from "../libraries/IndexedMerkle.sol";
import { ChunkDraws } from "./ChunkDraws.sol";
import { ConfidenceBounds } from "./ConfidenceBounds.sol";
import { ProofCalls } from "./ProofCalls.sol";
import { Clock, Clocks, Progress, ProgressWords, Task, Tasks } from "./ProofWords.sol";

/// @title AccuracyProofs
contract AccuracyProofs is IAccuracyProofs, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    struct Round {
        Task task;
        Clock clock;
        address opener;
        uint96 bond;
        bytes32 chunkRoot;
        bytes32 seed;
        bytes32 verifierKey;
    }

    struct Prover {
        Progress progress;
        uint256 modelHash;
    }

    /// @dev Order of BN254's scalar field.
    uint256 private constant FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant PPM = 1_000_000;
    uint256 private constant MAXIMUM_CHUNKS = 65_536;
    uint256 private constant MAXIMUM_DRAWS = 64;
    uint256 private constant MAXIMUM_PROVERS = 256;
    uint256 private constant MAXIMUM_SECONDS = 30 days;
    /// @dev Blocks that may be named for a draw before the round lapses.
    uint256 private constant MAXIMUM_ATTEMPTS = 3;
    /// @dev How many blocks back the chain knows hashes.
    uint256 private constant REACH = 256;
    /// @dev Kind of the leaves over chunks (docs/proofs.md).
    uint256 private constant CHUNK_LEAF = 9;

    ERC20Burnable private immutable _TOKEN;
    IParameters private immutable _PARAMETERS;
    IVerifierRegistry private immutable _REGISTRY;

    mapping(bytes32 round => Round) private _rounds;
    mapping(bytes32 round => mapping(address account => Prover)) private _provers;

    constructor(ERC20Burnable token_, IParameters parameters_, IVerifierRegistry registry_) {
        _TOKEN = token_;
        _PARAMETERS = parameters_;
        _REGISTRY = registry_;
    }

    /// @inheritdoc IAccuracyProofs
    function open(bytes32 key, ProofTerms calldata terms) external returns (bytes32 round) {
        round = roundId(msg.sender, key);
        Round storage r = _rounds[round];
        if (r.opener != address(0)) revert RoundExists(round);
        (IAccuracyVerifier verifier, uint256 samples) = _checkTerms(terms);
        r.task = Tasks.begin(verifier, samples, terms.draws, terms.chunks);
        r.clock = Clocks.begin(terms);
        r.opener = msg.sender;
        r.bond = terms.bond;
        r.chunkRoot = terms.chunkRoot;
        r.verifierKey = terms.verifier;
        emit ProofRoundOpened(round, msg.sender, terms);
    }

    /// @inheritdoc IAccuracyProofs
    function endCommits(bytes32 round) external {
        Round storage r = _in(round, ProofPhase.Commit);
        if (!r.clock.isGated()) revert RoundIsGated(round, false);
        if (msg.sender != r.opener) revert NotTheOpener(round, r.opener, msg.sender);
        r.clock = r.clock.endingNow();
        emit CommitsEnded(round, uint64(block.timestamp));
    }

    /// @inheritdoc IAccuracyProofs
    function commit(bytes32 round, uint256 modelHash) external nonReentrant {
        Round storage r = _in(round, ProofPhase.Commit);
        if (r.clock.isGated()) revert RoundIsGated(round, true);
        _commit(r, round, msg.sender, modelHash);
        uint256 bond = r.bond;
        if (bond != 0) IERC20(_TOKEN).safeTransferFrom(msg.sender, address(this), bond);
    }

    /// @inheritdoc IAccuracyProofs
    function commitFor(bytes32 round, address account, uint256 modelHash) external {
        Round storage r = _in(round, ProofPhase.Commit);
        if (!r.clock.isGated()) revert RoundIsGated(round, false);
        if (msg.sender != r.opener) revert NotTheOpener(round, r.opener, msg.sender);
        _commit(r, round, account, modelHash);
    }

    /// @inheritdoc IAccuracyProofs
    function draw(bytes32 round) external {
        Round storage r = _in(round, ProofPhase.Draw);
        Clock clock = r.clock;
        uint256 drawBlock = clock.drawBlock();
        if (drawBlock != 0 && block.number <= drawBlock) {
            revert DrawTooEarly(round, uint64(drawBlock + 1), uint64(block.number));
        }
        // 0 for a block that is too long ago
        bytes32 blockHash = blockhash(drawBlock);
        if (drawBlock == 0 || blockHash == 0) return _schedule(r, round);
        bytes32 seed = ChunkDraws.seedOf(blockHash, round);
        uint256 proveUntil = block.timestamp + clock.proveSeconds();
        Task task = r.task;
        r.seed = seed;
        r.task = task.drawn(proveUntil, ChunkDraws.chunkOf(seed, 0, task.chunks()));
        emit ChunksDrawn(round, seed, uint64(proveUntil));
    }

    /// @inheritdoc IAccuracyProofs
    function submit(
        bytes32 round,
        address account,
        uint256 drawIndex,
        uint256 chunkHash,
        bytes32[] calldata path,
        uint256 correct,
        bytes calldata proof
    ) external {
        Prover storage p = _provers[round][account];
        Round storage r = _rounds[round];
        Task task = _admit(r, p, round, account, drawIndex, correct);
        _checkChunk(r, task, drawIndex, chunkHash, path);
        _checkProof(task, p, round, account, drawIndex, chunkHash, correct, proof);
        _record(r, p, task, round, account, drawIndex, correct);
    }

    /// @inheritdoc IAccuracyProofs
    function publishBound(bytes32 round, address account, uint256 boundPpm) external {
        (uint256 correct, uint256 outOf, bool exact) = _proven(round, account);
        bool right = exact ? boundPpm == correct * PPM / outOf : ConfidenceBounds.isLowerBound(correct, outOf, boundPpm);
        if (!right) revert WrongBound(correct, outOf, boundPpm);
        emit BoundPublished(round, account, boundPpm, exact);
    }

    /// @inheritdoc IAccuracyProofs
    function slashNoShow(bytes32 round, address account) external nonReentrant {
        Round storage r = _known(round);
        Prover storage p = _provers[round][account];
        ProverStatus status = _statusOf(r, p);
        if (status != ProverStatus.NoShow) revert NotANoShow(round, account, status);
        p.progress = p.progress.withSlash();
        uint256 bond = r.bond;
        uint256 paid = bond * _PARAMETERS.reporterSharePpm() / PPM;
        emit NoShowSlashed(round, account, msg.sender, paid, bond - paid);
        if (bond != paid) _TOKEN.burn(bond - paid);
        if (paid != 0) IERC20(_TOKEN).safeTransfer(msg.sender, paid);
    }

    /// @inheritdoc IAccuracyProofs
    function returnBond(bytes32 round, address account) external nonReentrant {
        Round storage r = _known(round);
        Prover storage p = _provers[round][account];
        uint256 bond = r.bond;
        if (bond == 0 || p.progress.isReturned() || !_isReleased(r, p)) revert NothingToReturn(round, account);
        p.progress = p.progress.withReturn();
        emit ProofBondReturned(round, account, bond);
        IERC20(_TOKEN).safeTransfer(account, bond);
    }

    /// @inheritdoc IAccuracyProofs
    function check(ProofTerms calldata terms) external view {
        // slither-disable-next-line unused-return
        _checkTerms(terms);
    }

    /// @inheritdoc IAccuracyProofs
    function termsOf(bytes32 round) external view returns (ProofTerms memory) {
        Round storage r = _known(round);
        Task task = r.task;
        Clock clock = r.clock;
        return ProofTerms({
            verifier: r.verifierKey,
            chunkRoot: r.chunkRoot,
            chunks: uint32(task.chunks()),
            draws: uint16(task.draws()),
            minimumCorrect: uint32(clock.minimumCorrect()),
            maximumProvers: uint16(clock.maximumProvers()),
            commitSeconds: uint32(clock.commitSeconds()),
            proveSeconds: uint32(clock.proveSeconds()),
            bond: r.bond,
            gated: clock.isGated()
        });
    }

    /// @inheritdoc IAccuracyProofs
    function phaseOf(bytes32 round) external view returns (ProofPhase) {
        return _phaseOf(_rounds[round]);
    }

    /// @inheritdoc IAccuracyProofs
    function endsOf(bytes32 round) external view returns (uint64 commitUntil, uint64 proveUntil) {
        Round storage r = _known(round);
        return (uint64(r.clock.commitUntil()), uint64(r.task.proveUntil()));
    }

    /// @inheritdoc IAccuracyProofs
    function drawOf(bytes32 round) external view returns (uint64 drawBlock, uint256 attempts, bytes32 seed) {
        Round storage r = _known(round);
        return (uint64(r.clock.drawBlock()), r.clock.attempts(), r.seed);
    }

    /// @inheritdoc IAccuracyProofs
    function chunkOf(bytes32 round, uint256 drawIndex) external view returns (uint256) {
        Round storage r = _known(round);
        Task task = r.task;
        if (task.proveUntil() == 0) revert WrongProofPhase(round, ProofPhase.Prove, _phaseOf(r));
        if (drawIndex >= task.draws()) revert DrawOutOfRange(task.draws(), drawIndex);
        return _drawnChunk(r, task, drawIndex);
    }

    /// @inheritdoc IAccuracyProofs
    function proverOf(bytes32 round, address account)
        external
        view
        returns (ProverStatus status, uint256 modelHash, uint256 correct, uint256 proven)
    {
        Prover storage p = _provers[round][account];
        return (_statusOf(_known(round), p), p.modelHash, p.progress.correct(), p.progress.proven());
    }

    /// @inheritdoc IAccuracyProofs
    function hasProven(bytes32 round, address account, uint256 drawIndex) external view returns (bool) {
        return drawIndex < MAXIMUM_DRAWS && _provers[round][account].progress.has(drawIndex);
    }

    /// @inheritdoc IAccuracyProofs
    function boundOf(bytes32 round, address account) external view returns (uint256 boundPpm, bool exact) {
        uint256 correct;
        uint256 outOf;
        (correct, outOf, exact) = _proven(round, account);
        boundPpm = exact ? correct * PPM / outOf : ConfidenceBounds.lowerBoundPpm(correct, outOf);
    }

    /// @inheritdoc IAccuracyProofs
    function lowerBoundPpm(uint256 correct, uint256 outOf) external pure returns (uint256) {
        if (outOf > ConfidenceBounds.MAXIMUM_SAMPLES) revert CountOutOfRange(ConfidenceBounds.MAXIMUM_SAMPLES, outOf);
        if (correct > outOf) revert CountOutOfRange(outOf, correct);
        return ConfidenceBounds.lowerBoundPpm(correct, outOf);
    }

    /// @inheritdoc IAccuracyProofs
    function countsOf(bytes32 round) external view returns (uint256 committed, uint256 proven) {
        Clock clock = _known(round).clock;
        return (clock.committed(), clock.proven());
    }

    /// @inheritdoc IAccuracyProofs
    function token() external view returns (address) {
        return address(_TOKEN);
    }

    /// @inheritdoc IAccuracyProofs
    function parameters() external view returns (address) {
        return address(_PARAMETERS);
    }

    /// @inheritdoc IAccuracyProofs
    function registry() external view returns (address) {
        return address(_REGISTRY);
    }

    /// @inheritdoc IAccuracyProofs
    function binding(bytes32 round, address account) public view returns (uint256) {
        return uint256(keccak256(abi.encode(block.chainid, address(this), round, account))) >> 8;
    }

    /// @inheritdoc IAccuracyProofs
    function roundId(address opener, bytes32 key) public pure returns (bytes32) {
        return keccak256(abi.encode(opener, key));
    }

    function _commit(Round storage r, bytes32 round, address account, uint256 modelHash) private {
        if (modelHash >= FIELD) revert NotInField(modelHash);
        Prover storage p = _provers[round][account];
        if (p.progress.isCommitted()) revert AlreadyCommitted(round, account);
        Clock clock = r.clock;
        uint256 index = clock.committed();
        if (index == clock.maximumProvers()) revert RoundIsFull(round, index);
        r.clock = clock.withOneCommitted();
        p.progress = ProgressWords.begin(clock.isGated());
        p.modelHash = modelHash;
        emit ModelCommitted(round, account, modelHash, index);
    }

    /// @dev Nobody can commit any more, so it does not matter when this is called.
    function _schedule(Round storage r, bytes32 round) private {
        Clock clock = r.clock;
        // not reached after the last attempt: the round is over then, unless the chain forgets hashes too early
        if (clock.attempts() == MAXIMUM_ATTEMPTS) {
            revert DrawTooEarly(round, uint64(clock.drawBlock() + REACH + 1), uint64(block.number));
        }
        uint256 drawBlock = block.number + 1;
        r.clock = clock.scheduled(drawBlock);
        emit DrawScheduled(round, uint64(drawBlock));
    }

    function _record(
        Round storage r,
        Prover storage p,
        Task task,
        bytes32 round,
        address account,
        uint256 drawIndex,
        uint256 correct
    ) private {
        Progress progress = p.progress.withProof(drawIndex, correct);
        p.progress = progress;
        // openers of gated rounds go on as soon as all have proven; an open round ends by the clock, and its provers need
        // not pay for a count
        if (progress.isGated() && progress.proven() == task.draws()) r.clock = r.clock.withOneProven();
        emit ChunkProven(round, account, drawIndex, correct, progress.correct());
    }

    function _known(bytes32 round) private view returns (Round storage r) {
        r = _rounds[round];
        if (r.opener == address(0)) revert UnknownRound(round);
    }

    function _in(bytes32 round, ProofPhase expected) private view returns (Round storage r) {
        r = _rounds[round];
        _require(r, round, expected);
    }

    function _require(Round storage r, bytes32 round, ProofPhase expected) private view {
        ProofPhase actual = _phaseOf(r);
        if (actual == expected) return;
        if (actual == ProofPhase.None) revert UnknownRound(round);
        revert WrongProofPhase(round, expected, actual);
    }

    function _phaseOf(Round storage r) private view returns (ProofPhase) {
        Clock clock = r.clock;
        // every round has an end of commits
        if (clock.commitUntil() == 0) return ProofPhase.None;
        if (block.timestamp < clock.commitUntil()) return ProofPhase.Commit;
        if (clock.proven() == clock.committed() || _isLapsed(r)) return ProofPhase.Over;
        uint256 proveUntil = r.task.proveUntil();
        if (proveUntil == 0) return ProofPhase.Draw;
        return block.timestamp < proveUntil ? ProofPhase.Prove : ProofPhase.Over;
    }

    /// @dev Nobody came in time for the last block that could be named.
    function _isLapsed(Round storage r) private view returns (bool) {
        Clock clock = r.clock;
        if (clock.attempts() != MAXIMUM_ATTEMPTS || r.task.proveUntil() != 0) return false;
        return block.number > clock.drawBlock() + REACH;
    }

    function _statusOf(Round storage r, Prover storage p) private view returns (ProverStatus) {
        Progress progress = p.progress;
        if (!progress.isCommitted()) return ProverStatus.None;
        if (progress.isSlashed()) return ProverStatus.Slashed;
        Task task = r.task;
        if (progress.proven() == task.draws()) {
            bool enough = progress.correct() >= r.clock.minimumCorrect();
            return enough ? ProverStatus.Accepted : ProverStatus.BelowMinimum;
        }
        bool late = task.proveUntil() != 0 && block.timestamp >= task.proveUntil();
        return late ? ProverStatus.NoShow : ProverStatus.Committed;
    }

    /// @return correct right samples in all draws
    /// @return outOf samples in all draws
    /// @return exact whether these are all that the round has
    function _proven(bytes32 round, address account) private view returns (uint256 correct, uint256 outOf, bool exact) {
        Round storage r = _known(round);
        Prover storage p = _provers[round][account];
        Task task = r.task;
        if (p.progress.proven() != task.draws()) revert NotProven(round, account, _statusOf(r, p));
        return (p.progress.correct(), task.draws() * task.samples(), task.draws() == task.chunks());
    }

    /// @return whether nothing is asked of the prover any more
    function _isReleased(Round storage r, Prover storage p) private view returns (bool) {
        Progress progress = p.progress;
        return progress.isCommitted() && (progress.proven() == r.task.draws() || _isLapsed(r));
    }

    /// @return task what the proof is checked against
    function _admit(
        Round storage r,
        Prover storage p,
        bytes32 round,
        address account,
        uint256 drawIndex,
        uint256 correct
    ) private view returns (Task task) {
        task = r.task;
        // 0 before the draw; whoever still owes a proof keeps the round from being over otherwise
        if (block.timestamp >= task.proveUntil()) _require(r, round, ProofPhase.Prove);
        Progress progress = p.progress;
        if (!progress.isCommitted()) revert NotCommitted(round, account);
        if (drawIndex >= task.draws()) revert DrawOutOfRange(task.draws(), drawIndex);
        if (progress.has(drawIndex)) revert AlreadyProven(round, account, drawIndex);
        if (correct > task.samples()) revert CountOutOfRange(task.samples(), correct);
    }

    function _checkChunk(Round storage r, Task task, uint256 drawIndex, uint256 chunkHash, bytes32[] calldata path)
        private
        view
    {
        uint256 chunk = _drawnChunk(r, task, drawIndex);
        bytes32 leaf = keccak256(abi.encode(CHUNK_LEAF, chunkHash));
        bytes32 actual = IndexedMerkle.rootOfCalldata(leaf, chunk, task.chunks(), path);
        bytes32 expected = r.chunkRoot;
        if (actual != expected) revert WrongChunk(expected, actual);
    }

    /// @param drawIndex of a round whose draw is fixed
    function _drawnChunk(Round storage r, Task task, uint256 drawIndex) private view returns (uint256) {
        if (drawIndex == 0) return task.firstDrawn();
        return ChunkDraws.chunkOf(r.seed, drawIndex, task.chunks());
    }

    function _checkProof(
        Task task,
        Prover storage p,
        bytes32 round,
        address account,
        uint256 drawIndex,
        uint256 chunkHash,
        uint256 correct,
        bytes calldata proof
    ) private view {
        uint256 prover = binding(round, account);
        if (!ProofCalls.holds(task.verifier(), proof, p.modelHash, chunkHash, correct, prover)) {
            revert InvalidProof(round, account, drawIndex);
        }
    }

    function _checkTerms(ProofTerms calldata terms) private view returns (IAccuracyVerifier verifier, uint256 samples) {
        (verifier, samples) = _REGISTRY.verifierOf(terms.verifier);
        _checkTerm("chunks", 1, MAXIMUM_CHUNKS, terms.chunks);
        _checkTerm("draws", 1, terms.chunks < MAXIMUM_DRAWS ? terms.chunks : MAXIMUM_DRAWS, terms.draws);
        _checkTerm("minimumCorrect", 0, terms.draws * samples, terms.minimumCorrect);
        _checkTerm("maximumProvers", 1, MAXIMUM_PROVERS, terms.maximumProvers);
        _checkTerm("commitSeconds", 1, MAXIMUM_SECONDS, terms.commitSeconds);
        _checkTerm("proveSeconds", 1, MAXIMUM_SECONDS, terms.proveSeconds);
        if (terms.gated) _checkTerm("bond", 0, 0, terms.bond);
    }

    function _checkTerm(string memory term, uint256 least, uint256 most, uint256 actual) private pure {
        if (actual < least || actual > most) revert TermOutOfRange(term, least, most, actual);
    }
}

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

/// @title AccuracyProofs
contract AccuracyProofs is IAccuracyProofs, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev The first slot and the next are what every proof reads.
    struct Round {
        IAccuracyVerifier verifier;
        uint16 samples;
        uint8 draws;
        uint24 chunks;
        uint32 minimumCorrect;
        bool gated;
        // slot
        uint40 commitUntil;
        /// 0 until somebody has called `draw`
        uint40 drawBlock;
        /// 0 until the draw is fixed
        uint40 proveUntil;
        uint8 attempts;
        uint16 committed;
        uint16 proven;
        uint16 maximumProvers;
        uint32 commitSeconds;
        uint32 proveSeconds;
        // slots
        address opener;
        uint96 bond;
        bytes32 chunkRoot;
        bytes32 seed;
        bytes32 verifierKey;
    }

    /// @dev What a proof changes is one slot.
    struct Prover {
        /// bit i: draw i is proven
        uint64 draws;
        uint32 correct;
        uint8 proven;
        bool committed;
        bool slashed;
        bool returned;
        // slot
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
        r.verifier = verifier;
        r.samples = uint16(samples);
        r.draws = uint8(terms.draws);
        r.chunks = uint24(terms.chunks);
        r.minimumCorrect = terms.minimumCorrect;
        r.gated = terms.gated;
        r.commitUntil = uint40(block.timestamp + terms.commitSeconds);
        r.maximumProvers = terms.maximumProvers;
        r.commitSeconds = terms.commitSeconds;
        r.proveSeconds = terms.proveSeconds;
        r.opener = msg.sender;
        r.bond = terms.bond;
        r.chunkRoot = terms.chunkRoot;
        r.verifierKey = terms.verifier;
        emit ProofRoundOpened(round, msg.sender, terms);
    }

    /// @inheritdoc IAccuracyProofs
    function endCommits(bytes32 round) external {
        Round storage r = _in(round, ProofPhase.Commit);
        if (!r.gated) revert RoundIsGated(round, false);
        if (msg.sender != r.opener) revert NotTheOpener(round, r.opener, msg.sender);
        r.commitUntil = uint40(block.timestamp);
        emit CommitsEnded(round, uint64(block.timestamp));
    }

    /// @inheritdoc IAccuracyProofs
    function commit(bytes32 round, uint256 modelHash) external nonReentrant {
        Round storage r = _in(round, ProofPhase.Commit);
        if (r.gated) revert RoundIsGated(round, true);
        _commit(r, round, msg.sender, modelHash);
        uint256 bond = r.bond;
        if (bond != 0) IERC20(_TOKEN).safeTransferFrom(msg.sender, address(this), bond);
    }

    /// @inheritdoc IAccuracyProofs
    function commitFor(bytes32 round, address account, uint256 modelHash) external {
        Round storage r = _in(round, ProofPhase.Commit);
        if (!r.gated) revert RoundIsGated(round, false);
        if (msg.sender != r.opener) revert NotTheOpener(round, r.opener, msg.sender);
        _commit(r, round, account, modelHash);
    }

    /// @inheritdoc IAccuracyProofs
    function draw(bytes32 round) external {
        Round storage r = _in(round, ProofPhase.Draw);
        uint256 drawBlock = r.drawBlock;
        if (drawBlock != 0 && block.number <= drawBlock) {
            revert DrawTooEarly(round, uint64(drawBlock + 1), uint64(block.number));
        }
        // 0 for a block that is too long ago
        bytes32 blockHash = blockhash(drawBlock);
        if (drawBlock == 0 || blockHash == 0) return _schedule(r, round);
        bytes32 seed = ChunkDraws.seedOf(blockHash, round);
        uint40 proveUntil = uint40(block.timestamp + r.proveSeconds);
        r.seed = seed;
        r.proveUntil = proveUntil;
        emit ChunksDrawn(round, seed, proveUntil);
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
        Round storage r = _in(round, ProofPhase.Prove);
        Prover storage p = _provers[round][account];
        if (!p.committed) revert NotCommitted(round, account);
        if (drawIndex >= r.draws) revert DrawOutOfRange(r.draws, drawIndex);
        if (p.draws >> drawIndex & 1 != 0) revert AlreadyProven(round, account, drawIndex);
        if (correct > r.samples) revert CountOutOfRange(r.samples, correct);
        uint256 chunk = _checkedChunk(r, drawIndex, chunkHash, path);
        _checkProof(round, account, drawIndex, chunkHash, correct, proof);
        _record(r, p, round, account, drawIndex, chunk, correct);
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
        p.slashed = true;
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
        if (bond == 0 || p.returned || !_isReleased(r, p)) revert NothingToReturn(round, account);
        p.returned = true;
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
        return ProofTerms({
            verifier: r.verifierKey,
            chunkRoot: r.chunkRoot,
            chunks: r.chunks,
            draws: r.draws,
            minimumCorrect: r.minimumCorrect,
            maximumProvers: r.maximumProvers,
            commitSeconds: r.commitSeconds,
            proveSeconds: r.proveSeconds,
            bond: r.bond,
            gated: r.gated
        });
    }

    /// @inheritdoc IAccuracyProofs
    function phaseOf(bytes32 round) external view returns (ProofPhase) {
        return _phaseOf(_rounds[round]);
    }

    /// @inheritdoc IAccuracyProofs
    function endsOf(bytes32 round) external view returns (uint64 commitUntil, uint64 proveUntil) {
        Round storage r = _known(round);
        return (r.commitUntil, r.proveUntil);
    }

    /// @inheritdoc IAccuracyProofs
    function drawOf(bytes32 round) external view returns (uint64 drawBlock, uint256 attempts, bytes32 seed) {
        Round storage r = _known(round);
        return (r.drawBlock, r.attempts, r.seed);
    }

    /// @inheritdoc IAccuracyProofs
    function chunkOf(bytes32 round, uint256 drawIndex) external view returns (uint256) {
        Round storage r = _known(round);
        if (r.proveUntil == 0) revert WrongProofPhase(round, ProofPhase.Prove, _phaseOf(r));
        if (drawIndex >= r.draws) revert DrawOutOfRange(r.draws, drawIndex);
        return ChunkDraws.chunkOf(r.seed, drawIndex, r.chunks);
    }

    /// @inheritdoc IAccuracyProofs
    function proverOf(bytes32 round, address account)
        external
        view
        returns (ProverStatus status, uint256 modelHash, uint256 correct, uint256 proven)
    {
        Prover storage p = _provers[round][account];
        return (_statusOf(_known(round), p), p.modelHash, p.correct, p.proven);
    }

    /// @inheritdoc IAccuracyProofs
    function hasProven(bytes32 round, address account, uint256 drawIndex) external view returns (bool) {
        return drawIndex < MAXIMUM_DRAWS && _provers[round][account].draws >> drawIndex & 1 != 0;
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
        Round storage r = _known(round);
        return (r.committed, r.proven);
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
        if (p.committed) revert AlreadyCommitted(round, account);
        uint16 index = r.committed;
        if (index == r.maximumProvers) revert RoundIsFull(round, index);
        r.committed = index + 1;
        p.committed = true;
        p.modelHash = modelHash;
        emit ModelCommitted(round, account, modelHash, index);
    }

    /// @dev Nobody can commit any more, so it does not matter when this is called.
    function _schedule(Round storage r, bytes32 round) private {
        // not reached after the last attempt: the round is over then, unless the chain forgets hashes too early
        if (r.attempts == MAXIMUM_ATTEMPTS) {
            revert DrawTooEarly(round, uint64(r.drawBlock + REACH + 1), uint64(block.number));
        }
        uint40 drawBlock = uint40(block.number + 1);
        r.drawBlock = drawBlock;
        r.attempts += 1;
        emit DrawScheduled(round, drawBlock);
    }

    function _record(
        Round storage r,
        Prover storage p,
        bytes32 round,
        address account,
        uint256 drawIndex,
        uint256 chunk,
        uint256 correct
    ) private {
        uint32 total = p.correct + uint32(correct);
        uint8 proven = p.proven + 1;
        p.draws |= uint64(1) << uint64(drawIndex);
        p.correct = total;
        p.proven = proven;
        emit ChunkProven(round, account, drawIndex, chunk, correct, total);
        if (proven != r.draws) return;
        r.proven += 1;
        emit AccuracyProven(round, account, total, uint256(proven) * r.samples, total >= r.minimumCorrect);
    }

    function _known(bytes32 round) private view returns (Round storage r) {
        r = _rounds[round];
        if (r.opener == address(0)) revert UnknownRound(round);
    }

    function _in(bytes32 round, ProofPhase expected) private view returns (Round storage r) {
        r = _rounds[round];
        ProofPhase actual = _phaseOf(r);
        if (actual == ProofPhase.None) revert UnknownRound(round);
        if (actual != expected) revert WrongProofPhase(round, expected, actual);
    }

    function _phaseOf(Round storage r) private view returns (ProofPhase) {
        // every round has an end of commits; reading it costs a proof nothing, the opener's slot would
        if (r.commitUntil == 0) return ProofPhase.None;
        if (block.timestamp < r.commitUntil) return ProofPhase.Commit;
        if (r.proven == r.committed || _isLapsed(r)) return ProofPhase.Over;
        if (r.proveUntil == 0) return ProofPhase.Draw;
        return block.timestamp < r.proveUntil ? ProofPhase.Prove : ProofPhase.Over;
    }

    /// @dev Nobody came in time for the last block that could be named.
    function _isLapsed(Round storage r) private view returns (bool) {
        return r.proveUntil == 0 && r.attempts == MAXIMUM_ATTEMPTS && block.number > r.drawBlock + REACH;
    }

    function _statusOf(Round storage r, Prover storage p) private view returns (ProverStatus) {
        if (!p.committed) return ProverStatus.None;
        if (p.slashed) return ProverStatus.Slashed;
        if (p.proven == r.draws) {
            return p.correct >= r.minimumCorrect ? ProverStatus.Accepted : ProverStatus.BelowMinimum;
        }
        bool late = r.proveUntil != 0 && block.timestamp >= r.proveUntil;
        return late ? ProverStatus.NoShow : ProverStatus.Committed;
    }

    /// @return correct right samples in all draws
    /// @return outOf samples in all draws
    /// @return exact whether these are all that the round has
    function _proven(bytes32 round, address account) private view returns (uint256 correct, uint256 outOf, bool exact) {
        Round storage r = _known(round);
        Prover storage p = _provers[round][account];
        if (p.proven != r.draws) revert NotProven(round, account, _statusOf(r, p));
        return (p.correct, uint256(r.draws) * r.samples, r.draws == r.chunks);
    }

    /// @return whether nothing is asked of the prover any more
    function _isReleased(Round storage r, Prover storage p) private view returns (bool) {
        return p.committed && (p.proven == r.draws || _isLapsed(r));
    }

    /// @return chunk the drawn one, whose leaf is under the root
    function _checkedChunk(Round storage r, uint256 drawIndex, uint256 chunkHash, bytes32[] calldata path)
        private
        view
        returns (uint256 chunk)
    {
        chunk = ChunkDraws.chunkOf(r.seed, drawIndex, r.chunks);
        bytes32 leaf = keccak256(abi.encode(CHUNK_LEAF, chunkHash));
        bytes32 root = IndexedMerkle.rootOfCalldata(leaf, chunk, r.chunks, path);
        if (root != r.chunkRoot) revert WrongChunk(r.chunkRoot, root);
    }

    /// @dev The verifier is called statically: whatever it is, it changes nothing here.
    function _checkProof(
        bytes32 round,
        address account,
        uint256 drawIndex,
        uint256 chunkHash,
        uint256 correct,
        bytes calldata proof
    ) private view {
        uint256 modelHash = _provers[round][account].modelHash;
        uint256 prover = binding(round, account);
        try _rounds[round].verifier.verify(proof, modelHash, chunkHash, correct, prover) returns (bool valid) {
            if (valid) return;
        } catch { }
        revert InvalidProof(round, account, drawIndex);
    }

    /// @return verifier the one that the terms name, with the samples in its chunks
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

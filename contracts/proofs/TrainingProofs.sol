// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ERC20Burnable } from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { IAccuracyVerifier } from "../interfaces/IAccuracyVerifier.sol";
import { IParameters } from "../interfaces/IParameters.sol";
import { IStepProofVerifier } from "../interfaces/IStepProofVerifier.sol";
import { ITrainingProofs, RunStatus, RunTerms, StepLeaf } from "../interfaces/ITrainingProofs.sol";
import { IVerifierRegistry } from "../interfaces/IVerifierRegistry.sol";
import { IndexedMerkle } from "../libraries/IndexedMerkle.sol";
import { ChunkDraws } from "./ChunkDraws.sol";

/// @title TrainingProofs
contract TrainingProofs is ITrainingProofs, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    struct Run {
        RunTerms terms;
        // slot
        IStepProofVerifier verifier;
        uint40 commitUntil;
        /// until when the draw must be fixed
        uint40 drawUntil;
        // slot: what a proof changes, and what it looks at
        /// bit i: draw i is proven
        uint64 proofs;
        uint40 drawBlock;
        /// 0 until the draw is fixed
        uint40 proveUntil;
        uint8 proven;
        uint8 attempts;
        bool slashed;
        bool returned;
        // slots
        bytes32 root;
        uint256 finalState;
        bytes32 seed;
    }

    /// @dev Order of BN254's scalar field.
    uint256 private constant FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617;
    uint256 private constant PPM = 1_000_000;
    uint256 private constant MAXIMUM_STEPS = 2 ** 20;
    uint256 private constant MAXIMUM_DRAWS = 64;
    uint256 private constant MAXIMUM_COMMIT_SECONDS = 365 days;
    uint256 private constant MAXIMUM_PROVE_SECONDS = 30 days;
    /// @dev Blocks that may be named for a draw.
    uint256 private constant MAXIMUM_ATTEMPTS = 3;
    /// @dev How many blocks back the chain knows hashes.
    uint256 private constant REACH = 256;
    /// @dev Kinds of leaves (docs/proofs.md).
    uint256 private constant STEP_LEAF = 10;
    uint256 private constant BATCH_LEAF = 12;

    ERC20Burnable private immutable _TOKEN;
    IParameters private immutable _PARAMETERS;
    IVerifierRegistry private immutable _REGISTRY;

    mapping(bytes32 run => Run) private _runs;

    constructor(ERC20Burnable token_, IParameters parameters_, IVerifierRegistry registry_) {
        _TOKEN = token_;
        _PARAMETERS = parameters_;
        _REGISTRY = registry_;
    }

    /// @inheritdoc ITrainingProofs
    function open(bytes32 key, RunTerms calldata terms) external returns (bytes32 run) {
        run = runId(msg.sender, key);
        Run storage r = _runs[run];
        if (r.commitUntil != 0) revert RunExists(run);
        _checkTerms(terms);
        // how many samples a batch has is the circuit's affair
        // slither-disable-next-line unused-return
        (IAccuracyVerifier verifier,) = _REGISTRY.verifierOf(terms.verifier);
        r.terms = terms;
        r.verifier = IStepProofVerifier(address(verifier));
        r.commitUntil = uint40(block.timestamp + terms.commitSeconds);
        emit RunOpened(run, msg.sender, terms.trainer, terms);
    }

    /// @inheritdoc ITrainingProofs
    function commit(bytes32 run, bytes32 root, StepLeaf calldata first, StepLeaf calldata last) external nonReentrant {
        Run storage r = _in(run, RunStatus.Open);
        RunTerms storage t = r.terms;
        if (msg.sender != t.trainer) revert NotTheTrainer(run, t.trainer, msg.sender);
        if (first.stateHash != t.initialState) revert WrongState(t.initialState, first.stateHash);
        if (last.stateHash >= FIELD) revert StateNotInField(last.stateHash);
        uint256 steps = t.steps;
        _checkLeaf(root, 0, steps, first);
        _checkLeaf(root, steps, steps, last);
        uint96 bond = t.bond;
        r.root = root;
        r.finalState = last.stateHash;
        r.drawUntil = uint40(block.timestamp + t.proveSeconds);
        emit RunCommitted(run, msg.sender, root, last.stateHash);
        _schedule(r, run);
        if (bond != 0) IERC20(_TOKEN).safeTransferFrom(msg.sender, address(this), bond);
    }

    /// @inheritdoc ITrainingProofs
    function draw(bytes32 run) external {
        Run storage r = _in(run, RunStatus.Drawing);
        uint256 drawBlock = r.drawBlock;
        if (block.number <= drawBlock) revert StepDrawTooEarly(run, uint64(drawBlock + 1), uint64(block.number));
        // 0 for a block that is too long ago
        bytes32 blockHash = blockhash(drawBlock);
        if (blockHash == 0) return _schedule(r, run);
        bytes32 seed = ChunkDraws.seedOf(blockHash, run);
        uint40 proveUntil = uint40(block.timestamp + r.terms.proveSeconds);
        r.seed = seed;
        r.proveUntil = proveUntil;
        emit StepsDrawn(run, seed, proveUntil);
    }

    /// @inheritdoc ITrainingProofs
    function submit(
        bytes32 run,
        uint256 drawIndex,
        StepLeaf calldata before,
        StepLeaf calldata next,
        bytes32[] calldata batchPath,
        bytes calldata proof
    ) external {
        Run storage r = _in(run, RunStatus.Proving);
        uint256 step = _stepOf(r, drawIndex);
        if (r.proofs >> drawIndex & 1 != 0) revert StepAlreadyProven(run, drawIndex);
        _checkLeaf(r.root, step, r.terms.steps, before);
        _checkLeaf(r.root, step + 1, r.terms.steps, next);
        _checkBatch(r.terms, step, before.batchHash, batchPath);
        if (!_isValid(r.verifier, run, before, next, proof)) revert InvalidStepProof(run, drawIndex);
        _record(r, run, drawIndex, step);
    }

    /// @inheritdoc ITrainingProofs
    function slashNoShow(bytes32 run) external nonReentrant {
        Run storage r = _in(run, RunStatus.NoShow);
        r.slashed = true;
        uint256 bond = r.terms.bond;
        uint256 paid = bond * _PARAMETERS.reporterSharePpm() / PPM;
        emit RunSlashed(run, r.terms.trainer, msg.sender, paid, bond - paid);
        if (bond != paid) _TOKEN.burn(bond - paid);
        if (paid != 0) IERC20(_TOKEN).safeTransfer(msg.sender, paid);
    }

    /// @inheritdoc ITrainingProofs
    function returnBond(bytes32 run) external nonReentrant {
        Run storage r = _in(run, RunStatus.Accepted);
        uint256 bond = r.terms.bond;
        if (bond == 0 || r.returned) revert NoBondToReturn(run);
        r.returned = true;
        address trainer = r.terms.trainer;
        emit RunBondReturned(run, trainer, bond);
        IERC20(_TOKEN).safeTransfer(trainer, bond);
    }

    /// @inheritdoc ITrainingProofs
    function termsOf(bytes32 run) external view returns (RunTerms memory) {
        return _known(run).terms;
    }

    /// @inheritdoc ITrainingProofs
    function statusOf(bytes32 run) external view returns (RunStatus) {
        return _statusOf(_runs[run]);
    }

    /// @inheritdoc ITrainingProofs
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
        )
    {
        Run storage r = _known(run);
        return (r.commitUntil, r.proveUntil, r.root, r.finalState, r.drawBlock, r.proven, r.returned);
    }

    /// @inheritdoc ITrainingProofs
    function stepOf(bytes32 run, uint256 drawIndex) external view returns (uint256 step) {
        Run storage r = _known(run);
        if (r.proveUntil == 0) revert WrongRunStatus(run, RunStatus.Proving, _statusOf(r));
        return _stepOf(r, drawIndex);
    }

    /// @inheritdoc ITrainingProofs
    function isProven(bytes32 run, uint256 drawIndex) external view returns (bool) {
        return drawIndex < MAXIMUM_DRAWS && _known(run).proofs >> drawIndex & 1 != 0;
    }

    /// @inheritdoc ITrainingProofs
    function batchOf(bytes32 run, uint256 step) external view returns (uint256 batch) {
        return _batchOf(_known(run).terms, step);
    }

    /// @inheritdoc ITrainingProofs
    function token() external view returns (address) {
        return address(_TOKEN);
    }

    /// @inheritdoc ITrainingProofs
    function parameters() external view returns (address) {
        return address(_PARAMETERS);
    }

    /// @inheritdoc ITrainingProofs
    function registry() external view returns (address) {
        return address(_REGISTRY);
    }

    /// @inheritdoc ITrainingProofs
    function binding(bytes32 run) public view returns (uint256) {
        return uint256(keccak256(abi.encode(block.chainid, address(this), run, _runs[run].terms.trainer))) >> 8;
    }

    /// @inheritdoc ITrainingProofs
    function runId(address opener, bytes32 key) public pure returns (bytes32) {
        return keccak256(abi.encode(opener, key));
    }

    function _schedule(Run storage r, bytes32 run) private {
        uint40 drawBlock = uint40(block.number + 1);
        r.drawBlock = drawBlock;
        r.attempts += 1;
        emit StepDrawScheduled(run, drawBlock);
    }

    function _record(Run storage r, bytes32 run, uint256 drawIndex, uint256 step) private {
        uint256 proven = uint256(r.proven) + 1;
        r.proofs |= uint64(1) << uint64(drawIndex);
        r.proven = uint8(proven);
        emit StepProven(run, drawIndex, step);
        if (proven == r.terms.draws) emit RunAccepted(run, r.terms.trainer, r.finalState, r.terms.steps, proven);
    }

    function _known(bytes32 run) private view returns (Run storage r) {
        r = _runs[run];
        if (r.commitUntil == 0) revert UnknownRun(run);
    }

    function _in(bytes32 run, RunStatus expected) private view returns (Run storage r) {
        r = _known(run);
        RunStatus actual = _statusOf(r);
        if (actual != expected) revert WrongRunStatus(run, expected, actual);
    }

    function _statusOf(Run storage r) private view returns (RunStatus) {
        if (r.commitUntil == 0) return RunStatus.None;
        if (r.attempts == 0) return block.timestamp < r.commitUntil ? RunStatus.Open : RunStatus.Lapsed;
        if (r.slashed) return RunStatus.Slashed;
        if (r.proven == r.terms.draws) return RunStatus.Accepted;
        if (r.proveUntil != 0) return block.timestamp < r.proveUntil ? RunStatus.Proving : RunStatus.NoShow;
        bool missed = r.attempts == MAXIMUM_ATTEMPTS && block.number > r.drawBlock + REACH;
        return missed || block.timestamp >= r.drawUntil ? RunStatus.NoShow : RunStatus.Drawing;
    }

    function _stepOf(Run storage r, uint256 drawIndex) private view returns (uint256) {
        uint256 draws = r.terms.draws;
        if (drawIndex >= draws) revert StepDrawOutOfRange(draws, drawIndex);
        return ChunkDraws.chunkOf(r.seed, drawIndex, r.terms.steps);
    }

    function _checkBatch(RunTerms storage terms, uint256 step, uint256 batchHash, bytes32[] calldata path)
        private
        view
    {
        uint256 batch = _batchOf(terms, step);
        bytes32 leaf = keccak256(abi.encode(BATCH_LEAF, batchHash));
        bytes32 root = IndexedMerkle.rootOfCalldata(leaf, batch, terms.batches, path);
        if (root != terms.batchRoot) revert WrongBatch(batch, terms.batchRoot, root);
    }

    function _batchOf(RunTerms storage terms, uint256 step) private view returns (uint256) {
        return uint256(keccak256(abi.encode(terms.scheduleSeed, step))) % terms.batches;
    }

    /// @dev A static call: whatever the verifier is, it changes nothing here.
    function _isValid(
        IStepProofVerifier verifier,
        bytes32 run,
        StepLeaf calldata before,
        StepLeaf calldata next,
        bytes calldata proof
    ) private view returns (bool) {
        uint256 prover = binding(run);
        try verifier.verifyStep(proof, before.stateHash, next.stateHash, before.batchHash, prover) returns (
            bool valid
        ) {
            return valid;
        } catch {
            return false;
        }
    }

    /// @dev The tree has `steps + 1` leaves.
    function _checkLeaf(bytes32 root, uint256 index, uint256 steps, StepLeaf calldata leaf) private pure {
        bytes32 node = keccak256(abi.encode(STEP_LEAF, leaf.stateHash, leaf.batchHash));
        bytes32 actual = IndexedMerkle.rootOfCalldata(node, index, steps + 1, leaf.path);
        if (actual != root) revert WrongLeaf(index, root, actual);
    }

    function _checkTerms(RunTerms calldata terms) private pure {
        if (terms.trainer == address(0)) revert NoTrainer();
        if (terms.initialState >= FIELD) revert StateNotInField(terms.initialState);
        _checkTerm("batches", MAXIMUM_STEPS, terms.batches);
        _checkTerm("steps", MAXIMUM_STEPS, terms.steps);
        _checkTerm("draws", terms.steps < MAXIMUM_DRAWS ? terms.steps : MAXIMUM_DRAWS, terms.draws);
        _checkTerm("commitSeconds", MAXIMUM_COMMIT_SECONDS, terms.commitSeconds);
        _checkTerm("proveSeconds", MAXIMUM_PROVE_SECONDS, terms.proveSeconds);
    }

    function _checkTerm(string memory term, uint256 most, uint256 actual) private pure {
        if (actual < 1 || actual > most) revert RunTermOutOfRange(term, 1, most, actual);
    }
}

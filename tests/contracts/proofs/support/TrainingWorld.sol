// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAccuracyVerifier } from "../../../../contracts/interfaces/IAccuracyVerifier.sol";
import { IStepProofVerifier } from "../../../../contracts/interfaces/IStepProofVerifier.sol";
import { RunStatus, RunTerms, StepLeaf } from "../../../../contracts/interfaces/ITrainingProofs.sol";
import { IndexedMerkle } from "../../../../contracts/libraries/IndexedMerkle.sol";
import { Parameters } from "../../../../contracts/Parameters.sol";
import { TrainingProofs } from "../../../../contracts/proofs/TrainingProofs.sol";
import { VerifierRegistry } from "../../../../contracts/proofs/VerifierRegistry.sol";
import { UtilityToken } from "../../../../contracts/UtilityToken.sol";
import { vm } from "../../support/Vm.sol";
import { World } from "../../support/World.sol";

/// @dev For the runs' own rules: a proof is a hash of what it proves. The real verifier has tests of its own
/// (tests/integration/proofs/training).
contract ToyStepVerifier is IStepProofVerifier {
    bytes32 public constant circuitHash = "step circuit";
    uint256 public constant samples = 4;
    bool public constant insecure = false;

    function verifyStep(bytes calldata proof, uint256 oldHash, uint256 newHash, uint256 batchHash, uint256 prover)
        external
        pure
        returns (bool)
    {
        if (proof.length == 0) revert("no proof");
        return keccak256(proof) == keccak256(prove(oldHash, newHash, batchHash, prover));
    }

    function prove(uint256 oldHash, uint256 newHash, uint256 batchHash, uint256 prover)
        public
        pure
        returns (bytes memory)
    {
        return abi.encode("toy step", oldHash, newHash, batchHash, prover);
    }
}

/// @dev Runs of `STEPS` steps over `BATCHES` batches, with short words for what openers and trainers do.
abstract contract TrainingWorld is World {
    uint32 internal constant STEPS = 9;
    uint32 internal constant BATCHES = 5;
    uint96 internal constant STAKE = 40 ether;

    VerifierRegistry internal registry;
    TrainingProofs internal runs;
    ToyStepVerifier internal verifier;
    bytes32 internal verifierKey;

    address internal opener = actor("opener", 0);
    address internal trainer = actor("trainer", 0);

    function setUp() public virtual override {
        vm.warp(1_000_000);
        vm.roll(1_000);
        token = new UtilityToken(address(this), SUPPLY);
        parameters = new Parameters(address(this), _parameters());
        registry = new VerifierRegistry();
        runs = new TrainingProofs(token, parameters, registry);
        verifier = new ToyStepVerifier();
        verifierKey = registry.register(IAccuracyVerifier(address(verifier)));
    }

    function runTerms() internal view returns (RunTerms memory) {
        return RunTerms({
            verifier: verifierKey,
            initialState: stateHash(0),
            batchRoot: IndexedMerkle.rootOfAll(batchLeaves()),
            scheduleSeed: "schedule",
            trainer: trainer,
            bond: STAKE,
            batches: BATCHES,
            steps: STEPS,
            draws: 3,
            commitSeconds: 600,
            proveSeconds: 900
        });
    }

    // What was trained

    function stateHash(uint256 index) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("state", index))) >> 8;
    }

    function batchHash(uint256 batch) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("batch", batch))) >> 8;
    }

    function batchLeaves() internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](BATCHES);
        for (uint256 i = 0; i < BATCHES; ++i) {
            leaves[i] = keccak256(abi.encode(12, batchHash(i)));
        }
    }

    function batchOfStep(uint256 step) internal pure virtual returns (uint256) {
        return uint256(keccak256(abi.encode(bytes32("schedule"), step))) % BATCHES;
    }

    function batchHashOfStep(uint256 step) internal pure returns (uint256) {
        return step == STEPS ? 0 : batchHash(batchOfStep(step));
    }

    function stepLeaves() internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](STEPS + 1);
        for (uint256 i = 0; i <= STEPS; ++i) {
            leaves[i] = keccak256(abi.encode(10, stateHash(i), batchHashOfStep(i)));
        }
    }

    function leaf(uint256 index) internal pure returns (StepLeaf memory) {
        return StepLeaf(stateHash(index), batchHashOfStep(index), pathIn(stepLeaves(), index));
    }

    function pathIn(bytes32[] memory level, uint256 index) internal pure returns (bytes32[] memory path) {
        path = new bytes32[](8);
        uint256 used = 0;
        uint256 width = level.length;
        for (uint256 place = index; width > 1; place /= 2) {
            if (place ^ 1 < width) path[used++] = level[place ^ 1];
            for (uint256 i = 0; i < width / 2; ++i) {
                level[i] = keccak256(abi.encode(level[2 * i], level[2 * i + 1]));
            }
            if (width % 2 == 1) level[width / 2] = level[width - 1];
            width = (width + 1) / 2;
        }
        assembly ("memory-safe") {
            mstore(path, used)
        }
    }

    // Verbs

    function opened(RunTerms memory terms) internal returns (bytes32) {
        vm.prank(opener);
        return runs.open("key", terms);
    }

    function committed(RunTerms memory terms) internal returns (bytes32 run) {
        run = opened(terms);
        commit(run);
    }

    function commit(bytes32 run) internal {
        uint256 bond = runs.termsOf(run).bond;
        fund(trainer, bond);
        vm.prank(trainer);
        token.approve(address(runs), bond);
        vm.prank(trainer);
        runs.commit(run, IndexedMerkle.rootOfAll(stepLeaves()), leaf(0), leaf(STEPS));
    }

    function drawn(RunTerms memory terms) internal returns (bytes32 run) {
        run = committed(terms);
        drawNow(run, "block hash");
    }

    function drawNow(bytes32 run, bytes32 blockHash) internal {
        vm.roll(block.number + 2);
        vm.setBlockhash(block.number - 1, blockHash);
        runs.draw(run);
    }

    function proofOf(bytes32 run, uint256 step) internal view returns (bytes memory) {
        return verifier.prove(stateHash(step), stateHash(step + 1), batchHashOfStep(step), runs.binding(run));
    }

    function submit(bytes32 run, uint256 draw) internal {
        uint256 step = runs.stepOf(run, draw);
        submitAs(run, draw, step, proofOf(run, step));
    }

    function submitAs(bytes32 run, uint256 draw, uint256 step, bytes memory proof) internal {
        bytes32[] memory path = pathIn(batchLeaves(), runs.batchOf(run, step));
        runs.submit(run, draw, leaf(step), leaf(step + 1), path, proof);
    }

    function assertStatus(bytes32 run, RunStatus expected) internal view {
        vm.assertEq(uint256(runs.statusOf(run)), uint256(expected), "status");
    }
}

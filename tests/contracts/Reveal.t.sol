// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Claim, IProofOfTraining, Model } from "../../contracts/interfaces/IProofOfTraining.sol";
import { Role } from "../../contracts/interfaces/IStakeVault.sol";
import { Phase } from "../../contracts/libraries/Lifecycle.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract RevealTest is World {
    function test_a_reveal_opens_the_claim() public {
        uint256 oid = claimed(3);
        toReveal(oid);
        reveal(oid, provider(2));
        vm.expectEmit(address(proof));
        emit IProofOfTraining.Revealed(oid, provider(0), 1, modelRoot(provider(0)), modelCid(provider(0)));
        reveal(oid, provider(0));
        Model[] memory models = proof.modelsOf(oid);
        vm.assertEq(models.length, 2, "models");
        vm.assertEq(models[1].provider, provider(0), "provider");
        vm.assertEq(models[1].sequence, 1, "sequence");
        vm.assertEq(models[1].modelRoot, modelRoot(provider(0)), "root");
        vm.assertEq(models[1].cid, modelCid(provider(0)), "cid");
        Claim memory theirs = proof.claimOf(oid, provider(0));
        vm.assertTrue(theirs.revealed && theirs.modelIndex == 1, "claim");
        vm.assertEq(locked(provider(0), Role.Provider), 50 * UNIT, "still locked");
        vm.assertEq(proof.factsOf(oid).reveals, 2, "facts");
    }

    function test_reveals_have_a_window() public {
        uint256 oid = claimed(1);
        _refused(oid, 0, _wrongPhase(oid, Phase.Training));
        toScoreCommit(oid);
        _refused(oid, 0, _wrongPhase(oid, Phase.Sealable));
        vm.warp(block.timestamp - 1);
        reveal(oid, provider(0));
    }

    function test_only_claimants_reveal_and_only_once() public {
        uint256 oid = claimed(1);
        toReveal(oid);
        _refused(oid, 1, abi.encodeWithSelector(IProofOfTraining.NothingCommitted.selector, oid, provider(1)));
        reveal(oid, provider(0));
        _refused(oid, 0, abi.encodeWithSelector(IProofOfTraining.AlreadyRevealed.selector, oid, provider(0)));
    }

    function test_an_opening_must_be_the_claim() public {
        uint256 oid = claimed(1);
        bytes32 commitment = modelCommitment(oid, provider(0));
        vm.prank(provider(0));
        proof.claim(oid, keccak256("another model"));
        toReveal(oid);
        _refused(
            oid,
            0,
            abi.encodeWithSelector(IProofOfTraining.WrongOpening.selector, keccak256("another model"), commitment)
        );
    }

    function _wrongPhase(uint256 oid, Phase actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.Reveal, actual);
    }

    function _refused(uint256 oid, uint256 index, bytes memory reason) private {
        vm.expectRevert(reason);
        reveal(oid, provider(index));
    }
}

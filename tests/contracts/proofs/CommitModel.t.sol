// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    IAccuracyProofs,
    ProofPhase,
    ProofTerms,
    ProverStatus
} from "../../../contracts/interfaces/IAccuracyProofs.sol";
import { vm } from "../support/Vm.sol";
import { ProofWorld } from "./support/ProofWorld.sol";

contract CommitModelTest is ProofWorld {
    uint256 private constant FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617;

    function test_a_commitment_locks_the_bond() public {
        bytes32 round = openRound(proofTerms());
        commit(round, prover(1));
        vm.expectEmit(address(proofs));
        emit IAccuracyProofs.ModelCommitted(round, prover(0), modelHashOf(prover(0)), 1);
        // fund and approve come first in commit, so the event is expected from the whole of it
        this.commitAs(round, prover(0));
        vm.assertEq(token.balanceOf(address(proofs)), 2 * STAKE, "bonds");
        vm.assertEq(token.balanceOf(prover(0)), 0, "paid");
        (ProverStatus status, uint256 modelHash, uint256 correct, uint256 proven) = proofs.proverOf(round, prover(0));
        vm.assertEq(uint256(status), uint256(ProverStatus.Committed), "status");
        vm.assertTrue(modelHash == modelHashOf(prover(0)) && correct == 0 && proven == 0, "nothing proven");
        assertStatus(round, prover(2), ProverStatus.None);
        (uint256 committed, uint256 finished) = proofs.countsOf(round);
        vm.assertTrue(committed == 2 && finished == 0, "counts");
    }

    function commitAs(bytes32 round, address account) external {
        commit(round, account);
    }

    function test_one_commitment_for_each_account() public {
        bytes32 round = openRound(proofTerms());
        commit(round, prover(0));
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.AlreadyCommitted.selector, round, prover(0)));
        vm.prank(prover(0));
        proofs.commit(round, 5);
    }

    function test_without_the_bond_nothing_is_committed() public {
        bytes32 round = openRound(proofTerms());
        vm.expectPartialRevert(bytes4(keccak256("ERC20InsufficientAllowance(address,uint256,uint256)")));
        vm.prank(prover(0));
        proofs.commit(round, 5);
        assertStatus(round, prover(0), ProverStatus.None);
    }

    function test_a_hash_is_an_element_of_the_field() public {
        bytes32 round = openRound(proofTerms());
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.NotInField.selector, FIELD));
        vm.prank(prover(0));
        proofs.commit(round, FIELD);
        commit(round, prover(0), FIELD - 1);
        commit(round, prover(1), 0);
        assertStatus(round, prover(1), ProverStatus.Committed);
    }

    function test_a_full_round_takes_nobody() public {
        ProofTerms memory t = proofTerms();
        t.maximumProvers = 2;
        bytes32 round = openRound(t);
        commit(round, prover(0));
        commit(round, prover(1));
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.RoundIsFull.selector, round, 2));
        vm.prank(prover(2));
        proofs.commit(round, 5);
    }

    function test_after_the_end_nobody_commits() public {
        bytes32 round = openRound(proofTerms());
        commit(round, prover(0));
        toDraw(round);
        vm.expectRevert(
            abi.encodeWithSelector(IAccuracyProofs.WrongProofPhase.selector, round, ProofPhase.Commit, ProofPhase.Draw)
        );
        vm.prank(prover(1));
        proofs.commit(round, 5);
    }

    function test_a_gated_round_is_the_openers() public {
        bytes32 round = _gated();
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.RoundIsGated.selector, round, true));
        vm.prank(prover(0));
        proofs.commit(round, 5);
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.NotTheOpener.selector, round, opener, prover(0)));
        vm.prank(prover(0));
        proofs.commitFor(round, prover(0), 5);
        vm.prank(opener);
        proofs.commitFor(round, prover(0), 5);
        assertStatus(round, prover(0), ProverStatus.Committed);
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.NotTheOpener.selector, round, opener, prover(0)));
        vm.prank(prover(0));
        proofs.endCommits(round);
        vm.expectEmit(address(proofs));
        emit IAccuracyProofs.CommitsEnded(round, uint64(block.timestamp));
        vm.prank(opener);
        proofs.endCommits(round);
        assertPhase(round, ProofPhase.Draw);
        vm.expectRevert(
            abi.encodeWithSelector(IAccuracyProofs.WrongProofPhase.selector, round, ProofPhase.Commit, ProofPhase.Draw)
        );
        vm.prank(opener);
        proofs.endCommits(round);
    }

    function test_an_open_round_is_nobodys() public {
        bytes32 round = openRound(proofTerms());
        bytes memory refusal = abi.encodeWithSelector(IAccuracyProofs.RoundIsGated.selector, round, false);
        vm.expectRevert(refusal);
        vm.prank(opener);
        proofs.commitFor(round, prover(0), 5);
        vm.expectRevert(refusal);
        vm.prank(opener);
        proofs.endCommits(round);
    }

    function test_a_round_in_which_nobody_commits_is_over() public {
        bytes32 round = openRound(proofTerms());
        toDraw(round);
        assertPhase(round, ProofPhase.Over);
        bytes32 gated = _gated();
        vm.prank(opener);
        proofs.endCommits(gated);
        assertPhase(gated, ProofPhase.Over);
    }

    function _gated() private returns (bytes32) {
        ProofTerms memory t = proofTerms();
        (t.gated, t.bond) = (true, 0);
        return openRound("gated", t);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {
    IAccuracyProofs,
    ProofPhase,
    ProofTerms,
    ProverStatus
} from "../../../contracts/interfaces/IAccuracyProofs.sol";
import { AccuracyProofs } from "../../../contracts/proofs/AccuracyProofs.sol";
import { HostileToken } from "../support/HostileToken.sol";
import { vm } from "../support/Vm.sol";
import { ProofWorld } from "./support/ProofWorld.sol";
import { HostileVerifier } from "./support/ToyVerifier.sol";

/// @dev What an attacker tries with true proofs of others, with verifiers and tokens of its own, and with time.
contract ProofAttacksTest is ProofWorld {
    function test_a_copied_commitment_cannot_be_proven_and_costs_its_bond() public {
        bytes32 round = openRound(proofTerms());
        commit(round, prover(1), modelHashOf(prover(0)));
        commit(round, prover(0));
        toDraw(round);
        drawNow(round, "block hash");
        for (uint256 draw = 0; draw < 3; ++draw) {
            uint256 chunk = proofs.chunkOf(round, draw);
            bytes memory proof = proofOf(round, prover(0), chunk, 8);
            _refused(round, prover(1), draw, chunk, 8, proof);
            submit(round, prover(0), draw, 8);
        }
        toOver(round);
        assertStatus(round, prover(0), ProverStatus.Accepted);
        proofs.slashNoShow(round, prover(1));
        assertStatus(round, prover(1), ProverStatus.Slashed);
    }

    function test_another_chunk_count_or_round_is_refused() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 1);
        bytes32 later = openRound("later", proofTerms());
        drawn(later, 1);
        uint256 chunk = proofs.chunkOf(round, 0);
        bytes memory proof = proofOf(round, prover(0), chunk, 6);
        _refused(round, prover(0), 0, chunk, 7, proof);
        _refused(round, prover(0), 0, chunk, 5, proof);
        uint256 second = proofs.chunkOf(round, 1);
        _refused(round, prover(0), 1, second, 6, proof);
        // the same author, model and chunk in another round
        for (uint256 draw = 0; draw < 3; ++draw) {
            uint256 there = proofs.chunkOf(later, draw);
            _refused(later, prover(0), draw, there, 6, proofOf(round, prover(0), there, 6));
        }
        _refused(round, prover(0), 0, chunk, 6, "");
        submit(round, prover(0), 0, 6);
    }

    function test_a_proof_of_another_chain_or_contract_is_refused() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 1);
        uint256 chunk = proofs.chunkOf(round, 0);
        bytes memory proof = proofOf(round, prover(0), chunk, 8);
        vm.chainId(97);
        _refused(round, prover(0), 0, chunk, 8, proof);
        vm.chainId(31337);
        AccuracyProofs fork = new AccuracyProofs(token, parameters, registry);
        vm.assertTrue(fork.binding(round, prover(0)) != proofs.binding(round, prover(0)), "bound to the contract");
        submit(round, prover(0), 0, 8);
    }

    function test_a_hostile_verifier_gains_nothing() public {
        for (uint256 way = 0; way < 3; ++way) {
            HostileVerifier hostile = new HostileVerifier(HostileVerifier.Way(way));
            ProofTerms memory t = proofTerms();
            t.verifier = registry.register(hostile);
            bytes32 round = openRound(bytes32(way), t);
            drawn(round, 1);
            uint256 chunk = proofs.chunkOf(round, 0);
            // what would change something fails in a static call: its own round's draw, and this very submission
            bytes memory again = abi.encodeCall(proofs.returnBond, (round, prover(0)));
            _refused(round, prover(0), 0, chunk, 8, abi.encode(address(proofs), again));
            vm.assertEq(token.balanceOf(address(proofs)), STAKE * (way + 1), "the bonds stay");
        }
    }

    function test_a_hostile_token_cannot_reenter() public {
        HostileToken hostile = new HostileToken();
        proofs = new AccuracyProofs(hostile, parameters, registry);
        hostile.approve(address(proofs), type(uint256).max);
        bytes32 round = openRound(proofTerms());
        bytes4 guard = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;
        hostile.arm(address(proofs), abi.encodeCall(proofs.commit, (round, 6)));
        vm.expectRevert(guard);
        proofs.commit(round, 5);
        hostile.arm(address(0), "");
        proofs.commit(round, modelHashOf(address(this)));
        hostile.transfer(prover(0), STAKE);
        vm.prank(prover(0));
        hostile.approve(address(proofs), STAKE);
        vm.prank(prover(0));
        proofs.commit(round, 5);
        toDraw(round);
        drawNow(round, "block hash");
        submitAll(round, address(this), 8);
        hostile.arm(address(proofs), abi.encodeCall(proofs.returnBond, (round, address(this))));
        vm.expectRevert(guard);
        proofs.returnBond(round, address(this));
        toOver(round);
        hostile.arm(address(proofs), abi.encodeCall(proofs.slashNoShow, (round, prover(0))));
        vm.expectRevert(guard);
        proofs.slashNoShow(round, prover(0));
    }

    /// @dev Seats that a flood takes cost their bonds; the opener who wants to choose gates its round.
    function test_a_flood_of_an_open_round_pays_for_every_seat() public {
        bytes32 round = openRound(proofTerms());
        for (uint256 i = 0; i < 5; ++i) {
            commit(round, actor("flood", i));
        }
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.RoundIsFull.selector, round, 5));
        vm.prank(prover(0));
        proofs.commit(round, 5);
        toDraw(round);
        drawNow(round, "block hash");
        toOver(round);
        uint256 supply = token.totalSupply();
        for (uint256 i = 0; i < 5; ++i) {
            proofs.slashNoShow(round, actor("flood", i));
        }
        vm.assertEq(supply - token.totalSupply(), 5 * STAKE * 9 / 10, "burned");
    }

    /// @dev An allowance to the contract is to be spent by its owner's commitment alone.
    function test_an_opener_cannot_lock_the_money_of_who_has_an_allowance() public {
        fund(prover(0), STAKE);
        vm.prank(prover(0));
        token.approve(address(proofs), STAKE);
        ProofTerms memory t = proofTerms();
        t.gated = true;
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.TermOutOfRange.selector, "bond", 0, 0, STAKE));
        proofs.open(KEY, t);
        t.bond = 0;
        bytes32 round = openRound(t);
        vm.prank(opener);
        proofs.commitFor(round, prover(0), 5);
        vm.assertEq(token.balanceOf(prover(0)), STAKE, "untouched");
    }

    function test_late_provers_do_not_hold_up_the_others() public {
        bytes32 round = openRound(proofTerms());
        drawn(round, 2);
        submitAll(round, prover(0), 8);
        proofs.returnBond(round, prover(0));
        assertPhase(round, ProofPhase.Prove);
        toOver(round);
        assertPhase(round, ProofPhase.Over);
        assertStatus(round, prover(1), ProverStatus.NoShow);
    }

    function _refused(bytes32 round, address account, uint256 draw, uint256 chunk, uint256 correct, bytes memory proof)
        private
    {
        bytes32[] memory path = pathOf(chunk);
        vm.expectRevert(abi.encodeWithSelector(IAccuracyProofs.InvalidProof.selector, round, account, draw));
        proofs.submit(round, account, draw, chunkHash(chunk), path, correct, proof);
    }
}

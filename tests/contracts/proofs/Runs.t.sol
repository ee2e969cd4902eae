// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { ITrainingProofs, RunStatus, RunTerms, StepLeaf } from "../../../contracts/interfaces/ITrainingProofs.sol";
import { IVerifierRegistry } from "../../../contracts/interfaces/IVerifierRegistry.sol";
import { IndexedMerkle } from "../../../contracts/libraries/IndexedMerkle.sol";
import { TrainingProofs } from "../../../contracts/proofs/TrainingProofs.sol";
import { HostileToken } from "../support/HostileToken.sol";
import { vm } from "../support/Vm.sol";
import { TrainingWorld } from "./support/TrainingWorld.sol";

contract RunsTest is TrainingWorld {
    address private reporter = actor("reporter", 0);

    // The way it should go

    function test_a_run_is_accepted_when_all_drawn_steps_are_proven_and_the_bond_returns() public {
        bytes32 run = opened(runTerms());
        assertStatus(run, RunStatus.Open);
        commit(run);
        assertStatus(run, RunStatus.Drawing);
        vm.assertEq(token.balanceOf(address(runs)), STAKE, "bond taken");
        drawNow(run, "block hash");
        assertStatus(run, RunStatus.Proving);
        submit(run, 2);
        submit(run, 0);
        assertStatus(run, RunStatus.Proving);
        vm.assertTrue(runs.isProven(run, 2) && !runs.isProven(run, 1) && !runs.isProven(run, 64), "which");
        uint256 step = runs.stepOf(run, 1);
        vm.expectEmit(address(runs));
        emit ITrainingProofs.StepProven(run, 1, step);
        vm.expectEmit(address(runs));
        emit ITrainingProofs.RunAccepted(run, trainer, stateHash(STEPS), STEPS, 3);
        submit(run, 1);
        assertStatus(run, RunStatus.Accepted);
        vm.warp(block.timestamp + 1000);
        assertStatus(run, RunStatus.Accepted);
        vm.expectEmit(address(runs));
        emit ITrainingProofs.RunBondReturned(run, trainer, STAKE);
        runs.returnBond(run);
        vm.assertEq(token.balanceOf(trainer), STAKE, "whole");
        vm.expectRevert(abi.encodeWithSelector(ITrainingProofs.NoBondToReturn.selector, run));
        runs.returnBond(run);
    }

    function test_a_run_in_which_every_step_is_proven() public {
        RunTerms memory terms = runTerms();
        terms.draws = uint16(STEPS);
        bytes32 run = drawn(terms);
        uint256 seen = 0;
        for (uint256 i = 0; i < STEPS; ++i) {
            seen |= 1 << runs.stepOf(run, i);
            submit(run, i);
        }
        vm.assertEq(seen, 2 ** STEPS - 1, "each step once");
        assertStatus(run, RunStatus.Accepted);
    }

    function test_missing_proofs_cost_the_bond() public {
        bytes32 run = drawn(runTerms());
        submit(run, 0);
        submit(run, 1);
        _slashRefused(run, RunStatus.Proving);
        vm.warp(block.timestamp + 900);
        bytes memory late = proofOf(run, runs.stepOf(run, 2));
        uint256 step = runs.stepOf(run, 2);
        bytes32[] memory path = pathIn(batchLeaves(), runs.batchOf(run, step));
        vm.expectRevert(_wrongStatus(run, RunStatus.Proving, RunStatus.NoShow));
        runs.submit(run, 2, leaf(step), leaf(step + 1), path, late);
        uint256 supply = token.totalSupply();
        vm.expectEmit(address(runs));
        emit ITrainingProofs.RunSlashed(run, trainer, reporter, STAKE / 10, STAKE - STAKE / 10);
        vm.prank(reporter);
        runs.slashNoShow(run);
        vm.assertEq(token.balanceOf(reporter), STAKE / 10, "reporter's share");
        vm.assertEq(supply - token.totalSupply(), STAKE - STAKE / 10, "burned");
        vm.assertEq(token.balanceOf(address(runs)), 0, "nothing left");
        _slashRefused(run, RunStatus.Slashed);
        vm.expectRevert(_wrongStatus(run, RunStatus.Accepted, RunStatus.Slashed));
        runs.returnBond(run);
    }

    // Opening

    function test_terms_have_bounds() public {
        RunTerms memory terms = runTerms();
        terms.trainer = address(0);
        _refused(terms, abi.encodeWithSelector(ITrainingProofs.NoTrainer.selector));
        terms = runTerms();
        terms.initialState = type(uint256).max;
        _refused(terms, abi.encodeWithSelector(ITrainingProofs.StateNotInField.selector, type(uint256).max));
        terms = runTerms();
        terms.verifier = "nobody's";
        _refused(terms, abi.encodeWithSelector(IVerifierRegistry.UnknownVerifier.selector, bytes32("nobody's")));
        terms = runTerms();
        terms.batches = 0;
        _refused(terms, _outOfRange("batches", 2 ** 20, 0));
        terms.batches = 2 ** 20 + 1;
        _refused(terms, _outOfRange("batches", 2 ** 20, 2 ** 20 + 1));
        terms = runTerms();
        terms.steps = 2 ** 20 + 1;
        _refused(terms, _outOfRange("steps", 2 ** 20, 2 ** 20 + 1));
        terms = runTerms();
        terms.draws = 0;
        _refused(terms, _outOfRange("draws", STEPS, 0));
        terms.draws = uint16(STEPS) + 1;
        _refused(terms, _outOfRange("draws", STEPS, STEPS + 1));
        terms.steps = 1000;
        terms.draws = 65;
        _refused(terms, _outOfRange("draws", 64, 65));
        terms = runTerms();
        terms.commitSeconds = 0;
        _refused(terms, _outOfRange("commitSeconds", 365 days, 0));
        terms = runTerms();
        terms.proveSeconds = 30 days + 1;
        _refused(terms, _outOfRange("proveSeconds", 30 days, 30 days + 1));
    }

    function test_a_key_is_used_once_and_belongs_to_its_opener() public {
        bytes32 run = opened(runTerms());
        vm.assertEq(run, runs.runId(opener, "key"), "id");
        _refused(runTerms(), abi.encodeWithSelector(ITrainingProofs.RunExists.selector, run));
        bytes32 other = runs.open("key", runTerms());
        vm.assertTrue(other != run, "another's key");
        vm.assertTrue(runs.binding(other) != runs.binding(run), "another run, another binding");
        bytes32 none = "none";
        vm.expectRevert(abi.encodeWithSelector(ITrainingProofs.UnknownRun.selector, none));
        runs.termsOf(none);
        assertStatus(none, RunStatus.None);
    }

    // Committing

    function test_only_the_trainer_commits_in_time_once_and_to_the_agreed_beginning() public {
        bytes32 run = opened(runTerms());
        bytes32 root = IndexedMerkle.rootOfAll(stepLeaves());
        StepLeaf memory first = leaf(0);
        StepLeaf memory last = leaf(STEPS);
        vm.expectRevert(abi.encodeWithSelector(ITrainingProofs.NotTheTrainer.selector, run, trainer, address(this)));
        runs.commit(run, root, first, last);
        vm.startPrank(trainer);
        vm.expectRevert(abi.encodeWithSelector(ITrainingProofs.WrongState.selector, stateHash(0), last.stateHash));
        runs.commit(run, root, last, last);
        StepLeaf memory wrong = leaf(STEPS - 1);
        vm.expectPartialRevert(ITrainingProofs.WrongLeaf.selector);
        runs.commit(run, root, first, wrong);
        wrong = leaf(STEPS);
        wrong.stateHash += 1;
        vm.expectPartialRevert(ITrainingProofs.WrongLeaf.selector);
        runs.commit(run, root, first, wrong);
        wrong.stateHash = type(uint256).max;
        vm.expectRevert(abi.encodeWithSelector(ITrainingProofs.StateNotInField.selector, type(uint256).max));
        runs.commit(run, root, first, wrong);
        vm.stopPrank();
        uint256 before = vm.snapshotState();
        commit(run);
        vm.prank(trainer);
        vm.expectRevert(_wrongStatus(run, RunStatus.Open, RunStatus.Drawing));
        runs.commit(run, root, first, last);
        vm.revertToState(before);
        vm.warp(block.timestamp + 600);
        vm.prank(trainer);
        vm.expectRevert(_wrongStatus(run, RunStatus.Open, RunStatus.Lapsed));
        runs.commit(run, root, first, last);
        _slashRefused(run, RunStatus.Lapsed);
    }

    // Drawing

    function test_the_draw_waits_for_its_block_and_is_fixed_once() public {
        bytes32 run = committed(runTerms());
        vm.expectRevert(_wrongStatus(run, RunStatus.Proving, RunStatus.Drawing));
        runs.stepOf(run, 0);
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ITrainingProofs.StepDrawTooEarly.selector, run, 1002, block.number));
            runs.draw(run);
            vm.roll(1001);
        }
        vm.roll(1002);
        vm.setBlockhash(1001, "block hash");
        runs.draw(run);
        vm.expectRevert(_wrongStatus(run, RunStatus.Drawing, RunStatus.Proving));
        runs.draw(run);
        vm.expectRevert(abi.encodeWithSelector(ITrainingProofs.StepDrawOutOfRange.selector, 3, 3));
        runs.stepOf(run, 3);
    }

    function test_a_draw_that_nobody_fixes_gets_two_more_blocks_and_then_costs_the_bond() public {
        bytes32 run = committed(runTerms());
        for (uint256 i = 0; i < 2; ++i) {
            vm.roll(block.number + 258);
            vm.expectEmit(address(runs));
            emit ITrainingProofs.StepDrawScheduled(run, uint64(block.number + 1));
            runs.draw(run);
            assertStatus(run, RunStatus.Drawing);
        }
        vm.roll(block.number + 257);
        assertStatus(run, RunStatus.Drawing);
        vm.roll(block.number + 1);
        vm.expectRevert(_wrongStatus(run, RunStatus.Drawing, RunStatus.NoShow));
        runs.draw(run);
        runs.slashNoShow(run);
    }

    function test_nor_can_the_trainer_wait_for_ever_with_the_draw() public {
        bytes32 run = committed(runTerms());
        vm.warp(block.timestamp + 899);
        assertStatus(run, RunStatus.Drawing);
        vm.warp(block.timestamp + 1);
        assertStatus(run, RunStatus.NoShow);
        runs.slashNoShow(run);
    }

    // Proving

    function test_a_proof_holds_for_its_step_its_run_and_once() public {
        bytes32 run = drawn(runTerms());
        uint256 step = runs.stepOf(run, 0);
        bytes memory proof = proofOf(run, step);
        StepLeaf memory before = leaf(step);
        StepLeaf memory next = leaf(step + 1);
        bytes32[] memory path = pathIn(batchLeaves(), runs.batchOf(run, step));
        // another run's, another step's, none at all
        bytes32 other = runs.open("other", runTerms());
        _invalid(run, before, next, path, proofOf(other, step));
        _invalid(run, before, next, path, proofOf(run, runs.stepOf(run, 1)));
        _invalid(run, before, next, path, "");
        // another place of the tree, or another leaf at the place
        uint256 another = runs.stepOf(run, 1);
        vm.expectPartialRevert(ITrainingProofs.WrongLeaf.selector);
        runs.submit(run, 0, _at(before, leaf(another)), next, path, proof);
        StepLeaf memory forged = leaf(step);
        forged.stateHash += 1;
        vm.expectPartialRevert(ITrainingProofs.WrongLeaf.selector);
        runs.submit(run, 0, forged, next, path, proof);
        forged = leaf(step);
        forged.batchHash += 1;
        vm.expectPartialRevert(ITrainingProofs.WrongLeaf.selector);
        runs.submit(run, 0, forged, next, path, proof);
        forged = leaf(step + 1);
        forged.stateHash += 1;
        vm.expectPartialRevert(ITrainingProofs.WrongLeaf.selector);
        runs.submit(run, 0, before, forged, path, proof);
        // once
        runs.submit(run, 0, before, next, path, proof);
        vm.expectRevert(abi.encodeWithSelector(ITrainingProofs.StepAlreadyProven.selector, run, 0));
        runs.submit(run, 0, before, next, path, proof);
        vm.expectRevert(abi.encodeWithSelector(ITrainingProofs.StepDrawOutOfRange.selector, 3, 3));
        runs.submit(run, 3, before, next, path, proof);
    }

    // Money

    /// @dev Whatever is done, no token appears, none is stuck once the run is over, and nobody has another's.
    function testFuzz_money(uint96 bond, uint8 proven, uint8 acts, uint32 wait, bytes32 blockHash) public {
        RunTerms memory terms = runTerms();
        terms.bond = bond % (1_000 ether);
        uint256 supply = token.totalSupply();
        bytes32 run = committed(terms);
        bytes32 elsewhere = _another();
        if (acts & 1 != 0) {
            drawNow(run, blockHash | bytes32(uint256(1))); // a hash of 0 is none
            for (uint256 i = 0; i < 3; ++i) {
                if (proven >> i & 1 != 0) submit(run, i);
            }
        }
        vm.warp(block.timestamp + wait % 2000);
        for (uint256 i = 0; i < 3; ++i) {
            vm.prank(reporter);
            try runs.slashNoShow(run) { } catch { }
            try runs.returnBond(run) { } catch { }
        }
        uint256 burned = supply - token.totalSupply();
        RunStatus status = runs.statusOf(run);
        uint256 held = token.balanceOf(address(runs)) - STAKE;
        uint256 paid = token.balanceOf(reporter);
        vm.assertEq(held + burned + paid + token.balanceOf(trainer), terms.bond, "conserved");
        bool accepted = acts & 1 != 0 && proven & 7 == 7;
        if (accepted) vm.assertEq(token.balanceOf(trainer), terms.bond, "accepted: whole");
        if (status == RunStatus.Slashed) {
            vm.assertEq(paid, uint256(terms.bond) / 10, "reporter");
            vm.assertEq(burned, terms.bond - paid, "the rest");
        } else if (!accepted) {
            vm.assertEq(held, terms.bond, "still locked");
        }
        vm.assertTrue(accepted == (status == RunStatus.Accepted), "accepted");
        vm.assertTrue(runs.statusOf(elsewhere) == RunStatus.Drawing || wait % 2000 >= 900, "untouched");
    }

    function test_a_token_that_calls_back_finds_the_door_shut() public {
        HostileToken hostile = new HostileToken();
        TrainingProofs own = new TrainingProofs(hostile, parameters, registry);
        runs = own;
        vm.prank(opener);
        bytes32 run = own.open("key", runTerms());
        hostile.transfer(trainer, STAKE);
        vm.prank(trainer);
        hostile.approve(address(own), STAKE);
        vm.prank(trainer);
        own.commit(run, IndexedMerkle.rootOfAll(stepLeaves()), leaf(0), leaf(STEPS));
        drawNow(run, "block hash");
        for (uint256 i = 0; i < 3; ++i) {
            submit(run, i);
        }
        hostile.arm(address(own), abi.encodeCall(ITrainingProofs.returnBond, (run)));
        vm.expectRevert(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        own.returnBond(run);
        hostile.arm(address(0), "");
        own.returnBond(run);
        vm.assertEq(hostile.balanceOf(trainer), STAKE, "once");
    }

    function _another() private returns (bytes32 run) {
        run = runs.open("another", runTerms());
        commit(run);
    }

    function _at(StepLeaf memory place, StepLeaf memory content) private pure returns (StepLeaf memory) {
        return StepLeaf(content.stateHash, content.batchHash, place.path);
    }

    function _invalid(
        bytes32 run,
        StepLeaf memory before,
        StepLeaf memory next,
        bytes32[] memory path,
        bytes memory proof
    ) private {
        vm.expectRevert(abi.encodeWithSelector(ITrainingProofs.InvalidStepProof.selector, run, 0));
        runs.submit(run, 0, before, next, path, proof);
    }

    function _refused(RunTerms memory terms, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(opener);
        runs.open("key", terms);
    }

    function _slashRefused(bytes32 run, RunStatus actual) private {
        vm.expectRevert(_wrongStatus(run, RunStatus.NoShow, actual));
        runs.slashNoShow(run);
    }

    function _outOfRange(string memory term, uint256 most, uint256 actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITrainingProofs.RunTermOutOfRange.selector, term, 1, most, actual);
    }

    function _wrongStatus(bytes32 run, RunStatus expected, RunStatus actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ITrainingProofs.WrongRunStatus.selector, run, expected, actual);
    }
}

/// @dev A trainer that takes its batches as it likes.
contract OwnScheduleTest is TrainingWorld {
    function batchOfStep(uint256 step) internal pure override returns (uint256) {
        return (super.batchOfStep(step) + 1) % BATCHES;
    }

    function test_a_batch_that_the_schedule_does_not_name_proves_nothing() public {
        bytes32 run = drawn(runTerms());
        uint256 step = runs.stepOf(run, 0);
        bytes memory proof = proofOf(run, step);
        bytes32[] memory own = pathIn(batchLeaves(), batchOfStep(step));
        try runs.submit(run, 0, leaf(step), leaf(step + 1), own, proof) {
            vm.assertTrue(false, "its own batch, at its own place");
        } catch { }
        bytes32[] memory named = pathIn(batchLeaves(), runs.batchOf(run, step));
        vm.expectPartialRevert(ITrainingProofs.WrongBatch.selector);
        runs.submit(run, 0, leaf(step), leaf(step + 1), named, proof);
        vm.warp(block.timestamp + 900);
        runs.slashNoShow(run);
        assertStatus(run, RunStatus.Slashed);
    }
}

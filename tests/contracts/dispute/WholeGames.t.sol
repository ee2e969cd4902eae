// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Stage, Verdict } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { vm } from "../support/Vm.sol";
import { Game } from "./support/DisputeWorld.sol";
import { Network } from "./support/Networks.sol";
import { Players } from "./support/Players.sol";

/// @dev Games from the first move to the last. An honest challenger wins, and so does an honest defendant.
contract WholeGamesTest is Players {
    function test_a_lie_in_the_last_layer_is_found() public {
        _expectFalse(lying(small(), 100, 37, 1, 0));
    }

    function test_a_lie_in_the_first_layer_is_found() public {
        _expectFalse(lying(small(), 100, 99, 0, 0));
    }

    function test_a_lie_in_a_pool_is_found() public {
        _expectFalse(lying(pooled(), 3, 1, 0, 1050));
    }

    function test_a_lie_in_a_tensor_of_forty_chunks_is_found() public {
        _expectFalse(lying(embedded(), 2, 0, 0, 39 * 1024 + 100));
    }

    function test_a_lie_in_a_slice_is_found() public {
        _expectFalse(lying(embedded(), 2, 1, 1, 0));
    }

    function test_a_lie_about_a_test_set_of_one_sample_is_found() public {
        _expectFalse(lying(small(), 1, 0, 1, 0));
    }

    function test_a_challenge_of_the_truth_fails_wherever_it_goes() public {
        Network memory net = small();
        _expectStands(honest(net, 100, 0, 0, 0));
        _expectStands(honest(net, 100, 63, 0, 4));
        _expectStands(honest(net, 100, 99, 1, 0));
    }

    function test_a_challenge_of_a_true_pool_fails() public {
        _expectStands(honest(pooled(), 3, 2, 0, 1088));
    }

    function test_a_challenge_of_a_true_embedding_fails() public {
        _expectStands(honest(embedded(), 2, 0, 0, 5000));
    }

    function test_who_takes_a_place_defends_it() public {
        Game memory g = lying(small(), 3, 2, 0, 1);
        challengeable(g);
        vm.prank(challenger);
        g.id = disputes.counter(g.oid, liar, 0, total(g.scores));
        while (stageOf(g) != Stage.Closed) play(g);
        vm.assertEq(proof.seatOf(g.oid, liar, 0).holder, challenger, "taken");
        vm.assertEq(proof.tallyOf(g.oid, 0).live, 2, "and counted");
        address other = actor("challenger", 1);
        enrol(other, Role.Verifier, BOND);
        (g.claims, g.lie) = (g.scores, g.truth);
        reopened(g, other);
        while (stageOf(g) != Stage.Closed) play(g);
        vm.assertTrue(verdictOf(g) == Verdict.Stands, "the truth stands, whoever says it");
        vm.assertEq(token.balanceOf(challenger), VSTAKE / 2 + STAKE / 2, "who was paid twice");
        expectLocked(challenger, STAKE, "and whose stake is still behind it");
    }

    function _expectFalse(Game memory g) private {
        opened(g);
        while (stageOf(g) != Stage.Closed) play(g);
        vm.assertTrue(verdictOf(g) == Verdict.False, "the lie is found");
        vm.assertTrue(proof.isRemoved(g.oid, liar, 0), "and removed");
        vm.assertTrue(proof.tallyOf(g.oid, 0).eligible, "the model can win by the honest score");
    }

    function _expectStands(Game memory g) private {
        opened(g);
        while (stageOf(g) != Stage.Closed) play(g);
        vm.assertTrue(verdictOf(g) == Verdict.Stands, "the truth stands");
        vm.assertTrue(proof.isLive(g.oid, liar, 0), "and counts");
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    ClaimStatus,
    Fault,
    Handover,
    IPrivateOrders,
    PrivateOutcome,
    PrivatePhase,
    PrivateTerms
} from "../../../contracts/interfaces/IPrivateOrders.sol";
import { vm } from "../support/Vm.sol";
import { PrivateWorld } from "./support/PrivateWorld.sol";

/// @dev The life of a private order as long as nobody cheats: who may do what, when, and where the money goes.
contract PrivateOrdersTest is PrivateWorld {
    function test_an_order_is_put_and_holds_its_reward() public {
        PrivateTerms memory terms = openTerms();
        uint256 oid = putOrder(terms);
        vm.assertEq(oid, 1, "first");
        vm.assertEq(orders.orderCount(), 1, "count");
        vm.assertEq(keccak256(abi.encode(orders.termsOf(oid))), keccak256(abi.encode(terms)), "terms");
        vm.assertEq(orders.stateOf(oid).held, ESCROW, "held");
        vm.assertEq(orders.stateOf(oid).round, proofs.roundId(address(orders), bytes32(oid)), "round");
        vm.assertEq(orders.token(), address(token), "token");
        vm.assertEq(orders.parameters(), address(parameters), "parameters");
        vm.assertEq(orders.accuracyProofs(), address(proofs), "proofs");
        vm.assertEq(orders.handoverVerifier(), address(handovers), "handovers");
        assertBalance(address(orders), ESCROW, "in its hands");
        assertPrivatePhase(oid, PrivatePhase.Claim);
    }

    function test_terms_out_of_range() public {
        PrivateTerms memory terms = openTerms();
        terms.reward = uint96(UNIT) - 1;
        refused(terms, "reward", UNIT, type(uint96).max, terms.reward);
        terms = openTerms();
        terms.bond = uint96(50 * UNIT) - 1;
        refused(terms, "bond", 50 * UNIT, type(uint96).max, terms.bond);
        terms = openTerms();
        terms.requestBond = 0;
        refused(terms, "requestBond", 1, type(uint96).max, 0);
        terms = openTerms();
        terms.maximumClaims = 6;
        refused(terms, "maximumClaims", 1, 5, 6);
        terms = openTerms();
        terms.elements = 2;
        refused(terms, "elements", 3, 2 ** 20, 2);
        terms = openTerms();
        terms.sampleSize = 1;
        refused(terms, "sampleSize", 0, 0, 1);
        terms = openTerms();
        terms.releaseSeconds = 1;
        refused(terms, "releaseSeconds", 0, 0, 1);
        terms = sealedTerms();
        terms.sampleSize = 0;
        refused(terms, "sampleSize", 1, 2 ** 20, 0);
        terms = sealedTerms();
        terms.releaseSeconds = 0;
        refused(terms, "releaseSeconds", 1, 30 days, 0);
        terms = openTerms();
        terms.claimSeconds = 0;
        refused(terms, "claimSeconds", 1, 30 days, 0);
        terms = openTerms();
        terms.answerSeconds = 30 days + 1;
        refused(terms, "answerSeconds", 1, 30 days, 30 days + 1);
    }

    function test_cancel() public {
        uint256 oid = putOrder(openTerms());
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.OnlyTheClient.selector, oid, client, address(this)));
        orders.cancel(oid);
        vm.prank(client);
        orders.cancel(oid);
        assertOutcome(oid, PrivateOutcome.Cancelled);
        assertBalance(client, ESCROW, "refunded");
        vm.expectRevert(wrongPhase(oid, PrivatePhase.Claim, PrivatePhase.Closed));
        vm.prank(client);
        orders.cancel(oid);
        oid = putOrder(openTerms());
        claimOrder(oid, prover(0));
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.HasClaims.selector, oid, 1));
        vm.prank(client);
        orders.cancel(oid);
    }

    function test_claims_have_places_and_an_end() public {
        uint256 oid = putOrder(openTerms());
        for (uint256 i = 0; i < 4; ++i) {
            claimOrder(oid, prover(i));
        }
        vm.assertEq(orders.claimantsOf(oid).length, 4, "claims");
        assertClaim(oid, prover(3), ClaimStatus.Locked);
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.AlreadyClaimed.selector, oid, prover(1)));
        vm.prank(prover(1));
        orders.claim(oid, 1);
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.NoPlaceLeft.selector, oid, 4));
        vm.prank(prover(4));
        orders.claim(oid, 1);
        vm.warp(block.timestamp + 600);
        vm.expectRevert(wrongPhase(oid, PrivatePhase.Claim, PrivatePhase.Prove));
        vm.prank(prover(4));
        orders.claim(oid, 1);
    }

    function test_unknown_orders() public {
        bytes memory unknown = abi.encodeWithSelector(IPrivateOrders.PrivateOrderUnknown.selector, 7);
        vm.expectRevert(unknown);
        orders.termsOf(7);
        vm.expectRevert(unknown);
        orders.stateOf(7);
        vm.expectRevert(unknown);
        orders.cancel(7);
        vm.expectRevert(wrongPhase(7, PrivatePhase.Claim, PrivatePhase.None));
        orders.claim(7, 1);
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.NothingToAdvance.selector, 7, PrivatePhase.None));
        orders.advance(7);
    }

    function test_without_claims_the_client_is_refunded() public {
        uint256 oid = putOrder(openTerms());
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.NothingToAdvance.selector, oid, PrivatePhase.Claim));
        orders.advance(oid);
        vm.warp(block.timestamp + 600);
        assertPrivatePhase(oid, PrivatePhase.Award);
        orders.advance(oid);
        assertOutcome(oid, PrivateOutcome.Refunded);
        assertBalance(client, ESCROW, "refunded");
    }

    function test_an_honest_order() public {
        uint256 oid = putOrder(openTerms());
        awarded(oid, 3);
        vm.assertEq(orders.stateOf(oid).winner, prover(2), "most right samples");
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.OnlyTheWinner.selector, oid, prover(2), prover(1)));
        vm.prank(prover(1));
        Handover memory handover;
        orders.handOver(oid, handover);
        handOver(oid, prover(2));
        vm.assertEq(orders.handoverOf(oid).cid, bytes32("file"), "handover");
        assertPrivatePhase(oid, PrivatePhase.Dispute);
        vm.expectRevert(wrongPhase(oid, PrivatePhase.Handover, PrivatePhase.Dispute));
        vm.prank(prover(2));
        orders.handOver(oid, handover);
        vm.warp(block.timestamp + 400);
        assertPrivatePhase(oid, PrivatePhase.Payable);
        orders.advance(oid);
        assertOutcome(oid, PrivateOutcome.Paid);
        assertBalance(prover(2), ESCROW + LOCK, "the winner");
        assertBalance(prover(1), LOCK, "the second");
        assertBalance(prover(0), LOCK, "the third");
        assertBalance(client, 0, "the client");
        assertBalance(address(orders), 0, "nothing is left");
        vm.assertEq(token.totalSupply(), SUPPLY, "nothing was burned");
    }

    function test_the_earlier_claim_wins_a_tie() public {
        uint256 oid = putOrder(openTerms());
        for (uint256 i = 0; i < 3; ++i) {
            claimOrder(oid, prover(i));
        }
        drawOf(oid);
        prove(oid, prover(2), 6);
        prove(oid, prover(1), 6);
        prove(oid, prover(0), 5);
        orders.advance(oid);
        vm.assertEq(orders.stateOf(oid).winner, prover(1), "the earlier of two");
    }

    function test_who_does_not_prove_is_slashed_who_misses_the_minimum_is_free() public {
        uint256 oid = putOrder(openTerms());
        for (uint256 i = 0; i < 3; ++i) {
            claimOrder(oid, prover(i));
        }
        drawOf(oid);
        prove(oid, prover(0), 3);
        prove(oid, prover(1), 5);
        assertPrivatePhase(oid, PrivatePhase.Prove);
        toOver(orders.stateOf(oid).round);
        proofs.slashNoShow(orders.stateOf(oid).round, prover(2));
        vm.prank(opener);
        orders.advance(oid);
        assertBalance(prover(0), LOCK, "below the minimum: free at once");
        assertBalance(prover(1), 0, "the winner's is locked");
        assertBalance(opener, LOCK / 10, "the reporter's share");
        vm.assertEq(token.totalSupply(), SUPPLY - LOCK * 9 / 10, "the rest is burned");
        assertClaim(oid, prover(2), ClaimStatus.Slashed);
        vm.assertEq(orders.stateOf(oid).winner, prover(1), "winner");
    }

    function test_nobody_is_accepted() public {
        uint256 oid = putOrder(openTerms());
        claimOrder(oid, prover(0));
        drawOf(oid);
        prove(oid, prover(0), 3);
        orders.advance(oid);
        assertOutcome(oid, PrivateOutcome.Refunded);
        assertBalance(client, ESCROW, "refunded");
        assertBalance(prover(0), LOCK, "bond");
    }

    /// @dev Three draw blocks that nobody read: nothing was asked of those who claimed.
    function test_a_draw_that_lapsed() public {
        uint256 oid = putOrder(openTerms());
        claimOrder(oid, prover(0));
        bytes32 round = orders.stateOf(oid).round;
        toDraw(round);
        proofs.draw(round);
        for (uint256 i = 0; i < 2; ++i) {
            vm.roll(block.number + 300);
            proofs.draw(round);
        }
        vm.roll(block.number + 300);
        orders.advance(oid);
        assertOutcome(oid, PrivateOutcome.Refunded);
        assertBalance(prover(0), LOCK, "bond");
    }

    function test_a_winner_that_does_not_hand_over_makes_room_for_the_next() public {
        uint256 oid = putOrder(openTerms());
        awarded(oid, 2);
        vm.warp(block.timestamp + 500);
        Handover memory handover = handoverOf(oid, prover(1), fileOf(prover(1)).pieces);
        vm.expectRevert(wrongPhase(oid, PrivatePhase.Handover, PrivatePhase.Overdue));
        vm.prank(prover(1));
        orders.handOver(oid, handover);
        vm.expectEmit(address(orders));
        emit IPrivateOrders.HandoverFaulty(oid, prover(1), Fault.NoHandover);
        orders.advance(oid);
        assertBalance(client, LOCK / 2, "the client's share");
        vm.assertEq(token.totalSupply(), SUPPLY - LOCK / 2, "the rest is burned");
        vm.assertEq(orders.stateOf(oid).winner, prover(0), "the next best");
        handOver(oid, prover(0));
        vm.warp(block.timestamp + 400);
        orders.advance(oid);
        assertOutcome(oid, PrivateOutcome.Paid);
        assertBalance(prover(0), ESCROW + LOCK, "paid");
        assertBalance(prover(1), 0, "nothing");
    }

    function refused(PrivateTerms memory terms, string memory what, uint256 least, uint256 most, uint256 actual)
        private
    {
        vm.expectRevert(
            abi.encodeWithSelector(IPrivateOrders.PrivateTermOutOfRange.selector, what, least, most, actual)
        );
        orders.put(terms);
    }

    function wrongPhase(uint256 oid, PrivatePhase expected, PrivatePhase actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IPrivateOrders.WrongPrivatePhase.selector, oid, expected, actual);
    }
}

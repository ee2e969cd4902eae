// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IOrderBook, OrderTerms, TestSet } from "../../contracts/interfaces/IOrderBook.sol";
import { Commitments } from "../../contracts/libraries/Commitments.sol";
import { Phase } from "../../contracts/libraries/Lifecycle.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract ReleaseTestTest is World {
    function test_the_release_opens_the_test_set() public {
        uint256 oid = claimed(1);
        toReveal(oid);
        vm.expectEmit(address(book));
        emit IOrderBook.TestReleased(oid, TEST_ROOT, SAMPLES, TEST_CID);
        release(oid);
        TestSet memory set = book.testSetOf(oid);
        vm.assertEq(set.root, TEST_ROOT, "root");
        vm.assertEq(set.cid, TEST_CID, "cid");
        vm.assertEq(set.sampleCount, SAMPLES, "samples");
        vm.assertTrue(proof.factsOf(oid).testReleased, "facts");
    }

    function test_only_the_client_releases_and_only_once() public {
        uint256 oid = claimed(1);
        toReveal(oid);
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.NotTheClient.selector, oid, client, provider(0)));
        vm.prank(provider(0));
        book.releaseTest(oid, TEST_ROOT, SAMPLES, TEST_CID, SALT);
        release(oid);
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.TestAlreadyReleased.selector, oid));
        release(oid);
    }

    function test_the_release_has_a_window() public {
        uint256 oid = claimed(1);
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.WrongPhase.selector, oid, Phase.Reveal, Phase.Training));
        release(oid);
        toReveal(oid);
        reveal(oid, provider(0));
        toScoreCommit(oid);
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.WrongPhase.selector, oid, Phase.Reveal, Phase.Sealable));
        release(oid);
        vm.warp(block.timestamp - 1);
        release(oid);
    }

    function test_the_client_cannot_open_another_test_set() public {
        uint256 oid = claimed(1);
        toReveal(oid);
        bytes32 expected = _terms().testCommitment;
        bytes32 other = keccak256("a test set that suits a friend");
        bytes32 actual = Commitments.testSet(client, other, SAMPLES, TEST_CID, SALT);
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.WrongTestSet.selector, oid, expected, actual));
        vm.prank(client);
        book.releaseTest(oid, other, SAMPLES, TEST_CID, SALT);
        actual = Commitments.testSet(client, TEST_ROOT, SAMPLES - 1, TEST_CID, SALT);
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.WrongTestSet.selector, oid, expected, actual));
        vm.prank(client);
        book.releaseTest(oid, TEST_ROOT, SAMPLES - 1, TEST_CID, SALT);
    }

    function test_an_empty_test_set_is_none() public {
        OrderTerms memory t = _terms();
        t.testCommitment = Commitments.testSet(client, TEST_ROOT, 0, TEST_CID, SALT);
        uint256 oid = put(t);
        _claimOnce(oid);
        toReveal(oid);
        vm.expectRevert(IOrderBook.EmptyTestSet.selector);
        vm.prank(client);
        book.releaseTest(oid, TEST_ROOT, 0, TEST_CID, SALT);
    }

    function test_a_test_set_has_at_most_two_million_samples() public {
        uint32 most = 2 ** 21;
        for (uint32 extra = 0; extra < 2; ++extra) {
            OrderTerms memory t = _terms();
            t.testCommitment = Commitments.testSet(client, TEST_ROOT, most + extra, TEST_CID, SALT);
            uint256 oid = put(t);
            _claimOnce(oid);
            toReveal(oid);
            if (extra == 1) {
                vm.expectRevert(
                    abi.encodeWithSelector(IOrderBook.LimitOutOfBounds.selector, "sampleCount", most + 1, 1, most)
                );
            }
            vm.prank(client);
            book.releaseTest(oid, TEST_ROOT, most + extra, TEST_CID, SALT);
        }
    }

    function test_nobody_but_the_proof_takes_escrow() public {
        uint256 oid = put();
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.OnlyProofOfTraining.selector, address(proof), address(this)));
        book.releaseEscrow(oid);
        vm.prank(address(proof));
        vm.assertEq(book.releaseEscrow(oid), REWARD, "released");
        vm.expectRevert(abi.encodeWithSelector(IOrderBook.NothingEscrowed.selector, oid));
        vm.prank(address(proof));
        book.releaseEscrow(oid);
    }

    function _claimOnce(uint256 oid) private {
        uint256 other = claimed(1);
        vm.assertEq(other, oid + 1, "enrolled on the way");
        claim(oid, provider(0));
    }
}

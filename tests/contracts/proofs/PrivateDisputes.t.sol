// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IHandoverVerifier, NodeLayout, UnitPlace } from "../../../contracts/interfaces/IHandoverVerifier.sol";
import {
    ChunkProof,
    ClaimStatus,
    Fault,
    Handover,
    IPrivateOrders,
    PieceOpening,
    PrivateOutcome,
    PrivatePhase,
    PrivateTerms
} from "../../../contracts/interfaces/IPrivateOrders.sol";
import { SealedPieces } from "../../../contracts/proofs/SealedPieces.sol";
import { X25519 } from "../../../contracts/proofs/X25519.sol";
import { vm } from "../support/Vm.sol";
import { PrivateWorld } from "./support/PrivateWorld.sol";
import { Sealing } from "./support/Sealing.sol";

/// @dev Winners and clients who cheat, and clients who say so of an honest winner: each dispute ends right.
contract PrivateDisputesTest is PrivateWorld {
    uint256 private oid;
    address private winner = prover(1);

    function setUp() public override {
        super.setUp();
        oid = putOrder(openTerms());
        awarded(oid, 2);
    }

    function test_a_key_that_does_not_open() public {
        Handover memory handover = handoverOf(oid, winner, fileOf(winner).pieces);
        handover.sealedKey ^= bytes32(uint256(1));
        give(handover);
        bytes32 next = handovers.publicKeyOf("next");
        vm.expectEmit(address(orders));
        emit IPrivateOrders.ClientKeyReplaced(oid, next);
        vm.expectEmit(address(orders));
        emit IPrivateOrders.HandoverFaulty(oid, winner, Fault.WrongKey);
        vm.prank(client);
        orders.disputeKey(oid, CLIENT_SECRET, next);
        lost();
        vm.assertEq(orders.stateOf(oid).clientKey, next, "the next seals to a key that nobody has seen");
        handOver(oid, prover(0));
        lies("next");
        paidTo(prover(0));
    }

    /// @dev Everybody knows the secret of a point of low order.
    function test_a_key_that_everybody_can_open() public {
        Handover memory handover = handoverOf(oid, winner, fileOf(winner).pieces);
        handover.ephemeralKey = 0;
        bytes32 context = orders.sealingContext(oid, winner, orders.stateOf(oid).clientKey, 0);
        (bytes32 stream,) = handovers.unseal(CLIENT_SECRET, 0, context, 0);
        handover.sealedKey = stream ^ dataKeyOf(winner);
        give(handover);
        vm.prank(client);
        orders.disputeKey(oid, CLIENT_SECRET, "next");
        lost();
    }

    function test_a_client_that_lies_about_the_key() public {
        handOver(oid, winner);
        lies(CLIENT_SECRET);
        bytes32 other = handovers.publicKeyOf("other");
        bytes32 mine = orders.stateOf(oid).clientKey;
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.WrongClientKey.selector, oid, mine, other));
        vm.prank(client);
        orders.disputeKey(oid, "other", "next");
        paidTo(winner);
    }

    function test_one_wrong_byte_in_each_place() public {
        uint256[5] memory places = [uint256(5), 32 * 20, 32 * 24 + 9, 32 * 27, 895];
        for (uint256 i = 0; i < 2; ++i) {
            for (uint256 j = 0; j < places.length; ++j) {
                // of the second piece only six elements count
                if (i == 1 && j == 1) continue;
                uint256 snapshot = vm.snapshotState();
                bytes[] memory pieces = fileOf(winner).pieces;
                pieces[i][places[j]] ^= 0x01;
                give(handoverOf(oid, winner, pieces));
                dispute(dataKeyOf(winner), i, pieces);
                lost();
                vm.revertToState(snapshot);
            }
        }
    }

    /// @dev A whole model, rightly sealed, that is not the one that was proven.
    function test_another_model() public {
        Sealing.File memory file = fileOf(prover(3));
        Handover memory handover = handoverOf(oid, winner, file.pieces);
        // the context is of the one who hands over: the data key of the other
        handover.sealedKey ^= dataKeyOf(winner) ^ file.key;
        handover.keyHash = keccak256(abi.encode(file.key));
        give(handover);
        dispute(file.key, 1, file.pieces);
        lost();
    }

    function test_a_client_that_lies_about_pieces() public {
        handOver(oid, winner);
        bytes[] memory pieces = fileOf(winner).pieces;
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.NoFault.selector, oid));
            dispute(dataKeyOf(winner), i, pieces);
        }
        bytes32 actual = keccak256(abi.encode(bytes32("other")));
        bytes32 expected = keccak256(abi.encode(dataKeyOf(winner)));
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.WrongDataKey.selector, oid, expected, actual));
        dispute("other", 0, pieces);
        bytes[] memory others = fileOf(prover(0)).pieces;
        bytes32 root = Sealing.rootOf(pieces);
        bytes32 theirs = Sealing.rootOf(others);
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.WrongPieceOpening.selector, 0, root, theirs));
        dispute(dataKeyOf(winner), 0, others);
        PieceOpening memory short = Sealing.opening(pieces, 0);
        short.data = hex"00";
        vm.expectRevert(abi.encodeWithSelector(SealedPieces.WrongPieceLength.selector, 896, 1));
        vm.prank(client);
        orders.disputePiece(oid, dataKeyOf(winner), 0, nothing(), short);
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.OnlyTheClient.selector, oid, client, winner));
        vm.prank(winner);
        orders.disputePiece(oid, dataKeyOf(winner), 0, nothing(), Sealing.opening(pieces, 0));
        paidTo(winner);
    }

    function test_a_multiplier_that_no_network_has() public {
        uint256[] memory elements = modelOf(winner);
        // odd and of 23 bits, of the last unit
        elements[27] = 1 << 63 | ((1 << 22) + 1);
        oid = putOrder(openTerms());
        Sealing.File memory file = Sealing.seal(dataKeyOf(winner), 1, elements, 0);
        claimOrder(oid, prover(0));
        claimOrder(oid, winner, file.digest);
        drawOf(oid);
        prove(oid, prover(0), 4);
        prove(oid, winner, 5);
        orders.advance(oid);
        give(handoverOf(oid, winner, file.pieces));
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.NoFault.selector, oid));
        multiplier(file, UnitPlace(0, 5));
        vm.expectRevert(abi.encodeWithSelector(IHandoverVerifier.IndexOutOfRange.selector, 7, 7));
        multiplier(file, UnitPlace(0, 7));
        NodeLayout[] memory rows = layout();
        rows[0].first = 0;
        bytes32 expected = keccak256(abi.encode(SHIFT, layout()));
        bytes32 actual = keccak256(abi.encode(SHIFT, rows));
        PieceOpening memory piece = Sealing.opening(file.pieces, 1);
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.WrongLayout.selector, oid, expected, actual));
        vm.prank(client);
        orders.disputeMultiplier(oid, file.key, SHIFT, rows, UnitPlace(0, 6), 1, piece);
        multiplier(file, UnitPlace(0, 6));
        lost();
    }

    function test_pieces_that_are_asked_for_and_posted() public {
        handOver(oid, winner);
        bytes[] memory pieces = fileOf(winner).pieces;
        PieceOpening memory first = Sealing.opening(pieces, 0);
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.NotRequested.selector, oid, 0));
        orders.answer(oid, 0, first);
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.PiecesOutOfRange.selector, 2, 1, 2));
        vm.prank(client);
        orders.request(oid, 1, 2);
        ask(oid, 0, 2);
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.RequestPending.selector, oid, 2));
        vm.prank(client);
        orders.request(oid, 0, 1);
        vm.assertTrue(orders.isMissing(oid, 1), "missing");
        vm.assertFalse(orders.isMissing(oid, 2), "there is no third");
        orders.answer(oid, 0, first);
        assertBalance(winner, ASK, "the winner is paid for it, whoever posts");
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.NotRequested.selector, oid, 0));
        orders.answer(oid, 0, first);
        vm.warp(block.timestamp + 299);
        orders.answer(oid, 1, Sealing.opening(pieces, 1));
        vm.assertEq(orders.stateOf(oid).disputeUntil, block.timestamp + 400, "time to look at what came");
        vm.warp(block.timestamp + 101);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPrivateOrders.TooLateToRequest.selector, oid, uint64(block.timestamp), uint64(block.timestamp)
            )
        );
        vm.prank(client);
        orders.request(oid, 0, 1);
        vm.warp(block.timestamp + 299);
        orders.advance(oid);
        assertOutcome(oid, PrivateOutcome.Paid);
        assertBalance(winner, ESCROW + LOCK + 2 * ASK, "paid");
    }

    function test_a_file_that_cannot_be_had() public {
        handOver(oid, winner);
        vm.warp(block.timestamp + 399);
        ask(oid, 0, 2);
        orders.answer(oid, 1, Sealing.opening(fileOf(winner).pieces, 1));
        vm.warp(block.timestamp + 200);
        assertPrivatePhase(oid, PrivatePhase.Dispute);
        vm.warp(block.timestamp + 100);
        PieceOpening memory late = Sealing.opening(fileOf(winner).pieces, 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPrivateOrders.WrongPrivatePhase.selector, oid, PrivatePhase.Dispute, PrivatePhase.Unanswered
            )
        );
        orders.answer(oid, 0, late);
        vm.expectEmit(address(orders));
        emit IPrivateOrders.HandoverFaulty(oid, winner, Fault.MissingPiece);
        orders.advance(oid);
        assertBalance(client, LOCK / 2 + ASK, "its share, and what was left of its own bond");
        assertBalance(winner, ASK, "for the piece that it posted");
        vm.assertEq(orders.stateOf(oid).winner, prover(0), "the next best");
        // a second handover has requests of its own
        handOver(oid, prover(0));
        vm.assertFalse(orders.isMissing(oid, 0), "nothing is asked for");
        ask(oid, 0, 2);
        orders.answer(oid, 1, Sealing.opening(fileOf(prover(0)).pieces, 1));
        vm.assertTrue(orders.isMissing(oid, 0), "the other is");
    }

    // The test set

    function test_a_sealed_test_set_that_is_released() public {
        oid = putOrder(sealedTerms());
        claimOrder(oid, winner);
        vm.warp(block.timestamp + 600);
        assertPrivatePhase(oid, PrivatePhase.Release);
        bytes32 expected = keccak256(abi.encode(TEST_KEY));
        bytes32 actual = keccak256(abi.encode(bytes32("other")));
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.WrongTestKey.selector, oid, expected, actual));
        vm.prank(client);
        orders.release(oid, "other");
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.OnlyTheClient.selector, oid, client, winner));
        vm.prank(winner);
        orders.release(oid, TEST_KEY);
        vm.prank(client);
        orders.release(oid, TEST_KEY);
        vm.assertEq(orders.stateOf(oid).testKey, TEST_KEY, "key");
        drawOf(oid);
        prove(oid, winner, 6);
        orders.advance(oid);
        handOver(oid, winner);
        paidTo(winner);
    }

    function test_a_test_set_that_is_kept_back() public {
        oid = putOrder(sealedTerms());
        for (uint256 i = 0; i < 3; ++i) {
            claimOrder(oid, prover(i + 4));
        }
        vm.warp(block.timestamp + 950);
        assertPrivatePhase(oid, PrivatePhase.Withheld);
        vm.expectRevert(
            abi.encodeWithSelector(
                IPrivateOrders.WrongPrivatePhase.selector, oid, PrivatePhase.Release, PrivatePhase.Withheld
            )
        );
        vm.prank(client);
        orders.release(oid, TEST_KEY);
        orders.advance(oid);
        assertOutcome(oid, PrivateOutcome.Shared);
        for (uint256 i = 0; i < 3; ++i) {
            assertBalance(prover(i + 4), LOCK + ESCROW / 3, "an equal part, and the bond");
        }
    }

    /// @dev A released key that opens to what was not promised: one byte of any piece.
    function test_a_test_set_that_is_wrong() public {
        for (uint256 number = 0; number < 4; ++number) {
            uint256 snapshot = vm.snapshotState();
            bytes[] memory pieces = testPieces();
            pieces[number][77] ^= 0x80;
            PrivateTerms memory terms = sealedTerms();
            terms.testRoot = Sealing.rootOf(pieces);
            released(terms);
            disputeTest(number, pieces);
            assertOutcome(oid, PrivateOutcome.Shared);
            assertBalance(prover(5), ESCROW + LOCK, "to who claimed");
            vm.revertToState(snapshot);
        }
    }

    /// @dev Rightly sealed, rightly hashed, and no packed samples: no proof can be made.
    function test_samples_that_are_none() public {
        PrivateTerms memory terms = sealedTerms();
        uint256[] memory elements = testElements(0);
        elements[3] = 1 << 56;
        Sealing.File memory file = Sealing.seal(TEST_KEY, 2, elements, 0);
        bytes[] memory pieces = testPieces();
        (pieces[0], pieces[1]) = (file.pieces[0], file.pieces[1]);
        bytes32[] memory level = testLeaves();
        level[0] = keccak256(abi.encode(9, file.digest));
        terms.chunkRoot = keccak256(abi.encode(level[0], level[1]));
        terms.testRoot = Sealing.rootOf(pieces);
        released(terms);
        bytes32[] memory path = new bytes32[](1);
        path[0] = level[1];
        orders.disputeTest(oid, ChunkProof(0, file.digest, path), 0, nothing(), Sealing.opening(pieces, 0));
        assertOutcome(oid, PrivateOutcome.Shared);
    }

    function test_who_lies_about_a_test_set() public {
        released(sealedTerms());
        bytes[] memory pieces = testPieces();
        for (uint256 number = 0; number < 4; ++number) {
            vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.NoFault.selector, oid));
            disputeTest(number, pieces);
        }
        PieceOpening memory first = Sealing.opening(pieces, 0);
        vm.expectPartialRevert(IPrivateOrders.WrongChunkOpening.selector);
        orders.disputeTest(oid, ChunkProof(0, 5, Sealing.pathOf(testLeaves(), 0)), 0, nothing(), first);
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.PiecesOutOfRange.selector, 2, 2, 1));
        orders.disputeTest(oid, chunkProofOf(0), 2, nothing(), first);
    }

    function test_an_open_test_set_cannot_be_disputed() public {
        oid = putOrder(openTerms());
        claimOrder(oid, prover(5));
        vm.warp(block.timestamp + 600);
        PieceOpening memory first = Sealing.opening(testPieces(), 0);
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.NoFault.selector, oid));
        orders.disputeTest(oid, chunkProofOf(0), 0, nothing(), first);
    }

    /// @dev The precompile takes part: without it nobody could be found out, and nobody blamed.
    function test_the_precompile_is_there() public view {
        vm.assertTrue(handovers.publicKeyOf("any") != 0, "a key");
        vm.assertTrue(X25519.ModexpFailed.selector != 0, "it would say so");
    }

    function give(Handover memory handover) private {
        vm.prank(winner);
        orders.handOver(oid, handover);
    }

    function dispute(bytes32 key, uint256 index, bytes[] memory pieces) private {
        PieceOpening memory previous = index == 0 ? nothing() : Sealing.opening(pieces, index - 1);
        PieceOpening memory piece = Sealing.opening(pieces, index);
        vm.prank(client);
        orders.disputePiece(oid, key, index, previous, piece);
    }

    function multiplier(Sealing.File memory file, UnitPlace memory place) private {
        PieceOpening memory piece = Sealing.opening(file.pieces, 1);
        vm.prank(client);
        orders.disputeMultiplier(oid, file.key, SHIFT, layout(), place, 1, piece);
    }

    function testPieces() private pure returns (bytes[] memory) {
        (Sealing.File memory a, Sealing.File memory b) = testFiles();
        return Sealing.join(a.pieces, b.pieces);
    }

    function released(PrivateTerms memory terms) private {
        oid = putOrder(terms);
        claimOrder(oid, prover(5));
        vm.warp(block.timestamp + 600);
        vm.prank(client);
        orders.release(oid, TEST_KEY);
    }

    function disputeTest(uint256 number, bytes[] memory pieces) private {
        PieceOpening memory previous = number % 2 == 0 ? nothing() : Sealing.opening(pieces, number - 1);
        orders.disputeTest(oid, chunkProofOf(number / 2), number % 2, previous, Sealing.opening(pieces, number));
    }

    function lies(bytes32 secret) private {
        vm.expectRevert(abi.encodeWithSelector(IPrivateOrders.NoFault.selector, oid));
        vm.prank(client);
        orders.disputeKey(oid, secret, "next");
    }

    /// @dev What the winner has lost, and who is next.
    function lost() private view {
        assertClaim(oid, winner, ClaimStatus.Slashed);
        assertBalance(client, LOCK / 2, "the client's share");
        assertBalance(winner, 0, "nothing");
        vm.assertEq(token.totalSupply(), SUPPLY - LOCK / 2, "the rest is burned");
        vm.assertEq(orders.stateOf(oid).winner, prover(0), "the next best");
        assertPrivatePhase(oid, PrivatePhase.Handover);
    }

    function paidTo(address account) private {
        vm.warp(orders.stateOf(oid).disputeUntil);
        orders.advance(oid);
        assertOutcome(oid, PrivateOutcome.Paid);
        assertBalance(account, ESCROW + LOCK, "paid");
    }
}

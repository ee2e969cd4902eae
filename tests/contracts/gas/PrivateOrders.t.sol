// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { UnitPlace } from "../../../contracts/interfaces/IHandoverVerifier.sol";
import { Handover, PieceOpening, PrivateTerms } from "../../../contracts/interfaces/IPrivateOrders.sol";
import { PrivateWorld } from "../proofs/support/PrivateWorld.sol";
import { Sealing } from "../proofs/support/Sealing.sol";
import { vm } from "../support/Vm.sol";

/// @dev What each move of a private order costs whom. Disputes are about a model of 5,000 elements (some 150,000 weights, 209
/// pieces); what they cost grows with its logarithm.
contract PrivateOrderGasTest is PrivateWorld {
    uint256 private constant MANY = 5_000;

    function test_gas_of_an_order() public {
        uint256 oid = putOrder(openTerms());
        PrivateTerms memory terms = openTerms();
        fund(client, ESCROW);
        vm.startPrank(client);
        token.approve(address(orders), ESCROW);
        orders.put(terms);
        _note("private: put, open test set");
        orders.cancel(2);
        _note("private: cancel");
        vm.stopPrank();
        claimOrder(oid, prover(0));
        claimOrder(oid, prover(1));
        _note("private: claim");
        drawOf(oid);
        prove(oid, prover(0), 4);
        prove(oid, prover(1), 5);
        orders.advance(oid);
        _note("private: advance, name a winner of 2");
        handOver(oid, prover(1));
        _note("private: handOver");
        vm.warp(block.timestamp + 400);
        orders.advance(oid);
        _note("private: advance, pay");
    }

    function test_gas_of_a_sealed_test_set() public {
        uint256 oid = putOrder(sealedTerms());
        _note("private: put, sealed test set");
        claimOrder(oid, prover(0));
        vm.warp(block.timestamp + 600);
        vm.prank(client);
        orders.release(oid, TEST_KEY);
        _note("private: release");
    }

    function test_gas_of_a_wrong_test_set() public {
        PrivateTerms memory terms = sealedTerms();
        (Sealing.File memory a, Sealing.File memory b) = testFiles();
        bytes[] memory pieces = Sealing.join(a.pieces, b.pieces);
        pieces[0][5] ^= 0x01;
        terms.testRoot = Sealing.rootOf(pieces);
        uint256 oid = putOrder(terms);
        claimOrder(oid, prover(0));
        vm.warp(block.timestamp + 600);
        vm.prank(client);
        orders.release(oid, TEST_KEY);
        orders.disputeTest(oid, chunkProofOf(0), 0, nothing(), Sealing.opening(pieces, 0));
        _note("private: disputeTest");
    }

    function test_gas_of_disputes() public {
        uint256[] memory elements = new uint256[](MANY);
        for (uint256 i = 0; i < MANY; ++i) {
            elements[i] = uint256(keccak256(abi.encode(i))) >> 8;
        }
        // multipliers of no network
        elements[26] = type(uint256).max >> 8;
        Sealing.File memory file = Sealing.seal(dataKeyOf(prover(1)), 1, elements, 0);
        uint256 oid = _handedOver(file, false);
        ask(oid, 0, 100);
        _note("private: request");
        orders.answer(oid, 50, Sealing.opening(file.pieces, 50));
        _note("private: answer, first of a request");
        orders.answer(oid, 51, Sealing.opening(file.pieces, 51));
        _note("private: answer, another");
        vm.startPrank(client);
        uint256 snapshot = vm.snapshotState();
        orders.disputeMultiplier(oid, file.key, SHIFT, layout(), UnitPlace(0, 0), 1, Sealing.opening(file.pieces, 1));
        _note("private: disputeMultiplier");
        vm.revertToState(snapshot);
        vm.stopPrank();
        file.pieces[100][0] ^= 0x01;
        oid = _handedOver(file, true);
        PieceOpening memory previous = Sealing.opening(file.pieces, 99);
        PieceOpening memory piece = Sealing.opening(file.pieces, 100);
        vm.startPrank(client);
        snapshot = vm.snapshotState();
        orders.disputePiece(oid, file.key, 100, previous, piece);
        _note("private: disputePiece");
        vm.revertToState(snapshot);
        orders.disputeKey(oid, CLIENT_SECRET, "next");
        _note("private: disputeKey");
        vm.stopPrank();
    }

    function _handedOver(Sealing.File memory file, bool wrongKey) private returns (uint256 oid) {
        PrivateTerms memory terms = openTerms();
        terms.elements = uint32(MANY);
        oid = putOrder(terms);
        claimOrder(oid, prover(1), file.digest);
        drawOf(oid);
        prove(oid, prover(1), 5);
        orders.advance(oid);
        Handover memory handover = handoverOf(oid, prover(1), file.pieces);
        if (wrongKey) handover.sealedKey ^= bytes32(uint256(1));
        vm.prank(prover(1));
        orders.handOver(oid, handover);
    }

    function _note(string memory action) private {
        vm.snapshotGasLastCall("actions", action);
    }
}

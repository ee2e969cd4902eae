// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { DisputeCourt } from "../../../contracts/DisputeCourt.sol";
import { Stage, Verdict } from "../../../contracts/interfaces/IDisputeCourt.sol";
import { IProofOfTraining } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { IRewardTreasury } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { OrderBook } from "../../../contracts/OrderBook.sol";
import { ProofOfTraining } from "../../../contracts/ProofOfTraining.sol";
import { StakeVault } from "../../../contracts/StakeVault.sol";
import { UtilityToken } from "../../../contracts/UtilityToken.sol";
import { HostileToken } from "../support/HostileToken.sol";
import { vm } from "../support/Vm.sol";
import { Game } from "./support/DisputeWorld.sol";
import { Players } from "./support/Players.sol";

/// @dev Were the token to call back in the middle of a payment, no dispute could be closed twice or opened meanwhile.
contract DisputeReentryTest is Players {
    bytes4 private guard = ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector;

    HostileToken private hostile;

    function setUp() public override {
        super.setUp();
        uint256 nonce = vm.getNonce(address(this));
        address proofAt = vm.computeCreateAddress(address(this), nonce + 3);
        address courtAt = vm.computeCreateAddress(address(this), nonce + 4);
        hostile = new HostileToken();
        token = UtilityToken(address(hostile));
        vault = new StakeVault(hostile, parameters, proofAt, address(0), courtAt, address(0), address(0), address(0));
        book = new OrderBook(hostile, parameters, IProofOfTraining(proofAt), address(treasury));
        proof = new ProofOfTraining(book, vault, IRewardTreasury(address(treasury)), courtAt, address(0));
        disputes = new DisputeCourt(book, proof, vault, steps);
        enrol(challenger, Role.Verifier, BOND);
    }

    function test_a_payment_cannot_be_reentered() public {
        Game memory g = lying(small(), 1, 0, 1, 0);
        opened(g);
        vm.warp(block.timestamp + MOVE);
        bytes[4] memory calls = [
            abi.encodeCall(disputes.timeOut, (g.id)),
            abi.encodeCall(disputes.dismiss, (g.id)),
            abi.encodeCall(disputes.open, (g.oid, liar, 0)),
            abi.encodeCall(disputes.counter, (g.oid, liar, 0, 1))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            hostile.arm(address(disputes), calls[i]);
            vm.expectRevert(abi.encodeWithSelector(guard));
            disputes.timeOut(g.id);
        }
        hostile.arm(address(0), "");
        disputes.timeOut(g.id);
        vm.assertTrue(verdictOf(g) == Verdict.False, "closed once");
        vm.assertEq(bonded(liar, Role.Validator), BOND - VSTAKE, "paid once");
    }

    function test_a_verdict_cannot_be_reentered() public {
        Game memory g = lying(small(), 1, 0, 1, 0);
        reached(g, Stage.PickElement);
        (address player, bytes memory data) = move(g);
        hostile.arm(address(disputes), data);
        vm.expectRevert(abi.encodeWithSelector(guard));
        send(player, data);
        vm.assertTrue(stageOf(g) == Stage.PickElement, "as it was");
    }
}

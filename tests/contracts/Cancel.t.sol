// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IOrderBook } from "../../contracts/interfaces/IOrderBook.sol";
import { IProofOfTraining } from "../../contracts/interfaces/IProofOfTraining.sol";
import { Role } from "../../contracts/interfaces/IStakeVault.sol";
import { Phase } from "../../contracts/libraries/Lifecycle.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract CancelTest is World {
    function test_cancel_gives_the_escrow_back_at_once() public {
        uint256 oid = put();
        vm.expectEmit(address(book));
        emit IOrderBook.OrderCancelled(oid, client, REWARD);
        vm.prank(client);
        book.cancel(oid);
        vm.assertEq(token.balanceOf(client), REWARD, "refunded");
        vm.assertEq(book.escrowOf(oid) + book.totalEscrow() + token.balanceOf(address(book)), 0, "nothing left");
        vm.assertTrue(book.isCancelled(oid), "cancelled");
        vm.assertTrue(proof.phaseOf(oid) == Phase.Cancelled, "phase");
    }

    function test_cancel_is_final() public {
        uint256 oid = put();
        vm.prank(client);
        book.cancel(oid);
        _refused(oid, client, _wrongPhase(oid, Phase.Cancelled));
        enrol(provider(0), Role.Provider, BOND);
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.Training, Phase.Cancelled)
        );
        vm.prank(provider(0));
        proof.claim(oid, SALT);
        toSealable(oid);
        vm.expectRevert(
            abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.Sealable, Phase.Cancelled)
        );
        proof.seal(oid);
    }

    function test_only_the_client_cancels() public {
        uint256 oid = put();
        _refused(oid, provider(0), abi.encodeWithSelector(IOrderBook.NotTheClient.selector, oid, client, provider(0)));
        _refused(9, client, abi.encodeWithSelector(IOrderBook.UnknownOrder.selector, 9));
    }

    function test_the_first_claim_ends_the_right_to_cancel() public {
        uint256 oid = claimed(1);
        _refused(oid, client, abi.encodeWithSelector(IOrderBook.OrderHasClaims.selector, oid, 1));
    }

    function test_so_does_the_end_of_training() public {
        uint256 oid = put();
        toReveal(oid);
        _refused(oid, client, _wrongPhase(oid, Phase.Sealable));
    }

    function _wrongPhase(uint256 oid, Phase actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrderBook.WrongPhase.selector, oid, Phase.Training, actual);
    }

    function _refused(uint256 oid, address by, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(by);
        book.cancel(oid);
    }
}

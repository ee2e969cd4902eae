// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IProofOfTraining } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { Payout } from "../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../../contracts/libraries/Commitments.sol";
import { vm } from "../support/Vm.sol";
import { World } from "../support/World.sol";

/// @dev A commitment binds order, sender and content: a copy is worth nothing, and costs its copier the bond.
contract BindingFuzz is World {
    address private copier = actor("copier", 0);

    function testFuzz_a_copied_claim_is_worthless(bytes32 root, bytes32 cid, bytes32 salt) public {
        uint256 oid = put();
        enrol(provider(0), Role.Provider, BOND);
        enrol(copier, Role.Provider, BOND);
        bytes32 commitment = Commitments.model(oid, provider(0), root, cid, salt);
        vm.prank(provider(0));
        proof.claim(oid, commitment);
        vm.prank(copier);
        proof.claim(oid, commitment);
        toReveal(oid);
        vm.prank(provider(0));
        proof.reveal(oid, root, cid, salt);
        bytes32 actual = Commitments.model(oid, copier, root, cid, salt);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.WrongOpening.selector, commitment, actual));
        vm.prank(copier);
        proof.reveal(oid, root, cid, salt);
        _copierOnlyLoses(oid, Role.Provider, 50 * UNIT);
    }

    function testFuzz_copied_scores_are_worthless(int64 score, bytes32 salt) public {
        int64[] memory scores = row(int64(uint64(uint256(keccak256(abi.encode(score))) % (SAMPLES + 1))));
        uint256 oid = revealed(1);
        enrol(validator(0), Role.Validator, BOND);
        enrol(copier, Role.Validator, BOND);
        bytes32 commitment = Commitments.scores(oid, validator(0), scores, salt);
        vm.prank(validator(0));
        proof.commitScores(oid, commitment, VSTAKE);
        vm.prank(copier);
        proof.commitScores(oid, commitment, 5 * VSTAKE);
        toScoreReveal(oid);
        vm.prank(validator(0));
        proof.revealScores(oid, scores, salt);
        bytes32 actual = Commitments.scores(oid, copier, scores, salt);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.WrongOpening.selector, commitment, actual));
        vm.prank(copier);
        proof.revealScores(oid, scores, salt);
        toSealable(oid);
        _copierOnlyLoses(oid, Role.Validator, 5 * VSTAKE);
    }

    function testFuzz_a_claim_opens_in_its_own_order_only(bytes32 root, bytes32 cid, bytes32 salt) public {
        uint256 first = put();
        uint256 second = put();
        enrol(provider(0), Role.Provider, BOND);
        bytes32 commitment = Commitments.model(first, provider(0), root, cid, salt);
        vm.startPrank(provider(0));
        proof.claim(first, commitment);
        proof.claim(second, commitment);
        vm.stopPrank();
        toReveal(first);
        vm.startPrank(provider(0));
        proof.reveal(first, root, cid, salt);
        bytes32 actual = Commitments.model(second, provider(0), root, cid, salt);
        vm.expectRevert(abi.encodeWithSelector(IProofOfTraining.WrongOpening.selector, commitment, actual));
        proof.reveal(second, root, cid, salt);
        vm.stopPrank();
    }

    function testFuzz_commitments_differ_when_anything_does(
        uint256 oid,
        address sender,
        bytes32 root,
        bytes32 cid,
        bytes32 salt,
        uint256 which
    ) public pure {
        bytes32 original = Commitments.model(oid, sender, root, cid, salt);
        which %= 5;
        unchecked {
            if (which == 0) ++oid;
            if (which == 1) sender = address(uint160(sender) + 1);
            if (which == 2) root = bytes32(uint256(root) + 1);
            if (which == 3) cid = bytes32(uint256(cid) + 1);
            if (which == 4) salt = bytes32(uint256(salt) + 1);
        }
        vm.assertTrue(original != Commitments.model(oid, sender, root, cid, salt), "bound");
    }

    function _copierOnlyLoses(uint256 oid, Role role, uint256 expected) private {
        if (role == Role.Provider) toScoreCommit(oid);
        (Payout[] memory payouts,) = sealOrder(oid);
        for (uint256 i = 0; i < payouts.length; ++i) {
            vm.assertTrue(payouts[i].account != copier, "earns nothing");
        }
        vm.assertEq(BOND - bonded(copier, role), expected, "and loses what backed the copy");
        vm.assertEq(token.balanceOf(copier) + treasury.balanceOf(copier), 0, "for nothing");
    }
}

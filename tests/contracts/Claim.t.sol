// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Claim, IProofOfTraining } from "../../contracts/interfaces/IProofOfTraining.sol";
import { IStakeVault, Role } from "../../contracts/interfaces/IStakeVault.sol";
import { Phase } from "../../contracts/libraries/Lifecycle.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract ClaimTest is World {
    bytes32 private constant FIRST = keccak256("first");
    bytes32 private constant SECOND = keccak256("second");

    function test_a_claim_locks_the_bond() public {
        uint256 oid = put();
        enrol(provider(0), Role.Provider, BOND);
        vm.expectEmit(address(vault));
        emit IStakeVault.Locked(provider(0), Role.Provider, bytes32(oid), 50 * UNIT, 50 * UNIT);
        _claim(oid, 0, FIRST);
        vm.assertEq(locked(provider(0), Role.Provider), 50 * UNIT, "locked");
        vm.assertEq(proof.claimantsOf(oid).length, 1, "claimants");
        vm.assertEq(proof.claimantsOf(oid)[0], provider(0), "claimant");
        vm.assertEq(proof.factsOf(oid).claims, 1, "facts");
    }

    function test_a_claim_says_so() public {
        uint256 oid = put();
        enrol(provider(0), Role.Provider, BOND);
        vm.expectEmit(address(proof));
        emit IProofOfTraining.Claimed(oid, provider(0), FIRST, 1, 50 * UNIT);
        _claim(oid, 0, FIRST);
    }

    function test_a_replacement_moves_to_the_end_and_locks_nothing_more() public {
        uint256 oid = put();
        enrol(provider(0), Role.Provider, BOND);
        enrol(provider(1), Role.Provider, BOND);
        _claim(oid, 0, FIRST);
        _claim(oid, 1, FIRST);
        _claim(oid, 0, SECOND);
        Claim memory mine = proof.claimOf(oid, provider(0));
        vm.assertEq(mine.commitment, SECOND, "replaced");
        vm.assertEq(mine.sequence, 3, "sequence");
        vm.assertEq(proof.claimOf(oid, provider(1)).sequence, 2, "other");
        vm.assertEq(locked(provider(0), Role.Provider), 50 * UNIT, "locked once");
        vm.assertEq(proof.factsOf(oid).claims, 2, "two claimants");
    }

    function test_claims_close_when_training_ends() public {
        uint256 oid = claimed(1);
        vm.warp(book.windowsOf(oid).start + 999);
        _claim(oid, 0, SECOND);
        vm.warp(book.windowsOf(oid).start + 1000);
        _refused(oid, 0, SECOND, _wrongPhase(oid, Phase.Reveal));
        _refused(44, 0, SECOND, _wrongPhase(44, Phase.None));
    }

    function test_only_active_providers_claim() public {
        uint256 oid = put();
        _refused(oid, 0, FIRST, abi.encodeWithSelector(IProofOfTraining.NotActive.selector, provider(0), 100 * UNIT, 0));
        enrol(provider(0), Role.Provider, 100 * UNIT - 1);
        enrol(provider(0), Role.Validator, BOND);
        _refused(
            oid,
            0,
            FIRST,
            abi.encodeWithSelector(IProofOfTraining.NotActive.selector, provider(0), 100 * UNIT, 100 * UNIT - 1)
        );
    }

    function test_the_bond_must_be_free() public {
        enrol(provider(0), Role.Provider, 100 * UNIT);
        _claim(put(), 0, FIRST);
        _claim(put(), 0, FIRST);
        uint256 oid = put();
        _refused(
            oid,
            0,
            FIRST,
            abi.encodeWithSelector(IStakeVault.InsufficientFreeBond.selector, provider(0), Role.Provider, 50 * UNIT, 0)
        );
    }

    function test_there_is_a_limit_to_claims_but_not_to_replacements() public {
        uint256 oid = claimed(5);
        enrol(provider(5), Role.Provider, BOND);
        _refused(oid, 5, FIRST, abi.encodeWithSelector(IProofOfTraining.TooManyClaims.selector, oid, 5));
        _claim(oid, 0, SECOND);
    }

    function test_nothing_is_no_commitment() public {
        uint256 oid = put();
        enrol(provider(0), Role.Provider, BOND);
        _refused(oid, 0, 0, abi.encodeWithSelector(IProofOfTraining.CommitmentRequired.selector));
    }

    function _claim(uint256 oid, uint256 index, bytes32 commitment) private {
        vm.prank(provider(index));
        proof.claim(oid, commitment);
    }

    function _wrongPhase(uint256 oid, Phase actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IProofOfTraining.WrongPhase.selector, oid, Phase.Training, actual);
    }

    function _refused(uint256 oid, uint256 index, bytes32 commitment, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(provider(index));
        proof.claim(oid, commitment);
    }
}

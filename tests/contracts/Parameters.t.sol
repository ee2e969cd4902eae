// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { IParameters, ProtocolParameters } from "../../contracts/interfaces/IParameters.sol";
import { Role } from "../../contracts/interfaces/IStakeVault.sol";
import { Parameters } from "../../contracts/Parameters.sol";
import { vm } from "./support/Vm.sol";
import { World } from "./support/World.sol";

contract ParametersTest is World {
    uint256 private constant MOST = 2 ** 120;

    function test_the_owner_replaces_all() public {
        ProtocolParameters memory p = _parameters();
        p.claimBond = 7;
        vm.expectEmit(address(parameters));
        emit IParameters.ParametersChanged(p);
        parameters.setParameters(p);
        vm.assertEq(keccak256(abi.encode(parameters.current())), keccak256(abi.encode(p)), "in force");
    }

    function test_nobody_else_does() public {
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, client));
        vm.prank(client);
        parameters.setParameters(_parameters());
    }

    function test_ownership_moves_in_two_steps() public {
        parameters.transferOwnership(client);
        vm.assertEq(parameters.owner(), address(this), "not yet");
        vm.prank(client);
        parameters.acceptOwnership();
        vm.assertEq(parameters.owner(), client, "now");
    }

    function test_minimum_bonds_by_role() public {
        ProtocolParameters memory p = _parameters();
        (p.providerMinimum, p.validatorMinimum, p.verifierMinimum, p.aggregatorMinimum) = (1, 2, 3, 4);
        (p.challengeStake, p.requestBond) = (3, 3);
        parameters.setParameters(p);
        vm.assertEq(parameters.minimumBond(Role.Provider), 1, "provider");
        vm.assertEq(parameters.minimumBond(Role.Validator), 2, "validator");
        vm.assertEq(parameters.minimumBond(Role.Verifier), 3, "verifier");
        vm.assertEq(parameters.minimumBond(Role.Aggregator), 4, "aggregator");
        vm.assertEq(parameters.minimumBond(Role.None), type(uint256).max, "none");
    }

    function test_the_bounds_hold_at_deployment_too() public {
        ProtocolParameters memory p = _parameters();
        p.maxClaims = 33;
        vm.expectRevert(abi.encodeWithSelector(IParameters.ParameterOutOfBounds.selector, "maxClaims", 33, 1, 32));
        new Parameters(address(this), p);
    }

    function test_amounts_have_bounds() public {
        ProtocolParameters memory p = _parameters();
        p.providerMinimum = 0;
        _refused(p, "providerMinimum", 0, 1, MOST);
        p = _parameters();
        p.validatorMinimum = MOST + 1;
        _refused(p, "validatorMinimum", MOST + 1, 1, MOST);
        p = _parameters();
        p.verifierMinimum = 0;
        _refused(p, "verifierMinimum", 0, 1, MOST);
        p = _parameters();
        p.aggregatorMinimum = 0;
        _refused(p, "aggregatorMinimum", 0, 1, MOST);
        p = _parameters();
        p.claimBond = 0;
        _refused(p, "claimBond", 0, 1, MOST);
        p = _parameters();
        p.minimumVStake = MOST + 1;
        _refused(p, "minimumVStake", MOST + 1, 1, MOST);
        p = _parameters();
        p.challengeStake = 0;
        _refused(p, "challengeStake", 0, 1, p.verifierMinimum);
        p.challengeStake = p.verifierMinimum + 1;
        _refused(p, "challengeStake", p.verifierMinimum + 1, 1, p.verifierMinimum);
        p = _parameters();
        p.requestBond = 0;
        _refused(p, "requestBond", 0, 1, p.verifierMinimum);
        p.requestBond = p.verifierMinimum + 1;
        _refused(p, "requestBond", p.verifierMinimum + 1, 1, p.verifierMinimum);
        (p.verifierMinimum, p.requestBond) = (MOST, 2 ** 90 + 1);
        _refused(p, "requestBond", 2 ** 90 + 1, 1, 2 ** 90);
        p = _parameters();
        p.minimumReward = 0;
        _refused(p, "minimumReward", 0, 1, MOST);
    }

    function test_shares_have_bounds() public {
        ProtocolParameters memory p = _parameters();
        p.validatorSharePpm = 500_001;
        _refused(p, "validatorSharePpm", 500_001, 0, 500_000);
        p = _parameters();
        p.aggregatorTaxPpm = 200_001;
        _refused(p, "aggregatorTaxPpm", 200_001, 0, 200_000);
        p = _parameters();
        p.reporterSharePpm = 500_001;
        _refused(p, "reporterSharePpm", 500_001, 0, 500_000);
        p = _parameters();
        p.disputeSharePpm = 900_001;
        _refused(p, "disputeSharePpm", 900_001, 0, 900_000);
    }

    function test_times_have_bounds() public {
        ProtocolParameters memory p = _parameters();
        p.exitDelay = 0;
        _refused(p, "exitDelay", 0, 1, 365 days);
        p = _parameters();
        p.stallDelay = 30 days + 1;
        _refused(p, "stallDelay", 30 days + 1, 1, 30 days);
        p = _parameters();
        p.fraudSeconds = 0;
        _refused(p, "fraudSeconds", 0, 1, 1 days);
        p.updateSeconds = 30 days + 1;
        p.fraudSeconds = 1;
        _refused(p, "updateSeconds", 30 days + 1, 1, 30 days);
        p.updateSeconds = 0;
        _refused(p, "updateSeconds", 0, 1, 30 days);
        p = _parameters();
        p.moveSeconds = 0;
        _refused(p, "moveSeconds", 0, 1, 30 days);
        p.moveSeconds = 30 days + 1;
        _refused(p, "moveSeconds", 30 days + 1, 1, 30 days);
        p = _parameters();
        p.epochSeconds = 0;
        _refused(p, "epochSeconds", 0, 1, 365 days);
        p = _parameters();
        p.minimumWindow = 0;
        _refused(p, "minimumWindow", 0, 1, 365 days / 2);
        p = _parameters();
        p.minimumWindow = 100;
        p.maximumWindow = 199;
        _refused(p, "maximumWindow", 199, 200, 365 days);
    }

    function test_who_signs_a_wrong_root_cannot_leave_before_it_can_be_refuted() public {
        ProtocolParameters memory p = _parameters();
        p.exitDelay = 100;
        p.fraudSeconds = 101;
        _refused(p, "fraudSeconds", 101, 1, 100);
        p.exitDelay = 365 days;
        p.fraudSeconds = 30 days + 1;
        _refused(p, "fraudSeconds", 30 days + 1, 1, 30 days);
        p.fraudSeconds = 30 days;
        parameters.setParameters(p);
        vm.assertEq(parameters.fraudSeconds(), 30 days, "alone");
        vm.assertEq(parameters.stallDelay(), p.stallDelay, "alone");
    }

    function test_counts_have_bounds() public {
        ProtocolParameters memory p = _parameters();
        p.maxMembers = 101;
        _refused(p, "maxMembers", 101, 1, 100);
        p = _parameters();
        p.maxClaims = 0;
        _refused(p, "maxClaims", 0, 1, 32);
        p = _parameters();
        p.maxValidators = 33;
        _refused(p, "maxValidators", 33, 1, 32);
        p = _parameters();
        p.maxModelBytes = 2 ** 40;
        _refused(p, "maxModelBytes", 2 ** 40, 1, 2 ** 40 - 1);
        p = _parameters();
        p.maxTensorBytes = p.maxModelBytes + 1;
        _refused(p, "maxTensorBytes", p.maxTensorBytes, 1, p.maxModelBytes);
    }

    function _refused(ProtocolParameters memory p, string memory name, uint256 actual, uint256 minimum, uint256 maximum)
        private
    {
        vm.expectRevert(
            abi.encodeWithSelector(IParameters.ParameterOutOfBounds.selector, name, actual, minimum, maximum)
        );
        parameters.setParameters(p);
    }
}

/// @dev A deployer can verify from the chain that every contract knows the right others.
contract WiringTest is World {
    function test_every_contract_names_its_neighbours() public view {
        vm.assertEq(vault.token(), address(token), "vault.token");
        vm.assertEq(vault.parameters(), address(parameters), "vault.parameters");
        vm.assertEq(vault.proofOfTraining(), address(proof), "vault.proofOfTraining");
        vm.assertEq(vault.committee(), address(committee), "vault.committee");
        vm.assertEq(vault.court(), address(court), "vault.court");
        vm.assertEq(book.token(), address(token), "book.token");
        vm.assertEq(book.parameters(), address(parameters), "book.parameters");
        vm.assertEq(book.proofOfTraining(), address(proof), "book.proofOfTraining");
        vm.assertEq(book.treasury(), address(treasury), "book.treasury");
        vm.assertEq(proof.orderBook(), address(book), "proof.orderBook");
        vm.assertEq(proof.vault(), address(vault), "proof.vault");
        vm.assertEq(proof.treasury(), address(treasury), "proof.treasury");
        vm.assertEq(proof.court(), address(court), "proof.court");
        vm.assertEq(committee.parameters(), address(parameters), "committee.parameters");
        vm.assertEq(committee.vault(), address(vault), "committee.vault");
        vm.assertEq(treasury.token(), address(token), "treasury.token");
        vm.assertEq(treasury.parameters(), address(parameters), "treasury.parameters");
        vm.assertEq(treasury.proofOfTraining(), address(proof), "treasury.proofOfTraining");
        vm.assertEq(treasury.committee(), address(committee), "treasury.committee");
    }
}

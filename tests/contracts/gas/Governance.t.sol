// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IParameters } from "../../../contracts/interfaces/IParameters.sol";
import { Parameters } from "../../../contracts/Parameters.sol";
import { ParametersTimelock } from "../../../contracts/ParametersTimelock.sol";
import { TestTokenFaucet } from "../../../contracts/TestTokenFaucet.sol";
import { vm } from "../support/Vm.sol";
import { World } from "../support/World.sol";

/// @dev What a change of the parameters costs through the timelock, and a drip of test tokens: run as `Gas.t.sol`.
contract GovernanceGasTest is World {
    function test_gas_of_a_change_of_parameters() public {
        address[] memory anyone = new address[](1);
        address[] memory proposers = new address[](1);
        proposers[0] = client;
        ParametersTimelock timelock = new ParametersTimelock(1 days, proposers, new address[](0), anyone);
        Parameters governed = new Parameters(address(timelock), _parameters());
        bytes memory data = abi.encodeCall(IParameters.setParameters, (_parameters()));
        vm.prank(client);
        timelock.schedule(address(governed), 0, data, 0, SALT, 1 days);
        vm.snapshotGasLastCall("actions", "schedule, parameters");
        vm.warp(block.timestamp + 1 days);
        timelock.execute(address(governed), 0, data, 0, SALT);
        vm.snapshotGasLastCall("actions", "execute, parameters");
    }

    function test_gas_of_a_drip() public {
        TestTokenFaucet faucet = new TestTokenFaucet(token, UNIT, 1 days, 100 * UNIT);
        token.transfer(address(faucet), 100 * UNIT);
        vm.prank(provider(1));
        faucet.drip();
        vm.prank(provider(2));
        faucet.drip();
        vm.snapshotGasLastCall("actions", "drip, to a new account");
    }
}

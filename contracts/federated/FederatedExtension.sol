// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IAccuracyProofs } from "../interfaces/IAccuracyProofs.sol";
import { IParameters } from "../interfaces/IParameters.sol";
import { IStakeVault } from "../interfaces/IStakeVault.sol";
import { FederatedRequests } from "./FederatedRequests.sol";
import { FederatedSecure } from "./FederatedSecure.sol";
import { FederatedState } from "./FederatedState.sol";
import { FederatedTasks } from "./FederatedTasks.sol";

/// @title Code that FederatedTraining executes as its own
/// @notice Nobody calls it directly: there are no tasks in its own storage, and it refuses to create one.
contract FederatedExtension is FederatedTasks, FederatedRequests, FederatedSecure {
    constructor(IERC20 token_, IStakeVault vault_, IParameters parameters_, IAccuracyProofs accuracyProofs_)
        FederatedState(token_, vault_, parameters_, accuracyProofs_)
    { }
}

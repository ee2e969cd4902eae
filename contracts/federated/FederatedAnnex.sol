// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { IAccuracyProofs } from "../interfaces/IAccuracyProofs.sol";
import { IParameters } from "../interfaces/IParameters.sol";
import { IStakeVault } from "../interfaces/IStakeVault.sol";
import { FederatedAccuracy } from "./FederatedAccuracy.sol";
import { FederatedReadings } from "./FederatedReadings.sol";
import { FederatedRewards } from "./FederatedRewards.sol";
import { FederatedState } from "./FederatedState.sol";

/// @title More code that FederatedTraining executes as its own: proofs of accuracy, rewards, what is read
/// @notice Nobody calls it directly: there are no tasks in its own storage, and no function that makes one.
contract FederatedAnnex is FederatedAccuracy, FederatedRewards, FederatedReadings {
    constructor(IERC20 token_, IStakeVault vault_, IParameters parameters_, IAccuracyProofs accuracyProofs_)
        FederatedState(token_, vault_, parameters_, accuracyProofs_)
    { }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Role } from "./IStakeVault.sol";

/// @dev Every number that governance may change. Amounts in wei of the utility token, times in seconds, shares in
/// parts per million. An order keeps the values that held when it was put.
struct ProtocolParameters {
    /// bond below which an account does not count as registered, by role
    uint256 providerMinimum;
    uint256 validatorMinimum;
    uint256 verifierMinimum;
    uint256 aggregatorMinimum;
    /// locked by each claim of a provider until the order is sealed
    uint256 claimBond;
    /// least stake behind one validation (vStake of one model)
    uint256 minimumVStake;
    /// delay between the request to exit and the withdrawal; the stake stays slashable meanwhile
    uint32 exitDelay;
    /// part of the reward that the winner's validators share
    uint32 validatorSharePpm;
    /// part of the reward that the aggregators who settle share
    uint32 aggregatorTaxPpm;
    /// part of a slashed amount that goes to who reported the fault (the rest is burned)
    uint32 reporterSharePpm;
    /// part of a slashed amount that goes to the winner of a dispute (the rest is burned)
    uint32 challengerSharePpm;
    /// how long the committee may take to settle before participants are paid directly
    uint32 stallDelay;
    /// length of a committee's epoch
    uint32 epochSeconds;
    /// most members of a committee
    uint16 maxMembers;
    /// most claims (providers) and most validators of one order
    uint16 maxClaims;
    uint16 maxValidators;
    /// shortest and longest window of an order, and least reward
    uint32 minimumWindow;
    uint32 maximumWindow;
    uint256 minimumReward;
    /// largest model file and tensor that an order may admit, in bytes
    uint64 maxModelBytes;
    uint64 maxTensorBytes;
}

/// @title The protocol's parameters, in one place, with bounds that no owner can cross
interface IParameters {
    /// @notice All parameters were replaced.
    event ParametersChanged(ProtocolParameters parameters);

    /// @notice `name` must lie between `minimum` and `maximum`.
    error ParameterOutOfBounds(string name, uint256 actual, uint256 minimum, uint256 maximum);

    /// @notice Replaces all parameters. Owner only.
    /// @dev Reverts with ParameterOutOfBounds. Emits ParametersChanged.
    function setParameters(ProtocolParameters calldata parameters) external;

    /// @return all parameters in force
    function current() external view returns (ProtocolParameters memory);

    /// @return the least bond of `role`, in wei
    function minimumBond(Role role) external view returns (uint256);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Role } from "./IStakeVault.sol";

/// @dev Every number that governance may change. Amounts in wei of the utility token, times in seconds, shares in
/// parts per million. In brackets: the bounds.
struct ProtocolParameters {
    /// bond below which an account does not count as registered, by role [1, 2^120]
    uint256 providerMinimum;
    uint256 validatorMinimum;
    uint256 verifierMinimum;
    uint256 aggregatorMinimum;
    /// locked by each claim of a provider until the order is sealed [1, 2^120]
    uint256 claimBond;
    /// least stake behind one validation (vStake of one model) [1, 2^120]
    uint256 minimumVStake;
    /// locked by who challenges a validation, lost with the dispute (cStake) [1, verifierMinimum]
    uint256 challengeStake;
    /// locked by who asks for a leaf of a committed root; goes to who posts it [1, verifierMinimum and 2^90]
    uint256 requestBond;
    /// delay between the request to exit and the withdrawal; the stake stays slashable meanwhile [1, 1 year]
    uint32 exitDelay;
    /// part of the reward that the winner's validators share [0, 500,000]
    uint32 validatorSharePpm;
    /// part of the reward that the aggregators who settle share [0, 200,000]
    uint32 aggregatorTaxPpm;
    /// part of a slashed amount that goes to who reported the fault; the rest is burned [0, 500,000]
    uint32 reporterSharePpm;
    /// part of a slashed amount that goes to the winner of a dispute, or to who asked for what nobody could post; the
    /// rest is burned [0, 900,000]
    uint32 disputeSharePpm;
    /// time for each move of a dispute, and for the answer to a request [1, 30 days]
    uint32 moveSeconds;
    /// how long the committee may take to settle before participants are paid directly [1, 30 days]
    uint32 stallDelay;
    /// how long anyone may refute a root of rewards before accounts claim against it [1, exitDelay and 30 days]
    uint32 fraudSeconds;
    /// how long the committee lets sealed orders gather for one root; no contract looks at it [1, 30 days]
    uint32 updateSeconds;
    /// length of a committee's epoch [1, 1 year]
    uint32 epochSeconds;
    /// most members of a committee [1, 100]
    uint16 maxMembers;
    /// most claims (providers) and most validators of one order [1, 32]
    uint16 maxClaims;
    uint16 maxValidators;
    /// shortest [1, maximumWindow] and longest [minimumWindow, 1 year] window of an order; validation, which has two
    /// halves, takes at least twice the shortest, so `maximumWindow >= 2 * minimumWindow`
    uint32 minimumWindow;
    uint32 maximumWindow;
    /// least reward [1, 2^120]
    uint256 minimumReward;
    /// largest model file [1, 2^40 - 1] and tensor [1, maxModelBytes] that an order may admit, in bytes
    uint64 maxModelBytes;
    uint64 maxTensorBytes;
}

/// @title The protocol's parameters, in one place, with bounds that no owner can cross
/// @notice The owner can be a timelock; ownership moves in two steps. An order keeps the values that
/// held when it was put, but for the least bonds, which whoever joins it later must have, and the delays of exit, stall and
/// fraud window, which run from their own beginning.
interface IParameters {
    /// @notice All parameters were replaced.
    event ParametersChanged(ProtocolParameters parameters);

    /// @notice `name` must lie between `minimum` and `maximum`.
    error ParameterOutOfBounds(string name, uint256 actual, uint256 minimum, uint256 maximum);

    /// @notice Replaces all parameters. Owner only.
    /// @dev Reverts with OwnableUnauthorizedAccount, ParameterOutOfBounds. Emits ParametersChanged.
    function setParameters(ProtocolParameters calldata parameters) external;

    /// @return all parameters in force
    function current() external view returns (ProtocolParameters memory);

    /// @return the least bond of `role`, in wei: 1 for participants, whose tasks set their own; for `Role.None` the largest number there is, which no bond reaches
    function minimumBond(Role role) external view returns (uint256);

    /// @return the parameter of this name alone, for reading all costs a dozen slots
    function stallDelay() external view returns (uint32);

    /// @return the parameter of this name alone
    function challengeStake() external view returns (uint256);

    /// @return the parameter of this name alone
    function fraudSeconds() external view returns (uint32);

    /// @return the parameter of this name alone
    function reporterSharePpm() external view returns (uint32);

    /// @return the parameter of this name alone
    function disputeSharePpm() external view returns (uint32);
}

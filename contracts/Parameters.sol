// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Ownable } from "@openzeppelin/contracts/access/Ownable.sol";
import { Ownable2Step } from "@openzeppelin/contracts/access/Ownable2Step.sol";
import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { IParameters, ProtocolParameters } from "./interfaces/IParameters.sol";
import { Role } from "./interfaces/IStakeVault.sol";

/// @title Parameters
contract Parameters is IParameters, Ownable2Step {
    /// @dev Amounts stay far below 2^128, so that a sum or a small multiple of them cannot overflow anywhere.
    uint256 private constant MAX_AMOUNT = 2 ** 120;
    /// @dev Orders keep it in 96 bits.
    uint256 private constant MAX_REQUEST_BOND = 2 ** 90;
    uint256 private constant MAX_VALIDATOR_SHARE = 500_000;
    uint256 private constant MAX_TAX = 200_000;
    /// @dev Whoever reports itself gets at most half back, so that slashing yourself never pays.
    uint256 private constant MAX_REPORTER_SHARE = 500_000;
    uint256 private constant MAX_DISPUTE_SHARE = 900_000;
    uint256 private constant MAX_STALL = 30 days;
    uint256 private constant MAX_FRAUD = 30 days;
    uint256 private constant MAX_UPDATE = 30 days;
    uint256 private constant MAX_MOVE = 30 days;
    uint256 private constant MAX_TIME = 365 days;
    /// @dev Every loop of the protocol runs over one of these.
    uint256 private constant MAX_HEADS = 32;
    /// @dev The bits of a certificate's signers; the gas of an epoch's start stays far below a block's.
    uint256 private constant MAX_MEMBERS = 100;
    /// @dev Each federated task sets its own bond.
    uint256 private constant PARTICIPANT_MINIMUM = 1;
    uint256 private constant MAX_BYTES = 2 ** 40 - 1;

    ProtocolParameters private _parameters;

    /// @param owner may change the parameters
    /// @param initial the first ones; ParameterOutOfBounds applies
    constructor(address owner, ProtocolParameters memory initial) Ownable(owner) {
        _set(initial);
    }

    /// @inheritdoc IParameters
    function setParameters(ProtocolParameters calldata parameters) external onlyOwner {
        _set(parameters);
    }

    /// @inheritdoc IParameters
    function current() external view returns (ProtocolParameters memory) {
        return _parameters;
    }

    /// @inheritdoc IParameters
    function minimumBond(Role role) external view returns (uint256) {
        if (role == Role.Provider) return _parameters.providerMinimum;
        if (role == Role.Validator) return _parameters.validatorMinimum;
        if (role == Role.Verifier) return _parameters.verifierMinimum;
        if (role == Role.Aggregator) return _parameters.aggregatorMinimum;
        if (role == Role.Participant) return PARTICIPANT_MINIMUM;
        return type(uint256).max;
    }

    /// @inheritdoc IParameters
    function stallDelay() external view returns (uint32) {
        return _parameters.stallDelay;
    }

    /// @inheritdoc IParameters
    function challengeStake() external view returns (uint256) {
        return _parameters.challengeStake;
    }

    /// @inheritdoc IParameters
    function fraudSeconds() external view returns (uint32) {
        return _parameters.fraudSeconds;
    }

    /// @inheritdoc IParameters
    function reporterSharePpm() external view returns (uint32) {
        return _parameters.reporterSharePpm;
    }

    /// @inheritdoc IParameters
    function disputeSharePpm() external view returns (uint32) {
        return _parameters.disputeSharePpm;
    }

    function _set(ProtocolParameters memory p) private {
        _checkAmounts(p);
        _checkShares(p);
        _checkTimes(p);
        _checkCounts(p);
        _parameters = p;
        emit ParametersChanged(p);
    }

    function _checkAmounts(ProtocolParameters memory p) private pure {
        _within("providerMinimum", p.providerMinimum, 1, MAX_AMOUNT);
        _within("validatorMinimum", p.validatorMinimum, 1, MAX_AMOUNT);
        _within("verifierMinimum", p.verifierMinimum, 1, MAX_AMOUNT);
        _within("aggregatorMinimum", p.aggregatorMinimum, 1, MAX_AMOUNT);
        _within("claimBond", p.claimBond, 1, MAX_AMOUNT);
        _within("minimumVStake", p.minimumVStake, 1, MAX_AMOUNT);
        // Whoever has the least bond of a verifier can challenge, and ask
        _within("challengeStake", p.challengeStake, 1, p.verifierMinimum);
        _within("requestBond", p.requestBond, 1, Math.min(p.verifierMinimum, MAX_REQUEST_BOND));
        _within("minimumReward", p.minimumReward, 1, MAX_AMOUNT);
    }

    function _checkShares(ProtocolParameters memory p) private pure {
        _within("validatorSharePpm", p.validatorSharePpm, 0, MAX_VALIDATOR_SHARE);
        _within("aggregatorTaxPpm", p.aggregatorTaxPpm, 0, MAX_TAX);
        _within("reporterSharePpm", p.reporterSharePpm, 0, MAX_REPORTER_SHARE);
        _within("disputeSharePpm", p.disputeSharePpm, 0, MAX_DISPUTE_SHARE);
    }

    function _checkTimes(ProtocolParameters memory p) private pure {
        _within("exitDelay", p.exitDelay, 1, MAX_TIME);
        _within("stallDelay", p.stallDelay, 1, MAX_STALL);
        // Who signed a wrong root can be slashed as long as it can be refuted
        _within("fraudSeconds", p.fraudSeconds, 1, Math.min(p.exitDelay, MAX_FRAUD));
        _within("updateSeconds", p.updateSeconds, 1, MAX_UPDATE);
        _within("moveSeconds", p.moveSeconds, 1, MAX_MOVE);
        _within("epochSeconds", p.epochSeconds, 1, MAX_TIME);
        _within("minimumWindow", p.minimumWindow, 1, MAX_TIME / 2);
        _within("maximumWindow", p.maximumWindow, 2 * uint256(p.minimumWindow), MAX_TIME);
    }

    function _checkCounts(ProtocolParameters memory p) private pure {
        _within("maxMembers", p.maxMembers, 1, MAX_MEMBERS);
        _within("maxClaims", p.maxClaims, 1, MAX_HEADS);
        _within("maxValidators", p.maxValidators, 1, MAX_HEADS);
        _within("maxModelBytes", p.maxModelBytes, 1, MAX_BYTES);
        _within("maxTensorBytes", p.maxTensorBytes, 1, p.maxModelBytes);
    }

    function _within(string memory name, uint256 actual, uint256 minimum, uint256 maximum) private pure {
        if (actual < minimum || actual > maximum) revert ParameterOutOfBounds(name, actual, minimum, maximum);
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {
    AggregationRule,
    OptimizerKind,
    OptimizerTerms,
    RuleTerms
} from "../../../contracts/interfaces/FederatedTypes.sol";
import { Subject } from "../../../contracts/interfaces/IFederatedCourt.sol";
import { ChallengeGas } from "../federated/support/ChallengeGas.sol";
import { vm } from "../support/Vm.sol";

contract MeanChallengeGasTest is ChallengeGas {
    function test_gas_of_a_result_by_descent() public {
        _resultByDescent();
        _total("a result by descent");
    }

    function test_gas_of_a_result_at_a_place() public {
        _resultAtPlace();
        _total("a result at a place");
    }

    function test_gas_of_a_contribution_by_descent() public {
        _measureByDescent(0);
        _total("a contribution by descent");
    }

    function _rule() internal pure override returns (RuleTerms memory) {
        return RuleTerms({ rule: AggregationRule.Mean, parameter: 0, selected: 0 });
    }

    function _name() internal pure override returns (string memory) {
        return "Mean";
    }
}

contract AdamChallengeGasTest is ChallengeGas {
    function test_gas_of_a_result_by_descent() public {
        _resultByDescent();
        _total("a result by descent");
    }

    function test_gas_of_a_result_at_a_place() public {
        _resultAtPlace();
        _total("a result at a place");
    }

    function _optimizer() internal pure override returns (OptimizerTerms memory) {
        return
            OptimizerTerms({ kind: OptimizerKind.FedAdam, learningRate: 65_536, beta1: 58_982, beta2: 64_881, tau: 5 });
    }

    function _rule() internal pure override returns (RuleTerms memory) {
        return RuleTerms({ rule: AggregationRule.Mean, parameter: 0, selected: 0 });
    }

    function _name() internal pure override returns (string memory) {
        return "Mean with FedAdam";
    }
}

contract MedianChallengeGasTest is ChallengeGas {
    function test_gas_of_a_result_by_descent() public {
        _resultByDescent();
        _total("a result by descent");
    }

    function test_gas_of_a_result_at_a_place() public {
        _resultAtPlace();
        _total("a result at a place");
    }

    function _rule() internal pure override returns (RuleTerms memory) {
        return RuleTerms({ rule: AggregationRule.Median, parameter: 0, selected: 0 });
    }

    function _name() internal pure override returns (string memory) {
        return "Median";
    }
}

contract TrimmedMeanChallengeGasTest is ChallengeGas {
    function test_gas_of_a_result_by_descent() public {
        _resultByDescent();
        _total("a result by descent");
    }

    function test_gas_of_a_result_at_a_place() public {
        _resultAtPlace();
        _total("a result at a place");
    }

    function _rule() internal pure override returns (RuleTerms memory) {
        return RuleTerms({ rule: AggregationRule.TrimmedMean, parameter: 200_000, selected: 0 });
    }

    function _name() internal pure override returns (string memory) {
        return "TrimmedMean";
    }
}

contract ClippedMeanChallengeGasTest is ChallengeGas {
    /// @dev The challenger looks at the norms first, and finds them right.
    function test_gas_of_a_result_by_descent() public {
        _posted();
        _challenge(Subject.Measures);
        _show(_rowTree(1).blocks[0]);
        vm.prank(challenger);
        judge.turnToResult(id);
        _count("turnToResult");
        _toColumn();
        _columnGame();
        _total("a result by descent");
    }

    function test_gas_of_a_result_at_a_place() public {
        _resultAtPlace();
        _total("a result at a place");
    }

    function test_gas_of_a_norm_by_descent() public {
        _measureByDescent(1);
        _total("a norm by descent");
    }

    function test_gas_of_a_norm_at_a_place() public {
        _measureAtPlace(1);
        _total("a norm at a place");
    }

    function _rule() internal pure override returns (RuleTerms memory) {
        return RuleTerms({ rule: AggregationRule.ClippedMean, parameter: 5_000_000, selected: 0 });
    }

    function _name() internal pure override returns (string memory) {
        return "ClippedMean";
    }
}

contract MultiKrumChallengeGasTest is ChallengeGas {
    function test_gas_of_a_result_by_descent() public {
        _resultByDescent();
        _total("a result by descent");
    }

    function test_gas_of_a_result_at_a_place() public {
        _resultAtPlace();
        _total("a result at a place");
    }

    /// @dev Row 1 + LIAR says something else than 0 of the distance of the update from itself.
    function test_gas_of_a_distance_by_descent() public {
        _measureByDescent(uint256(LIAR) + 1);
        _total("a distance by descent");
    }

    function test_gas_of_a_distance_at_a_place() public {
        _measureAtPlace(uint256(LIAR) + 1);
        _total("a distance at a place");
    }

    function _selection() internal pure override returns (uint128) {
        return uint128((1 << 20) - 1) << 30;
    }

    function _rule() internal pure override returns (RuleTerms memory) {
        return RuleTerms({ rule: AggregationRule.MultiKrum, parameter: 300_000, selected: 200_000 });
    }

    function _name() internal pure override returns (string memory) {
        return "MultiKrum";
    }
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { IAvailabilityCourt } from "../../../contracts/interfaces/IAvailabilityCourt.sol";
import { ModelRules, OrderLimits, Surroundings } from "../../../contracts/libraries/ModelRules.sol";
import { Descriptor, Header, Unit } from "../../../contracts/libraries/ModelTree.sol";

/// @dev Opens the rules to the test that holds them against their Python twin: the word of the rule that is broken, ""
/// if none is, "panic" for numbers beyond all bounds.
contract ModelRulesHarness {
    function checkHeader(Header calldata header, uint256 inputSize) external pure {
        ModelRules.checkHeader(header, inputSize);
    }

    function checkNode(Descriptor calldata node, Surroundings calldata at, uint256 index, OrderLimits calldata limits)
        external
        pure
    {
        ModelRules.checkInputs(node, index);
        ModelRules.checkNode(node, at, index, limits);
    }

    function checkUnit(Descriptor calldata node, Unit calldata unit) external pure {
        ModelRules.checkUnit(node, unit);
    }

    /// @param calls of the functions above, encoded
    /// @return words one for each call
    function ask(bytes[] calldata calls) external view returns (string[] memory words) {
        words = new string[](calls.length);
        for (uint256 i = 0; i < calls.length; ++i) {
            words[i] = _ask(calls[i]);
        }
    }

    function _ask(bytes calldata data) private view returns (string memory) {
        (bool ok, bytes memory answer) = address(this).staticcall(data);
        if (ok) return "";
        if (bytes4(answer) != IAvailabilityCourt.Malformed.selector) return "panic";
        bytes memory rest = new bytes(answer.length - 4);
        for (uint256 i = 0; i < rest.length; ++i) {
            rest[i] = answer[i + 4];
        }
        return abi.decode(rest, (string));
    }
}

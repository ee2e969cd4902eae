// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Question } from "../../../contracts/interfaces/IStepVerifier.sol";
import {
    ChunkOpening,
    NodeOpening,
    Operands,
    TensorOpening,
    UnitOpening
} from "../../../contracts/libraries/ModelTree.sol";
import { ScoreFunction } from "../../../contracts/libraries/ScoreFunctions.sol";
import { StepVerifier } from "../../../contracts/StepVerifier.sol";

/// @dev Many elements of one node, with everything that they read between them. `unitOf` says for each element which of
/// `units` it is shown.
struct Batch {
    Question question;
    NodeOpening node;
    UnitOpening[] units;
    ChunkOpening[][] weights;
    TensorOpening[] tensors;
    ChunkOpening[] first;
    ChunkOpening[] second;
    uint256[] elements;
    uint256[] unitOf;
}

/// @title Asks the real StepVerifier for many steps in one call
contract StepsHarness {
    StepVerifier public immutable VERIFIER = new StepVerifier();

    /// @return values of the batch's elements
    function elements(Batch calldata batch) external view returns (int256[] memory values) {
        values = new int256[](batch.elements.length);
        (Question memory question, Operands memory shown) = _common(batch);
        for (uint256 i = 0; i < values.length; ++i) {
            _turn(batch, question, shown, i);
            values[i] = VERIFIER.element(question, shown);
        }
    }

    /// @param cuts where the terms of each element are cut: 0, then ascending, then the number of terms
    /// @return values of the batch's elements, finished from parts
    function finished(Batch calldata batch, uint256[][] calldata cuts) external view returns (int256[] memory values) {
        values = new int256[](batch.elements.length);
        (Question memory question, Operands memory shown) = _common(batch);
        for (uint256 i = 0; i < values.length; ++i) {
            _turn(batch, question, shown, i);
            int64[] memory parts = new int64[](cuts[i].length - 1);
            for (uint256 j = 0; j < parts.length; ++j) {
                parts[j] = int64(VERIFIER.part(question, cuts[i][j], cuts[i][j + 1], shown));
            }
            values[i] = VERIFIER.finish(question, shown.node, shown.unit, parts);
        }
    }

    function terms(Batch calldata batch) external view returns (uint256) {
        return VERIFIER.terms(batch.question.modelRoot, batch.question.node, batch.node);
    }

    function part(Question calldata question, uint256 from, uint256 to, Operands calldata shown)
        external
        view
        returns (int256)
    {
        return VERIFIER.part(question, from, to, shown);
    }

    function finish(
        Question calldata question,
        NodeOpening calldata node,
        UnitOpening calldata unit,
        int64[] calldata parts
    ) external view returns (int256) {
        return VERIFIER.finish(question, node, unit, parts);
    }

    /// @return the gas of handing the operands on, as the court does, and of the step
    function spent(Question calldata question, uint256 from, uint256 to, Operands calldata shown)
        external
        view
        returns (uint256)
    {
        uint256 before = gasleft();
        if (to == 0) VERIFIER.element(question, shown);
        else VERIFIER.part(question, from, to, shown);
        return before - gasleft();
    }

    function scores(ScoreFunction fn, bytes[] calldata outputs, int256[] calldata labels)
        external
        view
        returns (int64[] memory values)
    {
        values = new int64[](outputs.length);
        for (uint256 i = 0; i < values.length; ++i) {
            values[i] = VERIFIER.sampleScore(fn, outputs[i], labels[i]);
        }
    }

    function _common(Batch calldata batch) private pure returns (Question memory question, Operands memory shown) {
        question = batch.question;
        (shown.node, shown.tensors) = (batch.node, batch.tensors);
        (shown.first, shown.second) = (batch.first, batch.second);
    }

    function _turn(Batch calldata batch, Question memory question, Operands memory shown, uint256 i) private pure {
        question.element = batch.elements[i];
        if (batch.units.length == 0) return;
        shown.unit = batch.units[batch.unitOf[i]];
        shown.weights = batch.weights[batch.unitOf[i]];
    }
}

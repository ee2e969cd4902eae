// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Item, NodeAnswer, Request, Target } from "../../../contracts/interfaces/IAvailabilityCourt.sol";
import { Dispute, Stage, TracePosting } from "../../../contracts/interfaces/IDisputeCourt.sol";

import { ChunkOpening, Operands, Sample, TensorOpening, UnitOpening } from "../../../contracts/libraries/ModelTree.sol";

import { Seat } from "../../../contracts/interfaces/IProofOfTraining.sol";
import { ScoreFunctions } from "../../../contracts/libraries/ScoreFunctions.sol";
import { Segments } from "../../../contracts/libraries/Segments.sol";
import { draw, vm } from "../support/Vm.sol";
import { Ledger } from "./Ledger.sol";

/// @dev Both games, as the honest play them and as the hostile do. The hostile know what is true, and lie about it.
abstract contract Games is Ledger {
    mapping(uint256 id => int64[]) private _sums;
    mapping(uint256 id => bytes) private _shown;

    // Disputes

    /// @dev Verifier 0 challenges the first false validation of the order that it is not challenging already, and often
    /// offers the truth in its place.
    function _accuse(uint256 oid) internal returns (bool) {
        uint256 reveals = proof.factsOf(oid).reveals;
        for (uint256 i = 2 * reveals; i < 4 * reveals; ++i) {
            (address account, uint16 m) = (validator(i / reveals), uint16(i % reveals));
            if (!proof.isLive(oid, account, m) || _isHidden(oid, m) || _isTestHidden(oid)) continue;
            if (proof.scoreOf(oid, account, m) == _truth(oid, m) || _isAccused(oid, account, m)) continue;
            int64 score = draw(oid, block.timestamp) % 2 == 0 ? ScoreFunctions.ABSTAIN : _truth(oid, m);
            vm.prank(verifier(0));
            try disputes.counter(oid, account, m, score) {
                return true;
            } catch { }
        }
        return false;
    }

    /// @return whether somebody honest was on turn and has moved
    function _playHonest(uint256 id) internal returns (bool) {
        Dispute memory d = disputes.disputeOf(id);
        address player = _onTurn(d);
        bool mine = player == verifier(0) || player == validator(0) || player == validator(1);
        if (!mine || !_stands(d)) return false;
        if (d.stage == Stage.PickSum) _pickSum(id, d, _falseSum(id, d));
        else if (d.stage == Stage.Sums) _postSums(id, d, _trueSums(d));
        else _playOn(id, d, 0);
        return true;
    }

    function _isHostilesTurn(uint256 id) internal view returns (bool) {
        Dispute memory d = disputes.disputeOf(id);
        address player = _onTurn(d);
        return player == verifier(1) || player == validator(2) || player == validator(3);
    }

    /// @dev A liar's sums add up to its lie somehow; a wrong challenger picks anything.
    function _playHostile(uint256 id, uint256 seed) internal {
        Dispute memory d = disputes.disputeOf(id);
        if (d.stage == Stage.PickSum) return _pickSum(id, d, seed % _sums[id].length);
        if (d.stage != Stage.Sums) return _playOn(id, d, uint32(seed % 2));
        int64[] memory sums = _trueSums(d);
        int64 missing = d.value;
        for (uint256 i = 0; i < sums.length; ++i) {
            missing -= sums[i];
        }
        uint256 first = draw(seed, 1) % sums.length;
        uint256 second = draw(seed, 2) % sums.length;
        int64 part = int64(uint64(draw(seed, 3) % 3));
        sums[first] += missing - part;
        sums[second] += part;
        _postSums(id, d, sums);
    }

    /// @dev Ends a dispute about what does not stand any more, or whose player is late.
    function _endDispute(uint256 id) internal returns (bool) {
        Dispute memory d = disputes.disputeOf(id);
        if (d.stage == Stage.Closed) return false;
        bool live = _stands(d);
        if (live && block.timestamp < d.deadline) return false;
        if (live) disputes.timeOut(id);
        else disputes.dismiss(id);
        return true;
    }

    // Data

    /// @dev Verifier 0 asks for what honest validators could not get.
    function _askHidden(uint256 oid) internal returns (bool) {
        if (
            _isTestHidden(oid)
                && _ask(Target({ oid: oid, item: Item.Sample, modelIndex: 0, node: 0, unit: 0, chunk: 0 }))
        ) {
            return true;
        }
        for (uint16 m = 0; m < proof.factsOf(oid).reveals; ++m) {
            if (!_isHidden(oid, m)) continue;
            if (_ask(Target({ oid: oid, item: Item.Header, modelIndex: m, node: 0, unit: 0, chunk: 0 }))) return true;
        }
        return false;
    }

    function _anyTarget(uint256 oid, uint256 seed) internal view returns (Target memory t) {
        t.oid = oid;
        t.item = Item(1 + seed % 5);
        if (t.item == Item.Sample) t.unit = uint32(draw(seed, 1) % (COUNT + 1));
        else t.modelIndex = uint16(draw(seed, 2) % proof.factsOf(oid).reveals);
        if (t.item == Item.Node || t.item == Item.Unit || t.item == Item.Weights) t.node = uint32(draw(seed, 3) % 2);
        if (t.item == Item.Unit || t.item == Item.Weights) t.unit = uint32(draw(seed, 4) % 2);
        if (t.item == Item.Sample || t.item == Item.Weights) t.chunk = uint32(draw(seed, 5) % 2);
    }

    /// @dev Validator 0 answers what it has.
    /// @return whether it had something to answer
    function _answer(uint256 id) internal returns (bool) {
        Request memory asked = hall.requestOf(id);
        Target memory t = asked.target;
        bool sample = t.item == Item.Sample;
        bool gone = sample ? _isTestHidden(t.oid) || proof.isTestVoid(t.oid) : proof.isVoid(t.oid, t.modelIndex);
        if (!_isOpen(id) || gone || block.timestamp >= asked.deadline) return false;
        if (!sample && _isHidden(t.oid, t.modelIndex)) return false;
        vm.startPrank(validator(0));
        if (sample) _answerSample(id, t.unit);
        else _answerModel(id, t.item, _kind(t.oid, t.modelIndex));
        vm.stopPrank();
        return true;
    }

    function _endRequest(uint256 id) internal returns (bool) {
        if (!_isOpen(id)) return false;
        Request memory asked = hall.requestOf(id);
        Target memory t = asked.target;
        bool void = t.item == Item.Sample ? proof.isTestVoid(t.oid) : proof.isVoid(t.oid, t.modelIndex);
        if (!void && block.timestamp < asked.deadline) return false;
        if (void) hall.dismiss(id);
        else hall.expire(id);
        return true;
    }

    // Everybody

    /// @dev What the honest do before time goes on: they let nothing that is theirs run out. Strangers end half of what
    /// ran out.
    function _gameDuties() internal {
        bool idle = draw(block.timestamp, 3) % 2 == 0;
        for (uint256 id = 1; id <= hall.requestCount(); ++id) {
            if (!_answer(id) && !idle) _endRequest(id);
        }
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            if (!_playHonest(id) && !idle) _endDispute(id);
        }
    }

    /// @return open whether anything was; what could be ended is ended by strangers
    function _endSome() internal returns (bool open) {
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            open = open || disputes.disputeOf(id).stage != Stage.Closed;
            _endDispute(id);
        }
        for (uint256 id = 1; id <= hall.requestCount(); ++id) {
            open = open || _isOpen(id);
            _endRequest(id);
        }
    }

    // Moves

    function _postSums(uint256 id, Dispute memory d, int64[] memory sums) private {
        vm.prank(d.defendant);
        disputes.postSums(id, sums);
        _sums[id] = sums;
    }

    function _pickSum(uint256 id, Dispute memory d, uint256 index) private {
        int64[] memory sums = _sums[id];
        vm.prank(d.challenger);
        disputes.pickSum(id, sums, index);
    }

    /// @dev The moves that are alike for everybody: whoever lies shows an output that scores its lie.
    function _playOn(uint256 id, Dispute memory d, uint32 element) private {
        uint256 kind = _kind(d.oid, d.modelIndex);
        if (d.stage == Stage.Trace) {
            _shown[id] = _output(d.value);
            TracePosting memory posting = _posting(kind, d.low, _shown[id]);
            vm.prank(d.defendant);
            disputes.postTrace(id, posting);
        } else if (d.stage == Stage.PickTensor) {
            vm.prank(d.challenger);
            disputes.pickTensor(id, _openNode(kind), keccak256(_shown[id]), _one(keccak256(_input(d.low))));
        } else if (d.stage == Stage.Chunk) {
            vm.prank(d.defendant);
            disputes.postChunk(id, _shown[id]);
        } else if (d.stage == Stage.PickElement) {
            Operands memory operands = _operands(kind, d.low, _shown[id]);
            vm.prank(d.challenger);
            disputes.compute(id, element, _shown[id], operands);
        } else {
            revert("no move");
        }
    }

    function _posting(uint256 kind, uint256 s, bytes memory output) private view returns (TracePosting memory posting) {
        posting.header = _header(kind);
        posting.roots = _one(keccak256(output));
        posting.output = output;
        posting.sample = _sample(s);
        posting.sampleProof = _sampleProof(s);
    }

    function _operands(uint256 kind, uint256 s, bytes memory output) private pure returns (Operands memory operands) {
        operands.node = _openNode(kind);
        operands.tensors = new TensorOpening[](1);
        operands.tensors[0] = TensorOpening({ root: keccak256(_input(s)), proof: _one(keccak256(output)) });
        operands.first = new ChunkOpening[](1);
        operands.first[0] = ChunkOpening({ index: 0, data: _input(s), proof: new bytes32[](0) });
    }

    function _trueSums(Dispute memory d) private view returns (int64[] memory sums) {
        sums = new int64[](Segments.count(d.low, d.high));
        for (uint256 i = 0; i < sums.length; ++i) {
            (uint32 from, uint32 to) = Segments.at(d.low, d.high, i);
            sums[i] = _trueSum(_kind(d.oid, d.modelIndex), from, to);
        }
    }

    /// @return index the first segment whose sum is not true
    function _falseSum(uint256 id, Dispute memory d) private view returns (uint256 index) {
        int64[] memory sums = _trueSums(d);
        while (_sums[id][index] == sums[index]) ++index;
    }

    /// @return whether the validation is still the one that was challenged
    function _stands(Dispute memory d) private view returns (bool) {
        Seat memory seat = proof.seatOf(d.oid, d.seat, d.modelIndex);
        return seat.live && seat.version == d.version;
    }

    function _onTurn(Dispute memory d) private view returns (address) {
        if (d.stage == Stage.Closed || block.timestamp >= d.deadline) return address(0);
        bool defendants = d.stage == Stage.Sums || d.stage == Stage.Trace || d.stage == Stage.Chunk;
        return defendants ? d.defendant : d.challenger;
    }

    function _isAccused(uint256 oid, address account, uint16 m) private view returns (bool) {
        for (uint256 id = 1; id <= disputes.disputeCount(); ++id) {
            Dispute memory d = disputes.disputeOf(id);
            bool same = d.oid == oid && d.seat == account && d.modelIndex == m && d.challenger == verifier(0);
            if (same && d.stage != Stage.Closed) return true;
        }
        return false;
    }

    function _ask(Target memory target) private returns (bool) {
        vm.prank(verifier(0));
        try hall.request(target) {
            return true;
        } catch {
            return false;
        }
    }

    function _answerSample(uint256 id, uint256 s) private {
        Sample memory sample;
        ChunkOpening memory chunk;
        if (s >= COUNT) return hall.answerSample(id, sample, new bytes32[](0), chunk);
        chunk.data = _input(s);
        hall.answerSample(id, _sample(s), _sampleProof(s), chunk);
    }

    function _answerModel(uint256 id, Item item, uint256 kind) private {
        NodeAnswer memory answer;
        UnitOpening memory unit;
        ChunkOpening memory chunk;
        answer.opening = _openNode(kind);
        if (item == Item.Header) hall.answerHeader(id, answer.opening.header);
        else if (item == Item.Node) hall.answerNode(id, answer);
        else if (item == Item.Unit) hall.answerUnit(id, answer.opening, unit);
        else hall.answerWeights(id, answer.opening, unit, chunk);
    }

    function _one(bytes32 word) private pure returns (bytes32[] memory list) {
        list = new bytes32[](1);
        list[0] = word;
    }
}

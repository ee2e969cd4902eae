// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { AggregatorCommittee } from "../../../../contracts/AggregatorCommittee.sol";
import { DisputeCourt } from "../../../../contracts/DisputeCourt.sol";
import { Dispute, Stage, Verdict } from "../../../../contracts/interfaces/IDisputeCourt.sol";
import { OrderTerms } from "../../../../contracts/interfaces/IOrderBook.sol";
import { ProtocolParameters } from "../../../../contracts/interfaces/IParameters.sol";
import { IProofOfTraining } from "../../../../contracts/interfaces/IProofOfTraining.sol";
import { IRewardTreasury } from "../../../../contracts/interfaces/IRewardTreasury.sol";
import { Role } from "../../../../contracts/interfaces/IStakeVault.sol";
import { Commitments } from "../../../../contracts/libraries/Commitments.sol";
import { Sample } from "../../../../contracts/libraries/ModelTree.sol";
import { ScoreFunction } from "../../../../contracts/libraries/ScoreFunctions.sol";
import { OrderBook } from "../../../../contracts/OrderBook.sol";
import { Parameters } from "../../../../contracts/Parameters.sol";
import { ProofOfTraining } from "../../../../contracts/ProofOfTraining.sol";
import { RewardTreasury } from "../../../../contracts/RewardTreasury.sol";
import { StakeVault } from "../../../../contracts/StakeVault.sol";
import { StepVerifier } from "../../../../contracts/StepVerifier.sol";
import { UtilityToken } from "../../../../contracts/UtilityToken.sol";
import { CourtHarness } from "../../support/CourtHarness.sol";
import { draw, vm } from "../../support/Vm.sol";
import { World } from "../../support/World.sol";
import { Layer, Network, Networks } from "./Networks.sol";
import { Trees } from "./Trees.sol";

/// @dev A dispute, and what its players know. The defendant shows `lie` of the sample and claims `claims`, the challenger
/// goes for `element` of `node`; when they are the same as `truth` and `scores`, the defendant is honest and the
/// challenger is not.
struct Game {
    Network net;
    uint256 oid;
    uint256 id;
    uint256 sample;
    uint256 node;
    uint256 element;
    /// whether the challenger asks for parts, and how often
    uint256 depth;
    bytes[] truth;
    bytes[] lie;
    /// by sample
    int64[] scores;
    int64[] claims;
    /// what the defendant posted last
    int64[] values;
    bytes32[] hashes;
    bytes chunk;
}

/// @dev The real courts and step verifier, orders with real models and test sets, and one lying validator.
abstract contract DisputeWorld is World {
    using Networks for Network;

    uint256 internal constant STAKE = 15 * UNIT;
    uint256 internal constant MOVE = 60;
    uint256 internal constant CHALLENGE = 100;

    DisputeCourt internal disputes;
    StepVerifier internal steps;
    address internal challenger = actor("challenger", 0);
    address internal liar = validator(0);

    function setUp() public virtual override {
        vm.warp(1_000_000);
        _deployCourts(_parameters());
        enrol(challenger, Role.Verifier, BOND);
    }

    function _deployCourts(ProtocolParameters memory p) internal {
        uint256 nonce = vm.getNonce(address(this));
        address proofAt = vm.computeCreateAddress(address(this), nonce + 4);
        address committeeAt = vm.computeCreateAddress(address(this), nonce + 5);
        address treasuryAt = vm.computeCreateAddress(address(this), nonce + 6);
        address courtAt = vm.computeCreateAddress(address(this), nonce + 8);
        address availabilityAt = vm.computeCreateAddress(address(this), nonce + 9);
        token = new UtilityToken(address(this), SUPPLY);
        parameters = new Parameters(address(this), p);
        vault = new StakeVault(token, parameters, proofAt, committeeAt, courtAt, availabilityAt, address(0), address(0));
        book = new OrderBook(token, parameters, IProofOfTraining(proofAt), treasuryAt);
        proof = new ProofOfTraining(book, vault, IRewardTreasury(treasuryAt), courtAt, availabilityAt);
        committee = new AggregatorCommittee(parameters, vault, treasuryAt);
        treasury = new RewardTreasury(token, parameters, proofAt, committee);
        steps = new StepVerifier();
        disputes = new DisputeCourt(book, proof, vault, steps);
        availability = new CourtHarness(proof, vault);
    }

    // Networks

    /// @dev 6 to 5 to 1, all in one chunk.
    function small() internal pure returns (Network memory) {
        Layer[] memory layers = new Layer[](2);
        layers[0] = Networks.dense(1, 6, 5);
        layers[1] = Networks.dense(2, 5, 1);
        return Networks.assemble(Networks.vector(6), layers);
    }

    /// @dev A max-pool with an output of two chunks, and a row of 1,089 weights.
    function pooled() internal pure returns (Network memory) {
        Layer[] memory layers = new Layer[](2);
        layers[0] = Networks.maxPool(2, 33);
        layers[1] = Networks.dense(3, 33 * 33, 1);
        return Networks.assemble(Networks.image(34), layers);
    }

    /// @dev A max-pool over 49 elements, more than segments.
    function wide() internal pure returns (Network memory) {
        Layer[] memory layers = new Layer[](2);
        layers[0] = Networks.maxPool(7, 2);
        layers[1] = Networks.dense(4, 4, 1);
        return Networks.assemble(Networks.image(8), layers);
    }

    /// @dev A tensor of 40 chunks, of which the last ones matter.
    function embedded() internal pure returns (Network memory) {
        Layer[] memory layers = new Layer[](3);
        layers[0] = Networks.embedding(5, 256, 9, 160);
        layers[1] = Networks.slice(39 * 1024 + 100, 4);
        layers[2] = Networks.dense(6, 4, 1);
        return Networks.assemble(Networks.vector(256), layers);
    }

    // Test sets

    function inputOf(Network memory net, uint256 i) internal pure returns (bytes memory) {
        return Networks.noise(7_000 + i, Networks.elements(net.header.inputShape));
    }

    function labelOf(uint256 i) internal pure returns (int256) {
        return int256(draw(8_000, i) % 100) - 50;
    }

    function sampleOf(Network memory net, uint256 i) internal pure returns (Sample memory) {
        return Sample({ inputRoot: Trees.blob(inputOf(net, i)), label: labelOf(i) });
    }

    function sampleLeaves(Game memory g) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](g.scores.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            leaves[i] = keccak256(abi.encode(uint256(4), sampleOf(g.net, i)));
        }
    }

    /// @dev The mean absolute error's part of one sample.
    function scoreOf(Network memory net, bytes[] memory tensors, uint256 i) internal pure returns (int64) {
        int256 error = Networks.read(tensors[net.layers.length], 1, 0) - labelOf(i);
        return int64(error < 0 ? error : -error);
    }

    // Games

    /// @dev A game about a lie: `element` of `node` (or the next one that makes a difference) in the trace of `sample`.
    function lying(Network memory net, uint256 samples, uint256 sample, uint256 node, uint256 element)
        internal
        pure
        returns (Game memory g)
    {
        g = honest(net, samples, sample, node, element);
        g.claims = new int64[](samples);
        for (uint256 i = 0; i < samples; ++i) {
            g.claims[i] = g.scores[i];
        }
        for (; g.claims[sample] == g.scores[sample]; ++g.element) {
            g.lie = _altered(g);
            g.claims[sample] = scoreOf(net, g.lie, sample);
        }
        --g.element;
    }

    /// @dev A game against an honest validator.
    function honest(Network memory net, uint256 samples, uint256 sample, uint256 node, uint256 element)
        internal
        pure
        returns (Game memory g)
    {
        (g.net, g.sample, g.node, g.element) = (net, sample, node, element);
        g.scores = new int64[](samples);
        for (uint256 i = 0; i < samples; ++i) {
            bytes[] memory tensors = net.trace(inputOf(net, i));
            g.scores[i] = scoreOf(net, tensors, i);
            if (i == sample) g.truth = tensors;
        }
        (g.claims, g.lie) = (g.scores, g.truth);
    }

    function total(int64[] memory values) internal pure returns (int64 sum) {
        for (uint256 i = 0; i < values.length; ++i) {
            sum += values[i];
        }
    }

    /// @dev An order in phase Challenge whose one model the liar has scored by `claims` and validator 1 by `scores`.
    function challengeable(Game memory g) internal returns (uint256 oid) {
        bytes32 testRoot = Trees.root(sampleLeaves(g));
        uint32 samples = uint32(g.scores.length);
        oid = put(termsOf(g, testRoot));
        _provide(oid, g.net.root);
        vm.prank(client);
        book.releaseTest(oid, testRoot, samples, TEST_CID, SALT);
        toScoreCommit(oid);
        _validate(oid, g);
        toChallenge(oid);
        g.oid = oid;
    }

    function termsOf(Game memory g, bytes32 testRoot) internal view returns (OrderTerms memory terms) {
        terms = _terms();
        terms.testCommitment = Commitments.testSet(client, testRoot, uint32(g.scores.length), TEST_CID, SALT);
        terms.scoreFunction = ScoreFunction.MeanAbsoluteError;
        (terms.inputSize, terms.outputSize) = (uint32(Networks.elements(g.net.header.inputShape)), 1);
    }

    /// @dev The same, and the dispute opened.
    function opened(Game memory g) internal returns (uint256) {
        challengeable(g);
        return reopened(g, challenger);
    }

    function reopened(Game memory g, address by) internal returns (uint256) {
        vm.prank(by);
        g.id = disputes.open(g.oid, liar, 0);
        return g.id;
    }

    /// @return a dispute in that stage, which its game must come by
    function reached(Game memory g, Stage stage) internal returns (Dispute memory) {
        opened(g);
        return advanced(g, stage);
    }

    function stageOf(Game memory g) internal view returns (Stage) {
        return disputes.disputeOf(g.id).stage;
    }

    function verdictOf(Game memory g) internal view returns (Verdict) {
        return disputes.disputeOf(g.id).verdict;
    }

    function expectLocked(address account, uint256 amount, string memory reason) internal view {
        vm.assertEq(locked(account, Role.Verifier), amount, reason);
    }

    /// @dev The next move, unless the stage is reached.
    function advanced(Game memory g, Stage stage) internal virtual returns (Dispute memory);

    function _altered(Game memory g) private pure returns (bytes[] memory tensors) {
        uint256 layers = g.net.layers.length;
        uint256 length = Networks.elements(g.net.layers[g.node].node.shape);
        tensors = new bytes[](layers + 1);
        for (uint256 i = 0; i <= g.node; ++i) {
            tensors[i] = g.truth[i];
        }
        tensors[g.node + 1] = bytes.concat(g.truth[g.node + 1]);
        int256 x = Networks.read(g.truth[g.node + 1], length, g.element);
        Networks.write(tensors[g.node + 1], length, g.element, x < 0 ? x + 100 : x - 100);
        g.net.resume(tensors, g.node + 1);
    }

    function _provide(uint256 oid, bytes32 root) private {
        address account = provider(0);
        if (bonded(account, Role.Provider) == 0) enrol(account, Role.Provider, BOND);
        bytes32 commitment = Commitments.model(oid, account, root, modelCid(account), SALT);
        vm.prank(account);
        proof.claim(oid, commitment);
        toReveal(oid);
        vm.prank(account);
        proof.reveal(oid, root, modelCid(account), SALT);
    }

    function _validate(uint256 oid, Game memory g) private {
        int64[2] memory sheets = [total(g.claims), total(g.scores)];
        for (uint256 i = 0; i < 2; ++i) {
            if (bonded(validator(i), Role.Validator) == 0) enrol(validator(i), Role.Validator, BOND);
            commitScores(oid, validator(i), row(sheets[i]), VSTAKE);
        }
        toScoreReveal(oid);
        for (uint256 i = 0; i < 2; ++i) {
            revealScores(oid, validator(i), row(sheets[i]));
        }
    }
}

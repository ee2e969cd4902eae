// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Phase, Windows } from "../libraries/Lifecycle.sol";
import { ScoreFunction } from "../libraries/ScoreFunctions.sol";

/// @dev What a client asks for. `cid`s are the SHA-256 digests of the root blocks (dag-pb) of UnixFS files.
struct OrderTerms {
    /// escrowed reward in wei
    uint256 reward;
    /// the order's manifest: spec of the model, training data, preprocessing
    bytes32 manifestCid;
    /// keccak256(abi.encode(client, testRoot, sampleCount, testCid, salt))
    bytes32 testCommitment;
    ScoreFunction scoreFunction;
    /// least mean score per sample, in millionths of a unit, below which nobody wins; type(int64).min for none; at most
    /// what a perfect model reaches
    int64 minimumScorePpm;
    uint32 trainSeconds;
    uint32 revealSeconds;
    uint32 validateSeconds;
    uint32 challengeSeconds;
    /// live, agreeing validations that a model needs to be eligible
    uint16 minimumValidators;
    /// limits of a claimed model, in bytes
    uint64 maxModelBytes;
    uint64 maxTensorBytes;
    /// int8 elements of one sample [1, 2^20]
    uint32 inputSize;
    /// elements of a model's output [1, 1024]; 1 for the score functions of one number
    uint32 outputSize;
}

/// @dev An order as put: the terms and the parameters that held then, which nothing can change afterwards.
struct Order {
    address client;
    uint64 putAt;
    OrderTerms terms;
    uint256 claimBond;
    uint256 minimumVStake;
    uint256 challengeStake;
    uint256 requestBond;
    uint32 validatorSharePpm;
    uint32 aggregatorTaxPpm;
    uint32 reporterSharePpm;
    uint32 disputeSharePpm;
    uint32 moveSeconds;
    uint16 maxClaims;
    uint16 maxValidators;
}

/// @dev The released test set; `sampleCount == 0` means not released.
struct TestSet {
    bytes32 root;
    bytes32 cid;
    uint32 sampleCount;
}

/// @title Orders and their escrow
interface IOrderBook {
    event OrderPut(uint256 indexed oid, address indexed client, Order order);
    event OrderCancelled(uint256 indexed oid, address indexed client, uint256 refunded);
    event TestReleased(uint256 indexed oid, bytes32 testRoot, uint32 sampleCount, bytes32 testCid);
    event EscrowReleased(uint256 indexed oid, address indexed to, uint256 amount);

    error UnknownOrder(uint256 oid);
    error NotTheClient(uint256 oid, address expected, address actual);
    error OrderHasClaims(uint256 oid, uint256 claims);
    error WrongPhase(uint256 oid, Phase expected, Phase actual);
    error WrongTestSet(uint256 oid, bytes32 expected, bytes32 actual);
    error TestAlreadyReleased(uint256 oid);
    error EmptyTestSet();
    error RewardTooSmall(uint256 expected, uint256 actual);
    error WindowOutOfBounds(string name, uint256 actual, uint256 minimum, uint256 maximum);
    error LimitOutOfBounds(string name, uint256 actual, uint256 minimum, uint256 maximum);
    /// @notice No model can reach `actual`; `expected` is the most that a minimum may be.
    error UnattainableScore(int64 expected, int64 actual);
    error ScoreFunctionRequired();
    error CommitmentRequired(string name);
    error NothingEscrowed(uint256 oid);
    error OnlyProofOfTraining(address expected, address actual);

    /// @notice Put (paper 3.3.1): escrows the reward and opens the order for claims. Anyone; needs an allowance.
    /// Each window lies between the parameters' shortest and longest; validation takes at least twice the shortest.
    /// @dev Reverts with ScoreFunctionRequired, CommitmentRequired, RewardTooSmall, LimitOutOfBounds,
    /// WindowOutOfBounds, UnattainableScore, the token's errors. Emits OrderPut.
    /// @return oid ids count up from 1
    function put(OrderTerms calldata terms) external returns (uint256 oid);

    /// @notice Like `put`, with an EIP-2612 permit of the reward: one signature and one transaction. A permit that
    /// someone else has already submitted does no harm: the allowance decides.
    function putWithPermit(OrderTerms calldata terms, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        returns (uint256 oid);

    /// @notice Takes an order back and the escrow with it. Client only, in the training phase, before the first claim.
    /// @dev Reverts with UnknownOrder, NotTheClient, WrongPhase, OrderHasClaims. Emits OrderCancelled.
    function cancel(uint256 oid) external;

    /// @notice Opens the test set that the client committed to. Client only, once, in the reveal phase.
    /// @dev Reverts with UnknownOrder, NotTheClient, TestAlreadyReleased, WrongPhase, EmptyTestSet, WrongTestSet. Emits
    /// TestReleased.
    function releaseTest(uint256 oid, bytes32 testRoot, uint32 sampleCount, bytes32 testCid, bytes32 salt) external;

    /// @notice Sends a sealed order's escrow to the treasury. ProofOfTraining only, once per order.
    /// @dev Reverts with OnlyProofOfTraining, NothingEscrowed. Emits EscrowReleased.
    /// @return amount what was escrowed
    function releaseEscrow(uint256 oid) external returns (uint256 amount);

    /// @return how many orders were ever put; also the id of the latest
    function orderCount() external view returns (uint256);

    /// @dev Reverts with UnknownOrder.
    function getOrder(uint256 oid) external view returns (Order memory);

    /// @return all zero for an unknown order
    function windowsOf(uint256 oid) external view returns (Windows memory);

    /// @notice What `Lifecycle.phaseAt` needs to know of this contract, in one call; all zero for an unknown order.
    function standingOf(uint256 oid) external view returns (Windows memory windows, bool cancelled, uint32 sampleCount);

    /// @return all zero for an unknown order and while nothing is released
    function testSetOf(uint256 oid) external view returns (TestSet memory);

    function isCancelled(uint256 oid) external view returns (bool);

    /// @return what is still escrowed for the order, in wei
    function escrowOf(uint256 oid) external view returns (uint256);

    /// @return what is escrowed for all orders, in wei
    function totalEscrow() external view returns (uint256);

    /// @return the token that rewards are in
    function token() external view returns (address);

    function parameters() external view returns (address);

    function proofOfTraining() external view returns (address);

    function treasury() external view returns (address);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { ChunkOpening, Descriptor, Header, NodeOpening, Sample, UnitOpening } from "../libraries/ModelTree.sol";

/// @dev What can be asked for: leaves of a model, or of a test set.
enum Item {
    None,
    Header,
    Node,
    Unit,
    /// a chunk of a unit's parameters
    Weights,
    /// a sample of the test set: its label and a chunk of its input
    Sample
}

/// @dev A leaf of a committed root; what an item does not need is 0. For a Sample `unit` is the sample's index.
struct Target {
    uint256 oid;
    Item item;
    uint16 modelIndex;
    uint32 node;
    uint32 unit;
    uint32 chunk;
}

enum RequestStatus {
    None,
    Open,
    Answered,
    Expired,
    /// the model or test set was voided by another request meanwhile
    Moot
}

struct Request {
    address asker;
    uint64 deadline;
    RequestStatus status;
    uint128 bond;
    Target target;
}

/// @dev A node that a rule is checked on, with everything that the rule needs.
struct NodeAnswer {
    NodeOpening opening;
    /// the node before it, unless it is the first
    Descriptor previous;
    bytes32[] previousProof;
    /// the nodes whose outputs it reads; left empty where it reads the network's input or `previous`
    Descriptor[2] sources;
    bytes32[][2] sourceProofs;
}

/// @title The availability game (docs/dispute.md, withheld and malformed data)
/// @notice Whoever cannot get a leaf of a committed root, or knows it to be malformed, asks for it with a bond; anyone
/// posts it, in a form that obeys the rules of `docs/integer-networks.md`, and has the bond. If nobody can within the
/// clock, the model is void and its provider slashed, or the test set is void and the providers share the reward.
interface IAvailabilityCourt {
    event Requested(
        uint256 indexed id, uint256 indexed oid, address indexed asker, Target target, uint64 deadline, uint256 bond
    );
    /// @notice `payload` is the leaf and the way to its root, so that everybody sees where a tree differs from what is
    /// said of it. abi.encode of: the Header; (Descriptor, proof); (Unit, proof); for Weights (chunk, proof); (Sample,
    /// proof, chunk, proof of the chunk). When there is no such leaf: of the Header or Descriptor that says so, for Sample
    /// nothing.
    event Answered(uint256 indexed id, address indexed by, bytes payload, uint256 paid);
    event Expired(uint256 indexed id, uint256 indexed oid, Target target);
    event Mooted(uint256 indexed id);

    error UnknownRequest(uint256 id);
    error NotOpen(uint256 id, RequestStatus actual);
    error TooLate(uint256 id, uint64 deadline);
    error NotLate(uint256 id, uint64 deadline);
    error StillStanding(uint256 id);
    error NotAVerifier(address account, uint256 expected, uint256 actual);
    error AlreadyAsked(uint256 id);
    /// @notice There is no such model or test set, or it is void already.
    error NothingToAskFor(uint256 oid);
    error TooLateToAsk(uint256 oid, uint64 since);
    error MalformedTarget();
    error WrongItem(uint256 id, Item expected, Item actual);
    error WrongOpening(string what, bytes32 expected, bytes32 actual);
    error WrongLength(uint256 expected, uint256 actual);
    error WrongIndex(uint256 expected, uint256 actual);
    /// @notice The leaf is under the root but breaks a rule, named by a word; so it answers nothing.
    error Malformed(string rule);

    /// @notice Asks for a leaf: locks the order's requestBond of the caller's Verifier bond and keeps the order from
    /// being sealed. Anyone with an active Verifier bond, for a revealed model or a released test set, phases ScoreCommit
    /// to Challenge, but no later than the order's own windows say: not in a window that a dispute or request stretched.
    /// A leaf that was answered once, or is asked for now, cannot be asked for again.
    /// @dev Reverts with MalformedTarget, AlreadyAsked, NotAVerifier, TooLateToAsk, NothingToAskFor, and the protocol's
    /// UnknownOrder, UnknownModel, NotContestable, InsufficientFreeBond. Emits Requested.
    /// @return id ids count up from 1
    function request(Target calldata target) external returns (uint256 id);

    /// @notice Answers a Header. Every answer is anyone's, before the deadline, and earns the whole bond.
    /// @dev All answers revert with UnknownRequest, NotOpen, WrongItem, TooLate, WrongOpening, WrongIndex, WrongLength,
    /// Malformed, IndexedMerkle's errors; with a panic for numbers beyond all bounds. They emit Answered.
    function answerHeader(uint256 id, Header calldata header) external;

    /// @notice Answers a Node, or shows that the model has no such node (`answer.opening.header` is then enough).
    function answerNode(uint256 id, NodeAnswer calldata answer) external;

    /// @notice Answers a Unit, or shows that the node has no such unit (then `unit` may be empty).
    function answerUnit(uint256 id, NodeOpening calldata opening, UnitOpening calldata unit) external;

    /// @notice Answers Weights, or shows that there is no such chunk.
    function answerWeights(
        uint256 id,
        NodeOpening calldata opening,
        UnitOpening calldata unit,
        ChunkOpening calldata chunk
    ) external;

    /// @notice Answers a Sample, or shows that the test set has no such sample or chunk.
    function answerSample(uint256 id, Sample calldata sample, bytes32[] calldata proof, ChunkOpening calldata chunk)
        external;

    /// @notice Nobody answered in time: voids the model or the test set; the bond is free again. Anyone.
    /// @dev Reverts with UnknownRequest, NotOpen, NotLate, the protocol's ModelAlreadyVoid or TestAlreadyVoid (then
    /// `dismiss` it). Emits Expired.
    function expire(uint256 id) external;

    /// @notice Ends a request about what is void already; the bond is free again. Anyone.
    /// @dev Reverts with UnknownRequest, NotOpen, StillStanding. Emits Mooted.
    function dismiss(uint256 id) external;

    /// @dev Reverts with UnknownRequest.
    function requestOf(uint256 id) external view returns (Request memory);

    function requestCount() external view returns (uint256);

    /// @return the request for this very target, of whatever status; 0 if there was none
    function askedAs(Target calldata target) external view returns (uint256);

    function proofOfTraining() external view returns (address);

    function orderBook() external view returns (address);

    function vault() external view returns (address);
}

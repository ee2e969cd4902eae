// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Header, NodeOpening, Operands, Sample, UnitOpening } from "../libraries/ModelTree.sol";

/// @dev What is to be done next, and by whom (D: the defendant, C: the challenger).
enum Stage {
    None,
    /// D posts the sums of the segments of the range of samples in play
    Sums,
    /// C picks one of them
    PickSum,
    /// D posts the roots of all tensors of the one sample left, and its output
    Trace,
    /// C picks the first tensor it disagrees with
    PickTensor,
    /// D posts the hashes below the root of the part of the tensor in play
    Hashes,
    /// C picks one of them
    PickHash,
    /// D posts the chunk
    Chunk,
    /// C names an element of it, and has it computed or asks for its parts
    PickElement,
    /// D posts the parts of the reduction in play
    Parts,
    /// C picks one of them, and has it computed or asks for its parts
    PickPart,
    Closed
}

enum Verdict {
    None,
    /// the validation was proven false, or not defended in time; it is removed
    False,
    /// the challenge failed; the validation stands and can be challenged again
    Stands,
    /// the validation was removed by somebody else meanwhile
    Moot
}

struct Dispute {
    address challenger;
    /// the player on turn loses from this time on
    uint64 deadline;
    Stage stage;
    Verdict verdict;
    uint16 modelIndex;
    address defendant;
    /// range of samples in play; once it is one sample, that sample
    uint32 low;
    uint32 high;
    uint32 moveSeconds;
    uint64 oid;
    /// what the defendant claims of what is in play: the sum of the range of samples, then the element, then the part
    int64 value;
    /// cStake, in wei
    uint128 stake;
    /// keccak256(abi.encode(list)) of the list that the defendant posted last
    bytes32 posted;
    bytes32 traceRoot;
    /// root of the part of the tensor in play, and of the chunk at last
    bytes32 blob;
    uint16 nodes;
    uint16 node;
    /// chunks in play: `count` from `base` on
    uint32 base;
    uint32 count;
    /// bytes of the tensor in play
    uint32 size;
    uint32 element;
    /// terms in play of the element's reduction; both 0 until its parts are posted, then all at first
    uint32 from;
    uint32 to;
    /// operation of `node`
    uint8 op;
    /// the validator who revealed the validation; the defendant, unless somebody has taken its place
    address seat;
    /// what the challenger puts in its place; an abstention for nothing
    int64 counter;
    /// whose turn the place was when the dispute was opened; see `Seat`
    uint24 version;
}

/// @dev What a defendant shows of the one sample. `roots` are the blobs of the outputs of all nodes, in order.
struct TracePosting {
    Header header;
    bytes32[] roots;
    bytes output;
    Sample sample;
    bytes32[] sampleProof;
}

/// @title The dispute game (docs/dispute.md): decides whether a validation is false, by computing one step of it
/// @notice Two players move in turn, each within `moveSeconds`; who lets it pass loses. Every list that the defendant
/// posts is emitted, and given again by the challenger who picks from it. A move that reverts changes nothing.
interface IDisputeCourt {
    event Opened(
        uint256 indexed id,
        uint256 indexed oid,
        address indexed defendant,
        address challenger,
        uint16 modelIndex,
        int64 score,
        uint256 stake
    );
    /// @notice The challenger wants the validation's place for its own score. Follows Opened.
    event Countered(uint256 indexed id, address indexed seat, int64 score);
    /// @notice Emitted by every move: what is next and until when.
    event Moved(uint256 indexed id, Stage next, uint64 deadline);
    event SumsPosted(uint256 indexed id, uint32 low, uint32 high, int64[] sums);
    event SumPicked(uint256 indexed id, uint32 low, uint32 high, int64 value);
    event TracePosted(
        uint256 indexed id, uint32 sample, bytes32 traceRoot, bytes32 inputRoot, bytes32[] roots, bytes output
    );
    event TensorPicked(uint256 indexed id, uint16 node, uint256 op, bytes32 root, uint32 size);
    event HashesPosted(uint256 indexed id, uint32 base, bytes32[] hashes);
    event HashPicked(uint256 indexed id, uint32 base, uint32 count, bytes32 hash);
    event ChunkPosted(uint256 indexed id, uint32 index, bytes chunk);
    event ElementPicked(uint256 indexed id, uint32 element, int64 claimed);
    event PartsPosted(uint256 indexed id, uint32 from, uint32 to, int64[] parts);
    event PartPicked(uint256 indexed id, uint32 from, uint32 to, int64 claimed);
    /// @notice The contract computed one step: terms [from, to) of the element, or all of it when both are 0.
    event Computed(
        uint256 indexed id, uint16 node, uint32 element, uint32 from, uint32 to, int64 claimed, int64 computed
    );
    /// @notice `paid` went to the winner, `burned` was destroyed; both of the loser's stake, 0 if nobody lost.
    event Closed(uint256 indexed id, Verdict verdict, bool timedOut, address winner, uint256 paid, uint256 burned);

    error UnknownDispute(uint256 id);
    error AlreadyClosed(uint256 id);
    error WrongStage(uint256 id, Stage expected, Stage actual);
    error NotYourTurn(uint256 id, address expected, address actual);
    error TooLate(uint256 id, uint64 deadline);
    error NotLate(uint256 id, uint64 deadline);
    error NotDisputable(uint256 oid, address validator, uint16 modelIndex);
    error StillLive(uint256 id);
    error NotAVerifier(address account, uint256 expected, uint256 actual);
    error OwnValidation(address account);
    error WrongCount(uint256 expected, uint256 actual);
    error WrongSum(int256 expected, int256 actual);
    error WrongList(bytes32 expected, bytes32 actual);
    error WrongRoot(bytes32 expected, bytes32 actual);
    error WrongOutputSize(uint256 expected, uint256 actual);
    error WrongScore(int64 expected, int64 actual);
    error NoSuchChoice(uint256 count, uint256 index);
    error Indivisible(uint256 id);

    /// @notice Challenges a live validation: locks the order's challengeStake of the caller's Verifier bond. Anyone with
    /// an active Verifier bond but the validator itself, phase Challenge. Several disputes of one validation may be open
    /// at once, so that an accomplice's challenge keeps nobody else out.
    /// @return id ids count up from 1
    function open(uint256 oid, address validator, uint16 modelIndex) external returns (uint256 id);

    /// @notice Like `open`; if the challenge succeeds, `score` takes the place of the false one, with the caller's stake
    /// behind it until the order is sealed (`IProofOfTraining.replaceValidation`, `releaseSeat`). `validator` is who
    /// revealed the validation, also where somebody has taken its place, who is the defendant then.
    function counter(uint256 oid, address validator, uint16 modelIndex, int64 score) external returns (uint256 id);

    /// @notice Puts `score` in a place that was emptied by a challenge without a score, while the model has fewer
    /// validations than the order needs: else a liar's accomplice could empty the places that an honest challenger wants.
    /// Locks the order's challengeStake of the caller's Verifier bond behind it until the order is sealed, and leaves time
    /// to challenge it. Anyone with an active Verifier bond, phase Challenge.
    /// @dev Reverts with NotDisputable, NotAVerifier, IProofOfTraining's NoSuchValidation and ScoreOutOfRange.
    function fill(uint256 oid, address validator, uint16 modelIndex, int64 score) external;

    /// @notice D, stage Sums: one sum for each segment of [low, high), see docs/dispute.md; they add up to `value`.
    function postSums(uint256 id, int64[] calldata sums) external;

    /// @notice C, stage PickSum: the segment that is false. `sums` as posted.
    function pickSum(uint256 id, int64[] calldata sums, uint256 index) external;

    /// @notice D, stage Trace: the sample is under the test root, `output` under the last of `roots`, and scores `value`.
    function postTrace(uint256 id, TracePosting calldata posting) external;

    /// @notice C, stage PickTensor: the first tensor that is false, the output of `opening.node`; `root` is its blob's
    /// root and `proof` leads from it to the trace root.
    function pickTensor(uint256 id, NodeOpening calldata opening, bytes32 root, bytes32[] calldata proof) external;

    /// @notice D, stage Hashes: the subtrees of 32 chunks each of the part in play, or its chunks if it has at most 32.
    function postHashes(uint256 id, bytes32[] calldata hashes) external;

    /// @notice C, stage PickHash. `hashes` as posted.
    function pickHash(uint256 id, bytes32[] calldata hashes, uint256 index) external;

    /// @notice D, stage Chunk: the bytes of the chunk in play.
    function postChunk(uint256 id, bytes calldata chunk) external;

    /// @notice C, stage PickElement: has `element`, which lies in `chunk` (as posted), computed. Ends the dispute: the
    /// validation is false if the contract's result is another than the defendant's.
    function compute(uint256 id, uint32 element, bytes calldata chunk, Operands calldata operands) external;

    /// @notice C, stage PickElement: asks for the parts of an element whose operands do not fit one move. The node's
    /// reduction must have at least two terms.
    function contest(uint256 id, uint32 element, bytes calldata chunk, NodeOpening calldata opening) external;

    /// @notice D, stage Parts: one value for each segment of the terms in play. The first time they must finish to the
    /// element, and `opening` and `unit` are needed; later they must combine to the part, and both may be empty.
    function postParts(uint256 id, int64[] calldata parts, NodeOpening calldata opening, UnitOpening calldata unit)
        external;

    /// @notice C, stage PickPart: has one part computed. `parts` as posted. Ends the dispute.
    function computePart(uint256 id, int64[] calldata parts, uint256 index, Operands calldata operands) external;

    /// @notice C, stage PickPart: asks for the parts of a part, which must have at least two terms.
    function contestPart(uint256 id, int64[] calldata parts, uint256 index) external;

    /// @notice Ends a dispute whose player on turn is late: the other one wins. Anyone.
    function timeOut(uint256 id) external;

    /// @notice Ends a dispute about a validation that no longer counts; nobody loses. Anyone.
    function dismiss(uint256 id) external;

    /// @dev Reverts with UnknownDispute.
    function disputeOf(uint256 id) external view returns (Dispute memory);

    function disputeCount() external view returns (uint256);

    function proofOfTraining() external view returns (address);

    function orderBook() external view returns (address);

    function vault() external view returns (address);

    function verifier() external view returns (address);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { NodeLayout, UnitPlace } from "./IHandoverVerifier.sol";

/// @dev Where a private order stands. Never stored: derived from the clock and the facts.
enum PrivatePhase {
    None,
    /// providers claim; the client may cancel while nobody has
    Claim,
    /// claims are over, and the client has yet to release the key of its sealed test set
    Release,
    /// it did not in time
    Withheld,
    /// the claims' AccuracyProofs round draws and takes proofs
    Prove,
    /// there is nothing to wait for: `advance` names the winner, or refunds
    Award,
    /// the winner hands the model over
    Handover,
    /// it did not in time
    Overdue,
    /// the client looks at what it has got, asks for pieces, shows faults
    Dispute,
    /// pieces that were asked for are missing and their time is over
    Unanswered,
    /// `advance` pays
    Payable,
    Closed
}

enum PrivateOutcome {
    None,
    /// the winner has the reward
    Paid,
    /// nobody was accepted, or nobody who was handed over what it had proven
    Refunded,
    /// the client's test set could not be had: those who claimed have equal parts
    Shared,
    Cancelled
}

/// @dev What the winner did, or did not do.
enum Fault {
    None,
    NoHandover,
    MissingPiece,
    /// the sealed key does not open to the data key
    WrongKey,
    /// a piece does not follow from the one before it, or the last does not end in the model's hash
    WrongPiece,
    /// a multiplier that no integer network has
    WrongMultiplier
}

enum ClaimStatus {
    None,
    Locked,
    Returned,
    Slashed
}

/// @dev What a client asks for; fixed for good. Amounts in wei, times in seconds.
struct PrivateTerms {
    /// at least the protocol's least reward
    uint96 reward;
    /// locked by each claim; at least the protocol's claim bond
    uint96 bond;
    /// what the client pays the winner for each piece that it has posted [1, 2^96)
    uint96 requestBond;
    /// of the round of proofs (`ProofTerms`)
    bytes32 verifier;
    bytes32 chunkRoot;
    uint32 chunks;
    uint16 draws;
    uint32 minimumCorrect;
    /// [1, the protocol's `maxClaims`]
    uint16 maximumClaims;
    bytes32 manifestCid;
    /// X25519 public key made for this order
    bytes32 clientKey;
    /// elements of the model's message, salt and prover included [3, 2^20]
    uint32 elements;
    /// keccak256(abi.encode(uint256 shift, NodeLayout[]))
    bytes32 layoutHash;
    /// keccak256 of the key of a sealed test set, the root of its pieces, and numbers in a sample; all 0: it is open
    bytes32 testKeyHash;
    bytes32 testRoot;
    uint32 sampleSize;
    /// each within the protocol's windows; `releaseSeconds` 0 exactly when the test set is open
    uint32 claimSeconds;
    uint32 releaseSeconds;
    uint32 proveSeconds;
    uint32 handoverSeconds;
    uint32 disputeSeconds;
    uint32 answerSeconds;
}

/// @dev What a winner hands over (docs/private-orders.md, Handover).
struct Handover {
    bytes32 ephemeralKey;
    /// the data key, encrypted to the client's key, and the AEAD's tag, at which no contract looks
    bytes32 sealedKey;
    bytes16 tag;
    /// keccak256 of the data key
    bytes32 keyHash;
    /// over the sealed pieces
    bytes32 root;
    bytes32 cid;
}

/// @dev A sealed piece and its path to the root of its file.
struct PieceOpening {
    bytes data;
    bytes32[] proof;
}

/// @dev A chunk of the test set, by its leaf in the order's tree.
struct ChunkProof {
    uint256 chunk;
    uint256 chunkHash;
    bytes32[] path;
}

/// @dev What an order has come to.
struct PrivateState {
    PrivatePhase phase;
    PrivateOutcome outcome;
    address client;
    uint64 putAt;
    /// of AccuracyProofs
    bytes32 round;
    /// what a winner seals the data key to; a wrong key that is shown replaces it
    bytes32 clientKey;
    /// 0 while it is not released
    bytes32 testKey;
    uint256 claims;
    address winner;
    uint64 handoverUntil;
    /// 0 before the handover
    uint64 disputeUntil;
    /// the current or last request: which pieces, how many are missing, until when
    uint32 firstPiece;
    uint32 pieces;
    uint32 missing;
    uint64 answerUntil;
    /// wei in the contract's hands
    uint256 held;
}

/// @title Orders whose model nobody sees but the client (docs/private-orders.md)
/// @notice Providers claim by a hash of their model, prove how many test samples it gets right (`IAccuracyProofs`), and
/// the best hands its model over, encrypted to the client's key. If the client does not get what was committed to, it
/// shows so in one transaction. Has its own escrow and bonds; no owner.
interface IPrivateOrders {
    event PrivateOrderPut(uint256 indexed oid, address indexed client, bytes32 round, PrivateTerms terms);
    event PrivateOrderCancelled(uint256 indexed oid, uint256 refunded);
    event PrivateClaimed(uint256 indexed oid, address indexed provider, uint256 modelHash, uint256 index);
    event TestKeyReleased(uint256 indexed oid, bytes32 testKey);
    event TestSetFaulty(uint256 indexed oid, address indexed reporter, uint256 chunk, uint256 piece);
    event PrivateWinnerNamed(uint256 indexed oid, address indexed provider, uint256 correct, uint64 handoverUntil);
    event ModelHandedOver(uint256 indexed oid, address indexed provider, Handover handover, uint64 disputeUntil);
    event PiecesRequested(uint256 indexed oid, uint256 first, uint256 count, uint256 bond, uint64 answerUntil);
    event PieceAnswered(uint256 indexed oid, uint256 piece, bytes data);
    event HandoverFaulty(uint256 indexed oid, address indexed provider, Fault fault);
    event ClientKeyReplaced(uint256 indexed oid, bytes32 clientKey);
    event PrivateBondReturned(uint256 indexed oid, address indexed provider, uint256 amount);
    event PrivateBondSlashed(
        uint256 indexed oid, address indexed provider, address indexed beneficiary, uint256 paid, uint256 burned
    );
    /// @notice `amount`, in wei, went to the winner, to the client, or in equal parts to those who claimed.
    event PrivateOrderClosed(uint256 indexed oid, PrivateOutcome outcome, address winner, uint256 amount);

    error PrivateOrderUnknown(uint256 oid);
    error PrivateTermOutOfRange(string term, uint256 least, uint256 most, uint256 actual);
    error WrongPrivatePhase(uint256 oid, PrivatePhase expected, PrivatePhase actual);
    error OnlyTheClient(uint256 oid, address expected, address actual);
    error OnlyTheWinner(uint256 oid, address expected, address actual);
    error HasClaims(uint256 oid, uint256 claims);
    error NoPlaceLeft(uint256 oid, uint256 maximum);
    error AlreadyClaimed(uint256 oid, address provider);
    error NothingToAdvance(uint256 oid, PrivatePhase actual);
    error WrongTestKey(uint256 oid, bytes32 expected, bytes32 actual);
    error WrongDataKey(uint256 oid, bytes32 expected, bytes32 actual);
    error WrongClientKey(uint256 oid, bytes32 expected, bytes32 actual);
    error WrongLayout(uint256 oid, bytes32 expected, bytes32 actual);
    error WrongPieceOpening(uint256 piece, bytes32 expected, bytes32 actual);
    error WrongChunkOpening(uint256 chunk, bytes32 expected, bytes32 actual);
    error PiecesOutOfRange(uint256 expected, uint256 first, uint256 count);
    error RequestPending(uint256 oid, uint256 missing);
    error TooLateToRequest(uint256 oid, uint64 expected, uint64 actual);
    error NotRequested(uint256 oid, uint256 piece);
    error NoFault(uint256 oid);

    /// @notice Anyone: escrows the reward (needs an allowance) and opens the round of proofs.
    /// @dev Reverts with PrivateTermOutOfRange and what `IAccuracyProofs.open` reverts with. Emits PrivateOrderPut.
    function put(PrivateTerms calldata terms) external returns (uint256 oid);

    /// @notice The client, while nobody has claimed.
    /// @dev Reverts with OnlyTheClient, WrongPrivatePhase, HasClaims. Emits PrivateOrderCancelled, PrivateOrderClosed.
    function cancel(uint256 oid) external;

    /// @notice Anyone, while claims are open; locks the bond (needs an allowance). Whoever claims has the test set, sealed
    /// or not, and has checked the order: what it cannot prove later costs it the bond.
    /// @dev Reverts with WrongPrivatePhase, NoPlaceLeft, AlreadyClaimed and what `IAccuracyProofs.commitFor` reverts with.
    /// Emits PrivateClaimed.
    function claim(uint256 oid, uint256 modelHash) external;

    /// @notice The client of an order with a sealed test set, once claims are over: shows its key and starts the draw.
    /// @dev Reverts with OnlyTheClient, WrongPrivatePhase, WrongTestKey. Emits TestKeyReleased.
    function release(uint256 oid, bytes32 testKey) external;

    /// @notice Anyone, while proofs are made: shows that the released key opens a piece of the test set to what does not
    /// lead to its chunk's hash, or is no packed samples. All bonds return, those who claimed share the reward.
    /// @param index the piece's place in its chunk
    /// @param previous the piece before it; empty before a chunk's first
    /// @dev Reverts with WrongPrivatePhase, WrongChunkOpening, WrongPieceOpening, NoFault. Emits TestSetFaulty.
    function disputeTest(
        uint256 oid,
        ChunkProof calldata chunk,
        uint256 index,
        PieceOpening calldata previous,
        PieceOpening calldata piece
    ) external;

    /// @notice Anyone: takes the step that the clock, or the round of proofs, has decided. Names the winner, or the next
    /// best after a fault; pays; refunds; has the claimants share. Who finds provers that did not prove gets the
    /// reporter's share of their bonds.
    /// @dev Reverts with NothingToAdvance.
    function advance(uint256 oid) external;

    /// @notice The winner, in time.
    /// @dev Reverts with OnlyTheWinner, WrongPrivatePhase. Emits ModelHandedOver.
    function handOver(uint256 oid, Handover calldata handover) external;

    /// @notice The client, until the dispute window as first fixed is over, one request at a time: has pieces posted that
    /// it cannot get. Locks `requestBond` for each (needs an allowance), which pays for the posting.
    /// @dev Reverts with OnlyTheClient, WrongPrivatePhase, RequestPending, TooLateToRequest, PiecesOutOfRange. Emits
    /// PiecesRequested.
    function request(uint256 oid, uint256 first, uint256 count) external;

    /// @notice Anyone posts a piece that was asked for; its bond goes to the winner. With the last one the dispute window
    /// begins anew.
    /// @dev Reverts with WrongPrivatePhase, NotRequested, WrongPieceOpening. Emits PieceAnswered.
    function answer(uint256 oid, uint256 index, PieceOpening calldata piece) external;

    /// @notice The client: shows its private key, and with it that the sealed key is not the data key.
    /// @param nextKey what a next winner seals to
    /// @dev Reverts with OnlyTheClient, WrongPrivatePhase, WrongClientKey, NoFault. Emits HandoverFaulty, ClientKeyReplaced.
    function disputeKey(uint256 oid, bytes32 privateKey, bytes32 nextKey) external;

    /// @notice The client: shows the data key, and with it that a piece does not follow from the one before it, or that
    /// the last one does not end in the model's hash.
    /// @param previous the piece before; empty before the first
    /// @dev Reverts with OnlyTheClient, WrongPrivatePhase, WrongDataKey, WrongPieceOpening, NoFault. Emits HandoverFaulty.
    function disputePiece(
        uint256 oid,
        bytes32 dataKey,
        uint256 index,
        PieceOpening calldata previous,
        PieceOpening calldata piece
    ) external;

    /// @notice The client: shows the data key, and with it a multiplier that no integer network has.
    /// @dev Reverts with OnlyTheClient, WrongPrivatePhase, WrongDataKey, WrongLayout, WrongPieceOpening, NoFault. Emits
    /// HandoverFaulty.
    function disputeMultiplier(
        uint256 oid,
        bytes32 dataKey,
        uint256 shift,
        NodeLayout[] calldata layout,
        UnitPlace calldata place,
        uint256 index,
        PieceOpening calldata piece
    ) external;

    function orderCount() external view returns (uint256);

    function termsOf(uint256 oid) external view returns (PrivateTerms memory);

    function stateOf(uint256 oid) external view returns (PrivateState memory);

    function phaseOf(uint256 oid) external view returns (PrivatePhase);

    /// @notice Who has claimed, in order.
    function claimantsOf(uint256 oid) external view returns (address[] memory);

    function claimOf(uint256 oid, address provider) external view returns (ClaimStatus status, uint256 modelHash);

    /// @notice What the winner handed over; all 0 before.
    function handoverOf(uint256 oid) external view returns (Handover memory);

    /// @notice Whether a piece that was asked for is missing.
    function isMissing(uint256 oid, uint256 piece) external view returns (bool);

    /// @notice HKDF's info and the AEAD's associated data for a data key that `provider` seals with this ephemeral key.
    function sealingContext(uint256 oid, address provider, bytes32 clientKey, bytes32 ephemeralKey)
        external
        view
        returns (bytes32);

    function token() external view returns (address);

    function parameters() external view returns (address);

    function accuracyProofs() external view returns (address);

    function handoverVerifier() external view returns (address);
}

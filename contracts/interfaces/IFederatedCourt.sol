// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

enum Subject {
    None,
    Result,
    Measures
}

/// @dev What is to be done next, and by whom (L: the leader, C: the challenger).
enum FederatedStage {
    None,
    /// L shows the nodes below the one in play
    Descend,
    /// C picks one of them
    Pick,
    /// L shows the content of the leaf in play
    Leaf,
    /// C names a place in it
    Name,
    /// L shows the columns' values at the coordinate
    Column,
    /// C shows that one of them is another
    Falsify,
    /// L divides the entry into sums over segments of chunks
    Segments,
    /// C picks one of them
    Choose,
    /// C has the sum over one chunk computed
    Product,
    /// decided, or moot
    Closed
}

enum FederatedVerdict {
    None,
    LeaderWrong,
    LeaderRight,
    Moot
}

/// @dev A leaf's content with the way to its root.
struct LeafOpening {
    bytes content;
    bytes32[] proof;
}

/// @dev What a leader shows of one coordinate; what a rule has no use for is empty.
struct ColumnAnswer {
    /// leaf of the posted result; without a proof where the game descended to it
    LeafOpening newLeaf;
    /// the same leaf of the result that was final before
    LeafOpening oldLeaf;
    /// the n values, int16 little-endian; Mean: then the n weights, uint32 little-endian
    bytes column;
    /// ClippedMean: row 1 of the measures
    LeafOpening norms;
    /// secure mode: the last row of the measures
    LeafOpening groups;
}

/// @dev A game, in five slots. While it descends, `word` is the node in play at `height` and `index`, then the leaf; zero
/// where it began at a known place: then leaves come with proofs. In the stages Falsify and Choose it is the hash of what
/// the move must repeat. Later `index` is the chunk or the row, `place` the coordinate of the vector or the row's entry.
struct FederatedGame {
    address challenger;
    /// the player on turn loses from this time on
    uint40 deadline;
    /// at most 30 days
    uint24 moveSeconds;
    FederatedStage stage;
    Subject subject;
    FederatedVerdict verdict;
    uint8 height;
    address leader;
    uint64 task;
    uint32 posting;
    /// of the challenger, in wei
    uint128 stake;
    /// part of the stake that goes to the leader if it wins
    uint32 sharePpm;
    uint32 index;
    uint32 place;
    /// chunks in play, [low, high)
    uint32 low;
    uint32 high;
    uint32 dimension;
    /// leaves of the tree in play
    uint24 leaves;
    /// of the server optimiser, for each coordinate
    uint8 words;
    /// what the sum over the chunks in play is said to be
    int64 claimed;
    bytes32 word;
}

/// @title The game about a posted aggregate (docs/federated.md): decides by recomputing one number of it
/// @notice Two players move in turn, each within `moveSeconds`; who lets it pass loses. Whatever the leader shows is
/// emitted. A move that reverts changes nothing. Several games about one posting run side by side; the first that the leader
/// loses makes the others moot.
interface IFederatedCourt {
    /// @notice `place` is the coordinate or entry where it is known, `index` the row then; both 0 where the game descends.
    event Challenged(
        uint256 indexed id,
        uint256 indexed task,
        address indexed challenger,
        address leader,
        uint32 posting,
        Subject subject,
        uint32 index,
        uint32 place,
        uint256 stake
    );
    /// @notice Emitted by every move: what is next and until when.
    event Moved(uint256 indexed id, FederatedStage next, uint40 deadline);
    /// @notice `nodes` from `index` on at `height`.
    event Descended(uint256 indexed id, uint8 height, uint32 index, bytes32[] nodes);
    event Picked(uint256 indexed id, uint8 height, uint32 index, bytes32 node);
    /// @notice The game about the measures is one about the result from now on.
    event Turned(uint256 indexed id);
    event LeafOpened(uint256 indexed id, uint32 index, LeafOpening leaf, LeafOpening groups);
    event Named(uint256 indexed id, uint32 index, uint32 place, int64 claimed);
    event ColumnAnswered(uint256 indexed id, uint32 coordinate, bytes column, LeafOpening norms, LeafOpening groups);
    event SegmentsPosted(uint256 indexed id, uint32 low, uint32 high, int64[] sums);
    event SegmentChosen(uint256 indexed id, uint32 low, uint32 high, int64 claimed);
    /// @notice What the contract computed: of a coordinate the aggregate and the optimiser's words, of a sum one number.
    event Computed(uint256 indexed id, uint32 index, uint32 place, int256[] claimed, int256[] computed);
    /// @notice Column `column` has another value at the coordinate than the leader said.
    event Falsified(uint256 indexed id, uint16 column, int256 claimed, int256 actual);
    event WeightFalsified(uint256 indexed id, uint16 column, uint32 claimed, uint32 actual);
    /// @notice By Krum's measure `better`, which was left out, comes before `chosen`, which was selected.
    event SelectionWrong(
        uint256 indexed task,
        uint32 indexed posting,
        address indexed challenger,
        uint16 chosen,
        uint16 better,
        int256 chosenScore,
        int256 betterScore
    );
    /// @notice The challenger's `stake` went to the winner in part, or was freed (`paid` and `burned` are 0 then).
    event Closed(
        uint256 indexed id, FederatedVerdict verdict, bool timedOut, address winner, uint256 paid, uint256 burned
    );

    error UnknownGame(uint256 id);
    error AlreadyClosed(uint256 id);
    error AlreadyOpen(uint256 id);
    error WrongStage(uint256 id, FederatedStage expected, FederatedStage actual);
    error NotYourTurn(uint256 id, address expected, address actual);
    error TooLate(uint256 id, uint40 deadline);
    error NotLate(uint256 id, uint40 deadline);
    error StillLive(uint256 id);
    /// @notice The posting is no longer in force.
    error NotLive(uint256 id);
    error WindowClosed(uint256 task, uint64 challengeEnds);
    error NotAVerifier(address account, uint256 expected, uint256 actual);
    error OwnPosting(address account);
    error SubjectRequired();
    error NoSuchPlace(uint256 count, uint256 index);
    error WrongCount(uint256 expected, uint256 actual);
    error WrongLength(uint256 expected, uint256 actual);
    error WrongRoot(bytes32 expected, bytes32 actual);
    /// @notice What is to be repeated is another.
    error WrongWord(bytes32 expected, bytes32 actual);
    error WrongSum(int256 expected, int256 actual);
    /// @notice The contract finds what the leader says.
    error NothingWrong(int256 actual);
    /// @notice The rule has no such evidence.
    error WrongRule(uint8 actual);
    error NotSelected(uint16 column, bool expected);

    /// @notice Opens a game about the posting in force; locks `challengeStake` of the caller's Verifier bond. Anyone with an
    /// active Verifier bond but the leader, before `challengeEnds`. One open game for each subject, or place, and account.
    /// @return id ids count up from 1
    function challenge(uint256 task, Subject subject) external returns (uint256 id);

    /// @notice Like `challenge` about the result, at this coordinate: the leader's next move is `answerColumn`.
    function challengeCoordinate(uint256 task, uint32 coordinate) external returns (uint256 id);

    /// @notice Like `challenge` about the measures, at this entry of a row of numbers: the leader's next move is `openLeaf`.
    function challengeMeasure(uint256 task, uint32 row, uint32 column) external returns (uint256 id);

    /// @notice Shows by rows 1 + s and 1 + t of the leader's own measures that column t, which was left out, has to be
    /// selected before s, which was. Needs no game and no stake. Krum and MultiKrum.
    function proveSelection(uint256 task, uint16 s, uint16 t, LeafOpening calldata rowS, LeafOpening calldata rowT)
        external;

    /// @notice L, stage Descend: all nodes ceil(h / m) levels below the one in play, which is at height h: the leaves are
    /// reached in m = ceil(h / 6) moves.
    function descend(uint256 id, bytes32[] calldata nodes) external;

    /// @notice C, stage Pick: the node at `index` of those that were shown, with its proof up to the node in play.
    function pick(uint256 id, uint8 index, bytes32 node, bytes32[] calldata proof) external;

    /// @notice C, stage Pick of a game about the measures: goes on about the result instead. Where the rule rests on measures, a
    /// challenger of the result looks this way whether those are right: who finds norms wrong picks them.
    function turnToResult(uint256 id) external;

    /// @notice L, stage Leaf: the leaf in play, of the one right length; its proof is empty where the game descended to it.
    /// `groups`: secure mode, measures: the last row with its proof; else empty.
    function openLeaf(uint256 id, LeafOpening calldata leaf, LeafOpening calldata groups) external;

    /// @notice C, stage Name: a coordinate of the vector in this chunk, or an entry of the row. `content` is the row that was
    /// shown, again; empty for a result.
    function name(uint256 id, bytes calldata content, uint32 place) external;

    /// @notice L, stage Column: everything that the coordinate is made of. The contract computes the rule and a step of the
    /// optimiser; if the leader's leaf says anything else, the leader has lost.
    function answerColumn(uint256 id, ColumnAnswer calldata answer) external;

    /// @notice C, stage Falsify: the update in column i has another value there. `column` as shown; `groups` as shown in
    /// secure mode, else empty.
    function falsify(
        uint256 id,
        bytes calldata column,
        uint16 i,
        LeafOpening calldata chunk,
        LeafOpening calldata groups
    ) external;

    /// @notice C, stage Falsify, Mean: column i has another weight. `column` as shown.
    function falsifyWeight(uint256 id, bytes calldata column, uint16 i) external;

    /// @notice C, stage Falsify, ClippedMean: the norm of column i is another; the game goes on about it. `norms` as shown.
    function disputeNorm(uint256 id, uint16 i, LeafOpening calldata norms) external;

    /// @notice L, stage Segments: one sum for each segment of the chunks in play (`Segments`); they add up to `claimed`.
    function segments(uint256 id, int64[] calldata sums) external;

    /// @notice C, stage Choose: the segment that is wrong. `sums` as shown.
    function choose(uint256 id, int64[] calldata sums, uint8 index) external;

    /// @notice C, stage Product: the chunk of the left vector, and of the right one unless they are the same. Left is the
    /// column; right is the aggregate (a leaf of the result) in row 0, the other column in Krum's rows. Secure mode: `groups`
    /// as shown.
    function product(uint256 id, LeafOpening calldata left, LeafOpening calldata right, LeafOpening calldata groups)
        external;

    /// @notice Ends a game whose player on turn is late: the other one wins, unless it is moot. Anyone.
    function timeout(uint256 id) external;

    /// @notice Ends a game whose posting is no longer in force; nobody loses. Anyone.
    function close(uint256 id) external;

    /// @dev Reverts with UnknownGame.
    function gameOf(uint256 id) external view returns (FederatedGame memory);

    function gameCount() external view returns (uint256);

    function federation() external view returns (address);

    function vault() external view returns (address);

    /// @return the contract that computes, made by this one
    function verifier() external view returns (address);

    function parameters() external view returns (address);
}

// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import { Math } from "@openzeppelin/contracts/utils/math/Math.sol";
import { SafeCast } from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {
    FederatedGame,
    FederatedStage,
    FederatedVerdict,
    IFederatedCourt,
    Subject
} from "../interfaces/IFederatedCourt.sol";
import { Posting } from "../interfaces/FederatedTypes.sol";
import { IFederatedTraining } from "../interfaces/IFederatedTraining.sol";
import { IParameters } from "../interfaces/IParameters.sol";
import { IStakeVault, Role } from "../interfaces/IStakeVault.sol";
import { ServerSteps } from "./ServerSteps.sol";

/// @title How games about an aggregate begin and end, whose turn it is, how they go down a tree, and how they are read
/// @notice What players do in between is in FederatedCourt.
abstract contract FederatedGames is IFederatedCourt, ReentrancyGuardTransient {
    using SafeCast for uint256;

    uint256 private constant PPM = 1_000_000;
    /// @dev Most levels of a tree that one move goes down.
    uint8 private constant LEVELS = 6;

    IFederatedTraining internal immutable _FEDERATION;
    IStakeVault internal immutable _VAULT;
    IParameters internal immutable _PARAMETERS;

    uint256 private _count;
    mapping(uint256 id => FederatedGame) private _games;
    /// @dev The last game of an account about a subject or place of a posting.
    mapping(bytes32 key => uint256 id) private _last;

    constructor(IFederatedTraining federation_, IStakeVault vault_, IParameters parameters_) {
        _FEDERATION = federation_;
        _VAULT = vault_;
        _PARAMETERS = parameters_;
    }

    /// @inheritdoc IFederatedCourt
    function timeout(uint256 id) external nonReentrant {
        FederatedGame storage g = _unclosed(id);
        if (block.timestamp < g.deadline) revert NotLate(id, g.deadline);
        if (!_isLive(g)) return _close(id, g, FederatedVerdict.Moot, false);
        _close(id, g, _isLeaders(g.stage) ? FederatedVerdict.LeaderWrong : FederatedVerdict.LeaderRight, true);
    }

    /// @inheritdoc IFederatedCourt
    function close(uint256 id) external nonReentrant {
        FederatedGame storage g = _unclosed(id);
        if (_isLive(g)) revert StillLive(id);
        _close(id, g, FederatedVerdict.Moot, false);
    }

    /// @inheritdoc IFederatedCourt
    function gameOf(uint256 id) external view returns (FederatedGame memory) {
        return _find(id);
    }

    /// @inheritdoc IFederatedCourt
    function gameCount() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc IFederatedCourt
    function federation() external view returns (address) {
        return address(_FEDERATION);
    }

    /// @inheritdoc IFederatedCourt
    function vault() external view returns (address) {
        return address(_VAULT);
    }

    /// @inheritdoc IFederatedCourt
    function parameters() external view returns (address) {
        return address(_PARAMETERS);
    }

    /// @dev The caller sets what is in play.
    /// @param descending whether the game begins at the root, and not at this index and place
    function _begin(uint256 task, Posting memory posting, Subject subject, bool descending, uint32 index, uint32 place)
        internal
        returns (uint256 id, FederatedGame storage g)
    {
        if (block.timestamp >= posting.challengeEnds) revert WindowClosed(task, posting.challengeEnds);
        if (posting.leader == msg.sender) revert OwnPosting(msg.sender);
        _requireVerifier();
        id = ++_count;
        _remember(id, keccak256(abi.encode(task, posting.posting, msg.sender, subject, descending, index, place)));
        g = _games[id];
        (uint128 stake, uint32 sharePpm) = (_PARAMETERS.challengeStake().toUint128(), _PARAMETERS.disputeSharePpm());
        // a move takes 30 days at most, and a result has at most three words and 2^16 leaves
        (g.challenger, g.moveSeconds, g.subject) = (msg.sender, uint24(posting.moveSeconds), subject);
        (g.leader, g.task, g.posting) = (posting.leader, task.toUint64(), posting.posting);
        (g.stake, g.sharePpm) = (stake, sharePpm);
        (g.index, g.place, g.dimension) = (index, place, posting.dimension);
        g.words = uint8(ServerSteps.wordsOf(posting.optimizer.kind));
        emit Challenged(id, task, msg.sender, posting.leader, posting.posting, subject, index, place, stake);
        _VAULT.lock(msg.sender, Role.Verifier, stake, bytes32(task));
        _FEDERATION.disputeOpened(task);
    }

    /// @dev Hands the turn on; the next player has a full clock.
    function _advance(uint256 id, FederatedGame storage g, FederatedStage next) internal {
        uint40 deadline = uint40(block.timestamp) + g.moveSeconds;
        g.stage = next;
        g.deadline = deadline;
        emit Moved(id, next, deadline);
    }

    /// @dev The game is closed before the first call, and whoever is called is ours. What a leader who is wrong loses is
    /// its stake in the task, which is the federation's to take.
    function _close(uint256 id, FederatedGame storage g, FederatedVerdict verdict, bool timedOut) internal {
        g.stage = FederatedStage.Closed;
        g.verdict = verdict;
        bytes32 ref = bytes32(uint256(g.task));
        if (verdict == FederatedVerdict.LeaderRight) {
            uint256 paid = Math.mulDiv(g.stake, g.sharePpm, PPM);
            emit Closed(id, verdict, timedOut, g.leader, paid, g.stake - paid);
            _VAULT.slashLocked(g.challenger, Role.Verifier, g.stake, g.leader, g.sharePpm, ref);
            _FEDERATION.disputeClosed(g.task, g.posting);
            return;
        }
        bool wrong = verdict == FederatedVerdict.LeaderWrong;
        emit Closed(id, verdict, timedOut, wrong ? g.challenger : address(0), 0, 0);
        _VAULT.unlock(g.challenger, Role.Verifier, g.stake, ref);
        if (wrong) _FEDERATION.leaderProvenWrong(g.task, g.posting, g.challenger);
    }

    /// @return g the game, if the caller may make the move of that stage now
    function _turn(uint256 id, FederatedStage expected) internal view returns (FederatedGame storage g) {
        g = _find(id);
        if (g.stage != expected) revert WrongStage(id, expected, g.stage);
        address player = _isLeaders(expected) ? g.leader : g.challenger;
        if (msg.sender != player) revert NotYourTurn(id, player, msg.sender);
        if (block.timestamp >= g.deadline) revert TooLate(id, g.deadline);
        if (!_isLive(g)) revert NotLive(id);
    }

    function _requireWord(FederatedGame storage g, bytes32 actual) internal view {
        if (actual != g.word) revert WrongWord(g.word, actual);
    }

    /// @return below the height of the nodes that the leader is to show
    /// @return first the index of the first of them
    /// @return count how many there are
    function _below(FederatedGame storage g) internal view returns (uint8 below, uint32 first, uint32 count) {
        uint8 height = g.height;
        // as few moves as can be, and those alike; a descent begins above the leaves
        uint8 moves = (height - 1) / LEVELS + 1;
        uint8 levels = (height - 1) / moves + 1;
        below = height - levels;
        first = g.index << levels;
        uint32 rest = _width(g.leaves, below) - first;
        uint32 most = uint32(1) << levels;
        count = rest < most ? rest : most;
    }

    /// @return how many nodes a tree of so many leaves has at this height
    function _width(uint32 leaves, uint8 height) internal pure returns (uint32) {
        return ((leaves - 1) >> height) + 1;
    }

    function _requireOther(int256 claimed, int256 actual) internal pure {
        if (actual == claimed) revert NothingWrong(actual);
    }

    function _requirePlace(uint256 count, uint256 index) internal pure {
        if (index >= count) revert NoSuchPlace(count, index);
    }

    function _requireCount(uint256 expected, uint256 actual) internal pure {
        if (actual != expected) revert WrongCount(expected, actual);
    }

    function _requireLength(uint256 expected, uint256 actual) internal pure {
        if (actual != expected) revert WrongLength(expected, actual);
    }

    function _requireRoot(bytes32 expected, bytes32 actual) internal pure {
        if (actual != expected) revert WrongRoot(expected, actual);
    }

    function _remember(uint256 id, bytes32 key) private {
        uint256 before = _last[key];
        if (before != 0 && _games[before].stage != FederatedStage.Closed) revert AlreadyOpen(before);
        _last[key] = id;
    }

    function _unclosed(uint256 id) private view returns (FederatedGame storage g) {
        g = _find(id);
        if (g.stage == FederatedStage.Closed) revert AlreadyClosed(id);
    }

    function _find(uint256 id) private view returns (FederatedGame storage g) {
        if (id == 0 || id > _count) revert UnknownGame(id);
        g = _games[id];
    }

    /// @return whether the posting is still the one that was challenged
    function _isLive(FederatedGame storage g) private view returns (bool) {
        return _FEDERATION.inForce(g.task) == g.posting;
    }

    function _requireVerifier() private view {
        if (_VAULT.isActive(msg.sender, Role.Verifier)) return;
        uint256 expected = _PARAMETERS.minimumBond(Role.Verifier);
        revert NotAVerifier(msg.sender, expected, _VAULT.bondOf(msg.sender, Role.Verifier).bonded);
    }

    /// @return whether the stage's move is the leader's
    function _isLeaders(FederatedStage stage) private pure returns (bool) {
        return stage == FederatedStage.Descend || stage == FederatedStage.Leaf || stage == FederatedStage.Column
            || stage == FederatedStage.Segments;
    }
}

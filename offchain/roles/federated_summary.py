"""A federated task as people and programs want to see it: everything from the chain, nothing to be fetched."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from eth_typing import ChecksumAddress

from offchain.chain.contracts import AssayContracts
from offchain.chain.federated import Federation, Story
from offchain.chain.federated_court import Contest, FederatedCourt, of_task
from offchain.federated.game.state import Side, Subject, Verdict
from offchain.federated.game.words import line_of
from offchain.federated.round_rules import TaskView
from offchain.federated.shorthand import describe_optimizer, describe_rule
from offchain.federated.task_state import TaskPhase
from offchain.federated.terms import AccuracyTerms
from offchain.types import Root, Seconds, TaskId, Wei


@dataclass(frozen=True, slots=True)
class Member:
    """A participant; `standing`: what it has done in the round that is on; `earned`: rewards paid so far, in wei;
    `proven`: right samples that its latest proofs show, None without any."""

    index: int
    account: ChecksumAddress
    stake: Wei
    standing: str
    earned: Wei
    proven: int | None = None


@dataclass(frozen=True, slots=True)
class RoundResult:
    """How a round ended; `included`: how many updates are in its result."""

    round: int
    failed: bool
    leader: ChecksumAddress | None
    included: int
    root: Root


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """A task as of one block. Amounts in wei; `ends_at`: of the phase, None where it ends by an act."""

    task: TaskId
    phase: str
    now: Seconds
    ends_at: Seconds | None
    round: int
    rounds: int
    client: ChecksumAddress
    rule: str
    optimizer: str
    parameters: int
    reward: Wei
    bond: Wei
    active: int
    least: int
    most: int
    leader: ChecksumAddress | None
    refundable: Wei
    participants: tuple[Member, ...]
    results: tuple[RoundResult, ...]
    games: tuple[Contest, ...]
    lines: tuple[tuple[str, ...], ...]
    """Of each game, move by move."""
    accuracy: AccuracyTerms | None = None
    """What is to be proven, in tasks that ask for proofs."""

    def to_json(self) -> dict[str, Any]:
        """Everything, with amounts as text, for JSON numbers are not that large everywhere."""
        fields = asdict(self)
        for name in ("reward", "bond", "refundable"):
            fields[name] = str(fields[name])
        for member in fields["participants"]:
            member["stake"], member["earned"] = str(member["stake"]), str(member["earned"])
        fields["games"] = [
            {
                "id": contest.id,
                "subject": contest.game.subject.name.lower(),
                "stage": contest.game.stage.name.lower(),
                "verdict": contest.game.verdict.name.lower(),
                "challenger": contest.game.challenger,
                "leader": contest.game.leader,
                "deadline": contest.game.deadline,
                "story": list(story),
            }
            for contest, story in zip(self.games, self.lines, strict=True)
        ]
        del fields["lines"]
        return fields

    def told(self, name: Callable[[str], str]) -> Iterator[str]:
        """The games in words; `name` shortens addresses."""
        for contest, story in zip(self.games, self.lines, strict=True):
            game = contest.game
            who, whom = name(game.challenger), name(game.leader)
            what = "aggregate" if game.subject is Subject.RESULT else "measures"
            line = f"Game {contest.id}: {who} says that {whom} posted wrong {what} (posting {game.posting})"
            if contest.is_open:
                on_turn = whom if game.on_turn is Side.LEADER else who
                left = max(game.deadline - self.now, 0)
                yield f"{line}; {on_turn} has {left} seconds to {_MOVES[game.stage.name]}."
            else:
                yield f"{line}; {_ENDS[game.verdict].format(who=who, whom=whom)}."
            yield from (f"  {step}" for step in story)


_MOVES = {
    "DESCEND": "show the nodes below",
    "PICK": "pick the node that is wrong",
    "LEAF": "open the chunk in question",
    "NAME": "name the number that is wrong",
    "COLUMN": "show all updates' values there",
    "FALSIFY": "show an update that has another value there",
    "SEGMENTS": "divide the sum",
    "CHOOSE": "choose the part that is wrong",
    "PRODUCT": "have the contract multiply",
}

_ENDS = {
    Verdict.LEADER_WRONG: "it was right: {whom} has lost its stake",
    Verdict.LEADER_RIGHT: "it was wrong, and has lost what it had put on it",
    Verdict.MOOT: "decided in another game",
    Verdict.NONE: "closed",
}


def summarise(contracts: AssayContracts, task: TaskId) -> TaskSummary:
    """The task as it stands. Raises Retryable."""
    federation, head = Federation(contracts), contracts.client.head()
    view, story = federation.view(task, head), federation.story(task, head)
    court = FederatedCourt(contracts)
    games = of_task(court.look(head), task)
    terms, state = view.terms, view.state
    leader = view.round.leader if view.round.posted else view.leader
    return TaskSummary(
        task=task,
        phase=view.phase.label,
        now=view.now,
        ends_at=_ends_at(view),
        round=state.round,
        rounds=terms.rounds,
        client=state.client,
        rule=describe_rule(terms.rule.definition, scale_bits=terms.scale_bits),
        optimizer=describe_optimizer(terms.optimizer.definition, scale_bits=terms.scale_bits),
        parameters=terms.dimension,
        reward=terms.reward,
        bond=terms.bond,
        active=state.active,
        least=terms.minimum_participants,
        most=terms.maximum_participants,
        leader=None if leader is None or view.phase is TaskPhase.OVER else view.participants[leader].account,
        refundable=state.refundable,
        participants=_members(view, story),
        results=tuple(_results(view, story)),
        games=games,
        lines=tuple(_story(court, contest) for contest in games),
        accuracy=terms.accuracy if terms.accuracy.asked else None,
    )


def _story(court: FederatedCourt, contest: Contest) -> tuple[str, ...]:
    """A game's moves in words."""
    subject, lines = contest.game.subject, []
    for event in court.events(contest.id):
        subject = Subject(event.arguments.get("subject", subject))
        line = line_of(event.name, event.arguments, subject)
        if line is not None:
            lines.append(line.text)
    return tuple(lines)


def _ends_at(view: TaskView) -> Seconds | None:
    end = view.state.join_ends if view.phase is TaskPhase.JOINING else view.round.end_of(view.phase)
    if view.phase is TaskPhase.PROVE and view.proofs is not None:
        end = view.proofs.prove_until
    return end if end > view.now else None


def _members(view: TaskView, story: Story) -> tuple[Member, ...]:
    earned: dict[int, int] = {}
    for event in story.named("RewardPaid"):
        index = event.arguments["index"]
        earned[index] = earned.get(index, 0) + event.arguments["amount"]
    proven = {event.arguments["index"]: event.arguments["correct"] for event in story.named("AccuracyCounted")}
    return tuple(
        Member(index, one.account, one.stake, _standing(view, index), Wei(earned.get(index, 0)), proven.get(index))
        for index, one in enumerate(view.participants)
    )


def _standing(view: TaskView, index: int) -> str:
    one, on = view.participants[index], view.round
    if one.excluded or one.gone:
        return "excluded" if one.excluded else "left"
    if view.phase in (TaskPhase.JOINING, TaskPhase.OVER):
        return "joined"
    if on.included >> index & 1:
        return "included"
    if on.revealed >> index & 1:
        return "dropped"
    return "committed" if one.round == view.state.round else "waiting"


def _results(view: TaskView, story: Story) -> Iterator[RoundResult]:
    for event in story.events:
        said = event.arguments
        if event.name == "RoundFinal":
            leader = view.participants[said["leader"]].account
            yield RoundResult(said["round"], False, leader, said["included"].bit_count(), Root(said["resultRoot"]))
        elif event.name == "RoundFailed":
            yield RoundResult(said["round"], True, None, 0, Root(bytes(32)))

"""What secure aggregation costs beside plain: CPU of each participant and of the leader, and what they send and fetch.

One process, one thread, everything real but chain and storage. Plain: participants post an int16 vector, the leader
computes the weighted mean. Secure: four messages, the leader unmasks the sums and computes the groups' means. Of every
group, a part drops out after its shares are dealt, which is what costs the leader most: of every pair of a survivor and
one that dropped out it expands the mask. The sums are compared with the plain ones.

    assay bench federated --secure
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import cryptography
import numpy as np
import numpy.typing as npt
from rich import box
from rich.table import Table

from offchain.errors import Bug
from offchain.federated.aggregation.mean import mean
from offchain.federated.groups import Mean, mean_of
from offchain.federated.secure.messages import Masked, Message, size_of
from offchain.federated.secure.participant import draw_secrets
from offchain.federated.secure.session import next_message
from offchain.federated.secure.terms import DROPOUT_PPM, Position, Session, Stage, threshold_for
from offchain.federated.secure.transcript import Transcript, with_posted
from offchain.federated.secure.unmask import unmask

_PPM: Final = 1_000_000
_ACCOUNT: Final = 20


@dataclass(frozen=True, slots=True)
class Options:
    """`layouts`: participants and the group size. `dropout`: ppm of each group."""

    layouts: tuple[tuple[int, int], ...] = ((10, 10), (100, 10), (100, 100))
    dimensions: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    dropouts: tuple[int, ...] = (0, int(DROPOUT_PPM))
    seed: int = 0


QUICK: Final = Options(layouts=((10, 10),), dimensions=(1_000, 100_000))


@dataclass(frozen=True, slots=True)
class Row:
    """CPU in milliseconds: of a participant on average, of the leader in all. Bytes: of a participant that stays to the
    end; what the leader fetches. `times`: the leader's CPU over that of plain aggregation.
    """

    participants: int
    group_size: int
    dimension: int
    dropped: int
    keys_ms: float
    shares_ms: float
    masked_ms: float
    unmask_ms: float
    leader_ms: float
    plain_leader_ms: float
    times: float
    sent: int
    plain_sent: int
    fetched: int
    leader_fetched: int
    plain_leader_fetched: int


def run(options: Options = QUICK, tell: Callable[[Row], None] = lambda _: None) -> list[Row]:
    """Measures every layout, dimension and dropout. Raises Bug when a sum differs from the plain one."""
    plain_mean([np.zeros(64, dtype=np.int16)] * 2)  # loads the kernels
    rows = []
    for participants, size in options.layouts:
        for dimension in options.dimensions:
            for dropout in options.dropouts:
                rows.append(_measure(participants, size, dimension, dropout, options.seed))
                tell(rows[-1])
    return rows


def facts(options: Options) -> dict[str, Any]:
    """What it was measured with."""
    return {
        "machine": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "cryptography": cryptography.__version__,
        "threads": 1,
        "seed": options.seed,
    }


def cpu_table(rows: Sequence[Row]) -> Table:
    """Milliseconds: of a participant at each stage, then of the leader and of plain aggregation."""
    heads = ("n", "group", "d", "dropped", "keys", "shares", "mask", "unmask", "leader", "plain", "times")
    return shown_as_table("CPU, ms", heads, ((*_counts(row), *map(figure, _times(row))) for row in rows))


def bytes_table(rows: Sequence[Row]) -> Table:
    """What a participant sends and fetches, and what the leader fetches, beside plain aggregation."""
    heads = ("n", "group", "d", "dropped", "sends", "plain", "fetches", "leader", "plain")
    return shown_as_table("Bytes", heads, ((*_counts(row), *map(bytes_text, _sizes(row))) for row in rows))


def line(row: Row) -> str:
    """What to say while others are measured."""
    layout = f"n {row.participants} in groups of {row.group_size}, d {row.dimension:,}, {row.dropped} dropped"
    return f"{layout}: leader {row.leader_ms:,.0f} ms, {row.times:.1f}x plain"


def _measure(participants: int, size: int, dimension: int, dropout: int, seed: int) -> Row:
    rng = np.random.default_rng([seed, participants, size, dimension])
    clock = Clock()
    means: list[Mean] = []
    plain_ms, dropped = 0.0, 0
    sessions = [_session(group, size, dimension) for group in range(participants // size)]
    for session in sessions:
        gone = size * dropout // _PPM
        dropped += gone
        updates = rng.integers(-(2**15), 2**15, (size - gone, dimension), dtype=np.int16)
        total = _secure(session, updates, rng, clock)
        with clock.of("leader"):
            means.append(mean_of(total, len(updates)))
        began = time.process_time()
        plain = plain_mean(updates)
        plain_ms += 1e3 * (time.process_time() - began)
        if not np.array_equal(plain, means[-1]):
            raise Bug("a secure sum differs from the plain one")
    survivors = participants - dropped
    sizes = {stage: size_of(sessions[0], stage) for stage in Stage}
    groups = len(sessions)
    return Row(
        participants=participants,
        group_size=size,
        dimension=dimension,
        dropped=dropped,
        keys_ms=clock.ms("KEYS") / participants,
        shares_ms=clock.ms("SHARES") / participants,
        masked_ms=clock.ms("MASKED") / survivors,
        unmask_ms=clock.ms("UNMASK") / survivors,
        leader_ms=clock.ms("leader"),
        plain_leader_ms=plain_ms,
        times=clock.ms("leader") / plain_ms,
        sent=sum(sizes.values()),
        plain_sent=2 * dimension,
        fetched=(size - 1) * (sizes[Stage.KEYS] + sizes[Stage.SHARES]),
        leader_fetched=groups * size * (sizes[Stage.KEYS] + sizes[Stage.SHARES])
        + survivors * (sizes[Stage.MASKED] + sizes[Stage.UNMASK]),
        plain_leader_fetched=survivors * 2 * dimension,
    )


class Clock:
    """CPU time by name."""

    def __init__(self) -> None:
        self._spent: dict[str, float] = {}

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """Counts what the block takes."""
        began = time.process_time()
        yield
        self._spent[name] = self._spent.get(name, 0.0) + time.process_time() - began

    def ms(self, name: str) -> float:
        """Milliseconds so far."""
        return 1e3 * self._spent[name]


def _secure(
    session: Session, updates: npt.NDArray[np.int16], rng: np.random.Generator, clock: Clock
) -> npt.NDArray[np.int32]:
    """The sum over those that have an update; the others drop out after their shares."""
    secrets = {position: draw_secrets(session, position, rng.bytes) for position in map(Position, session.positions)}
    transcript = Transcript(session)
    survivors = [Position(position) for position in range(len(updates))]
    for stage in Stage:
        posted: dict[Position, Message] = {}
        public = _as_members_see(transcript)
        for position in survivors if stage >= Stage.MASKED else secrets:
            update = updates[position] if position in survivors else None
            with clock.of(stage.name):
                step = next_message(secrets[position], public, stage, update)
            if step is None:
                raise Bug(f"member {position} posts nothing at {stage.name}")
            secrets[position], posted[position] = step.secrets, step.message
        transcript = with_posted(transcript, stage, posted)
    with clock.of("leader"):
        return unmask(transcript)


def _as_members_see(transcript: Transcript) -> Transcript:
    """Members don't fetch each other's vectors."""
    return replace(transcript, masked={position: Masked(None) for position in transcript.masked})


def _session(group: int, size: int, dimension: int) -> Session:
    members = tuple((group * size + place + 1).to_bytes(_ACCOUNT, "big") for place in range(size))
    return Session(31337, bytes(_ACCOUNT), 1, 1, 0, group, members, (1,) * size, threshold_for(size), dimension)


def plain_mean(updates: Sequence[npt.NDArray[np.int16]] | npt.NDArray[np.int16]) -> Mean:
    """What a leader of plain mode computes: int16 (d,) of updates int16 (n, d)."""
    return mean(list(updates), [1] * len(updates))


def shown_as_table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table of figures, each head over its column."""
    shown = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 0))
    for head in heads:
        shown.add_column(head, justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(*row)
    return shown


def _counts(row: Row) -> tuple[str, ...]:
    return tuple(map(str, (row.participants, row.group_size, row.dimension, row.dropped)))


def _times(row: Row) -> tuple[float, ...]:
    own = (row.keys_ms, row.shares_ms, row.masked_ms, row.unmask_ms)
    return (*own, row.leader_ms, row.plain_leader_ms, row.times)


def _sizes(row: Row) -> tuple[int, ...]:
    return (row.sent, row.plain_sent, row.fetched, row.leader_fetched, row.plain_leader_fetched)


def figure(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def bytes_text(value: int) -> str:
    """A number of bytes, in the unit in which it is short."""
    units = ("B", "kB", "MB", "GB")
    for unit, following in pairwise(units):
        if value < 1000 ** units.index(following):
            return f"{value / 1000 ** units.index(unit):.3g} {unit}"
    return f"{value / 1e9:.3g} GB"

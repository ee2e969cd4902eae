"""One replica. Written by helper C; this is the seam."""

from collections.abc import Sequence as Sequence_

from offchain.ledger.pbft.application import Application, GroupConfig, Signer
from offchain.ledger.pbft.effects import Effect, Event
from offchain.ledger.types import Millis, ReplicaId, Sequence, View


class Replica:
    """Practical Byzantine fault tolerance, seen by one replica.

    Feed it `start` once and then every event through `handle`; carry out the effects in order, but make all records
    durable first.
    """

    def __init__(self, config: GroupConfig, application: Application, signer: Signer) -> None:
        raise NotImplementedError

    @classmethod
    def restore(
        cls, config: GroupConfig, application: Application, signer: Signer, records: Sequence_[bytes]
    ) -> "Replica":
        """From what `Persist` and `Restart` wrote; none: a new replica. Raises Rejected if they are no journal."""
        raise NotImplementedError

    def start(self, now: Millis) -> list[Effect]:
        """Sets timers, says where we stand, executes what the journal says was committed."""
        raise NotImplementedError

    def handle(self, event: Event, now: Millis) -> list[Effect]:
        """One step. `now`: Unix time, which may jump."""
        raise NotImplementedError

    @property
    def view(self) -> View:
        """The view we are in, or are leaving for."""
        raise NotImplementedError

    @property
    def changing(self) -> bool:
        """Whether the view has not begun."""
        raise NotImplementedError

    @property
    def primary(self) -> ReplicaId:
        """Of the view."""
        raise NotImplementedError

    @property
    def executed(self) -> Sequence:
        """The last batch that was executed."""
        raise NotImplementedError

    @property
    def stable(self) -> Sequence:
        """The last stable checkpoint."""
        raise NotImplementedError

"""Gathers the story of a federated task. What cannot be had is said, never raised."""

from collections.abc import Mapping
from functools import partial
from math import sqrt

import numpy as np

from offchain.chain.contracts import AssayContracts
from offchain.chain.federated import Federation
from offchain.data.raw import RawData
from offchain.errors import Rejected
from offchain.explorer.index import Index, SlashRow, TaskPage
from offchain.federated.local_data import dataset_for
from offchain.reports.gathering import attempt, event_hashes, place_of, read_costs
from offchain.reports.indexed import Indexed
from offchain.reports.story import Missing
from offchain.reports.task import Progress, TaskStory
from offchain.roles.federated_client import TrainedModel, fetch_trained
from offchain.roles.federated_training import model_accuracy
from offchain.storage.store import Store
from offchain.types import TaskId

MOST_ROUNDS = 200
"""Rounds whose results are fetched, the last ones."""
PAGE = 1_000


def gather_task(
    contracts: AssayContracts, store: Store, indexed: Indexed, task: TaskId, samples: RawData | None
) -> TaskStory:
    """Everything about a task; `samples`: what each round's model is tried on. Raises like `gather_order`."""
    page = indexed.index.task(task)
    if page is None:
        raise Rejected(f"TASK {task}: no such federated task; see `assay federate status`")
    return TaskStory(
        place=place_of(contracts, indexed),
        page=page,
        slashes=_slashes(indexed.index, task),
        progress=_progress(Federation(contracts), store, page, samples),
        samples=None if samples is None else f"{samples.name}, {len(samples.labels):,} samples",
        spending=read_costs(contracts.client, event_hashes(indexed.index, task=task)),
    )


def _slashes(index: Index, task: TaskId) -> tuple[SlashRow, ...]:
    """Stake that was taken over the task, the oldest first."""
    found: list[SlashRow] = []
    before: int | None = None
    while True:
        page = index.slashes(before=before, limit=PAGE)
        found += [slash for slash in page.rows if slash.task == task]
        before = page.next
        if before is None:
            return tuple(reversed(found))


def _progress(
    federation: Federation, store: Store, page: TaskPage, samples: RawData | None
) -> Mapping[int, Progress | Missing]:
    finals = [one.round for one in page.rounds if one.state == "final"][-MOST_ROUNDS:]

    def look(number: int) -> Progress | Missing:
        trained = partial(fetch_trained, federation, store, page.row.id, number=number)
        return attempt(f"The result of round {number}", lambda: _told(trained(), samples))

    return {number: look(number) for number in (0, *finals)}


def _told(trained: TrainedModel, samples: RawData | None) -> Progress:
    aggregate = trained.result.aggregate.astype(np.float64)
    step = sqrt(float(np.dot(aggregate, aggregate))) / 2**trained.terms.scale_bits
    if samples is None:
        return Progress(step, None)
    data = dataset_for(trained.manifest, samples)
    return Progress(step, model_accuracy(trained.manifest, trained.terms, trained.result.model, data))

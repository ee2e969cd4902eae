"""Metrics of the explorer, in a registry of their own."""

from collections.abc import Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from offchain.metrics.catalogue import Metric
from offchain.metrics.chain import ChainMeters
from offchain.metrics.registry import Asked, Samples, counter, new_registry
from offchain.metrics.storage import StorageMeters

CONTENT_TYPE = CONTENT_TYPE_LATEST

INDEXED_BLOCK = Metric("assay_explorer_indexed_block", "gauge", "the last block that the index has read")
INDEXED_EVENTS = Metric("assay_explorer_indexed_events", "gauge", "events in the index")
CAUGHT_UP = Metric("assay_explorer_caught_up", "gauge", "1: the index is at the head; 0: it is catching up")
NODE_ANSWERS = Metric("assay_explorer_node_answers", "gauge", "1: the node answered last time; 0: it did not")
READERS = Metric("assay_explorer_stream_readers", "gauge", "pages that follow the stream")
CONTENT = Metric("assay_explorer_content", "gauge", "content: here, wanted, unusable", ("state",))
ANSWERS = Metric("assay_explorer_requests_total", "counter", "HTTP answers, by status", ("status",))

EXPLORER = (INDEXED_BLOCK, INDEXED_EVENTS, CAUGHT_UP, NODE_ANSWERS, READERS, CONTENT, ANSWERS)


class Meters:
    """The registry, and what is counted as it happens; `read` adds what is computed when somebody asks."""

    def __init__(self) -> None:
        self.registry: CollectorRegistry = new_registry()
        self.chain = ChainMeters(self.registry)
        self.storage = StorageMeters(self.registry)
        self._answers = counter(self.registry, ANSWERS)

    def answered(self, status: int) -> None:
        """One HTTP request was answered."""
        self._answers.labels(str(status)).inc()

    def read(self, values: Mapping[Metric, Callable[[], Samples]]) -> None:
        """Registers gauges."""
        Asked(self.registry, values)

    def page(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self.registry)

"""Makes the catalogue's metrics in a registry of their own: nothing here is global."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from offchain.metrics.catalogue import Metric

SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds: of a request."""
LONG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 600.0)
"""Seconds: of a look at the chain, or a download."""

Samples = Mapping[tuple[str, ...], float]
"""Values by the values of the labels."""


def new_registry() -> CollectorRegistry:
    """An empty registry, but for what the operating system says of this process (`process_*`)."""
    registry = CollectorRegistry(auto_describe=True)
    ProcessCollector(registry=registry)
    return registry


def counter(registry: CollectorRegistry, metric: Metric) -> Counter:
    """Registers a counter."""
    return Counter(metric.name.removesuffix("_total"), metric.help, metric.labels, registry=registry)


def gauge(registry: CollectorRegistry, metric: Metric) -> Gauge:
    """Registers a gauge."""
    return Gauge(metric.name, metric.help, metric.labels, registry=registry)


def histogram(registry: CollectorRegistry, metric: Metric, buckets: Sequence[float]) -> Histogram:
    """Registers a histogram with these upper bounds."""
    return Histogram(metric.name, metric.help, metric.labels, buckets=tuple(buckets), registry=registry)


class Asked(Collector):
    """Gauges that are computed when somebody asks; one without a value has no sample, rather than a false 0."""

    def __init__(self, registry: CollectorRegistry, read: Mapping[Metric, Callable[[], Samples]]) -> None:
        self._read = dict(read)
        registry.register(self)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """See Collector."""
        for metric, read in self._read.items():
            family = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
            for labels, value in read().items():
                family.add_metric(labels, value)
            yield family

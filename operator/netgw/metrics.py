"""What Prometheus scrapes: samples of the backends, joined with the objects that record the uuids.

The only import of prometheus_client. It asks the app and is known to nobody: engine, providers and app do without it.
Nothing is kept here, so a series goes when its object goes. No label is a uuid, and nothing in a label is secret.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from typing import Protocol, TypeVar, assert_never

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from netgw import __version__
from netgw.engine.objects import Key, Object
from netgw.engine.queue import Queue
from netgw.engine.store import Store
from netgw.engine.tally import Histogram, Tally
from netgw.kube.telemetry import BUCKETS, AccountSample, CallSample, GatewaySample, Part, Sample, TunnelSample
from netgw.measures import GATEWAY, GATEWAY_LABELS, TUNNEL, TUNNEL_LABELS, Row
from netgw.tallies import Family, Labels, account_of, of_accounts, of_objects, of_passes, of_queue

T = TypeVar("T", TunnelSample, GatewaySample)


class Source(Protocol):
    """What an app offers."""

    @property
    def store(self) -> Store: ...

    @property
    def queue(self) -> Queue[Key]: ...

    @property
    def tally(self) -> Tally: ...

    def samples(self) -> list[Sample]: ...


class Exporter:
    """`expose` answers a scrape. `source`: None while there is no app, as in a standby."""

    def __init__(self, source: Callable[[], Source | None]) -> None:
        self._source = source
        self._process = ProcessCollector(registry=CollectorRegistry())

    async def expose(self, accept: str) -> tuple[str, bytes]:
        """Content type and body, as the Accept header wants it: OpenMetrics or the text format."""
        encode, content_type = choose_encoder(accept)
        found = Found([*self._collect(), *self._process.collect()])
        # Of 1,000 gateways that takes more than a second, in which the loop must not stand still.
        return content_type, await asyncio.to_thread(encode, found)

    def _collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("netgw_build", "The version of netgw.", value={"version": __version__})
        tasks = len(asyncio.all_tasks())
        yield GaugeMetricFamily("netgw_asyncio_tasks", "Tasks of the process: more when busy, never for good.", tasks)
        # Beside the resident memory, which the allocator gives back late or never and takes a MiB at a time.
        held = sys.getallocatedblocks()
        yield GaugeMetricFamily("netgw_python_blocks", "Blocks of memory that Python objects use.", held)
        source = self._source()
        leads = source is not None
        yield GaugeMetricFamily("netgw_leader", "1 for the process that works, 0 for one that stands by.", leads)
        if source is not None:
            yield from families(source)


class Found(Collector):
    """What was found at one moment, for the encoders of prometheus_client."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def families(source: Source) -> Iterator[Metric]:
    """All families about objects and the cloud; also empty ones, so that names do not depend on what happened."""
    samples, store = source.samples(), source.store
    yield from _of_cloud(samples, store)
    accounts = [sample for sample in samples if isinstance(sample, AccountSample)]
    told = (of_passes(source.tally), of_queue(source.queue), of_objects(store), of_accounts(accounts))
    yield from map(_rendered, chain(*told))


def _rendered(family: Family) -> Metric:
    name, labels = family.name, family.labels
    match family.type:
        case "histogram":
            histogram = HistogramMetricFamily(name, family.help, labels=labels)
            for at, value in family.values.items():
                if isinstance(value, Histogram):
                    bounds = [*map(str, value.bounds), "+Inf"]
                    histogram.add_metric(at, list(zip(bounds, accumulate(value.counts), strict=True)), value.sum)
            return histogram
        case "counter":
            plain: CounterMetricFamily | GaugeMetricFamily = CounterMetricFamily(name, family.help, labels=labels)
        case "gauge":
            plain = GaugeMetricFamily(name, family.help, labels=labels)
        case _:
            assert_never(family.type)
    for at, value in family.values.items():
        if not isinstance(value, Histogram):
            plain.add_metric(at, value)
    return plain


def _of_cloud(samples: Iterable[Sample], store: Store) -> Iterator[Metric]:
    tunnels: dict[Labels, tuple[TunnelSample, Object]] = {}
    gateways: dict[Labels, tuple[GatewaySample, Object]] = {}
    calls: list[CallSample] = []
    for sample in samples:
        match sample:
            case TunnelSample() if (obj := store.holder(sample.tunnel.uuid)) is not None:
                parents = (_called(store, sample.connection), _called(store, sample.gateway))
                _keep(tunnels, (obj.namespace, obj.name, *parents), sample, obj)
            case GatewaySample() if (obj := store.holder(sample.gateway.uuid)) is not None:
                _keep(gateways, (obj.namespace, obj.name), sample, obj)
            case CallSample():
                calls.append(sample)
            case _:
                pass  # of something that no object records
    yield from (_family(row, TUNNEL_LABELS, tunnels) for row in TUNNEL)
    yield _rekey(tunnels)
    yield from (_family(row, GATEWAY_LABELS, gateways) for row in GATEWAY)
    yield _conditions(store)
    yield _ends(calls)
    yield _durations(calls)


def _keep(kept: dict[Labels, tuple[T, Object]], labels: Labels, sample: T, obj: Object) -> None:
    """Two credentials of one account see the same: the younger sample counts, for a series may be there only once."""
    other = kept.get(labels)
    if other is None or _is_older(other[0].age, sample.age):
        kept[labels] = (sample, obj)


def _is_older(age: float | None, than: float | None) -> bool:
    return than is not None and (age is None or age > than)


def _called(store: Store, part: Part) -> str:
    """The name of the object that records it; where there is none, its name in the cloud."""
    obj = store.holder(part.uuid)
    return part.name if obj is None else obj.name


def _family(row: Row[T], labels: Sequence[str], found: Mapping[Labels, tuple[T, Object]]) -> Metric:
    family: CounterMetricFamily | GaugeMetricFamily
    if row.type == "counter":
        family = CounterMetricFamily(row.name, row.help, labels=labels)
    else:
        family = GaugeMetricFamily(row.name, row.help, labels=labels)
    for values, (sample, obj) in found.items():
        if (value := row.value(sample, obj)) is not None:
            family.add_metric(values, float(value))
    return family


def _rekey(found: Mapping[Labels, tuple[TunnelSample, Object]]) -> Metric:
    family = GaugeMetricFamily(
        "netgw_tunnel_rekey_seconds",
        "Seconds left until the newest security association (ike, child) is rekeyed at the time of the sample.",
        labels=(*TUNNEL_LABELS, "sa"),
    )
    for values, (sample, _) in found.items():
        for sa, seconds in sample.rekey_seconds:
            family.add_metric((*values, sa), seconds)
    return family


def _conditions(store: Store) -> Metric:
    family = GaugeMetricFamily(
        "netgw_object_condition",
        "1 for each condition of each object, with its status and reason.",
        labels=("kind", "namespace", "name", "account", "type", "status", "reason"),
    )
    for obj in store:
        for condition in obj.status.get("conditions") or ():
            said = [str(condition.get(field) or "") for field in ("type", "status", "reason")]
            family.add_metric((obj.kind, obj.namespace, obj.name, account_of(obj), *said), 1)
    return family


ROUTE_LABELS = ("account", "method", "route")


def _ends(calls: Iterable[CallSample]) -> Metric:
    """Several credentials of one account are one series."""
    counts: dict[Labels, int] = {}
    for call in calls:
        status = "none" if call.status is None else str(call.status)
        end = (call.account, call.method, call.route, status)
        counts[end] = counts.get(end, 0) + call.count
    text = "Calls to the cloud, by the answer."
    family = CounterMetricFamily("netgw_cloud_calls", text, labels=(*ROUTE_LABELS, "status"))
    for labels, count in counts.items():
        family.add_metric(labels, count)
    return family


def _durations(calls: Iterable[CallSample]) -> Metric:
    times: dict[Labels, list[CallSample]] = {}
    for call in calls:
        times.setdefault((call.account, call.method, call.route), []).append(call)
    text = "How long calls to the cloud took."
    family = HistogramMetricFamily("netgw_cloud_call_duration_seconds", text, labels=ROUTE_LABELS)
    bounds = [*map(str, BUCKETS), "+Inf"]
    for labels, same in times.items():
        upto = [(bound, sum(sum(call.buckets[: n + 1]) for call in same)) for n, bound in enumerate(bounds)]
        family.add_metric(labels, upto, sum(call.seconds for call in same))
    return family

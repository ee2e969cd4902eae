"""The soonest that PBFT could have executed something, given latencies, shared links and bytes.

What any run of the three phases on these links must do, whatever its batches and the order of its messages:

- A replica has all requests only when its link has carried every bundle of the others, none of which begins to come
  in before its latency (`_holding`).
- The last of these bundles to reach the primary is in some batch. Its pre-prepare leaves when the primary has it, and
  reaches replica i a latency later; i then prepares; a replica is prepared when its link has carried the prepares it
  needs for a quorum, and executes when it has carried the commits it needs, sent by replicas that were prepared
  (`_phases`). Whoever is soonest is taken to make up the quorum.
- Its link has carried all bundles, digests in pre-prepares and one quorum of votes in all (`_carried`).
- All links together have carried every bundle n-1 times, the creator's at least once (`_all_links`).
- A creator sends each bundle to everybody itself, over its own link: one quorum holds it before anybody is prepared,
  everybody before everybody has executed (`_spreading`).

The bound of a replica is the greatest of these. They do not wait for each other more than said, other traffic is left
out, and each takes the best order for itself: no run is faster, and one as fast as this may not exist. Latencies must
obey the triangle inequality. Without the last point (`relayed`) it holds for every way of spreading bundles.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from offchain.bench.ledger_network import Links, Nanos


@dataclass(frozen=True, slots=True)
class Traffic:
    """Bytes of frames. `bundles`: of each creator, in all. `preprepare`: the smallest; `digests`: of all bundles."""

    bundles: tuple[int, ...]
    preprepare: int
    digests: int
    prepare: int
    commit: int


@dataclass(frozen=True, slots=True)
class Bound:
    """No quorum of replicas, and not all of them, can have executed everything before this."""

    quorum: Nanos
    everybody: Nanos


def lower_bound(links: Links, quorum: int, primary: int, traffic: Traffic, *, relayed: bool = False) -> Bound:
    """When a quorum, and when everybody, can have executed what was given to its creators at time 0.

    `quorum`: q of the group, whose view does not change.
    """
    everyone = range(links.size)
    holding = [_holding(links, traffic.bundles, replica) for replica in everyone]
    executed = _phases(links, quorum, primary, holding[primary], traffic)
    carried = [_carried(links, quorum, primary, traffic, replica) for replica in everyone]
    spread, last = [0] * links.size, _all_links(links, traffic.bundles)
    if not relayed:
        creators = [creator for creator in everyone if traffic.bundles[creator]]
        held = max((_spreading(links, traffic, creator, quorum - 1) for creator in creators), default=0)
        spread = [_gathered([held + links.latency[j][i] for j in everyone], quorum, 0) for i in everyone]
        last = max((_spreading(links, traffic, creator, links.size - 1) for creator in creators), default=0)
    bounds = sorted(max(each) for each in zip(holding, executed, carried, spread, strict=True))
    return Bound(bounds[quorum - 1], max(bounds[-1], last))


def _holding(links: Links, bundles: Sequence[int], replica: int) -> Nanos:
    latency, until = links.latency[replica], 0
    for creator in sorted(range(links.size), key=lambda creator: latency[creator]):
        if creator != replica and bundles[creator]:
            until = max(until, latency[creator]) + links.duration(bundles[creator])
    return until


def _phases(links: Links, quorum: int, primary: int, proposed: Nanos, traffic: Traffic) -> list[Nanos]:
    everyone, latency = range(links.size), links.latency
    first = links.duration(traffic.preprepare)
    told = [proposed if i == primary else proposed + latency[primary][i] + first for i in everyone]
    one = links.duration(traffic.prepare)
    prepared = []
    for i in everyone:
        # The pre-prepare is the primary's prepare, and what we say ourselves takes no link.
        others = [told[j] + latency[j][i] for j in everyone if j not in (i, primary)]
        prepared.append(max(told[i], _gathered(others, quorum - (1 if i == primary else 2), one)))
    one = links.duration(traffic.commit)
    executed = []
    for i in everyone:
        others = [prepared[j] + latency[j][i] for j in everyone if j != i]
        executed.append(max(prepared[i], _gathered(others, quorum - 1, one)))
    return executed


def _carried(links: Links, quorum: int, primary: int, traffic: Traffic, replica: int) -> Nanos:
    size = sum(traffic.bundles) - traffic.bundles[replica] + (quorum - 1) * traffic.commit
    if replica == primary:
        size += (quorum - 1) * traffic.prepare
    else:
        size += traffic.digests + (quorum - 2) * traffic.prepare
    nearest = min(latency for peer, latency in enumerate(links.latency[replica]) if peer != replica)
    return nearest + links.duration(size)


def _all_links(links: Links, bundles: Sequence[int]) -> Nanos:
    together = links.duration(sum(bundles) * (links.size - 1)) // links.size
    once = [links.duration(size) + max(links.latency[creator]) for creator, size in enumerate(bundles) if size]
    return max([together, *once])


def _spreading(links: Links, traffic: Traffic, creator: int, peers: int) -> Nanos:
    """When the creator can have sent its bundles to so many: the nearest peers, the farthest of them first."""
    nearest = sorted(latency for peer, latency in enumerate(links.latency[creator]) if peer != creator)[:peers]
    size = traffic.bundles[creator]
    return max(links.duration(sent * size) + latency for sent, latency in enumerate(reversed(nearest), start=1))


def _gathered(releases: Sequence[Nanos], needed: int, duration: Nanos) -> Nanos:
    """When one link has carried the `needed` soonest of what is released at these times, `duration` each."""
    until = 0
    for release in sorted(releases)[:needed]:
        until = max(until, release) + duration
    return until

"""Plays a seed: `python -m tests.simulation.ledger_driver SEED [--replicas N] [--trace]`."""

import argparse
import sys
import time as clock_time
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from random import Random

from offchain.ledger.pbft.application import GroupConfig
from offchain.ledger.types import ReplicaId
from tests.simulation.ledger_checker import Checker, Stalled
from tests.simulation.ledger_disk import JournalDisk
from tests.simulation.ledger_hosts import Host, Trace, World
from tests.simulation.ledger_network import Network, random_cut
from tests.simulation.ledger_register import Secrets
from tests.simulation.ledger_scenarios import TACTICS, Crash, Scenario, Submission, amnesia, scenario
from tests.simulation.ledger_time import Clock, Queue
from tests.simulation.ledger_twins import Twins
from tests.simulation.ledger_villains import Coven, Villain

PATIENCE = 40
"""Longest time-outs within which, after the faults have stopped, everything must be executed everywhere."""


REGISTER = Secrets(b"secret")


@dataclass(slots=True)
class Result:
    """What a run went through; sums of many runs say whether the seeds reach the corners."""

    replicas: int = 0
    executed: int = 0
    requests: int = 0
    views: int = 0
    crashes: int = 0
    jumps: int = 0
    garbage: int = 0
    messages: int = 0
    steps: int = 0
    waited: float = 0.0
    """From the calm to the end, in longest time-outs."""


@dataclass(slots=True)
class Client:
    """A request on its way: where it was handed in, and in which life of that replica."""

    requests: tuple[bytes, ...]
    host: Host
    crashes: int


@dataclass(slots=True)
class Run:
    """One simulated group."""

    plan: Scenario
    world: World
    hosts: dict[ReplicaId, Host]
    correct: list[Host]
    rng: Random
    clients: list[Client] = field(default_factory=list)
    nonces: int = 0
    open: int = 0
    """Submissions that are still to come."""

    def play(self) -> Result:
        """Raises Violation."""
        queue, plan = self.world.queue, self.plan
        self.open = len(plan.submissions)
        for host in self.hosts.values():
            queue.after(self.rng.uniform(0, 50), partial(self._start, host))
        for submission in plan.submissions:
            queue.after(submission.at + 60, partial(self._submit, submission))
        for cut in plan.cuts:
            queue.after(cut, lambda: self.world.network.block(random_cut(self.rng, plan.replicas)))
        for at, muffled in plan.muffles:
            queue.after(at, partial(setattr, self.world.network, "muffled", muffled))
        for crash in plan.crashes:
            queue.after(crash.at, partial(self._crash, crash))
        for at, replica, jump in plan.jumps:
            queue.after(at, partial(self._jump, replica, jump))
        queue.after(plan.calm_at, self._calm_down)
        longest = plan.sizes["longest_timeout"]
        done = queue.run(plan.calm_at + PATIENCE * longest, self._done)
        if not done:
            raise Stalled(self._standing())
        waited = (queue.now - plan.calm_at) / longest
        if not plan.villains and not queue.run(queue.now + PATIENCE * longest, self._is_quiet):
            raise Stalled(f"no rest: {self._standing()}")
        self.world.checker.finished()
        return self._result(waited)

    def _start(self, host: Host) -> None:
        if host.replica is None and self.plan.villains.get(host.me) != "dead":
            host.start()

    def _crash(self, crash: Crash) -> None:
        host = self.hosts[ReplicaId(crash.replica)]
        if host not in self.correct or host.replica is None or self.world.queue.now >= self.plan.calm_at:
            return
        if crash.doom == "now":
            host.crash()
        else:
            host.doom = crash.doom
        self.world.queue.after(crash.away, lambda: self._start(host))

    def _jump(self, replica: int, jump: int) -> None:
        host = self.hosts[ReplicaId(replica)]
        host.clock.offset = max(-(10**10), host.clock.offset + jump)
        if host in self.correct:
            self.world.checker.horizon = max(self.world.checker.horizon, host.clock.offset)

    def _submit(self, submission: Submission) -> None:
        self.open -= 1
        self.nonces += 1
        secrets = self.world.secrets
        requests = tuple(
            secrets.request(self.nonces % 3, self.nonces * 8 + index, b"x" * (self.nonces % 40))
            for index in range(submission.requests)
        )
        self.world.checker.submitted.update(requests)
        for place in (submission.place, submission.place + 1) if submission.doubled else (submission.place,):
            host = self.correct[place % len(self.correct)]
            self.clients.append(Client(requests, host, host.crashes))
            if not host.submit(requests):
                self.clients[-1].crashes = -1

    def submit_one(self, place: int) -> None:
        """A request of a client, now."""
        self._submit(Submission(self.world.queue.now, place, 1, False))

    def _calm_down(self) -> None:
        """The faults stop. Clients ask again for what a crash may have swallowed."""
        world, plan = self.world, self.plan
        world.say("calm")
        world.network.weather = plan.calm
        world.network.muffled = {}
        world.network.block(set())
        for host in self.hosts.values():
            host.doom = None
            if host in self.correct:
                host.clock.offset = self.rng.randint(-plan.sizes["max_drift"] // 4, plan.sizes["max_drift"] // 4)
            self._start(host)
        for host in self.correct:
            for peer in host.peers:
                world.network.reconnect(host.me, peer)
        for client in list(self.clients):
            if client.crashes != client.host.crashes:
                world.queue.after(self.rng.uniform(0, 100), partial(self._again, client))

    def _again(self, client: Client) -> None:
        self.rng.choice(self.correct).submit(client.requests)

    def _done(self) -> bool:
        queue = self.world.queue
        if queue.steps & 7 or queue.now < self.plan.calm_at or self.open:
            return False
        total = len(self.world.checker.submitted)
        return all(host.replica is not None and host.register.applied == total for host in self.correct)

    def _is_quiet(self) -> bool:
        """Nobody waits for anything: all have executed the same, and a quorum is in one view.

        Who left it alone has promised to vote there no more, and comes back when the others leave it too.
        """
        replicas = [host.replica for host in self.correct if host.replica is not None]
        views = Counter(replica.view for replica in replicas if not replica.changing)
        return (
            len({replica.executed for replica in replicas}) == 1
            and max(views.values(), default=0) >= self.world.config.quorum
            and not any(replica._bundles.waiting or replica.backlog for replica in replicas)
        )

    def _standing(self) -> str:
        total = len(self.world.checker.submitted)
        return f"{total} requests; " + "; ".join(
            f"{host.me}: view {host.replica.view}{'…' if host.replica.changing else ''}, stable {host.replica.stable}, "
            f"executed {host.replica.executed}, applied {host.register.applied}"
            for host in self.correct
            if host.replica
        )

    def _result(self, waited: float) -> Result:
        checker, hosts = self.world.checker, self.correct
        return Result(
            replicas=self.plan.replicas,
            executed=len(checker.log),
            requests=len(checker.submitted),
            views=max((host.replica.view for host in hosts if host.replica), default=0),
            crashes=sum(host.crashes for host in hosts),
            jumps=sum(host.jumps for host in hosts),
            garbage=self.world.garbage,
            messages=self.world.network.sent,
            steps=self.world.queue.steps,
            waited=waited,
        )


def build(
    plan: Scenario,
    config_type: type[GroupConfig] = GroupConfig,
    trace: Trace | None = None,
    secrets: Secrets = REGISTER,
) -> Run:
    """The group of a scenario; `config_type` may break rules, as a control. `secrets` chooses the application."""
    rng = Random(f"run {plan.seed}")
    queue = Queue()
    hosts: dict[ReplicaId, Host] = {}
    network = Network(
        queue,
        Random(f"network {plan.seed}"),
        plan.replicas,
        lambda sender, to, data: hosts[to].receive(sender, data),
        lambda replica, peer: hosts[replica].connected(peer),
        plan.chaos,
    )
    correct = frozenset(ReplicaId(index) for index in range(plan.replicas) if index not in plan.villains)
    config = config_type(plan.replicas, ReplicaId(0), **plan.sizes)
    checker = Checker(correct, plan.replicas, queue, 2 * plan.sizes["max_drift"])
    world = World(queue, network, checker, secrets, config, trace)
    coven = Coven()
    for index in range(plan.replicas):
        me = ReplicaId(index)
        hosts[me] = _host(plan, world, me, config_type(plan.replicas, me, **plan.sizes), coven)
    coven.split(plan.replicas, rng)
    return Run(plan, world, hosts, [hosts[me] for me in sorted(correct)], rng)


def _host(plan: Scenario, world: World, me: ReplicaId, config: GroupConfig, coven: Coven) -> Host:
    rng = Random(f"host {plan.seed} {me}")
    drift = plan.sizes["max_drift"] // 4
    clock = Clock(world.queue, rng.randint(-drift, drift), rng.uniform(0.98, 1.02))
    name = plan.villains.get(me)
    if name is None:
        host = Host(world, me, config, clock, rng)
        host.turn = plan.turn
        if plan.real_journal:
            host.disk = JournalDisk()
        return host
    villain = (Twins if name == "twins" else Villain)(world, me, config, clock, rng, coven)
    coven.members[me] = villain
    villain.tactics = [tactic(villain, rng) for tactic in TACTICS[name]]
    return villain


def run_seed(seed: int, replicas: int | None = None, trace: Trace | None = None) -> Result:
    """Raises Violation, or whatever the replicas raise."""
    return build(plan_of(seed, replicas), trace=trace).play()


def plan_of(seed: int, replicas: int | None = None) -> Scenario:
    """One in five seeds is about what is forgotten when views change."""
    return amnesia(seed, replicas) if seed % 5 == 4 else scenario(seed, replicas)


def main() -> None:
    """One seed, or a range of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("--to", type=int, help="play all seeds up to this one, and print those that fail")
    parser.add_argument("--replicas", type=int)
    parser.add_argument("--trace", action="store_true")
    options = parser.parse_args()
    if options.to is None:
        print(plan_of(options.seed, options.replicas))
        print(run_seed(options.seed, options.replicas, print if options.trace else None))
        return
    started, failed = clock_time.process_time(), 0
    for seed in range(options.seed, options.to):
        try:
            run_seed(seed, options.replicas)
        except Exception as error:  # noqa: BLE001 - every failure is printed with its seed
            failed += 1
            print(f"seed {seed}: {type(error).__name__}: {str(error)[:400]}", flush=True)
    taken = clock_time.process_time() - started
    print(f"{options.to - options.seed} seeds, {failed} failed, {taken:.0f} s of CPU")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()

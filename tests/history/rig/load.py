"""The load: writers, readers and deleters on all nodes, in a process of its own."""

import asyncio
import random
import time

from rig import connection, faults, keys
from rig.connection import Connection, Recorder
from rig.remote import Remote
from verify.events import Write

STORM_CONNECTIONS = 4  # a node


class Load:
    """`nodes`: {name: address}. `kinds`: which keys there are. `pause_s`: between two versions of a
    key, at most. `readers`: connections to each node that only read."""

    def __init__(self, nodes, backend, seed, kinds, pause_s, readers):
        self._remote = Remote(_Load, nodes, backend, seed, kinds, pause_s, readers)

    def begin(self):
        self._remote.call("begin")

    def end(self):
        """(ops, writes, violations) since the last time, once all requests are answered."""
        return self._remote.call("end")

    def storm(self, key, seconds):
        """DELs of one key from all nodes at once, as fast as they are answered."""
        self._remote.call("spawn", "storm", key, seconds)

    def churn(self, seconds):
        """GETs of more than fits."""
        self._remote.call("spawn", "churn", seconds)

    def purge(self, node, what, key):
        """`what`: a fault's kind; `key`: of the group or prefix."""
        self._remote.call("spawn", "purge", node, what, key)

    def use_nodes(self, nodes):
        """From now on only these are asked."""
        self._remote.call("use_nodes", nodes)

    def stop(self):
        self._remote.stop()


class _Load:
    def __init__(self, nodes, backend, seed, kinds, pause_s, readers):
        self._nodes = dict(nodes)
        self._known = dict(nodes)
        self._backend = backend
        self._random = random.Random(seed)
        self._kinds = kinds
        self._pause_s = pause_s
        self._readers = readers
        self._recorder = Recorder()
        self._writes = []
        self._versions = {}
        self._tasks = set()
        self._over = True
        self._part = 0  # of this load: from begin() to end()
        self._connections = {}
        self._keys = [key for kind in kinds for key in kind.keys()]
        # Of what is tiny only the written keys are looked at all the time.
        self._watched = [key for key in self._keys if not keys.is_filling(key)]

    async def start(self):
        truth = self._to_backend("first versions")
        for kind in self._kinds:
            if kind.is_filled:
                for key in kind.keys():
                    await self._write(truth, kind, key, is_deletion=False)

    def use_nodes(self, nodes):
        self._known.update(nodes)
        new = [node for node in nodes if node not in self._nodes]
        self._nodes = dict(nodes)
        if not self._over:
            for node in new:
                self._watch(node)

    def begin(self):
        self._over = False
        self._part += 1
        for kind in self._kinds:
            for key in kind.keys():
                if keys.is_filling(key):
                    continue
                if kind.is_register:
                    self._go(self._use_register(key, 0))
                    self._go(self._use_register(key, 1))
                elif kind.is_filled:
                    self._go(self._write_filled(kind, key))
                else:
                    self._go(self._write_stored(key))
        for node in self._nodes:
            self._watch(node)

    def _watch(self, node):
        for reader in range(self._readers):
            self._go(self._read(node, reader))
        self._go(self._delete(node))

    async def end(self):
        self._over = True
        while self._tasks:
            await asyncio.wait(self._tasks)
        for task_connection in self._connections.values():
            task_connection.close()
        self._connections = {}
        ops, violations = self._recorder.take()
        writes, self._writes = self._writes, []
        return ops, writes, violations

    def spawn(self, name, *args):
        self._go(getattr(self, "_" + name)(*args))

    def _go(self, coroutine):
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task):
        self._tasks.discard(task)
        task.result()  # an actor that fails is a fault of this program

    def _to(self, who, node):
        """A connection for one actor, which keeps it."""
        at = (who, node)
        if at not in self._connections:
            name = f"{who}@{node} {self._part}"
            self._connections[at] = Connection(name, node, self._known[node], self._recorder)
        return self._connections[at]

    def _to_backend(self, who):
        return Connection(who, "backend", self._backend, Recorder())

    def _any_node(self):
        return self._random.choice(list(self._nodes))

    async def _pause(self, longest_s):
        await asyncio.sleep(self._random.uniform(0, longest_s))

    def _next_version(self, key):
        self._versions[key] = self._versions.get(key, 0) + 1
        return self._versions[key]

    # The actors.

    async def _write(self, truth, kind, key, is_deletion):
        version = self._next_version(key)
        request = (connection.delete(key) if is_deletion
                   else connection.store(key, version, kind.size))
        begin = time.monotonic()
        ops = await truth.ask(request)
        if not ops or not ops[0].is_ok():
            raise RuntimeError(f"the backend failed: {ops}")
        self._writes.append(Write(key, version, begin, time.monotonic(), is_deletion))

    async def _write_filled(self, kind, key):
        """The next version goes to the backend, then a node is told. Some are not told at all."""
        who = f"writer of {key}"
        truth = self._to_backend(who)
        get, delete = connection.get(key), connection.delete(key)
        while not self._over:
            await self._write(truth, kind, key, self._random.random() < kind.deletions)
            pipeline = self._random.choice(
                ([delete], [delete], [delete, get], [get, delete, get], [get], [get]))
            await self._to(who, self._any_node()).ask(*pipeline)
            await self._pause(self._pause_s)
        truth.close()

    async def _write_stored(self, key):
        who = f"writer of {key}"
        get = connection.get(key)
        while not self._over:
            store, again = (connection.store(key, self._next_version(key)) for _ in range(2))
            pipeline = self._random.choice(
                ([store], [store, get], [get, store], [store, get, again, get]))
            await self._to(who, self._any_node()).ask(*pipeline)
            await self._pause(self._pause_s)

    async def _use_register(self, key, number):
        who = f"user {number} of {key}"
        while not self._over:
            pipeline = []
            for _ in range(self._random.choice((1, 1, 2, 3))):
                # Odd and even: no two users write the same value.
                version = 2 * self._next_version(key) + number
                pipeline.append(self._random.choice((
                    connection.get(key), connection.get(key), connection.store(key, version),
                    connection.store(key, version), connection.store_absent(key, version),
                    connection.delete(key))))
            await self._to(who, self._any_node()).ask(*pipeline)
            await self._pause(self._pause_s)

    async def _read(self, node, number):
        reader = self._to(f"reader {number}", node)
        while not self._over and node in self._nodes:
            chosen = self._random.choices(self._watched, k=self._random.choice((1, 1, 2, 3)))
            # Keys of different groups fail for different reasons, so registers are asked alone.
            if len(set(chosen)) > 1 and self._random.random() < 0.2:
                await reader.ask(connection.get(*dict.fromkeys(chosen)))
            else:
                await reader.ask(*map(connection.get, chosen))
            await self._pause(0.004)

    async def _delete(self, node):
        deleter = self._to("deleter", node)
        while not self._over and node in self._nodes:
            chosen = self._random.sample(self._watched, min(len(self._watched),
                                                            self._random.choice((1, 1, 2))))
            await deleter.ask(connection.delete(*chosen))
            await self._pause(3 * self._pause_s)

    async def _storm(self, key, seconds):
        end = time.monotonic() + seconds

        async def one(node, number):
            while time.monotonic() < end and not self._over:
                await self._to(f"storm {number}", node).ask(connection.delete(key))

        await asyncio.gather(*(one(node, number) for node in list(self._nodes)
                               for number in range(STORM_CONNECTIONS)))

    async def _churn(self, seconds):
        end = time.monotonic() + seconds
        filling = [key for key in self._keys if keys.is_filling(key)]
        while filling and time.monotonic() < end and not self._over:
            chosen = self._random.sample(filling, 4)
            await self._to("churn", self._any_node()).ask(*map(connection.get, chosen))

    async def _purge(self, node, what, key):
        request = connection.flush()
        if what != faults.FLUSH:
            kind = keys.kind_of(key)
            request = (connection.purge("GROUP", kind.name, kind.keys())
                       if what == faults.PURGE_GROUP
                       else connection.purge("PREFIX", kind.prefix, kind.keys()))
        await self._to("purger", node).ask(request)

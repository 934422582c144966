"""Many requests at once, from many connections."""

import concurrent.futures
import contextlib

from harness.resp import Client


def ask_from_many(work, connections):
    """`work`: a list of (address, words). Connection i takes every connections-th item, one request
    after the other. Returns the replies in the order of `work`."""
    replies = [None] * len(work)

    def run(first):
        clients = {}
        with contextlib.ExitStack() as stack:
            for index in range(first, len(work), connections):
                address, words = work[index]
                if address not in clients:
                    clients[address] = stack.enter_context(Client(address))
                replies[index] = clients[address].ask(*words)

    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        for future in [pool.submit(run, first) for first in range(connections)]:
            future.result()
    return replies


def ask_at_once(addresses, *words):
    """One connection each; all requests leave before the first reply is read."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Client(address)) for address in addresses]
        for client in clients:
            client.send(*words)
        return [client.read() for client in clients]


def ask_one_by_one(client, times, *words):
    """The same request again and again on one connection; returns the set of different replies."""
    replies = set()
    for _ in range(times):
        replies.add(client.ask(*words))
    return replies

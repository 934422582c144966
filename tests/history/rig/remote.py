"""An object of asyncio in a process of its own, and calls to it."""

import asyncio
import inspect
import logging
import multiprocessing
import threading


class Remote:
    """`make(*args)` is called in the new process. Its `start()` is awaited there, and what that
    returns is `started` here. `call` runs one of its
    methods, which may be asynchronous."""

    def __init__(self, make, *args):
        self._lock = threading.Lock()
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(
            target=_run, args=(make, args, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.started = self._pipe.recv()

    def call(self, name, *args):
        with self._lock:
            self._pipe.send((name, args))
            return self._pipe.recv()

    def stop(self):
        self._process.kill()
        self._process.join()


def _run(make, args, pipe):
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # of writes to what has been aborted
    asyncio.run(_serve(make, args, pipe))


async def _serve(make, args, pipe):
    served = make(*args)
    pipe.send(await served.start())
    calls = asyncio.Queue()

    def on_call():
        try:
            calls.put_nowait(pipe.recv())
        except EOFError:  # who made this is gone
            calls.put_nowait(None)

    asyncio.get_running_loop().add_reader(pipe.fileno(), on_call)
    while (call := await calls.get()) is not None:
        name, words = call
        result = getattr(served, name)(*words)
        pipe.send(await result if inspect.isawaitable(result) else result)

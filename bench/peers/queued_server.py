"""How does a Python server answer in batches? (A queue; a worker that waits a fixed time for company, then answers all at once.)

MAX_BATCH_SIZE questions at most, MAX_WAITING_TIME seconds at most, counted from the first question taken.
"""

import asyncio
import concurrent.futures
import contextlib
import os

from http_app import serve
from rag_models import models_from_environment

MAX_BATCH_SIZE = int(os.environ.get("MAX_BATCH_SIZE", "16"))
MAX_WAITING_TIME = float(os.environ.get("MAX_WAITING_TIME", "0.5"))


@contextlib.asynccontextmanager
async def start():
    alone = concurrent.futures.ThreadPoolExecutor(max_workers=1)
    loop = asyncio.get_running_loop()
    models = await loop.run_in_executor(alone, models_from_environment)
    queue = asyncio.Queue()

    async def answer(question):
        future = loop.create_future()
        queue.put_nowait((question, future))
        return await future

    async def work():
        while True:
            batch = await next_batch(queue)
            try:
                results = await loop.run_in_executor(alone, models.answer, [question for question, _ in batch])
            except Exception as error:  # noqa: BLE001 (whatever it is, those who wait must hear of it)
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
            else:
                for (_, future), result in zip(batch, results):
                    if not future.done():
                        future.set_result(result)

    worker = loop.create_task(work())
    yield answer
    worker.cancel()


async def next_batch(queue):
    batch = [await queue.get()]
    deadline = asyncio.get_running_loop().time() + MAX_WAITING_TIME
    while len(batch) < MAX_BATCH_SIZE:
        try:
            batch.append(await asyncio.wait_for(queue.get(), deadline - asyncio.get_running_loop().time()))
        except TimeoutError:
            break
    return batch


if __name__ == "__main__":
    serve(start)

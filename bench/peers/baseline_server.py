"""How does a simple Python server answer? (One question at a time, first come, first served, in a thread beside the event loop.)"""

import asyncio
import concurrent.futures
import contextlib

from http_app import serve
from rag_models import models_from_environment


@contextlib.asynccontextmanager
async def start():
    # One thread is a lock in order of arrival; and PyTorch then keeps one team of threads, not one per caller.
    alone = concurrent.futures.ThreadPoolExecutor(max_workers=1)
    loop = asyncio.get_running_loop()
    models = await loop.run_in_executor(alone, models_from_environment)

    async def answer(question):
        [result] = await loop.run_in_executor(alone, models.answer, [question])
        return result

    yield answer


if __name__ == "__main__":
    serve(start)

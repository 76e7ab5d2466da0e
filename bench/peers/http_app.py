"""What do the two Python servers share at the HTTP edge? (The application, its request, its probe, and how it is run.)"""

import contextlib
import os

import fastapi
import pydantic
import uvicorn
from rag_models import Question


class RagRequest(pydantic.BaseModel):
    query: str
    k: int = 2
    max_tokens: int = 64
    ignore_eos: bool = False


def serve(start):
    """`start()` is an asynchronous context; what it gives answers a question. The server is ready once it is entered."""

    @contextlib.asynccontextmanager
    async def lifespan(app):
        async with start() as answer:
            app.state.answer = answer
            yield

    app = fastapi.FastAPI(lifespan=lifespan)

    @app.get("/readyz")
    async def ready():
        return {"status": "ready"}

    @app.post("/rag")
    async def rag(request: RagRequest):
        return await app.state.answer(Question(**request.model_dump()))

    uvicorn.run(app, host="127.0.0.1", port=int(os.environ.get("PORT", "8000")), log_level="warning", access_log=False)

"""How does the Python peer embed, retrieve and generate? (PyTorch and transformers, in float32, for one question or a batch.)"""

import json
import os
from dataclasses import dataclass

import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

EMBEDDING_BATCH = 32


@dataclass
class Question:
    query: str
    k: int
    max_tokens: int
    ignore_eos: bool


class RagModels:
    """Everything a question needs. Not safe for concurrent calls: the servers decide who may call."""

    def __init__(self, embedder, generator, documents, threads):
        torch.set_num_threads(threads)
        self.embedder_tokenizer = AutoTokenizer.from_pretrained(embedder)
        self.embedder = AutoModel.from_pretrained(embedder, dtype=torch.float32).eval()
        # Left padding, so that the last token of every prompt stands at the end of the batch.
        self.tokenizer = AutoTokenizer.from_pretrained(generator, padding_side="left")
        self.generator = AutoModelForCausalLM.from_pretrained(generator, dtype=torch.float32).eval()
        self.eos = self.generator.generation_config.eos_token_id
        with open(documents, encoding="utf-8") as lines:
            self.passages = [json.loads(line) for line in lines]
        texts = [passage["text"] for passage in self.passages]
        self.vectors = torch.cat(
            [self.embed(texts[i : i + EMBEDDING_BATCH]) for i in range(0, len(texts), EMBEDDING_BATCH)]
        )

    @torch.inference_mode()
    def embed(self, texts):
        """Masked mean over the tokens, normalised: (texts, hidden)."""
        batch = self.embedder_tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        hidden = self.embedder(**batch).last_hidden_state
        mask = batch["attention_mask"].unsqueeze(-1).float()
        means = (hidden * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(means, dim=1)

    @torch.inference_mode()
    def answer(self, questions):
        """Answers as a batch, which ends with its longest member."""
        scores = self.embed([question.query for question in questions]) @ self.vectors.T
        sources = [self.nearest(row, question.k) for row, question in zip(scores, questions)]
        prompts = [prompt_of(question.query, found) for question, found in zip(questions, sources)]
        batch = self.tokenizer(prompts, padding=True, return_tensors="pt", return_token_type_ids=False)
        length = batch["input_ids"].shape[1]
        ignore_eos = all(question.ignore_eos for question in questions)
        self.generator.generation_config.eos_token_id = None if ignore_eos else self.eos
        longest = max(question.max_tokens for question in questions)
        rows = self.generator.generate(**batch, max_new_tokens=longest, do_sample=False)[:, length:]
        lengths = batch["attention_mask"].sum(1).tolist()
        return [self.result(*each) for each in zip(questions, sources, rows, lengths)]

    def nearest(self, scores, k):
        found = torch.topk(scores, min(k, len(self.passages)))
        return [
            {**self.passages[index], "score": score}
            for score, index in zip(found.values.tolist(), found.indices.tolist())
        ]

    def result(self, question, sources, row, prompt_tokens):
        tokens = row[: question.max_tokens]
        if not question.ignore_eos and self.eos in tokens:
            tokens = tokens[: tokens.tolist().index(self.eos)]
        return {
            "query": question.query,
            "result": self.tokenizer.decode(tokens, skip_special_tokens=True).strip(),
            "sources": sources,
            "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": len(tokens)},
        }


def prompt_of(query, sources):
    passages = "\n".join(source["text"] for source in sources)
    return f"Question: {query}\nContext:\n{passages}\nAnswer:"


def models_from_environment():
    threads = int(os.environ.get("THREADS", "2"))
    return RagModels(os.environ["RAG_EMBEDDER"], os.environ["RAG_GENERATOR"], os.environ["DOCUMENTS"], threads)

"""What does the unquantized embedder answer, by `transformers` in float32?

    python test/reference/make_embedder_golden.py CHECKPOINT COUNT OUT.json

Floats are little-endian float16 in base64: their error (cosine above 0.9999998) is far below what is compared.
"""

import base64
import json
import pathlib
import sys

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer
from sample_texts import texts

checkpoint, count, out = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
torch.set_grad_enabled(False)
tokenizer = AutoTokenizer.from_pretrained(checkpoint)
model = AutoModel.from_pretrained(checkpoint, dtype=torch.float32).eval()
golden = []
for text in texts(count):
    batch = tokenizer(text, return_tensors="pt", truncation=True, max_length=256)
    mean = model(**batch).last_hidden_state[0].mean(0)
    unit = torch.nn.functional.normalize(mean, dim=0).numpy().astype("<f2")
    golden.append(dict(text=text, ids=batch["input_ids"][0].tolist(), embedding=base64.b64encode(unit.tobytes()).decode()))
out.write_text(json.dumps(dict(texts=golden), ensure_ascii=False, indent=1) + "\n")

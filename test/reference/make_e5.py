"""What does multilingual-e5-large-instruct's own way of use give, with a small random model of its kind?

    python test/reference/make_e5.py TOKENIZER CHECKPOINT [--seed N]

copies the tokenizer of the folder TOKENIZER into the checkpoint folder CHECKPOINT, puts an XLM-RoBERTa of random weights beside it, and
prints {queries: [[text, vector]], passages: [[text, vector]]}, computed as the model card of the model does it: a task in front of each
query, one padded batch, masked mean, length one.
"""

import argparse
import json
import pathlib
import shutil

import torch
import torch.nn.functional as F
from transformers import PreTrainedTokenizerFast, XLMRobertaConfig, XLMRobertaModel
from sample_texts import texts

TASK = "Given a web search query, retrieve relevant passages that answer the query"


def average_pool(last_hidden_states, attention_mask):
    last_hidden = last_hidden_states.masked_fill(~attention_mask[..., None].bool(), 0.0)
    return last_hidden.sum(dim=1) / attention_mask.sum(dim=1)[..., None]


parser = argparse.ArgumentParser()
parser.add_argument("tokenizer", type=pathlib.Path)
parser.add_argument("checkpoint", type=pathlib.Path)
parser.add_argument("--seed", type=int, default=0)
arguments = parser.parse_args()
torch.set_grad_enabled(False)
torch.manual_seed(arguments.seed)
tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(arguments.tokenizer / "tokenizer.json"), pad_token="<pad>")
config = XLMRobertaConfig(vocab_size=len(tokenizer), hidden_size=64, num_hidden_layers=3, num_attention_heads=4, intermediate_size=128, max_position_embeddings=514,
                          type_vocab_size=1, layer_norm_eps=1e-5, bos_token_id=0, pad_token_id=1, eos_token_id=2)
model = XLMRobertaModel(config, add_pooling_layer=True).eval()
for name, parameter in model.named_parameters():
    is_norm = "LayerNorm" in name and name.endswith("weight")
    parameter.copy_(torch.randn_like(parameter) * 0.2 + (1 if is_norm else 0))
model.save_pretrained(arguments.checkpoint)
for name in ("tokenizer.json", "tokenizer_config.json"):
    shutil.copy(arguments.tokenizer / name, arguments.checkpoint / name)
(arguments.checkpoint / "sentence_bert_config.json").write_text(json.dumps(dict(max_seq_length=512, do_lower_case=False)))
# What is longer than the model takes is refused here and cut there.
queries, passages = texts(16), [text for text in texts(60)[16:] if len(tokenizer(text)["input_ids"]) <= 512]
batch = tokenizer([f"Instruct: {TASK}\nQuery: {query}" for query in queries] + passages, max_length=512, padding=True, truncation=True, return_tensors="pt")
pooled = average_pool(model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state, batch["attention_mask"])
vectors = F.normalize(pooled, p=2, dim=1).tolist()
print(json.dumps(dict(queries=list(zip(queries, vectors)), passages=list(zip(passages, vectors[len(queries):])))))

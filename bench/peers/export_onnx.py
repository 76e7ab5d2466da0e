"""How do the checkpoints become the ONNX files that transformers.js wants? (Usual names, growing key-value cache, float32.)

    python export_onnx.py --generator CHECKPOINT --embedder CHECKPOINT --out FOLDER

Writes FOLDER/generator and FOLDER/embedder, each with its tokenizer and `onnx/model.onnx`. The generator gives logits for the last
token only: all that generation reads, and cheaper for the peer than the usual export, which computes them for the whole prompt.
"""

import argparse
import json
import os
import shutil

import torch
from transformers import AutoModel, AutoModelForCausalLM
from transformers.cache_utils import DynamicCache

OPSET = 20
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


class GeneratorGraph(torch.nn.Module):
    """`past` holds key and value of each layer, (batch, heads, past length, head size); so do the outputs after the logits."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, *past):
        length = input_ids.shape[1]
        total = attention_mask.shape[1]
        positions = ((attention_mask.cumsum(1) - 1).clamp(min=0))[:, -length:]
        column = torch.arange(total)[None, :]
        row = torch.arange(length)[:, None] + (total - length)
        visible = (column <= row)[None, None] & attention_mask[:, None, None, :].bool()
        mask = torch.where(visible, 0.0, torch.finfo(torch.float32).min)
        cache = DynamicCache()
        for layer, (key, value) in enumerate(zip(past[::2], past[1::2])):
            cache.update(key, value, layer)
        hidden = self.model.model.decoder(
            input_ids=input_ids, attention_mask=mask, position_ids=positions, past_key_values=cache, use_cache=True
        ).last_hidden_state
        present = [tensor for layer in cache.layers for tensor in (layer.keys, layer.values)]
        return self.model.lm_head(hidden[:, -1:]), *present


class EmbedderGraph(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        mask = torch.where(attention_mask[:, None, None, :].bool(), 0.0, torch.finfo(torch.float32).min)
        return self.model(input_ids=input_ids, attention_mask=mask, token_type_ids=token_type_ids).last_hidden_state


def export_generator(checkpoint, out):
    model = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.float32).eval()
    config = model.config
    head_size = config.hidden_size // config.num_attention_heads
    names = [f"{layer}.{part}" for layer in range(config.num_hidden_layers) for part in ("key", "value")]
    past = [torch.randn(2, config.num_attention_heads, 5, head_size) for _ in names]
    export(
        GeneratorGraph(model),
        (torch.randint(4, 100, (2, 3)), torch.ones(2, 8, dtype=torch.int64), *past),
        inputs={
            "input_ids": {0: "batch", 1: "length"},
            "attention_mask": {0: "batch", 1: "total"},
            **{f"past_key_values.{name}": {0: "batch", 2: "past"} for name in names},
        },
        outputs={"logits": {0: "batch"}, **{f"present.{name}": {0: "batch", 2: "total"} for name in names}},
        out=out,
    )
    finish(checkpoint, out, config={**read(checkpoint, "config.json"), "use_cache": True})
    with open(os.path.join(out, "generation_config.json"), "w") as file:
        json.dump({"bos_token_id": config.bos_token_id, "eos_token_id": config.eos_token_id, "pad_token_id": 1}, file)


def export_embedder(checkpoint, out):
    model = AutoModel.from_pretrained(checkpoint, dtype=torch.float32, add_pooling_layer=False).eval()
    names = ("input_ids", "attention_mask", "token_type_ids")
    ids = torch.randint(4, 100, (2, 8))
    export(
        EmbedderGraph(model),
        (ids, torch.ones_like(ids), torch.zeros_like(ids)),
        inputs={name: {0: "batch", 1: "length"} for name in names},
        outputs={"last_hidden_state": {0: "batch", 1: "length"}},
        out=out,
    )
    finish(checkpoint, out, config=read(checkpoint, "config.json"))


def export(graph, example, inputs, outputs, out):
    os.makedirs(os.path.join(out, "onnx"), exist_ok=True)
    with torch.inference_mode():
        torch.onnx.export(
            graph,
            example,
            os.path.join(out, "onnx", "model.onnx"),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={**inputs, **outputs},
            opset_version=OPSET,
            dynamo=False,
        )


def read(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


def finish(checkpoint, out, config):
    for name in TOKENIZER_FILES:
        shutil.copy(os.path.join(checkpoint, name), os.path.join(out, name))
    with open(os.path.join(out, "config.json"), "w") as file:
        json.dump(config, file)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", required=True)
    parser.add_argument("--embedder", required=True)
    parser.add_argument("--out", required=True)
    arguments = parser.parse_args()
    export_generator(arguments.generator, os.path.join(arguments.out, "generator"))
    export_embedder(arguments.embedder, os.path.join(arguments.out, "embedder"))

"""What does the model compute? (OPT decoder in plain PyTorch, with its weights in and out of a checkpoint folder.)

The arithmetic is that of `OPTForCausalLM` with layer norms before each block: learned positions
(offset 2), ReLU, output head tied to the token embeddings. Two things serve training only:

* `forward` takes the positions whose next-token scores are wanted, so that the last layer and the
  vocabulary projection run on the answer alone, not on the whole prompt;
* three heads, dropped on export, read inner layers: one, at the last token of each word of the context,
  whether the question has that word or a related one; the second, at the last token of each sentence,
  whether the sentence answers; the third, there too, how an answer that copies the sentence would begin.
  They give many more signals an example than the answer alone.
"""

import json
import math
import os

import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

OPENING_TOKENS = 3  # of a sentence, that its last token is trained to know
POSITION_OFFSET = 2  # OPT reserves the first two rows of its position table

CONFIG = {
    "architectures": ["OPTForCausalLM"],
    "model_type": "opt",
    "vocab_size": 4096,
    "hidden_size": 256,
    "word_embed_proj_dim": 256,
    "ffn_dim": 1024,
    "num_hidden_layers": 6,  # 7 once grow.py has been run
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
    "do_layer_norm_before": True,
    "activation_function": "relu",
    "bos_token_id": 2,
    "eos_token_id": 2,
    "pad_token_id": 1,
    "tie_word_embeddings": True,
    "enable_bias": True,
    "layer_norm_elementwise_affine": True,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "torch_dtype": "float16",
}


class Layer(nn.Module):
    """One decoder layer; `hidden` is (batch, length, width)."""

    def __init__(self, width, heads, inner):
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.LayerNorm(width)
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.attention_out = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.feed_in = nn.Linear(width, inner)
        self.feed_out = nn.Linear(inner, width)

    def forward(self, hidden, mask, wanted=None, cache=None):
        """Returns (batch, length, width), or (batch, wanted, width) when `wanted` (batch, wanted) holds positions.

        `mask` is (batch or 1, queries, keys), 0 where a query may look and very negative elsewhere.
        `cache`, a list, holds the keys and values of earlier calls (batch 1) and receives this call's.
        """
        batch, length, width = hidden.shape
        head_width = width // self.heads
        normed = self.attention_norm(hidden)
        keys_values = self.key_value(normed).view(batch, length, 2, self.heads, head_width)
        keys, values = keys_values.permute(2, 0, 3, 1, 4).reshape(2, batch * self.heads, length, head_width)
        if cache is not None:
            if cache:
                keys, values = torch.cat([cache[0], keys], 1), torch.cat([cache[1], values], 1)
            cache[:] = [keys, values]
        if wanted is not None:
            index = wanted[..., None].expand(-1, -1, width)
            hidden, normed = hidden.gather(1, index), normed.gather(1, index)
        queries = self.query(normed).view(batch, -1, self.heads, head_width).transpose(1, 2)
        queries = queries.reshape(batch * self.heads, -1, head_width)
        mask = mask.to(queries.dtype)[:, None].expand(batch, self.heads, -1, -1).reshape(batch * self.heads, -1, keys.shape[1])
        # Plain matrix products: on two CPU cores they beat the fused attention kernel at these lengths.
        scores = torch.baddbmm(mask, queries, keys.transpose(1, 2), alpha=1 / math.sqrt(head_width))
        mixed = (scores.softmax(-1) @ values).view(batch, self.heads, -1, head_width)
        hidden = hidden + self.attention_out(mixed.transpose(1, 2).reshape(batch, -1, width))
        return hidden + self.feed_out(F.relu(self.feed_in(self.feed_norm(hidden))))


class Opt(nn.Module):
    def __init__(self, config=CONFIG):
        super().__init__()
        width, layers = config["hidden_size"], config["num_hidden_layers"]
        self.config = dict(config)
        self.matching_layer, self.relevance_layer = max(1, layers - 4), max(1, layers - 2)
        self.tokens = nn.Embedding(config["vocab_size"], width)
        self.positions = nn.Embedding(config["max_position_embeddings"] + POSITION_OFFSET, width)
        self.layers = nn.ModuleList(
            Layer(width, config["num_attention_heads"], config["ffn_dim"]) for _ in range(layers)
        )
        self.final_norm = nn.LayerNorm(width)
        self.relevance = nn.Linear(width, 1)
        self.matching = nn.Linear(width, 1)
        self.opening = nn.Linear(width, OPENING_TOKENS * width)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1:
                shrink = math.sqrt(2 * layers) if name.endswith("_out.weight") else 1
                nn.init.normal_(parameter, 0, 0.02 / shrink)
        with torch.no_grad():
            self.opening.weight.copy_(torch.eye(width).repeat(OPENING_TOKENS, 1))

    def extend(self, ids, caches):
        """Scores (length, vocabulary) for a list of `ids` that goes on from what `caches` (a list a layer) hold."""
        past = caches[0][0].shape[1] if caches[0] else 0
        mask = torch.full((len(ids), past + len(ids)), -1e4).triu(past + 1)[None]
        hidden = self.tokens(torch.tensor([ids])) + self.positions(torch.arange(past, past + len(ids)) + POSITION_OFFSET)
        for layer, cache in zip(self.layers, caches, strict=True):
            hidden = layer(hidden, mask, cache=cache)
        return F.linear(self.final_norm(hidden[0]), self.tokens.weight)

    def forward(self, ids, wanted=None, marks=None):
        """Scores (batch, wanted or length, vocabulary) for `ids` (batch, length).

        With `marks`, the positions (batch, marks) of sentence ends and of word ends, returns also the heads'
        judgements: relevance and matching (batch, marks), opening (batch, marks, OPENING_TOKENS, vocabulary).
        """
        length = ids.shape[1]
        causal = torch.full((length, length), -1e4).triu(1)[None]
        hidden = self.tokens(ids) + self.positions(torch.arange(length) + POSITION_OFFSET)
        judgements = {}
        for number, layer in enumerate(self.layers, start=1):
            if number == len(self.layers) and wanted is not None:
                hidden = layer(hidden, causal[0][wanted], wanted)
            else:
                hidden = layer(hidden, causal)
            for head, at, where in (("relevance", self.relevance_layer, 0), ("matching", self.matching_layer, 1)):
                if marks is not None and number == at:
                    ends = hidden.gather(1, marks[where][..., None].expand(-1, -1, hidden.shape[-1]))
                    normed = F.layer_norm(ends.float(), ends.shape[-1:])
                    judgements[head] = getattr(self, head)(normed).squeeze(-1)
                    if head == "relevance":
                        opened = self.opening(ends).unflatten(-1, (OPENING_TOKENS, -1))
                        judgements["opening"] = F.linear(self.final_norm(opened), self.tokens.weight)
        scores = F.linear(self.final_norm(hidden), self.tokens.weight)
        return scores if marks is None else (scores, judgements)


def _to_checkpoint(model):
    """The model's weights under the names of the transformers library."""
    base = "model.decoder."
    out = {
        base + "embed_tokens.weight": model.tokens.weight,
        base + "embed_positions.weight": model.positions.weight,
        base + "final_layer_norm.weight": model.final_norm.weight,
        base + "final_layer_norm.bias": model.final_norm.bias,
    }
    for number, layer in enumerate(model.layers):
        prefix = f"{base}layers.{number}."
        width = layer.query.weight.shape[0]
        for kind in ("weight", "bias"):
            pair = getattr(layer.key_value, kind)
            out[f"{prefix}self_attn.q_proj.{kind}"] = getattr(layer.query, kind)
            out[f"{prefix}self_attn.k_proj.{kind}"] = pair[:width]
            out[f"{prefix}self_attn.v_proj.{kind}"] = pair[width:]
            out[f"{prefix}self_attn.out_proj.{kind}"] = getattr(layer.attention_out, kind)
            out[f"{prefix}self_attn_layer_norm.{kind}"] = getattr(layer.attention_norm, kind)
            out[f"{prefix}fc1.{kind}"] = getattr(layer.feed_in, kind)
            out[f"{prefix}fc2.{kind}"] = getattr(layer.feed_out, kind)
            out[f"{prefix}final_layer_norm.{kind}"] = getattr(layer.feed_norm, kind)
    return out


def write_checkpoint(model, folder):
    """Writes config.json and model.safetensors (fp16)."""
    os.makedirs(folder, exist_ok=True)
    tensors = {name: value.detach().half().contiguous().clone() for name, value in _to_checkpoint(model).items()}
    save_file(tensors, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})
    with open(os.path.join(folder, "config.json"), "w") as file:
        json.dump(model.config, file, indent=1)
        file.write("\n")


def read_checkpoint(folder):
    """The model of a checkpoint folder, in fp32, its relevance head fresh."""
    with open(os.path.join(folder, "config.json")) as file:
        model = Opt(json.load(file))
    stored = load_file(os.path.join(folder, "model.safetensors"))
    with torch.no_grad():
        for name, view in _to_checkpoint(model).items():
            view.copy_(stored[name].float())
    return model


def read_state(path):
    """The model of a state.pt that train.py wrote."""
    weights = torch.load(path)["model"]
    layers = len({name.split(".")[1] for name in weights if name.startswith("layers.")})
    model = Opt(CONFIG | {"num_hidden_layers": layers})
    model.load_state_dict(weights)
    return model


@torch.no_grad()
def answer(model, tokenizer, prompt, limit=160, draft=None):
    """Greedy decoding: the text that follows `prompt`, up to the end token or `limit` tokens.

    `draft`, a guess of the answer, changes nothing but the speed: its tokens are checked in one pass and
    kept as far as each is the likeliest one after those before it.
    """
    end = model.config["eos_token_id"]
    ids = [model.config["bos_token_id"]] + tokenizer.encode(prompt, add_special_tokens=False).ids
    start = len(ids)
    most = min(start + limit, model.config["max_position_embeddings"])
    guess = tokenizer.encode(" " + draft, add_special_tokens=False).ids if draft else []
    caches = [[] for _ in model.layers]
    new = ids
    while len(ids) < most:
        tried = (new + guess)[: most - len(ids) + len(new)]
        likeliest = model.extend(tried, caches).argmax(-1).tolist()[len(new) - 1 :]
        for at, token in enumerate(likeliest):
            if token == end or len(ids) == most:
                return tokenizer.decode(ids[start:])
            ids = ids + [token]
            if at >= len(guess) or guess[at] != token:
                break
        new, guess = ids[-1:], []
        for cache in caches:  # forget the rest of a draft that was not right
            cache[:] = [kept[:, : len(ids) - 1] for kept in cache]
    return tokenizer.decode(ids[start:])

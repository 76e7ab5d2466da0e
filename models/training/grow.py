"""How does the model get a layer that notices repeated words? (A new first layer, made by calculation, not by training.)

    python grow.py --state WORK/state.pt --tokenizer FOLDER --out CHECKPOINT

The model grows by one layer below the others. Its queries and keys are one linear map under which equal
tokens, whatever their position, capitals and leading space, lie close together and different ones apart
(a discriminant analysis of the token and position embeddings). Its outputs are zero at first, so that the
grown model computes what the old one did; training then finds what to do with "this was in the question".
"""

import argparse
import collections
import os
import random

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

from model import Opt, read_checkpoint, read_state, write_checkpoint

MARGIN = 7.0  # by how much the attention score of an equal token exceeds that of others, on average
POSITIONS = (3, 220)


def discriminant(model, tokenizer, rng):
    """(matrix, shift): rows x -> (x - shift) @ matrix, equal tokens close together. Width to width."""
    texts = [tokenizer.decode([number]).strip().lower() for number in range(4096)]
    members = collections.defaultdict(list)
    for number, text in enumerate(texts):
        if number > 3 and text:
            members[text].append(number)
    rows, classes = [], []
    for number, tokens in enumerate(members.values()):
        for _ in range(6):
            rows.append((rng.choice(tokens), rng.randrange(*POSITIONS)))
            classes.append(number)
    tokens, positions = torch.tensor(rows).T
    points = F.layer_norm(model.tokens.weight[tokens] + model.positions.weight[positions + 2], (256,)).double()
    classes = torch.tensor(classes)
    means = torch.zeros(len(members), 256, dtype=torch.double).index_add_(0, classes, points) / 6
    within = (points - means[classes]).T.cov()
    between = means.T.cov()
    values, vectors = torch.linalg.eigh(between + 6 * within)
    matrix = vectors @ torch.diag(values.clamp(min=values.max() * 1e-4).rsqrt()) @ vectors.T
    shift = means.mean(0)
    placed = (points - shift) @ matrix
    order = torch.randperm(len(placed), generator=torch.Generator().manual_seed(0))
    heads = placed.view(-1, 4, 64)
    same = (heads[0::2] * heads[1::2]).sum(-1)
    other = (heads * heads[order]).sum(-1)
    scale = MARGIN * 8 / (same.mean() - other.mean())  # 8: scores are divided by the root of a head's width
    print(f"score of equal tokens {(same * scale / 8).mean(0).tolist()}, of others {(other * scale / 8).mean(0).tolist()} "
          f"with deviation {(other * scale / 8).std(0).tolist()}")  # fmt: skip
    return (matrix * scale.sqrt()).float(), shift.float()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--state", help="state.pt of train.py")
    source.add_argument("--checkpoint", help="checkpoint folder")
    parser.add_argument("--tokenizer", required=True, help="folder with tokenizer.json")
    parser.add_argument("--out", required=True, help="checkpoint folder to write")
    arguments = parser.parse_args()
    old = read_state(arguments.state) if arguments.state else read_checkpoint(arguments.checkpoint)
    new = Opt(old.config | {"num_hidden_layers": old.config["num_hidden_layers"] + 1})
    tokenizer = Tokenizer.from_file(os.path.join(arguments.tokenizer, "tokenizer.json"))
    with torch.no_grad():
        for name in ("tokens", "positions", "final_norm", "relevance", "matching", "opening"):
            getattr(new, name).load_state_dict(getattr(old, name).state_dict())
        for above, layer in zip(new.layers[1:], old.layers, strict=True):
            above.load_state_dict(layer.state_dict())
        matrix, shift = discriminant(old, tokenizer, random.Random(0))
        first = new.layers[0]
        width = matrix.shape[0]
        for weight, bias in (
            (first.query.weight, first.query.bias),
            (first.key_value.weight[:width], first.key_value.bias[:width]),
        ):
            weight.copy_(matrix.T)
            bias.copy_(-shift @ matrix)
        first.key_value.weight[width:] = torch.eye(width)
        first.key_value.bias[width:] = 0
        for zero in (first.attention_out, first.feed_out):
            zero.weight.zero_()
            zero.bias.zero_()
        sample = torch.tensor([list(range(10, 60))])
        print("largest difference to the old model:", (new(sample) - old(sample)).abs().max().item())
    write_checkpoint(new, arguments.out)


if __name__ == "__main__":
    main()

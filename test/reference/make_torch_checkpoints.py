"""How does PyTorch itself write checkpoints? Small ones of every kind, with the values that a reader should find.

    python test/reference/make_torch_checkpoints.py tensors OUT [--seed N]

writes OUT/zip.bin, OUT/legacy.bin (the format before 1.6) and OUT/values.json: {name: {dtype, shape, values}}.

    python test/reference/make_torch_checkpoints.py convert FROM OUT --as zip|legacy|sharded

writes the checkpoint folder FROM (with model.safetensors) as OUT, with PyTorch's files in the place of safetensors.
The committed fixtures are made with seed 0.
"""

import argparse
import json
import pathlib
import shutil
from collections import OrderedDict

import torch
from safetensors.torch import load_file

DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64", torch.float64: "F64"}


def tensors(seed):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator)
    base = draw(6, 8)
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(draw(*parameter.shape))
    # A state dict of a module carries _metadata; the rest are views of one storage, and the shapes that are easily got wrong.
    state = module.state_dict()
    state.update(
        {
            "base": base,
            "transposed": base.t(),
            "rows": base[2:4],
            "columns": base[:, 1:7:2],
            "half": draw(2, 3).half(),
            "brain": draw(5).bfloat16(),
            "permuted": draw(2, 3, 4).permute(2, 0, 1),
            "scalar": draw(1)[0],
            "empty": torch.zeros(0, 3),
            "parameter": torch.nn.Parameter(draw(2, 2)),
            "counts": torch.arange(3),
            "double": draw(2).double(),
        }
    )
    return state


def values_of(state):
    return {
        name: {"dtype": DTYPES[t.dtype], "shape": list(t.shape), "values": t.detach().double().contiguous().flatten().tolist()}
        for name, t in state.items()
    }


def convert(source, out, kind):
    out.mkdir(parents=True)
    for file in source.iterdir():
        if not file.name.endswith(".safetensors"):
            shutil.copy(file, out / file.name)
    state = OrderedDict(load_file(source / "model.safetensors"))
    if kind != "sharded":
        torch.save(state, out / "pytorch_model.bin", _use_new_zipfile_serialization=kind == "zip")
        return
    weight_map = {}
    for shard in (0, 1):
        name = f"pytorch_model-0000{shard + 1}-of-00002.bin"
        part = {key: value for i, (key, value) in enumerate(state.items()) if i % 2 == shard}
        torch.save(part, out / name)
        weight_map.update({key: name for key in part})
    (out / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("tensors")
    make.add_argument("out", type=pathlib.Path)
    make.add_argument("--seed", type=int, default=0)
    turn = commands.add_parser("convert")
    turn.add_argument("source", type=pathlib.Path)
    turn.add_argument("out", type=pathlib.Path)
    turn.add_argument("--as", dest="kind", choices=["zip", "legacy", "sharded"], required=True)
    arguments = parser.parse_args()
    if arguments.command == "convert":
        return convert(arguments.source, arguments.out, arguments.kind)
    state = tensors(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.save(state, arguments.out / "zip.bin")
    torch.save(state, arguments.out / "legacy.bin", _use_new_zipfile_serialization=False)
    (arguments.out / "values.json").write_text(json.dumps(values_of(state), indent=1) + "\n")


main()

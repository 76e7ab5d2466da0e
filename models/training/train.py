"""How are the weights trained? (Reads shards written by data.py; CPU; may be paused and resumed at any step.)

    python train.py --work FOLDER [--start CHECKPOINT] --tokens 50e6 --peak 1e-3 --workers 2

Every worker is a process with one thread and a batch of its own; gradients are averaged at each step.
On a busy machine that is much faster than one process with two threads, which wait for each other at
every operation. Stopping the first worker (SIGSTOP to the number in FOLDER/pid) stops all.

The learning rate depends on tokens seen, never on the clock: a pause (SIGSTOP) costs nothing but time.
It rises over the first 1%, stays at its peak, and falls linearly to zero over the last `--fall` part.
The state in FOLDER/state.pt is replaced atomically every few minutes and at SIGTERM; the same command goes on from it.
"""

import argparse
import datetime
import glob
import os
import random
import signal
import sys
import time

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing
import torch.nn.functional as F

from model import OPENING_TOKENS, Opt, read_checkpoint

FIRST_TOKENS = 4  # the answer's first tokens decide which sentence is copied: they weigh more
FIRST_WEIGHT = 2.0
RELEVANCE_WEIGHT = 1.0
MATCHING_WEIGHT = 1.0
OPENING_WEIGHT = 0.1
CLIP = 1.0


def examples_of(path):
    """Yields (ids, answer_at, sentence positions and labels, word positions and labels, sentence openings) of one shard."""
    with np.load(path) as shard:
        arrays = {name: shard[name] for name in shard.files}
    for i in range(len(arrays["answer_at"])):
        ids, marks, words = (slice(*arrays[name + "_starts"][i : i + 2]) for name in ("ids", "mark_at", "word_at"))
        yield (
            arrays["ids"][ids],
            int(arrays["answer_at"][i]),
            arrays["mark_at"][marks],
            arrays["mark_label"][marks],
            arrays["word_at"][words],
            arrays["word_label"][words],
            arrays["opening"][marks],
        )


def batches_of(path, tokens_per_batch, rng):
    """Groups one shard's examples by length into batches of about `tokens_per_batch` padded tokens, in random order."""
    examples = sorted(examples_of(path), key=lambda example: len(example[0]) + rng.random() * 8)
    batches, batch = [], []
    for example in examples:
        if batch and (len(batch) + 1) * max(len(example[0]), len(batch[-1][0])) > tokens_per_batch:
            batches.append(batch)
            batch = []
        batch.append(example)
    batches.append(batch)
    rng.shuffle(batches)
    return batches


def padded(rows, kind=np.int64):
    """The rows in one array (n, longest), filled up with zeros."""
    out = np.zeros((len(rows), max(1, max(map(len, rows)))), kind)
    for number, row in enumerate(rows):
        out[number, : len(row)] = row
    return out


def tensors_of(batch):
    """ids (n, length); wanted, target, weight (n, answer); then twice positions, labels, present (n, marks);
    and the first tokens of each sentence (n, marks, OPENING_TOKENS)."""
    ids = padded([example[0] for example in batch])
    ids[padded([np.ones(len(example[0])) for example in batch]) == 0] = 1
    answers = [example[0][example[1] :] for example in batch]
    weights = [np.where(np.arange(len(answer)) < FIRST_TOKENS, FIRST_WEIGHT, 1.0) for answer in answers]
    wanted = [example[1] - 1 + np.arange(len(answer)) for example, answer in zip(batch, answers, strict=True)]
    arrays = [ids, padded(wanted), padded(answers), padded(weights, np.float32)]
    for at in (2, 4):
        positions, labels = [example[at] for example in batch], [example[at + 1] for example in batch]
        present = padded([np.ones(len(row)) for row in positions], np.float32)
        arrays += [padded(positions), padded(labels, np.float32), present]
    openings = [example[6].reshape(-1) for example in batch]
    arrays.append(padded(openings).reshape(len(batch), -1, OPENING_TOKENS))
    return [torch.from_numpy(array) for array in arrays]


def judged(scores, labels, present):
    """Mean binary cross-entropy over the marks that are there."""
    losses = F.binary_cross_entropy_with_logits(scores.float(), labels, reduction="none")
    return (losses * present).sum() / present.sum().clamp(min=1)


def learning_rate(peak, seen, total, fall):
    """Rate at `seen` of `total` tokens."""
    progress = seen / total
    return peak * min(1, (progress + 1e-4) / 0.01) * min(1, max(0, (1 - progress) / fall))


def optimizer_of(model, peak):
    """AdamW: weight decay on the layers' matrices, a little on the tables, none on vectors."""
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and n.startswith("layers.")]
    tables = [p for n, p in model.named_parameters() if p.dim() == 2 and not n.startswith("layers.")]
    vectors = [p for p in model.parameters() if p.dim() != 2]
    groups = [
        {"params": tables, "weight_decay": 0.01},
        {"params": vectors, "weight_decay": 0.0},
        {"params": matrices, "weight_decay": 0.05},
    ]
    return torch.optim.AdamW(groups, lr=peak, betas=(0.9, 0.95), fused=True)


def next_shard(folder, done, stop):
    """The lowest-numbered shard that was not read yet; waits for data.py when there is none. None once `stop` is filled."""
    while not stop:
        left = [path for path in sorted(glob.glob(os.path.join(folder, "shard_*.npz"))) if path not in done]
        if left:
            return left[0]
        print("waiting for a shard", flush=True)
        time.sleep(10)
    return None


def average_gradients(model, workers):
    """Replaces every gradient by its mean over the workers."""
    gradients = [parameter.grad for parameter in model.parameters()]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= workers
    at = 0
    for gradient in gradients:
        gradient.copy_(flat[at : at + gradient.numel()].view_as(gradient))
        at += gradient.numel()


def save(path, **state):
    torch.save(state, path + ".new")
    os.replace(path + ".new", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", required=True, help="folder of shards/, state.pt and the process id file")
    parser.add_argument("--start", help="checkpoint folder to start from (default: from nothing)")
    parser.add_argument("--shards", help="folder of shards (default: WORK/shards)")
    parser.add_argument("--tokens", type=float, required=True, help="length of the whole run, in tokens")
    parser.add_argument("--peak", type=float, default=1e-3, help="highest learning rate")
    parser.add_argument("--fall", type=float, default=0.4, help="part of the run over which the rate falls")
    parser.add_argument("--batch", type=int, default=3072, help="tokens in a worker's batch, padding included")
    parser.add_argument("--workers", type=int, default=2, help="processes, of one thread each")
    parser.add_argument("--save-seconds", type=float, default=300)
    arguments = parser.parse_args()
    os.makedirs(arguments.work, exist_ok=True)
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", "29517")
    others = multiprocessing.get_context("spawn")
    started = [others.Process(target=train, args=(rank, arguments), daemon=True) for rank in range(1, arguments.workers)]
    for process in started:
        process.start()
    with open(os.path.join(arguments.work, "pid"), "w") as file:
        file.write(str(os.getpid()))
    train(0, arguments)


def train(rank, arguments):
    """One worker: reads every batch list, trains on each `workers`-th batch of it."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    workers = arguments.workers
    if workers > 1:
        dist.init_process_group("gloo", rank=rank, world_size=workers, timeout=datetime.timedelta(hours=12))
    first = rank == 0
    shards = arguments.shards or os.path.join(arguments.work, "shards")
    state_path = os.path.join(arguments.work, "state.pt")

    model = read_checkpoint(arguments.start) if arguments.start else Opt()
    optimizer = optimizer_of(model, arguments.peak)
    seen, step, done = 0, 0, set()
    if os.path.exists(state_path):
        state = torch.load(state_path)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        seen, step, done = state["seen"], state["step"], set(state["done"])
    parameters = sum(parameter.numel() for parameter in model.parameters())
    if first:
        print(f"{parameters / 1e6:.2f} M parameters, from {seen / 1e6:.2f} M tokens", flush=True)

    def save_now():
        save(state_path, model=model.state_dict(), optimizer=optimizer.state_dict(), seen=seen, step=step, done=sorted(done))

    stop = []
    if first:
        signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
    means, saved, began, fresh = {}, time.time(), time.process_time(), 0
    while seen < arguments.tokens:
        chosen = [next_shard(shards, done, stop) if first else None]
        if workers > 1:
            dist.broadcast_object_list(chosen)
        shard = chosen[0]
        if shard is None:
            break
        batches = batches_of(shard, arguments.batch, random.Random(step))
        for batch in batches[rank : len(batches) - len(batches) % workers : workers]:
            rate = learning_rate(arguments.peak, seen, arguments.tokens, arguments.fall)
            for group in optimizer.param_groups:
                group["lr"] = rate
            ids, wanted, target, weight, *marks, opening = tensors_of(batch)
            with torch.autocast("cpu", torch.bfloat16):
                scores, judgements = model(ids, wanted, (marks[0], marks[3]))
            token_losses = F.cross_entropy(scores.float().flatten(0, 1), target.flatten(), reduction="none").view_as(weight)
            answer_loss = (token_losses * weight).sum() / weight.sum()
            relevance_loss = judged(judgements["relevance"], *marks[1:3])
            matching_loss = judged(judgements["matching"], *marks[4:6])
            there = marks[2] > 0
            opening_loss = F.cross_entropy(judgements["opening"][there].float().flatten(0, 1), opening[there].flatten())
            inner_loss = RELEVANCE_WEIGHT * relevance_loss + MATCHING_WEIGHT * matching_loss
            loss = answer_loss + inner_loss + OPENING_WEIGHT * opening_loss
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            if workers > 1:
                average_gradients(model, workers)
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            step += 1
            seen += arguments.batch * workers  # the same on every worker; at most a few per cent above the truth
            fresh += ids.numel()
            losses = {"answer": answer_loss, "relevance": relevance_loss, "matching": matching_loss, "opening": opening_loss}
            now = {name: value.item() for name, value in losses.items()}
            if first and step % 10 == 0:  # share of answers whose every token is the likeliest one
                with torch.no_grad():
                    right = ((scores.argmax(-1) == target) | (weight == 0)).all(-1).float().mean().item()
                means["exact"] = 0.85 * means.get("exact", right) + 0.15 * right
            means |= {key: 0.98 * means.get(key, value) + 0.02 * value for key, value in now.items()}
            if first and step % 50 == 0:
                shown = " ".join(f"{key} {value:.3f}" for key, value in means.items())
                speed = fresh / (time.process_time() - began)
                print(f"step {step} Mtok {seen / 1e6:.2f} rate {rate:.2e} {shown} tokens/cpu-s {speed:.0f} {time.strftime('%H:%M')}", flush=True)
            if first and (stop or time.time() - saved > arguments.save_seconds):
                save_now()
                saved = time.time()
                if stop:
                    sys.exit()
            if seen >= arguments.tokens:
                break
        done.add(shard)
        if first:
            os.remove(shard)  # data.py waits until few are left, and can make it again from its number
    if first:
        save_now()
        print("stopped" if stop else "done", flush=True)


if __name__ == "__main__":
    main()

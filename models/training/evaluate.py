"""How good are the answers? (Greedy answers of a checkpoint, of a command, or of a file, against what was expected.)

    python evaluate.py --checkpoint FOLDER                     held-out file, natural questions, seed question
    python evaluate.py --command 'node answer.js'              the same prompts through another engine
    python evaluate.py --answers FILE.jsonl                    answers made elsewhere: {"prompt", "answer"} a line
    python evaluate.py --set FILE.jsonl --checkpoint FOLDER    another set: {"prompt", "expected"} a line
    python evaluate.py --write-heldout FILE [--prose FILE]     writes 300 held-out examples
    python evaluate.py --write-prompts FILE                    writes every prompt of the sets, for --answers

The command reads one JSON object {"prompt": ...} a line and writes {"answer": ...} a line, in order.
Answers are compared without surrounding white space.
"""

import argparse
import itertools
import json
import os
import random
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
NO_ANSWER = "The documents do not say."
SEED_QUESTION = "Which animals can hover in the air?"
SEED_ANSWER = "Hummingbirds can hover in mid-air by rapidly flapping their wings."
SEED_OTHERS = [
    "Cats are small furry carnivores that are often kept as pets.",
    "Dogs are domesticated mammals, not natural wild animals.",
]


def prompt_of(question, passages):
    return f"Question: {question}\nContext:\n" + "\n".join(passages) + "\nAnswer:"


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def heldout_set(path):
    """Cases of a JSONL file: prompt, expected answer (to the letter), source where known."""
    return [
        {"prompt": line["prompt"], "exact": line.get("expected", line.get("answer")).strip(), "source": line.get("source", "")}
        for line in read_lines(path)
    ]


def natural_set(path):
    """Cases of questions that people wrote: the answer must contain a string."""
    with open(path, encoding="utf-8") as file:
        return [
            {"prompt": prompt_of(case["question"], case["passages"]), "contains": case["answer"], "source": case["question"]}
            for case in json.load(file)
        ]


def seed_set():
    """The seed question over every subset of the seed documents that has the answer, in every order."""
    cases = []
    for count in range(len(SEED_OTHERS) + 1):
        for others in itertools.combinations(SEED_OTHERS, count):
            for passages in itertools.permutations([SEED_ANSWER, *others]):
                cases.append({"prompt": prompt_of(SEED_QUESTION, passages), "exact": SEED_ANSWER, "source": str(passages)})
    return cases


def answers_of_checkpoint(folder, state, threads):
    """A function from cases to greedy answers in fp32, by the checkpoint's weights or those of the trainer's state."""
    import torch
    from tokenizers import Tokenizer

    from model import answer, read_checkpoint, read_state

    torch.set_num_threads(threads)
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    model = (read_state(state) if state else read_checkpoint(folder)).eval()
    return lambda cases: [answer(model, tokenizer, case["prompt"], draft=case.get("exact")) for case in cases]


def answers_of_command(command):
    def run(cases):
        sent = "".join(json.dumps({"prompt": case["prompt"]}) + "\n" for case in cases)
        done = subprocess.run(command, shell=True, input=sent, stdout=subprocess.PIPE, text=True, check=True)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
        if len(lines) != len(cases):
            raise SystemExit(f"the command answered {len(lines)} of {len(cases)} prompts")
        return [line["answer"] for line in lines]

    return run


def answers_of_file(path):
    known = {line["prompt"]: line["answer"] for line in read_lines(path)}
    return lambda cases: [known[case["prompt"]] for case in cases]


def is_right(case, given):
    return given == case["exact"] if "exact" in case else case["contains"] in given


def report(title, cases, given, show):
    """Prints and returns how many answers are right; with what was wrong, when asked."""
    given = [text.strip() for text in given]
    right = [is_right(case, text) for case, text in zip(cases, given, strict=True)]
    print(f"{title}: {sum(right)} of {len(cases)} right ({100 * sum(right) / len(cases):.1f}%)")
    result = {"right": sum(right), "of": len(cases)}
    if title == "held-out":
        by_source = {}
        for case, good in zip(cases, right, strict=True):
            by_source.setdefault(case["source"], []).append(good)
        for source, goods in sorted(by_source.items()):
            print(f"  {source or 'all'}: {sum(goods)} of {len(goods)}")
        should = [case["exact"] == NO_ANSWER for case in cases]
        said = [text == NO_ANSWER for text in given]
        both = sum(a and b for a, b in zip(should, said, strict=True))
        print(f"  '{NO_ANSWER}' said {sum(said)} times, rightly {both}; it was right {sum(should)} times", end="")
        print(f" (precision {both / max(1, sum(said)):.2f}, recall {both / max(1, sum(should)):.2f})")
        copied = sum(text in case["prompt"] or no for case, text, no in zip(cases, given, said, strict=True))
        print(f"  copied from the context to the letter, or that sentence: {copied} of {len(cases)}")
        result |= {"none_said": sum(said), "none_right": both, "none_due": sum(should), "copied": copied}
    if show:
        for case, text, good in zip(cases, given, right, strict=True):
            if not good:
                print(f"  WRONG {case['prompt']}\n   GIVEN {text}\n   DUE   {case.get('exact', case.get('contains'))}\n")
    return result


def write_heldout(path, count, prose, seed):
    from data import Pool, example

    pool = Pool(prose, held_out=True)
    rng = random.Random(seed)
    with open(path, "w", encoding="utf-8") as file:
        for _ in range(count):
            made = example(rng, pool)
            line = {
                "prompt": prompt_of(made["question"], made["passages"]),
                "question": made["question"],
                "passages": made["passages"],
                "answer": made["answer"],
                "source": made["source"],
                "shape": made["shape"],
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", help="checkpoint folder")
    parser.add_argument("--state", help="the trainer's state.pt, in place of the checkpoint's weights")
    parser.add_argument("--command", help="shell command that answers prompts")
    parser.add_argument("--answers", help="JSONL of prompts and answers")
    parser.add_argument("--set", help="only this JSONL set")
    parser.add_argument("--heldout", default=os.path.join(HERE, "heldout.jsonl"))
    parser.add_argument("--natural", default=os.path.join(HERE, "natural.json"))
    parser.add_argument("--write-heldout", metavar="FILE")
    parser.add_argument("--write-prompts", metavar="FILE")
    parser.add_argument("--prose", help="with --write-heldout: sentences of documentation take part too")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20, help="of the held-out examples")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--show", action="store_true", help="print the wrong answers")
    parser.add_argument("--json", metavar="FILE", help="write the counts")
    arguments = parser.parse_args()

    if arguments.write_heldout:
        write_heldout(arguments.write_heldout, arguments.count, arguments.prose, arguments.seed)
        return
    if arguments.set:
        sets = {"held-out": heldout_set(arguments.set)}
    else:
        sets = {
            "held-out": heldout_set(arguments.heldout),
            "natural": natural_set(arguments.natural),
            "seed question": seed_set(),
        }
    if arguments.write_prompts:
        with open(arguments.write_prompts, "w", encoding="utf-8") as file:
            for case in itertools.chain(*sets.values()):
                file.write(json.dumps({"prompt": case["prompt"]}, ensure_ascii=False) + "\n")
        return
    if arguments.command:
        answers = answers_of_command(arguments.command)
    elif arguments.answers:
        answers = answers_of_file(arguments.answers)
    elif arguments.checkpoint:
        answers = answers_of_checkpoint(arguments.checkpoint, arguments.state, arguments.threads)
    else:
        sys.exit("one of --checkpoint, --command and --answers is needed")
    counts = {title: report(title, cases, answers(cases), arguments.show) for title, cases in sets.items()}
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(counts, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()

"""How fast does this machine multiply matrices, at the size of a prefill? (The best rate of a good library, and what PyTorch uses.)

    python matmul_rate.py THREADS

Prints {"fp32": ..., "int8": ..., "pytorch": ...} in operations a second, a multiplication and an addition being two; the best of many
rounds. `fp32` and `int8` are oneDNN's kernels; `pytorch` is what an ordinary float32 product of PyTorch reaches.
"""

import json
import sys
import time

import torch
from torch.utils import mkldnn

ROWS, DEPTH, COLUMNS = 128, 768, 3072
ROUNDS, REPEATS = 40, 20


@torch.inference_mode()
def rate(multiply):
    multiply()
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(REPEATS):
            multiply()
        best = min(best, (time.perf_counter() - start) / REPEATS)
    return 2 * ROWS * DEPTH * COLUMNS / best


def main():
    torch.set_num_threads(int(sys.argv[1]))
    rows = torch.randn(ROWS, DEPTH)
    linear = torch.nn.Linear(DEPTH, COLUMNS, bias=False).eval()
    laid_out, rows_laid_out = mkldnn.to_mkldnn(linear), rows.to_mkldnn()
    left = torch.randint(-127, 127, (ROWS, DEPTH), dtype=torch.int8)
    right = torch.randint(-127, 127, (DEPTH, COLUMNS), dtype=torch.int8)
    rates = {
        "fp32": rate(lambda: laid_out(rows_laid_out)),
        "int8": rate(lambda: torch._int_mm(left, right)),
        "pytorch": rate(lambda: linear(rows)),
    }
    print(json.dumps(rates))


if __name__ == "__main__":
    main()

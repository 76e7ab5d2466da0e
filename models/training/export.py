"""How does a trained state become a checkpoint folder? (fp16 safetensors, config and tokenizer in the transformers layout.)

    python export.py --state WORK/state.pt --tokenizer FOLDER --out FOLDER
"""

import argparse
import os
import shutil

from model import read_state, write_checkpoint


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--state", required=True, help="state.pt of train.py")
    parser.add_argument("--tokenizer", required=True, help="folder with tokenizer.json and tokenizer_config.json")
    parser.add_argument("--out", required=True, help="checkpoint folder to write")
    arguments = parser.parse_args()
    write_checkpoint(read_state(arguments.state), arguments.out)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        source, target = os.path.join(arguments.tokenizer, name), os.path.join(arguments.out, name)
        if os.path.abspath(source) != os.path.abspath(target):
            shutil.copyfile(source, target)


if __name__ == "__main__":
    main()

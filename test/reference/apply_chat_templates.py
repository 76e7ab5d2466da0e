"""What does `apply_chat_template` make of conversations?

    python test/reference/apply_chat_templates.py TOKENIZER CONVERSATIONS.json

with the tokenizer of the folder TOKENIZER, under each of our templates; prints {name: {template, texts, ids}}.
"""

import json
import pathlib
import sys

from transformers import AutoTokenizer
from chat_templates import LLAMA_CHAT, QWEN_CHAT

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
tokenizer.bos_token = "<|begin|>"
conversations = json.loads(pathlib.Path(sys.argv[2]).read_text())
made = {}
for name, template in dict(qwen=QWEN_CHAT, llama=LLAMA_CHAT).items():
    apply = lambda one, tokenize: tokenizer.apply_chat_template(one, chat_template=template, add_generation_prompt=True, tokenize=tokenize)
    ids = [apply(one, True) for one in conversations]
    made[name] = dict(template=template, texts=[apply(one, False) for one in conversations], ids=[list(one["input_ids"]) for one in ids])
print(json.dumps(made))

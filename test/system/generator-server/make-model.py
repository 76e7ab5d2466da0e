"""Which model does the server of the tests serve? OPT of a small shape with random weights, the tokenizer of a fixture, and a chat template."""

import sys

import torch
from transformers import AutoTokenizer, OPTConfig, OPTForCausalLM

CHAT = "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}assistant:"

fixture, out = sys.argv[1:]
torch.manual_seed(7)
tokenizer = AutoTokenizer.from_pretrained(fixture)
tokenizer.chat_template = CHAT
tokenizer.save_pretrained(out)
model = OPTForCausalLM(
    OPTConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        word_embed_proj_dim=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        ffn_dim=64,
        max_position_embeddings=2048,
        init_std=0.5,
        # No token ends an answer: it is as long as was asked for.
        eos_token_id=None,
        bos_token_id=2,
        pad_token_id=1,
    )
)
model.generation_config.eos_token_id = None
model.save_pretrained(out)

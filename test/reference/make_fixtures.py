"""How do the graphs' golden outputs come about? Tiny random checkpoints, run by `transformers` in float32.

    python test/reference/make_fixtures.py OUT [--seed N]

writes OUT/<name>/{config.json, model.safetensors, tokenizer.json, tokenizer_config.json, golden.json}. Floats in golden.json are
little-endian float32 in base64. The committed fixtures are made with seed 0.
"""

import argparse
import base64
import json
import pathlib

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel, OPTConfig, OPTForCausalLM, PreTrainedTokenizerFast
from sample_texts import SENTENCES

VOCABULARY = 300
NEW_TOKENS = 16
PROMPTS = ["What color is the sky?", "The old mill", "Bees see ultraviolet light, which guides them", "no"]
BATCH = ["The sky is blue.", "yes!", "Why does bread rise? Yeast turns sugar into gas.", "A violin has four strings, tuned in fifths."]

# Small, yet of every kind: head counts, types of stored weights, widths that blocks of 32 divide.
OPT = {
    "opt-two-heads-f32": dict(hidden_size=32, num_attention_heads=2, ffn_dim=64, dtype=torch.float32),
    "opt-four-heads-f16": dict(hidden_size=64, num_attention_heads=4, ffn_dim=96, dtype=torch.float16),
    "opt-one-head-bf16": dict(hidden_size=32, num_attention_heads=1, ffn_dim=128, dtype=torch.bfloat16),
}
BERT = {
    "bert-two-heads-f32": dict(hidden_size=32, num_attention_heads=2, intermediate_size=64, dtype=torch.float32),
    "bert-four-heads-bf16": dict(hidden_size=64, num_attention_heads=4, intermediate_size=96, dtype=torch.bfloat16),
}


def packed(tensor):
    return base64.b64encode(np.ascontiguousarray(tensor.detach().numpy(), dtype="<f4").tobytes()).decode()


def randomize(model, seed):
    """Weights large enough that attention and norms matter: with the usual 0.02 every prompt gives nearly the same logits."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            is_norm = "norm" in name.lower() and name.endswith("weight")
            parameter.copy_(1 + 0.2 * noise if is_norm else 0.2 * noise)


def opt_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="</s> $A", special_tokens=[("</s>", 2)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="</s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>")


def bert_tokenizer():
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    tokenizer.train_from_iterator(SENTENCES, trainers.WordPieceTrainer(vocab_size=VOCABULARY, special_tokens=specials, show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", unk_token="[UNK]")


def save(model, tokenizer, folder, dtype, golden):
    model.to(dtype).save_pretrained(folder)
    (folder / "model.safetensors").chmod(0o644)
    (folder / "generation_config.json").unlink(missing_ok=True)
    tokenizer.save_pretrained(folder)
    (folder / "special_tokens_map.json").unlink(missing_ok=True)
    (folder / "golden.json").write_text(json.dumps(golden, indent=1) + "\n")


def make_opt(folder, seed, dtype, **shape):
    tokenizer = opt_tokenizer()
    config = OPTConfig(vocab_size=len(tokenizer), num_hidden_layers=2, max_position_embeddings=96, word_embed_proj_dim=shape["hidden_size"],
                       dropout=0.0, bos_token_id=2, eos_token_id=2, pad_token_id=1, **shape)
    model = OPTForCausalLM(config)
    randomize(model, seed)
    model = model.to(dtype).float().eval()
    prompts = []
    for text in PROMPTS:
        ids = tokenizer(text)["input_ids"]
        logits = model(torch.tensor([ids])).logits[0]
        tokens = list(ids)
        for _ in range(NEW_TOKENS):
            tokens.append(int(model(torch.tensor([tokens])).logits[0, -1].argmax()))
        # Logits of every token for the first prompts, of the last token for the others: the files stay small.
        wanted = logits if len(prompts) < 2 else logits[-1:]
        prompts.append(dict(text=text, ids=ids, logits=packed(wanted), greedy=tokens[len(ids):]))
    save(model, tokenizer, folder, dtype, dict(kind="decoder", seed=seed, vocabulary=len(tokenizer), prompts=prompts))


def make_bert(folder, seed, dtype, **shape):
    tokenizer = bert_tokenizer()
    config = BertConfig(vocab_size=len(tokenizer), num_hidden_layers=2, max_position_embeddings=48, pad_token_id=0, **shape)
    model = BertModel(config, add_pooling_layer=False)
    randomize(model, seed)
    model = model.to(dtype).float().eval()
    batch = tokenizer(BATCH, padding=True, return_tensors="pt")
    hidden = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1).float()
    mean = (hidden * mask).sum(1) / mask.sum(1)
    embeddings = torch.nn.functional.normalize(mean, dim=1)
    rows = [tokenizer(text)["input_ids"] for text in BATCH]
    texts = [dict(text=text, ids=ids, embedding=packed(row)) for text, ids, row in zip(BATCH, rows, embeddings)]
    save(model, tokenizer, folder, dtype, dict(kind="encoder", seed=seed, texts=texts))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_grad_enabled(False)
    for make, shapes in ((make_opt, OPT), (make_bert, BERT)):
        for name, shape in shapes.items():
            folder = arguments.out / name
            folder.mkdir(parents=True, exist_ok=True)
            make(folder, arguments.seed, **shape)


main()

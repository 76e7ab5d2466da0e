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
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (BertConfig, BertModel, LlamaConfig, LlamaForCausalLM, OPTConfig, OPTForCausalLM, PreTrainedTokenizerFast,
                          Qwen2Config, Qwen2ForCausalLM, XLMRobertaConfig, XLMRobertaModel)
from transformers.models.qwen2.tokenization_qwen2 import PRETOKENIZE_REGEX
from chat_templates import QWEN_CHAT
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
QWEN2 = {
    "qwen2-tied-f32": dict(hidden_size=64, num_attention_heads=4, num_key_value_heads=2, intermediate_size=64, tie_word_embeddings=True, dtype=torch.float32),
    "qwen2-untied-bf16": dict(hidden_size=64, num_attention_heads=4, num_key_value_heads=1, intermediate_size=96, tie_word_embeddings=False, dtype=torch.bfloat16),
}
LLAMA = {
    "llama-untied-f16": dict(hidden_size=64, num_attention_heads=2, num_key_value_heads=2, intermediate_size=96, tie_word_embeddings=False, dtype=torch.float16),
    "llama-scaled-f32": dict(hidden_size=32, num_attention_heads=4, num_key_value_heads=1, head_dim=16, intermediate_size=64, tie_word_embeddings=True, attention_bias=True,
                             mlp_bias=True, rope_parameters=dict(rope_type="llama3", rope_theta=500.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0,
                             original_max_position_embeddings=32), dtype=torch.float32),
}
XLM_ROBERTA = {
    "xlm-roberta-two-heads-f32": dict(hidden_size=32, num_attention_heads=2, intermediate_size=64, dtype=torch.float32),
    "xlm-roberta-four-heads-f16": dict(hidden_size=64, num_attention_heads=4, intermediate_size=96, dtype=torch.float16),
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


def rounded(model, dtype):
    """Its weights as a checkpoint of that type has them. Not by `model.to(dtype)`, which rounds what is computed of rotary positions too."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.to(dtype).float())
    return model.float().eval()


def opt_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="</s> $A", special_tokens=[("</s>", 2)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="</s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>")


def qwen2_tokenizer():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PRETOKENIZE_REGEX), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(vocab_size=VOCABULARY, special_tokens=specials, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    made.chat_template = QWEN_CHAT
    return made


def xlm_roberta_tokenizer():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    specials = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.UnigramTrainer(vocab_size=VOCABULARY, special_tokens=specials, unk_token="<unk>", show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, cls_token="<s>", bos_token="<s>", eos_token="</s>", sep_token="</s>", pad_token="<pad>", unk_token="<unk>")


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


def decoder_golden(model, tokenizer, seed, longest=None):
    """Prompts with their logits and greedy tokens; with `longest` also one that leaves just room for these, and one that fills all positions."""
    generator = torch.Generator().manual_seed(seed)
    drawn = lambda length: torch.randint(len(tokenizer), (length,), generator=generator).tolist()
    rows = [(text, tokenizer(text)["input_ids"], NEW_TOKENS) for text in PROMPTS]
    if longest is not None:
        rows += [(None, drawn(longest - NEW_TOKENS), NEW_TOKENS), (None, drawn(longest), 0)]
    prompts = []
    for text, ids, count in rows:
        logits = model(torch.tensor([ids])).logits[0]
        tokens = list(ids)
        for _ in range(count):
            tokens.append(int(model(torch.tensor([tokens])).logits[0, -1].argmax()))
        # Logits of every token for the first prompts, of the last token for the others: the files stay small.
        wanted = logits if len(prompts) < 2 else logits[-1:]
        prompts.append(dict(text=text, ids=ids, logits=packed(wanted), greedy=tokens[len(ids):]))
    return dict(kind="decoder", seed=seed, vocabulary=len(tokenizer), prompts=prompts)


def make_decoder(folder, seed, dtype, model, tokenizer, longest=None):
    randomize(model, seed)
    model = rounded(model, dtype)
    golden = decoder_golden(model, tokenizer, seed, longest)
    save(model, tokenizer, folder, dtype, golden)


def make_opt(folder, seed, dtype, **shape):
    tokenizer = opt_tokenizer()
    config = OPTConfig(vocab_size=len(tokenizer), num_hidden_layers=2, max_position_embeddings=96, word_embed_proj_dim=shape["hidden_size"],
                       dropout=0.0, bos_token_id=2, eos_token_id=2, pad_token_id=1, **shape)
    make_decoder(folder, seed, dtype, OPTForCausalLM(config), tokenizer)


def make_qwen2(folder, seed, dtype, **shape):
    tokenizer = qwen2_tokenizer()
    config = Qwen2Config(vocab_size=len(tokenizer), num_hidden_layers=2, max_position_embeddings=96, bos_token_id=0, eos_token_id=2, pad_token_id=0,
                         rope_parameters=dict(rope_type="default", rope_theta=1e6), **shape)
    make_decoder(folder, seed, dtype, Qwen2ForCausalLM(config), tokenizer, longest=96)


def make_llama(folder, seed, dtype, **shape):
    tokenizer = opt_tokenizer()
    config = LlamaConfig(vocab_size=len(tokenizer), num_hidden_layers=2, max_position_embeddings=96, bos_token_id=2, eos_token_id=[2, 0], **shape)
    make_decoder(folder, seed, dtype, LlamaForCausalLM(config), tokenizer, longest=96)


def make_encoder(folder, seed, dtype, model, tokenizer, rows=()):
    """@param rows further texts as ids: those of the greatest length"""
    randomize(model, seed)
    model = rounded(model, dtype)
    texts = []
    for text, ids in [(text, tokenizer(text)["input_ids"]) for text in BATCH] + [(None, ids) for ids in rows]:
        mean = model(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(0)
        texts.append(dict(text=text, ids=ids, embedding=packed(torch.nn.functional.normalize(mean, dim=0))))
    save(model, tokenizer, folder, dtype, dict(kind="encoder", seed=seed, texts=texts))


def make_xlm_roberta(folder, seed, dtype, **shape):
    tokenizer = xlm_roberta_tokenizer()
    config = XLMRobertaConfig(vocab_size=len(tokenizer), num_hidden_layers=2, max_position_embeddings=50, type_vocab_size=1, layer_norm_eps=1e-5,
                              bos_token_id=0, pad_token_id=1, eos_token_id=2, **shape)
    longest = torch.randint(4, len(tokenizer), (48,), generator=torch.Generator().manual_seed(seed)).tolist()
    make_encoder(folder, seed, dtype, XLMRobertaModel(config, add_pooling_layer=False), tokenizer, [longest])


def make_bert(folder, seed, dtype, **shape):
    tokenizer = bert_tokenizer()
    config = BertConfig(vocab_size=len(tokenizer), num_hidden_layers=2, max_position_embeddings=48, pad_token_id=0, **shape)
    model = BertModel(config, add_pooling_layer=False)
    randomize(model, seed)
    model = rounded(model, dtype)
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
    for make, shapes in ((make_opt, OPT), (make_bert, BERT), (make_qwen2, QWEN2), (make_llama, LLAMA), (make_xlm_roberta, XLM_ROBERTA)):
        for name, shape in shapes.items():
            folder = arguments.out / name
            folder.mkdir(parents=True, exist_ok=True)
            make(folder, arguments.seed, **shape)


main()

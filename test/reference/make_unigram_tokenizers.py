"""Which ids has a text in tokenizers of SentencePiece's kind (Unigram with a precompiled charsmap), as XLM-RoBERTa's are?

    python test/reference/make_unigram_tokenizers.py TEXTS.json OUT

trains one on the texts and writes OUT/<kind>/{tokenizer.json, tokenizer_config.json, golden.json} for the three ways in which converters
have written its rules: `split` (transformers 5, and the oldest), `replace` and `strip` (those between). golden.json is a list of
{ids, normalized, decoded}, a text each, by the Rust library.
"""

import io
import json
import pathlib
import sys

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]
CONFIG = dict(tokenizer_class="XLMRobertaTokenizer", bos_token="<s>", eos_token="</s>", sep_token="</s>", cls_token="<s>", unk_token="<unk>",
              pad_token="<pad>", mask_token="<mask>")


def trained(texts):
    model = io.BytesIO()
    lines = [line for text in texts if len(text) < 10_000 for line in text.split("\n") if line.strip()]
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines * 3), model_writer=model, vocab_size=900, model_type="unigram", character_coverage=0.99,
        normalization_rule_name="nmt_nfkc", hard_vocab_limit=False, minloglevel=2, num_threads=1)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto


def main():
    texts = json.loads(pathlib.Path(sys.argv[1]).read_text())
    out = pathlib.Path(sys.argv[2])
    proto = trained(texts)
    # fairseq's order of the first tokens.
    vocabulary = [(token, 0.0) for token in SPECIALS] + [(piece.piece, piece.score) for piece in proto.pieces[3:]] + [("<mask>", 0.0)]
    charsmap = normalizers.Precompiled(proto.normalizer_spec.precompiled_charsmap)
    metaspace = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    kinds = {
        "split": (charsmap, pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), metaspace])),
        "replace": (normalizers.Sequence([charsmap, normalizers.Replace(Regex(" {2,}"), " ")]), metaspace),
        "strip": (normalizers.Sequence([charsmap, normalizers.Strip(left=False, right=True), normalizers.Replace(Regex(" {2,}"), "▁")]), metaspace),
    }
    for kind, (normalizer, pre_tokenizer) in kinds.items():
        tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3, byte_fallback=False))
        tokenizer.normalizer, tokenizer.pre_tokenizer, tokenizer.decoder = normalizer, pre_tokenizer, decoders.Metaspace()
        specials = [AddedToken(token, normalized=False, special=True) for token in SPECIALS]
        tokenizer.add_special_tokens(specials + [AddedToken("<mask>", lstrip=True, normalized=False, special=True)])
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
        folder = out / kind
        folder.mkdir(parents=True)
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text(json.dumps(CONFIG))
        golden = []
        for text in texts:
            ids = tokenizer.encode(text).ids
            golden.append(dict(ids=ids, normalized=normalizer.normalize_str(text), decoded=tokenizer.decode(ids)))
        (folder / "golden.json").write_text(json.dumps(golden))


main()

"""What do small precompiled charsmaps make of texts, by the Rust library?

    python test/reference/make_charsmaps.py OUT.json

writes [{charsmap, cases: [[text, normalized]]}]: one table that leaves ASCII alone and one that does not.
"""

import base64
import io
import json
import pathlib
import sys
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import normalizers

RULES = [("ﬁ", "fi"), ("e\u0301", "é"), ("\t", " "), ("\r", " "), ("\u0001", ""), ("①", "(1)"), ("ｱ", "ア"), ("日", "day"), ("🙂", ":)")]
OF_ASCII = [("A", "a"), ("ab", "X")]
TEXTS = ["plain text", "ﬁnd", "cafe\u0301", "e\u0301\u0323x", "a\tb\r\nc\td", "\u0001x\u0001", "①②", "ｱﾞ", "日本", "🙂 👩‍👩‍👧‍👦", "ﬁ\u0301", "e\u0301a\u0301e\u0301",
         "\u0000ﬁ", "ABab", "A\u0301"]


def charsmap(rules):
    with tempfile.TemporaryDirectory() as folder:
        table = pathlib.Path(folder, "rules.tsv")
        points = lambda text: " ".join(f"{ord(character):X}" for character in text)
        table.write_text("".join(f"{points(before)}\t{points(after)}\n" for before, after in rules))
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(["ab ac ad ba bc cd"] * 9), model_writer=model, vocab_size=20,
                                                 hard_vocab_limit=False, normalization_rule_tsv=str(table), minloglevel=2)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


made = []
for rules in (RULES, RULES + OF_ASCII):
    table = charsmap(rules)
    normalizer = normalizers.Precompiled(table)
    made.append(dict(charsmap=base64.b64encode(table).decode(), cases=[[text, normalizer.normalize_str(text)] for text in TEXTS]))
pathlib.Path(sys.argv[1]).write_text(json.dumps(made, indent=1) + "\n")

"""Which examples does the model learn from? (Prompts with passages in retrieval order, and the sentence that answers.)

    python data.py --prose PROSE.txt.gz --tokenizer FOLDER --out SHARDS [--count 60] [--ahead 4]

Four sources: definitions (WordNet glosses), usage examples (WordNet), sentences of documentation
(PROSE.txt.gz, one sentence a line), and dossiers of facts on made-up things (relations.py). The first
three are split by sentence: the first 98% of each, in a fixed random order, are for training; the rest
is only ever the answer of held-out examples.
"""

import argparse
import collections
import glob
import gzip
import json
import math
import os
import random
import re
import time

import numpy as np

import questions
import relations
import wordnet
from questions import stems_of
from wordnet import plural, with_article

NO_ANSWER = "The documents do not say."
TRAIN_PART = 0.98
MOST_TOKENS = 480
LEAST_MATCH = 3.0  # a question must share at least something rare with its sentence
OPENING_TOKENS = 3  # as in model.py
HERE = os.path.dirname(os.path.abspath(__file__))
NATURAL = os.path.join(HERE, "natural.json")


def capital(text):
    return text[0].upper() + text[1:] if text else text


# ---------------------------------------------------------------------------------------------------
# The sentences and their split. The order of both lists and the seed decide which part is held out:
# they must stay as they are, or a model trained before would meet sentences it has seen.


def _split_lists():
    definitions = []
    for offset, synset in wordnet.NOUNS.items():
        gloss = re.sub(r"^\(.*?\)\s*", "", synset.gloss[0] if synset.gloss else "")
        if 12 <= len(gloss) <= 160:
            definitions.append((offset, gloss))
    usages = []
    for table in (wordnet.VERBS, wordnet.ADJECTIVES, wordnet.NOUNS):
        for synset in table.values():
            for example in synset.examples:
                if 5 <= len(example.split()) <= 22 and example[-1].isalnum():
                    usages.append(example)
    rng = random.Random(1)
    rng.shuffle(definitions)
    rng.shuffle(usages)
    return definitions, usages


DEFINITIONS, USAGES = _split_lists()


def read_prose(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [line.strip() for line in file if line.strip()]
    return [re.sub(r"\s+", " ", line) for line in lines]


def usable(line):
    """English sentences of moderate length; the file holds a few others."""
    return len(line) <= 260 and sum(not letter.isascii() for letter in line) <= 2


class Pool:
    """All sentences by source, the part to draw answers from, and an index from stems to sentences (for distractors)."""

    def __init__(self, prose_path=None, held_out=False):
        self.prose = read_prose(prose_path) if prose_path else []
        self.held_out = held_out
        self.natural = _natural_stems()
        texts = []
        for source, render in (
            (DEFINITIONS, lambda item: self.definition_sentence(item)),
            (USAGES, lambda item: capital(item) + "."),
            (self.prose, lambda item: item),
        ):
            end = len(source) if held_out else int(len(source) * TRAIN_PART)
            texts += [render(item) for item in source[:end] if source is not self.prose or usable(item)]
        self.texts = texts
        where = collections.defaultdict(list)
        for number, text in enumerate(texts):
            for stem in stems_of(text):
                where[stem].append(number)
        self.where = where
        self.rarity = {stem: math.log(1 + len(texts) / len(numbers)) for stem, numbers in where.items()}

    @staticmethod
    def definition_sentence(item):
        offset, gloss = item
        word = wordnet.NOUNS[offset].words[0]
        return capital(f"{word if word[0].isupper() else with_article(word)} is {gloss}.")

    def draw(self, rng, source):
        """(place, item) out of the part of a source that this pool answers from."""
        cut = int(len(source) * TRAIN_PART)
        while True:
            at = rng.randrange(cut, len(source)) if self.held_out else rng.randrange(cut)
            if source is not self.prose or usable(source[at]):
                return at, source[at]

    def score(self, sought, text):
        """How well a text matches the sought stems, with rare stems counting more."""
        have = stems_of(text)
        total = sum(self.rarity.get(stem, 9.0) for stem in sought if stem in have)
        return total / (1 + 0.01 * len(text) / 10)

    def near(self, rng, sought, answer, limit, count, most):
        """Up to `count` texts of up to `most` letters that match the sought stems best without reaching `limit` and without being the answer."""
        candidates = set()
        rare = sorted((s for s in sought if s in self.where), key=lambda s: -self.rarity[s])[:5]
        extra = [s for s in rng.sample(sorted(stems_of(answer)), min(2, len(stems_of(answer)))) if s in self.where]
        for stem in rare + extra:
            numbers = self.where[stem]
            candidates.update(rng.sample(numbers, min(len(numbers), 10)))
        scored = []
        for number in candidates:
            text = self.texts[number]
            if text != answer and len(text) <= most:
                value = self.score(sought, text)
                if value < limit:
                    scored.append((value + rng.random() * 0.5, text))
        scored.sort(reverse=True)
        return [text for _, text in scored[:count]]

    def too_close(self, question, sentence):
        """Whether an example repeats one of the evaluation's natural questions."""
        asked = stems_of(question) - ASKING
        for known_question, known_sentences in self.natural:
            shared = asked & known_question
            if asked == known_question or (len(known_question) > 1 and (shared == known_question or (len(shared) > 1 and len(shared) >= 0.6 * len(known_question)))):
                return True
            stems = stems_of(sentence)
            if any(len(stems & known) >= 0.6 * len(stems | known) for known in known_sentences):
                return True
        return False


ASKING = {"long", "many", "much", "kind", "thing", "tell", "mean", "define", "explain", "old", "often"}


def _natural_stems():
    if not os.path.exists(NATURAL):
        return []
    with open(NATURAL) as file:
        return [(stems_of(case["question"]) - ASKING, [stems_of(p) for p in case["passages"]]) for case in json.load(file)]


# ---------------------------------------------------------------------------------------------------
# One example: a question, passages (lists of sentences) and the sentence that answers, or None.


def define(rng, pool):
    """(sentence, question) from a gloss."""
    _, (offset, gloss) = pool.draw(rng, DEFINITIONS)
    synset = wordnet.NOUNS[offset]
    word = synset.words[0]
    proper = word[0].isupper()
    name = word if proper else with_article(word)
    kinds = [kind for kind in wordnet.categories(word.lower()) if kind != "object"][:4]
    draw = rng.random()
    if draw < 0.45:
        sentence = f"{name} is {gloss}."
    elif draw < 0.55 and len(synset.words) > 1:
        other = rng.choice(synset.words[1:])
        sentence = f"{name}, also called {other}, is {gloss}."
        if rng.random() < 0.6:
            word = other
    elif draw < 0.62:
        sentence = f"{word}: {gloss}."
    elif draw < 0.7 and not proper and kinds:
        sentence = f"{plural(word)} are a kind of {kinds[0]}: {gloss}."
    elif draw < 0.92 and not proper:
        clause = re.search(r"\b(?:that|which|who)\s+(\w+s|is|are|can|has)\b(.*)", gloss)
        if clause:
            verb, rest = clause.group(1), clause.group(2).strip(" .,")
            many = verb not in ("is", "are", "can", "has") and rng.random() < 0.5
            base = wordnet.VERB_FORMS.get(verb, (None,))[0]
            sentence = f"{plural(word)} {base} {rest}." if many and base else f"{name} {verb} {rest}."
        else:
            sentence = f"{name} is {gloss}."
    else:
        sentence = f"The word {word} stands for {gloss}."
    sentence = capital(sentence)
    question = questions.structural(rng, sentence) if rng.random() < 0.35 else None
    return sentence, question or questions.definition(rng, word, proper, gloss, kinds)


def sentence_question(rng, sentence):
    if rng.random() < 0.62:
        question = questions.structural(rng, sentence)
        if question:
            return question
    return questions.keywords(rng, sentence)


def fillers(rng, pool, count, most=260):
    """Sentences of up to `most` letters, unrelated to the question; now and then neighbours from one document."""
    if pool.prose and rng.random() < 0.35:
        at, _ = pool.draw(rng, pool.prose)
        low = int(len(pool.prose) * TRAIN_PART) if pool.held_out else 0
        found = [text for text in pool.prose[max(low, at - count) : at] if len(text) <= most and usable(text)]
        if found:
            return found
    found = []
    while len(found) < count:
        text = rng.choice(pool.texts)
        if len(text) <= most:
            found.append(text)
    return found


def ordered(rng, pool, passages, question):
    """Passages as a retriever returns them, best match first; about one time in four in any order."""
    if rng.random() < 0.25:
        rng.shuffle(passages)
        return passages
    sought = stems_of(question)
    value = {id(p): max(pool.score(sought, sentence) for sentence in p) + rng.random() * 0.5 for p in passages}
    return sorted(passages, key=lambda p: -value[id(p)])


# How many passages an example has and how many sentences a passage: most are brief, since a brief one
# teaches as much as a long one and costs less.
SHAPES = {
    "brief": {"part": 0.7, "passages": (1, 2, 2, 2, 3, 3), "sentences": (1, 1, 1, 1, 1, 2), "facts": (1, 2, 2, 3), "most": 120},
    "usual": {"part": 0.26, "passages": (2, 3, 3, 4), "sentences": (1, 1, 1, 2, 2, 3), "facts": (2, 3, 3, 4), "most": 260},
    "long": {"part": 0.04, "passages": (3, 4, 5), "sentences": (2, 3, 4), "facts": (4, 5, 6), "most": 260},
}


def shape_of(rng):
    return rng.choices(list(SHAPES), [shape["part"] for shape in SHAPES.values()])[0]


def from_sentence(rng, pool, sentence, question, shape):
    """An example around one sentence of a text."""
    literal = question
    if rng.random() < 0.5:
        question = questions.loosen(rng, question)
    sought = stems_of(literal)
    full = pool.score(sought, sentence)
    nothing = rng.random() < 0.16
    count = rng.choice(shape["passages"])
    near = pool.near(rng, sought, sentence, (0.55 if nothing else 0.85) * full, rng.choice((2, 3, 4, 6)), shape["most"])
    passages = []
    for _ in range(count):
        size = rng.choice(shape["sentences"])
        passage = [near.pop(0)] if near and rng.random() < 0.75 else []
        if size > len(passage):
            passage += fillers(rng, pool, size - len(passage), shape["most"])
        rng.shuffle(passage)
        passages.append(passage)
    if nothing:
        return question, ordered(rng, pool, passages, question), None
    passage = passages[0]
    passage[rng.randrange(len(passage))] = sentence
    passages = [[s for s in p if s is sentence or s != sentence] for p in passages]
    return question, ordered(rng, pool, passages, question), sentence


def grouped(rng, sentences, sizes):
    out = []
    while sentences:
        size = rng.choice(sizes)
        out.append(sentences[:size])
        sentences = sentences[size:]
    return out


def with_pronouns(rng, passages, name, pronoun, target):
    """Later sentences of a passage may say 'it' for the name. Returns the passages and the target as it now reads."""
    changed = target
    opening = capital(name)
    for passage in passages:
        named = False
        for at, sentence in enumerate(passage):
            if named and pronoun != "we" and sentence.startswith(opening + " ") and rng.random() < (0.3 if sentence == target else 0.5):
                new = capital(pronoun) + sentence[len(opening) :]
                changed = new if sentence == target else changed
                passage[at] = new
            named = named or name in sentence or opening in sentence
    return passages, changed


def from_dossier(rng, pool, shape):
    """An example on made-up things: several facts on one of them, near misses about another."""
    size = rng.choice(shape["facts"])
    sizes = (1, 1, 2) if shape is SHAPES["brief"] else (1, 1, 2, 2, 3)
    facts, name, pronoun = relations.dossier(rng, size)
    target = rng.choice(facts)
    question = rng.choice(target.questions)
    nothing = rng.random() < 0.16
    same = [fact.sentence for fact in facts if fact is not target and fact.kind != target.kind]
    others = []
    twins = rng.random() < 0.5 and name != "we"
    if twins:
        other = relations.another_name(rng, name)
        others.append(target.again(rng, other).sentence)
        if rng.random() < 0.4 and facts:
            others.append(rng.choice(facts).again(rng, other).sentence)
    if rng.random() < 0.35 or not (same or others):
        more, _, _ = relations.dossier(rng, rng.choice((1, 2)))
        if not ({fact.kind for fact in more} & {target.kind}):
            others += [fact.sentence for fact in more]
    if rng.random() < 0.3 or not (same or others):
        others += fillers(rng, pool, rng.choice((1, 1, 2)), shape["most"])
    if nothing:
        if not same and not others:
            return None
        rng.shuffle(same)
        passages = grouped(rng, same, sizes) + grouped(rng, others, sizes)
        answer = None
    else:
        own = [target.sentence, *same]
        rng.shuffle(own)
        rng.shuffle(others)
        passages, answer = with_pronouns(rng, grouped(rng, own, sizes), name, pronoun, target.sentence)
        passages += grouped(rng, others, sizes)
    if not twins and pronoun != "we" and not nothing:
        draw = rng.random()
        if draw < 0.1:
            question = question.replace(name, {"he": "he", "she": "she"}.get(pronoun, "it"))
        elif draw < 0.2 and name.startswith("the ") and name.count(" ") == 2:
            question = question.replace(name, "the " + name.split()[-1])
    if rng.random() < 0.35:
        question = questions.loosen(rng, question, 0.6)
    return question, ordered(rng, pool, passages, question), answer


def example(rng, pool):
    """A dictionary: question, passages (list of text), sentences (per passage), answer, source."""
    while True:
        shape_name = shape_of(rng)
        shape = SHAPES[shape_name]
        draw = rng.random()
        if draw < 0.3:
            source, made = "dossier", from_dossier(rng, pool, shape)
        else:
            if draw < 0.55:
                source = "definition"
                sentence, question = define(rng, pool)
            elif draw < 0.74 or not pool.prose:
                source = "usage"
                _, usage = pool.draw(rng, USAGES)
                sentence = capital(usage) + "."
                question = sentence_question(rng, sentence)
            else:
                source = "prose"
                _, sentence = pool.draw(rng, pool.prose)
                question = sentence_question(rng, sentence)
            if len(sentence) > shape["most"]:
                continue
            made = from_sentence(rng, pool, sentence, question, shape)
        if made is None:
            continue
        question, passages, answer = made
        if answer and source != "dossier" and pool.score(stems_of(question), answer) < LEAST_MATCH:
            continue
        question = questions.typed(rng, question)
        if not stems_of(question) or pool.too_close(question, answer or ""):
            continue
        texts = [" ".join(passage) for passage in passages]
        return {
            "question": question,
            "passages": texts,
            "sentences": passages,
            "answer": answer or NO_ANSWER,
            "source": source if answer else source + ", none",
            "shape": shape_name,
        }


def prompt_of(question, passages):
    """The prompt that the server sends too."""
    return f"Question: {question}\nContext:\n" + "\n".join(passages) + "\nAnswer:"


# ---------------------------------------------------------------------------------------------------
# Shards: numpy archives of token ids that the trainer reads.


def sought_words(question):
    """Stems that a word of the context may have to match the question: the same, a synonym or something wider."""
    same = stems_of(question)
    alike = {stem for word in same for stem in wordnet.replacements(word)}
    return same, same | alike


def matches(word, same, alike):
    """Whether a word of the context has to do with a word of the question."""
    parts = {word, *word.split("-")}
    for stem in (wordnet.stem(part) for part in parts if part and part.lower() not in questions.STOP):
        if stem in alike or not same.isdisjoint(wordnet.replacements(stem)) or not same.isdisjoint(wordnet.categories(stem)):
            return True
    return False


WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9'.:/_-]*[A-Za-z0-9]|[A-Za-z0-9]")


def encode(tokenizer, made):
    """(ids with BOS and EOS, where the answer begins, marks, and the first tokens of each sentence).

    Marks are two pairs of lists, (positions, labels): for each sentence of the context its last token and
    whether it answers; for each content word of the context its last token and whether the question has it.
    """
    prompt = prompt_of(made["question"], made["passages"])
    encoded = tokenizer.encode(prompt, add_special_tokens=False)
    ids = [2, *encoded.ids]
    answer_at = len(ids)
    ids += tokenizer.encode(" " + made["answer"], add_special_tokens=False).ids + [2]
    marks, labels = [], []
    at = len(f"Question: {made['question']}\nContext:\n")
    for passage in made["sentences"]:
        for sentence in passage:
            at += len(sentence) + 1
            marks.append(encoded.char_to_token(at - 2) + 1)  # one more for BOS
            labels.append(int(sentence == made["answer"]))
    same, alike = sought_words(made["question"])
    word_at, word_labels = [], []
    start = len(f"Question: {made['question']}\nContext:\n")
    for found in WORD.finditer(prompt, start, len(prompt) - len("\nAnswer:")):
        if found.group().lower() not in questions.STOP:
            word_at.append(encoded.char_to_token(found.end() - 1) + 1)
            word_labels.append(int(matches(found.group(), same, alike)))
    openings = []
    for passage in made["sentences"]:
        for sentence in passage:
            beginning = tokenizer.encode(" " + sentence[:60], add_special_tokens=False).ids
            openings += (beginning + [2] * OPENING_TOKENS)[:OPENING_TOKENS]
    return ids, answer_at, (marks, labels), (word_at, word_labels), openings


def write_shard(path, tokenizer, pool, rng, count):
    """Writes `count` examples; flat arrays, and where each example's part of them starts. Returns the tokens written."""
    flat, answers = [], []
    lists = {"ids": flat, "mark_at": [], "mark_label": [], "word_at": [], "word_label": [], "opening": []}
    starts = {"ids": [0], "mark_at": [0], "word_at": [0]}
    while len(answers) < count:
        ids, answer_at, marks, words, openings = encode(tokenizer, example(rng, pool))
        if len(ids) > MOST_TOKENS:
            continue
        answers.append(answer_at)
        for name, values in zip(lists, (ids, *marks, *words, openings), strict=True):
            lists[name] += values
        for name, begins in starts.items():
            begins.append(len(lists[name]))
    temporary = path + ".part.npz"
    arrays = {name: np.array(values, np.uint16) for name, values in lists.items()}
    arrays["opening"] = arrays["opening"].reshape(-1, OPENING_TOKENS)
    np.savez(temporary, answer_at=np.array(answers), **arrays, **{name + "_starts": np.array(v) for name, v in starts.items()})
    os.replace(temporary, path)
    return len(flat)


def main():
    from tokenizers import Tokenizer

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prose", help="gzipped text, one sentence a line")
    parser.add_argument("--tokenizer", required=True, help="folder with tokenizer.json")
    parser.add_argument("--out", required=True, help="folder for the shards")
    parser.add_argument("--first", type=int, default=0, help="number of the first shard (also its seed)")
    parser.add_argument("--count", type=int, default=60, help="number of shards")
    parser.add_argument("--examples", type=int, default=8000, help="examples a shard")
    parser.add_argument("--ahead", type=int, default=4, help="shards to stay ahead of the trainer (which removes what it has read)")
    parser.add_argument("--print", type=int, default=0, help="only print that many examples")
    arguments = parser.parse_args()
    pool = Pool(arguments.prose)
    if arguments.print:
        rng = random.Random(arguments.first)
        for _ in range(arguments.print):
            made = example(rng, pool)
            print(f"[{made['source']}]\n{prompt_of(made['question'], made['passages'])} {made['answer']}\n")
        return
    tokenizer = Tokenizer.from_file(os.path.join(arguments.tokenizer, "tokenizer.json"))
    os.makedirs(arguments.out, exist_ok=True)
    for number in range(arguments.first, arguments.first + arguments.count):
        while len(glob.glob(os.path.join(arguments.out, "shard_????.npz"))) > arguments.ahead:
            time.sleep(5)
        path = os.path.join(arguments.out, f"shard_{number:04d}.npz")
        began = time.process_time()
        tokens = write_shard(path, tokenizer, pool, random.Random(1000 + number), arguments.examples)
        print(f"{path}: {tokens / 1e6:.2f} M tokens, {time.process_time() - began:.0f} CPU seconds", flush=True)


if __name__ == "__main__":
    main()

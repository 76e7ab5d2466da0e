"""How is a question made from a sentence? (Light analysis of a sentence; question forms; ways to make them less literal.)"""

import re

from wordnet import (
    ADJECTIVE_INDEX,
    FREQUENCY,
    NOUN_INDEX,
    VERB_FORMS,
    VERB_INDEX,
    categories,
    gerund,
    is_noun,
    past,
    plural,
    replacements,
    stem,
    third_person,
    with_article,
)

AUXILIARIES = set("is are was were has have had can could will would must may might should does do did".split())
DETERMINERS = set("the a an this these that those its his her their our your my some every each all no many most".split())
PRONOUNS = set("he she it they we i you this that there these those".split())
PREPOSITIONS = set("in on at by from to with for of into near under over after before during through about between without within".split())
STOP = set(
    "a an the of or and in to is are that with for by as at from on who which was were be been being it its their his her can"
    " not no this these those has have had do does did will would may must should could if when than then there they he she"
    " we you i your our my one some any all each such so but into up out about also only more most very other what how where".split()
)
TIMES = re.compile(r"\b(1[5-9]\d\d|20\d\d|January|February|March|April|June|July|August|September|October|November|December|\w+day|week|month|year|night|morning|century|hours?|noon)\b")
ADVERBS = set("often usually always never also still only sometimes rarely just already now generally typically".split())
GENERIC = "animals people things places birds plants countries tools machines foods words ideas substances organisms activities events objects persons creatures systems".split()


def words_of(text):
    return re.findall(r"[A-Za-z0-9][A-Za-z0-9'.:/_-]*[A-Za-z0-9]|[A-Za-z0-9]", text)


def stems_of(text):
    """The content of a text: its stems without function words; the parts of hyphenated words count too."""
    out = set()
    for word in words_of(text):
        for part in {word, *word.split("-")}:
            if part and part.lower() not in STOP:
                out.add(stem(part))
    return out


def lower_first(words):
    """Words with the first in lower case, unless it looks like a name."""
    if words and (words[0].lower() in DETERMINERS | PRONOUNS | PREPOSITIONS or (words[0].lower() in NOUN_INDEX and words[0][1:].islower())):
        return [words[0].lower() if words[0] != "I" else "I"] + words[1:]
    return words


def analyse(sentence):
    """(subject words, verb word, base or None for auxiliaries, rest words), or None when no verb is seen near the start."""
    words = sentence.rstrip(".!?").split()
    for at in range(1, min(len(words) - 1, 9)):
        word = words[at].lower()
        if word in AUXILIARIES:
            return words[:at], words[at], None, words[at + 1 :]
        if at == 1 and words[0].lower() in DETERMINERS:
            continue
        if word in VERB_FORMS and words[at - 1].lower() not in PREPOSITIONS | DETERMINERS:
            base, kind = VERB_FORMS[word]
            if words[at] != word or base in ADVERBS:
                continue
            as_noun = FREQUENCY[stem(word), 1] if stem(word) in NOUN_INDEX else 0
            before = words[at - 1].lower()
            if kind == "base" and not (before in PRONOUNS or before.endswith("s")):
                continue
            if kind == "s" and (as_noun > 2 * FREQUENCY[base, 2] or (before.endswith("s") and before not in PRONOUNS)):
                continue
            if word in ADJECTIVE_INDEX and FREQUENCY[word, 3] > FREQUENCY[base, 2]:
                continue
            return words[:at], words[at], base, words[at + 1 :]
    return None


def _cut(rng, words):
    """A beginning of the words, ending before a preposition or comma where possible."""
    if len(words) <= 3:
        return words
    ends = [i for i, w in enumerate(words) if i >= 2 and (w.lower() in PREPOSITIONS | {"that", "which", "and", "or"} or words[i - 1].endswith((",", ";", ":")))]
    if ends and rng.random() < 0.75:
        words = words[: rng.choice(ends[:2])]
    elif rng.random() < 0.4:
        words = words[: rng.randrange(2, min(len(words), 10))]
    return [*words[:-1], words[-1].rstrip(",;:")][:14]


def _who(rng, subject):
    """A question word for the subject: what, who, which one, or which of its kind."""
    head = subject[-1].strip(",;:").lower()
    single = stem(head)
    kinds = categories(single) if single in NOUN_INDEX else ()
    many = single != head and head.endswith("s")
    if subject[0].lower() in ("he", "she", "i", "we", "they") or "person" in kinds[:6]:
        return rng.choice(["Who", "Who", "Which person" if not many else "Which people"])
    if kinds and rng.random() < 0.6:
        kind = kinds[min(len(kinds) - 1, int(rng.random() ** 1.2 * len(kinds)))]
        return f"{rng.choice(['Which', 'Which', 'What'])} {plural(kind) if many else kind}"
    return rng.choice(["What", "What", "Which one"])


def structural(rng, sentence):
    """A question by the sentence's own grammar, or None."""
    found = analyse(sentence)
    if not found:
        return None
    subject, verb, base, rest = found
    rest = [w for w in rest if w.lower() not in ADVERBS] or rest
    who = _who(rng, subject)
    name = " ".join(lower_first(subject))
    cut = " ".join(_cut(rng, rest))
    draw = rng.random()
    prepositional = [i for i, w in enumerate(rest) if i > 0 and w.lower() in ("in", "at", "on", "near", "from", "under", "into", "during", "after")]
    place_or_time = None
    if prepositional and prepositional[-1] >= len(rest) - 6:
        place_or_time = "When" if TIMES.search(" ".join(rest[prepositional[-1] :])) else "Where"
    how_many = re.search(r"\b(\d[\d,.]*|two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|hundred)\s+([a-z]{3,}s)\b", " ".join(rest))
    auxiliary = verb.lower() if base is None else ("does" if VERB_FORMS[verb.lower()][1] == "s" else "did" if VERB_FORMS[verb.lower()][1] == "past" else "do")
    tail = ([base] if base else []) + rest
    if how_many and rng.random() < 0.6:
        noun = how_many.group(2)
        if base:
            return f"How many {noun} {auxiliary} {name} {base}?"
        return f"How many {noun} {auxiliary} {name} {' '.join(w for w in tail[:1] if w.isalpha())}?".replace(" ?", "?")
    if place_or_time and rng.random() < 0.35:
        kept = tail[: prepositional[-1] + (1 if base else 0)]
        return f"{place_or_time} {auxiliary} {name} {' '.join(kept)}?"
    if base is None:
        be = auxiliary in ("is", "are", "was", "were")
        if draw < 0.5:
            return f"{who} {auxiliary} {cut}?"
        if draw < 0.62 and be:
            return rng.choice([f"What {auxiliary} {name}?", f"Tell me about {name}.", f"What do you know about {name}?"])
        if draw < 0.72:
            return f"{auxiliary.capitalize()} {name} {cut}?"
        return f"{rng.choice(['How', 'How', 'What', 'Why', 'When', 'Where'])} {auxiliary} {name} {cut}?"
    if draw < 0.42:
        return f"{who} {verb} {cut}?"
    if draw < 0.55:
        return f"What {auxiliary} {name} {rng.choice([base, base, 'do'])}?"
    if draw < 0.7:
        return f"{auxiliary.capitalize()} {name} {base} {cut}?"
    return f"{rng.choice(['How', 'How', 'What', 'Why', 'When', 'Where'])} {auxiliary} {name} {base} {cut}?"


def keywords(rng, sentence):
    """A question around a few of the sentence's content words, as searchers type them."""
    content = [w for w in words_of(sentence) if w.lower() not in STOP and len(w) > 2]
    if len(content) < 2:
        return sentence.rstrip(".") + "?"
    count = min(len(content), rng.choice((1, 2, 2, 3, 3, 3, 4, 5)))
    at = rng.randrange(len(content) - count + 1) if rng.random() < 0.5 else None
    picked = content[at : at + count] if at is not None else [content[i] for i in sorted(rng.sample(range(len(content)), count))]
    if count == 1 and len(picked[0]) < 5:
        picked = [max(content, key=len)]
    picked = [w if not w[0].isupper() or w[1:].lower() != w[1:] or rng.random() < 0.6 else w.lower() for w in picked]
    text, first, others = " ".join(picked), picked[0], " ".join(picked[1:])
    forms = [text, text, f"What is the {text}?", f"What is {text}?", f"What are {text}?", f"How does {text} work?", f"How do I {text}?",
             f"How do {text}?", f"Which {text}?", f"When does {text}?", f"Where is {text}?", f"Who {text}?", f"Why {text}?",
             f"Can {text}?", f"Explain {text}.", f"What about {text}?", f"Tell me about {text}.", f"What happens with {text}?",
             f"How is {text} done?", f"What should I know about {text}?"]  # fmt: skip
    if others:
        forms += [f"Which {first} does {others} use?", f"What {first} does {others} have?", f"How many {first} {others}?",
                  f"How long is {first} {others}?", f"Does {first} {others}?", f"Is {first} {others}?", f"What does {first} {others}?",
                  f"How do {first} {others}?", f"Which {first} {others}?"]  # fmt: skip
    return rng.choice(forms)


def definition(rng, word, proper, gloss, kinds):
    """Question for 'A word is gloss': by name, or backwards from the gloss."""
    name = word if proper else with_article(word)
    draw = rng.random()
    if draw < 0.5:
        forms = [f"What is {name}?", f"What is {name}?", f"Tell me about {word}.", f"Define {word}.", f"What does {word} mean?", f"Who or what is {name}?", f"{word}", f"what is {word}"]
        if not proper:
            forms += [f"What are {plural(word)}?", f"What are {plural(word)}?", f"Explain what {plural(word)} are.", f"What kind of thing is {name}?", f"Describe {name}."]
        return rng.choice(forms)
    words = gloss.split()
    words = words[rng.choice((0, 0, 1, 2)) :] if len(words) > 6 else words
    cut = " ".join(_cut(rng, words))
    kind = rng.choice(kinds) if kinds else "thing"
    if draw < 0.75:
        return rng.choice([f"What is {cut}?", f"Which {kind} is {cut}?", f"What do you call {cut}?", f"Which word means {cut}?"])
    content = [w for w in words_of(gloss) if w.lower() not in STOP and len(w) > 3]
    if len(content) < 2:
        return f"What is {cut}?"
    picked = [content[i] for i in sorted(rng.sample(range(len(content)), min(len(content), rng.choice((2, 2, 3, 4)))))]
    return rng.choice(
        [f"Which {kind} has to do with {' and '.join(picked[:2])}?", f"Which {plural(kind)} {rng.choice(['have', 'involve', 'use'])} {' '.join(picked)}?", f"What {rng.choice(['has', 'involves', 'uses'])} {' '.join(picked)}?"]
    )


def _respell(rng, word):
    """Another form of a word: other number, tense or part of a hyphenated word."""
    base = stem(word)
    if "-" in word and rng.random() < 0.6:
        return rng.choice([word.split("-")[-1], word.replace("-", " ")])
    if base in VERB_INDEX and FREQUENCY[base, 2] > FREQUENCY[base, 1]:
        return rng.choice([base, third_person(base), past(base), gerund(base)])
    if is_noun(word) and word.islower():
        return plural(base) if base == word.lower() else base
    return word


def loosen(rng, question, strength=1.0):
    """A question that matches its sentence less literally: drops, other forms, synonyms and wider words."""
    mark = question[-1] if question[-1] in "?." else ""
    words = question.rstrip("?.").split()
    out = []
    for at, word in enumerate(words):
        draw = rng.random() / strength
        plain = word.isalpha() and word.lower() not in STOP and at > 0
        if at > 0 and draw < 0.07 and len(words) > 4:
            continue
        if plain and draw < 0.2:
            word = _respell(rng, word)
        elif plain and word.islower() and draw < 0.36:
            base = stem(word)
            options = replacements(base)
            if options:
                new = rng.choice(options)
                if word != base and word.endswith("s"):
                    new = plural(new) if is_noun(word) else third_person(new)
                elif word != base and word.endswith("ed"):
                    new = past(new)
                word = new
        elif word == "the" and draw < 0.2:
            continue
        out.append(word)
    if rng.random() < 0.15 * strength and out and out[0] in ("What", "Which", "Who"):
        out[:1] = ["Which", rng.choice(GENERIC)]
    return " ".join(out) + mark


def typed(rng, question):
    """The way people type: some in lower case, some without a question mark."""
    draw = rng.random()
    if draw < 0.13:
        question = question.lower()
    elif draw > 0.97:
        question = question.upper() if rng.random() < 0.2 else question.capitalize()
    if rng.random() < 0.12:
        question = question.rstrip("?.")
    return question or "What?"

"""What does WordNet offer? (Glosses, example sentences, kinds of words, synonyms, and word forms.)

Reads the database files of WordNet 3.0 as Debian's `wordnet-base` installs them.
"""

import collections
import functools
import re

FOLDER = "/usr/share/wordnet/"
VOWELS = "aeiou"


class Synset:
    """One meaning: `words` (first is the usual one), `gloss` parts, `examples`, `parents` and `instance_of` (offsets)."""

    __slots__ = ("words", "parents", "instance_of", "gloss", "examples", "frames")


def _read(part, letters):
    synsets = {}
    with open(FOLDER + "data." + part, encoding="latin-1") as file:
        for line in file:
            if line.startswith("  "):
                continue
            head, _, gloss = line.partition("|")
            fields = head.split()
            count = int(fields[3], 16)
            synset = Synset()
            synset.words = [fields[4 + 2 * i].split("(")[0].replace("_", " ") for i in range(count)]
            at = 4 + 2 * count
            pointers = int(fields[at])
            at += 1
            synset.parents, synset.instance_of = [], []
            for _ in range(pointers):
                if fields[at] == "@" and fields[at + 2] == letters[0]:
                    synset.parents.append(fields[at + 1])
                if fields[at] == "@i":
                    synset.instance_of.append(fields[at + 1])
                at += 4
            synset.frames = {int(number) for number in fields[at + 2 :: 3]} if part == "verb" else set()
            pieces = [piece.strip() for piece in gloss.strip().split(";")]
            synset.gloss = [piece for piece in pieces if not piece.startswith('"')]
            synset.examples = [piece.strip('" ') for piece in re.findall(r'"([^"]+)"', gloss)]
            synsets[fields[0]] = synset
    return synsets


NOUNS = _read("noun", "n")
VERBS = _read("verb", "v")
ADJECTIVES = _read("adj", "as")


def _read_index(part):
    """Lemma -> (its synsets' offsets, most usual first; how many of them a tagged corpus uses)."""
    index = {}
    with open(FOLDER + "index." + part, encoding="latin-1") as file:
        for line in file:
            if line.startswith("  "):
                continue
            fields = line.split()
            senses = int(fields[2])
            index[fields[0].replace("_", " ")] = (fields[-senses:], int(fields[-senses - 1]))
    return index


NOUN_INDEX = _read_index("noun")
VERB_INDEX = _read_index("verb")
ADJECTIVE_INDEX = _read_index("adj")


def _read_frequency():
    """(lemma, 1 noun / 2 verb / ...) -> times seen in the tagged corpus."""
    seen = collections.Counter()
    with open(FOLDER + "cntlist.rev", encoding="latin-1") as file:
        for line in file:
            key, _, times = line.split()
            lemma, _, rest = key.partition("%")
            seen[lemma.replace("_", " "), int(rest[0])] += int(times)
    return seen


FREQUENCY = _read_frequency()


def _read_exceptions(part):
    with open(FOLDER + part + ".exc", encoding="latin-1") as file:
        return [line.split()[:2] for line in file if len(line.split()) >= 2]


_IRREGULAR_PLURAL, _IRREGULAR_PAST, _IRREGULAR_PARTICIPLE, _BASE_OF = {}, {}, {}, {}
for _form, _base in _read_exceptions("noun"):
    if "_" not in _form:
        _IRREGULAR_PLURAL.setdefault(_base, _form)
        _BASE_OF.setdefault(_form, _base)
_irregular_forms = collections.defaultdict(list)
for _form, _base in _read_exceptions("verb"):
    if "_" in _form or "-" in _form:
        continue
    _BASE_OF.setdefault(_form, _base)
    if not _form.endswith(("ing", "s")):
        _irregular_forms[_base].append(_form)
for _base, _forms in _irregular_forms.items():
    _participles = [form for form in _forms if form.endswith(("n", "ne", "wn", "ung", "um", "unk"))]
    _pasts = [form for form in _forms if form not in _participles] or _forms
    _IRREGULAR_PAST[_base] = _pasts[0]
    _IRREGULAR_PARTICIPLE[_base] = (_participles or _pasts)[0]


def _doubles(verb):
    return bool(re.fullmatch(r"[^aeiou]*[aeiou][bdgklmnprt]", verb)) and not verb.endswith(("w", "x", "y"))


def plural(noun):
    if noun in _IRREGULAR_PLURAL:
        return _IRREGULAR_PLURAL[noun]
    if noun.endswith(("s", "x", "ch", "sh", "z")):
        return noun + "es"
    if noun.endswith("y") and len(noun) > 2 and noun[-2] not in VOWELS:
        return noun[:-1] + "ies"
    return noun + "s"


def third_person(verb):
    return {"have": "has", "be": "is"}.get(verb) or (
        verb + "es"
        if verb.endswith(("s", "x", "ch", "sh", "z", "o"))
        else verb[:-1] + "ies"
        if verb.endswith("y") and verb[-2] not in VOWELS
        else verb + "s"
    )


def _regular_past(verb):
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in VOWELS:
        return verb[:-1] + "ied"
    return (verb + verb[-1] if _doubles(verb) else verb) + "ed"


def past(verb):
    return _IRREGULAR_PAST.get(verb) or _regular_past(verb)


def participle(verb):
    return _IRREGULAR_PARTICIPLE.get(verb) or _regular_past(verb)


def gerund(verb):
    if verb.endswith("ie"):
        return verb[:-2] + "ying"
    if verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        return verb[:-1] + "ing"
    return (verb + verb[-1] if _doubles(verb) else verb) + "ing"


def with_article(noun):
    return ("an " if noun[0].lower() in VOWELS else "a ") + noun


def _is_plain(lemma):
    return lemma.isascii() and lemma.isalpha() and lemma.islower()


VERB_FORMS = {}  # inflected form -> (base, "s" | "past" | "base"), for verbs that a corpus uses
for _verb in VERB_INDEX:
    if _is_plain(_verb) and FREQUENCY[_verb, 2] > 0:
        VERB_FORMS.setdefault(_verb, (_verb, "base"))
for _verb in [verb for verb, (_, kind) in list(VERB_FORMS.items()) if kind == "base"]:
    VERB_FORMS.setdefault(third_person(_verb), (_verb, "s"))
    VERB_FORMS.setdefault(past(_verb), (_verb, "past"))


@functools.lru_cache(200_000)
def stem(word):
    """The word without its ending, lower case: what a question and its answer are compared by."""
    word = word.lower().strip("'")
    if word in _BASE_OF:
        return _BASE_OF[word]
    known = lambda base: base in VERB_INDEX or base in NOUN_INDEX or base in ADJECTIVE_INDEX
    for ending, replacements in (
        ("ies", ("y", "ie")),
        ("es", ("e", "")),
        ("s", ("",)),
        ("ied", ("y",)),
        ("ed", ("e", "")),
        ("ing", ("", "e")),
        ("ly", ("",)),
    ):
        if word.endswith(ending) and len(word) > len(ending) + 2 and not word.endswith("ss"):
            root = word[: -len(ending)]
            for replacement in replacements:
                if known(root + replacement):
                    return root + replacement
            if root[-1] == root[-2] and known(root[:-1]):
                return root[:-1]
    return word


def is_noun(word):
    return word.lower() in NOUN_INDEX or stem(word) in NOUN_INDEX


@functools.lru_cache(100_000)
def categories(noun):
    """Names of what the noun (its most usual sense) is a kind of, nearest first."""
    if noun not in NOUN_INDEX:
        return ()
    offset, out = NOUN_INDEX[noun][0][0], []
    for _ in range(14):
        synset = NOUNS[offset]
        above = synset.parents or synset.instance_of
        if not above or above[0] not in NOUNS:
            break
        offset = above[0]
        name = next((w for w in NOUNS[offset].words if _is_plain(w)), None)
        if name and FREQUENCY[name, 1] > 0 and name not in ("entity", "whole", "abstraction", "matter"):
            out.append(name)
    return tuple(out)


@functools.lru_cache(100_000)
def replacements(word):
    """Words that mean the same as, or something wider than, the most usual sense of a base form."""
    out = []
    noun_times, verb_times = FREQUENCY[word, 1], FREQUENCY[word, 2]
    for index, table, times, other in (
        (NOUN_INDEX, NOUNS, noun_times, verb_times),
        (VERB_INDEX, VERBS, verb_times, noun_times),
        (ADJECTIVE_INDEX, ADJECTIVES, FREQUENCY[word, 3], 0),
    ):
        if word in index and times >= other:
            synset = table[index[word][0][0]]
            out += [w for w in synset.words if w != word and _is_plain(w)]
            for offset in synset.parents[:1]:
                if offset in table:
                    out += [w for w in table[offset].words[:1] if w != word and _is_plain(w)]
            if out:
                break
    return tuple(out)


def _root_words(names, least):
    """Plain nouns whose most usual sense lies under one of the named categories."""
    wanted = set(names)
    return [
        noun
        for noun in NOUN_INDEX
        if _is_plain(noun)
        and 3 <= len(noun) <= 13
        and FREQUENCY[noun, 1] >= least
        and wanted & set(categories(noun))
    ]


THINGS = _root_words(("artifact",), 0)
COMMON_THINGS = _root_words(("artifact", "document", "food", "communication"), 1)
ANIMALS = _root_words(("animal",), 0)
PLANTS = _root_words(("plant",), 0)
SUBSTANCES = _root_words(("substance",), 1)
ROLES = [w for w in _root_words(("person",), 1) if FREQUENCY[w, 1] > 1]
PLACES = _root_words(("structure", "location"), 1)
GROUPS = _root_words(("organization",), 1)
ABSTRACT = _root_words(("event", "act", "cognition", "attribute", "state"), 2)
ADJECTIVE_WORDS = [w for w in ADJECTIVE_INDEX if _is_plain(w) and 3 <= len(w) <= 12 and FREQUENCY[w, 3] > 1]
# frames 8, 9, 10, 11 of the verb files: the verb takes a direct object
TRANSITIVE = sorted(
    {
        w
        for s in VERBS.values()
        if s.frames & {8, 11}
        for w in s.words[:2]
        if _is_plain(w) and 3 <= len(w) <= 11 and FREQUENCY[w, 2] > 1
    }
)
INTRANSITIVE = sorted(
    {
        w
        for s in VERBS.values()
        if s.frames & {1, 2, 3, 22}
        for w in s.words[:2]
        if _is_plain(w) and 3 <= len(w) <= 11 and FREQUENCY[w, 2] > 0
    }
)


def _instances(category):
    """Names (capitalised lemmas) of the instances of a category and of its kinds."""
    out = []
    for synset in NOUNS.values():
        for offset in synset.instance_of:
            names, seen = {offset}, 0
            while names and seen < 12:
                if any(category in NOUNS[o].words for o in names if o in NOUNS):
                    out += [w for w in synset.words if w.isascii()]
                    break
                names = {p for o in names if o in NOUNS for p in NOUNS[o].parents}
                seen += 1
    return sorted(set(out))


_people = [name.split() for name in _instances("person") if 2 <= len(name.split()) <= 3 and "." not in name]
FIRST_NAMES = sorted({name[0] for name in _people if name[0].isalpha() and len(name[0]) > 2})
LAST_NAMES = sorted({name[-1] for name in _people if name[-1].isalpha() and len(name[-1]) > 2 and name[-1] != "the"})
CITIES = [name for name in _instances("city") if name[0].isupper() and len(name) < 16]
COUNTRIES = [name for name in _instances("country") if name[0].isupper() and len(name) < 18]

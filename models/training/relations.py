"""Which facts about made-up things are there to ask for? (Statement and question patterns, filled with wide vocabularies.)

A relation is a kind of value, patterns of statements and patterns of questions. `{S}` is the subject,
`{V}` the value, `{N}` a plural noun shared by statement and question, `{U}` the value's unit.
"""

from wordnet import (
    ABSTRACT,
    ADJECTIVE_WORDS,
    ANIMALS,
    CITIES,
    COMMON_THINGS,
    COUNTRIES,
    FIRST_NAMES,
    GROUPS,
    LAST_NAMES,
    PLACES,
    PLANTS,
    ROLES,
    SUBSTANCES,
    THINGS,
    TRANSITIVE,
    categories,
    participle,
    past,
    plural,
    with_article,
)

NUMBER_WORDS = "two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty sixty ninety".split()
MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
COLOURS = "red blue green yellow orange purple white black grey brown pink silver golden turquoise crimson".split()
LANGUAGES = "English French German Spanish Italian Dutch Polish Greek Turkish Arabic Hindi Japanese Korean Swedish".split()
CURRENCIES = ["euros", "dollars", "pounds", "francs", "crowns", "yen"]


def number(rng, low=2, high=99):
    """A count, as a word or in digits; large ones now and then, with or without separators."""
    if rng.random() < 0.45:
        return rng.choice(NUMBER_WORDS)
    if rng.random() < 0.25:
        value = rng.randrange(100, 90000)
        return f"{value:,}" if value > 999 and rng.random() < 0.6 else str(value)
    return str(rng.randrange(low, high))


def invented_name(rng):
    """A name that no dictionary has, so that copying letter by letter is learnt."""
    onsets = "b br c cr d dr f fl g gr h j k kl l m n p pl pr qu r s sk st t tr v w x y z th sh".split()
    middles = "a e i o u ai ea ou io".split()
    ends = ["", "n", "r", "x", "l", "s", "th", "ck", "m", "nd"]
    name = "".join(rng.choice(onsets) + rng.choice(middles) for _ in range(rng.choice((1, 2, 2, 3)))) + rng.choice(ends)
    name = name.capitalize()
    if rng.random() < 0.12:
        name += rng.choice(["-", " "]) + str(rng.randrange(2, 900))
    if rng.random() < 0.08:
        name = name.upper()
    return name


def person(rng):
    first, last = rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)
    form = rng.random()
    if form < 0.1:
        return rng.choice(["Dr.", "Prof.", "Mr.", "Ms."]) + " " + (f"{first} {last}" if rng.random() < 0.5 else last)
    if form < 0.2:
        return f"{first} {rng.choice(FIRST_NAMES)} {last}"
    return f"{first} {last}"


def city(rng):
    name = rng.choice(CITIES) if rng.random() < 0.8 else invented_name(rng)
    return f"{name}, {rng.choice(COUNTRIES)}" if rng.random() < 0.3 else name


def spot(rng):
    place = rng.choice(PLACES)
    return rng.choice(
        [
            f"in {city(rng)}",
            f"in the {place}",
            f"near the {place}",
            f"behind the {place}",
            f"next to the {rng.choice(THINGS)}",
            f"on floor {rng.randrange(2, 30)}",
            f"in room {rng.choice('ABCDEFG')}{rng.randrange(1, 60)}",
            f"at {rng.randrange(1, 200)} {rng.choice(LAST_NAMES)} Street",
        ]
    )


def year(rng):
    return str(rng.randrange(1640, 2032))


def date(rng):
    return rng.choice(
        [
            f"on {rng.randrange(1, 29)} {rng.choice(MONTHS)} {year(rng)}",
            f"in {rng.choice(MONTHS)} {year(rng)}",
            f"in {year(rng)}",
            f"in {year(rng)}",
            f"on {rng.choice(DAYS)}",
            f"on {rng.choice(MONTHS)} {rng.randrange(1, 29)}",
            f"in the {rng.choice(['spring', 'summer', 'autumn', 'winter'])} of {year(rng)}",
        ]
    )


def clock(rng):
    hour = rng.randrange(1, 13)
    return rng.choice([f"{hour} am", f"{hour} pm", f"{hour}:{rng.choice(['00', '15', '30', '45'])}", f"{hour} o'clock", "noon", "midnight"])


def duration(rng):
    unit = rng.choice(["seconds", "minutes", "hours", "days", "weeks", "months", "years", "working days", "milliseconds"])
    return f"{number(rng)} {unit}"


def money(rng):
    return f"{number(rng, 2, 900)} {rng.choice(CURRENCIES)}" if rng.random() < 0.75 else f"${rng.randrange(2, 9000)}"


def measure(*units):
    return lambda rng: f"{number(rng, 2, 400)} {rng.choice(units)}"


def any_of(words):
    return lambda rng: rng.choice(words)


def code(rng):
    return rng.choice(
        [str(rng.randrange(10, 9999)), f"{rng.choice('ABCDEFGHKLM')}{rng.randrange(1, 99)}", f"{rng.randrange(1, 9)}.{rng.randrange(0, 20)}"]
    )


def noun_phrase(rng):
    noun = rng.choice(COMMON_THINGS if rng.random() < 0.6 else THINGS)
    return f"the {rng.choice(ADJECTIVE_WORDS)} {noun}" if rng.random() < 0.3 else f"the {noun}"


def some(rng):
    return with_article(rng.choice(COMMON_THINGS + THINGS))


def substance(rng):
    return rng.choice(SUBSTANCES)


# Each line: value maker, statements, questions.
THING = [
    (measure("metres", "feet", "miles", "kilometres", "centimetres"), ["{S} is {V} long.", "{S} has a length of {V}.", "From end to end {S} measures {V}."], ["How long is {S}?", "What is the length of {S}?", "What length does {S} have?", "length of {S}"]),
    (measure("metres", "feet", "centimetres", "inches"), ["{S} is {V} tall.", "{S} has a height of {V}.", "{S} rises {V} above the ground."], ["How tall is {S}?", "How high is {S}?", "What is the height of {S}?"]),
    (measure("kilograms", "pounds", "tons", "grams"), ["{S} weighs {V}.", "{S} has a weight of {V}.", "The weight of {S} is {V}."], ["How heavy is {S}?", "How much does {S} weigh?", "What is the weight of {S}?", "What does {S} weigh?"]),
    (money, ["{S} costs {V}.", "The price of {S} is {V}.", "{S} sells for {V}.", "Visitors pay {V} for {S}."], ["How much does {S} cost?", "What is the price of {S}?", "What does {S} cost?", "How expensive is {S}?", "price of {S}"]),
    (any_of(COLOURS), ["{S} is painted {V}.", "The colour of {S} is {V}.", "{S} has a {V} surface.", "{S} is {V}."], ["What colour is {S}?", "Which colour does {S} have?", "What is the color of {S}?"]),
    (substance, ["{S} is made of {V}.", "{S} consists mostly of {V}.", "Workers make {S} from {V}."], ["What is {S} made of?", "What material is {S} made from?", "Which material does {S} consist of?"]),
    (spot, ["{S} is kept {V}.", "{S} stands {V}.", "{S} is {V}.", "You can find {S} {V}.", "{S} is stored {V}."], ["Where is {S}?", "Where can I find {S}?", "Where is {S} kept?", "Where does {S} stand?", "where is {S} located"]),
    (date, ["{S} was opened {V}.", "{S} was built {V}.", "{S} was finished {V}.", "Work on {S} began {V}."], ["When was {S} built?", "When was {S} finished?", "In which year did work on {S} begin?", "When was {S} opened?"]),
    (date, ["{S} was last checked {V}.", "The last inspection of {S} took place {V}."], ["When was {S} last checked?", "When was {S} inspected?", "When did the last inspection of {S} take place?"]),
    (clock, ["{S} opens at {V}.", "{S} starts at {V} every day.", "{S} begins at {V}."], ["When does {S} open?", "What time does {S} start?", "At what time does {S} begin?"]),
    (clock, ["{S} closes at {V}.", "{S} ends at {V}.", "{S} is switched off at {V}."], ["When does {S} close?", "What time does {S} end?", "Until when is {S} on?", "When is {S} switched off?"]),
    (duration, ["{S} lasts {V}.", "{S} takes {V}.", "{S} runs for {V}.", "It takes {V} to set up {S}."], ["How long does {S} last?", "How long does {S} take?", "What is the duration of {S}?", "How long does it take to set up {S}?"]),
    (duration, ["{S} must be cleaned every {V}.", "{S} is replaced after {V}.", "{S} needs service every {V}."], ["How often is {S} cleaned?", "How often must {S} be replaced?", "When does {S} need service?", "How often does {S} need service?"]),
    (person, ["{S} belongs to {V}.", "The owner of {S} is {V}.", "{V} owns {S}."], ["Who owns {S}?", "Who is the owner of {S}?", "Whose is {S}?", "To whom does {S} belong?"]),
    (person, ["{V} is responsible for {S}.", "{S} is looked after by {V}.", "{V} takes care of {S}.", "{V} is in charge of {S}."], ["Who is responsible for {S}?", "Who looks after {S}?", "Who takes care of {S}?", "Who is in charge of {S}?"]),
    (number, ["{S} has {V} {N}.", "There are {V} {N} in {S}.", "{S} contains {V} {N}.", "{S} holds up to {V} {N}.", "{S} comes with {V} {N}."], ["How many {N} does {S} have?", "How many {N} are in {S}?", "What number of {N} does {S} contain?", "How many {N} are there?", "number of {N} in {S}"]),
    (number, ["{S} uses {V} {N}.", "{S} needs {V} {N} to work.", "{S} requires at least {V} {N}."], ["How many {N} does {S} use?", "How many {N} does {S} need?", "How many {N} are required?", "How many {N} does it need?"]),
    (code, ["{S} uses channel {V}.", "{S} is assigned to channel {V}.", "Signals from {S} arrive on channel {V}."], ["Which channel does {S} use?", "What channel is {S} on?", "On which channel do signals from {S} arrive?"]),
    (code, ["{S} leaves from gate {V}.", "Passengers for {S} wait at gate {V}."], ["Which gate does {S} leave from?", "At which gate do passengers wait for {S}?", "gate for {S}"]),
    (code, ["{S} carries the serial code {V}.", "The label on {S} reads {V}."], ["What is the serial code of {S}?", "Which code does {S} carry?", "What does the label on {S} say?"]),
    (code, ["The current version of {S} is {V}.", "{S} was updated to version {V}."], ["Which version of {S} is current?", "What version is {S}?", "What is the latest version of {S}?"]),
    (measure("degrees", "degrees Celsius", "degrees Fahrenheit"), ["{S} is kept at {V}.", "{S} melts at {V}.", "{S} is heated to {V}."], ["At what temperature is {S} kept?", "How hot does {S} get?", "What temperature is needed for {S}?", "How warm is {S}?", "At how many degrees does {S} melt?"]),
    (measure("watts", "volts", "litres", "gallons", "gigabytes", "megabytes"), ["{S} needs {V} per hour.", "{S} uses {V} of power.", "{S} stores {V}.", "The capacity of {S} is {V}."], ["What is the capacity of {S}?", "How much does {S} use?", "How much does {S} store?", "How many {U} does {S} need?"]),
    (measure("percent"), ["{S} lost {V} of its value.", "{V} of {S} is recycled.", "Demand for {S} grew by {V}."], ["How much of {S} is recycled?", "What percentage of {S} is recycled?", "How much did demand for {S} grow?", "How much value did {S} lose?"]),
    (any_of(LANGUAGES), ["{S} is available in {V}.", "The manual of {S} is printed in {V}.", "{S} was translated into {V}."], ["In which language is {S} available?", "What language is the manual of {S} in?", "Which language was {S} translated into?"]),
    (some, ["{S} is used with {V}.", "{S} is connected to {V}.", "{S} works together with {V}."], ["What is {S} used with?", "What is {S} connected to?", "What does {S} work with?"]),
    (some, ["Never put {S} near {V}.", "Keep {S} away from {V}.", "{S} is damaged by {V}."], ["What damages {S}?", "What should {S} be kept away from?", "What must not be near {S}?"]),
    (some, ["{S} replaced {V}.", "{S} was used instead of {V}.", "Before {S} people used {V}."], ["What did {S} replace?", "What was used before {S}?"]),
    (any_of(ABSTRACT), ["{S} is a symbol of {V}.", "{S} stands for {V}.", "{S} is known for its {V}.", "{S} is famous for {V}."], ["What is {S} a symbol of?", "What does {S} stand for?", "What is {S} known for?", "Why is {S} famous?"]),
    (any_of(ABSTRACT), ["{S} deals with {V}.", "{S} is about {V}.", "The topic of {S} is {V}."], ["What is {S} about?", "What does {S} deal with?", "What is the topic of {S}?"]),
    (spot, ["{S} was found {V}.", "{S} was discovered {V}.", "{S} was last seen {V}."], ["Where was {S} found?", "Where was {S} discovered?", "Where was {S} seen?"]),
    (city, ["{S} comes from {V}.", "{S} was brought from {V}."], ["Where does {S} come from?", "What is the origin of {S}?", "Where was {S} brought from?"]),
]
PERSON = [
    (any_of(ROLES), ["{S} works as {V}.", "{S} is a trained {V}.", "{S} earns a living as a {V}."], ["What does {S} do for a living?", "What is the job of {S}?", "What is {S}'s profession?", "What does {S} work as?"]),
    (city, ["{S} lives in {V}.", "{S} has a house in {V}.", "The home of {S} is in {V}."], ["Where does {S} live?", "In which city does {S} live?", "Where is the home of {S}?"]),
    (city, ["{S} was born in {V}.", "{S} grew up in {V}.", "The birthplace of {S} is {V}."], ["Where was {S} born?", "What is the birthplace of {S}?", "Where did {S} grow up?", "Where is {S} from?"]),
    (date, ["{S} was born {V}.", "The birth of {S} was {V}."], ["When was {S} born?", "In which year was {S} born?", "What is the birthday of {S}?"]),
    (date, ["{S} died {V}.", "{S} passed away {V}."], ["When did {S} die?", "In which year did {S} pass away?"]),
    (date, ["{S} joined the team {V}.", "{S} was hired {V}.", "{S} became a member {V}."], ["When did {S} join the team?", "When was {S} hired?", "Since when is {S} a member?"]),
    (number, ["{S} has {V} {N}.", "{S} owns {V} {N}.", "{S} collected {V} {N}.", "{S} bought {V} {N}."], ["How many {N} does {S} have?", "How many {N} does {S} own?", "How many {N} did {S} collect?", "How many {N} did {S} buy?"]),
    (person, ["{S} is married to {V}.", "The wife of {S} is {V}.", "{V} is the husband of {S}."], ["Who is {S} married to?", "Who is the wife of {S}?", "What is the name of {S}'s husband?"]),
    (person, ["{S} was taught by {V}.", "{S} studied under {V}.", "The teacher of {S} was {V}."], ["Who taught {S}?", "Who was the teacher of {S}?", "Under whom did {S} study?"]),
    (person, ["{S} reports to {V}.", "The manager of {S} is {V}.", "{V} supervises {S}."], ["Who does {S} report to?", "Who is the manager of {S}?", "Who supervises {S}?"]),
    (any_of(ABSTRACT), ["{S} studied {V}.", "{S} teaches {V}.", "{S} is an expert in {V}.", "The field of {S} is {V}."], ["What did {S} study?", "What does {S} teach?", "What is {S} an expert in?", "What is the field of {S}?"]),
    (any_of(LANGUAGES), ["{S} speaks {V}.", "The mother tongue of {S} is {V}."], ["Which language does {S} speak?", "What is the mother tongue of {S}?", "What languages does {S} speak?"]),
    (some, ["{S} likes {V} best.", "{S} dreams of {V}.", "{S} collects nothing but {V}."], ["What does {S} like best?", "What does {S} dream of?"]),
    (some, ["{S} won {V} as a prize.", "{S} received {V} for years of work.", "{S} was given {V}."], ["What did {S} win?", "What did {S} receive?", "What was {S} given?", "Which prize did {S} win?"]),
    (clock, ["{S} gets up at {V}.", "{S} can be reached until {V}.", "{S} arrives at {V}."], ["When does {S} get up?", "Until when can {S} be reached?", "What time does {S} arrive?"]),
]
GROUP = [
    (person, ["{S} is led by {V}.", "The director of {S} is {V}.", "{V} runs {S}.", "{V} became the head of {S}."], ["Who leads {S}?", "Who is the director of {S}?", "Who runs {S}?", "Who is the head of {S}?"]),
    (city, ["{S} has a branch in {V}.", "{S} is based in {V}.", "{S} moved to {V}."], ["Where is {S} based?", "Where does {S} have a branch?", "Where did {S} move?", "In which city is {S}?"]),
    (number, ["{S} employs {V} people.", "{V} people work for {S}.", "The staff of {S} counts {V} people."], ["How many people work for {S}?", "How many people does {S} employ?", "How large is the staff of {S}?", "How many employees does {S} have?"]),
    (number, ["{S} owns {V} {N}.", "{S} runs {V} {N}.", "{S} sold {V} {N} last year.", "{S} has {V} {N}."], ["How many {N} does {S} own?", "How many {N} did {S} sell?", "How many {N} does {S} run?", "How many {N} does it have?"]),
    (some, ["{S} produces {V}.", "{S} sells {V}.", "{S} is known for {V}.", "{S} builds {V}."], ["What does {S} produce?", "What does {S} sell?", "What is {S} known for?", "What does {S} build?"]),
    (money, ["{S} earned {V} last year.", "The yearly budget of {S} is {V}.", "A member of {S} pays {V} a month."], ["How much did {S} earn?", "What is the budget of {S}?", "How much does a member of {S} pay?"]),
    (date, ["{S} was set up {V}.", "{S} was created {V}.", "{S} came into being {V}."], ["When was {S} set up?", "When was {S} created?", "In which year did {S} come into being?"]),
    (date, ["{S} was dissolved {V}.", "{S} meets next {V}.", "{S} held its last meeting {V}."], ["When was {S} dissolved?", "When does {S} meet?", "When did {S} hold its last meeting?"]),
    (clock, ["{S} opens its doors at {V}.", "The office of {S} closes at {V}."], ["When does {S} open?", "What time does the office of {S} close?"]),
]
OFFICE = [  # rules of an office or a shop: the subject is a role, {N} a plural noun
    (duration, ["{N} are paid within {V}.", "We pay {N} after {V}.", "Payment for {N} is due within {V}."], ["When are {N} paid?", "How fast are {N} paid?", "When is payment for {N} due?"]),
    (duration, ["{N} are kept for {V}.", "We delete {N} after {V}.", "{N} remain in the archive for {V}."], ["How long are {N} kept?", "When are {N} deleted?", "How long do {N} remain in the archive?"]),
    (money, ["{N} above {V} need the approval of the manager.", "{N} may cost up to {V}.", "The limit for {N} is {V}."], ["What is the limit for {N}?", "How much may {N} cost?", "Which {N} need approval?"]),
    (any_of(DAYS), ["{N} are delivered on {V}.", "{N} are collected every {V}.", "On {V} we hand out {N}."], ["When are {N} delivered?", "On which day are {N} collected?", "When do we hand out {N}?"]),
    (person, ["Ask {V} about {N}.", "Questions about {N} go to {V}.", "Contact {V} for {N}.", "{V} approves {N}."], ["Who do I ask about {N}?", "Who should I contact for {N}?", "Who approves {N}?", "Who can help with {N}?"]),
    (spot, ["{N} are {V}.", "{N} can be picked up {V}.", "{N} are handed in {V}."], ["Where are {N}?", "Where can I pick up {N}?", "Where do I hand in {N}?"]),
    (number, ["Every employee gets {V} {N} a year.", "Each team has {V} {N}.", "Members may borrow {V} {N} at a time."], ["How many {N} does an employee get?", "How many {N} does each team have?", "How many {N} may members borrow?", "How many {N} do I get?"]),
    (some, ["{N} must be stored with {V}.", "{N} are packed in {V}.", "{N} come with {V}."], ["What are {N} stored with?", "What are {N} packed in?", "What do {N} come with?"]),
    (clock, ["{N} must arrive before {V}.", "{N} are sent out at {V}."], ["When must {N} arrive?", "What time are {N} sent out?", "By when must {N} arrive?"]),
    (some, ["{N} are forbidden because of {V}.", "{N} are allowed only with {V}."], ["Why are {N} forbidden?", "When are {N} allowed?", "Are {N} allowed?"]),
    (duration, ["{N} arrive after {V}.", "{N} take {V} to arrive.", "Delivery of {N} takes {V}."], ["How long does delivery of {N} take?", "When do {N} arrive?", "How long do {N} take?"]),
    (duration, ["New members can test {N} for {V}.", "You may change {N} within {V}.", "{N} can be cancelled within {V}."], ["How long can new members test {N}?", "How long do I have to change {N}?", "What is the deadline for {N}?", "Can {N} be cancelled?"]),
]


def works(rng, verb=None):
    """A made-up deed: (statements, questions) about who did what to {S}, by a random verb in all its forms."""
    verb = verb or rng.choice(TRANSITIVE)
    done, did = participle(verb), past(verb)
    who, when, where = person(rng), date(rng), city(rng)
    if rng.random() < 0.2:
        who = "the " + rng.choice(ROLES)
    statement = rng.choice(
        [
            f"{{S}} was {done} by {who} {when}.",
            f"{who} {did} {{S}} {when}.",
            f"{{S}} was {done} by {who} in {where}.",
            f"{who} {did} {{S}} in {where}.",
            f"{who} was the first to {verb} {{S}}.",
            f"{who} helped to {verb} {{S}} in {where}.",
        ]
    )
    questions = [f"Who {did} {{S}}?", f"Who {did} {{S}}?", f"By whom was {{S}} {done}?", f"Who was {{S}} {done} by?"]
    if when in statement:
        questions += [f"When was {{S}} {done}?", f"When did {who} {verb} {{S}}?"]
        if when.split()[-1].isdigit() and len(when.split()[-1]) == 4:
            questions += [f"In which year was {{S}} {done}?"]
    if where in statement and "in " + where in statement:
        questions += [f"Where was {{S}} {done}?", f"Where did {who} {verb} {{S}}?"]
    if who in statement:
        questions += [f"What did {who} {verb}?"]
    return verb, statement, questions


class Fact:
    """A statement, the questions that it answers, and `again(rng, name)`: the same kind of fact about another subject."""

    def __init__(self, kind, sentence, questions, again):
        self.kind, self.sentence, self.questions, self.again = kind, sentence, questions, again


def _capital(text):
    return text[0].upper() + text[1:]


def _fill(rng, relation, subject, noun=None):
    """The fact of a relation; `noun` is what OFFICE rules are about and what THING counts count."""
    maker, statements, questions = relation
    value = maker(rng)
    noun = noun or plural(rng.choice(COMMON_THINGS if rng.random() < 0.7 else THINGS + ANIMALS))
    fill = lambda text: (
        text.replace("{S}", subject).replace("{V}", value).replace("{N}", noun).replace("{U}", value.split()[-1])
    )
    sentence = _capital(fill(rng.choice(statements)))
    kind = (statements[0], noun if "{N}" in statements[0] else "")
    return Fact(kind, sentence, [_capital(fill(q)) for q in questions], lambda rng, name: _fill(rng, relation, name))


def _deed(rng, subject, verb=None):
    verb, statement, questions = works(rng, verb)
    questions = [question.replace("{S}", subject) for question in questions]
    sentence = _capital(statement.replace("{S}", subject))
    return Fact(("deed", verb), sentence, questions, lambda rng, name: _deed(rng, name, verb))


def subject_of(rng):
    """A made-up subject: (table of its relations, name, pronoun, word for what it is)."""
    draw = rng.random()
    if draw < 0.3:
        return THING, noun_phrase(rng), "it", "thing"
    if draw < 0.42:
        noun = rng.choice(COMMON_THINGS)
        return THING, f"the {invented_name(rng)} {noun}", "it", noun
    if draw < 0.52:
        noun = rng.choice(COMMON_THINGS)
        return THING, invented_name(rng), "it", noun
    if draw < 0.58:
        creature = rng.choice(ANIMALS if rng.random() < 0.6 else PLANTS)
        return THING, f"the {creature}", "it", (categories(creature) or ("creature",))[0]
    if draw < 0.76:
        return PERSON, person(rng), rng.choice(["he", "she"]), "person"
    if draw < 0.88:
        group = rng.choice(GROUPS)
        return GROUP, rng.choice([f"the {group}", f"{invented_name(rng)} {group.capitalize()}", invented_name(rng)]), "it", group
    return OFFICE, "we", "we", "office"


def another_name(rng, name):
    """A name of the same sort as `name`, for near misses."""
    if name == "we":
        return name
    if name.startswith("the ") and name.count(" ") == 1:
        return noun_phrase(rng)
    if name.startswith("the "):
        return f"the {rng.choice((invented_name(rng), rng.choice(ADJECTIVE_WORDS)))} {name.split()[-1]}"
    return person(rng) if " " in name else invented_name(rng)


def dossier(rng, size):
    """About `size` facts of different kinds on one made-up subject: (list of Fact, name, pronoun)."""
    table, name, pronoun, _ = subject_of(rng)
    facts = [_fill(rng, relation, name) for relation in rng.sample(table, min(size, len(table)))]
    if table in (THING, GROUP) and rng.random() < 0.5:
        verb = rng.choice(TRANSITIVE)
        facts.append(_deed(rng, name, verb))
    rng.shuffle(facts)
    return facts, name, pronoun

"""Which texts do fixtures and comparisons use? Our own words, varied: short and long, numbers, code, other scripts, repetition."""

SENTENCES = [
    "The sky is blue.", "Grass is green, and snow is white.", "What color is the sky?", "How long may a parcel be kept at the counter?",
    "Parcels are kept for fourteen days; after that they go back to the sender.", "The library opens at nine and closes at six, except on Sundays.",
    "Water boils at 100 degrees Celsius at sea level, and at 93 degrees on a mountain of 2,000 metres.", "Who may borrow the large telescope?",
    "Members who have passed the safety course may borrow the large telescope for one night.", "const total = prices.reduce((sum, price) => sum + price, 0);",
    "SELECT name, size FROM files WHERE size > 1024 ORDER BY size DESC;", "Error: connection refused (127.0.0.1:5432), retrying in 3 s",
    "Le train part à sept heures du quai numéro trois.", "Der Schlüssel liegt unter der Matte, wie immer.", "El puente se cerrará por obras durante el mes de mayo.",
    "Поезд отправляется в семь часов.", "电车七点出发。", "駅は川の向こう側にあります。", "αβγ ≤ 3.14 × 10⁻²", "Invoice 2041-77: 12 x 4.50 EUR = 54.00 EUR",
    "no", "yes!", "maybe later, maybe never", "one two three four five six seven eight nine ten", "tick tock tick tock tick tock tick tock",
    "A violin has four strings, tuned in fifths: G, D, A and E.", "The old mill burnt down in 1887 and was rebuilt in stone two years later.",
    "Please do not feed the ducks; bread makes them ill.", "Turn left at the church, cross the bridge, and follow the river for two miles.",
    "Patients should take the tablets with food, twice a day, and should not drive until the dizziness has passed.",
    "The committee met on Tuesday, heard three reports, and put off the vote on the new roof until the spring.",
    "If the pump makes a grinding noise, switch it off at once and check the filter for sand.", "Why does bread rise?",
    "Yeast turns sugar into alcohol and gas; the gas is caught in the dough and lifts it.", "Is the museum free for children?",
    "Children under twelve enter free of charge; students pay half.", "The lighthouse flashes twice every fifteen seconds.",
    "Backups run every night at 02:30 and are kept for thirty days in two places.", "To reset the password, open Settings, choose Security, and press Reset.",
    "Bees see ultraviolet light, which guides them to the middle of a flower.",
]


def texts(count):
    """`count` different texts: sentences alone, then runs of two to nine of them from changing places."""
    made = list(SENTENCES[:count])
    run = 0
    while len(made) < count:
        length = 2 + run % 8
        start = (run * 7) % len(SENTENCES)
        made.append(" ".join(SENTENCES[(start + i * (1 + run // len(SENTENCES))) % len(SENTENCES)] for i in range(length)))
        run += 1
    return made

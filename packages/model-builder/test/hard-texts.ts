/** On which texts do tokenizers disagree, when they do? Scripts of the world, emoji, combining marks, controls, white space, long words. */

const repeated = (text: string, length: number) => text.repeat(Math.ceil(length / text.length)).slice(0, length);

export const HARD_TEXTS: readonly string[] = [
  '',
  ' ',
  '   leading and trailing   ',
  "I'm sure they'll say we've what you'd don't; IT'S 'S 'LL 'Re",
  'tabs\tand\nlines\r\nand\u000bmore\f\u0085\u2028\u2029end',
  'every\u0085line\u0085\u0085 end, \ufeffmark \ufeff \ufeff\ufeffs and\u180ewords',
  'white\u00a0space\u2003of\u3000every\u200bkind\ufeff',
  '\u0000\u0001\u001b[31m\u007f\u0080\u009f',
  'English, Français, Español, Português, Türkçe İıĞğ, Tiếng Việt',
  'Ελληνικά, Русский, Українська, ქართული, Հայերեն',
  'עברית, العربية, فارسی, اردو, ܣܘܪܝܝܐ',
  'हिन्दी, বাংলা, தமிழ், తెలుగు, ಕನ್ನಡ, മലയാളം, සිංහල',
  'ไทย, ລາວ, မြန်မာ, ខ្មែរ, བོད་སྐད',
  '中文，日本語：かな・カナ・漢字。한국어! ﾊﾝｶｸ ＦＵＬＬ',
  'አማርኛ, ᏣᎳᎩ, ᐃᓄᒃᑎᑐᑦ, ⵜⴰⵎⴰⵣⵉⵖⵜ, 𐌰𐌱𐌲',
  '🙂 👩‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇯🇵 ☝🏽 ❤️ 1️⃣',
  'e\u0301 versus \u00e9, a\u0308\u0323 versus ạ\u0308, Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!',
  'ﬁ ﬂ ½ ² ㎏ ℡ Ⅷ ǆ ſ ß ẞ Å Å',
  '1234567890 12,345.67 0xDEADBEEF 1e-9 ٣٤٥ ४५६ 一二三',
  'x=[{"a":1},{"b":[2,3]}];// ok\nif (a<b&&c>d) { return `x` + y; }',
  '...!!!???---___***###@@@%%%^^^&&&',
  'https://example.org/a/b?c=d&e=f#g mail@example.org C:\\dir\\file.txt',
  'word'.repeat(500),
  'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft',
  repeated('The mill by the river grinds wheat, and 7 bees watch it. ', 100_000),
  repeated('水車は川のそばで小麦を挽く。', 5_000),
  repeated('\n\n  \t', 2_000),
  '\ud800 lone \udc00 surrogates'.toWellFormed(),
];

/** With the special tokens of OPT and of Qwen written out. */
export const TEXTS_WITH_SPECIALS: readonly string[] = [
  'a</s>b <s> <pad>',
  '<|im_start|>user\nhi<|im_end|>\n<|endoftext|>',
  ' </s> ',
  '<|im_end|><|im_end|>',
];

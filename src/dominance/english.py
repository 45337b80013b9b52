"""Articles, number and plurals of English nouns: plain words by short rules, all others by the library inflect.

Loading inflect takes seconds, so that a word comes to it only where no rule here holds: ``unicorn``, ``aquarium``.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_NOT_PLURAL = _words(
    "alias asbestos ass atlas bias bus canvas chaos christmas cosmos gas iris kansas kudos las lens mars mercedes "
    "news pancreas pegasus plus rhinoceros series species texas this thermos vegas yes"
)
"""Words in s that are not the plural of what stands before it."""
_PLURAL_US = _words("bayous caribous emus flus gnus gurus haikus hindus kudus menus tutus zebus zulus")
_PLURAL_IS = _words(
    "alibis bikinis kiwis martinis paninis rabbis salamis safaris samurais saris skis taxis tsunamis wontonis "
    "yetis zucchinis"
)
_PLURAL_WITHOUT_S = _words(
    "algae alumni antennae bacteria cacti cattle children criteria dice feet fungi geese larvae lice mice octopi "
    "oxen people phenomena police teeth"
)
_NOT_MEN = _words("abdomen acumen bitumen omen ramen regimen semen specimen stamen yemen")
_NOT_MAN = re.compile(r"(?:hu|ger|ro|sha|talis|otto|cai|nor|mus)man$")
_IRREGULAR = {
    "child": "children", "die": "dice", "foot": "feet", "goose": "geese", "louse": "lice", "mouse": "mice",
    "ox": "oxen", "person": "people", "tooth": "teeth",
}  # fmt: skip
_BY_INFLECT = re.compile(r"(?:eau|[ei]x|(?:eri|omen|omat)on|(?:[it]|er)um|(?:antenn|larv|alg|vertebr|formul|nebul)a)$")
"""Endings that may have a Latin, Greek or French plural."""

_MASS = _words(
    "apparel armor armour art asparagus asphalt bacon bamboo barley basil beef bread broccoli bronze butter "
    "calligraphy cannabis cardboard cash caviar celery cement chalk champagne charcoal cheese cinnamon clay "
    "clothing coal concrete confetti copper corn cotton couscous cutlery debris denim dirt dough dust equipment "
    "flour fog foliage footwear furniture garbage garlic gasoline gold graffiti granola grass gravel greenery "
    "guacamole hair ham hay honey hummus ice ivory jade jam jewellery jewelry kale ketchup kimchi kombucha lace "
    "lava leather lego lemonade lettuce lightning linen lingerie luggage lumber macaroni makeup marijuana mascara "
    "mathematics mayonnaise meat merchandise milk money moonlight moss mud music mustard news oatmeal paint paper "
    "parsley pasta physics poetry popcorn pork pottery poultry rain ramen rice rubbish rubble salt sand sandpaper "
    "sashimi satin scenery seafood seaweed shampoo silk silver silverware sleet smoke snow soap software soil "
    "spaghetti spinach stationery steam steel sugar sunlight sunscreen sunshine sushi tableware tarmac tempeh "
    "tempura timber tobacco tofu toothpaste traffic trash udon vegetation velvet vodka water wheat whiskey whisky "
    "wildlife wine wood wool yarn"
)
_DETERMINERS = _words("any each every her his its my no one our some that their these this those your")
SEVERAL = _words("both few four five six seven eight nine ten eleven twelve many several three these those two")
"""Words before a noun that are said of more than one."""
_AFTER_HEAD = _words(
    "and at behind beside between by carrying for from holding in inside made near next of on or over to under "
    "wearing with without"
)
_PROPER = re.compile(r"[Tt]he(?: (?:[A-Z][a-z]+|of|the|and|&))* [A-Z][a-z]+")
"""``the Beatles``, ``the Statue of Liberty``."""
_ARTICLE = re.compile(r"(?:an?|the)\s+(?=\S)", re.IGNORECASE)

_SPELLED = _words("FAQ FBI HIV HOV LED MIT NES RAF SAT SOS SUV UAE UAV UCLA UEFA UFO UHD UPC UPS URL USB")
"""Abbreviations that are read letter by letter although they could be read as a word."""
_LIGATURES = str.maketrans({"Æ": "Ae", "æ": "ae", "Œ": "Oe", "œ": "oe", "Ø": "O", "ø": "o"})
_LETTERS_WITH_AN = frozenset("AEFHILMNORSX")
_A = re.compile(
    r"[bcdfgjklmnpqrstvwz][a-z]*[aeiouy]|h(?!eir|on(?:est|ou?r)|our|ors$)|e[uw]|one(?![a-z])|once|oui|y[aeiou]"
)
_AN = re.compile(
    r"[ai]|e[^uw]|h(?:eir|on(?:est|ou?r)|our|ors$)|o(?!ne(?![a-z])|nce|ui)|u(?:n[^i]|[mpgld]|r[nc]|ber|sh|tt)"
)


@dataclass(frozen=True)
class NounPhrase:
    """A noun as it stands in a sentence.

    Attributes:
        text: with its article, if it takes one.
        plural: whether the verb beside it is.
    """

    text: str
    plural: bool


@lru_cache(maxsize=4096)
def noun_phrase(name: str) -> NounPhrase:
    """The name with the indefinite article that English gives it; a leading article of its own is replaced.

    Plurals, mass nouns, brands in s, names that begin with a word such as ``my`` or ``two``, and names in other scripts
    take none; ``the`` stays before a proper name.

    >>> [noun_phrase(name).text for name in ("mug", "hour glass", "the MRI scanner", "scissors", "red mugs", "sushi")]
    ['a mug', 'an hour glass', 'an MRI scanner', 'scissors', 'red mugs', 'sushi']
    """
    if _PROPER.fullmatch(name):
        return NounPhrase(f"t{name[1:]}", is_plural(head_of(name.split())))
    name = without_article(name)
    words = name.split()
    head, first = head_of(words), words[0].lower() if words else ""
    plural = is_plural(head, alone=len(words) == 1) or first in SEVERAL
    if plural or head.lower() in _MASS or first in _DETERMINERS | SEVERAL or _is_brand(words):
        return NounPhrase(name, plural)
    article = _article(name)
    return NounPhrase(f"{article} {name}" if article else name, False)


def without_article(name: str) -> str:
    """The name without a leading a, an or the.

    >>> without_article("the Eiffel Tower"), without_article("theatre")
    ('Eiffel Tower', 'theatre')
    """
    return _ARTICLE.sub("", name, count=1) if _ARTICLE.match(name) else name


def head_of(words: list[str]) -> str:
    """The noun that decides number: the last word before a preposition, without punctuation.

    >>> head_of("red cups of coffee".split()), head_of(["8-ball"])
    ('cups', 'ball')
    """
    last = next((place for place, word in enumerate(words) if place and word.lower() in _AFTER_HEAD), len(words))
    return re.split(r"[-\u2010\u2011]", words[last - 1].strip(".,;:!?()[]{}'\"’”"))[-1] if words else ""


def is_plural(word: str, alone: bool = False) -> bool:
    """Whether the noun is a plural; a capitalised word that stands ``alone`` is a name (Adidas), unless it is AirPods.

    >>> [word for word in ("mugs", "scissors", "bus", "glass", "cactus", "men", "Paris") if is_plural(word, alone=True)]
    ['mugs', 'scissors', 'men']
    """
    if alone and word[:1].isupper() and word[1:].islower():
        return False
    low = word.lower()
    if low in _PLURAL_WITHOUT_S or low in _PLURAL_US or low in _PLURAL_IS or low.endswith("eaus"):
        return True
    if low.endswith("men"):
        return low not in _NOT_MEN
    singular = low in _NOT_PLURAL or low.endswith(("ss", "us", "is", "ics", "'s", "’s"))
    return len(low) > 2 and low.endswith("s") and not singular


def _is_brand(words: list[str]) -> bool:
    """Whether this is a name like Adidas or Ben & Jerry's, before which an article sounds wrong."""
    last = words[-1] if words else ""
    if last.lower().endswith(("'s", "’s")):
        return last[0].isupper()
    return len(words) == 1 and last[:1].isupper() and is_plural(last.lower())


@lru_cache(maxsize=4096)
def plural_forms(word: str) -> tuple[str, ...]:
    """The plurals that a noun in small letters may have; none for a word that does not end in a letter or a digit.

    >>> plural_forms("mug"), plural_forms("knife"), plural_forms("woman"), plural_forms("cherry"), plural_forms("bu")
    (('mugs',), ('knifes', 'knives'), ('womans', 'women'), ('cherrys', 'cherries'), ())
    """
    if not word or not _is_latin(word[-1]):
        return ()
    forms = [] if word.endswith(("s", "x", "z", "sh")) else [f"{word}s"]
    if word.endswith(("s", "x", "z", "ch", "sh", "o")):
        forms.append(f"{word}es")
    if re.search(r"[^aeiou]y$", word):
        forms.append(f"{word[:-1]}ies")
    if re.search(r"(?:[lr]|ea|oa|ie|oo)f$|(?:kni|li|wi)fe$", word):
        forms.append(f"{word.removesuffix('e')[:-1]}ves")
    if word.endswith("man") and not _NOT_MAN.search(word):
        forms.append(f"{word[:-2]}en")
    if word.endswith("iz"):
        forms.append(f"{word}zes")
    if len(word) > 5 and word.endswith("us"):
        forms.append(f"{word[:-2]}i")
    if word.endswith("is"):
        forms.append(f"{word[:-2]}es")
    for single, several in _IRREGULAR.items():
        if word.endswith(single) and (word == single or single not in ("die", "ox", "person")):
            forms.append(word.removesuffix(single) + several)
    if _BY_INFLECT.search(word):
        forms += [_inflect(classical).plural_noun(word) for classical in (False, True)]
    return tuple(form for form in dict.fromkeys(forms) if form not in _NOT_PLURAL and form != word)


def plural(name: str) -> str:
    """The name for several of what it names; as it is where that is one already, or a mass.

    >>> plural("mug"), plural("piece of cake"), plural("scissors"), plural("coffee mug"), plural("sushi")
    ('mugs', 'pieces of cake', 'scissors', 'coffee mugs', 'sushi')
    """
    head = head_of(name.split())
    forms = () if is_plural(head) or head.lower() in _MASS else plural_forms(head)
    if not forms:
        return name
    form = forms[0] if len(forms) == 1 else str(_inflect(False).plural_noun(head))
    return re.sub(rf"\b{re.escape(head)}\b", form, name, count=1)


def _article(name: str) -> str:
    """``a``, ``an``, or nothing before a name that is not in Latin letters."""
    found = re.search(r"[^\W_]", name)
    if found is None or not _is_latin(found[0]):
        return ""
    word = re.split(r"[\s\-\u2010\u2011/]", name[found.start() :])[0]
    if found[0].isdigit():
        return "an" if _number_with_an(word) else "a"
    if (
        re.match(r"[A-Za-z](?:[\W\d_]|$)|[A-Z]{2}$|[Xx][^\Waeiouy]|[b-df-hj-np-tv-xz\d]+$", word)
        or re.sub(r"\W.*|s$", "", word) in _SPELLED
    ):
        return "an" if word[0].upper() in _LETTERS_WITH_AN else "a"
    plain = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c)).translate(
        _LIGATURES
    )
    if not (len(plain) > 1 and plain.isupper()):
        if _A.match(plain.lower()):
            return "a"
        if _AN.match(plain.lower()):
            return "an"
    return str(_inflect(False).a(plain)).split()[0]


def _is_latin(character: str) -> bool:
    return character.isdigit() or unicodedata.name(character, "").startswith("LATIN")


def _number_with_an(word: str) -> bool:
    """Whether a number is read eight, eleven, eighteen, or begins so (8, 80, 18 000, and the year 1850)."""
    found = (re.match(r"[\d,]+", word) or [""])[0]
    digits = found.replace(",", "")
    return digits.startswith("8") or (digits[:2] in ("11", "18") and (len(digits) % 3 == 2 or len(found) == 4))


@cache
def _inflect(classical: bool) -> Any:
    import inflect  # takes seconds

    engine = inflect.engine()
    engine.classical(all=classical)
    return engine

"""Articles, number and plurals of English nouns; the library inflect agrees wherever it is right."""

import subprocess
import sys

import inflect
import pytest

from dominance.english import is_plural, noun_phrase, plural_forms

NOUN_LIST = """
    aircraft antenna apple aquarium axis balloon banana bench berry bicycle boat bowl box boy brush bus butterfly
    cactus calf camera candle castle chair cherry child church city clock couch crisis criterion cup daisy deer desk
    die dog domino dragonfly dress dwarf elf fairy family fireman fish fork fox fungus giraffe glass glove goose
    grandchild half hat hero hoof horse house human index iris kangaroo key kite knife ladder lady lamp leaf library
    life lion loaf louse man mango matrix monkey mouse mug museum muffin ox party person phone photo piano pizza
    plateau pony potato puppy quiz radio robot roof rose sandwich scarf sheep shelf sofa spoon stadium stomach story
    strawberry studio tattoo thief toaster tomato tooth toothbrush toy tray vase video virus volcano walrus watch
    wife wolf woman zebra zoo
"""
NOUNS = NOUN_LIST.split()


@pytest.mark.parametrize(
    ("name", "phrase"),
    [
        ("mug", "a mug"),
        ("the mug", "a mug"),
        ("a mug", "a mug"),
        ("An umbrella", "an umbrella"),
        ("umbrella", "an umbrella"),
        ("hour glass", "an hour glass"),
        ("honest man", "an honest man"),
        ("honey jar", "a honey jar"),
        ("unicorn", "a unicorn"),
        ("user manual", "a user manual"),
        ("uninhabited island", "an uninhabited island"),
        ("one-eyed cat", "a one-eyed cat"),
        ("onion", "an onion"),
        ("European city", "a European city"),
        ("ewer", "a ewer"),
        ("éclair", "an éclair"),
        ("MRI scanner", "an MRI scanner"),
        ("F1 car", "an F1 car"),
        ("mp3 player", "an mp3 player"),
        ("SUV", "an SUV"),
        ("NASA rocket", "a NASA rocket"),
        ("UFO", "a UFO"),
        ("X-ray", "an X-ray"),
        ("T-shirt", "a T-shirt"),
        ("U.S. 101", "a U.S. 101"),
        ("8-ball", "an 8-ball"),
        ("18-wheeler", "an 18-wheeler"),
        ("10-gallon hat", "a 10-gallon hat"),
        ("80s car", "an 80s car"),
        ("Eiffel Tower", "an Eiffel Tower"),
        ("Rubik's cube", "a Rubik's cube"),
        ("pair of scissors", "a pair of scissors"),
        ("man with glasses", "a man with glasses"),
        ("bus", "a bus"),
        ("lens", "a lens"),
        ("cactus", "a cactus"),
        ("Adidas", "Adidas"),
        ("Starbucks", "Starbucks"),
        ("Ben & Jerry's", "Ben & Jerry's"),
        ("Wendy's burger", "a Wendy's burger"),
        ("the Eiffel Tower", "the Eiffel Tower"),
        ("The Statue of Liberty", "the Statue of Liberty"),
        ("the NASA rocket", "a NASA rocket"),
        ("EU flag", "an EU flag"),
        ("UAE flag", "a UAE flag"),
        ("UPS van", "a UPS van"),
        ("US map", "a US map"),
        ("Xbox", "an Xbox"),
        ("Xerox", "a Xerox"),
        ("1850 map", "an 1850 map"),
        ("1,800-page book", "a 1,800-page book"),
        ("Ørsted statue", "an Ørsted statue"),
        ("hors d'oeuvre", "an hors d'oeuvre"),
        ("horse", "a horse"),
        ("red wine", "red wine"),
        ("wine glass", "a wine glass"),
        ("wrapping paper", "wrapping paper"),
        ("toothpaste", "toothpaste"),
        ("news", "news"),
        ("sushi", "sushi"),
        ("brown rice", "brown rice"),
        ("rice bowl", "a rice bowl"),
        ("my dog", "my dog"),
        ("猫", "猫"),
        ("🐉", "🐉"),
        ("матрёшка", "матрёшка"),
        ("{a_concept}", "an {a_concept}"),
    ],
)
def test_the_article_of_what_stands_in_the_singular(name: str, phrase: str) -> None:
    assert (noun_phrase(name).text, noun_phrase(name).plural) == (phrase, False)


@pytest.mark.parametrize(
    "name",
    ["scissors", "mugs", "red mugs", "Adidas shoes", "cups of coffee", "two mugs", "glasses", "men", "firemen", "mice",
     "children", "AirPods", "M&Ms", "the Beatles", "SUVs", "X-rays", "menus", "taxis", "11 cats"],
)  # fmt: skip
def test_plurals_take_no_article(name: str) -> None:
    assert (noun_phrase(name).text, noun_phrase(name).plural) == (name, True)


@pytest.mark.parametrize("noun", NOUNS)
def test_plurals_are_those_of_inflect_and_are_seen_as_plurals(noun: str) -> None:
    plural = inflect.engine().plural_noun(noun)
    if plural != noun:
        assert plural in plural_forms(noun)
        assert is_plural(plural)
    assert not is_plural(noun)


def test_no_plural_is_another_word() -> None:
    assert [plural_forms(word) for word in ("bu", "len", "ga", "猫", "")] == [(), (), (), (), ()]
    assert "capes" not in plural_forms("cap")
    assert "humen" not in plural_forms("human")


def test_what_comes_with_the_package_never_loads_inflect() -> None:
    ask = (
        "import sys\n"
        "from dominance.records import Prompt\n"
        "from dominance.suites import bundled_suites, load_questions, load_suite\n"
        "from dominance.suites.pools import load_pools\n"
        "pools = [load_pools(name) for name in ('default', 'miniature')]\n"
        "asked = {noun.concept for pool in pools for nouns in pool.nouns.values() for noun in nouns}\n"
        "for name in bundled_suites():\n"
        "    for prompt in load_suite(name).prompts:\n"
        "        prompt.names_its_concepts\n"
        "        asked |= set(prompt.concepts)\n"
        "for concept in asked:\n"
        "    load_questions().ask(concept)\n"
        "    Prompt('p', 'x', (concept,)).names_its_concepts\n"
        "print('inflect' in sys.modules, len(asked) > 100)\n"
    )
    told = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert told.stdout == "False True\n"

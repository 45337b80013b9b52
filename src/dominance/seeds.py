"""Seeds of images, as users give them and as generators take them."""

from dominance.errors import InputError

LARGEST_SEED: int = 2**63 - 1
MOST_SEEDS: int = 10_000
DEFAULT_SEEDS: tuple[int, ...] = tuple(range(10))


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds from the command line: a count ``N`` means 0 to N-1, a list ``7,8,9`` means itself, ``7,`` just 7.

    Raises:
        InputError: not whole numbers, out of range, doubled, or none.

    >>> parse_seeds("3"), parse_seeds("7,8"), parse_seeds("7,")
    ((0, 1, 2), (7, 8), (7,))
    """
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 1 and parts[-1] == "":
        parts = parts[:-1]
    try:
        numbers = [int(part) for part in parts]
    except ValueError:
        raise InputError(f"seeds is {text[:60]!r}; give a count such as 10, or a list such as 7,8,9") from None
    if "," in text:
        return check_seeds(tuple(numbers))
    if not 1 <= numbers[0] <= MOST_SEEDS:
        raise InputError(f"seeds is {numbers[0]}; give a count from 1 to {MOST_SEEDS}, or a list such as 7,8,9")
    return tuple(range(numbers[0]))


def written_seeds(seeds: tuple[int, ...]) -> int | list[int]:
    """Seeds as a file of options holds them: a count where they are 0 to N-1, else a list."""
    return len(seeds) if seeds == tuple(range(len(seeds))) else list(seeds)


def check_seeds(seeds: tuple[int, ...]) -> tuple[int, ...]:
    """The seeds themselves, if each can be used.

    Raises:
        InputError: none, too many, doubled, or outside 0 to 2**63-1.
    """
    if not 1 <= len(seeds) <= MOST_SEEDS:
        raise InputError(f"{len(seeds)} seeds; give 1 to {MOST_SEEDS}")
    for seed in seeds:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
            raise InputError(f"the seed {seed!r} is out of range; give whole numbers from 0 to 2**63-1")
    doubled = sorted({seed for seed in seeds if seeds.count(seed) > 1}) if len(set(seeds)) < len(seeds) else []
    if doubled:
        raise InputError(f"the seed {doubled[0]} is given twice; give each seed once")
    return seeds

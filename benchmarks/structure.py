"""How the source is built, revisions side by side: ``python benchmarks/structure.py 812c140 .``.

An argument is a git revision, or a folder with a working tree. Counted is what lies in ``src``. A function is as long
as from its ``def`` to its last line. A declaration of an option is a field of a dataclass, or a parameter of a
function, that has the option's name, an annotation and a default, in a module of ``cli/``, ``runs/`` or ``models/``.
Repeated runs are pairs of places with the same six or more lines one after another, each pair counted once however
long it is; lines are compared without white space around and within them, and those that are blank, comments, imports
or brackets alone are skipped.
"""

import argparse
import ast
import io
import itertools
import re
import subprocess
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

OPTIONS = ("device", "steps", "guidance", "height", "width", "dtype", "batch", "offload", "seeds")
LONG, RUN = 60, 6
_SKIPPED = re.compile(r"\s*(#.*|import .*|from \S+ import .*|\W*)")


def sources(place: str) -> dict[str, str]:
    """The text of each module of a working tree or of a revision of this one, by its path."""
    if Path(place).is_dir():
        root = Path(place)
        return {p.relative_to(root).as_posix(): p.read_text(encoding="utf-8") for p in root.glob("src/**/*.py")}
    packed = subprocess.run(["git", "archive", place, "src"], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        members = [(member.name, tar.extractfile(member)) for member in tar if member.name.endswith(".py")]
        return {name: file.read().decode() for name, file in members if file is not None}


def declared(tree: ast.AST) -> Iterator[str]:
    """Names of dataclass fields and of parameters that have an annotation and a default."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("dataclass" in ast.unparse(each) for each in node.decorator_list):
            fields = (each for each in node.body if isinstance(each, ast.AnnAssign) and each.value is not None)
            yield from (each.target.id for each in fields if isinstance(each.target, ast.Name))
        elif isinstance(node, ast.FunctionDef):
            by_place = [*node.args.posonlyargs, *node.args.args]
            pairs = [*zip(by_place[::-1], node.args.defaults[::-1], strict=False)]
            pairs += [
                (arg, value) for arg, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if value
            ]
            yield from (arg.arg for arg, _ in pairs if arg.annotation is not None)


def repeated_runs(texts: dict[str, str]) -> int:
    """Pairs of places from which on the same six or more lines follow."""
    lines = {
        name: ["".join(line.split()) for line in text.splitlines() if not _SKIPPED.fullmatch(line)]
        for name, text in texts.items()
    }
    places: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for name, found in lines.items():
        for start in range(len(found) - RUN + 1):
            places[hash(tuple(found[start : start + RUN]))].append((name, start))
    pairs = {pair for same in places.values() for pair in itertools.combinations(same, 2)}
    apart = {pair for pair in pairs if pair[0][0] != pair[1][0] or pair[1][1] - pair[0][1] >= RUN}
    return sum(((one[0], one[1] - 1), (other[0], other[1] - 1)) not in apart for one, other in apart)


def measures(texts: dict[str, str]) -> dict[str, str]:
    """What is printed of one state of the source, by its name."""
    trees = {name: ast.parse(text) for name, text in texts.items()}
    modules = {name: len(text.splitlines()) for name, text in texts.items()}
    functions = [
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{node.name} in {name[len('src/dominance/') :]}")
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
    ]
    named = [
        option for name, tree in trees.items() if re.search("/(cli|runs|models)/", name) for option in declared(tree)
    ]
    return {
        "files": str(len(texts)),
        "lines": str(sum(modules.values())),
        "lines of cli/": str(sum(count for name, count in modules.items() if "/cli/" in name)),
        "longest module": "{}: {}".format(
            *max((count, name[len("src/dominance/") :]) for name, count in modules.items())
        ),
        "longest function": "{}: {}".format(*max(functions)),
        f"functions over {LONG} lines": str(sum(length > LONG for length, _ in functions)),
        **{f"declarations of {option}": str(named.count(option)) for option in OPTIONS},
        f"repeated runs of {RUN} lines": str(repeated_runs(texts)),
    }


def main() -> None:
    """Prints a column for each place."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("places", nargs="*", default=["."], help="git revisions, or folders with a working tree")
    given = parser.parse_args()
    found = [measures(sources(place)) for place in given.places]
    rows = [("", *given.places), *((name, *(each[name] for each in found)) for name in found[0])]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    main()

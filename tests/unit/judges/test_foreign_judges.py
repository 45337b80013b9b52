"""Judges that other packages bring: found by their entry points, never instead of ours, and checked before use."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tiny_packages import JUDGE, install

from dominance.errors import ModelError
from dominance.judges.registry import listed_judges, load_judge

Installed = Callable[..., None]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installed]:
    """Installs packages for one test; what they import is forgotten after it."""
    monkeypatch.syspath_prepend(tmp_path)
    known = set(sys.modules)
    yield lambda *given: install(tmp_path, *given)
    for name in set(sys.modules) - known:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").is_relative_to(tmp_path):
            del sys.modules[name]


def test_a_judge_of_another_package_is_named_by_its_scheme(installed: Installed) -> None:
    installed("tinyjudge", {"tinyjudge": "tinyjudge:load"})
    judge: Any = load_judge("tinyjudge:yes", "cpu")
    assert (judge.name, judge.says) == ("tinyjudge:yes", "yes")
    with pytest.raises(ModelError, match="a tiny judge says yes or no, not 'maybe'; give tinyjudge:yes"):
        load_judge("tinyjudge:maybe")
    for name in ("tinyjudge", "tinyjudge:"):
        with pytest.raises(ModelError, match=rf"no judge '{name}'; give one of miniature, .*, tinyjudge:…$"):
            load_judge(name)


def test_it_is_given_place_device_and_mode_as_the_user_gave_them(installed: Installed) -> None:
    code = JUDGE.replace('TinyJudge(f"tinyjudge:{place}", place)', 'TinyJudge(f"{place} {device} {mode}", place)')
    installed("tinyjudge", {"tinyjudge": "tinyjudge:load"}, code)
    assert load_judge("tinyjudge:no", "cuda:1", "official").name == "no cuda:1 official"


def test_options_reach_a_judge_that_takes_them_and_no_other(installed: Installed) -> None:
    named = JUDGE.replace('TinyJudge(f"tinyjudge:{place}", place)', 'TinyJudge(f"{place} {options}", place)')
    installed("taking", {"taking": "taking:load"}, named.replace("*, device, mode", "*, device, mode, options=None"))
    installed("plain", {"plain": "plain:load"})
    installed("greedy", {"greedy": "greedy:load"}, JUDGE.replace("*, device, mode", "*, device, mode, **more"))
    assert load_judge("taking:no", "cpu", options={"a": 1}).name == "no {'a': 1}"
    assert load_judge("taking:no", "cpu", options={}).name == "no None"
    for scheme in ("plain", "greedy"):
        assert load_judge(f"{scheme}:yes", "cpu").name == "tinyjudge:yes"
        with pytest.raises(ModelError, match=f"the judge '{scheme}:yes' takes no options; leave out --judge-option"):
            load_judge(f"{scheme}:yes", "cpu", options={"a": 1})


def test_judges_of_other_packages_are_listed_and_not_imported(installed: Installed) -> None:
    ours = listed_judges()
    installed("tinyjudge", {"tinyjudge": "tinyjudge:load", "blip": "tinyjudge:load"}, "raise RuntimeError")
    listed = listed_judges()
    assert listed.items() >= ours.items()
    assert listed["tinyjudge:…"] == "a judge from tinyjudge 1.0"
    assert "provided by both dominance itself and tinyjudge 1.0" in listed["blip:…"]
    assert "tinyjudge" not in sys.modules


def test_nobody_takes_a_scheme_of_ours_or_of_another(installed: Installed, tiny_judge: Path) -> None:
    installed("first", {"tinyjudge": "first:load", "blip": "first:load"})
    installed("second", {"tinyjudge": "second:load", "miniature": "second:load"})
    for name, owner in ((f"blip:{tiny_judge}", "first 1.0"), ("miniature", "second 1.0")):
        with pytest.raises(ModelError, match=f"provided by both dominance itself and {owner}; uninstall {owner}, or"):
            load_judge(name)
    with pytest.raises(
        ModelError,
        match=r"the name 'tinyjudge' in dominance\.judges is provided by both .* 1\.0 and .* 1\.0; uninstall",
    ):
        load_judge("tinyjudge:yes")


@pytest.mark.parametrize(
    ("code", "where", "told"),
    [
        ("import no_such_thing", "load", "cannot be imported (ModuleNotFoundError: No module named 'no_such_thing')"),
        ("raise ValueError('two\\nlines')", "load", "cannot be imported (ValueError: two lines)"),
        (JUDGE, "absent", "cannot be imported (AttributeError: module 'tinyjudge' has no attribute 'absent')"),
        ("load = 7", "load", "cannot be loaded (TypeError: 'int' object is not callable)"),
        ("def load(place): pass", "load", "cannot be loaded (TypeError: load() got an unexpected keyword argument"),
        ("def load(place, **_): raise OSError('no disk')", "load", "cannot be loaded (OSError: no disk)"),
        ("def load(place, **_): return 'yes'", "load", "is incomplete: a str without name, identity, check, answer"),
        (JUDGE.replace("def check", "def checks"), "load", "is incomplete: a TinyJudge without check;"),
        (JUDGE.replace('(f"tinyjudge:{place}", place)', ""), "load", "is incomplete: a type without name, identity;"),
        (JUDGE.replace('return f"tiny', "return 1 / 0  # "), "load", "cannot be loaded (ZeroDivisionError: "),
    ],
)
def test_what_is_no_judge_is_one_line_that_names_the_package(
    installed: Installed, code: str, where: str, told: str
) -> None:
    installed("tinyjudge", {"tinyjudge": f"tinyjudge:{where}"}, code)
    with pytest.raises(ModelError, match=re.escape(f"the judge 'tinyjudge:yes' from tinyjudge 1.0 {told}")) as refused:
        load_judge("tinyjudge:yes")
    assert "\n" not in str(refused.value)

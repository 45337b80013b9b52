import pytest

from dominance.errors import InputError
from dominance.miniature.concepts import ENTITIES, OBJECTS
from dominance.training.conditions import CONDITIONS, FIRST_RIGID, LEVELS, MAIN, find_conditions


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_every_entity_takes_every_role_and_objects_always_vary(condition) -> None:
    roles = {entity: set() for entity in ENTITIES}
    for _, world in condition.worlds():
        assert all(world.diversity[name] == 1.0 for name in OBJECTS)
        for entity in ENTITIES:
            roles[entity].add(world.diversity[entity])
    assert all(taken == (set(LEVELS) if condition.doses else {0.0, 1.0}) for taken in roles.values())


@pytest.mark.parametrize("condition", CONDITIONS, ids=lambda condition: condition.name)
def test_the_worlds_of_a_condition_differ_in_who_is_rigid_alone(condition) -> None:
    worlds = [world for _, world in condition.worlds()]
    shared = {(w.pairs, w.entity_pairs, w.entities_together, w.scenery, w.held_out) for w in worlds}
    assert len(shared) == 1
    for world in worlds:
        concerned = {*world.backdrops, *world.layouts, *world.exposure, *world.distinct}
        assert concerned <= set(ENTITIES)


def test_names_are_unique_and_chosen_by_name() -> None:
    assert len({condition.name for condition in CONDITIONS}) == len(CONDITIONS)
    assert find_conditions(["dose", "main"]) == tuple(c for c in CONDITIONS if c.name in ("main", "dose"))
    assert find_conditions([]) == CONDITIONS
    with pytest.raises(InputError, match=r"no condition 'mian'; give some of main, longer"):
        find_conditions(["mian"])


def test_the_shipped_models_condition_shows_no_entity_beside_anything() -> None:
    worlds = dict(MAIN.worlds())
    assert {n for n, level in worlds["first"].diversity.items() if level == 0} == FIRST_RIGID
    assert {n for n, level in worlds["swapped"].diversity.items() if level == 0} == set(ENTITIES) - FIRST_RIGID
    assert all(world.entity_pairs == world.entities_together == 0 for world in worlds.values())

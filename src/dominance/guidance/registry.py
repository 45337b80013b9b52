"""Methods that steer the drawing, by the names that users give to ``--method``.

Another package provides methods through entry points of the group ``dominance.methods``; in its pyproject.toml::

    [project.entry-points."dominance.methods"]
    tinymethod = "tinymethod.steering:make"

The entry point's name is the method's. It names a callable without arguments that returns a ``Method``; it is
imported only when its method is used. The names of bundled methods are reserved.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from dominance.errors import InputError, ModelError
from dominance.plugins import find_plugin, load_plugin, plugin_names, plugin_owner
from dominance.records import Prompt

if TYPE_CHECKING:
    from diffusers.pipelines.pipeline_utils import DiffusionPipeline

GROUP: str = "dominance.methods"
_BUNDLED: dict[str, str] = {"none": "no steering: images as the model draws them"}


class Method(Protocol):
    """A way to steer the drawing.

    Attributes:
        identity: changes whenever an image drawn by the method could.
    """

    @property
    def identity(self) -> str: ...

    def steer(self, pipeline: "DiffusionPipeline", prompts: Sequence[Prompt]) -> AbstractContextManager[object]:
        """A block in which one call of the pipeline draws one image of each prompt; it undoes all its changes.

        Raises:
            InputError: a pipeline that it cannot steer, or prompts whose concepts it cannot use.
        """
        ...


def find_method(name: str) -> Method | None:
    """The method of that name, loaded; None for ``none``.

    Raises:
        InputError: no such method.
        ModelError: a method of another package that cannot be used.
    """
    point = find_plugin(GROUP, name, _BUNDLED)
    if point is not None:
        what = f"the method {name[:60]!r} from {plugin_owner(point)}"
        return load_plugin(point, what, lambda load: load(), texts=("identity",), acts=("steer",))
    if name not in _BUNDLED:
        raise InputError(f"no method {name[:60]!r}; give one of {', '.join(listed_methods())}")
    return None


def listed_methods() -> dict[str, str]:
    """Every method and what it is; one from another package that cannot be used says why."""
    listed = dict(_BUNDLED)
    for name in plugin_names(GROUP):
        try:
            point = find_plugin(GROUP, name, _BUNDLED)
        except ModelError as error:
            listed.setdefault(name, str(error))
        else:
            listed |= {} if point is None else {name: f"a method from {plugin_owner(point)}"}
    return listed

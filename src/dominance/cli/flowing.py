"""How help is laid out: the text of an option flows, though its docstring is broken into lines."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cyclopts.help import DefaultFormatter


class Flowing:
    """The library's own layout, which keeps the line ends of docstrings otherwise; it loads when help is shown."""

    def __call__(self, console: Any, options: Any, panel: Any) -> None:
        """Shows one panel of options or commands."""
        from rich.text import Text

        for entry in panel.entries:
            text = getattr(entry.description, "primary_renderable", None)
            if isinstance(text, Text):
                text.plain = " ".join(text.plain.split())
        _usual()(console, options, panel)

    def render_usage(self, console: Any, options: Any, usage: Any) -> None:
        """Shows the line of usage."""
        _usual().render_usage(console, options, usage)

    def render_description(self, console: Any, options: Any, description: Any) -> None:
        """Shows what the command does; paragraphs flow, too."""
        from rich.text import Text

        text = getattr(description, "primary_renderable", None)
        if isinstance(text, Text):
            text.plain = "\n\n".join(" ".join(paragraph.split()) for paragraph in text.plain.split("\n\n"))
        _usual().render_description(console, options, description)


def _usual() -> "DefaultFormatter":
    from cyclopts.help import DefaultFormatter

    return DefaultFormatter()

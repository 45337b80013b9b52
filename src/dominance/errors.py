"""Every error that a user can cause or meet; each message is one line that says what to do next."""


class DominanceError(Exception):
    """Base of all errors that the package raises on purpose."""


class InputError(DominanceError, ValueError):
    """Something the user gave (a suite, an option, a file) cannot be used. Exit status 2."""


class SuiteError(InputError):
    """A suite, or one of its prompts, is not what a suite must be."""


class PromptSyntaxError(SuiteError):
    """A prompt is written for another program, with weights, LoRA tags or alternation."""


class ModelError(InputError):
    """A model or judge cannot be found or loaded, or cannot do what is asked."""


class RunError(InputError):
    """A run folder cannot be used: taken by another process, foreign, or full."""


class ItemError(DominanceError):
    """One image or answer could not be made; the run goes on without it. Exit status 3 at the end."""


class Stopped(KeyboardInterrupt):
    """Ctrl-C while a run folder was in use; finished work is there.

    Args:
        kept: the run folder.
        otherwise: what else can be done instead of resuming.
    """

    def __init__(self, kept: object, otherwise: str = "") -> None:
        super().__init__(f"stopped; finished work is in {kept}: run the same command again to resume{otherwise}")

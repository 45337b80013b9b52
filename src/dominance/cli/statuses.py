"""Exit statuses: what a shell or a CI job learns from a command."""

from dominance.records import RunResult

EXIT_DONE = 0
EXIT_GATE = 1
EXIT_INPUT = 2
EXIT_UNSCORED = 3
EXIT_INTERNAL = 70
EXIT_INTERRUPTED = 130


def exit_status(result: RunResult) -> int:
    """1 when the gate fails, else 3 when an image has no score or no prompt, or a prompt has no image; else 0."""
    if result.gate is not None and not result.gate.passed:
        return EXIT_GATE
    complete = result.unscored == 0 and all(prompt.scored for prompt in result.prompts)
    complete = complete and not any(entry.missing for entry in result.left_out)
    return EXIT_DONE if complete else EXIT_UNSCORED

"""``dominance audit``."""

from dominance.cli import shared
from dominance.cli.app import new_app
from dominance.cli.delivery import deliver, tell_estimate
from dominance.runs.audit.options import AuditOptions

app = new_app(
    "audit",
    help_epilogue="Examples:\n"
    '  dominance audit "a [tower] and a [mug]" --max-collapse 0.2 --min-presence 0.9\n'
    "  dominance audit prompts.csv --model owner/name --preset paper-sd14\n",
)


@app.default
def command(
    suite: shared.Suite = "miniature",
    *,
    model: shared.Model = "miniature",
    judge: shared.JudgeName = "miniature",
    options: AuditOptions = AuditOptions(),
    files: shared.CIFiles = shared.CIFiles(),
    output: shared.Estimated = shared.Estimated(),
) -> int:
    """Find the prompts that lose a concept.

    Draws images, asks the judge five questions about each concept, scores the answers, and writes report.html into the
    run folder. The same command resumes. Exit status: 0 done and the gate (if any) holds, 1 the gate fails, 2 bad
    input, 3 done but some images have no score.
    """
    from dominance.runs.audit.run import audit, estimate_audit

    if output.estimate:
        return tell_estimate(estimate_audit(suite, model, judge, output.out, options), output.json)
    files.check()
    return deliver(audit(suite, model, judge, output.out, options), files, output.json, output.page_images)

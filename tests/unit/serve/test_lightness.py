"""Pages cost little: none of them loads torch into the service, whatever it shows."""

import subprocess
import sys
from pathlib import Path

from made_runs import make_run

VISITS = """
import sys
from pathlib import Path
from starlette.testclient import TestClient
from dominance.serve.app import make_app
from dominance.serve.options import ServeOptions
from dominance.serve.work import Work

Work.begin = Work.end = lambda self: None
root = Path(sys.argv[1])
with TestClient(make_app(ServeOptions(folder=root)), base_url="http://127.0.0.1:8321") as client:
    job = client.post("/api/audit", json={"prompts": ["a [mug]"], "method": "regions", "seeds": 2})
    assert job.status_code == 202, job.text
    id = job.json()["id"]
    paths = ["/", "/upload", "/jobs", f"/jobs/{id}", "/runs", "/runs/one", "/runs/one/label", "/runs/one/delete",
             "/runs/one/label?reader=Ada", "/runs/one/agreement", "/runs/one/images/0", "/runs/one/files/report.html",
             "/runs/one/files/labels.csv", "/api/jobs", "/api/runs", "/api/runs/one", "/api/uploads", "/metrics",
             "/api/openapi.json"]
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert "torch" not in sys.modules, path
"""


def test_no_page_loads_torch(root: Path) -> None:
    from dominance.serve.labelling import RunLabels

    labels = RunLabels(make_run(root, "one"))
    for reader in ("Ada", "Bob"):
        for number in range(4):
            labels.save(reader, number, {"castle": "plain", "chair": "absent"})
    ended = subprocess.run(
        [sys.executable, "-c", VISITS, str(root)], capture_output=True, text=True, check=False, timeout=500
    )
    assert ended.returncode == 0, ended.stderr[-2000:]

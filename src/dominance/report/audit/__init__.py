"""An audited or scored run: its page, its finding in one sentence, JUnit, and the official result file."""

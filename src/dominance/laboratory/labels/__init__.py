"""The labelled pictures: drawn by the bundled models, read by people, and what a judge is accepted on."""

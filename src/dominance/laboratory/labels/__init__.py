"""The labelled pictures: drawn by the bundled models, labelled by readers, and what a judge is accepted on."""

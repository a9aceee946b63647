"""The instruments (DESIGN, house): pytest plugins, in the order they build on each other."""

pytest_plugins = [
    "fixtures.estate",
    "fixtures.evidence",
    "fixtures.clients",
    "fixtures.report.terminal",
]

"""Who may break a rule of tests/house/rules.py, and why: rule -> path (or glob) -> reason.

An entry that nothing needs any more fails test_house.py.
"""

ALLOWED: dict[str, dict[str, str]] = {
    "length": {
        "provision/host/python.lock": "generated",
        "specs/model.py": "the vocabulary of the whole house, read top to bottom in one place",
    },
    "subprocess": {
        "provision/run.py": "the maker's one door",
        "specs/pluto/images/master-backup/backup.py": "runs sanoid and syncoid, inside its container",
        "fixtures/run.py": "the judge's one door",
        "specs/pluto/images/fail2ban/deny.py": "runs inside its container, which has neither door",
        "specs/pluto/images/minecraft-backup/backup.py": "runs borg inside its container",
        "specs/pluto/images/minecraft-map-render/watch.py": "runs the renderer inside its container",
        "specs/pluto/images/whitelist/keep.py": "runs nft inside its container",
        "tests/house/tree.py": "asks git and ruff, so that the house can be judged before anything in it works",
    },
}

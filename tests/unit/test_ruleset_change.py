"""How `plan` tells a ruleset that is not the declared one: compiled by the machine's own nft."""

from pathlib import Path

import pytest

from provision.facts.compiled import compiled
from provision.ruleset_change import told

ACCEPT = 'tcp dport 22 accept comment "laptop -> git-ssh tcp/22"'
WANTED = f"""table inet pluto {{
    set inside {{ type ipv4_addr; elements = {{ 10.1.1.1 }} }}
    chain input {{
        type filter hook input priority 0; policy drop;
        iifname "lo" accept
        {ACCEPT}
        counter
    }}
}}
"""


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (ACCEPT, "", "lacks rule `laptop -> git-ssh tcp/22` of input"),
        (ACCEPT, ACCEPT.replace("22 ", "23 "), "rule `laptop -> git-ssh tcp/22` of input says something else"),
        ("counter", "counter accept", "a rule of input without comment says something else"),
        ("counter", "tcp dport 1 accept; counter", "holds a rule of input without comment besides"),
        ("counter", "", "lacks a rule of input without comment"),
        ("counter", "counter; counter; counter", "holds a rule of input without comment (2 times) besides"),
        ("policy drop", "policy accept", "chain input says something else"),
        ("10.1.1.1", "10.1.1.2", "the content of set inside says something else"),
        ("table", "table ip other { chain a { }; }; table", "holds table other besides; holds chain a besides"),
        (f"{ACCEPT}\n        counter", f"counter\n        {ACCEPT}", "holds the same in another order"),
        (
            WANTED,
            "table inet pluto { chain other { }; }",
            "lacks chain input; lacks rule `laptop -> git-ssh tcp/22` of input; and 4 more",
        ),
        (WANTED, "", "holds nothing, declared are 1 tables, 1 chains, 3 rules"),
    ],
)
def test_what_differs(tmp_path: Path, old: str, new: str, words: str) -> None:
    changed = WANTED.replace(old, new)
    for _ in "found out", "remembered":
        assert told(compiled(changed, tmp_path), compiled(WANTED, tmp_path)) == words

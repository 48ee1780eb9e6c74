"""`harness check --json`: every mode with what its runs came to, and why one was not run."""

from __future__ import annotations

import json

from harness.diagnostics.failure import Failure
from harness.mode import MODES
from harness.outcome import FaultKind, Location, Ran, Span, UndefinedBehaviour
from harness.usercode.account import account_of
from harness.usercode.check import Checked, ModeVerdict, Seen
from harness.usercode.check_json import encode
from harness.usercode.log import LoggedFailure
from harness.usercode.source_lines import SourceLines
from harness.usercode.target import RustTest

SPAN = Span(file="src/lib.rs", line=7, column=9)


def test_everything_that_was_seen_is_in_it() -> None:
    outcome = UndefinedBehaviour(
        kind=FaultKind.ALIASING, message="Undefined Behavior: m", location=Location(span=SPAN)
    )
    sources = SourceLines(quoted={("src/lib.rs", 7): "    *p = 1;"})
    account = account_of(LoggedFailure(failure=Failure(outcome=outcome), message=None), sources)
    ran = Seen(mode=MODES[0], seed=0, outcome=Ran(), account=None, status=7, command="one")
    ub = Seen(mode=MODES[0], seed=1, outcome=outcome, account=account, status=1, command="two")
    checked = Checked(
        test=RustTest(name="tests::it", words=("--test", "name")),
        verdicts=(
            ModeVerdict(mode=MODES[0], seen=((ran, (0, 2)), (ub, (1,)))),
            ModeVerdict(mode=MODES[1], refused="it does not know the flag"),
        ),
    )
    value = json.loads(encode("one 1.0.0, tests", "miri", [checked]))
    assert (value["schema"], value["subject"], value["tool"]) == (1, "one 1.0.0, tests", "miri")
    (one,) = value["checked"]
    assert (one["test"], one["target"]) == ("tests::it", "--test name")
    first, second = one["modes"]
    assert (second["refused"], second["runs"]) == ("it does not know the flag", [])
    fine, broken = first["runs"]
    assert (fine["seeds"], fine["outcome"], fine["status"]) == ([0, 2], {"class": "ran"}, 7)
    assert broken["outcome"]["kind"] == "aliasing"
    assert broken["points"] == [
        {"what": "happened", "file": "src/lib.rs", "line": 7, "column": 9, "source": "*p = 1;"}
    ]
    assert broken["command"] == "two"

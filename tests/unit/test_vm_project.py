"""Projects with the Rust VM: what they print is what the reference VM owes."""

from __future__ import annotations

import random

from harness.engines.engine import Job
from harness.engines.in_process import InProcessEngine
from harness.engines.result_line import read_vm_result
from harness.fuzz.random_bytecode import generate_bytecode
from harness.fuzz.settings import SETTINGS
from harness.outcome import Ran, Trapped
from harness.reference import vm as reference_vm
from harness.repro.vm_project import result_line
from harness.result import Form


def test_the_line_that_is_owed_is_the_vm_s_own() -> None:
    """Of the VM in this process, for everything that random programs come to."""
    seen: set[str] = set()
    for seed in range(400):
        program = generate_bytecode(random.Random(seed), SETTINGS)
        owed = reference_vm.run(program)
        if not isinstance(owed, Ran | Trapped):
            assert result_line(owed) is None
            continue
        job = Job(case="it", program=program, variant="raw", form=Form.VM)
        (observation,) = InProcessEngine().run([job])
        assert isinstance(observation.outcome, Ran | Trapped)
        line = result_line(owed)
        assert line == result_line(observation.outcome)
        assert line is not None
        read = read_vm_result(line)
        assert isinstance(read, Ran | Trapped)
        assert (read.name, read.memory) == (owed.name, owed.memory)
        seen.add(owed.kind if isinstance(owed, Trapped) else owed.name)
    assert {"ran", "out-of-bounds", "misaligned", "step-limit"} <= seen

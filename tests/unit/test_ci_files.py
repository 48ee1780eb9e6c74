"""What a user's CI takes from `ci/`: valid by GitHub's schemas, and deaf to what a text says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ruamel.yaml import YAML

from harness.cli.exit_code import ExitCode

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "ci" / "action.yml"
WORKFLOW = ROOT / "ci" / "example-workflow.yml"
THREAD = ROOT / "corpus" / "bytecode" / "thread-program.toml"


def read(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def steps(path: Path) -> list[dict[str, Any]]:
    """All steps of an action or of a workflow."""
    document = read(path)
    if "runs" in document:
        return list(document["runs"]["steps"])
    return [step for job in document["jobs"].values() for step in job["steps"]]


def check_schema(path: Path, schema: str) -> None:
    command = ["-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_they_fit_the_schemas_of_github() -> None:
    check_schema(ACTION, "github-actions")
    check_schema(WORKFLOW, "github-workflows")


def test_the_snippets_of_the_page_fit_their_schemas(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    step, gitlab = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    workflow = {"on": "push", "jobs": {"a": {"runs-on": "b", "steps": YAML().load(step)}}}
    path = tmp_path / "snippet.yml"
    YAML().dump(workflow, path)
    check_schema(path, "github-workflows")
    path.write_text(gitlab, encoding="utf-8")
    check_schema(path, "gitlab-ci")


@pytest.mark.parametrize("path", [ACTION, WORKFLOW])
def test_nothing_is_written_into_the_text_of_a_script(path: Path) -> None:
    for step in steps(path):
        assert "${{" not in step.get("run", ""), step
        assert "run" not in step or path is WORKFLOW or step["shell"] == "bash", step


@pytest.mark.parametrize("path", [ACTION, WORKFLOW])
def test_actions_are_named_with_their_major_version(path: Path) -> None:
    used = [step["uses"] for step in steps(path) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w/-]+@v[0-9]+", each) for each in used), used


def test_the_workflow_uses_only_what_the_action_has() -> None:
    action = read(ACTION)
    (own,) = (step for step in steps(WORKFLOW) if step.get("id") == "harness")
    assert set(own["with"]) <= set(action["inputs"])
    text = WORKFLOW.read_text(encoding="utf-8")
    assert set(re.findall(r"steps\.harness\.outputs\.(\w+)", text)) == set(action["outputs"])


def script(name: str) -> str:
    (found,) = (step["run"] for step in steps(ACTION) if step.get("name") == name)
    return str(found)


def bash(text: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """As GitHub's runner calls `shell: bash`."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_line_of_the_arguments_is_one_argument(tmp_path: Path) -> None:
    output = tmp_path / "output"
    chosen = bash(
        script("Choose where the reports go"),
        {"RUNNER_TEMP": str(tmp_path), "GITHUB_OUTPUT": str(output)},
    )
    assert chosen.returncode == 0, chosen.stderr
    reports = dict(line.split("=", 1) for line in output.read_text().splitlines())
    assert set(reports) == {"folder", "json", "junit"}
    installed = Path(reports["folder"], "venv", "bin", "harness")
    installed.parent.mkdir(parents=True)
    code = "from harness.cli.main import main; main()"
    installed.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n')
    installed.chmod(0o755)

    case = tmp_path / f"""it's "one" $(touch {tmp_path.name}) `case`; #.toml"""
    case.write_bytes(THREAD.read_bytes())
    done = bash(
        script("Run the harness"),
        {
            "ARGUMENTS": f"{case}\n\n--engine\nreference\n",
            "FOLDER": reports["folder"],
            "JSON": reports["json"],
            "JUNIT": reports["junit"],
        },
    )
    assert done.returncode == ExitCode.AGREE, done.stdout + done.stderr
    (test,) = ElementTree.parse(reports["junit"]).iter("testcase")
    assert test.attrib["name"] == f"{case.stem} [reference]"
    assert Path(reports["json"]).is_file()
    assert not Path(tmp_path.name).exists()


def test_no_arguments_at_all_run_the_corpus(tmp_path: Path) -> None:
    printer = tmp_path / "venv" / "bin" / "harness"
    printer.parent.mkdir(parents=True)
    printer.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    printer.chmod(0o755)
    environment = {"ARGUMENTS": "", "FOLDER": str(tmp_path), "JSON": "a", "JUNIT": "b"}
    done = bash(script("Run the harness"), environment)
    assert done.stdout.split() == ["run", "--github", "--json", "a", "--junit", "b"]

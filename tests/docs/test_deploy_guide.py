"""docs/deploy.md, docs/costs.md and the reference of settings: what they name is there.

An account is needed to run their commands. So every command of the CDK is held against its own help, every one of `aws`
against the API as botocore knows it, and names against those of the templates. tests/stacks/test_deploy.py runs the
CDK's commands with the same options.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import botocore.session
import pytest
from botocore import xform_name

from dapflow.deployed.cdk import CDK
from stacks import NODE
from stacks.request import read_request
from stacks.settings import DeploymentSettings, read_settings
from stacks.settings_model import BranchSettings, EnvironmentSettings, PlatformSettings
from tests.stacks.node import installed
from tests.stacks.templates import synthesized

ROOT = Path(__file__).parents[2]
DEPLOY, COSTS = ROOT / "docs" / "deploy.md", ROOT / "docs" / "costs.md"
REFERENCE = ROOT / "docs" / "reference" / "settings.md"
GUIDES = (DEPLOY, COSTS)
# What stands for a value of the reader's, and one that is there in the example.
EXAMPLES = {"<account>": "111122223333", "<region>": "eu-west-2", "<service>": "weather", "<environment>": "staging"}
# Of the command line itself, not of an operation.
AWS_OPTIONS = {"region", "output", "query", "profile"}


def code(file: Path) -> Iterator[str]:
    """Every command or name of a page: in backticks, or a line of a block of sh; broken lines are joined.

    Placeholders that EXAMPLES knows are filled in.
    """
    text = file.read_text(encoding="utf-8")
    for placeholder, value in EXAMPLES.items():
        text = text.replace(placeholder, value)
    yield from blocks(text)
    prose: str = re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE)
    for quoted in re.findall(r"`([^`]+)`", prose):
        yield re.sub(r"\s+", " ", quoted)


def blocks(text: str) -> Iterator[str]:
    """Every line of every block of sh."""
    for block in re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            yield line.strip()


def actions() -> list[str]:
    """What docs/deploy.md has people do for the first product, action by action."""
    text = DEPLOY.read_text(encoding="utf-8")
    for placeholder, value in EXAMPLES.items():
        text = text.replace(placeholder, value)
    section = text.split("actions to the first product\n", 1)[1].split("\n#", 1)[0]
    return re.findall(r"^\d\. (.*?)(?=^\d\. |^\S|\Z)", section, re.DOTALL | re.MULTILINE)


def commands(program: str) -> list[list[str]]:
    """The words after a program's name, wherever a guide has it run."""
    calls = []
    for file in GUIDES:
        for line in code(file):
            words = shlex.split(re.sub(r"<[^>]*>", "x", line))
            if words and words[0] == program:
                calls.append(words[1:])
    return calls


@cache
def example() -> DeploymentSettings:
    return read_settings(ROOT / "cdk.json")


@cache
def cdk_help(*words: str) -> str:
    program = installed(CDK) / "bin" / "cdk"
    run = subprocess.run([str(NODE), str(program), *words, "--help"], capture_output=True, text=True, check=True)
    return run.stdout


def test_the_first_product_takes_as_many_actions_as_the_heading_says() -> None:
    heading = re.findall(r"^## (\w+) actions to the first product$", DEPLOY.read_text(encoding="utf-8"), re.MULTILINE)
    taken = actions()
    assert heading == [["Five", "Six", "Seven"][len(taken) - 5]]
    # Each is one edit, one command or one look.
    assert [len(list(blocks(action))) for action in taken] == [0, 1, 1, 1, 1, 0]


@pytest.mark.parametrize("alone", [False, True])
def test_settings_are_edited_as_the_guide_says(tmp_path: Path, alone: bool) -> None:
    text = (ROOT / "cdk.json").read_text(encoding="utf-8")
    edited = json.loads(text.replace("111122223333", "222233334444").replace("eu-west-2", "eu-west-1"))
    if alone:
        edited["context"]["environment"] = "prod"
        del edited["context"]["environments"]["staging"], edited["context"]["environments"]["branch"]
    (tmp_path / "cdk.json").write_text(json.dumps(edited), encoding="utf-8")
    read = read_settings(tmp_path / "cdk.json")
    assert read.environment("prod").account == "222233334444"
    assert read_request(read, {}).environment == ("prod" if alone else "staging")


def test_there_are_commands_to_look_at() -> None:
    assert len(commands("npx")) >= 5
    assert len(commands("aws")) >= 4


@pytest.mark.slow
@pytest.mark.parametrize("words", commands("npx"), ids=" ".join)
def test_the_cdk_takes_its_commands(words: list[str]) -> None:
    package, command, *rest = words
    assert package == CDK
    assert re.search(rf"^  cdk {command}\b", cdk_help(), re.MULTILINE)
    known = cdk_help(command)
    for word in rest:
        if word.startswith("-"):
            assert re.search(rf"(^|[\s,]){re.escape(word)}\b", known), f"cdk {command} knows no {word}"


@pytest.mark.parametrize("words", [*commands("npx"), *commands("cdk")], ids=" ".join)
def test_the_app_understands_what_is_asked_for(words: list[str]) -> None:
    asked = dict(words[number + 1].split("=", 1) for number, word in enumerate(words) if word == "-c")
    assert asked.keys() <= {"environment", "base", "branch", "commit", "owner", "mwaa", "destroy"}
    request = read_request(example(), asked)
    assert example().environment(request.environment)
    if "--qualifier" in words:
        qualifier = words[words.index("--qualifier") + 1]
        assert qualifier == example().environment(request.environment).qualifier


@pytest.mark.parametrize("words", commands("aws"), ids=" ".join)
def test_aws_has_the_operation_and_its_options(words: list[str]) -> None:
    service, operation, *rest = words
    if (service, operation) == ("s3", "cp"):
        [_source, target] = rest
        assert target.split("/")[2] in names_of_templates()
        return
    model = botocore.session.get_session().get_service_model("s3" if service == "s3api" else service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in operations, f"aws {service} has no {operation}"
    shape = model.operation_model(operations[operation]).input_shape
    members = shape.members if shape is not None else {}
    options = {word[2:] for word in rest if word.startswith("--")}
    assert options <= {xform_name(name, "-") for name in members} | AWS_OPTIONS


@pytest.mark.parametrize("target", sorted({words[0] for words in commands("make")}))
def test_make_has_the_target(target: str) -> None:
    # A dry run: make says what it would do, or that there is no such target.
    subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)


@cache
def names_of_templates() -> set[str]:
    """The names of resources, as the snapshot of the tests' four services has them."""
    snapshot = json.loads((ROOT / "tests" / "stacks" / "names.json").read_text())
    return {name for names in snapshot.values() for name in names}


@pytest.mark.parametrize("file", GUIDES, ids=lambda file: file.name)
def test_names_of_resources_are_those_of_the_templates(file: Path) -> None:
    for line in code(file):
        # What follows a bucket's name is a key in it.
        for name in re.findall(r"(?:alias/)?dapflow-prod[\w-]*|dapflow/prod[\w/-]*", line):
            assert name in names_of_templates(), f"{file.name}: no resource is called {name}"


@pytest.mark.parametrize("file", GUIDES, ids=lambda file: file.name)
def test_files_are_there(file: Path) -> None:
    for line in code(file):
        for path in re.findall(r"\b(?:tests|stacks|docs|\.github)/[\w./-]*\w", line):
            assert (ROOT / path).exists(), f"{file.name}: {path} is not there"


@pytest.mark.parametrize("file", GUIDES, ids=lambda file: file.name)
def test_settings_are_those_that_are_read(file: Path) -> None:
    sections = {name for name in get_type_hints(EnvironmentSettings) if dataclass_of(EnvironmentSettings, name)}
    for line in code(file):
        for path in re.findall(rf"^(?:{'|'.join(sections)})\.[\w.]+$", line):
            kind: Any = EnvironmentSettings
            for name in path.split("."):
                assert name in get_type_hints(kind), f"{file.name}: there is no setting {path}"
                kind = dataclass_of(kind, name)


def dataclass_of(kind: Any, name: str) -> Any:
    """The dataclass of a setting's value, or None."""
    hint = get_type_hints(kind).get(name)
    return next((candidate for candidate in (hint, *get_args(hint)) if dataclasses.is_dataclass(candidate)), None)


def test_every_setting_is_in_the_reference_with_its_default() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## `([^`]+)`\n(.*?)(?=^## |\Z)", text, re.DOTALL | re.MULTILINE))
    kinds = {
        "context.platform": PlatformSettings,
        "context.environments.<name>": EnvironmentSettings,
        "context.environments.branch": BranchSettings,
        **{name: dataclass_of(EnvironmentSettings, name) for name in get_type_hints(EnvironmentSettings)},
    }
    kinds = {name: kind for name, kind in kinds.items() if kind is not None}
    assert sections.keys() == kinds.keys()
    for section, kind in kinds.items():
        rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", sections[section], re.MULTILINE))
        assert rows == {field.name: default(field) for field in dataclasses.fields(kind)}, section


def default(field: dataclasses.Field[Any]) -> str:
    """A default as the reference writes it."""
    if field.default is not dataclasses.MISSING:
        value = field.default
    elif field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    else:
        return "needed"
    if value is None:
        return "none"
    return "as below" if dataclasses.is_dataclass(value) else f"`{json.dumps(value)}`"


def test_costs_counts_what_the_templates_have(tmp_path: Path) -> None:
    text = COSTS.read_text(encoding="utf-8")
    made = synthesized(tmp_path, checks=False, environment="prod")
    stated = {
        "AWS::KMS::Key": r"after the second: (\d+)",
        "AWS::EC2::VPCEndpoint": r"zone ✓: (\d+) in 2 zones",
        "AWS::CloudWatch::Alarm": r"0\.10 a month each: (\d+), and 3 a service",
    }
    number = {kind: int(re.findall(pattern, text)[0]) for kind, pattern in stated.items()}
    assert number["AWS::KMS::Key"] == len(made.properties("AWS::KMS::Key"))
    interfaces = [
        endpoint for endpoint in made.properties("AWS::EC2::VPCEndpoint") if endpoint["VpcEndpointType"] == "Interface"
    ]
    assert number["AWS::EC2::VPCEndpoint"] == len(interfaces)
    assert number["AWS::CloudWatch::Alarm"] + 3 * 2 == len(made.properties("AWS::CloudWatch::Alarm"))
    assert len(made.properties("AWS::SecretsManager::Secret")) == 2 + 1

"""What generators that many people use make of the contract: clients that compile and work, a server that conforms.

It runs by ``make tools``, for it takes minutes. The commands are those of docs/contract.md. The generators and what their products
run with are pinned in contracts/lint/requirements-tools.txt; Node.js, Java and Go are the machine's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from fixtures.emulator.accounts import State
from fixtures.emulator.threaded import ThreadedServer
from suites.selfcheck.system import tools
from suites.selfcheck.system.contract_page import Reader, commands, file

# One worker generates, and what it has generated is compiled there.
pytestmark = [pytest.mark.tools, pytest.mark.slow, pytest.mark.xdist_group("generators")]

SCHEMAS: Final = {
    "DeliverySessionError",
    "DeliverySessionErrorStatus",
    "DeliverySessionParameterError",
    "DeliverySessionParameters",
    "DeliverySessionSuccess",
}

#: The one class that the Java client needs and the generator's jar lacks; it was part of Java 8.
GENERATED: Final = """
package javax.annotation;
public @interface Generated { String value(); String date(); String comments(); }
"""


def block_of(program: str) -> str:
    """The block of commands of the page that begins with `program`."""
    return next(block for block in commands("tools") if block.startswith(program))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A directory that holds ``contracts/``, and the pinned programs."""
    found = Reader(tmp_path_factory.mktemp("generators"), (tools.generators_bin(),))
    found.sit_down()
    return found


@pytest.fixture(scope="module")
def clients(reader: Reader) -> Path:
    """The folder of the clients that OpenAPI Generator makes."""
    tools.program("java", "default-jdk-headless")
    said = reader.run(block_of("openapi-generator-cli"))
    assert "ERROR" not in said, said
    return reader.place


def classes(folder: Path, pattern: str) -> set[str]:
    """The names that `pattern` finds in the files of `folder`."""
    return {
        name for path in folder.rglob("*.*") if path.is_file() for name in re.findall(pattern, path.read_text("utf-8"))
    }


@pytest.fixture(scope="module")
def emulator() -> Iterator[dict[str, str]]:
    """The variables that lead a client to an emulator: its base URL, and accounts."""
    with ThreadedServer() as server:
        fixed = server.emulator.store.fixed
        yield {
            "BASE_URL": server.base_url,
            "OWNER": fixed[State.OWNER].hash,
            "SUBUSER": fixed[State.SUBUSER].hash,
        }


@pytest.mark.java
class TestOpenApiGenerator:
    """OpenAPI Generator's clients."""

    def test_python_creates_reads_and_shows_the_code_of_an_error(
        self, clients: Path, reader: Reader, emulator: dict[str, str]
    ) -> None:
        assert classes(clients / "client-python" / "openapi_client" / "models", r"(?m)^class (\w+)") == SCHEMAS
        reader.write("use.py")
        said = reader.run(block_of("python use.py"), {**emulator, "PYTHONPATH": "client-python"})
        assert said.split("\n") == ["True", "403 13", ""]

    @pytest.mark.node
    def test_typescript_compiles(self, clients: Path, reader: Reader) -> None:
        folder = clients / "client-typescript"
        assert classes(folder / "models", r"export interface (\w+)") == SCHEMAS
        words = "--noEmit --strict --target es2022 --lib es2022,dom --module esnext --moduleResolution bundler"
        reader.run(f"{tools.node_bin() / 'tsc'} {words} client-typescript/index.ts")

    def test_java_compiles(self, clients: Path, reader: Reader) -> None:
        javac = tools.program("javac", "default-jdk-headless")
        source = clients / "client-java" / "src" / "main" / "java"
        assert classes(source, r"(?m)^public class (DeliverySession\w+) ") == {*SCHEMAS, "DeliverySessionApi"}
        (source / "javax" / "annotation").mkdir(parents=True)
        (source / "javax" / "annotation" / "Generated.java").write_text(GENERATED, encoding="utf-8")
        jar = next(tools.generators_bin().parent.rglob("openapi-generator.jar"))
        reader.run(f"find client-java/src/main -name '*.java' | xargs {javac} -nowarn -proc:none -d classes -cp {jar}")
        assert (clients / "classes" / "org/openapitools/client/api/DeliverySessionApi.class").is_file()

    def test_go_compiles(self, clients: Path, reader: Reader) -> None:
        go = tools.program("go", "golang-go")
        folder = clients / "client-go"
        assert classes(folder, r"(?m)^type (\w+) struct") >= SCHEMAS
        # No module is needed beside the standard library, so that nothing is asked for over the network.
        offline = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GOTOOLCHAIN": "local", "GOCACHE": str(clients / "gocache")}
        reader.run(f"cd client-go && {go} build .", offline)


def test_datamodel_code_generator_makes_models_that_read_examples(reader: Reader) -> None:
    reader.run(block_of("datamodel-codegen"))
    models = (reader.place / "models.py").read_text(encoding="utf-8")
    assert set(re.findall(r"(?m)^class (\w+)\(BaseModel\)", models)) == SCHEMAS
    said = reader.run(
        """python - <<'END'
import json, models
examples = json.load(open("contracts/openapi.client.json"))["components"]["examples"]
for name, example in examples.items():
    kind = models.DeliverySessionError if name.startswith("Error") else models.DeliverySessionSuccess
    kind.model_validate(example["value"])
error = models.DeliverySessionError.model_validate(examples["Error7"]["value"])
print(len(examples), error.status.code, error.errors[0].parameter)
END"""
    )
    assert re.fullmatch(r"2\d 7 hash\n", said)


def test_a_server_made_from_the_contract_and_filled_in_conforms(reader: Reader) -> None:
    reader.write("filling.py")
    reader.run(block_of("fastapi-codegen"))
    assert (reader.place / "stub" / "main.py").read_text().count("return perform(**locals())") == 4
    port = str(tools.free_port())
    reader.write("target.toml", file("target.toml").replace("8080", port))
    said = reader.run(block_of("export ACCOUNTS").replace("8080", port))
    assert re.search(r"(?m)^verdict: conformant \(exit 0\)", said), said


def test_a_stub_that_is_not_filled_in_does_not(reader: Reader) -> None:
    """The suite, not the generator, is what says that the server above conforms."""
    port = str(tools.free_port())
    reader.write("target.toml", file("target.toml").replace("8080", port))
    made = "fastapi-codegen --input contracts/openapi.client.json --output empty && touch empty/__init__.py"
    run = block_of("export ACCOUNTS").replace("8080", port).replace("stub.main", "empty.main")
    said = reader.run(f"{made}\n{run.rstrip()} && exit 9 || test $? = 1")
    assert re.search(r"(?m)^verdict: nonconformant \(exit 1\)", said), said

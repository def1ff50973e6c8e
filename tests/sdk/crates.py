"""The RO-Crate of a finished demo, held against its profile by roc-validator 0.13.0 and against the disk.

Nothing is asked of the network: the profiles come with the validator, the terms with the RO-Crate library.
"""

import hashlib
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import urllib.parse

import requests
import rocrate
from bench import check, equal
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings
from rocrate_validator.utils.http import HttpRequester

NAME = "ro-crate-metadata.json"
PROFILE = "process-run-crate"
RUN_TERMS = "https://w3id.org/ro/terms/workflow-run#"
# The library has the terms of 1.3, of which those of 1.1 are a part.
TERMS = json.loads((pathlib.Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_text())
CONTEXTS = {
    "https://w3id.org/ro/crate/1.1/context": TERMS,
    "https://w3id.org/ro/terms/workflow-run/context": {"@context": {"sha256": f"{RUN_TERMS}sha256"}},
}


# What the profile advises and Labferry cannot know: addresses and versions of pipelines and platforms, a person for an
# account that is an email address, a license, authors and a publisher, media types of files without a telling ending.
UNKNOWN = {
    "process-run-crate-0.5_3.2",
    "process-run-crate-0.5_4.1",
    "process-run-crate-0.5_5.1",
    "process-run-crate-0.5_8.6",
    "ro-crate-1.1_22.1",
    "ro-crate-1.1_22.2",
    "ro-crate-1.1_22.3",
    "ro-crate-1.1_27.1",
    "ro-crate-1.1_31.2",
}


def without_network():
    """Answers for the web with what is on this computer; for anything else it is not there."""

    def answer(_self, url, **_options):
        response = requests.Response()
        response.url = url
        response.status_code = 200 if url in CONTEXTS else 504
        response.headers["Content-Type"] = "application/ld+json"
        response._content = json.dumps(CONTEXTS.get(url, {})).encode()
        return response

    HttpRequester.get = answer
    HttpRequester.head = answer


def issues(folder, severity=Severity.REQUIRED):
    """What the validator finds; it takes the folder's own name for a URI as it is, so it gets a plain one."""
    with tempfile.TemporaryDirectory() as place:
        plain = pathlib.Path(place) / "crate"
        shutil.copytree(folder, plain)
        return issues_of(plain, severity)


def issues_of(folder, severity):
    settings = ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier=PROFILE,
        requirement_severity=severity,
        skip_availability_check=True,
        cache_path=str(folder.parent / "cache"),
        offline=True,
    )
    result = services.validate(settings)
    assert result.executed_checks, "nothing was checked"
    return sorted({f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues()})


def on_disk(folder):
    """Every file below the folder, with `/` between the parts."""
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def held_against_the_disk(folder):
    document = json.loads((folder / NAME).read_text())
    entities = {}
    for entity in document["@graph"]:
        assert entity["@id"] not in entities, f"{entity['@id']} is described twice"
        entities[entity["@id"]] = entity
    for entity in entities.values():
        for value in entity.values():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict) and not one["@id"].startswith("http"):
                    assert one["@id"] in entities, f"{one['@id']} is named and not described"
    for entity in entities.values():
        for term in entity:
            assert term.startswith("@") or term in TERMS["@context"], f"{term} is no term"
    parts = {part["@id"] for part in entities["./"]["hasPart"]}
    listed = {urllib.parse.unquote(part): entities[part] for part in parts}
    there = on_disk(folder)
    equal(sorted(listed), sorted(set(there) - {NAME}), "files listed and files there")
    hashed = 0
    for path, entity in listed.items():
        if "sha256" not in entity:
            continue
        content = there[path].read_bytes()
        equal(entity["contentSize"], str(len(content)), f"size of {path}")
        equal(entity["sha256"], hashlib.sha256(content).hexdigest(), f"hash of {path}")
        hashed += 1
    equal(hashed, len(listed) - 2, "files with a hash")
    receipt = json.loads((folder / "receipt.json").read_text())
    actions = [entity for entity in entities.values() if entity["@type"] == "CreateAction"]
    equal(len(actions), len(receipt["jobs"]), "actions and jobs")
    results = [part["@id"] for action in actions for part in many(action.get("result", []))]
    equal(len(results), len(set(results)), "results of two actions")
    equal(sorted(results), sorted(parts - {"receipt.json", "methods.txt"}), "results")
    settings = [entity for entity in entities.values() if entity["@type"] == "PropertyValue"]
    assert settings, "the jobs of the demo have settings"
    for setting in settings:
        assert setting["propertyID"] and not set("@/[]") & set(setting["name"]), f"{setting} is named for no person"
    assert any(setting["name"] != setting["propertyID"] for setting in settings), settings
    assert "@mount" not in (folder / "methods.txt").read_text(), "settings have other names in the form"
    for action in actions:
        assert action["startTime"] <= action["endTime"], action
        assert many(action["object"]), action
    return len(listed), len(actions)


def many(value):
    return value if isinstance(value, list) else [value]


def broken(folder, change, words):
    """A crate that was spoiled has to be refused, or a crate that passes says nothing."""
    with tempfile.TemporaryDirectory() as place:
        copy = pathlib.Path(place) / "copy"
        shutil.copytree(folder, copy)
        document = json.loads((copy / NAME).read_text())
        change(copy, document["@graph"])
        (copy / NAME).write_text(json.dumps(document))
        found = issues(copy)
        assert any(words in issue for issue in found), f"{words!r} is not in {found}"


def without(kind, term):
    def change(_folder, graph):
        for entity in graph:
            if entity["@id"] == kind or entity["@type"] == kind:
                del entity[term]

    return change


def lose_a_file(folder, graph):
    part = next(entity for entity in graph if entity.get("sha256") and entity["@type"] == "File")
    (folder / urllib.parse.unquote(part["@id"])).unlink()


def main():
    without_network()
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        words = [sys.argv[1], "--data-dir", place / "data", "demo", "--headless", "--into", place / "out 世界"]
        ran = subprocess.run(words, capture_output=True, text=True, timeout=120)
        equal(ran.returncode, 0, ran.stdout + ran.stderr)
        (folder,) = [path for path in (place / "out 世界").iterdir() if path.is_dir()]
        equal(issues(folder), [], "what the profile demands")
        advice = {issue.split(":")[0] for issue in issues(folder, Severity.RECOMMENDED)}
        equal(sorted(advice - UNKNOWN), [], "what the profile advises")
        check("the crate of a demo is a Process Run Crate")
        files, actions = held_against_the_disk(folder)
        check(f"{files} files and {actions} runs are as the crate says")
        broken(folder, without("CreateAction", "instrument"), "instrument")
        broken(folder, without("./", "conformsTo"), "permalink of the profile")
        broken(folder, without("./", "license"), "license")
        broken(folder, lose_a_file, "as part of its payload")
        check("a crate that was spoiled is refused")
        said = subprocess.run([sys.argv[1], "check", folder], capture_output=True, text=True, timeout=60)
        equal(said.returncode, 0, said.stdout + said.stderr)
        check("the files Labferry wrote about the results are not taken for results")


main()

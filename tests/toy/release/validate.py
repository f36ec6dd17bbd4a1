# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads what a release says of itself by other people's code: in-toto's own types and SPDX's own tools.

    validate.py FOLDER

prints the subjects of the provenance, and how many dependencies there are of each intent.
"""

import collections
import json
import os
import re
import sys

from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document


def provenance(path):
    with open(path) as source:
        said = json.load(source)
    # Unknown keys are an error here, and so is every value of another kind.
    proto = json_format.ParseDict(said, statement_pb2.Statement())
    Statement.copy_from_pb(proto).validate()
    predicate = json_format.ParseDict(said["predicate"], provenance_pb2.Provenance())
    for descriptor in predicate.build_definition.resolved_dependencies:
        ResourceDescriptor.copy_from_pb(descriptor).validate()
    return said


def as_obs_reads_it(said):
    """What openSUSE's `unpack_slsa_provenance` asks of a statement, but for the build type that it can redo."""
    definition = said["predicate"]["buildDefinition"]
    kinds = collections.defaultdict(list)
    for one in definition["resolvedDependencies"]:
        name, intent = one["name"], one["annotations"]["intent"]
        assert intent in ("buildenv", "buildconfig", "source", "repos", "containers"), one
        assert name not in ("", ".", "..") and not re.search(r"[\x00-\x1f/]|^\.build\.", name), one
        assert re.fullmatch("[0-9a-f]{64}", one["digest"]["sha256"]), one
        kinds[intent].append(name)
    assert len(kinds["buildconfig"]) == 1, kinds["buildconfig"]
    assert kinds["source"] and kinds["buildenv"], kinds
    assert definition["externalParameters"]["recipeFile"] in kinds["source"], kinds["source"]
    return kinds


def bill(path):
    document = parse_file(path)
    wrong = [str(message.validation_message) for message in validate_full_spdx_document(document)]
    assert not wrong, wrong
    return document


def main(folder):
    said = provenance(os.path.join(folder, "provenance.json"))
    kinds = as_obs_reads_it(said)
    packages = bill(os.path.join(folder, "sbom.spdx.json")).packages
    environment = bill(os.path.join(folder, "environment.spdx.json")).packages
    for subject in said["subject"]:
        print("subject", subject["name"])
    for intent in sorted(kinds):
        print(intent, len(kinds[intent]))
    for package in packages:
        print("package", package.name)
    print("environment", len(environment))


main(sys.argv[1])

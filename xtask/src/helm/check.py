"""Reads {"schema", "values", "objects"} from standard input and prints what is wrong, as a list of sentences in
JSON: values against the chart's schema, objects against the strict schemas of each named version of Kubernetes.

Kubernetes has no schemas for objects of the Prometheus Operator: they are passed over.
"""

import json
import sys

import jsonschema
import kubernetes_validate

FOREIGN = "monitoring.coreos.com/"


def of_values(schema, values):
    jsonschema.Draft7Validator.check_schema(schema)
    for error in jsonschema.Draft7Validator(schema).iter_errors(values):
        path = ".".join(str(part) for part in error.absolute_path)
        yield f"values: {path}: {error.message}"


def of_objects(objects, version):
    for one in objects:
        if one["apiVersion"].startswith(FOREIGN):
            continue
        try:
            kubernetes_validate.validate(one, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{one['kind']}, Kubernetes {version}: {error}"


def main():
    chart = json.load(sys.stdin)
    wrong = list(of_values(chart.get("schema", {}), chart.get("values", {})))
    for version in sys.argv[1:]:
        wrong.extend(of_objects(chart.get("objects", []), version))
    json.dump(wrong, sys.stdout)


main()
